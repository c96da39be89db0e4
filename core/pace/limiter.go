package pace

import (
	"sync"
	"time"

	"tidings/core"
)

// sweepFrom is how many recipients are kept before idle ones are looked for.
const sweepFrom = 1024

// Limiter paces one channel: a bucket for the channel as a whole and one for
// each recipient, by key. It is safe for concurrent use.
//
// The channel's bucket starts cold, because what left before a restart still
// counts with the platform; a recipient's starts full, because a restart that
// meets the same recipient within a second is rare and one burst is small.
type Limiter struct {
	mu      sync.Mutex
	channel Bucket
	fresh   Bucket // what a recipient that is not in keys has
	keys    map[string]*Bucket
	sweepAt int // size of keys at which idle buckets are looked for
}

// NewLimiter returns a limiter for the pace of a platform or a stanza.
func NewLimiter(pace core.Pace) *Limiter {
	return &Limiter{
		channel: NewCold(pace.PerSecond, pace.Burst),
		fresh:   New(pace.PerRecipient, pace.RecipientBurst),
		keys:    make(map[string]*Bucket),
		sweepAt: sweepFrom,
	}
}

// Next returns the earliest time, not before now, at which a request to the
// recipient may leave. It has no effect.
func (l *Limiter) Next(key string, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next(key, now)
}

// Take takes a token of the channel and one of the recipient, or neither. If
// it takes none it returns when to ask again, and whether that goes for all: the
// recipient would have had its turn, but the channel has not.
func (l *Limiter) Take(key string, now time.Time) (ok bool, at time.Time, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.keys[key]; b != nil {
		if at := b.Next(now); at.After(now) {
			return false, latest(at, l.channel.Next(now)), false
		}
	}
	if at := l.channel.Next(now); at.After(now) {
		return false, at, true
	}
	if len(l.keys) >= l.sweepAt {
		l.sweep(now)
	}
	l.channel.Take(now)
	if !l.fresh.unlimited() || l.keys[key] != nil {
		l.bucket(key).Take(now)
	}
	return true, now, false
}

// Give returns the tokens of a request that never left.
func (l *Limiter) Give(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.channel.Give()
	if b := l.keys[key]; b != nil {
		b.Give()
	}
}

// SetRate changes the rate of the channel, for instance to this replica's
// share of it.
func (l *Limiter) SetRate(perSecond float64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.channel.SetRate(perSecond, now)
}

// Pause lets nothing leave on the channel before until.
func (l *Limiter) Pause(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.channel.Pause(until)
}

// PauseKey lets nothing leave to the recipient before until.
func (l *Limiter) PauseKey(key string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(key).Pause(until)
}

// Throttled slows the channel down (Bucket.Throttled).
func (l *Limiter) Throttled(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.channel.Throttled(now)
}

// ThrottledKey slows the recipient down.
func (l *Limiter) ThrottledKey(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(key).Throttled(now)
}

// Len returns how many recipients are remembered.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys)
}

func (l *Limiter) next(key string, now time.Time) time.Time {
	at := l.channel.Next(now)
	if b := l.keys[key]; b != nil {
		at = latest(at, b.Next(now))
	}
	return at
}

// bucket returns the recipient's bucket, a new one where there is none.
func (l *Limiter) bucket(key string) *Bucket {
	b := l.keys[key]
	if b == nil {
		fresh := l.fresh
		b = &fresh
		l.keys[key] = b
	}
	return b
}

// sweep forgets idle buckets. It runs in Take, which comes before every way to
// make a bucket but is not harmed by losing an idle one. The next sweep waits until as many have come as
// stayed, so that its cost per recipient is constant. The map is made anew
// because a Go map does not shrink.
func (l *Limiter) sweep(now time.Time) {
	busy := make(map[string]*Bucket)
	for key, b := range l.keys {
		if !b.Idle(now) {
			busy[key] = b
		}
	}
	l.keys = busy
	l.sweepAt = max(sweepFrom, 2*len(busy))
}
