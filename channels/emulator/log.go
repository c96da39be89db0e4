package emulator

import (
	"context"
	"encoding/json"
	"slices"
	"sort"
	"sync"
	"time"
)

// Button is something to press below a message.
type Button struct {
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
	Value string `json:"value,omitempty"`
}

// Shown is a message as the customer sees it.
type Shown struct {
	Seq     int64           `json:"seq"` // grows with every change; set by Log
	To      string          `json:"to"`
	ID      string          `json:"id"`
	Text    string          `json:"text"`
	Buttons []Button        `json:"buttons,omitempty"`
	Kind    string          `json:"kind"` // text, receipt, template, image, …
	Fields  map[string]any  `json:"fields,omitempty"`
	Raw     json.RawMessage `json:"raw,omitempty"` // the platform's own form of it
	At      time.Time       `json:"at"`
	Own     bool            `json:"own,omitempty"` // written by the customer; only in Feed
	Edited  bool            `json:"edited,omitempty"`
	Deleted bool            `json:"deleted,omitempty"`
}

// Rejection is a request that the platform's own rules refused. Faults that
// were asked for are not among them.
type Rejection struct {
	To     string    `json:"to,omitempty"`
	Method string    `json:"method"`
	Code   string    `json:"code"`
	Text   string    `json:"text,omitempty"`
	At     time.Time `json:"at"`
}

// Log is the record of what customers see and of how it got there.
type Log struct {
	mu       sync.Mutex
	seq      int64
	order    []*Shown            // in display order
	byUser   map[string][]*Shown // the same per recipient
	changes  []change            // ascending seq; an entry is stale when its message has a later one
	flight   map[string][]*flight
	served   map[string][]*Request
	requests int
	overlaps int
	tooFast  int
	early    int
	injected int
	rejected []Rejection
	changed  chan struct{}
}

type change struct {
	seq int64
	msg *Shown
}

// Request is the time that one request to a recipient took.
type Request struct {
	Begun time.Time
	Ended time.Time // zero: it is still under way
	// Left is when its sender was first seen not to wait for it any more; zero:
	// never. It is looked for when another request to the recipient begins.
	Left time.Time
}

type flight struct {
	ctx     context.Context
	request *Request
}

// NewLog returns an empty record.
func NewLog() *Log {
	return &Log{
		byUser: map[string][]*Shown{}, flight: map[string][]*flight{}, served: map[string][]*Request{}, changed: make(chan struct{}),
	}
}

// Show appends a message to what its recipient sees.
func (l *Log) Show(m Shown) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &m
	l.order = append(l.order, p)
	l.byUser[m.To] = append(l.byUser[m.To], p)
	l.touch(p)
}

// Edit changes a message in its place and reports whether there is one.
func (l *Log) Edit(to, id string, edit func(*Shown)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.find(to, id)
	if m == nil {
		return false
	}
	edit(m)
	m.Edited = true
	l.touch(m)
	return true
}

// Delete takes a message away and reports whether there was one.
func (l *Log) Delete(to, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.find(to, id)
	if m == nil {
		return false
	}
	m.Deleted = true
	l.touch(m)
	return true
}

// Find returns a message by its id, the customer's own included.
func (l *Log) Find(to, id string) (Shown, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.find(to, id)
	if m == nil {
		return Shown{}, false
	}
	return *m, true
}

// Shown returns what a recipient sees of the program's messages, top to bottom.
func (l *Log) Shown(to string) []Shown {
	l.mu.Lock()
	defer l.mu.Unlock()
	return visible(l.byUser[to])
}

// All returns what all recipients see, in the order in which it appeared.
func (l *Log) All() []Shown {
	l.mu.Lock()
	defer l.mu.Unlock()
	return visible(l.order)
}

func visible(msgs []*Shown) []Shown {
	out := make([]Shown, 0, len(msgs))
	for _, m := range msgs {
		if !m.Own && !m.Deleted {
			out = append(out, *m)
		}
	}
	return out
}

