package web_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tidings/core"
)

const hello = `{"id":"u1","kind":"text","from":{"value":"42"},"text":"hello there"}`

func TestWebhook(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.on(r.public, "POST", "/webhooks/chat", hello, "X-Secret", "s3cret").want(202)
		if got := a.header.Get("X-Seen"); got != "yes" {
			t.Errorf("the platform's own header: got %q, want yes", got)
		}
		if got := r.updates(); got != 1 {
			t.Errorf("updates: got %d, want 1", got)
		}
		// Eight copies have one effect.
		for range 8 {
			r.on(r.public, "POST", "/webhooks/chat", hello, "X-Secret", "s3cret").want(202)
		}
		if got := r.updates(); got != 1 {
			t.Errorf("updates after copies: got %d, want 1", got)
		}
		r.on(r.public, "POST", "/webhooks/chat", "garbage", "X-Secret", "s3cret").want(202)
		if got := r.updates(); got != 2 {
			t.Errorf("updates after one that cannot be understood: got %d, want 2", got)
		}
	})
}

// updates counts what is stored. Copies may have used up ids.
func (r *rig) updates() int {
	r.t.Helper()
	n := 0
	err := r.engine.View(r.t.Context(), func(tx core.Tx) error {
		for id := range int64(50) {
			_, err := tx.Update(id)
			switch {
			case err == nil:
				n++
			case !errors.Is(err, core.ErrNotFound):
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatalf("read the updates: %v", err)
	}
	return n
}

func TestWebhookHandshake(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.on(r.public, "GET", "/webhooks/chat?verify=1&challenge=<b>7", "").want(200)
		if got, want := string(a.body), "<b>7"; got != want {
			t.Errorf("body: got %q, want %q", got, want)
		}
		if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
			t.Errorf("Content-Type: got %q, want text/plain", got)
		}
	})
}

// Whoever cannot prove to be the platform has no effect and learns nothing.
func TestWebhookRefused(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		tests := []struct {
			name, method, target, body, secret string
			want                               int
		}{
			{"unsigned", "POST", "/webhooks/chat", hello, "", 401},
			{"mis-signed", "POST", "/webhooks/chat", hello, "s3creT", 401},
			{"handshake", "GET", "/webhooks/chat", "", "", 403},
			{"oversized", "POST", "/webhooks/chat", strings.Repeat("x", 1<<20+1), "s3cret", 413},
			{"unknown channel", "POST", "/webhooks/nope", hello, "s3cret", 404},
			{"channel without callbacks", "POST", "/webhooks/mute", hello, "s3cret", 404},
			{"no channel", "POST", "/webhooks/%00", hello, "s3cret", 404},
			{"broken adapter", "POST", "/webhooks/chat", hello, "broken", 500},
			{"panicking adapter", "POST", "/webhooks/chat", hello, "panic", 500},
		}
		for _, test := range tests {
			a := r.on(r.public, test.method, test.target, test.body, "X-Secret", test.secret)
			if a.status != test.want {
				t.Errorf("%s: got %d, want %d", test.name, a.status, test.want)
			}
			for _, hint := range []string{"detail", "errors", "secret", "chat", "nope", "hello"} {
				if strings.Contains(string(a.body), hint) {
					t.Errorf("%s: the answer says too much: %s", test.name, a.body)
				}
			}
		}
		if got := r.updates(); got != 0 {
			t.Errorf("updates: got %d, want none", got)
		}
		if log := r.log.String(); strings.Contains(log, "a customer's name") || strings.Contains(log, "hello") {
			t.Errorf("the log holds what somebody sent: %s", log)
		}
		for _, method := range []string{"PUT", "DELETE", "PATCH", "HEAD"} {
			a := r.raw(r.public, method, "/webhooks/chat", hello, "X-Secret", "s3cret").want(405)
			if got := a.header.Get("Allow"); got != "GET, POST" && got != "POST, GET" {
				t.Errorf("%s: Allow: got %q", method, got)
			}
		}
		r.on(r.public, "POST", "/webhooks/chat", hello, "X-Secret", "s3cret", "Content-Encoding", "gzip").want(415)
	})
}

// The limit counts what is sent, not what is claimed; a client that waits to be
// asked is not asked.
func TestBodyLimit(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		for _, claimed := range []int64{-1, 5} {
			req := httptest.NewRequest("POST", "/webhooks/chat", io.NopCloser(strings.NewReader(strings.Repeat("x", 2<<20))))
			req.ContentLength = claimed
			rec := httptest.NewRecorder()
			r.public.ServeHTTP(rec, req)
			if rec.Code != 413 {
				t.Errorf("Content-Length %d: got %d, want 413", claimed, rec.Code)
			}
		}
		req := httptest.NewRequest("POST", "/webhooks/chat", untouchable{})
		req.ContentLength = 2 << 20
		req.Header.Set("Expect", "100-continue")
		rec := httptest.NewRecorder()
		r.public.ServeHTTP(rec, req)
		if rec.Code != 413 {
			t.Errorf("Expect: got %d, want 413", rec.Code)
		}
	})
}

type untouchable struct{}

func (untouchable) Read([]byte) (int, error) { panic("the body was read") }

// A client that sends first and listens afterwards still sees the refusal.
func TestTooLongOverTheWire(t *testing.T) {
	server := httptest.NewServer(newRig(t).public)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := strings.Repeat("x", 9<<20)
	if _, err := io.WriteString(conn, "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9437184\r\n\r\n"+body); err != nil {
		t.Fatalf("send: %v", err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer res.Body.Close()
	if res.StatusCode != 413 {
		t.Errorf("got %d, want 413", res.StatusCode)
	}
}
