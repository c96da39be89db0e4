package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"tidings/core"
)

// maxAnswer bounds what is read of an answer. Slack sends the message back,
// blocks included, so a good one has some tens of kilobytes.
const maxAnswer = 1 << 20

// exchange is the HTTP client of one request. It puts the token where Slack
// wants it and remembers what the library's errors do not tell.
type exchange struct {
	http  *http.Client
	token core.Secret

	asked, connected atomic.Bool // a connection was asked for, and had
	status           int         // 0: no answer
	retryAfter       time.Duration
	refused          bool // the answer says "ok": false
}

// answer is the part of chat.postMessage's answer that matters.
type answer struct {
	OK      *bool  `json:"ok"`
	Error   string `json:"error,omitempty"`
	Channel string `json:"channel,omitempty"`
	TS      string `json:"ts,omitempty"`
}

// watch returns a context that tells x how far the request came.
func (x *exchange) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { x.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { x.connected.Store(true) },
	})
}

// Do makes the request and hands the library an answer reduced to what matters:
// the library also decodes the whole message that Slack sends back, and a field
// in it that it cannot read would turn a yes into a maybe.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	// The library puts the token into the form only; the header is the way
	// that Slack documents first.
	req.Header.Set("Authorization", "Bearer "+x.token.Reveal())
	resp, err := x.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	x.status = resp.StatusCode
	x.retryAfter = retryAfter(resp.Header)
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(x.reduce(body)))
	return resp, nil
}

// reduce returns the body's answer alone, or the body when it is none.
func (x *exchange) reduce(body []byte) []byte {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return body
	}
	x.refused = a.OK != nil && !*a.OK
	reduced, err := json.Marshal(a)
	if err != nil {
		return body
	}
	return reduced
}

// neverLeft reports that no byte of the request can have been sent.
func (x *exchange) neverLeft() bool { return x.asked.Load() && !x.connected.Load() }

// retryAfter reads the header's whole seconds; 0 when there are none.
func retryAfter(h http.Header) time.Duration {
	const day = 24 * 60 * 60
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, day)) * time.Second
}
