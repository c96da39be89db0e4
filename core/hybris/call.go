package hybris

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"tidings/core"
)

// maxAnswer bounds what is read of an answer; a full order is some 100 kB.
const maxAnswer = 16 << 20

// call is one request to the shop, before it has a token.
type call struct {
	op     string // what is being done, for errors
	method string
	site   string
	path   []string // segments, unescaped
	query  url.Values
	body   any    // JSON; nil: none
	form   *form  // in place of body
	as     string // the customer with whose token; empty: the gateway's own
}

// writes says that the call changes something, so that its fate matters.
func (q call) writes() bool { return q.method != http.MethodGet }

// ofTickets says that the call is about a customer's tickets.
func (q call) ofTickets() bool {
	return len(q.path) > 2 && q.path[0] == "users" && q.path[2] == "tickets"
}

// answer is what came back, complete.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// do makes the call with a valid token, once more with a new one when the shop
// says that the token is not valid.
func (c *Client) do(ctx context.Context, q call) (answer, error) {
	target, err := c.target(q)
	if err != nil {
		return answer{}, err
	}
	if q.as != "" {
		return c.doFor(ctx, q, target)
	}
	first, err := c.tokens.get(ctx)
	if err != nil {
		return answer{}, named(q.op, err)
	}
	a, err := c.send(ctx, q, target, first)
	if err != nil || !tokenInvalid(a) {
		return c.settle(q, a, err)
	}
	c.tokens.drop(first)
	second, err := c.tokens.get(ctx)
	if err != nil {
		return answer{}, named(q.op, err)
	}
	a, err = c.send(ctx, q, target, second)
	if err == nil && tokenInvalid(a) {
		return answer{}, twiceInvalid(q.op, a, first == second)
	}
	return c.settle(q, a, err)
}

// twiceInvalid is for a token that was refused after renewal: the same one again
// is a legacy server at the very end of that token's life, a new one that is
// refused needs a human.
func twiceInvalid(op string, a answer, same bool) *core.ShopError {
	e := &core.ShopError{Class: core.Misconfigured, Type: errorType(a), Status: a.status, Err: errors.New(op)}
	if same {
		e.Class = core.Temporary
	}
	return e
}

func (c *Client) settle(q call, a answer, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	if !a.ok() {
		return answer{}, refusal(q, a, c.now())
	}
	return a, nil
}

// target builds the URL. An identifier that is no path segment names nothing
// the shop could have, and must not reach another path.
func (c *Client) target(q call) (string, error) {
	site := q.site
	if site == "" {
		site = c.site
	}
	if site == "" {
		return "", &core.ShopError{Class: core.Misconfigured, Err: errors.New(q.op + ": no site configured")}
	}
	var b strings.Builder
	b.WriteString(c.base)
	for _, s := range append([]string{site}, q.path...) {
		if s == "" || s == "." || s == ".." {
			return "", &core.ShopError{Class: core.Rejected, NotFound: true, Err: errors.New(q.op + ": not an identifier")}
		}
		b.WriteByte('/')
		b.WriteString(escape(s))
	}
	if len(q.query) > 0 {
		b.WriteByte('?')
		b.WriteString(q.query.Encode())
	}
	return b.String(), nil
}

// escape writes a path segment with every reserved character encoded;
// url.PathEscape would leave the "@" of a uid as it is.
func escape(segment string) string {
	return strings.ReplaceAll(url.QueryEscape(segment), "+", "%20")
}

func (c *Client) send(ctx context.Context, q call, target, token string) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, &core.ShopError{Class: core.Temporary, Err: withOp(q.op, err)}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := newRequest(ctx, q, target)
	if err != nil {
		return answer{}, &core.ShopError{Class: core.Misconfigured, Err: errors.New(q.op + ": the base URL is not one")}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	a, err := exchange(c.http, req, q.writes())
	if err != nil {
		class := core.Temporary
		if errors.Is(err, errFateUnknown) {
			class = core.Uncertain
		}
		return answer{}, &core.ShopError{Class: class, Status: a.status, Err: withOp(q.op, err)}
	}
	return a, nil
}

func newRequest(ctx context.Context, q call, target string) (*http.Request, error) {
	var body io.Reader
	kind := "application/json"
	switch {
	case q.form != nil:
		body, kind = bytes.NewReader(q.form.data), q.form.kind
	case q.body != nil:
		encoded, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if !q.writes() {
		// Older releases let anybody on the way keep an order for two minutes
		// ("Cache-Control: public, max-age=120", SAP Commerce 2105, read 2026-11-22).
		req.Header.Set("Cache-Control", "no-cache")
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	return req, nil
}

// errFateUnknown marks the failure of a request that may have done its work.
var errFateUnknown = errors.New("fate unknown")

// exchange sends the request and reads the whole answer. With writes set, an
// error is marked errFateUnknown unless the request provably did not leave. A
// 2xx whose body broke off is an answer with an empty body: the work is done.
func exchange(h *http.Client, req *http.Request, writes bool) (answer, error) {
	var l departure
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), l.trace()))
	res, err := h.Do(req)
	if err != nil {
		err = withoutURL(err)
		if writes && l.mayHaveLeft(err) {
			return answer{}, fmt.Errorf("%w: %w", errFateUnknown, err)
		}
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	a := answer{status: res.StatusCode, header: res.Header}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err == nil {
		return a, nil
	}
	a.body = nil
	if writes || !a.ok() {
		return a, nil // the status alone is the answer
	}
	return a, withoutURL(err)
}

// departure watches whether a request has begun to leave.
type departure struct {
	watched, left atomic.Bool
}

func (l *departure) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { l.watched.Store(true) },
		WroteHeaders: func() { l.left.Store(true) },
	}
}

// mayHaveLeft is true unless the transport has shown that nothing was sent. A
// transport that reports nothing is believed only about a failed connection.
func (l *departure) mayHaveLeft(err error) bool {
	if l.watched.Load() {
		return l.left.Load()
	}
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}

// withoutURL takes the address off an error of net/http: its path holds uids.
func withoutURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

func withOp(op string, err error) error { return fmt.Errorf("%s: %w", op, err) }

// named tells in a token's error which call had to do without one.
func named(op string, err error) error {
	var e *core.ShopError
	if !errors.As(err, &e) {
		return &core.ShopError{Class: core.Temporary, Err: withOp(op, err)}
	}
	own := *e
	own.Err = withOp(op, e.Err)
	return &own
}

// unreadable is for a success that holds no JSON object.
func unreadable(q call, a answer) *core.ShopError {
	class := core.Temporary
	if q.writes() {
		class = core.Uncertain
	}
	return &core.ShopError{Class: class, Status: a.status, Err: errors.New(q.op + ": answer not readable")}
}
