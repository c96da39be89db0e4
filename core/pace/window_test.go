package pace_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/core"
	"tidings/core/pace"
)

// mostWithin returns the largest number of times that lie within one span, its end
// not included.
func mostWithin(times []time.Time, span time.Duration) int {
	slices.SortFunc(times, time.Time.Compare)
	most, first := 0, 0
	for i, t := range times {
		for t.Sub(times[first]) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// leaving are requests that have a place and have not left.
type leaving struct {
	w       *pace.Window
	waiting []*pace.Place
	left    []time.Time
}

// one lets a request leave that has waited until now, if it may.
func (l *leaving) one(i int, now time.Time) *pace.Place {
	p := l.waiting[i]
	if l.w.Due(p, now).After(now) {
		return nil
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	l.w.Left(p, now)
	l.left = append(l.left, now)
	return p
}

// Promise 6, for any mixture of calls: however late requests leave, and in whatever
// order, in no second there are more than the rate.
func TestNoSecondHoldsMoreThanTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 30).Draw(t, "rate")
		w := pace.NewWindow(float64(rate), 1, 1)
		l, now := leaving{w: &w}, noon
		var left []*pace.Place
		pass := func(most time.Duration) {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "time")))
		}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch what := rapid.IntRange(0, 14).Draw(t, "what"); {
			case what == 0:
				pass(3 * time.Second) // also for what waits: it was frozen
			case what == 1 && len(left) > 0:
				w.Refused(rapid.SampledFrom(left).Draw(t, "refused"), now)
			case what == 2 && len(left) > 0:
				w.Answered(rapid.SampledFrom(left).Draw(t, "answered"), now)
			case what < 8 || len(l.waiting) == 0:
				next := w.Next(now)
				p := w.Take(now)
				if got := w.Due(p, now); next.Before(now) || got.Before(next) {
					t.Fatalf("took a place for %v at %v, told %v", got, now, next)
				}
				l.waiting = append(l.waiting, p)
			case what < 10:
				pass(100 * time.Millisecond)
			default:
				if p := l.one(rapid.IntRange(0, len(l.waiting)-1).Draw(t, "which"), now); p != nil {
					left = append(left, p)
				}
			}
		}
		for end := now.Add(time.Hour); len(l.waiting) > 0; now = now.Add(time.Millisecond) {
			for i := range slices.Backward(l.waiting) {
				l.one(i, now)
			}
			if now.After(end) {
				t.Fatalf("%d never may leave", len(l.waiting))
			}
		}
		if got := mostWithin(l.left, time.Second); got > rate {
			t.Fatalf("%d left within a second, want at most %d", got, rate)
		}
	})
}

// flow lets so many requests leave as there is room for between two times.
func flow(w interface {
	Take(now time.Time) *pace.Place
	Due(p *pace.Place, now time.Time) time.Time
	Left(p *pace.Place, now time.Time)
}, from, to time.Time) (left []time.Time) {
	for now := from; ; {
		p := w.Take(now)
		if now = w.Due(p, now); !now.Before(to) {
			w.Left(p, now)
			return left
		}
		w.Left(p, now)
		left = append(left, now)
	}
}

// door is a Limiter without its turns.
type door struct{ *pace.Limiter }

func (d door) Take(now time.Time) *pace.Place { return d.Leave(now) }

// Replicas keep to the rate together, in every second, whoever has how much of it.
func TestReplicasKeepToTheRateTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const shards = 64
		rate := rapid.IntRange(8, 300).Draw(t, "rate")
		left := shards
		var all []time.Time
		for left > 0 {
			owned := rapid.IntRange(1, left).Draw(t, "owned")
			if rate*owned < shards {
				owned = left // a part of less than one is one in a longer time
			}
			left -= owned
			if rate*left < shards {
				owned, left = owned+left, 0
			}
			w := pace.NewWindow(float64(rate), owned, shards)
			start := noon.Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "start")))
			all = append(all, flow(&w, start, start.Add(3*time.Second))...)
		}
		if got := mostWithin(all, time.Second); got > rate {
			t.Fatalf("%d left within a second, want at most %d", got, rate)
		}
	})
}

