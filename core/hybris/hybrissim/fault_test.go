package hybrissim_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
)

func TestFaults(t *testing.T) {
	tests := []struct {
		name string
		set  func(*shop)
		want []string // what the next requests meet: a status and a type, or "dropped"
	}{
		{"down", func(s *shop) { s.Down(true) }, []string{"dropped", "dropped"}},
		{"down and up again", func(s *shop) { s.Down(true); s.Down(false) }, []string{"200"}},
		{"unavailable", func(s *shop) { s.Unavailable(true) }, []string{"503"}},
		{"two failures", func(s *shop) { s.FailNext(2, 500, "IllegalStateError") }, []string{"500 IllegalStateError", "500 IllegalStateError", "200"}},
		{"a failure of tokens", func(s *shop) { s.Fail(hybrissim.Failure{Status: 500, Path: "/oauth/token"}) }, []string{"200"}},
		{"cleared", func(s *shop) { s.FailNext(0, 500, "X"); s.Unavailable(true); s.ClearFaults() }, []string{"200"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, hybrissim.Options{})
			s.AddOrder(hybrissim.SampleOrder("1", ines, site))
			tt.set(s)
			for i, want := range tt.want {
				if got := met(s.get(orders + "1")); got != want {
					t.Errorf("request %d: got %s, want %s", i+1, got, want)
				}
			}
		})
	}
}

func met(r reply) string {
	if r.dropped {
		return "dropped"
	}
	status := map[int]string{200: "200", 500: "500", 503: "503"}[r.status]
	return strings.TrimSpace(status + " " + r.errorType())
}

func TestFailureDetails(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.Fail(hybrissim.Failure{Times: 1, Status: 429, Type: "TooManyRequestsError", RetryAfter: 1500 * time.Millisecond})
	if got := s.get(orders + "1"); got.status != 429 || got.header.Get("Retry-After") != "2" {
		t.Errorf("got %d, Retry-After %q, want 429 and 2", got.status, got.header.Get("Retry-After"))
	}
	s.Fail(hybrissim.Failure{Times: 1, Status: 400, Type: "invalid_grant", Path: "/oauth/token"})
	if got := s.askToken(askClient); got.status != 400 || got.tree["error"] != "invalid_grant" {
		t.Errorf("token: got %d %s, want the OAuth form", got.status, got.body)
	}
}

func TestDelayEndsWithTheRequest(t *testing.T) {
	var waited time.Duration
	g := hybrissim.New(hybrissim.Options{Wait: func(_ context.Context, d time.Duration) error { waited = d; return context.Canceled }})
	g.Delay(3 * time.Second)
	s := &shop{Sim: g, t: t}
	if got := s.get("/occ/v2/basesites"); !got.dropped || waited != 3*time.Second {
		t.Errorf("got %+v after %v, want a dropped request after 3s", got, waited)
	}
}

func TestUnknownOutcomeTakesEffect(t *testing.T) {
	s := desk(t, hybrissim.Options{})
	s.UnknownOutcome(1)
	if got := s.get(tickets); got.dropped {
		t.Error("a GET was dropped, want POSTs only")
	}
	if got := s.post(tickets, complain); !got.dropped {
		t.Errorf("got %d %s, want a dropped connection", got.status, got.body)
	}
	if n := len(s.Tickets()); n != 1 {
		t.Errorf("tickets: got %d, want 1", n)
	}
	s.open(t)
}

func TestRejectTickets(t *testing.T) {
	s := desk(t, hybrissim.Options{})
	id := s.open(t)
	s.RejectTickets(true)
	if got := s.post(tickets, complain); got.status != 400 || got.errorType() != "TicketCreateError" {
		t.Errorf("ticket: got %d %s", got.status, got.body)
	}
	if got := s.post(tickets+"/"+id+"/events", `{"message":"m"}`); got.errorType() != "TicketEventCreateError" {
		t.Errorf("entry: got %d %s", got.status, got.body)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.get(orders + "1?lang=de")
	s.get(orders + "2")
	s.get("/occ/v2/teashop/users/ines.vidal@example.com/tickets")
	s.get("/elsewhere")
	got := s.Requests()
	for key, want := range map[string]int{
		"POST /oauth/token": 1, "GET /orders/{code}": 2, "GET /users/{userId}/tickets": 1, "GET /": 1,
	} {
		if got[key] != want {
			t.Errorf("%s: got %d, want %d (%v)", key, got[key], want, got)
		}
	}
	if calls := s.Calls(); calls[1].Query != "lang=de" {
		t.Errorf("second call: got %+v, want its query", calls[1])
	}
}
