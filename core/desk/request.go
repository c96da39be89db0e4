package desk

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
	"strconv"
	"strings"
	"time"

	"tidings/core"
)

// HTTP is how a desk is called.
type HTTP struct {
	URL     string // without a slash at its end
	Secret  core.Secret
	Client  *http.Client
	Timeout time.Duration // of one request; 0: 10 s
	Now     func() time.Time
}

// caller makes signed requests.
type caller struct {
	HTTP
	key []byte
}

func newCaller(o HTTP) caller {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	own := http.Client{}
	if o.Client != nil {
		own = *o.Client
	}
	// A redirect would make a GET of a POST, and take signed words elsewhere.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.Client, o.URL = &own, strings.TrimRight(o.URL, "/")
	return caller{HTTP: o, key: signingKey(o.Secret)}
}

// signingKey is what a secret stands for: the bytes behind whsec_, else its own.
func signingKey(secret core.Secret) []byte {
	if encoded, ok := strings.CutPrefix(secret.Reveal(), "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return raw
		}
	}
	return []byte(secret.Reveal())
}

// Signature is that of content under an id at a time, as Standard Webhooks has it.
func Signature(secret core.Secret, id string, at time.Time, content []byte) string {
	return signature(signingKey(secret), id, at, content)
}

func signature(key []byte, id string, at time.Time, content []byte) string {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), content)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// request is one call. Without a body, what is signed is its path and query.
type request struct {
	op, method, path string
	kind             string // media type of body
	key              string
	body             any
}

// do makes the request and reads what the answer holds into out, leniently.
func (c caller) do(ctx context.Context, q request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	req, err := c.request(ctx, q)
	if err != nil {
		return &core.ShopError{Class: core.Rejected, Err: errors.New(q.op + ": the request cannot be made")}
	}
	res, err := c.Client.Do(req)
	if err != nil {
		class := core.Uncertain
		if q.method == http.MethodGet {
			class = core.Temporary
		}
		return &core.ShopError{Class: class, Err: fmt.Errorf("%s: %w", q.op, withoutURL(err))}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return refused(q, res, c.Now())
	}
	if err != nil && q.method == http.MethodGet {
		return &core.ShopError{Class: core.Temporary, Status: res.StatusCode, Err: errors.New(q.op + ": the answer broke off")}
	}
	if out != nil && len(bytes.TrimSpace(body)) > 0 && json.Unmarshal(body, out) != nil && q.method == http.MethodGet {
		return &core.ShopError{Class: core.Misconfigured, Status: res.StatusCode, Err: errors.New(q.op + ": the answer is not the JSON it should be")}
	}
	return nil
}

func (c caller) request(ctx context.Context, q request) (*http.Request, error) {
	var body []byte
	if q.body != nil {
		var err error
		if body, err = json.Marshal(q.body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, q.method, c.URL+q.path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	signed := body
	if q.body == nil {
		signed = []byte(req.URL.RequestURI())
	} else {
		req.Header.Set("Content-Type", q.kind)
	}
	req.Header.Set("Accept", "application/json")
	if q.method != http.MethodGet {
		req.Header.Set("Idempotency-Key", q.key)
	}
	now := c.Now()
	req.Header.Set("webhook-id", q.key)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", signature(c.key, q.key, now, signed))
	return req, nil
}

// refused classifies an answer that is no yes. The body may quote somebody and is
// not repeated.
func refused(q request, res *http.Response, now time.Time) *core.ShopError {
	e := &core.ShopError{Status: res.StatusCode, RetryAfter: retryAfter(res.Header, now), Err: errors.New(q.op)}
	switch s := res.StatusCode; {
	case s == http.StatusTooManyRequests:
		e.Class = core.Throttled
	case s == http.StatusBadRequest, s == http.StatusRequestEntityTooLarge, s == http.StatusUnprocessableEntity:
		e.Class = core.Rejected
	case s == http.StatusRequestTimeout, s == http.StatusConflict, s == http.StatusTooEarly, s >= 500:
		// 409: the call before it, of the same key, is still under way.
		e.Class = core.Uncertain
		if q.method == http.MethodGet {
			e.Class = core.Temporary
		}
	default: // no proof of ours is taken, or this is not the desk
		e.Class = core.Misconfigured
	}
	return e
}

func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// withoutURL takes the address off an error of net/http: its path holds ids.
func withoutURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}
