package inbound_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

func TestWhichOrderAQuestionIsAbout(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		older := r.report("ada@shop", "1002")
		r.report("ada@shop", "AB-1003")
		r.link(bob, "bob@shop", "")
		foreign := r.report("bob@shop", "6660")
		about := map[string]string{}
		for _, x := range []struct{ text, replyTo, want string }{
			{"the last told", "", "AB-1003"},
			{"an answer to an older message", older, "1002"},
			{"an answer counts more than a code such as 1001", older, "1002"},
			{"a code: (#1001)!", "", "1001"},
			{"in small letters, ab-1003", "", "AB-1003"},
			{"not a part of a word: 10012 x1001", "", "AB-1003"},
			{"a stranger's code, 6660", "", "AB-1003"},
			{"an answer to a stranger's message", foreign, "AB-1003"},
			{"an answer to something unknown", "a-999", "AB-1003"},
		} {
			r.accept(ada, core.Update{Kind: core.UpdateText, Text: x.text, ReplyTo: x.replyTo})
			r.report("ada@shop", "AB-1003") // told before: it changes nothing
			about[x.text] = x.want
		}
		for _, ticket := range r.shop.desk() {
			head, texts, _ := strings.Cut(ticket, ": ")
			for _, text := range strings.Split(texts, "| ") {
				if want := " ada@shop/" + about[text]; !strings.HasSuffix(head, want) {
					t.Errorf("%q: got %q, want %q", text, head, want)
				}
				delete(about, text)
			}
		}
		if len(about) > 0 {
			t.Errorf("never reached the shop: %v", about)
		}
	})
}

// The customer asks about an order of which nothing has been told in any chat:
// the shop knows whose it is.
func TestOrderNamedThatOnlyTheShopKnows(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.order("AB-1002", "ada@shop")
		r.order("6660", "bob@shop")
		r.say(ada, "Is 6660 mine?")
		r.wait(time.Hour)
		r.say(ada, "I mean AB-1002, of 2026")
		r.wantDesk("T1 ada@shop/1001: Is 6660 mine?", "T2 ada@shop/AB-1002: I mean AB-1002, of 2026")
		r.wait(time.Hour)
		r.order("1003", "ada@shop")
		r.shop.script(away)
		r.say(ada, "And 1003?") // confirmed all the same
		r.wantShown(ada, "thanks", "confirmation", "confirmation", "confirmation")
	})
}

func TestAnswerToAConfirmationIsAboutItsOrder(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.report("ada@shop", "1002")
		r.say(ada, "Where is 1001?")
		all := r.platforms["a"].to("ada")
		r.report("ada@shop", "1003")
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "Still nothing", ReplyTo: all[len(all)-1].id})
		r.wantDesk("T1 ada@shop/1001: Where is 1001?| Still nothing")
	})
}

func TestOneConfirmationPerBurst(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "one")
		for range 3 {
			r.wait(59 * time.Second)
			r.say(ada, "more")
		}
		r.wantShown(ada, "thanks", "confirmation")
		r.wait(time.Minute)
		r.say(ada, "again")
		r.wantShown(ada, "thanks", "confirmation", "confirmation")
		r.wantDesk("T1 ada@shop/1001: one| more| more| more| again")
		// Another chat of theirs is another burst, of the same conversation.
		b := who{"b", "ada"}
		r.link(b, "ada@shop", "1001")
		r.say(b, "and here")
		r.wantShown(b, "thanks", "confirmation")
		r.wantDesk("T1 ada@shop/1001: one| more| more| more| again| and here")
	})
}

func TestConversationEndsAfterSevenIdleDays(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first")
		r.wait(7*24*time.Hour - time.Minute)
		r.say(ada, "second")
		r.wait(7 * 24 * time.Hour)
		r.say(ada, "third")
		r.wantDesk("T1 ada@shop/1001: first| second", "T2 ada@shop/1001: third")
	})
}

func TestTwoOrdersAreTwoConversations(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.report("ada@shop", "1002")
		r.say(ada, "1001 is too big")
		r.say(ada, "1002 is too small")
		r.say(ada, "1001 is fine after all")
		r.wantDesk("T1 ada@shop/1001: 1001 is too big| 1001 is fine after all", "T2 ada@shop/1002: 1002 is too small")
		r.wantShown(ada, "thanks", "Your order 1002 is on its way.", "confirmation")
	})
}

// In the other chat nothing was told of any order: what is written there is the
// same conversation, and so is what answers its confirmation.
func TestConversationFollowsTheCustomerToAnotherChat(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "first here")
		b := who{"b", "ada"}
		r.link(b, "ada@shop", "")
		r.say(b, "now here")
		all := r.platforms["b"].to("ada")
		r.accept(b, core.Update{Kind: core.UpdateText, Text: "and more", ReplyTo: all[len(all)-1].id})
		r.wantDesk("T1 ada@shop/1001: first here| now here| and more")
		r.wait(7*24*time.Hour + time.Minute)
		r.say(b, "something else")
		r.wantDesk("T1 ada@shop/1001: first here| now here| and more", "T2 ada@shop/1001: something else")
	})
}

func TestFirstAndSecondQuestionAtOnceMakeOneTicket(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		var both []core.Update
		for _, text := range []string{"first", "second"} {
			both = append(both, core.Update{ID: text, Kind: core.UpdateText, Text: text, From: core.Address{Value: "ada"}})
		}
		if err := r.in.Accept(context.Background(), "a", both); err != nil {
			t.Fatal(err)
		}
		r.wait(time.Second)
		r.wantDesk("T1 ada@shop/1001: first| second")
	})
}

func TestMediaEditsAndLongTextsAreSaidInTheTicket(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "")
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "Look:", Media: []core.Media{
			{Kind: "image", URL: "https://cdn.example/1.jpg"}, {Kind: "location", Name: "Home", Text: "38.7, -9.1"}, {Kind: "audio", ID: "x"},
		}})
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: " \n", Media: []core.Media{{Kind: "file", Name: "bill.pdf"}}})
		r.accept(ada, core.Update{Kind: core.UpdateEdited, Text: "Look here:"})
		r.accept(ada, core.Update{Kind: core.UpdateEdited, Text: "  "})
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "\u00a0 \n"})
		r.wantDesk("T1 ada@shop/: Look:\n[image: https://cdn.example/1.jpg]\n[location: Home: 38.7, -9.1]\n[audio]|" +
			" [file: bill.pdf]| [Edited] Look here:")

		r.link(bob, "bob@shop", "")
		long := strings.TrimSpace(strings.Repeat("seven 🫖 ", 1500))
		r.say(bob, long)
		joined := ""
		r.shop.mu.Lock()
		for _, e := range r.shop.tickets[1].Entries {
			joined += e.Text + " "
		}
		r.shop.mu.Unlock()
		if n := len(r.shop.tickets[1].Entries); joined != long+" " || n != 3 {
			t.Errorf("got %d entries, %d bytes; want 3 and %d", n, len(joined), len(long))
		}
	})
}

func TestWithoutTicketsNothingIsPromised(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "")
		r.in.Desk = nil
		r.say(ada, "My secret question")
		r.wantShown(ada, "thanks")
		r.wantDesk()
		if got := r.log.String(); strings.Contains(got, "secret") {
			t.Errorf("the log tells what a customer wrote:\n%s", got)
		}
	})
}
