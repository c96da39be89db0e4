package hybris_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/hybris"
)

var question = core.NewTicket{CustomerUID: noor, OrderCode: "77120345", Subject: "Order 77120345", Text: "Where is it?"}

// The type decides, whatever the status; the status where the type says nothing.
func TestErrorClasses(t *testing.T) {
	tests := []struct {
		name     string
		status   int
		body     string
		read     core.Class // of GET order
		write    core.Class // of POST ticket
		notFound bool
	}{
		{"unknown order", 400, failure("UnknownIdentifierError"), core.Rejected, core.Rejected, true},
		{"unknown order, other status", 404, failure("UnknownIdentifierError"), core.Rejected, core.Rejected, true},
		{"unknown ticket", 404, failure("NotFoundError"), core.Rejected, core.Rejected, true},
		{"another customer's", 403, failure("ForbiddenError"), core.Rejected, core.Rejected, true},
		{"no token", 401, failure("UnauthorizedError"), core.Misconfigured, core.Misconfigured, false},
		{"no role", 401, failure("AccessDeniedError"), core.Misconfigured, core.Misconfigured, false},
		{"no role, other status", 403, failure("AccessDeniedError"), core.Misconfigured, core.Misconfigured, false},
		{"unknown site", 400, failure("InvalidResourceError"), core.Rejected, core.Rejected, false},
		{"field", 400, failure("ValidationError"), core.Rejected, core.Rejected, false},
		{"too long", 400, `{"errors":[{"type":"TicketCreateError","message":"The number of characters…"}]}`, core.Rejected, core.Rejected, false},
		{"not the customer's order", 400, `{"errors":[{"type":"TicketCreateError","message":"Order with guid X not found for current user"}]}`, core.Rejected, core.Rejected, true},
		{"unknown type", 400, failure("SomethingNewError"), core.Rejected, core.Rejected, false},
		{"no path", 404, `<html>not here</html>`, core.Rejected, core.Rejected, false},
		{"some 401", 401, ``, core.Misconfigured, core.Misconfigured, false},
		{"time out", 408, ``, core.Temporary, core.Uncertain, false},
		{"too many", 429, failure("TooManyRequestsError"), core.Throttled, core.Throttled, false},
		{"server fault", 500, failure("NullPointerError"), core.Temporary, core.Uncertain, false},
		{"bad gateway", 502, `<html>`, core.Temporary, core.Uncertain, false},
		{"away", 503, ``, core.Temporary, core.Uncertain, false},
		{"no error object", 400, `{"errors":[]}`, core.Rejected, core.Rejected, false},
		{"odd error object", 400, `{"errors":{"type":7}}`, core.Rejected, core.Rejected, false},
		{"not readable", 200, `<html>`, core.Temporary, core.Uncertain, false},
		{"not an object", 200, `[]`, core.Temporary, core.Uncertain, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, c := newShop(t, script(with(test.status, test.body)))
			read := shopError(t, second(c.Order(t.Context(), byCode("77120345"))))
			write := shopError(t, second(c.CreateTicket(t.Context(), question)))
			if read.Class != test.read || read.NotFound != test.notFound || read.Status != test.status {
				t.Errorf("read: got %v notFound=%t status %d, want %v notFound=%t status %d", read.Class, read.NotFound, read.Status, test.read, test.notFound, test.status)
			}
			if write.Class != test.write || write.NotFound != test.notFound {
				t.Errorf("write: got %v notFound=%t, want %v notFound=%t", write.Class, write.NotFound, test.write, test.notFound)
			}
		})
	}
}

func TestErrorTypeIsKept(t *testing.T) {
	_, c := newShop(t, script(with(400, failure("SomethingNewError"))))
	e := shopError(t, second(c.Order(t.Context(), byCode("1"))))
	if e.Type != "SomethingNewError" || e.Status != 400 {
		t.Errorf("got %q %d, want SomethingNewError 400", e.Type, e.Status)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"7":                             7 * time.Second,
		"0":                             0,
		"":                              0,
		"soon":                          0,
		"-3":                            0,
		"Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT": 0,
	} {
		s := &shop{t: t, occ: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(429)
		}}
		o := s.options()
		o.Now = func() time.Time { return now }
		e := shopError(t, second(hybris.New(o).Order(t.Context(), byCode("1"))))
		if e.Class != core.Throttled || e.RetryAfter != want {
			t.Errorf("Retry-After %q: got %v %v, want Throttled %v", value, e.Class, e.RetryAfter, want)
		}
	}
}

