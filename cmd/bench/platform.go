package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"tidings/channels/telegram/telegramsim"
)

// The bot that is emulated, and the first of its people's chat ids.
const (
	botToken  = "7000000001:bench-token"
	firstChat = 1_000_000
	// maxPeople bounds the people that the platform knows.
	maxPeople = 20_000
)

// behaviour is how the platform is to be from now on.
type behaviour struct {
	Rate   int   `json:"rate"`   // requests it allows in any second; 0: all
	Answer int64 `json:"answer"` // milliseconds until it answers
	Away   bool  `json:"away"`   // it answers everything by 429
	Retry  int   `json:"retry"`  // seconds, in every 429
	Watch  bool  `json:"watch"`  // it remembers when each text came
	Keep   bool  `json:"keep"`   // of this message only: what was counted stays
}

// counted is what the platform has counted since its behaviour was last set.
type counted struct {
	Accepted int   `json:"accepted"`
	Refused  int   `json:"refused"` // by 429, when it was not away
	First    int64 `json:"first"`   // when it took the first request, in Unix nanoseconds
	Last     int64 `json:"last"`
	// PerTick are the requests taken in each tenth of a second since First.
	PerTick []int `json:"perTick,omitempty"`
}

const tick = 100 * time.Millisecond

// platform stands in front of the emulator: it counts, keeps rates and can be
// slow or away. What it lets pass, the emulator checks as ever.
type platform struct {
	sim http.Handler

	mu      sync.Mutex
	how     behaviour
	sums    counted
	window  []time.Time // when the last how.Rate requests were taken, as a ring
	at      int
	arrived map[string]int64
}

func newPlatform() *platform {
	people := make([]string, maxPeople)
	for i := range people {
		people[i] = strconv.Itoa(firstChat + i)
	}
	sim := telegramsim.New(telegramsim.Options{
		Token: botToken, Username: "bench_bot", Users: people, NoRates: true, Local: true, Forgetful: true,
	})
	return &platform{sim: sim}
}

// ServeHTTP is the Bot API, and under /bench/ what steers and asks the platform.
func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/bench/behave":
		p.behave(w, r)
	case "/bench/counted":
		p.tell(w, &p.sums)
	case "/bench/arrived":
		p.tell(w, &p.arrived)
	default:
		p.serve(w, r)
	}
}

// tell answers with something that the platform has counted.
func (p *platform) tell(w http.ResponseWriter, v any) {
	p.mu.Lock()
	raw, err := json.Marshal(v)
	p.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(raw)
}

func (p *platform) behave(w http.ResponseWriter, r *http.Request) {
	var how behaviour
	if err := json.NewDecoder(r.Body).Decode(&how); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.how = how; how.Keep {
		return
	}
	p.sums, p.window, p.at, p.arrived = counted{}, make([]time.Time, how.Rate), 0, map[string]int64{}
}

// serve takes a request, or refuses it, and answers when it is time to.
func (p *platform) serve(w http.ResponseWriter, r *http.Request) {
	wait, retry := p.admit(time.Now())
	if retry > 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = fmt.Fprintf(w, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after %[1]d","parameters":{"retry_after":%[1]d}}`, retry)
		return
	}
	if p.watches() {
		p.note(r, time.Now())
	}
	if wait > 0 {
		pause(r.Context(), wait)
	}
	p.sim.ServeHTTP(w, r)
}

// admit counts a request and says how long its answer is to take, or after how
// many seconds it may be tried again.
func (p *platform) admit(now time.Time) (wait time.Duration, retry int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.how.Away {
		return 0, max(1, p.how.Retry)
	}
	if p.how.Rate > 0 {
		if now.Sub(p.window[p.at]) < time.Second {
			p.sums.Refused++
			return 0, max(1, p.how.Retry)
		}
		p.window[p.at] = now
		p.at = (p.at + 1) % p.how.Rate
	}
	p.sums.take(now)
	return time.Duration(p.how.Answer) * time.Millisecond, 0
}

func (c *counted) take(now time.Time) {
	if c.Accepted == 0 {
		c.First = now.UnixNano()
	}
	c.Accepted++
	c.Last = now.UnixNano()
	i := int(time.Duration(c.Last-c.First) / tick)
	for len(c.PerTick) <= i {
		c.PerTick = append(c.PerTick, 0)
	}
	c.PerTick[i]++
}

func (p *platform) watches() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.how.Watch
}

// note remembers when a text came.
func (p *platform) note(r *http.Request, now time.Time) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if form, err := url.ParseQuery(string(body)); err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.arrived[form.Get("text")] = now.UnixNano()
	}
}

// runPlatform is this program as the platform, until its standard input ends.
func runPlatform(ctx context.Context, args []string) error {
	f := flag.NewFlagSet(platformRole, flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:0", "where to listen")
	if err := f.Parse(args); err != nil {
		return usageOf(err)
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("platform: %w", err)
	}
	if _, err := fmt.Fprintln(os.Stdout, l.Addr()); err != nil {
		return err
	}
	s := &http.Server{Handler: newPlatform(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whoever started it has ended
		_ = s.Close()
	}()
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("platform: %w", err)
	}
	return nil
}
