package hybris_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	noor     = "noor.haddad@example.org"
	secret   = "not-for-logs"
	tokenURL = "http://shop.test/authorizationserver/oauth/token"
)

// memory is a transport that calls a handler in this process and, like a real
// one, gives up when the request's ctx ends.
type memory struct{ handler http.Handler }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.handler.ServeHTTP(w, r)
	}()
	select {
	case <-done:
		return w.Result(), r.Context().Err()
	case <-r.Context().Done():
		<-done // handlers of these tests end with their request
		return nil, r.Context().Err()
	}
}

// shop is a scripted SAP Commerce: a token endpoint and a handler for OCC calls.
type shop struct {
	t   *testing.T
	occ http.HandlerFunc

	mu       sync.Mutex
	token    http.HandlerFunc // nil: always "token", for an hour
	tokens   int
	requests []string // "METHOD escaped-path?query body"
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/authorizationserver/oauth/token" {
		s.mu.Lock()
		s.tokens++
		s.mu.Unlock()
		if s.token != nil {
			s.token(w, r)
			return
		}
		reply(w, 200, `{"access_token":"token","token_type":"Bearer","expires_in":3600,"scope":"extended"}`)
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	s.mu.Unlock()
	s.occ(w, r)
}

func (s *shop) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

func (s *shop) options() hybris.Options {
	return hybris.Options{
		BaseURL:      "http://shop.test/occ/v2/",
		TokenURL:     tokenURL,
		ClientID:     "tidings",
		ClientSecret: secret,
		Sites:        []hybris.Site{{ID: "homeware"}},
		Timeout:      2 * time.Second,
		HTTP:         &http.Client{Transport: memory{s}},
	}
}

func newShop(t *testing.T, occ http.HandlerFunc) (*shop, *hybris.Client) {
	s := &shop{t: t, occ: occ}
	return s, hybris.New(s.options())
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func failure(errorType string) string {
	return `{"errors":[{"type":"` + errorType + `","message":"about noor.haddad@example.org and 77120345"}]}`
}

// script answers one request after the other; the last answer repeats.
func script(answers ...func(http.ResponseWriter)) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		answer := answers[min(next, len(answers)-1)]
		next++
		mu.Unlock()
		answer(w)
	}
}

func with(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { reply(w, status, body) }
}

