package inbound_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// poll reads tickets every 30 s until the returned function is called.
func (r *rig) poll() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.in.Poll(ctx, 30*time.Second)
	}()
	return func() { cancel(); <-ended }
}

func TestAgentsNotesArriveOnceAndOurEntriesNever(t *testing.T) {
	inRig(t, func(r *rig) {
		r.in.Poll(context.Background(), 0) // off: it returns at once
		defer r.poll()()
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "Where is it?")
		r.say(ada, "Hello?")
		r.shop.note("T1", "On its way.")
		r.wait(3 * time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "note")
		if got := r.lastText(ada); !strings.Contains(got, "On its way.") {
			t.Errorf("got %q, want the note", got)
		}
		r.shop.note("T1", "It has arrived.")
		r.wait(38 * time.Second) // a reading in 30 s, looked for every quarter of that
		r.wantShown(ada, "thanks", "confirmation", "note", "note")
		r.wantDesk("T1 ada@shop/1001: Where is it?| Hello?")
		r.view(func(tx core.Tx) error {
			events, err := tx.EventsByID("T1/n1", "")
			if len(events) != 1 {
				t.Errorf("got %d events of one note, want 1", len(events))
			}
			return err
		})
	})
}

func TestNoteThatWasPushedIsNotToldAgain(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "Where is it?")
		r.shop.note("T1", "On its way.")
		public := true
		r.do(func(tx *lane.Tx) error {
			return r.intake.Place(tx, core.Event{ID: "pushed", Source: "/shop", Type: core.TicketNoteAdded, Time: time.Now(), Data: core.EventData{
				TicketID: "T1", CustomerUID: "ada@shop", Note: &core.EventNote{ID: "n1", Text: "On its way.", Public: &public},
			}}, 1, time.Now())
		})
		defer r.poll()()
		r.wait(2 * time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "note")
	})
}

func TestClosedTicketClosesTheConversation(t *testing.T) {
	inRig(t, func(r *rig) {
		defer r.poll()()
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first")
		r.shop.setStatus("T1", "closed")
		r.wait(time.Minute)
		read := r.shop.asked("read")
		r.wait(10 * time.Minute)
		if got := r.shop.asked("read"); got-read > 2 {
			t.Errorf("a closed ticket was read %d times in ten minutes, want 2 at the most", got-read)
		}
		r.say(ada, "second")
		r.wantDesk("T1 ada@shop/1001: first", "T2 ada@shop/1001: second")
		// One that is gone is as good as closed.
		r.shop.giveAway("T2")
		r.wait(time.Minute)
		r.say(ada, "third")
		r.wantDesk("T1 ada@shop/1001: first", "T2 nobody/1001: second", "T3 ada@shop/1001: third")
	})
}

// What an agent adds to a closed ticket, or that it is open again, still arrives;
// after a week it is not looked at any more.
func TestAClosedTicketMayGoOn(t *testing.T) {
	inRig(t, func(r *rig) {
		stop := r.poll()
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first")
		for _, change := range []struct {
			make func()
			want string // the last that is shown
		}{
			{func() { r.shop.setStatus("T1", "closed") }, "is closed"},
			{func() { r.shop.note("T1", "One thing more.") }, "One thing more."},
			{func() { r.shop.setStatus("T1", "in_process") }, "We are working on"},
			{func() { r.shop.setStatus("T1", "closed") }, "is closed"},
		} {
			change.make()
			r.wait(6 * time.Minute)
			if got := r.lastText(ada); !strings.Contains(got, change.want) {
				t.Errorf("got %q, want %q", got, change.want)
			}
		}
		stop()
		if got := len(r.texts(ada)); got != 6 {
			t.Errorf("%d were shown, want 6", got)
		}
		r.wait(7 * 24 * time.Hour)
		defer r.poll()()
		read := r.shop.asked("read")
		r.wait(time.Hour)
		if got := r.shop.asked("read"); got != read {
			t.Errorf("a ticket in which the customer wrote a week ago was read %d times more", got-read)
		}
	})
}

// A question that was on its way when its ticket was closed reopens it: the
// agents' answers there must still arrive.
func TestEntryReopensAClosedTicket(t *testing.T) {
	inRig(t, func(r *rig) {
		defer r.poll()()
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first")
		r.shop.script(func(op, _ string) (bool, error) {
			if op == "add" {
				return away("", "")
			}
			return false, nil
		})
		r.say(ada, "second")
		r.shop.setStatus("T1", "closed")
		r.wait(time.Minute)
		r.shop.script(nil)
		r.wait(time.Minute)
		r.shop.note("T1", "Answer.")
		r.wait(time.Minute)
		r.wantDesk("T1 ada@shop/1001: first| second")
		r.wantShown(ada, "thanks", "confirmation", "note")
	})
}

func TestPollingGoesOnAfterTheShopWasAway(t *testing.T) {
	inRig(t, func(r *rig) {
		defer r.poll()()
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "Where is it?")
		r.shop.note("T1", "On its way.")
		r.shop.script(away)
		r.wait(10 * time.Minute)
		r.wantShown(ada, "thanks", "confirmation")
		r.shop.script(nil)
		r.wait(time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "note")
	})
}

func TestTicketThatCannotBeReadDoesNotKeepOthersFromTheirTurn(t *testing.T) {
	inRig(t, func(r *rig) {
		defer r.poll()()
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "one")
		r.link(bob, "bob@shop", "1002")
		r.say(bob, "two")
		want := []string{"thanks", "confirmation"}
		for _, class := range []core.Class{core.Temporary, core.Rejected, core.Misconfigured} {
			r.shop.script(func(op, id string) (bool, error) {
				if op == "read" && id == "T1" {
					return false, &core.ShopError{Class: class, Err: errors.New("broken")}
				}
				return false, nil
			})
			r.shop.note("T2", "Answer while another is "+string(class))
			r.wait(time.Minute)
			want = append(want, "note")
			r.wantShown(bob, want...)
		}
		r.shop.script(nil)
		r.shop.note("T1", "Late answer.")
		r.wait(time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "note")
	})
}

// What has been told is forgotten after a while; a ticket can stay open longer.
func TestOldNoteIsNotToldAgainAfterAPurge(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "Where is it?")
		r.shop.note("T1", "On its way.")
		for range 2 {
			stop := r.poll()
			r.wait(time.Minute)
			stop()
			r.wait(20 * 24 * time.Hour)
		}
		r.do(func(tx *lane.Tx) error {
			_, err := tx.Purge(time.Time{}, time.Time{}, time.Now().Add(-30*24*time.Hour), 1000)
			return err
		})
		defer r.poll()()
		r.wait(time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "note")
	})
}
