package main_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
)

// TestPace: promise 6. Out of the box the platforms' rates are kept before they
// complain, also over a restart.
func TestPace(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *conf) { c.rates = true })
	all := gathering(w, 9)
	const each = 5
	tellAll(w, all, each)
	w.gateway.kill()
	w.startGateway()
	awaitAll(w, all, each)
	w.rest()
	for i, p := range all {
		examine(w, i, p, each, mostRepeats)
	}
	for name, sim := range w.sims {
		if n := sim.Log().TooFast(); n > 0 {
			t.Errorf("%s: got %d requests beyond the platform's rates, want none", name, n)
		}
	}
	calm(w)
}

// TestTermStuck: a platform that does not answer holds up no stop.
func TestTermStuck(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.telegram.Faults().Add(emulator.Fault{Delay: 10 * time.Second, Times: 1})
	w.tell(p, "Stuck")
	w.tell(p, "Behind it")
	eventually(t, "the platform is asked", func() error {
		if w.telegram.Log().Requests() == 0 {
			return errNotYet
		}
		return nil
	})
	begun := time.Now()
	if code := w.gateway.stop(); code != 0 {
		t.Errorf("SIGTERM: got exit code %d, want 0", code)
	}
	t.Logf("stopped in %s", time.Since(begun))
	w.startGateway()
	w.awaitText(telegramName, p, "Behind it")
	w.rest()
	// What was under way may be shown a second time, even late: the platform had it.
	got := strings.Join(w.texts(telegramName, p), ", ")
	if !slices.Contains([]string{"Stuck, Behind it", "Stuck, Stuck, Behind it", "Stuck, Behind it, Stuck"}, got) {
		t.Errorf("got %q, want the one that was stuck, at most twice, and the one behind it", got)
	}
}

var errNotYet = errors.New("not yet")