func sample(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// golden compares v, as JSON, with a file.
func golden(t *testing.T, file string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", file), got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(sample(t, file), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func shopError(t *testing.T, err error) *core.ShopError {
	t.Helper()
	var e *core.ShopError
	if !errors.As(err, &e) {
		t.Fatalf("got %v (%T), want a *core.ShopError", err, err)
	}
	return e
}

func at(ticket string) core.TicketAt { return core.TicketAt{CustomerUID: noor, TicketID: ticket} }

func byCode(code string) core.OrderQuery { return core.OrderQuery{Code: code} }

func TestSiteComesFromTheSourceOfAnEvent(t *testing.T) {
	o := hybris.Options{
		Sites:       []hybris.Site{{ID: "tea"}, {ID: "toys", Source: "/emea/sap.cx.commerce/toys-p1/"}},
		DefaultSite: "main",
	}
	c := hybris.New(o)
	for source, want := range map[string]string{
		"/shop/tea":                     "tea",
		"/shop/tea/":                    "tea",
		"tea":                           "tea",
		"/emea/sap.cx.commerce/toys-p1": "toys",
		"/shop/toys":                    "main", // that site's source is another one
		"kyma":                          "main",
		"":                              "main",
	} {
		if got := c.Site(source); got != want {
			t.Errorf("Site(%q): got %q, want %q", source, got, want)
		}
	}
	if got := hybris.New(hybris.Options{Sites: o.Sites}).Site("kyma"); got != "tea" {
		t.Errorf("without a default site: got %q, want the first", got)
	}
}

func TestIdentifiersCannotLeaveTheirPathSegment(t *testing.T) {
	s, c := newShop(t, script(with(200, `{"code":"1"}`)))
	for _, code := range []string{"", ".", ".."} {
		if e := shopError(t, second(c.Order(t.Context(), byCode(code)))); !e.NotFound {
			t.Errorf("order %q: got %v, want NotFound", code, e)
		}
	}
	if got := s.seen(); len(got) != 0 {
		t.Fatalf("got requests %q, want none", got)
	}
	for code, want := range map[string]string{
		"../users/x": "/occ/v2/homeware/orders/..%2Fusers%2Fx",
		"a b?c=d#e":  "/occ/v2/homeware/orders/a%20b%3Fc%3Dd%23e",
		"1%2F2":      "/occ/v2/homeware/orders/1%252F2",
	} {
		s.requests = nil
		if _, err := c.Order(t.Context(), byCode(code)); err != nil {
			t.Errorf("order %q: %v", code, err)
		}
		if got := s.seen()[0]; got != "GET "+want+"?fields=FULL" {
			t.Errorf("order %q: got %q, want %q", code, got, want)
		}
	}
}

func TestNoSiteIsAFaultOfTheConfiguration(t *testing.T) {
	c := hybris.New(hybris.Options{BaseURL: "http://shop.test", HTTP: &http.Client{Transport: memory{http.NotFoundHandler()}}})
	if e := shopError(t, second(c.Order(t.Context(), byCode("1")))); e.Class != core.Misconfigured {
		t.Errorf("got %v, want Misconfigured", e.Class)
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	s, c := newShop(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://elsewhere.test/")
		w.WriteHeader(http.StatusMovedPermanently)
	})
	_, err := c.CreateTicket(t.Context(), core.NewTicket{CustomerUID: noor, Subject: "s", Text: "t"})
	if e := shopError(t, err); e.Class != core.Misconfigured || len(s.seen()) != 1 {
		t.Errorf("got %v after %d requests, want Misconfigured after 1", e.Class, len(s.seen()))
	}
}

func second[T any](_ T, err error) error { return err }

// failing is a transport on which every request fails in the same way.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// afterToken answers the token request and fails everything else.
type afterToken struct {
	shop *shop
	then http.RoundTripper
}

func (a afterToken) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/token") {
		return memory{a.shop}.RoundTrip(r)
	}
	return a.then.RoundTrip(r)
}

func TestErrorsHoldNothingOfTheCustomer(t *testing.T) {
	ask := func(c *hybris.Client) []error {
		ctx := context.Background()
		return []error{
			second(c.Order(ctx, core.OrderQuery{Code: "77120345", CustomerUID: noor})),
			second(c.Tracking(ctx, core.OrderQuery{Code: "77120345", CustomerUID: noor}, core.Consignment{Code: "cons77120345_0"})),
			second(c.CreateTicket(ctx, core.NewTicket{CustomerUID: noor, OrderCode: "77120345", Subject: "s", Text: "my words"})),
			second(c.AddEntry(ctx, at("0000B7Q2"), core.NewEntry{Text: "my words"})),
			second(c.Ticket(ctx, at("0000B7Q2"))),
			second(c.Tickets(ctx, "", noor)),
		}
	}
	broken := &url.Error{Op: "Get", URL: "http://shop.test/users/" + url.QueryEscape(noor), Err: errors.New("reset")}
	clients := map[string]*hybris.Client{}
	for _, typ := range []string{"UnknownIdentifierError", "ServerError", "customer noor.haddad@example.org"} {
		_, clients[typ] = newShop(t, script(with(500, failure(typ))))
	}
	s := &shop{t: t}
	o := s.options()
	o.HTTP = &http.Client{Transport: afterToken{s, failing{broken}}}
	clients["broken connection"] = hybris.New(o)
	for name, c := range clients {
		for _, err := range ask(c) {
			if err == nil {
				continue
			}
			text := err.Error()
			for _, private := range []string{"noor", "77120345", "0000B7Q2", "my words", secret, "token\""} {
				if strings.Contains(text, private) {
					t.Errorf("%s: error %q holds %q", name, text, private)
				}
			}
		}
	}
}
