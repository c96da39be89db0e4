package hybrissim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// webhookTries and webhookGap are those of webhookservices.
const (
	webhookTries = 2
	webhookGap   = 10 * time.Second
	pushTimeout  = 15 * time.Second
)

// processTries is how often the task engine runs an action that wants to be run
// later (RetryLaterException); how often and when is up to the project.
const processTries = 3

var errLost = errors.New("lost in the memory of the shop")

// deliver tries until a yes, or until the tries are used up. What is worth
// another one differs: to webhooks only a 5xx is.
func (s *Sim) deliver(ctx context.Context, p post) error {
	if s.losesOne() {
		return s.done(p, errLost)
	}
	var err error
	for try := 1; ; try++ {
		var status int
		status, err = s.send(ctx, p)
		p.about.Statuses = append(slices.Clip(p.about.Statuses), status)
		if err == nil || try >= p.tries || p.about.Style == Webhook && !s.worthAnother(status) {
			break
		}
		if s.opt.Wait(ctx, webhookGap) != nil {
			break
		}
	}
	return s.done(p, err)
}

func (s *Sim) losesOne() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := s.faults.lostPushes > 0
	if lost {
		s.faults.lostPushes--
	}
	return lost
}

// done records what became of an event.
func (s *Sim) done(p post, err error) error {
	if err != nil {
		p.about.Err = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushes.done = append(s.pushes.done, p.about)
	return err
}

// worthAnother reports whether webhookservices try again; no answer at all is
// none of what they look at.
func (s *Sim) worthAnother(status int) bool {
	switch s.answer("webhook-tries") {
	case "never":
		return false
	case "any":
		return true
	}
	return status >= 500
}

// send makes one request; status is 0 when there was no answer.
func (s *Sim) send(ctx context.Context, p post) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opt.EventsURL, bytes.NewReader(p.body))
	if err != nil {
		return 0, err
	}
	req.Header = p.header.Clone()
	if p.about.Style == Webhook && s.answer("webhook-ids") == "each" {
		req.Header.Set("ce-id", uuid()) // a new one for each try
	}
	if err := s.sign(ctx, req, p); err != nil {
		return 0, err
	}
	res, err := s.opt.Client.Do(req)
	if err != nil {
		return 0, err
	}
	_ = res.Body.Close()
	if res.StatusCode/100 != 2 {
		return res.StatusCode, fmt.Errorf("event %s: answered %d", p.about.Type, res.StatusCode)
	}
	return res.StatusCode, nil
}

// sign adds the credential of the destination: a signature where it is wanted
// (https://github.com/standard-webhooks/standard-webhooks, spec, read
// 2026-11-25), an OAuth token where there is a place to get one, Basic in the styles that use it, else the key as it is. A
// client certificate is a matter of Options.Client.
func (s *Sim) sign(ctx context.Context, req *http.Request, p post) error {
	switch {
	case s.opt.EventsSigned:
		at := strconv.FormatInt(s.opt.Now().Unix(), 10)
		h := hmac.New(sha256.New, []byte(s.opt.EventsKey))
		_, _ = fmt.Fprintf(h, "%s.%s.%s", p.about.ID, at, p.body) // never fails
		req.Header.Set("Webhook-Id", p.about.ID)
		req.Header.Set("Webhook-Timestamp", at)
		req.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	case s.opt.EventsTokenURL != "":
		token, err := s.destinationToken(ctx)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	case p.basic:
		req.SetBasicAuth(s.opt.EventsUser, s.opt.EventsKey)
	default:
		req.Header.Set("Authorization", "Bearer "+s.opt.EventsKey)
	}
	return nil
}

// destinationToken gets a token as a ConsumedOAuthCredential does: for each
// request anew, which is more than a shop would ask for.
func (s *Sim) destinationToken(ctx context.Context) (string, error) {
	form := url.Values{"grant_type": {byClient}, "client_id": {s.opt.EventsUser}, "client_secret": {s.opt.EventsKey}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opt.EventsTokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.opt.Client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	var out struct {
		Token string `json:"access_token"`
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("a token for the destination: answered %d", res.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&out); err != nil || out.Token == "" {
		return "", errors.New("a token for the destination: there is none in the answer")
	}
	return out.Token, nil
}
