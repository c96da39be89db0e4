package emulator

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is what goes wrong with a request.
type Kind string

// The kinds of faults. A fault without a kind only delays.
const (
	Throttle    Kind = "throttle"     // the platform's "too many requests"; RetryAfter 0: without saying for how long
	ServerError Kind = "server_error" // the platform's own 500
	BadGateway  Kind = "bad_gateway"  // 502 with a page of HTML, as a proxy makes it
	DropBefore  Kind = "drop_before"  // the connection breaks, nothing is shown
	DropAfter   Kind = "drop_after"   // the message is shown, then the connection breaks
	Truncate    Kind = "truncate"     // the message is shown, the answer is 200 with half of its JSON
	ErrorCode   Kind = "error"        // the platform's error Code, nothing is shown
	ExpireToken Kind = "expire_token" // from now on until Clear
	Block       Kind = "block"        // the recipient of this request has blocked us
	CloseWindow Kind = "close_window" // the recipient's reply window has just closed
)

var kinds = []Kind{"", Throttle, ServerError, BadGateway, DropBefore, DropAfter, Truncate, ErrorCode, ExpireToken, Block, CloseWindow}

// Fault is a rule: which requests it meets and what happens to them.
type Fault struct {
	Kind Kind
	// To limits the fault to one recipient.
	To string
	// Method limits the fault to one of the platform's methods. Empty: every
	// request that addresses a recipient. "*": every request.
	Method string
	// Skip lets so many matching requests pass first.
	Skip int
	// Times is how many requests the fault meets; 0: all until Clear.
	Times int
	// Probability of meeting a matching request; 0 means 1.
	Probability float64
	// Delay is how long the request takes; with a larger DelayMax a random
	// time between the two.
	Delay, DelayMax time.Duration
	// RetryAfter goes with Throttle.
	RetryAfter time.Duration
	// Code goes with ErrorCode, as the platform's emulator documents it.
	Code string
	// Status replaces the HTTP status that the platform would give.
	Status int
}

// Faults is what shall go wrong. Rules are asked in the order in which they
// were added; a request takes its kind from the first rule that has one and
// its delay from the first that has one.
type Faults struct {
	mu      sync.Mutex
	rules   []*Fault
	random  *rand.Rand
	expired bool
}

// NewFaults returns no faults, with chance decided by the seed.
func NewFaults(seed uint64) *Faults {
	return &Faults{random: rand.New(rand.NewPCG(seed, seed))}
}

// Add adds rules.
func (f *Faults) Add(rules ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rules {
		f.rules = append(f.rules, &r)
	}
}

// Clear forgets all rules and makes an expired token valid again.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules, f.expired = nil, false
}

// Expired reports whether the token has expired.
func (f *Faults) Expired() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.expired
}

// pick returns what happens to a request and uses up the rules it came from.
func (f *Faults) pick(method, to string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var got Fault
	delayed := false
	for _, r := range slices.Clone(f.rules) {
		news := r.Kind != "" && got.Kind == "" || r.slow() && !delayed
		if !news || !r.matches(method, to) || !f.meets(r) {
			continue
		}
		if r.slow() && !delayed {
			got.Delay, delayed = f.delay(r), true
		}
		if r.Kind != "" && got.Kind == "" {
			got.Kind, got.RetryAfter, got.Code, got.Status = r.Kind, r.RetryAfter, r.Code, r.Status
		}
	}
	if got.Kind == ExpireToken {
		f.expired = true
	}
	return got
}

func (r *Fault) slow() bool { return r.Delay > 0 || r.DelayMax > 0 }

func (r *Fault) matches(method, to string) bool {
	if r.To != "" && r.To != to {
		return false
	}
	switch r.Method {
	case "":
		return to != ""
	case "*":
		return true
	}
	return strings.EqualFold(r.Method, method)
}

// meets decides by Skip, chance and Times whether a matching rule comes true.
func (f *Faults) meets(r *Fault) bool {
	if r.Skip > 0 {
		r.Skip--
		return false
	}
	if r.Probability > 0 && f.random.Float64() >= r.Probability {
		return false
	}
	if r.Times == 0 {
		return true
	}
	r.Times--
	if r.Times == 0 {
		f.rules = slices.DeleteFunc(f.rules, func(o *Fault) bool { return o == r })
	}
	return true
}

func (f *Faults) delay(r *Fault) time.Duration {
	if r.DelayMax <= r.Delay {
		return r.Delay
	}
	return r.Delay + time.Duration(f.random.Int64N(int64(r.DelayMax-r.Delay)+1))
}
