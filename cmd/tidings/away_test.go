package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/core/store/pgtest"
)

// outage is a time without a database that can be written.
type outage struct {
	begin, during, end func()
}

// live goes through an outage under load: what comes in meanwhile is refused, so
// that its senders try again, and in the end everything that was accepted has
// been shown once and in order.
func (o outage) live(w *world) {
	w.Helper()
	const customers, each = 9, 16
	all := gathering(w, customers)
	asker := w.customer(customers)
	w.vouch(telegramName, asker)
	for _, sim := range w.sims {
		sim.Faults().Add(emulator.Fault{Delay: 5 * time.Millisecond, DelayMax: 60 * time.Millisecond})
	}
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		tellAll(w, all, each)
	}()
	w.Cleanup(func() { <-posted })
	awaitShown(w, customers*each/4)
	o.begin()
	w.wantEventsRefused()
	asked := w.askUntilRefused(asker)
	o.during()
	o.end()
	<-posted
	awaitAll(w, all, each)
	w.wantEntries(w.ticket(asker, len(asked)).ID, asked...)
	w.rest()
	for i, p := range all {
		examine(w, i, p, each, 0)
	}
	calm(w)
	if code := w.gateway.stop(); code != 0 {
		w.Errorf("SIGTERM: got exit code %d, want 0", code)
	}
}

// wantEventsRefused waits until an event is answered 503. It is a large one, so
// that it needs room.
func (w *world) wantEventsRefused() {
	w.Helper()
	n := 0
	eventually(w.T, "events are refused", func() error {
		n++
		event := cloudEvent(fmt.Sprintf("probe-%d", n), "message.requested", obj{"customerUid": "nobody@example.com", "text": strings.Repeat("Room? ", 2000)})
		status, _, raw, err := w.tryAsk(http.MethodPost, w.api("/v1/events"), event)
		if err != nil || status != http.StatusServiceUnavailable {
			return fmt.Errorf("status %d, %w: %s", status, err, raw)
		}
		return nil
	})
}

// askUntilRefused has a customer write until a webhook is answered 503, and returns
// what they wrote. Where there is no room, a little may still find a place.
func (w *world) askUntilRefused(p person) (asked []string) {
	w.Helper()
	eventually(w.T, "webhooks are refused", func() error {
		all := w.telegram.Webhooks().Attempts()
		if len(all) > 0 && all[len(all)-1].Status == http.StatusServiceUnavailable {
			return nil
		}
		if len(all) < len(asked) {
			return fmt.Errorf("%d of %d have been answered", len(all), len(asked))
		}
		asked = append(asked, fmt.Sprintf("%d: %s", len(asked), strings.TrimSpace(strings.Repeat("Why? ", 600))))
		_, err := w.telegram.Say(w.Context(), p.chats[telegramName], asked[len(asked)-1])
		return errors.Join(err, errors.New("not yet"))
	})
	return asked
}

// wantUnready waits until the gateway says that it is not ready, and why.
func (w *world) wantUnready(why string) {
	w.Helper()
	eventually(w.T, "it is not ready", func() error {
		var got problemAnswer
		status, _, raw := w.ask(http.MethodGet, w.api("/readyz"), nil)
		if status != http.StatusServiceUnavailable {
			return fmt.Errorf("status %d", status)
		}
		if decode(w.T, raw, &got); !strings.Contains(got.Detail, why) {
			w.Errorf("/readyz: got %q, want why: %s", got.Detail, why)
		}
		return nil
	})
}

// wantSilence checks that nothing is sent for a while: what was under way is given
// the time to end first.
func (w *world) wantSilence(d time.Duration) {
	w.Helper()
	count := func() (n int) {
		for _, sim := range w.sims {
			n += sim.Log().Requests()
		}
		return n
	}
	<-time.After(500 * time.Millisecond)
	before := count()
	<-time.After(d)
	if after := count(); after != before {
		w.Errorf("got %d requests while nothing can be written down, want none", after-before)
	}
}

// TestDatabaseAway: promises 1, 2 and 4 over a database that is stopped, or dies,
// and comes back: what is accepted meanwhile is nothing, what is sent is nothing,
// and nothing of before is lost, repeated or out of order.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*pgtest.Server) error{
		"stopped": func(s *pgtest.Server) error { return s.Stop(pgtest.Fast) },
		"killed":  (*pgtest.Server).Kill9,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pg := pgtest.Start(t)
			w := start(t, atFullSpeed, func(c *conf) { c.StoreURL = pg.URL() })
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			outage{
				begin: func() { must(stop(pg)) },
				during: func() {
					w.wantUnready("the database does not answer")
					w.wantSilence(2 * time.Second)
				},
				end: func() { must(pg.Restart(t.Context())) },
			}.live(w)
		})
	}
}
