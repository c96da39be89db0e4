package slacksim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tidings/channels/emulator"
)

// retryReasons are Slack's words for why an attempt failed.
var retryReasons = map[string]string{"timeout": "http_timeout", "connection_failed": "connection_failed", "http_error": "http_error"}

// event sends an event to the app. The caller holds the lock.
func (s *Sim) event(channel string, e map[string]any) {
	if s.opt.StrangeFields {
		e["strange_field"] = map[string]any{"since": 2030}
	}
	body := rawJSON(map[string]any{
		"token": "legacy", "team_id": s.opt.TeamID, "api_app_id": s.opt.AppID, "type": "event_callback", "event": e,
		"event_id": s.nextID("Ev"), "event_time": s.opt.Now().Unix(),
		"authorizations": []any{map[string]any{"team_id": s.opt.TeamID, "user_id": s.opt.BotUserID, "is_bot": true}},
	})
	what, _ := e["type"].(string)
	s.hooks.Deliver(emulator.Delivery{Key: channel, What: what, Request: func(t emulator.Try) (*http.Request, error) {
		return s.signed("application/json", body, t)
	}})
}

// form sends a command or an interaction, which Slack tries once.
func (s *Sim) form(what string, form url.Values, done func(http.Header, []byte)) {
	body := []byte(form.Encode())
	s.hooks.Deliver(emulator.Delivery{What: what, Once: true, Done: done, Request: func(t emulator.Try) (*http.Request, error) {
		return s.signed("application/x-www-form-urlencoded", body, t)
	}})
}

// signed is a request to the app as Slack signs it, anew for each attempt.
func (s *Sim) signed(kind string, body []byte, t emulator.Try) (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, s.hooks.URL(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	secret := s.opt.SigningSecret
	if t.Forge {
		secret += "?"
	}
	stamp := strconv.FormatInt(s.opt.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	if t.N > 1 {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(t.N-1))
		req.Header.Set("X-Slack-Retry-Reason", retryReasons[t.Reason])
	}
	return req, nil
}

// echo tells the app about its own message, as Slack does.
func (s *Sim) echo(channel string, m map[string]any) {
	e := map[string]any{}
	maps.Copy(e, m)
	e["channel"], e["channel_type"], e["event_ts"] = channel, kindOf(channel), m["ts"]
	s.event(channel, e)
}

func kindOf(channel string) string {
	if strings.HasPrefix(channel, "D") {
		return "im"
	}
	return "channel"
}

// Handshake verifies the webhook as Slack does when its URL is set.
func (s *Sim) Handshake(ctx context.Context) error {
	challenge := rand.Text()
	req, err := s.signed("application/json", rawJSON(map[string]string{"type": "url_verification", "token": "legacy", "challenge": challenge}), emulator.Try{N: 1})
	if err != nil || s.hooks.URL() == "" {
		return errors.New("handshake: no usable URL")
	}
	ctx, cancel := context.WithTimeout(ctx, webhookRules.Timeout)
	defer cancel()
	client := s.opt.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	var inJSON struct {
		Challenge string `json:"challenge"`
	}
	_ = json.Unmarshal(body, &inJSON) // plain text is as good
	returned := strings.TrimSpace(string(body)) == challenge || inJSON.Challenge == challenge
	if res.StatusCode != http.StatusOK || !returned {
		return fmt.Errorf("handshake: status %d, challenge returned: %t", res.StatusCode, returned)
	}
	return nil
}
