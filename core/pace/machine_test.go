package pace_test

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/pace"
)

// Promise 6: what a platform allows is used, and the platform, which counts
// arrivals in every second, never has to refuse one.
func TestAPlatformIsUsedToTheFullAndNeverBeyond(t *testing.T) {
	for _, p := range []core.Pace{
		{PerSecond: 5, Burst: 5}, {PerSecond: 30, Burst: 1}, {PerSecond: 250, Burst: 25}, {PerSecond: 1000, Burst: 100},
	} {
		m := newMachines(p, 5*time.Millisecond)
		m.wantUsed(t, 0.98)
	}
}

// Also where gateway and platform stand still for a moment, twice a second: what is
// due meanwhile happens at its end, and a platform then counts later than we think.
func TestMachinesThatStopNowAndThen(t *testing.T) {
	for _, stop := range []time.Duration{20 * time.Millisecond, 40 * time.Millisecond} {
		m := newMachines(core.Pace{PerSecond: 250, Burst: 25}, 2*time.Millisecond)
		m.stopNowAndThen(&m.gateway, stop, noon)
		m.stopNowAndThen(&m.platform, stop, noon)
		m.wantUsed(t, 0.98)
	}
}

// machines are a gateway and a platform that counts strictly, by a clock of their
// own. What is between a turn and the platform: a clock that wakes late, a commit
// that many share, a way that is now longer, now shorter.
type machines struct {
	l                 *pace.Limiter
	pace              core.Pace
	way               time.Duration // by how much it differs, at the most
	random            *rand.Rand
	events            events
	gateway, platform time.Time // until when it stands still

	wake    time.Time // when the next turn is asked for
	done    time.Time // when the commit under way is written
	marking int       // in it
	turned  int       // waiting for the next one
	waiting []*pace.Place

	taken   []time.Time
	refused int
}

func newMachines(p core.Pace, way time.Duration) *machines {
	return &machines{l: pace.NewLimiter(p), pace: p, way: way, random: rand.New(rand.NewPCG(3, 4))}
}

// wantUsed has a minute pass, of which the platform is to be used without the
// first seconds, and to refuse nothing.
func (m *machines) wantUsed(t *testing.T, least float64) {
	t.Helper()
	const warm, lasting = 2 * time.Second, time.Minute
	for now := noon; now.Before(after(lasting)); now = now.Add(500 * time.Microsecond) {
		m.tick(now)
	}
	n := 0
	for _, at := range m.taken {
		if at.After(after(warm)) {
			n++
		}
	}
	used := float64(n) / (lasting - warm).Seconds() / m.pace.PerSecond
	t.Logf("%v/s: %.4f are used", m.pace.PerSecond, used)
	if used < least || m.refused > 0 {
		t.Errorf("%v/s: %.4f are used and %d refused, want at least %v and none", m.pace.PerSecond, used, m.refused, least)
	}
}

func (m *machines) upTo(most time.Duration) time.Duration {
	return time.Duration(m.random.Int64N(int64(most)))
}

func (m *machines) stopNowAndThen(who *time.Time, most time.Duration, now time.Time) {
	*who = now.Add(m.upTo(most))
	next := now.Add(time.Duration(m.random.ExpFloat64() * float64(500*time.Millisecond)))
	m.at(next, func(now time.Time) { m.stopNowAndThen(who, most, now) })
}

// tick does what is to be done at a time.
func (m *machines) tick(now time.Time) {
	for len(m.events) > 0 && !m.events[0].at.After(now) {
		e := heap.Pop(&m.events).(event)
		e.do(e.at)
	}
	if m.gateway.After(now) {
		return
	}
	for !now.Before(m.wake) {
		ok, at, _ := m.l.Take("", now)
		if !ok {
			m.wake = at.Add(m.upTo(1500 * time.Microsecond))
			break
		}
		m.turned++
	}
	if !now.Before(m.done) {
		for range m.marking {
			m.waiting = append(m.waiting, m.l.Leave(now))
		}
		m.marking, m.turned = m.turned, 0
		m.done = now.Add(time.Millisecond + m.upTo(8*time.Millisecond))
		if m.random.IntN(2000) == 0 {
			m.done = now.Add(150 * time.Millisecond) // a disk that hangs
		}
	}
	var kept []*pace.Place
	for _, p := range m.waiting {
		if m.l.Due(p, now).After(now) {
			kept = append(kept, p)
			continue
		}
		m.l.Left(p, now)
		m.at(latest(now.Add(10*time.Millisecond+m.upTo(m.way)), m.platform), func(now time.Time) { m.arrive(p, now) })
	}
	m.waiting = kept
}

// arrive is a request at the platform.
func (m *machines) arrive(p *pace.Place, now time.Time) {
	rate := int(m.pace.PerSecond)
	if n := len(m.taken); n >= rate && now.Sub(m.taken[n-rate]) < time.Second {
		m.refused++
		m.at(now.Add(time.Millisecond), func(now time.Time) { m.l.Refused(p, now) })
		return
	}
	m.taken = append(m.taken, now)
	m.at(now.Add(200*time.Millisecond+m.upTo(2*time.Millisecond)), func(now time.Time) {
		m.at(latest(now, m.gateway), func(now time.Time) { m.l.Answered(p, now) })
	})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (m *machines) at(when time.Time, do func(now time.Time)) { heap.Push(&m.events, event{when, do}) }

// event is something that happens at a time; events are a heap of them.
type event struct {
	at time.Time
	do func(now time.Time)
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
