package channeltest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
)

// oneRequest is point 3.
func (x Exam) oneRequest(t *testing.T) {
	x.point(t, "when it is accepted", func(t *testing.T, w *world) {
		asked(t, w, func() { w.mustSend(words("m-1-1", "hello")) })
	})
	for _, f := range x.Failures {
		x.point(t, "when it meets "+f.Name, func(t *testing.T, w *world) {
			w.platform.Cause(f.Fault)
			asked(t, w, func() { _, _ = w.send(words("m-1-1", "hello")) })
		})
	}
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		x.point(t, fmt.Sprintf("when it is redirected with %d", status), func(t *testing.T, w *world) {
			w.wire.next = roundTrip(func(req *http.Request) (*http.Response, error) {
				return respond(req, status, http.Header{"Location": {"https://elsewhere.example/"}}, ""), nil
			})
			asked(t, w, func() {
				if _, err := w.send(words("m-1-1", "hello")); err == nil {
					t.Error("a redirect was taken for a yes")
				}
			})
		})
	}
	x.point(t, "and ends with its context", endsWithContext)
	x.point(t, "and is none when the context has ended before", notBegun)
	x.point(t, "and disturbs no other", concurrentSends)
	x.point(t, "and is none after Close", closed)
}

// asked checks that one Send made one request and took no time of its own.
func asked(t *testing.T, w *world, send func()) {
	t.Helper()
	before, begin := w.wire.count(), time.Now()
	send()
	if got := w.wire.count() - before; got != 1 {
		t.Errorf("requests of one Send: got %d, want 1", got)
	}
	if took := time.Since(begin); took != 0 {
		t.Errorf("one Send waited %s, want no waiting", took)
	}
	synctest.Wait() // nothing goes on in the background
	if got := w.wire.count() - before; got != 1 {
		t.Errorf("requests some time after one Send: got %d, want 1", got)
	}
}

func endsWithContext(t *testing.T, w *world) {
	w.wire.next = roundTrip(silent)
	for name, begin := range map[string]func() (context.Context, context.CancelFunc){
		"deadline": func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), 3*time.Second) },
		"cancel": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(3*time.Second, cancel)
			return ctx, cancel
		},
	} {
		ctx, cancel := begin()
		start := time.Now()
		_, err := w.channel.Send(ctx, w.to, words("m-1-1", "hello"))
		cancel()
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("%s: Send took %s, want 3s", name, took)
		}
		if e := sendError(t, err); e.Class != core.Uncertain {
			t.Errorf("%s: got %v, want Uncertain: the request may have arrived", name, e)
		}
	}
}

func notBegun(t *testing.T, w *world) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := w.wire.count()
	_, err := w.channel.Send(ctx, w.to, words("m-1-1", "hello"))
	if e := sendError(t, err); e.Class != core.Temporary {
		t.Errorf("got %v, want Temporary: nothing was sent", e)
	}
	if got := w.wire.count() - before; got != 0 {
		t.Errorf("requests: got %d, want none", got)
	}
}

func concurrentSends(t *testing.T, w *world) {
	const people, each = 8, 5
	for n := range people {
		w.do(w.platform.Say(t.Context(), w.x.Person(n).Value, "hello"))
	}
	var senders sync.WaitGroup
	for n := range people {
		senders.Go(func() {
			for k := range each {
				if _, err := w.channel.Send(t.Context(), w.x.Person(n), words(fmt.Sprintf("m-%d-%d", n, k), saying(n, k))); err != nil {
					t.Errorf("person %d, message %d: %v", n, k, err)
				}
				_ = w.channel.Limits()
			}
		})
	}
	senders.Wait()
	for n := range people {
		shown := w.platform.Shown(w.x.Person(n).Value)
		if len(shown) != each {
			t.Fatalf("person %d sees %d messages, want %d", n, len(shown), each)
		}
		for k, m := range shown {
			if m.Text != saying(n, k) {
				t.Errorf("person %d, message %d: got %q, want %q", n, k, m.Text, saying(n, k))
			}
		}
	}
}

func saying(n, k int) string { return fmt.Sprintf("For person %d: message %d", n, k) }

func closed(t *testing.T, w *world) {
	w.mustSend(words("m-1-1", "hello"))
	for range 2 {
		if err := w.channel.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	before := w.wire.count()
	_, err := w.send(words("m-1-2", "hello"))
	if err == nil {
		t.Fatal("a Send after Close: got a yes, want an error")
	}
	if e := sendError(t, err); e.Class != core.Temporary {
		t.Errorf("a Send after Close: got %v, want Temporary: whoever has the channel now can send it", e)
	}
	if got := w.wire.count() - before; got != 0 {
		t.Errorf("requests after Close: got %d, want none", got)
	}
	if diff := w.channel.Limits().Text.Max; diff == 0 {
		t.Error("the limits are gone after Close")
	}
}
