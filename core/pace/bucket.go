package pace

import (
	"math"
	"time"
)

const (
	// recovery is how long a slowed bucket takes back to its configured rate.
	recovery = time.Minute
	// slowest is the part of the configured rate below which no slowing goes.
	slowest = 0.1
	// slack absorbs the rounding of sums of fractions of a token: far less than
	// what accrues in a nanosecond at any rate of use here.
	slack = 1e-12
	// never is the longest wait that is told; a rate so low means "not today".
	never = 365 * 24 * time.Hour
)

// Bucket is a token bucket. Its value is its whole state: a copy is a
// snapshot. It is not safe for concurrent use; Limiter is.
//
// Times may come in any order: an earlier now than the last one counts as the
// last one.
type Bucket struct {
	rate   float64 // tokens per second, as configured; <= 0: no limit
	burst  float64
	tokens float64
	at     time.Time // tokens are as of here; zero until first used

	slowed time.Time // when the platform last complained; zero: never
	low    float64   // the rate right after that

	until time.Time // nothing leaves before
}

// New returns a full bucket. A burst below 1 counts as 1.
func New(rate float64, burst int) Bucket {
	size := math.Max(1, float64(burst))
	return Bucket{rate: rate, burst: size, tokens: size}
}

// NewCold returns a bucket with one token, for a start of which nobody knows
// what left just before it: a restart must not be a way to burst again.
func NewCold(rate float64, burst int) Bucket {
	b := New(rate, burst)
	b.tokens = 1
	return b
}

// Next returns the earliest time, not before now, at which Take succeeds if
// nothing else happens to the bucket. It has no effect.
func (b Bucket) Next(now time.Time) time.Time {
	b.refill(now)
	start := latest(now, b.at)
	if b.until.After(start) {
		start = b.until
		b.refill(start)
	}
	if b.ready() {
		return latest(now, b.until)
	}
	return start.Add(b.wait(start, 1-b.tokens))
}

// Take takes a token if there is one at now. Otherwise it takes nothing and
// returns when there will be one.
func (b *Bucket) Take(now time.Time) (ok bool, at time.Time) {
	b.refill(now)
	if now.Before(b.until) || !b.ready() {
		return false, b.Next(now)
	}
	if !b.unlimited() {
		b.tokens = math.Max(0, b.tokens-1)
	}
	return true, now
}

// Give returns a token that was taken for a request that never left.
func (b *Bucket) Give() {
	b.tokens = math.Min(b.tokens+1, b.cap())
}

// SetRate changes the configured rate from now on. A slow-down under way goes
// on in proportion.
func (b *Bucket) SetRate(rate float64, now time.Time) {
	if rate == b.rate {
		return
	}
	b.refill(now)
	switch {
	case b.unlimited():
		b.tokens = math.Min(b.tokens, 1) // nobody knows what has just left
		b.slowed = time.Time{}
	case rate > 0:
		b.low *= rate / b.rate
	}
	b.rate = rate
}

// Throttled halves the present rate, to no less than a tenth of the configured
// one. From there it climbs back evenly within a minute.
func (b *Bucket) Throttled(now time.Time) {
	if b.unlimited() {
		return
	}
	b.refill(now)
	b.low = math.Max(b.rateAt(b.at)/2, b.rate*slowest)
	b.slowed = b.at
}

// Pause lets nothing leave before until. A pause never shortens another.
func (b *Bucket) Pause(until time.Time) {
	b.until = latest(b.until, until)
	b.tokens = math.Min(b.tokens, 1)
}

// Idle reports whether the bucket is as good as new at now, so that it may be
// forgotten.
func (b Bucket) Idle(now time.Time) bool {
	if now.Before(b.until) {
		return false
	}
	if b.unlimited() {
		return true
	}
	b.refill(now)
	return b.tokens >= b.burst && !b.climbing(now)
}

func (b Bucket) unlimited() bool { return b.rate <= 0 }

func (b Bucket) ready() bool { return b.unlimited() || b.tokens >= 1-slack }

// cap is how many tokens the bucket holds at b.at: one during a pause, so that
// no burst follows it.
func (b Bucket) cap() float64 {
	if b.at.Before(b.until) {
		return 1
	}
	return b.burst
}

// refill adds what has accrued up to now, the paused stretch first.
func (b *Bucket) refill(now time.Time) {
	if b.at.IsZero() {
		b.at = now
	}
	if b.at.Before(b.until) {
		b.accrue(earliest(now, b.until))
	}
	b.accrue(now)
}

// accrue adds what has accrued up to a time within or after a pause, not both.
func (b *Bucket) accrue(to time.Time) {
	if !to.After(b.at) {
		return
	}
	b.tokens = math.Min(b.tokens+b.accrued(b.at, to), b.cap())
	b.at = to
}

// accrued is the number of tokens that the rate yields between two times: the
// area under a rate that climbs until slowed+recovery and is even after it.
func (b Bucket) accrued(from, to time.Time) float64 {
	if !b.climbing(from) {
		return b.rate * to.Sub(from).Seconds()
	}
	top := earliest(to, b.slowed.Add(recovery))
	mean := (b.rateAt(from) + b.rateAt(top)) / 2
	return mean*top.Sub(from).Seconds() + b.rate*to.Sub(top).Seconds()
}

// wait is how long it takes from a time until that many tokens have accrued.
func (b Bucket) wait(from time.Time, tokens float64) time.Duration {
	seconds := b.solve(from, tokens)
	if seconds >= never.Seconds() {
		return never
	}
	// The float is good to a few nanoseconds; accrued itself, which Take will
	// ask, decides about those.
	wait := time.Duration(seconds * float64(time.Second))
	for b.accrued(from, from.Add(wait)) < tokens-slack {
		wait++
	}
	return wait
}

// solve is the inverse of accrued, in seconds: low*x + slope*x²/2 = tokens on
// the climb, a division after it.
func (b Bucket) solve(from time.Time, tokens float64) float64 {
	if !b.climbing(from) {
		return tokens / b.rate
	}
	top := b.slowed.Add(recovery)
	if onClimb := b.accrued(from, top); tokens > onClimb {
		return top.Sub(from).Seconds() + (tokens-onClimb)/b.rate
	}
	low, slope := b.rateAt(from), (b.rate-b.low)/recovery.Seconds()
	return 2 * tokens / (low + math.Sqrt(low*low+2*slope*tokens))
}

// climbing reports whether the rate is still on its way up at t.
func (b Bucket) climbing(t time.Time) bool {
	return !b.slowed.IsZero() && t.Before(b.slowed.Add(recovery))
}

// rateAt is the rate in force at t.
func (b Bucket) rateAt(t time.Time) float64 {
	if !b.climbing(t) {
		return b.rate
	}
	way := math.Max(0, t.Sub(b.slowed).Seconds()/recovery.Seconds())
	return b.low + (b.rate-b.low)*way
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
