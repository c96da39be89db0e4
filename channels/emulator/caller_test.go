package emulator_test

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
)

// hook is a webhook that answers with the next status of a script, 200 after it.
type hook struct {
	mu     sync.Mutex
	script []int
	header http.Header
	delay  time.Duration
	got    []string
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	status := http.StatusOK
	if len(h.script) > 0 {
		status, h.script = h.script[0], h.script[1:]
	}
	h.got = append(h.got, string(body))
	delay := h.delay
	h.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
	}
	maps.Copy(w.Header(), h.header)
	w.WriteHeader(status)
}

func newCaller(t *testing.T, h *hook, rules emulator.Rules) *emulator.Caller {
	if rules.Timeout == 0 {
		rules.Timeout = 5 * time.Second
	}
	c := emulator.NewCaller("http://gateway/hook", &http.Client{Transport: emulator.Transport(h)}, rules, nil, nil)
	t.Cleanup(c.Close)
	return c
}

func webhook(c *emulator.Caller, key, body string) emulator.Delivery {
	return emulator.Delivery{Key: key, What: "message", Request: func(try emulator.Try) (*http.Request, error) {
		if try.Forge {
			body = "forged"
		}
		return http.NewRequest(http.MethodPost, c.URL(), strings.NewReader(body))
	}}
}

func gaps(attempts []emulator.Attempt) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(attempts); i++ {
		out = append(out, attempts[i].At.Sub(attempts[i-1].At))
	}
	return out
}

func TestCallerRetriesByTheRules(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules emulator.Rules
		hook  *hook
		gaps  []time.Duration
	}{
		{"accepted", emulator.Rules{Gaps: []time.Duration{time.Second}}, &hook{}, nil},
		{"gaps run out", emulator.Rules{Gaps: []time.Duration{0, time.Minute}}, &hook{script: []int{500, 500, 500, 500}},
			[]time.Duration{0, time.Minute}},
		{"the last gap repeats", emulator.Rules{Gaps: []time.Duration{time.Second, 2 * time.Second}, Life: 6 * time.Second},
			&hook{script: []int{500, 500, 500, 500, 500}}, []time.Duration{time.Second, 2 * time.Second, 2 * time.Second}},
		{"as told", emulator.Rules{Gaps: []time.Duration{time.Second}, ObeyRetryAfter: time.Hour},
			&hook{script: []int{503}, header: http.Header{"Retry-After": {"30"}}}, []time.Duration{30 * time.Second}},
		{"told to stop", emulator.Rules{Gaps: []time.Duration{time.Second}, Stop: func(r *http.Response) bool { return r.Header.Get("Stop") != "" }},
			&hook{script: []int{500}, header: http.Header{"Stop": {"1"}}}, nil},
		{"too slow", emulator.Rules{Gaps: []time.Duration{time.Second}, Timeout: 3 * time.Second}, &hook{delay: time.Minute},
			[]time.Duration{4 * time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCaller(t, tt.hook, tt.rules)
				c.Deliver(webhook(c, "ann", "hi"))
				if err := c.Settle(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := gaps(c.Attempts()); !cmp.Equal(got, tt.gaps) {
					t.Errorf("gaps: got %v, want %v", got, tt.gaps)
				}
			})
		})
	}
}

func TestCallerKeepsOrder(t *testing.T) {
	for _, tt := range []struct {
		name     string
		holdBack bool
		want     []string
	}{
		{"a failed one holds back", true, []string{"1", "1", "2", "3"}},
		{"a failed one is passed", false, []string{"1", "2", "3", "1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hook{script: []int{500}, delay: time.Millisecond}
				c := newCaller(t, h, emulator.Rules{Gaps: []time.Duration{time.Second}, HoldBack: tt.holdBack})
				for _, body := range []string{"1", "2", "3"} {
					c.Deliver(webhook(c, "ann", body))
				}
				_ = c.Settle(t.Context())
				if !cmp.Equal(h.got, tt.want) {
					t.Errorf("got %q, want %q", h.got, tt.want)
				}
			})
		})
	}
}

func TestTwists(t *testing.T) {
	for _, tt := range []struct {
		name  string
		twist emulator.Twist
		want  []string
	}{
		{"copies", emulator.Twist{Copies: 2}, []string{"1", "1", "1", "2"}},
		{"late", emulator.Twist{Late: time.Minute}, []string{"2", "1"}},
		{"held", emulator.Twist{Hold: true}, []string{"2", "1"}},
		{"forged", emulator.Twist{Forge: true}, []string{"forged", "2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hook{}
				c := newCaller(t, h, emulator.Rules{})
				c.Twist(1, tt.twist)
				c.Deliver(webhook(c, "ann", "1"))
				synctest.Wait()
				c.Deliver(webhook(c, "ann", "2"))
				_ = c.Settle(t.Context())
				if !cmp.Equal(h.got, tt.want) {
					t.Errorf("got %q, want %q", h.got, tt.want)
				}
			})
		})
	}
}
