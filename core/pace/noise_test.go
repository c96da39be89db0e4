package pace_test

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/pace"
)

// TestAMachineThatStopsNowAndThen has the gateway and the platform on machines that
// stand still for a moment, twice a second: what is due meanwhile happens at its
// end. The platform refuses nothing, and is used.
func TestAMachineThatStopsNowAndThen(t *testing.T) {
	for _, freeze := range []time.Duration{20 * time.Millisecond, 40 * time.Millisecond} {
		const rate, lasting = 250, time.Minute
		m := &noisy{l: pace.NewLimiter(core.Pace{PerSecond: rate, Burst: rate / 10}), rate: rate, random: rand.New(rand.NewPCG(5, 6))}
		m.stopNowAndThen(&m.gateway, freeze, noon)
		m.stopNowAndThen(&m.platform, freeze, noon)
		for now := noon; now.Before(after(lasting)); now = now.Add(500 * time.Microsecond) {
			m.tick(now)
		}
		used := float64(len(m.taken)) / lasting.Seconds() / rate
		t.Logf("stops of up to %v: %.4f are used, %d refused", freeze, used, m.refused)
		if used < 0.975 || m.refused > 0 { // the first second is a cold one
			t.Errorf("stops of up to %v: %.4f are used and %d refused, want nearly all and none", freeze, used, m.refused)
		}
	}
}

// noisy is a gateway and a platform that counts strictly, by a clock of their own.
type noisy struct {
	l                 *pace.Limiter
	rate              int
	random            *rand.Rand
	events            events
	gateway, platform time.Time // until when it stands still

	wake, done      time.Time // when the next turn is asked for, and the commit is written
	turned, marking int
	waiting         []*pace.Place

	taken   []time.Time
	refused int
}

func (m *noisy) upTo(most time.Duration) time.Duration {
	return time.Duration(m.random.Int64N(int64(most)))
}

func (m *noisy) stopNowAndThen(who *time.Time, most time.Duration, now time.Time) {
	*who = now.Add(m.upTo(most))
	next := now.Add(time.Duration(m.random.ExpFloat64() * float64(500*time.Millisecond)))
	m.at(next, func(now time.Time) { m.stopNowAndThen(who, most, now) })
}

// tick does what is to be done at a time.
func (m *noisy) tick(now time.Time) {
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
	}
	var kept []*pace.Place
	for _, p := range m.waiting {
		if m.l.Due(p, now).After(now) {
			kept = append(kept, p)
			continue
		}
		m.l.Left(p, now)
		m.at(latest(now.Add(m.upTo(2*time.Millisecond)), m.platform), func(now time.Time) { m.arrive(p, now) })
	}
	m.waiting = kept
}

// arrive is a request at the platform.
func (m *noisy) arrive(p *pace.Place, now time.Time) {
	if n := len(m.taken); n >= m.rate && now.Sub(m.taken[n-m.rate]) < time.Second {
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

func (m *noisy) at(when time.Time, do func(now time.Time)) { heap.Push(&m.events, event{when, do}) }

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
