package pace

import (
	"sync"
	"time"

	"tidings/core"
)

const (
	// sweepFrom is how many recipients are kept before idle ones are looked for.
	sweepFrom = 1024
	// late is by how much a turn of the channel may be taken late without being
	// lost: clocks wake late, machines stop for a moment, and at a high rate that is
	// longer than a turn. What catches up leaves through the window as ever.
	late = 250 * time.Millisecond
	// ahead is how long before there is a place to leave by a turn is given: as long
	// as a request may need until it is written down.
	ahead = 250 * time.Millisecond
)

// Limiter paces one channel: a bucket for the channel as a whole, one for each
// recipient, by key, and a window for what really leaves. It is safe for
// concurrent use.
//
// Buckets give turns (Take). Between its turn and its departure a request is
// written down, which takes now longer, now less long, so that what was evenly
// spaced leaves in heaps: the window (Leave, Left) is asked right before, and is
// what keeps to the platform's count. The buckets give no more turns than the
// window has room for, so that what waits there is a heap that has just come.
//
// The channel's bucket and window start cold, because what left before a restart
// still counts with the platform; a recipient's starts full, because a restart that
// meets the same recipient within a second is rare and one burst is small.
type Limiter struct {
	mu      sync.Mutex
	rate    float64 // of the channel, for all replicas; <= 0: no limit
	window  Window
	channel Bucket
	fresh   Bucket // what a recipient that is not in keys has
	keys    map[string]*Bucket
	sweepAt int // size of keys at which idle buckets are looked for
}

// NewLimiter returns a limiter for the pace of a platform or a stanza.
func NewLimiter(pace core.Pace) *Limiter {
	l := &Limiter{
		rate:    pace.PerSecond,
		channel: NewCold(pace.PerSecond, pace.Burst),
		fresh:   New(pace.PerRecipient, pace.RecipientBurst),
		keys:    make(map[string]*Bucket),
		sweepAt: sweepFrom,
	}
	if l.rate > 0 {
		l.window = NewWindow(l.rate, 1, 1)
		l.channel.rate = l.window.Rate()
		l.channel.burst += l.channel.rate * late.Seconds()
	}
	return l
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
			return false, latest(at, l.turn(now)), false
		}
	}
	if at := l.turn(now); at.After(now) {
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

// Leave takes a place for a request that has had its turn; Due tells when that is.
func (l *Limiter) Leave(now time.Time) *Place {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate <= 0 {
		return &Place{at: now}
	}
	return l.window.Take(now)
}

// Due returns when the request of a place may leave: where that is not after now,
// now. It can have changed while it was waited for.
func (l *Limiter) Due(p *Place, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.window.Due(p, now)
}

// Left notes when a request really left. It may be told again, when that is known
// better.
func (l *Limiter) Left(p *Place, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.window.Left(p, now)
}

// Answered notes that the platform took a request (Window.Answered).
func (l *Limiter) Answered(p *Place, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.window.Answered(p, now)
}

// Refused tells that the platform found a request one too many (Window.Refused).
func (l *Limiter) Refused(p *Place, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.window.Refused(p, now)
}

// SetShare lowers the rate of the channel to that of owned parts of all: the
// platform sees one gateway, however many replicas it has.
func (l *Limiter) SetShare(owned, all int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate <= 0 || owned <= 0 {
		return
	}
	l.window.resize(NewWindow(l.rate, owned, all), now)
	l.channel.SetRate(l.window.Rate(), now)
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
	at := l.turn(now)
	if b := l.keys[key]; b != nil {
		at = latest(at, b.Next(now))
	}
	return at
}

// turn is when the channel has a turn: when its bucket has a token, and not long
// before there is a place to leave by.
func (l *Limiter) turn(now time.Time) time.Time {
	return latest(l.channel.Next(now), l.window.Next(now).Add(-ahead))
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
