package hybris_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/hybris"
)

// issuer is a token endpoint. A new token is issued when the old one's life is
// over, or each time, as the newer server does.
type issuer struct {
	life     time.Duration
	sameTill bool // legacy: the same token with what is left of its life

	mu      sync.Mutex
	n       int
	expires time.Time
	revoked bool
	asked   []time.Time
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, time.Now())
	if !i.sameTill || i.revoked || !time.Now().Before(i.expires) {
		i.n++
		i.revoked = false
		i.expires = time.Now().Add(i.life)
	}
	left := int(time.Until(i.expires).Seconds())
	reply(w, 200, fmt.Sprintf(`{"access_token":"t%d","token_type":"bEaReR","expires_in":%d}`, i.n, left))
}

func (i *issuer) valid(r *http.Request) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return !i.revoked && time.Now().Before(i.expires) && r.Header.Get("Authorization") == fmt.Sprintf("Bearer t%d", i.n)
}

func (i *issuer) requests() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.asked)
}

// guarded is a shop that only answers a valid token.
func guarded(t *testing.T, i *issuer) (*shop, *hybris.Client) {
	s := &shop{t: t}
	s.token = i.ServeHTTP
	s.occ = func(w http.ResponseWriter, r *http.Request) {
		if !i.valid(r) {
			reply(w, 401, failure("InvalidTokenError"))
			return
		}
		reply(w, 200, `{"code":"1"}`)
	}
	return s, hybris.New(s.options())
}

func mustRead(t *testing.T, c *hybris.Client) {
	t.Helper()
	if _, err := c.Order(t.Context(), byCode("1")); err != nil {
		t.Fatalf("at %s: %v", time.Now().Format(time.TimeOnly), err)
	}
}

func TestTokenRequest(t *testing.T) {
	s, c := newShop(t, script(with(200, `{"code":"1"}`)))
	s.token = func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		for key, want := range map[string]string{"grant_type": "client_credentials", "client_id": "tidings", "client_secret": secret} {
			if got := r.PostForm.Get(key); got != want {
				t.Errorf("%s: got %q, want %q", key, got, want)
			}
		}
		reply(w, 200, `{"access_token":"abc","token_type":"bearer","expires_in":"60"}`)
	}
	s.occ = func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.Header.Get("Authorization"), "Bearer abc"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		reply(w, 200, `{"code":"1"}`)
	}
	mustRead(t, c)
}

// Invariant 1: one request for a token, however many calls wait for it.
func TestTokenIsFetchedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour}
		s, c := guarded(t, i)
		s.token = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			i.ServeHTTP(w, r)
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { mustRead(t, c) })
		}
		wg.Wait()
		if got := i.requests(); got != 1 {
			t.Errorf("got %d token requests, want 1", got)
		}
	})
}

// Invariant 2: renewed at 80 % of its life, nobody waits for that.
func TestTokenIsRenewedEarlyAndBesideTheCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: 300 * time.Second}
		s, c := guarded(t, i)
		mustRead(t, c)
		time.Sleep(239 * time.Second)
		mustRead(t, c)
		synctest.Wait()
		if got := i.requests(); got != 1 {
			t.Fatalf("before 80 %%: got %d token requests, want 1", got)
		}
		started := time.Now()
		release := make(chan struct{})
		s.token = func(w http.ResponseWriter, r *http.Request) { <-release; w.WriteHeader(503) }
		time.Sleep(time.Second)
		mustRead(t, c)
		if took := time.Since(started); took != time.Second {
			t.Errorf("the call waited %v for the renewal", took-time.Second)
		}
		close(release)
		synctest.Wait()

		s.token = i.ServeHTTP // the renewal failed: the old one serves on, the next try follows
		mustRead(t, c)
		time.Sleep(13 * time.Second)
		mustRead(t, c)
		synctest.Wait()
		if got := i.requests(); got != 2 {
			t.Errorf("after a failed renewal: got %d tokens, want 2", got)
		}
		mustRead(t, c)
	})
}

// Invariant 3: a legacy server's dwindling token is used to its end.
func TestLegacySameTokenIsNotAskedForFasterAndFaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: 1000 * time.Second, sameTill: true}
		_, c := guarded(t, i)
		for range 3000 {
			mustRead(t, c)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := i.requests(); got > 6 {
			t.Errorf("got %d token requests in three lives, want two per life", got)
		}
		if i.n != 3 {
			t.Errorf("got %d tokens, want 3", i.n)
		}
	})
}

func TestInvalidTokenIsReplacedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, sameTill: true}
		s, c := guarded(t, i)
		mustRead(t, c)
		i.mu.Lock()
		i.revoked = true
		i.mu.Unlock()
		mustRead(t, c)
		if got, want := len(s.seen()), 3; got != want {
			t.Errorf("got %d requests, want %d", got, want)
		}
		if i.n != 2 {
			t.Errorf("got %d tokens, want 2", i.n)
		}
	})
}

func TestATokenThatIsNeverValid(t *testing.T) {
	for _, test := range []struct {
		name string
		same bool
		want core.Class
	}{
		{"a new one each time needs a human", false, core.Misconfigured},
		{"the same one again is at its end", true, core.Temporary},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, c := newShop(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="expired"`)
				w.WriteHeader(401)
			})
			i := &issuer{life: time.Hour, sameTill: test.same}
			s.token = i.ServeHTTP
			e := shopError(t, second(c.Order(t.Context(), byCode("1"))))
			if e.Class != test.want || e.Type != "InvalidTokenError" || len(s.seen()) != 2 {
				t.Errorf("got %v %q after %d requests, want %v InvalidTokenError after 2", e.Class, e.Type, len(s.seen()), test.want)
			}
		})
	}
}

// Invariant 4: a refused client is left alone for a while that doubles.
func TestRefusedClientBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &shop{t: t, occ: script(with(200, `{"code":"1"}`))}
		s.token = script(with(401, `{"error":"invalid_client","error_description":"Bad client credentials `+secret+`"}`))
		o := s.options()
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		c := hybris.New(o)
		start := time.Now()
		var tries []time.Duration
		for time.Since(start) < 5*time.Minute {
			before := s.tokens
			e := shopError(t, second(c.Order(t.Context(), byCode("1"))))
			if e.Class != core.Misconfigured || e.Type != "invalid_client" {
				t.Fatalf("got %v %q, want Misconfigured invalid_client", e.Class, e.Type)
			}
			if e.RetryAfter <= 0 {
				t.Fatalf("got RetryAfter %v, want when the next try is", e.RetryAfter)
			}
			if s.tokens > before {
				tries = append(tries, time.Since(start))
			}
			time.Sleep(time.Second)
		}
		want := "[0s 10s 30s 1m10s 2m30s]"
		if got := fmt.Sprint(tries); got != want {
			t.Errorf("got tries at %s, want %s", got, want)
		}
		s.token = nil
		time.Sleep(10 * time.Minute)
		mustRead(t, c)
		if strings.Contains(log.String(), secret) || !strings.Contains(log.String(), "invalid_client") {
			t.Errorf("got log %q, want the refusal without the secret", log.String())
		}
	})
}

func TestTokenEndpointTrouble(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   core.Class
	}{
		{"server fault", with(503, ``), core.Temporary},
		{"not JSON", with(200, `<html>`), core.Temporary},
		{"no token", with(200, `{"token_type":"bearer"}`), core.Temporary},
		{"another kind of token", with(200, `{"access_token":"x","token_type":"mac"}`), core.Misconfigured},
		{"scope", with(400, `{"error":"invalid_scope"}`), core.Misconfigured},
		{"wrong address", with(404, `<html>`), core.Misconfigured},
		{"redirect", with(302, ``), core.Misconfigured},
		{"too many", with(429, ``), core.Throttled},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, c := newShop(t, script(with(200, `{"code":"1"}`)))
			s.token = script(test.answer)
			// A ticket that could not even get a token was certainly not made.
			_, err := c.CreateTicket(t.Context(), core.NewTicket{CustomerUID: noor, Subject: "s", Text: "t"})
			if e := shopError(t, err); e.Class != test.want {
				t.Errorf("got %v, want %v", e, test.want)
			}
			if got := s.seen(); len(got) != 0 {
				t.Errorf("got requests %q, want none", got)
			}
		})
	}
}

func TestWaitingForATokenEndsWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newShop(t, script(with(200, `{"code":"1"}`)))
		s.token = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		start := time.Now()
		_, err := c.Order(t.Context(), byCode("1"))
		if e := shopError(t, err); e.Class != core.Temporary || time.Since(start) != 2*time.Second {
			t.Errorf("got %v after %v, want Temporary after the timeout", e.Class, time.Since(start))
		}
	})
}
