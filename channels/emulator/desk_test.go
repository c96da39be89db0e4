package emulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
)

// platform is the smallest platform: PUT /{to} shows the body.
type platform struct {
	desk  *emulator.Desk
	rates []emulator.Rate
}

func newPlatform() *platform {
	p := &platform{desk: &emulator.Desk{Log: emulator.NewLog(), Faults: emulator.NewFaults(1), Now: time.Now, Wait: emulator.Sleep}}
	p.desk.Refuse = func(f emulator.Fault) emulator.Answer {
		if f.Kind == emulator.Throttle {
			a := emulator.JSON(http.StatusTooManyRequests, "slow down")
			a.Header.Set("Retry-After", f.RetryAfter.String())
			return a
		}
		return emulator.JSON(http.StatusInternalServerError, "no: "+f.Code)
	}
	p.desk.Apply = func(emulator.Kind, string) {}
	return p
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := strings.Trim(r.URL.Path, "/")
	body, _ := io.ReadAll(r.Body)
	p.desk.Serve(w, r, emulator.Call{Method: "put", To: to, Rates: p.rates, Do: func() emulator.Answer {
		if len(body) == 0 {
			return emulator.Answer{Status: http.StatusBadRequest, Code: "empty"}
		}
		p.desk.Log.Show(emulator.Shown{To: to, ID: string(body), Text: string(body), At: p.desk.Now()})
		return emulator.JSON(http.StatusOK, map[string]string{"said": string(body)})
	}})
}

func (p *platform) put(ctx context.Context, to, text string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://platform/"+to, strings.NewReader(text))
	if err != nil {
		return 0, "", err
	}
	res, err := (&http.Client{Transport: emulator.Transport(p)}).Do(req)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

func texts(msgs []emulator.Shown) []string {
	var out []string
	for _, m := range msgs {
		out = append(out, m.Text)
	}
	return out
}

func TestConcurrentRequestsShuffleAndAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform()
		p.desk.Faults.Add(emulator.Fault{Delay: 3 * time.Second, Times: 1}, emulator.Fault{Delay: time.Second, Times: 1})
		var wg sync.WaitGroup
		for i, text := range []string{"first", "second"} {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				_, _, _ = p.put(t.Context(), "ann", text)
			})
		}
		wg.Wait()
		if got, want := texts(p.desk.Log.Shown("ann")), []string{"second", "first"}; !cmp.Equal(got, want) {
			t.Errorf("shown: got %q, want %q", got, want)
		}
		if got, want := p.desk.Log.Overlaps(), 1; got != want {
			t.Errorf("overlaps: got %d, want %d", got, want)
		}
	})
}

func TestRequestsOneAfterTheOtherDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform()
		p.desk.Faults.Add(emulator.Fault{Delay: time.Millisecond, DelayMax: time.Second})
		want := []string{"1", "2", "3", "4"}
		for _, text := range want {
			_, _, _ = p.put(t.Context(), "ann", text)
		}
		if got := texts(p.desk.Log.Shown("ann")); !cmp.Equal(got, want) {
			t.Errorf("shown: got %q, want %q", got, want)
		}
		if got := p.desk.Log.Overlaps(); got != 0 {
			t.Errorf("overlaps: got %d, want 0", got)
		}
		served := p.desk.Log.Served("ann")
		for i, r := range served {
			if !r.Ended.After(r.Begun) || !r.Left.IsZero() || i > 0 && r.Begun.Before(served[i-1].Ended) {
				t.Errorf("request %d: got %+v after %+v, want one after the other", i, r, served[max(i-1, 0)])
			}
		}
		if len(served) != len(want) {
			t.Errorf("served: got %d requests, want %d", len(served), len(want))
		}
	})
}

func TestARequestWhoseSenderGaveUpIsShownAndOverlapsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform()
		p.desk.Faults.Add(emulator.Fault{Delay: 10 * time.Second, Times: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := p.put(ctx, "ann", "slow"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error: got %v, want deadline exceeded", err)
		}
		_, _, _ = p.put(t.Context(), "ann", "again")
		time.Sleep(20 * time.Second)
		if got, want := texts(p.desk.Log.Shown("ann")), []string{"again", "slow"}; !cmp.Equal(got, want) {
			t.Errorf("shown: got %q, want %q", got, want)
		}
		if got := p.desk.Log.Overlaps(); got != 0 {
			t.Errorf("overlaps: got %d, want 0", got)
		}
		served := p.desk.Log.Served("ann")
		if len(served) != 2 || served[0].Left != served[1].Begun || !served[0].Ended.After(served[1].Ended) || !served[1].Left.IsZero() {
			t.Errorf("served: got %+v, want the first left as the second began, and ended after it", served)
		}
	})
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  emulator.Fault
		status int
		body   string
		err    error
		shown  int
	}{
		{"none", emulator.Fault{}, 200, `{"said":"hello"}`, nil, 1},
		{"throttle", emulator.Fault{Kind: emulator.Throttle}, 429, `"slow down"`, nil, 0},
		{"server error", emulator.Fault{Kind: emulator.ServerError}, 500, `"no: "`, nil, 0},
		{"another status", emulator.Fault{Kind: emulator.ServerError, Status: 503}, 503, `"no: "`, nil, 0},
		{"code", emulator.Fault{Kind: emulator.ErrorCode, Code: "17"}, 500, `"no: 17"`, nil, 0},
		{"gateway", emulator.Fault{Kind: emulator.BadGateway}, 502, "<html>", nil, 0},
		{"truncated", emulator.Fault{Kind: emulator.Truncate}, 200, `{"said":`, nil, 1},
		{"dropped before", emulator.Fault{Kind: emulator.DropBefore}, 0, "", emulator.ErrDropped, 0},
		{"dropped after", emulator.Fault{Kind: emulator.DropAfter}, 0, "", emulator.ErrDropped, 1},
		{"another recipient", emulator.Fault{Kind: emulator.Throttle, To: "bob"}, 200, `{"said"`, nil, 1},
		{"another method", emulator.Fault{Kind: emulator.Throttle, Method: "get"}, 200, `{"said"`, nil, 1},
		{"skipped", emulator.Fault{Kind: emulator.Throttle, Skip: 1}, 200, `{"said"`, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlatform()
			p.desk.Faults.Add(tt.fault)
			status, body, err := p.put(t.Context(), "ann", "hello")
			if !errors.Is(err, tt.err) {
				t.Fatalf("error: got %v, want %v", err, tt.err)
			}
			if status != tt.status || !strings.HasPrefix(body, tt.body) {
				t.Errorf("got %d %q, want %d %q…", status, body, tt.status, tt.body)
			}
			if got := len(p.desk.Log.Shown("ann")); got != tt.shown {
				t.Errorf("shown: got %d, want %d", got, tt.shown)
			}
			if got := p.desk.Log.Rejected(); len(got) != 0 {
				t.Errorf("rejected: got %v, want none", got)
			}
		})
	}
}

