package hybris

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"tidings/core"
)

const (
	// unstatedLife is assumed of a token without expires_in: the shortest life a
	// stock installation gives (authserver.accessToken.timeToLive.seconds).
	unstatedLife = 300 * time.Second
	// longestLife keeps a nonsensical expires_in from overflowing a Duration.
	longestLife = 30 * 24 * time.Hour
	// After the shop has refused our client, it is left alone for a while that
	// doubles: oauth2.maxAuthenticationAttempts can disable a client for good.
	firstPause = 10 * time.Second
	maxPause   = 10 * time.Minute
)

// tokens holds the access token of the client-credentials grant.
//
// Invariants:
//  1. At most one request for a token is under way.
//  2. A token is renewed when 80 % of its life is over, while calls go on with
//     the old one; a failing renewal does no harm before the old one ends.
//  3. The legacy server answers with the token we hold and what is left of its
//     life. Asking again before that is over would bring the same answer faster
//     and faster, so such a token is used to its end.
//  4. A refused client is not presented again before its pause is over.
type tokens struct {
	endpoint string
	id       string
	secret   core.Secret
	http     *http.Client
	timeout  time.Duration
	log      *slog.Logger
	now      func() time.Time

	mu       sync.Mutex
	held     token
	flight   *flight
	refusal  *core.ShopError
	refusals int
	pausedTo time.Time
}

type token struct {
	value            string
	renewAt, expires time.Time
}

// flight is one request for a token, waited for by any number of calls.
type flight struct {
	done  chan struct{}
	value string
	err   error
}

func newTokens(o Options, h *http.Client) *tokens {
	return &tokens{
		endpoint: o.TokenURL,
		id:       o.ClientID,
		secret:   o.ClientSecret,
		http:     h,
		timeout:  o.Timeout,
		log:      o.Log,
		now:      o.Now,
	}
}

// get returns a token to be used now.
func (t *tokens) get(ctx context.Context) (string, error) {
	value, f, err := t.take(ctx)
	if f == nil {
		return value, err
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return "", &core.ShopError{Class: core.Temporary, Err: withOp("wait for an access token", ctx.Err())}
	}
}

// take returns the token held, or the flight that will bring one.
func (t *tokens) take(ctx context.Context) (string, *flight, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	usable := t.held.value != "" && now.Before(t.held.expires)
	if usable && now.Before(t.held.renewAt) {
		return t.held.value, nil, nil
	}
	if t.refusal != nil && now.Before(t.pausedTo) {
		if usable {
			return t.held.value, nil, nil
		}
		again := *t.refusal
		again.RetryAfter = t.pausedTo.Sub(now)
		return "", nil, &again
	}
	if t.flight == nil {
		t.flight = &flight{done: make(chan struct{})}
		go t.renew(context.WithoutCancel(ctx), t.flight)
	}
	if usable {
		return t.held.value, nil, nil
	}
	return "", t.flight, nil
}

// drop forgets the token the shop has just called invalid, unless another call
// has replaced it already.
func (t *tokens) drop(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.value == value {
		t.held = token{}
	}
}

func (t *tokens) renew(ctx context.Context, f *flight) {
	asked := t.now()
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	value, life, err := t.request(ctx)

	t.mu.Lock()
	defer t.mu.Unlock()
	t.flight = nil
	if err != nil {
		t.failed(err)
	} else {
		t.keep(value, asked, life)
	}
	f.value, f.err = value, err
	close(f.done)
}

func (t *tokens) keep(value string, asked time.Time, life time.Duration) {
	renewal := life / 5 * 4
	if value == t.held.value {
		renewal = life
	}
	t.held = token{value: value, renewAt: asked.Add(renewal), expires: asked.Add(life)}
	t.refusal, t.refusals = nil, 0
	t.log.Debug("shop: access token renewed", "life", life)
}

func (t *tokens) failed(err error) {
	now := t.now()
	if left := t.held.expires.Sub(now); left > 0 {
		t.held.renewAt = now.Add(max(left/5, time.Second))
	}
	var refused *core.ShopError
	if !errors.As(err, &refused) || refused.Class != core.Misconfigured {
		return
	}
	pause := maxPause
	if t.refusals < 6 {
		pause = min(firstPause<<t.refusals, maxPause)
	}
	t.refusals++
	refused.RetryAfter = pause
	t.refusal, t.pausedTo = refused, now.Add(pause)
	t.log.Warn("shop: client refused, access token not renewed", "type", refused.Type, "status", refused.Status, "next", pause)
}

// request asks the token endpoint once. Client id and secret go in the body,
// as SAP's own storefront sends them.
func (t *tokens) request(ctx context.Context) (string, time.Duration, error) {
	const op = "get an access token"
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {t.id},
		"client_secret": {t.secret.Reveal()},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, &core.ShopError{Class: core.Misconfigured, Err: errors.New(op + ": the token URL is not one")}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	// An unanswered token request changes nothing in the shop, so it may always
	// be repeated, like a read.
	a, err := exchange(t.http, req, false)
	if err != nil {
		return "", 0, &core.ShopError{Class: core.Temporary, Err: withOp(op, err)}
	}
	if a.status != http.StatusOK {
		return "", 0, tokenError(op, a, t.now())
	}
	return readToken(op, a)
}

func readToken(op string, a answer) (string, time.Duration, error) {
	n, err := parse(a.body)
	value := n.get("access_token").text()
	if err != nil || value == "" {
		return "", 0, &core.ShopError{Class: core.Temporary, Status: a.status, Err: errors.New(op + ": the answer holds none")}
	}
	kind := n.get("token_type").text()
	if kind != "" && !strings.EqualFold(kind, "bearer") {
		return "", 0, &core.ShopError{Class: core.Misconfigured, Status: a.status, Err: errors.New(op + ": not a bearer token")}
	}
	return value, lifeOf(n.get("expires_in")), nil
}

func lifeOf(n node) time.Duration {
	seconds, err := strconv.ParseFloat(n.text(), 64)
	if err != nil {
		return unstatedLife
	}
	limit := longestLife.Seconds()
	return time.Duration(min(max(seconds, 0), limit) * float64(time.Second))
}

// tokenError classifies the token endpoint's refusals, which have OAuth's shape
// ({"error": …}). All but a server's own trouble need a human.
func tokenError(op string, a answer, now time.Time) *core.ShopError {
	e := &core.ShopError{
		Class:      core.Misconfigured,
		Type:       errorType(a),
		Status:     a.status,
		RetryAfter: retryAfter(a.header, now),
		Err:        errors.New(op),
	}
	switch {
	case a.status == http.StatusTooManyRequests:
		e.Class = core.Throttled
	case a.status >= 500 || a.status == http.StatusRequestTimeout:
		e.Class = core.Temporary
	}
	return e
}