// Feed returns every message that was shown, edited or deleted after the
// cursor, oldest change first, the customer's own included, and the cursor to
// go on from. An empty to means all recipients.
func (l *Log) Feed(to string, after int64) ([]Shown, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := sort.Search(len(l.changes), func(i int) bool { return l.changes[i].seq > after })
	var out []Shown
	for _, c := range l.changes[first:] {
		if c.seq == c.msg.Seq && (to == "" || to == c.msg.To) {
			out = append(out, *c.msg)
		}
	}
	return out, l.seq
}

// Changed returns a channel that is closed at the next change. Take it before
// reading, so that no change is missed.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Await blocks until at least n messages are shown to the recipient (all
// recipients when empty) and returns them, or ctx's error.
func (l *Log) Await(ctx context.Context, to string, n int) ([]Shown, error) {
	for {
		changed := l.Changed()
		got := l.All()
		if to != "" {
			got = l.Shown(to)
		}
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
}

// Served returns the requests to a recipient in the order in which they began,
// refused ones included.
func (l *Log) Served(to string) []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Request, 0, len(l.served[to]))
	for _, r := range l.served[to] {
		out = append(out, *r)
	}
	return out
}

// Requests counts the requests served, refused ones included.
func (l *Log) Requests() int { return l.count(&l.requests) }

// Overlaps counts the requests that came while another one to the same
// recipient was under way whose sender was still waiting for it.
func (l *Log) Overlaps() int { return l.count(&l.overlaps) }

// TooFast counts the requests beyond the platform's rates, refused or not.
func (l *Log) TooFast() int { return l.count(&l.tooFast) }

// Early counts the requests that came before a Retry-After had passed.
func (l *Log) Early() int { return l.count(&l.early) }

// Injected counts the requests that met a fault that was asked for.
func (l *Log) Injected() int { return l.count(&l.injected) }

func (l *Log) count(n *int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *n
}

func (l *Log) add(n *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*n++
}

// Rejected returns the requests the platform's rules refused.
func (l *Log) Rejected() []Rejection {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.rejected)
}

// Reject records a refusal.
func (l *Log) Reject(r Rejection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rejected = append(l.rejected, r)
}

// Reset forgets everything but the cursor, which only grows.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.order, l.changes, l.rejected = nil, nil, nil
	l.byUser, l.served = map[string][]*Shown{}, map[string][]*Request{}
	l.requests, l.overlaps, l.tooFast, l.early, l.injected = 0, 0, 0, 0, 0
	l.notify()
}

// begin notes a request to a recipient and returns what ends it.
func (l *Log) begin(ctx context.Context, to string, now func() time.Time) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	if to == "" {
		return func() {}
	}
	f := &flight{ctx, &Request{Begun: now()}}
	overlaps := false
	for _, o := range l.flight[to] {
		if o.ctx.Err() == nil {
			overlaps = true
			continue
		}
		if o.request.Left.IsZero() {
			o.request.Left = f.request.Begun
		}
	}
	if overlaps {
		l.overlaps++
	}
	l.flight[to] = append(l.flight[to], f)
	l.served[to] = append(l.served[to], f.request)
	return sync.OnceFunc(func() { l.land(to, f, now) })
}

func (l *Log) land(to string, f *flight, now func() time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.request.Ended = now()
	l.flight[to] = slices.DeleteFunc(l.flight[to], func(o *flight) bool { return o == f })
	if len(l.flight[to]) == 0 {
		delete(l.flight, to)
	}
}

func (l *Log) find(to, id string) *Shown {
	msgs := l.byUser[to]
	for _, msg := range slices.Backward(msgs) {
		if msg.ID == id && !msg.Deleted {
			return msg
		}
	}
	return nil
}

func (l *Log) touch(m *Shown) {
	l.seq++
	m.Seq = l.seq
	l.changes = append(l.changes, change{l.seq, m})
	l.notify()
}

func (l *Log) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}
