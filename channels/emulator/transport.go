package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// ErrDropped is what a client gets whose connection broke.
var ErrDropped = errors.New("connection dropped by peer")

// Transport returns a RoundTripper that serves requests with h, in memory. It
// gives up when the request's context ends, while h goes on, as a server would
// that has the request already. A handler that panics with
// http.ErrAbortHandler has dropped the connection.
func Transport(h http.Handler) http.RoundTripper { return inMemory{h} }

type inMemory struct{ handler http.Handler }

func (t inMemory) RoundTrip(req *http.Request) (*http.Response, error) {
	in, err := serverSide(req)
	if err != nil {
		return nil, err
	}
	done := make(chan *http.Response, 1)
	go func() { done <- serve(t.handler, in) }()
	select {
	case res := <-done:
		if res == nil {
			return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Host, ErrDropped)
		}
		res.Request = req
		return res, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// serverSide is the request as a server would read it from the wire.
func serverSide(req *http.Request) (*http.Request, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	in := req.Clone(req.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.ContentLength = int64(len(body))
	in.RequestURI = req.URL.RequestURI()
	in.URL = &url.URL{Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: req.URL.RawQuery}
	in.RemoteAddr = "127.0.0.1:1"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	return in, nil
}

// serve returns nil when the handler dropped the connection.
func serve(h http.Handler, in *http.Request) (res *http.Response) {
	rec := &recorder{header: http.Header{}}
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			res = nil
		}
	}()
	h.ServeHTTP(rec, in)
	return rec.response()
}

// recorder keeps what a handler writes.
type recorder struct {
	header http.Header
	sent   http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status, r.sent = status, r.header.Clone()
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// Flush makes the recorder an http.Flusher; everything is kept until the end.
func (r *recorder) Flush() { r.WriteHeader(http.StatusOK) }

func (r *recorder) response() *http.Response {
	r.WriteHeader(http.StatusOK)
	if r.sent.Get("Content-Type") == "" && r.body.Len() > 0 {
		r.sent.Set("Content-Type", http.DetectContentType(r.body.Bytes()))
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)),
		StatusCode:    r.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.sent,
		Body:          io.NopCloser(bytes.NewReader(r.body.Bytes())),
		ContentLength: int64(r.body.Len()),
	}
}