func TestAFaultMeetsAsManyRequestsAsAskedFor(t *testing.T) {
	p := newPlatform()
	p.desk.Faults.Add(emulator.Fault{Kind: emulator.ServerError, Skip: 1, Times: 2})
	var got []int
	for range 5 {
		status, _, _ := p.put(t.Context(), "ann", "x")
		got = append(got, status)
	}
	if want := []int{200, 500, 500, 200, 200}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestChanceIsDecidedByTheSeed(t *testing.T) {
	run := func() (broken int) {
		p := newPlatform()
		p.desk.Faults.Add(emulator.Fault{Kind: emulator.ServerError, Probability: 0.3})
		for range 200 {
			if status, _, _ := p.put(t.Context(), "ann", "x"); status != 200 {
				broken++
			}
		}
		return broken
	}
	first, second := run(), run()
	if first != second {
		t.Errorf("two runs of one seed: got %d and %d", first, second)
	}
	if first < 30 || first > 90 {
		t.Errorf("of 200 at 0.3: got %d, want about 60", first)
	}
}

func TestARetryAfterIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform()
		p.desk.Faults.Add(emulator.Fault{Kind: emulator.Throttle, RetryAfter: 5 * time.Second, Times: 1})
		var got []int
		for range 3 {
			status, _, _ := p.put(t.Context(), "ann", "x")
			got = append(got, status)
			time.Sleep(3 * time.Second)
		}
		if want := []int{429, 429, 200}; !cmp.Equal(got, want) {
			t.Errorf("statuses: got %v, want %v", got, want)
		}
		if got, want := p.desk.Log.Early(), 1; got != want {
			t.Errorf("early: got %d, want %d", got, want)
		}
	})
}

func TestRates(t *testing.T) {
	for _, tt := range []struct {
		strict  bool
		refused int
	}{{true, 2}, {false, 0}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPlatform()
			p.desk.Strict = tt.strict
			p.rates = []emulator.Rate{{Key: "all", PerSecond: 2, Burst: 3}}
			refused := 0
			for range 5 {
				if status, _, _ := p.put(t.Context(), "ann", "x"); status != 200 {
					refused++
				}
			}
			time.Sleep(500 * time.Millisecond)
			if status, _, _ := p.put(t.Context(), "ann", "x"); tt.strict && status != 200 {
				t.Errorf("after waiting: got %d, want 200", status)
			}
			if refused != tt.refused {
				t.Errorf("strict %t: refused %d, want %d", tt.strict, refused, tt.refused)
			}
			if got, want := p.desk.Log.TooFast(), 2; got != want {
				t.Errorf("strict %t: too fast %d, want %d", tt.strict, got, want)
			}
		})
	}
}

func TestTransportGivesUpWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			close(ended)
		})
		client := &http.Client{Transport: emulator.Transport(h), Timeout: time.Minute}
		began := time.Now()
		_, err := client.Get("http://platform/")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error: got %v, want deadline exceeded", err)
		}
		if got, want := time.Since(began), time.Minute; got != want {
			t.Errorf("gave up after %v, want %v", got, want)
		}
		<-ended
	})
}

func TestARealServerDropsConnectionsToo(t *testing.T) {
	p := newPlatform()
	server := httptest.NewServer(p)
	defer server.Close()
	p.desk.Faults.Add(emulator.Fault{Kind: emulator.DropAfter, Times: 1})
	for _, tt := range []struct {
		text    string
		dropped bool
	}{{"first", true}, {"second", false}} {
		res, err := http.Post(server.URL+"/ann", "text/plain", strings.NewReader(tt.text))
		if (err != nil) != tt.dropped {
			t.Errorf("%s: got error %v, want dropped %t", tt.text, err, tt.dropped)
		}
		if err == nil {
			_ = res.Body.Close()
		}
	}
	if got, want := texts(p.desk.Log.Shown("ann")), []string{"first", "second"}; !cmp.Equal(got, want) {
		t.Errorf("shown: got %q, want %q", got, want)
	}
}
