package emulator

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Wait blocks for d or until ctx ends. It is the seam through which tests make
// time pass.
type Wait func(ctx context.Context, d time.Duration) error

// Sleep is Wait by a timer.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NoWait is Wait without waiting: every gap passes at once.
func NoWait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// Answer is what the platform says to one request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Code and Problem are set when the platform's rules refused the request.
	Code, Problem string
}

// JSON returns an answer with v as its body.
func JSON(status int, v any) Answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic("emulator: answer that cannot be encoded: " + err.Error())
	}
	return Answer{Status: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: body}
}

// Rate is a bound that a request counts against.
type Rate struct {
	Key       string // what shares the bound, e.g. "page" or "chat:42"
	PerSecond float64
	Burst     int
}

// Call is one request, understood as far as serving it needs.
type Call struct {
	Method string
	To     string // empty: addresses nobody
	Rates  []Rate
	// Do decides and, when it accepts, shows the message. It runs when the
	// request ends, not when it begins.
	Do func() Answer
}

// Desk serves requests the way all platforms do: it counts them, lets faults
// and rates have their say, and shows a message at the end.
type Desk struct {
	Log    *Log
	Faults *Faults
	Now    func() time.Time
	Wait   Wait
	// Strict refuses requests beyond the rates. They are counted in any case.
	Strict bool
	// Refuse words a Throttle, ServerError or ErrorCode as the platform would.
	Refuse func(Fault) Answer
	// Apply makes a Block or a CloseWindow true for the recipient.
	Apply func(kind Kind, to string)

	mu      sync.Mutex
	buckets map[string]bucket
	held    map[string]time.Time
}

type bucket struct {
	tokens float64
	at     time.Time
}

// Serve answers one request.
func (d *Desk) Serve(w http.ResponseWriter, r *http.Request, c Call) {
	end := d.Log.begin(r.Context(), c.To, d.Now)
	defer end()
	fault := d.Faults.pick(c.Method, c.To)
	if fault.Kind != "" {
		d.Log.add(&d.Log.injected)
	}
	// The platform has the request now: that its sender has stopped waiting
	// does not undo it.
	if fault.Delay > 0 {
		_ = d.Wait(context.WithoutCancel(r.Context()), fault.Delay)
	}
	if fault.Kind == DropBefore {
		end()
		panic(http.ErrAbortHandler)
	}
	a := d.decide(c, fault)
	if a.Code != "" {
		d.Log.Reject(Rejection{To: c.To, Method: c.Method, Code: a.Code, Text: a.Problem, At: d.Now()})
	}
	// A sender that has the answer may send the next request at once.
	end()
	if fault.Kind == DropAfter {
		panic(http.ErrAbortHandler)
	}
	if fault.Kind == Truncate {
		a.Body = a.Body[:len(a.Body)/2]
	}
	write(w, a)
}

func (d *Desk) decide(c Call, fault Fault) Answer {
	switch fault.Kind {
	case BadGateway:
		return Answer{
			Status: http.StatusBadGateway,
			Header: http.Header{"Content-Type": {"text/html"}},
			Body:   []byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>\r\n"),
		}
	case Throttle:
		d.hold(c.To, fault.RetryAfter)
		return d.refuse(fault)
	case ServerError, ErrorCode:
		return d.refuse(fault)
	case Block, CloseWindow:
		d.Apply(fault.Kind, c.To)
	}
	if wait := d.tooSoon(c); wait > 0 {
		return d.refuse(Fault{Kind: Throttle, RetryAfter: wait})
	}
	return c.Do()
}

func (d *Desk) refuse(f Fault) Answer {
	a := d.Refuse(f)
	a.Code, a.Problem = "", ""
	if f.Status != 0 {
		a.Status = f.Status
	}
	return a
}

// hold remembers until when a recipient was told to be left alone.
func (d *Desk) hold(to string, wait time.Duration) {
	if to == "" || wait <= 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held == nil {
		d.held = map[string]time.Time{}
	}
	d.held[to] = d.Now().Add(wait)
}

// tooSoon returns how long the sender ought to have waited, when the request
// is to be refused for that.
func (d *Desk) tooSoon(c Call) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now()
	if until, ok := d.held[c.To]; ok {
		if now.Before(until) {
			d.Log.add(&d.Log.early)
			return until.Sub(now)
		}
		delete(d.held, c.To)
	}
	var longest time.Duration
	for _, rate := range c.Rates {
		longest = max(longest, d.take(rate, now))
	}
	if longest == 0 {
		return 0
	}
	d.Log.add(&d.Log.tooFast)
	if !d.Strict {
		return 0
	}
	return longest
}

// take takes one token, or says how long until there is one.
func (d *Desk) take(r Rate, now time.Time) time.Duration {
	if d.buckets == nil {
		d.buckets = map[string]bucket{}
	}
	b, ok := d.buckets[r.Key]
	if !ok {
		b = bucket{float64(r.Burst), now}
	}
	b.tokens = min(float64(r.Burst), b.tokens+now.Sub(b.at).Seconds()*r.PerSecond)
	b.at = now
	// Half a thousandth is what adding up fractions of seconds may lose.
	const slack = 0.0005
	wait := time.Duration((1 - b.tokens) / r.PerSecond * float64(time.Second))
	if b.tokens >= 1-slack {
		b.tokens, wait = b.tokens-1, 0
	}
	d.buckets[r.Key] = b
	return wait
}

// Reset forgets rates and waits.
func (d *Desk) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.buckets, d.held = nil, nil
}

func write(w http.ResponseWriter, a Answer) {
	maps.Copy(w.Header(), a.Header)
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}
