package telegram

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
)

// maxAnswerBytes bounds what is read of an answer; Telegram's are about 1 KiB,
// and at most the text we sent comes back in them several times.
const maxAnswerBytes = 1 << 20

// exchange is one request and what became of it. It is the client library's
// HTTP client for one call: it gives the request the context that the library
// does not take, and keeps the status and the headers that the library drops.
type exchange struct {
	ctx    context.Context // of this one call; the library's interface has no place for it
	client *http.Client

	began     bool        // the library got as far as a request
	asked     atomic.Bool // the transport reports what it does, and asked for a connection
	connected atomic.Bool // and got one

	status int // 0: no answer
	header http.Header
}

// Do implements tgbotapi.HTTPClient. It reads the whole answer, so that the
// connection can be used again.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	x.began = true
	resp, err := x.client.Do(req.WithContext(httptrace.WithClientTrace(x.ctx, x.trace())))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	x.status, x.header = resp.StatusCode, resp.Header
	// An answer that breaks off is judged by its status and by what was read.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// trace notes whether a connection was had. The transport starts over only when
// it has written nothing, so each asking forgets the connection before.
func (x *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { x.connected.Store(false); x.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { x.connected.Store(true) },
	}
}

// mayHaveArrived reports whether Telegram may have seen a request that ended
// with err and without an answer. Writing runs beside the waiting, so having a
// connection is the latest moment at which "no" is certain.
func (x *exchange) mayHaveArrived(err error) bool {
	if !x.began {
		return false
	}
	if x.asked.Load() {
		return x.connected.Load()
	}
	// A transport that reports nothing, such as one in memory.
	var dial *net.OpError
	return !errors.As(err, &dial) || dial.Op != "dial"
}

// redact returns err without the request's URL and without the token. Of what
// it wraps only the end of a context stays recognizable; anything else might
// say the token again when it is unwrapped and logged.
func redact(err error, token string) error {
	cause := err
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		cause = urlErr.Err
	}
	text := strings.ReplaceAll(cause.Error(), token, "[token]")
	if _, secret, ok := strings.Cut(token, ":"); ok && secret != "" {
		text = strings.ReplaceAll(text, secret, "[token]")
	}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return &redacted{text: text, end: end}
		}
	}
	return errors.New(text)
}

// redacted is the end of a context, in words that hold no secret.
type redacted struct {
	text string
	end  error
}

func (r *redacted) Error() string { return r.text }
func (r *redacted) Unwrap() error { return r.end }
