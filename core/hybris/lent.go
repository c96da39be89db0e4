package hybris

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tidings/core"
)

// typeNoCustomerToken says that a customer has to hand over a new token.
const typeNoCustomerToken = "NoCustomerToken"

// renewBefore is how long before its end a customer's token is renewed, so that
// it does not end on its way.
const renewBefore = 15 * time.Second

// lent renews the tokens that customers have lent us. At most one renewal of a
// customer's token is under way: a second one would present a refresh token that
// the first has used up.
type lent struct {
	keep     core.CustomerTokens
	client   Storefront
	endpoint string
	http     *http.Client
	timeout  time.Duration
	now      func() time.Time

	mu    sync.Mutex
	under map[string]chan struct{} // uid: closed when its renewal ends
}

func newLent(o Options, h *http.Client) *lent {
	return &lent{
		keep: o.Customers, client: o.Storefront, endpoint: o.TokenURL, http: h, timeout: o.Timeout, now: o.Now,
		under: map[string]chan struct{}{},
	}
}

// actingFor is whose token a call about a customer's ticket is made with.
func (c *Client) actingFor(uid string) string {
	if c.lent == nil {
		return ""
	}
	return uid
}

// doFor makes a call with the customer's own token, once more with a new one
// when the shop says that the token is not valid. A token that turns out to be
// somebody else's is given up.
func (c *Client) doFor(ctx context.Context, q call, target string) (answer, error) {
	t, err := c.lent.get(ctx, q.as, "")
	if err != nil {
		return answer{}, named(q.op, err)
	}
	a, err := c.send(ctx, q, target, t.Access.Reveal())
	if err == nil && tokenInvalid(a) {
		if t, err = c.lent.get(ctx, q.as, t.Access); err != nil {
			return answer{}, named(q.op, err)
		}
		a, err = c.send(ctx, q, target, t.Access.Reveal())
	}
	if err == nil && (tokenInvalid(a) || errorType(a) == "ForbiddenError") {
		return answer{}, named(q.op, c.lent.forget(ctx, q.as, t))
	}
	return c.settle(q, a, err)
}

// get returns a token of the customer's that is not the one called bad.
func (l *lent) get(ctx context.Context, uid string, bad core.Secret) (core.CustomerToken, error) {
	for {
		t, err := l.keep.CustomerToken(ctx, uid)
		switch {
		case errors.Is(err, core.ErrNotFound):
			return t, noToken("none was handed over, or it has ended")
		case err != nil:
			return t, &core.ShopError{Class: core.Temporary, Err: errors.New("the customer's token cannot be read")}
		case t.Access != bad && (t.Expires.IsZero() || l.now().Before(t.Expires.Add(-renewBefore))):
			return t, nil
		}
		done, mine := l.take(uid)
		if mine {
			return l.renewAlone(ctx, uid, t, done)
		}
		select {
		case <-done:
		case <-ctx.Done():
			return t, &core.ShopError{Class: core.Temporary, Err: withOp("wait for a customer's token", ctx.Err())}
		}
	}
}

// renewAlone is renew for the one of those who need a token that does it for all.
func (l *lent) renewAlone(ctx context.Context, uid string, t core.CustomerToken, done chan struct{}) (core.CustomerToken, error) {
	defer l.release(uid, done)
	return l.renew(ctx, uid, t)
}

func (l *lent) take(uid string) (done chan struct{}, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if done, ok := l.under[uid]; ok {
		return done, false
	}
	done = make(chan struct{})
	l.under[uid] = done
	return done, true
}

func (l *lent) release(uid string, done chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.under, uid)
	close(done)
}

// renew asks for the token's successor and keeps it. Where the store cannot be
// written the successor is used all the same: its predecessor is gone already.
func (l *lent) renew(ctx context.Context, uid string, was core.CustomerToken) (core.CustomerToken, error) {
	if was.Refresh == "" || l.client.ID == "" {
		return was, l.forget(ctx, uid, was)
	}
	asked := l.now()
	ctx = context.WithoutCancel(ctx) // an answer that nobody waits for would be lost
	next, life, err := l.request(ctx, was.Refresh)
	if refused, ok := errors.AsType[*core.ShopError](err); ok && refused.Type == "invalid_grant" {
		return was, l.forget(ctx, uid, was)
	}
	if err != nil {
		return was, err
	}
	next.Expires = asked.Add(life)
	_ = l.keep.KeepCustomerToken(ctx, uid, was, next)
	return next, nil
}

// forget drops a token that is of no use any more, and says so.
func (l *lent) forget(ctx context.Context, uid string, was core.CustomerToken) error {
	if err := l.keep.KeepCustomerToken(ctx, uid, was, core.CustomerToken{}); err != nil {
		return &core.ShopError{Class: core.Temporary, Err: errors.New("the customer's token cannot be forgotten")}
	}
	return noToken("it has ended, or the shop takes it for another customer's")
}

func noToken(why string) error {
	return &core.ShopError{
		Class: core.Misconfigured, Personal: true, Type: typeNoCustomerToken,
		Err: errors.New("no token of the customer: " + why + "; the next opt-in can bring one"),
	}
}

// request presents a refresh token. Repeating it is harmless: one that was used
// up is refused.
func (l *lent) request(ctx context.Context, refresh core.Secret) (core.CustomerToken, time.Duration, error) {
	const op = "renew a customer's token"
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh.Reveal()}, "client_id": {l.client.ID}}
	if l.client.Secret != "" {
		form.Set("client_secret", l.client.Secret.Reveal())
	}
	var t core.CustomerToken
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return t, 0, &core.ShopError{Class: core.Misconfigured, Err: errors.New(op + ": the token URL is not one")}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	a, err := exchange(l.http, req, false)
	if err != nil {
		return t, 0, &core.ShopError{Class: core.Temporary, Err: withOp(op, err)}
	}
	if a.status != http.StatusOK {
		return t, 0, tokenError(op, a, l.now())
	}
	access, life, err := readToken(op, a)
	if err != nil {
		return t, 0, err
	}
	n, _ := parse(a.body)
	t = core.CustomerToken{Access: core.Secret(access), Refresh: core.Secret(n.get("refresh_token").text())}
	if t.Refresh == "" {
		t.Refresh = refresh // it is not rotated here
	}
	return t, life, nil
}
