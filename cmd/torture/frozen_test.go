package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/core/store/pgtest"
)

// doorkeeper notes when requests came through one replica's door.
type doorkeeper struct {
	mu   sync.Mutex
	came []time.Time
}

func (d *doorkeeper) door(platform http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.came = append(d.came, time.Now())
		d.mu.Unlock()
		platform.ServeHTTP(rw, r)
	})
}

// between counts the requests from one time to another.
func (d *doorkeeper) between(from, to time.Time) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, at := range d.came {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// TestFrozen: promises 1, 2 and 4 over a process that stands still for longer
// than its lease and then goes on where it stood. The others have its work; it
// writes nothing of what it was about to, and sends nothing but what had left.
func TestFrozen(t *testing.T) {
	t.Parallel()
	needsPostgres(t)
	o := short(t, func(o *options) { o.Store, o.Replicas, o.Customers, o.Rate, o.Kills = onPostgres, 3, 36, 50, 0 })
	keeper := &doorkeeper{}
	// Each request takes its time, so that many are under way when it stops.
	w := &world{o: o, begun: time.Now(), door: keeper.door, mood: &mood{wait: hurry, weather: []emulator.Fault{{Delay: 40 * time.Millisecond, DelayMax: 250 * time.Millisecond}}}}
	defer w.close()
	if err := w.open(t.Context(), o.Keep); err != nil {
		if errors.Is(err, pgtest.ErrMissing) && os.Getenv("CI") == "" {
			t.Skipf("SKIPPED, this proves nothing: %v", err)
		}
		t.Fatal(err)
	}
	shut := make(chan struct{})
	go func() {
		defer close(shut)
		w.shop.open(t.Context(), o.Seed, o.Rate)
	}()
	mustCome(t, "the first replica has work", func() error {
		if n := keeper.between(w.begun, time.Now()); n < 30 {
			return fmt.Errorf("%d requests", n)
		}
		return nil
	})
	stopped := time.Now()
	if err := w.replicas[0].freeze(t.Context(), lease+8*time.Second); err != nil {
		t.Fatal(err)
	}
	woken := time.Now()
	w.mischief.cut(stopped)
	mustCome(t, "the first replica has work again", func() error {
		if n := keeper.between(woken, time.Now()); n < 10 {
			return fmt.Errorf("%d requests", n)
		}
		return nil
	})
	close(w.shop.closing)
	<-shut
	if err := w.calmDown(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := w.judge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.print(t.Output())
	if v.bad() || v.found.Accepted < o.Customers {
		t.Errorf("got %d accepted and faults %q and %q, want none", v.found.Accepted, v.faults, v.found.Faults)
	}
	if n := keeper.between(stopped.Add(time.Second), woken); n > 0 {
		t.Errorf("got %d requests of a process that was stopped: the test is no good", n)
	}
	w.wantNoZombie(t, woken)
}

// wantNoZombie checks that what was shown again was shown again by the successor,
// while the process stood still, and that nobody wrote of it but the successor:
// of each part, as many attempts are noted as requests were made.
func (w *world) wantNoZombie(t *testing.T, woken time.Time) {
	t.Helper()
	again := 0
	for _, c := range w.shop.all {
		seen := map[string]bool{}
		for _, s := range w.platforms.sims[c.channel].Log().Shown(c.address) {
			if seen[s.Text] {
				again++
				if s.At.After(woken) {
					t.Errorf("%s %s: shown again %s after it was woken: %.40q", c.channel, c.address, s.At.Sub(woken), s.Text)
				}
			}
			seen[s.Text] = true
		}
	}
	if again == 0 {
		t.Error("got nothing shown again, want some: nothing was under way when it stopped")
	}
	requests, attempts := 0, 0
	for _, c := range w.shop.all {
		if c.channel == telegramName { // it never tells what it has shown, so that each attempt is a request
			requests += len(w.platforms.sims[c.channel].Log().Served(c.address))
		}
	}
	err := w.shop.api.messages(t.Context(), w.replicas[1].internal, "", func(m message) {
		for _, p := range m.Parts {
			if m.Channel == telegramName {
				attempts += len(p.Attempts)
			}
		}
	})
	if err != nil || attempts != requests {
		t.Errorf("got %d attempts for %d requests (%v), want as many: somebody has written what was not theirs", attempts, requests, err)
	}
}

// mustCome tries until there is no error.
func mustCome(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := until(ctx, what, try); err != nil {
		t.Fatal(err)
	}
}
