package emulator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Rules are a platform's ways of calling a webhook, as data.
type Rules struct {
	// Timeout is how long the platform waits for an answer.
	Timeout time.Duration
	// Gaps are the waits before the second attempt, the third and so on.
	Gaps []time.Duration
	// Life is how long a delivery is tried: the last gap repeats until then. 0:
	// as many further attempts as there are gaps.
	Life time.Duration
	// HoldBack keeps the later deliveries of a key behind one that fails. Without
	// it only first attempts are in order.
	HoldBack bool
	// ObeyRetryAfter is the longest Retry-After of a failed answer that is
	// waited instead of the gap. 0: the header is ignored.
	ObeyRetryAfter time.Duration
	// Stop reports whether a failed answer ends the delivery.
	Stop func(*http.Response) bool
}

// Try is one attempt of a delivery.
type Try struct {
	N      int    // 1 for the first
	Reason string // why the one before failed: "timeout", "connection_failed", "http_error"; empty for the first
	Forge  bool   // sign it wrongly
}

// Delivery is one webhook.
type Delivery struct {
	Key  string // deliveries of one key go out in order; "" has no order
	What string // for the record: "message", "delivery", …
	Once bool   // never tried again
	// Request builds and signs an attempt. It may be called from any goroutine.
	Request func(Try) (*http.Request, error)
	// Done, if set, gets the answer that accepted the delivery.
	Done func(header http.Header, body []byte)
}

// Attempt is the record of one request to the webhook.
type Attempt struct {
	What   string    `json:"what"`
	Key    string    `json:"key,omitempty"`
	N      int       `json:"n"`
	Status int       `json:"status,omitempty"` // 0: no answer
	Reason string    `json:"reason,omitempty"`
	Forged bool      `json:"forged,omitempty"`
	At     time.Time `json:"at"`
}

// Twist is mischief done to a delivery.
type Twist struct {
	Copies int           // so many more of the same, at the same time
	Late   time.Duration // sent so much later; others pass it
	Forge  bool          // signed wrongly, tried once
	Hold   bool          // sent after the next delivery instead of before it
}

// Caller delivers webhooks in the background. It never blocks its caller.
type Caller struct {
	client *http.Client
	rules  Rules
	wait   Wait
	now    func() time.Time
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	url      string
	queues   map[string][]Delivery
	twists   []Twist
	held     []Delivery
	attempts []Attempt
	pending  int
	idle     chan struct{} // closed while nothing is pending
}

// NewCaller returns a Caller for a webhook. A nil client is the default one, a
// nil wait a timer, a nil now the clock.
func NewCaller(url string, client *http.Client, rules Rules, wait Wait, now func() time.Time) *Caller {
	c := &Caller{client: client, rules: rules, wait: wait, now: now, url: url, queues: map[string][]Delivery{}}
	if client == nil {
		c.client = http.DefaultClient
	}
	if wait == nil {
		c.wait = Sleep
	}
	if now == nil {
		c.now = time.Now
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.idle = make(chan struct{})
	close(c.idle)
	return c
}

// URL returns where webhooks go; empty: nowhere.
func (c *Caller) URL() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.url
}

// SetURL changes where webhooks go.
func (c *Caller) SetURL(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.url = url
}

// Twist does mischief to the next n deliveries.
func (c *Caller) Twist(n int, t Twist) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.twists = append(c.twists, t)
	}
}

// Attempts returns the record of all requests to the webhook.
func (c *Caller) Attempts() []Attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Attempt(nil), c.attempts...)
}

// Pending counts the deliveries under way, those that wait for another attempt
// and those held back included.
func (c *Caller) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending + len(c.held)
}

// Settle waits until no delivery is under way. One that is held back by a
// Twist waits for the next delivery and is not waited for.
func (c *Caller) Settle(ctx context.Context) error {
	c.mu.Lock()
	idle := c.idle
	c.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close gives up all deliveries.
func (c *Caller) Close() { c.cancel() }

// Reset forgets what was not begun yet, the record and all mischief.
func (c *Caller) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, q := range c.queues {
		if len(q) > 1 { // the first is under way
			c.finish(len(q) - 1)
			c.queues[key] = q[:1]
		}
	}
	c.twists, c.held, c.attempts = nil, nil, nil
}

// Deliver queues a webhook.
func (c *Caller) Deliver(d Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.url == "" || c.ctx.Err() != nil {
		return
	}
	var t Twist
	if len(c.twists) > 0 {
		t, c.twists = c.twists[0], c.twists[1:]
	}
	for range t.Copies {
		c.launch(d, t)
	}
	switch {
	case t.Hold:
		c.held = append(c.held, d)
		return
	case t.Late > 0 || t.Forge:
		c.launch(d, t)
	default:
		c.enqueue(d)
	}
	for _, h := range c.held {
		c.enqueue(h)
	}
	c.held = nil
}

