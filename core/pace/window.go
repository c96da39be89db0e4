package pace

import (
	"math"
	"slices"
	"time"
)

const (
	// travel is by how much the way of one request to the platform may be longer
	// than that of a later one. A platform counts what arrives: what leaves within
	// a second and this much more may arrive within a second.
	travel = 6 * time.Millisecond
	// ease is how much longer than its span a window takes to fill at its Rate, so
	// that a heap in it dissolves and does not come back in every span.
	ease = 2 * time.Millisecond
	// doubt is by how much later than noted a request may be taken to have arrived.
	doubt = 50 * time.Millisecond
	// hurry is how much faster than evenly spaced requests may leave after a delay.
	// Where more than abreast lies between two, neither is in the other's way.
	hurry   = 1.25
	abreast = 3 * time.Millisecond
	// places bounds what a window remembers. A higher rate is kept as an equal part
	// of it in an equal part of the second, which is stricter.
	places = 4096
)

// Window keeps to so many requests in any span of time, which is how platforms
// count. Unlike a Bucket it has no burst on top of its rate, and it loses nothing
// by lateness: a request that leaves late makes only that one late which leaves
// so many later.
//
// Its methods are not safe for concurrent use; Limiter is.
type Window struct {
	n       int
	span    time.Duration
	gap     time.Duration // between two that leave, at the least
	latest  []*Place      // whoever had each of the n places last, in the order of at; nil until first used
	last    time.Time     // for when the latest place was taken
	refused time.Time     // when all was last dated later
	usual   usual
}

// Place is the right of one request to leave.
type Place struct {
	at     time.Time // when it may leave; once it has left, when it may have arrived
	left   time.Time // when it did leave; zero: not yet
	before *Place    // who had the place before; nil: gone for long enough
}

// NewWindow returns the window of one of several who keep a rate together, for
// owned parts of all. A rate that is not whole is rounded up and its span made
// longer: 1.5 a second are 2 in 4/3 s. A part that is not whole is rounded down, so
// that all together keep to the rate; what would be nothing is one in a longer span.
func NewWindow(rate float64, owned, all int) Window {
	n := math.Ceil(rate)
	seconds := n / rate
	part := n * float64(owned) / float64(all)
	n = math.Floor(part)
	if n < 1 {
		n, seconds = 1, seconds/part
	}
	margin := travel.Seconds()
	for n > places {
		n, seconds, margin = math.Floor(n/2), seconds/2, margin/2
	}
	seconds = math.Min(seconds+margin, never.Seconds())
	span := time.Duration(seconds * float64(time.Second))
	return Window{n: int(n), span: span, gap: min(abreast, time.Duration(float64(span)/n/hurry))}
}

// Rate is how many requests a second a window is to be filled with.
func (w *Window) Rate() float64 { return float64(w.n) / (w.span + ease).Seconds() }

// Next returns when there is a place, if nothing else happens. It has no effect.
func (w *Window) Next(now time.Time) time.Time {
	if w.latest == nil {
		return now
	}
	return latest(now, latest(w.latest[0].at.Add(w.span), w.last.Add(w.gap)))
}

// Take takes the next place.
func (w *Window) Take(now time.Time) *Place {
	if w.latest == nil {
		w.spread(now) // nobody knows what left just before
	}
	w.last = w.Next(now)
	p := &Place{at: w.last, before: w.latest[0]}
	w.latest[0] = p
	w.sort(p)
	return p
}

// Due returns when the request of a place may leave. Where that is not after now,
// it may do so now.
func (w *Window) Due(p *Place, now time.Time) time.Time {
	switch {
	case p.before == nil:
		return p.at
	case p.before.left.IsZero():
		return latest(p.at, now.Add(abreast)) // a process that was frozen has got up
	}
	return latest(p.at, p.before.at.Add(w.span))
}

// Left notes that a request left now. Noted again, it left later than that.
func (w *Window) Left(p *Place, now time.Time) {
	p.left, p.before = now, nil
	w.date(p, now)
}

// Answered notes that the platform took a request. Nobody is told when it arrived,
// but one whose answer took longer than usual may have arrived late by as much.
func (w *Window) Answered(p *Place, now time.Time) {
	w.date(p, p.left.Add(min(doubt, w.usual.exceeded(now.Sub(p.left)))))
}

// Refused tells that the platform found a request one too many. Then what left
// before it arrived later than noted, and all is dated later. What had left before
// that was last done says nothing new.
func (w *Window) Refused(p *Place, now time.Time) {
	if p.left.Before(w.refused) {
		return
	}
	w.refused, w.last = now, w.last.Add(doubt)
	for _, p := range w.latest {
		p.at = p.at.Add(doubt)
	}
}

// resize changes the window into another. What has been taken stays taken. Places
// that are new become free one by one: until now they were somebody else's.
func (w *Window) resize(to Window, now time.Time) {
	w.n, w.span, w.gap = to.n, to.span, to.gap
	if w.latest != nil {
		w.latest = w.latest[max(0, len(w.latest)-w.n):]
		w.spread(now)
	}
}

// spread adds the places that are missing, which become free evenly within the span.
func (w *Window) spread(now time.Time) {
	missing := w.n - len(w.latest)
	for i := range missing {
		at := now.Add(time.Duration(float64(w.span) * (float64(i)/float64(missing) - 1)))
		w.latest = append(w.latest, &Place{at: at, left: at})
	}
	slices.SortFunc(w.latest, func(a, b *Place) int { return a.at.Compare(b.at) })
}

// date gives a place a later time.
func (w *Window) date(p *Place, at time.Time) {
	if at.After(p.at) {
		p.at = at
		w.sort(p)
	}
}

// sort puts a place whose time has become later where it belongs.
func (w *Window) sort(p *Place) {
	i := slices.Index(w.latest, p)
	if i < 0 {
		return // somebody else has it now
	}
	rest := w.latest[i+1:]
	n, _ := slices.BinarySearchFunc(rest, p.at, func(o *Place, at time.Time) int { return o.at.Compare(at) })
	copy(w.latest[i:], rest[:n])
	w.latest[i+n] = p
}

// usual is how long answers take, and how much that differs: running means, as TCP
// has them of round trips. Where answers are steady, each that took longer may have
// been later on its way; where they differ anyway, only few are unusual.
type usual struct{ mean, differ float64 }

const (
	memory  = 64                    // answers that a running mean is about
	steady  = 10 * time.Millisecond // the usual difference up to which answers are
	unusual = 2                     // else so many times the usual difference is unusual
)

// exceeded takes an answer in, and returns by how much it took longer than usual.
func (u *usual) exceeded(took time.Duration) time.Duration {
	t := took.Seconds()
	if u.mean == 0 {
		u.mean = t
	}
	late := t - u.mean
	if u.differ > steady.Seconds() {
		late -= unusual * u.differ
	}
	u.mean += (t - u.mean) / memory
	u.differ += (math.Abs(t-u.mean) - u.differ) / memory
	return time.Duration(math.Max(0, late) * float64(time.Second))
}
