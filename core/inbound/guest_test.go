package inbound_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/hybris/hybrissim"
	"tidings/core/intake"
	"tidings/core/lane"
)

const (
	guestGUID = "5b2d9c1e-77d0-4c58-9a2e-0f6d3a8e4c11"
	guestUID  = guestGUID + "|ada@shop"
)

// registers has the shop give a guest their account's uid, and nobody told.
func registers(t *testing.T, sim *hybrissim.Sim, to string) {
	t.Helper()
	if err := sim.Rename(context.Background(), guestUID, to); err != nil {
		t.Fatal(err)
	}
}

// A guest who has registered asks on, in the name of the account that their order
// now is; an answer comes, and nobody says that their ticket is closed.
func TestAGuestWhoRegisteredAsksOn(t *testing.T) {
	inShop(t, func(r *rig, sim *hybrissim.Sim) {
		defer r.poll()()
		sell(sim, "1001", guestUID, "Mug")
		r.press(ada, r.offer(guestUID, "1001")["a"].Token)
		r.wait(time.Second)
		r.say(ada, "first")
		r.wait(time.Second)
		registers(t, sim, "ada@shop")
		r.wait(5 * time.Minute)
		r.say(ada, "second")
		r.wait(time.Minute)
		if got := tickets(sim); len(got) != 1 || got[0] != "ada@shop/1001 | first | second" {
			t.Errorf("got %q, want one ticket of the account with both", got)
		}
		if _, err := sim.AddNote(context.Background(), sim.Tickets()[0].ID, "the answer", true, "lou"); err != nil {
			t.Fatal(err)
		}
		r.wait(2 * time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "confirmation", "note")
	})
}

// When the account is gone and its uid somebody else's, who has no order of the
// guest's, nothing is asked or read in their name.
func TestAGuestsAccountThatIsSomebodyElsesIsNotUsed(t *testing.T) {
	inShop(t, func(r *rig, sim *hybrissim.Sim) {
		sell(sim, "1001", guestUID, "Mug")
		r.press(ada, r.offer(guestUID, "1001")["a"].Token)
		r.wait(time.Second)
		registers(t, sim, "ada@shop")
		r.say(ada, "first")
		r.wait(time.Minute)
		if err := sim.Rename(context.Background(), "ada@shop", "ada@new"); err != nil {
			t.Fatal(err)
		}
		sell(sim, "2002", "ada@shop", "Lamp")
		r.say(ada, "second")
		r.wait(10 * time.Minute)
		if got := tickets(sim); len(got) != 1 || got[0] != "ada@new/1001 | first" {
			t.Errorf("got %q, want nothing more than what was asked before", got)
		}
	})
}

// What shows nothing of the account leads into nobody's tickets: the question
// waits, and goes on when the shop tells who the guest has become.
func TestAQuestionWaitsForTheUIDItsCustomerHas(t *testing.T) {
	inShop(t, func(r *rig, sim *hybrissim.Sim) {
		defer r.poll()()
		sell(sim, "1001", guestUID, "Mug")
		r.press(ada, r.offer(guestUID, "")["a"].Token) // no order: nothing says whose the account is
		r.wait(time.Second)
		registers(t, sim, "ada@shop")
		r.say(ada, "first")
		r.wait(10 * time.Minute)
		if got := tickets(sim); len(got) != 0 {
			t.Fatalf("got %q, want no ticket yet", got)
		}
		r.say(ada, "second")
		_, err := r.intake.Accept(context.Background(), []intake.Received{{Event: core.Event{
			ID: "registered", Source: "/shop", Type: core.CustomerRegistered, Time: time.Now(), Site: "site",
			Data: core.EventData{CustomerUID: "ada@shop", PreviousUID: guestUID},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		r.wait(5 * time.Minute)
		if got := tickets(sim); len(got) != 1 || got[0] != "ada@shop/ | first | second" {
			t.Errorf("got %q, want one ticket with both", got)
		}
		for _, s := range r.texts(ada) {
			if strings.Contains(s, "closed") {
				t.Errorf("the customer is told %q", s)
			}
		}
	})
}

// For ever it does not wait.
func TestAQuestionOfNobodyIsGivenUp(t *testing.T) {
	inShop(t, func(r *rig, sim *hybrissim.Sim) {
		sell(sim, "1001", guestUID, "Mug")
		r.press(ada, r.offer(guestUID, "")["a"].Token)
		r.wait(time.Second)
		registers(t, sim, "ada@shop")
		r.say(ada, "first")
		r.wait(time.Minute)
		r.do(func(tx *lane.Tx) error {
			call, err := tx.TicketCall(1)
			if err != nil {
				return err
			}
			call.TriedAt = call.TriedAt.Add(-72 * time.Hour)
			return tx.SaveTicketCall(call)
		})
		r.wait(2 * time.Minute)
		if !strings.Contains(r.log.String(), "the shop refuses a question") {
			t.Error("after 72 hours the question still waits")
		}
	})
}
