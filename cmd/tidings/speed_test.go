package main_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The figures that are to be reached, and what a busy machine may add to them
// before a test fails.
const (
	readyGoal    = 300 * time.Millisecond
	latencyGoal  = 10 * time.Millisecond
	residentGoal = 50 << 10 // KiB
	busyFactor   = 5
)

// TestSpeed: ready soon, small when idle, and an event reaches its platform at once.
func TestSpeed(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("figures need a quiet machine and a binary without the race detector")
	}
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(telegramName, p)
	var starts []time.Duration
	for range 5 {
		if code := w.gateway.stop(); code != 0 {
			t.Fatalf("SIGTERM: got exit code %d, want 0", code)
		}
		w.startGateway()
		starts = append(starts, w.gateway.readyIn)
	}
	check := func(what string, got, goal time.Duration) {
		t.Logf("%s: %s (goal %s)", what, got, goal)
		if got > busyFactor*goal {
			t.Errorf("%s: got %s, want %s", what, got, goal)
		}
	}
	check("ready after a start, median of 5", median(starts), readyGoal)
	idle := resident(t, w.gateway)
	t.Logf("resident when idle: %d KiB (goal %d KiB)", idle, residentGoal)
	if idle > residentGoal {
		t.Errorf("resident when idle: got %d KiB, want %d KiB", idle, residentGoal)
	}
	var latencies []time.Duration
	for n := range 200 {
		latencies = append(latencies, latency(w, p, n))
	}
	check("from an event's post to its platform, median of 200", median(latencies), latencyGoal)
	t.Logf("the slowest twentieth: %s and more; resident then: %d KiB", latencies[len(latencies)*19/20], resident(t, w.gateway))
}

// latency posts an event and waits until the platform has shown it.
func latency(w *world, p person, n int) time.Duration {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	begun := time.Now()
	w.tell(p, words(n))
	all, err := w.telegram.Log().Await(ctx, p.chats[telegramName], n+1)
	if err != nil {
		w.Fatal(err)
	}
	return all[n].At.Sub(begun)
}

// median sorts, too.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// resident is how much memory a process holds, in KiB.
func resident(t *testing.T, p *process) (kib int) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skipf("this system does not tell: %v", err)
	}
	_, after, _ := strings.Cut(string(raw), "\nVmRSS:")
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
