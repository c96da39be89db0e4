package inbound_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

// once fails the first call of a kind.
func once(op string, effect bool, err error) func(string, string) (bool, error) {
	return func(o, _ string) (bool, error) {
		if o == op && err != nil {
			failed := err
			err = nil
			return effect, failed
		}
		return false, nil
	}
}

func uncertain() error {
	return &core.ShopError{Class: core.Uncertain, Status: 502, Err: errors.New("no answer")}
}

func TestFirstQuestionMakesTheTicketAndTheNextJoin(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first")
		r.say(ada, "second")
		r.wantDesk("T1 ada@shop/1001: first| second")
		subject := r.shop.tickets[0].Subject
		if !strings.HasPrefix(subject, "Order 1001: question by chat (a) [T1-") {
			t.Errorf("got subject %q", subject)
		}
	})
}

func TestQuestionsKeepTheirOrderWhileTheShopIsAway(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.shop.script(away)
		r.say(ada, "first")
		r.wantShown(ada, "thanks", "confirmation") // at once all the same
		r.wait(30 * time.Minute)
		r.say(ada, "second")
		r.say(ada, "third")
		tried := r.shop.asked("create")
		if tried < 60 || tried > 140 {
			t.Errorf("got %d tries in half an hour, want one every 15 to 30 s", tried)
		}
		r.shop.script(func(string, string) (bool, error) { // nor does a shop that locks us out lose anything
			return false, &core.ShopError{Class: core.Misconfigured, Status: 401, Err: errors.New("no")}
		})
		r.wait(10 * time.Minute)
		r.wantDesk()
		r.shop.script(nil)
		r.wait(time.Minute)
		r.wantDesk("T1 ada@shop/1001: first| second| third")
	})
}

func TestTicketMadeWithoutAnAnswerIsFoundByItsReference(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(bob, "bob", "")
		r.shop.script(once("create", false, uncertain()))
		r.say(bob, "zero") // not made at all: there is nothing to find
		r.wait(time.Minute)
		r.shop.script(nil)
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first")
		r.wait(8 * 24 * time.Hour)
		r.shop.script(once("create", true, uncertain()))
		r.say(ada, "second") // a conversation of its own: the older ticket is not it
		r.say(ada, "third")
		r.wait(time.Minute)
		r.wantDesk("T1 bob/: zero", "T2 ada@shop/1001: first", "T3 ada@shop/1001: second| third")
		if got := r.shop.asked("list"); got != 2 {
			t.Errorf("got %d looks for a ticket, want 2", got)
		}
	})
}

func TestEntryAddedWithoutAnAnswerIsFoundByItsText(t *testing.T) {
	inRig(t, func(r *rig) {
		for _, x := range []struct {
			w       who
			arrived bool
		}{{ada, true}, {bob, false}} {
			r.link(x.w, x.w.address, "")
			r.say(x.w, "Hello?")
			r.wait(time.Hour)
			r.shop.script(once("add", x.arrived, uncertain()))
			r.say(x.w, "Hello?") // the one of an hour ago is not it
			r.say(x.w, "last")
			r.wait(time.Minute)
		}
		r.wantDesk("T1 ada/: Hello?| Hello?| last", "T2 bob/: Hello?| Hello?| last")
	})
}

// An impatient customer says the same again at once, and it gets lost on its
// way: the one before is not it.
func TestLostEntryIsNotTakenForTheSameTextBefore(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada", "")
		for range 2 {
			r.say(ada, "Hello?")
		}
		r.shop.script(once("add", false, uncertain()))
		r.say(ada, "Hello?") // lost
		r.wait(10 * time.Second)
		r.shop.script(once("add", true, uncertain()))
		r.say(ada, "Hello?") // taken, although nobody told us
		r.say(ada, "last")
		r.wait(10 * time.Second)
		r.wantDesk("T1 ada/: Hello?| Hello?| Hello?| Hello?| last")
	})
}

// A worker that dies in the middle of a call leaves what a killed process
// leaves: a mark, and no answer.
func TestCallUnderWayWhenItsWorkerDiedIsLookedForFirst(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada", "")
		for _, op := range []string{"create", "add"} {
			died := false
			r.shop.script(func(o, _ string) (bool, error) {
				if o != op || died {
					return false, nil
				}
				died = true
				return true, errDied
			})
			r.say(ada, "dies at "+op)
			r.wait(time.Minute)
		}
		r.say(ada, "last")
		r.wantDesk("T1 ada/: dies at create| dies at add| last")
		// What an entry has made of its ticket is read behind each.
		if list, read := r.shop.asked("list"), r.shop.asked("read")-3; list != 1 || read != 1 {
			t.Errorf("got %d and %d looks, want 1 and 1", list, read)
		}
	})
}

func TestOrderTheShopRefusesGivesATicketWithoutIt(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.order("1001", "somebody@else")
		r.say(ada, "Where is it?")
		r.wantDesk("T1 ada@shop/: Where is it?")
	})
}

func TestRefusedEntryFailsVisiblyAndTheLaneGoesOn(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		refusal := &core.ShopError{Class: core.Rejected, Type: "ValidationError", Status: 400, Err: errors.New("refused")}
		r.shop.script(once("create", false, refusal))
		r.say(ada, "my bad words")
		r.say(ada, "good words")
		r.wantDesk("T1 ada@shop/1001: good words")
		r.view(func(tx core.Tx) error {
			call, err := tx.TicketCall(1)
			if err == nil && (call.State != "failed" || call.Why == "" || call.Text != "my bad words") {
				t.Errorf("got %+v, want it failed, with its text and why", call)
			}
			return err
		})
		got := r.log.String()
		if !strings.Contains(got, "the shop refuses a question") {
			t.Errorf("got no error in the log:\n%s", got)
		}
		if strings.Contains(got, "words") || strings.Contains(got, "ada") {
			t.Errorf("the log tells of people:\n%s", got)
		}
	})
}

func TestShopsOwnWaitIsObeyed(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		throttled := &core.ShopError{Class: core.Throttled, Status: 429, RetryAfter: 10 * time.Minute, Err: errors.New("slow down")}
		r.shop.script(once("create", false, throttled))
		r.say(ada, "first")
		r.wait(10*time.Minute - time.Second)
		if got := r.shop.asked("create"); got != 1 {
			t.Errorf("got %d tries before the time, want 1", got)
		}
		r.wait(2 * time.Second)
		r.wantDesk("T1 ada@shop/1001: first")
	})
}

func TestEntryOfATicketThatIsGoneMakesANewOne(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first")
		r.shop.giveAway("T1")
		r.say(ada, "second")
		r.say(ada, "third")
		r.wantDesk("T1 nobody/1001: first", "T2 ada@shop/1001: second| third")
	})
}

func TestOneCustomersTroubleIsNobodyElses(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.link(bob, "bob@shop", "1002")
		r.shop.script(func(_, text string) (bool, error) {
			if text == "from ada" {
				return away("", "")
			}
			return false, nil
		})
		r.say(ada, "from ada")
		r.say(bob, "from bob")
		r.wantDesk("T1 bob@shop/1002: from bob")
	})
}