// A slow shop ends a read as Temporary and a write, which may have worked, as
// Uncertain; our own caller giving up is no different.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := newShop(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		start := time.Now()
		if e := shopError(t, second(c.Order(t.Context(), byCode("1")))); e.Class != core.Temporary {
			t.Errorf("read: got %v, want Temporary", e.Class)
		}
		if got := time.Since(start); got != 2*time.Second {
			t.Errorf("read took %v, want the timeout", got)
		}
		if e := shopError(t, second(c.CreateTicket(t.Context(), question))); e.Class != core.Uncertain {
			t.Errorf("write: got %v, want Uncertain", e.Class)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if e := shopError(t, second(c.CreateTicket(ctx, question))); e.Class != core.Temporary {
			t.Errorf("given up before the request: got %v, want Temporary", e.Class)
		}
	})
}

func TestFailedConnections(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for _, test := range []struct {
		name        string
		err         error
		read, write core.Class
	}{
		{"not connected", dial, core.Temporary, core.Temporary},
		{"broken off", io.ErrUnexpectedEOF, core.Temporary, core.Uncertain},
	} {
		s := &shop{t: t}
		o := s.options()
		o.HTTP = &http.Client{Transport: afterToken{s, failing{test.err}}}
		c := hybris.New(o)
		if e := shopError(t, second(c.Order(t.Context(), byCode("1")))); e.Class != test.read || !errors.Is(e, test.err) {
			t.Errorf("%s, read: got %v, want %v", test.name, e, test.read)
		}
		if e := shopError(t, second(c.CreateTicket(t.Context(), question))); e.Class != test.write {
			t.Errorf("%s, write: got %v, want %v", test.name, e, test.write)
		}
	}
}

// On real connections the transport tells whether the request has left.
func TestRealConnections(t *testing.T) {
	s := &shop{t: t, occ: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}
	server := httptest.NewServer(s)
	defer server.Close()
	o := s.options()
	o.HTTP = server.Client()
	o.BaseURL, o.TokenURL = server.URL+"/occ/v2", server.URL+"/authorizationserver/oauth/token"
	c := hybris.New(o)
	if e := shopError(t, second(c.CreateTicket(t.Context(), question))); e.Class != core.Uncertain {
		t.Errorf("reset after the request: got %v, want Uncertain", e)
	}
	server.Close()
	if e := shopError(t, second(c.CreateTicket(t.Context(), question))); e.Class != core.Temporary {
		t.Errorf("nobody listens: got %v, want Temporary", e)
	}
}

// broken is a transport whose answers stop in the middle.
type broken struct{ status int }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(`{"id":"0000`), brokenOff{})
	return &http.Response{StatusCode: b.status, Header: http.Header{}, Body: io.NopCloser(body)}, nil
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAnswersThatBreakOff(t *testing.T) {
	for _, test := range []struct {
		status      int
		read, write core.Class
	}{
		{200, core.Temporary, core.Uncertain},
		{400, core.Rejected, core.Rejected},
		{503, core.Temporary, core.Uncertain},
	} {
		s := &shop{t: t}
		o := s.options()
		o.HTTP = &http.Client{Transport: afterToken{s, broken{test.status}}}
		c := hybris.New(o)
		if e := shopError(t, second(c.Order(t.Context(), byCode("1")))); e.Class != test.read {
			t.Errorf("%d, read: got %v, want %v", test.status, e, test.read)
		}
		if e := shopError(t, second(c.CreateTicket(t.Context(), question))); e.Class != test.write {
			t.Errorf("%d, write: got %v, want %v", test.status, e, test.write)
		}
	}
}