// launch sends a delivery past all queues.
func (c *Caller) launch(d Delivery, t Twist) {
	c.start(1)
	go func() {
		defer c.done()
		if t.Late > 0 && c.wait(c.ctx, t.Late) != nil {
			return
		}
		if t.Forge {
			c.attempt(d, Try{N: 1, Forge: true})
			return
		}
		c.retry(d, Try{N: 1})
	}()
}

func (c *Caller) enqueue(d Delivery) {
	c.start(1)
	if d.Key == "" {
		go func() { defer c.done(); c.retry(d, Try{N: 1}) }()
		return
	}
	c.queues[d.Key] = append(c.queues[d.Key], d)
	if len(c.queues[d.Key]) == 1 {
		go c.work(d.Key)
	}
}

// work sends what is queued under a key, one after the other.
func (c *Caller) work(key string) {
	for {
		c.mu.Lock()
		q := c.queues[key]
		c.mu.Unlock()
		c.first(q[0])
		c.mu.Lock()
		q = c.queues[key][1:]
		if len(q) == 0 {
			delete(c.queues, key)
			c.mu.Unlock()
			return
		}
		c.queues[key] = q
		c.mu.Unlock()
	}
}

// first sends a delivery as far as the later ones of its key wait for it.
func (c *Caller) first(d Delivery) {
	if c.rules.HoldBack {
		c.retry(d, Try{N: 1})
		c.done()
		return
	}
	out := c.attempt(d, Try{N: 1})
	if out.final {
		c.done()
		return
	}
	go func() {
		defer c.done()
		c.again(d, Try{N: 1}, out, c.now())
	}()
}

// retry sends a delivery until it is accepted or given up.
func (c *Caller) retry(d Delivery, t Try) {
	born := c.now()
	out := c.attempt(d, t)
	if !out.final {
		c.again(d, t, out, born)
	}
}

// again repeats a failed delivery by the rules.
func (c *Caller) again(d Delivery, t Try, out outcome, born time.Time) {
	for !out.final {
		gap, ok := c.gap(t.N, out)
		if !ok || c.rules.Life > 0 && c.now().Add(gap).Sub(born) > c.rules.Life {
			return
		}
		if c.wait(c.ctx, gap) != nil {
			return
		}
		t = Try{N: t.N + 1, Reason: out.reason}
		out = c.attempt(d, t)
	}
}

// gap returns the wait after the n-th attempt.
func (c *Caller) gap(n int, out outcome) (time.Duration, bool) {
	if out.retryAfter > 0 && c.rules.ObeyRetryAfter > 0 {
		return min(out.retryAfter, c.rules.ObeyRetryAfter), true
	}
	if n <= len(c.rules.Gaps) {
		return c.rules.Gaps[n-1], true
	}
	if c.rules.Life == 0 || len(c.rules.Gaps) == 0 {
		return 0, false
	}
	return c.rules.Gaps[len(c.rules.Gaps)-1], true
}

type outcome struct {
	final      bool
	reason     string
	retryAfter time.Duration
}

// attempt makes one request and records it.
func (c *Caller) attempt(d Delivery, t Try) outcome {
	rec := Attempt{What: d.What, Key: d.Key, N: t.N, Forged: t.Forge, At: c.now()}
	out := c.post(d, t, &rec)
	out.final = out.final || d.Once
	rec.Reason = out.reason
	c.mu.Lock()
	c.attempts = append(c.attempts, rec)
	c.mu.Unlock()
	return out
}

func (c *Caller) post(d Delivery, t Try, rec *Attempt) outcome {
	ctx, cancel := context.WithTimeout(c.ctx, c.rules.Timeout)
	defer cancel()
	req, err := d.Request(t)
	if err != nil {
		return outcome{final: true, reason: "bad_request"}
	}
	res, err := c.client.Do(req.WithContext(ctx))
	if err != nil {
		return failed(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return failed(err)
	}
	rec.Status = res.StatusCode
	if res.StatusCode/100 == 2 {
		if d.Done != nil && !t.Forge {
			d.Done(res.Header, body)
		}
		return outcome{final: true}
	}
	after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	return outcome{
		final:      c.rules.Stop != nil && c.rules.Stop(res),
		reason:     "http_error",
		retryAfter: time.Duration(after) * time.Second,
	}
}

func failed(err error) outcome {
	if errors.Is(err, context.DeadlineExceeded) {
		return outcome{reason: "timeout"}
	}
	return outcome{final: errors.Is(err, context.Canceled), reason: "connection_failed"}
}

// start counts n deliveries as under way. The caller holds the lock.
func (c *Caller) start(n int) {
	if c.pending == 0 {
		c.idle = make(chan struct{})
	}
	c.pending += n
}

func (c *Caller) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish(1)
}

// finish is the opposite of start. The caller holds the lock.
func (c *Caller) finish(n int) {
	c.pending -= n
	if c.pending == 0 {
		close(c.idle)
	}
}
