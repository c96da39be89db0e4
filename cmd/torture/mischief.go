package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"tidings/cmd/torture/history"
)

// mischief is who kills what, and the record of it.
type mischief struct {
	o        options
	replicas []*replica
	db       database

	mu        sync.Mutex
	left      int            // blows still to be dealt
	blows     map[string]int // by signal
	restarts  int
	failovers int
	cuts      []history.Cut
	faults    []string
}

// begin deals all blows and returns when every replica runs again.
func (m *mischief) begin(ctx context.Context) {
	m.left, m.blows = m.o.Kills, map[string]int{}
	var all sync.WaitGroup
	for i, r := range m.replicas {
		random := rand.New(rand.NewPCG(m.o.Seed, uint64(i)+1_000_000))
		all.Go(func() { m.harass(ctx, r, random) })
	}
	all.Go(func() { m.failOver(ctx) })
	all.Wait()
}

// harass deals blows to one replica until there are none left for anybody.
func (m *mischief) harass(ctx context.Context, r *replica, random *rand.Rand) {
	for m.take() && ctx.Err() == nil {
		rest(ctx, between(random, 0, m.o.Gap))
		if r.ended() {
			m.faultf("%s ended by itself with exit code %d: %s", r.name, r.cmd.ProcessState.ExitCode(), r.tail())
			m.restart(ctx, r, random)
		}
		signal := m.o.Signals[random.IntN(len(m.o.Signals))]
		m.deal(ctx, r, signal, random)
		m.mu.Lock()
		m.blows[signal]++
		m.mu.Unlock()
	}
	if err := r.ready(ctx); err != nil && ctx.Err() == nil {
		m.faultf("%v: %s", err, r.tail())
	}
}

// deal deals one blow, and starts the replica again where it takes that.
func (m *mischief) deal(ctx context.Context, r *replica, signal string, random *rand.Rand) {
	from := time.Now()
	switch signal {
	case "KILL":
		r.kill()
		m.cut(from)
	case "TERM":
		// A stop in good order excuses nothing.
		if err := r.stop(); err != nil {
			m.faultf("%v: %s", err, r.tail())
			m.cut(from)
		}
	case "STOP":
		if err := r.freeze(ctx, m.pause(random)); err != nil {
			m.faultf("%s: %v", r.name, err)
		}
		m.cut(from)
		return
	}
	m.restart(ctx, r, random)
}

// pause is how long a SIGSTOP lasts: mostly not long enough to lose a lease.
func (m *mischief) pause(random *rand.Rand) time.Duration {
	const shortest = 100 * time.Millisecond
	if random.IntN(4) == 0 {
		return between(random, m.o.Pause*2/3, m.o.Pause)
	}
	return between(random, shortest, max(shortest, m.o.Pause/6))
}

// restart starts a replica; one in eight times the next blow does not wait until
// it is ready.
func (m *mischief) restart(ctx context.Context, r *replica, random *rand.Rand) {
	m.mu.Lock()
	m.restarts++
	m.mu.Unlock()
	if err := r.start(); err != nil {
		m.faultf("%s: %v", r.name, err)
		return
	}
	if random.IntN(8) == 0 {
		return
	}
	if err := r.ready(ctx); err != nil && ctx.Err() == nil {
		m.faultf("%v: %s", err, r.tail())
	}
}

// failOver kills the primary database at even distances between the blows.
func (m *mischief) failOver(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := range m.o.Failovers {
		for at := m.o.Kills * (n + 1) / (m.o.Failovers + 1); m.dealt() < at; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		from := time.Now()
		err := m.db.failover(ctx)
		m.cut(from)
		if err == nil {
			m.mu.Lock()
			m.failovers++
			m.mu.Unlock()
			m.o.Log("failover %d of %d: writable again after %s", n+1, m.o.Failovers, time.Since(from).Round(time.Millisecond))
			err = m.db.rejoin(ctx)
		}
		if err != nil {
			m.faultf("failover: %v", err)
			return
		}
	}
}

func (m *mischief) take() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left--
	return m.left >= 0
}

func (m *mischief) dealt() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.o.Kills - max(m.left, 0)
}

func (m *mischief) cut(from time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cuts = append(m.cuts, history.Cut{From: from, To: time.Now()})
}

func (m *mischief) faultf(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return least + time.Duration(random.Int64N(int64(most-least)))
}
