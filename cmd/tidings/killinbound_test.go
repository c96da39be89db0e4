package main_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestKillWhileTheyWrite: promises 1, 2 and 4 the other way round. Questions
// come in while the power fails: each is one entry of one ticket, in order.
func TestKillWhileTheyWrite(t *testing.T) {
	t.Parallel()
	const writers, texts, kills = 12, 10, 3
	w := start(t, atFullSpeed)
	all := make([]person, writers)
	for i := range all {
		all[i] = w.customer(i)
		w.vouch(telegramName, all[i])
	}
	w.shop.Delay(3 * time.Millisecond)
	for k := range texts {
		for _, p := range all {
			if _, err := w.telegram.Say(t.Context(), p.chats[telegramName], words(k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range kills {
		eventually(t, "some of it has become tickets", func() error {
			if got, want := entries(w), (n+1)*writers*texts/(kills+2); got < want {
				return fmt.Errorf("got %d entries, want %d", got, want)
			}
			return nil
		})
		w.gateway.kill()
		w.startGateway()
	}
	within(t, 2*patience, "everything has become tickets", func() error {
		if got := entries(w); got < writers*texts {
			return fmt.Errorf("got %d entries, want %d", got, writers*texts)
		}
		return nil
	})
	w.quiet()
	var want []string
	for k := range texts {
		want = append(want, words(k))
	}
	for i, p := range all {
		if got := len(w.tickets(p)); got != 1 {
			t.Errorf("customer %d: got %d tickets, want 1", i, got)
			continue
		}
		w.wantEntries(w.tickets(p)[0].ID, want...)
		confirmed := slices.DeleteFunc(w.texts(telegramName, p), func(s string) bool { return s != confirmation })
		if n := len(confirmed); n < 1 || n > 1+kills {
			t.Errorf("customer %d: got %d confirmations, want 1 and at most one more per power cut", i, n)
		}
	}
}

// entries counts what all customers together have in their tickets.
func entries(w *world) (n int) {
	for _, ticket := range w.shop.Tickets() {
		n += len(w.shop.CustomerEntries(ticket.ID))
	}
	return n
}
