package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tidings/channels/emulator"
)

const (
	crowd       = 60 // customers
	tellings    = 25 // messages to each
	mostRepeats = 1  // parts that a crash may show twice, per recipient
)

func atFullSpeed(c *conf) {
	c.Messenger, c.Telegram, c.Slack = paceOff, paceOff, paceOff
}

// badWeather makes the platforms slow, and now and then throttle or fail.
func badWeather(w *world) {
	for _, sim := range w.sims {
		sim.Faults().Add(
			emulator.Fault{Kind: emulator.Throttle, Probability: 0.01, RetryAfter: time.Second},
			emulator.Fault{Kind: emulator.ServerError, Probability: 0.01},
			emulator.Fault{Delay: time.Millisecond, DelayMax: 60 * time.Millisecond},
		)
	}
}

// gathering links many customers, each on one of the channels.
func gathering(w *world, n int) []person {
	w.Helper()
	all := make([]person, n)
	for i := range all {
		all[i] = w.customer(i)
		w.vouch(channelOf(i), all[i])
	}
	return all
}

func channelOf(i int) string { return allChannels[i%len(allChannels)] }

// words is the k-th message to a customer.
func words(k int) string { return fmt.Sprintf("message %d", k) }

// post posts one message until the gateway has taken it.
func post(w *world, p person, k int) error {
	event := cloudEvent(fmt.Sprintf("%s/%d", p.order, k), "message.requested", obj{"customerUid": p.uid, "text": words(k)})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		status, _, body, err := w.tryAsk(http.MethodPost, w.api("/v1/events"), event)
		switch {
		case err == nil && status == http.StatusAccepted:
			return nil
		case err == nil && status != http.StatusServiceUnavailable:
			return fmt.Errorf("event %d: status %d: %s", k, status, body)
		case time.Now().After(end):
			return fmt.Errorf("event %d: still not accepted: status %d, %w", k, status, err)
		}
	}
}

// tellAll posts every customer's messages in their order, those of different
// customers at the same time.
func tellAll(w *world, all []person, each int) {
	w.Helper()
	var busy sync.WaitGroup
	for _, p := range all {
		busy.Go(func() {
			for k := range each {
				if err := post(w, p, k); err != nil {
					w.Error(err)
					return
				}
			}
		})
	}
	busy.Wait()
}

// awaitAll waits until every customer has seen their last message.
func awaitAll(w *world, all []person, each int) {
	w.Helper()
	within(w.T, 2*patience, "everybody sees their last message", func() error {
		for i, p := range all {
			shown := w.shown(channelOf(i), p)
			if len(shown) == 0 || shown[len(shown)-1].Text != words(each-1) {
				return fmt.Errorf("customer %d has %d messages", i, len(shown))
			}
		}
		return nil
	})
}

// examine checks what a customer has seen: every message, in order, and none
// twice but for a number of immediate repeats. It returns how many there were.
func examine(w *world, i int, p person, each, repeats int) int {
	w.Helper()
	got := w.texts(channelOf(i), p)
	once := slices.Compact(slices.Clone(got))
	var want []string
	for k := range each {
		want = append(want, words(k))
	}
	if !slices.Equal(once, want) {
		w.Errorf("%s customer %d: got %s, want 0 to %d in order", channelOf(i), i, numbers(got), each-1)
	}
	if n := len(got) - len(once); n > repeats {
		w.Errorf("%s customer %d: got %d repeats, want at most %d: %s", channelOf(i), i, n, repeats, numbers(got))
	}
	return len(got) - len(once)
}

func numbers(texts []string) string {
	return strings.ReplaceAll(strings.Join(texts, " "), "message ", "")
}

// calm checks that nobody was ever sent two requests at once, or one too early.
func calm(w *world) {
	w.Helper()
	for name, sim := range w.sims {
		log := sim.Log()
		if log.Overlaps() > 0 || log.Early() > 0 || len(log.Rejected()) > 0 {
			w.Errorf("%s: got %d requests to a recipient with another under way, %d before a Retry-After had passed, and refused %+v; want none",
				name, log.Overlaps(), log.Early(), log.Rejected())
		}
	}
}

