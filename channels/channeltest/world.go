package channeltest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/core"
)

// world is a channel and its platform, which reach each other in memory.
type world struct {
	t        *testing.T
	x        Exam
	platform Platform
	wire     *wire
	hook     *hook
	channel  core.Channel
	to       core.Address
	seen     int // messages of to that have been looked at
}

func newWorld(t *testing.T, x Exam) *world {
	t.Helper()
	w := &world{t: t, x: x, hook: &hook{}, to: x.Person(0)}
	w.platform = x.Start(t, w.hook)
	w.wire = &wire{next: emulator.Transport(w.platform)}
	w.channel = x.Open(t, w.wire)
	w.hook.listen(w.channel)
	t.Cleanup(func() { _ = w.channel.Close() })
	w.do(w.platform.Say(t.Context(), w.to.Value, "hello"))
	w.settle()
	return w
}

func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) settle() {
	w.t.Helper()
	if err := w.platform.Settle(w.t.Context()); err != nil {
		w.t.Fatalf("callbacks that never end: %v", err)
	}
}

func (w *world) send(p core.Part) (core.Sent, error) {
	return w.channel.Send(w.t.Context(), w.to, p)
}

func (w *world) mustSend(p core.Part) core.Sent {
	w.t.Helper()
	sent, err := w.send(p)
	if err != nil {
		w.t.Fatalf("Send: %v", err)
	}
	return sent
}

// news returns the messages shown since the last call.
func (w *world) news() []Shown {
	all := w.platform.Shown(w.to.Value)
	fresh := all[w.seen:]
	w.seen = len(all)
	return fresh
}

// told returns the callbacks that something leads to.
func (w *world) told(do func() error) []heard {
	w.t.Helper()
	pass(time.Second) // nothing happens at the same moment
	before := len(w.hook.all())
	w.do(do())
	w.settle()
	return w.hook.all()[before:]
}

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.After(d) }

// words is a part of one line.
func words(key, text string) core.Part {
	return core.Part{Key: key, N: 1, Of: 1, Text: core.PlainText(text), Standing: core.Open}
}

// wire is the way of the channel's requests. It keeps a record of them.
type wire struct {
	next http.RoundTripper

	mu       sync.Mutex
	requests []string // their bodies
}

// RoundTrip records and passes on a request.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	}
	w.mu.Lock()
	w.requests = append(w.requests, string(body))
	w.mu.Unlock()
	on := req.Clone(req.Context())
	on.Body = io.NopCloser(bytes.NewReader(body))
	return w.next.RoundTrip(on)
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.requests)
}

// roundTrip is a platform that is one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// silent never answers.
func silent(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// hook is the webhook: it has the channel decode what comes and records it.
type hook struct {
	mu       sync.Mutex
	listener core.Listener // nil: the channel listens to nobody
	heard    []heard
}

// heard is a callback and what the channel made of it.
type heard struct {
	callback core.Callback
	reply    core.Reply
	updates  []core.Update
	err      error
}

func (h *hook) listen(c core.Channel) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listener, _ = c.(core.Listener)
}

func (h *hook) all() []heard {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.heard)
}

// RoundTrip answers a callback as the gateway would.
func (h *hook) RoundTrip(req *http.Request) (*http.Response, error) {
	in := heard{callback: core.Callback{Method: req.Method, Query: req.URL.Query(), Header: req.Header.Clone(), Now: time.Now()}}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		in.callback.Body = body
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener == nil {
		return respond(req, http.StatusNotFound, nil, ""), nil
	}
	in.reply, in.updates, in.err = h.listener.Decode(req.Context(), in.callback)
	h.heard = append(h.heard, in)
	if in.err != nil {
		return respond(req, http.StatusUnauthorized, nil, ""), nil
	}
	status := in.reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	return respond(req, status, in.reply.Header, string(in.reply.Body)), nil
}

func respond(req *http.Request, status int, h http.Header, body string) *http.Response {
	if h == nil {
		h = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: h, Request: req,
		Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)),
	}
}

// sendError returns the error as what every error of a Send is.
func sendError(t *testing.T, err error) *core.SendError {
	t.Helper()
	var e *core.SendError
	if !errors.As(err, &e) {
		t.Fatalf("Send: got %v, want a *core.SendError", err)
	}
	if !slices.Contains(core.Classes, e.Class) {
		t.Errorf("class: got %q, want one of %q", e.Class, core.Classes)
	}
	if e.Code == "" {
		t.Errorf("code: got none, want the platform's or a word of the adapter's (%v)", e)
	}
	return e
}