func TestARateThatIsNotWholeIsKeptInTheMean(t *testing.T) {
	for _, c := range []struct {
		rate       float64
		owned, all int
		want       float64 // in a minute
	}{
		{1.5, 1, 1, 90}, {0.5, 1, 1, 30}, {30, 1, 2, 15 * 60}, {5, 1, 2, 2 * 60}, {1, 1, 4, 15}, {6000, 1, 1, 360_000},
	} {
		w := pace.NewWindow(c.rate, c.owned, c.all)
		n := len(flow(&w, noon, after(time.Minute)))
		if float64(n) < 0.985*c.want-1 || float64(n) > c.want+1 {
			t.Errorf("%v/s, %d of %d: %d in a minute, want nearly %v", c.rate, c.owned, c.all, n, c.want)
		}
	}
}

// A share that grows does not leave at once what its former owner has just sent.
func TestAShareThatGrowsDoesNotBurst(t *testing.T) {
	l := pace.NewLimiter(core.Pace{PerSecond: 100, Burst: 100})
	l.SetShare(1, 2, noon)
	leave := func(from, to time.Time) int { return len(flow(door{l}, from, to)) }
	leave(noon, after(3*time.Second))
	l.SetShare(2, 2, after(3*time.Second))
	if got := leave(after(3*time.Second), after(3500*time.Millisecond)); got > 51+26 {
		t.Errorf("%d left in the first half second, want its own 50 and 25 of what is new", got)
	}
	if got := leave(after(5*time.Second), after(6*time.Second)); got < 98 || got > 101 {
		t.Errorf("%d left in a second later, want nearly 100", got)
	}
	l.SetShare(1, 2, after(6*time.Second))
	if got := leave(after(6*time.Second), after(8*time.Second)); got > 101 {
		t.Errorf("%d left in two seconds with half of it, want at most 100", got)
	}
}

// What the platform refuses shows that what was before it came late.
func TestARefusalDatesEverythingLater(t *testing.T) {
	w := pace.NewWindow(10, 1, 1)
	first := w.Take(noon)
	w.Left(first, noon)
	waits := w.Take(noon)
	due, next := w.Due(waits, noon), w.Next(noon)
	w.Refused(first, after(time.Millisecond))
	w.Refused(first, after(2*time.Millisecond)) // left before: the same news
	if got := w.Due(waits, noon).Sub(due); got != 50*time.Millisecond {
		t.Errorf("what waits leaves %v later, want 50ms", got)
	}
	if got := w.Next(noon).Sub(next); got != 50*time.Millisecond {
		t.Errorf("the next place is %v later, want 50ms", got)
	}
}

// One answer that took long dates its request later; answers that always differ do not.
func TestAnUnusualAnswerDatesItsRequestLater(t *testing.T) {
	for name, c := range map[string]struct {
		jitter, last, want time.Duration
	}{
		"steady":           {0, 220 * time.Millisecond, 20 * time.Millisecond},
		"steady, in doubt": {0, time.Second, 50 * time.Millisecond},
		"as ever":          {0, 200 * time.Millisecond, 0},
		"always different": {100 * time.Millisecond, 250 * time.Millisecond, 0},
	} {
		w, now := pace.NewWindow(1, 1, 1), noon
		random := rand.New(rand.NewPCG(1, 2))
		answer := func(took time.Duration) (later time.Duration) {
			p := w.Take(now)
			now = w.Due(p, now)
			w.Left(p, now)
			w.Answered(p, now.Add(took))
			return w.Next(now).Sub(now) - 1006*time.Millisecond
		}
		for range 1000 {
			answer(200*time.Millisecond + time.Duration((2*random.Float64()-1)*float64(c.jitter)))
		}
		if got := answer(c.last); (got - c.want).Abs() > 2*time.Millisecond {
			t.Errorf("%s: dated %v later, want %v", name, got, c.want)
		}
	}
}
