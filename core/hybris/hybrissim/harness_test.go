package hybrissim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
)

const (
	ines  = "ines.vidal@example.com"
	boris = "boris.kern@example.com"
	site  = "teashop"
)

// clock is a clock that moves when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// shop is an emulator with a client that knows its paths.
type shop struct {
	*hybrissim.Sim
	t     *testing.T
	clock *clock
	token string // sent with every request; empty: none
}

func newShop(t *testing.T, opt hybrissim.Options) *shop {
	t.Helper()
	c := newClock()
	opt.Now = c.Now
	opt.ClientID, opt.ClientSecret = "tidings", "s3cret"
	if opt.BaseSites == nil {
		opt.BaseSites = []string{site, "coffeeshop"}
	}
	s := &shop{Sim: hybrissim.New(opt), t: t, clock: c}
	s.AddCustomer(ines, "Ines Vidal")
	s.AddCustomer(boris, "Boris Kern")
	s.token = s.clientToken()
	return s
}

// as returns the shop as somebody else sees it.
func (s *shop) as(token string) *shop {
	other := *s
	other.token = token
	return &other
}

// reply is an answer that has been read.
type reply struct {
	status  int
	header  http.Header
	body    string
	tree    map[string]any
	dropped bool
}

func (s *shop) get(path string) reply { s.t.Helper(); return s.do("GET", path, "", "") }

func (s *shop) post(path, body string) reply {
	s.t.Helper()
	return s.do("POST", path, "application/json", body)
}

func (s *shop) do(method, path, contentType, body string) reply {
	s.t.Helper()
	r := httptest.NewRequest(method, "http://shop.example"+path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	return serve(s.t, s.Sim, r)
}

func serve(t *testing.T, h http.Handler, r *http.Request) (out reply) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			out = reply{dropped: true}
		}
	}()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out = reply{status: w.Code, header: w.Header(), body: w.Body.String()}
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(w.Body.Bytes(), &out.tree); err != nil {
			t.Fatalf("%s %s answered %q: %v", r.Method, r.URL.Path, out.body, err)
		}
	}
	return out
}

func (s *shop) clientToken() string {
	s.t.Helper()
	got := s.askToken("grant_type=client_credentials&client_id=tidings&client_secret=s3cret")
	token, _ := got.tree["access_token"].(string)
	if token == "" {
		s.t.Fatalf("no token: %d %s", got.status, got.body)
	}
	return token
}

func (s *shop) askToken(form string) reply {
	s.t.Helper()
	return s.as("").do("POST", "/authorizationserver/oauth/token", "application/x-www-form-urlencoded", form)
}

// firstError returns errors[0].
func (r reply) firstError() map[string]any {
	list, _ := r.tree["errors"].([]any)
	if len(list) == 0 {
		return nil
	}
	first, _ := list[0].(map[string]any)
	return first
}

func (r reply) errorType() string { s, _ := r.firstError()["type"].(string); return s }

// at walks a tree by keys and indexes.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func length(v any) int { l, _ := v.([]any); return len(l) }

// gateway records what the shop reports to it.
type gateway struct {
	mu       sync.Mutex
	requests []recorded
	statuses []int // of the next answers; then 202
}

type recorded struct {
	header http.Header
	body   map[string]any
	user   string
	key    string
}

func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(r.URL.Path, "/oauth/token") {
		body := io.NopCloser(strings.NewReader(`{"access_token":"given","token_type":"Bearer"}`))
		return &http.Response{StatusCode: http.StatusOK, Body: body, Header: http.Header{}, Request: r}, nil
	}
	rec := recorded{header: r.Header}
	if err := json.Unmarshal(raw, &rec.body); err != nil {
		return nil, err
	}
	rec.user, rec.key, _ = r.BasicAuth()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, rec)
	status := http.StatusAccepted
	if len(g.statuses) > 0 {
		status, g.statuses = g.statuses[0], g.statuses[1:]
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(nil)), Header: http.Header{}, Request: r}, nil
}

func (g *gateway) client() *http.Client { return &http.Client{Transport: g} }