// TestLoad: promises 2, 4 and 6 under load and in bad weather.
func TestLoad(t *testing.T) {
	w := start(t, atFullSpeed, func(c *conf) { c.messengersim.Seed = 7 })
	all := gathering(w, crowd)
	badWeather(w)
	begun := time.Now()
	tellAll(w, all, tellings)
	accepted := time.Since(begun)
	awaitAll(w, all, tellings)
	t.Logf("%d messages accepted in %s and shown in %s", crowd*tellings, accepted, time.Since(begun))
	w.rest()
	w.settle()
	injected := 0
	for i, p := range all {
		examine(w, i, p, tellings, 0)
	}
	for _, sim := range w.sims {
		injected += sim.Log().Injected()
	}
	if injected == 0 {
		t.Error("got no fault at all, want some: the test shows nothing")
	}
	calm(w)
	wantStates(w, map[string]int{"sent": crowd * tellings})
}

// wantStates compares the messages by state; delivered and read ones are sent.
func wantStates(w *world, want map[string]int) {
	w.Helper()
	got := map[string]int{}
	for cursor := ""; ; {
		var page messageList
		w.want(http.StatusOK, http.MethodGet, "/v1/messages?limit=200&cursor="+cursor, nil, &page)
		for _, m := range page.Items {
			if m.State == "delivered" || m.State == "read" {
				m.State = "sent"
			}
			got[m.State]++
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if !maps.Equal(got, want) {
		w.Errorf("got messages %v, want %v", got, want)
	}
}

// TestTerm: a stop under load ends well, and nothing is lost or repeated.
func TestTerm(t *testing.T) {
	w := start(t, atFullSpeed)
	all := gathering(w, 30)
	for _, sim := range w.sims {
		sim.Faults().Add(emulator.Fault{Delay: 5 * time.Millisecond, DelayMax: 80 * time.Millisecond})
	}
	const stops, each = 3, 12
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		tellAll(w, all, each)
	}()
	for n := range stops {
		awaitShown(w, (n+1)*30*each/(stops+2))
		begun := time.Now()
		if code := w.gateway.stop(); code != 0 {
			t.Fatalf("SIGTERM: got exit code %d, want 0:\n%s", code, tail(w.gateway.log(), 2000))
		}
		t.Logf("stopped in %s", time.Since(begun))
		w.startGateway()
	}
	<-posted
	awaitAll(w, all, each)
	w.rest()
	for i, p := range all {
		examine(w, i, p, each, 0)
	}
	calm(w)
}

// awaitShown waits until the platforms together show a number of messages.
func awaitShown(w *world, n int) {
	w.Helper()
	eventually(w.T, fmt.Sprintf("%d messages are shown", n), func() error {
		shown := 0
		for _, sim := range w.sims {
			shown += len(sim.Log().All())
		}
		if shown < n {
			return fmt.Errorf("got %d", shown)
		}
		return nil
	})
}

// TestKill: promises 1, 2 and 4 over power cuts in the middle of the work.
func TestKill(t *testing.T) {
	w := start(t, atFullSpeed)
	all := gathering(w, 30)
	for _, sim := range w.sims {
		sim.Faults().Add(emulator.Fault{Delay: 5 * time.Millisecond, DelayMax: 80 * time.Millisecond})
	}
	const kills, each = 5, 20
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		tellAll(w, all, each)
	}()
	for n := range kills {
		awaitShown(w, (n+1)*30*each/(kills+2))
		w.gateway.kill()
		w.startGateway()
		t.Logf("ready again in %s", w.gateway.readyIn)
	}
	<-posted
	awaitAll(w, all, each)
	w.rest()
	repeats := 0
	for i, p := range all {
		repeats += examine(w, i, p, each, kills*mostRepeats)
	}
	t.Logf("%d of %d messages were shown again after %d kills", repeats, 30*each, kills)
	calm(w)
}

// TestSecondProcess: a database has one owner.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	w := start(t)
	first, before := w.gateway, w.conf
	w.conf.Listen, w.conf.Internal = freeAddress(t), freeAddress(t)
	w.writeConfig()
	w.conf = before
	exit, _, stderr := tidings(t, "serve", "--config", w.configPath())
	if pid := strconv.Itoa(first.cmd.Process.Pid); exit != 2 || !strings.Contains(stderr, pid) {
		t.Errorf("got exit code %d and %q, want 2 and the owner's pid %s", exit, stderr, pid)
	}
	if err := first.cmd.Process.Signal(syscall.Signal(0)); err != nil || first.ended() {
		t.Errorf("the owner has ended: %v", err)
	}
}
