package inbound_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/inbound"
	"tidings/core/seal"
)

func TestTokenLinksAndThanksWithTheOrder(t *testing.T) {
	inRig(t, func(r *rig) {
		r.order("1001", "ada@shop")
		r.press(ada, r.offer("ada@shop", "1001")["a"].Token)
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.wantShown(ada, "thanks")
		if got := r.lastText(ada); !strings.Contains(got, "1001") || !strings.Contains(got, "Mug") {
			t.Errorf("got %q, want the order's summary", got)
		}
	})
}

func TestCodeLinksHoweverItIsTyped(t *testing.T) {
	inRig(t, func(r *rig) {
		for i, typed := range []func(code string) string{
			func(c string) string { return c },
			strings.ToLower,
			func(c string) string { return " " + c[:4] + " " + c[4:8] + " " + c[8:] + "\n" },
			func(c string) string { return strings.ToLower(c[:4] + "-" + c[4:8] + "-" + c[8:]) },
			func(c string) string { return strings.NewReplacer("0", "o", "1", "l").Replace(c) },
			func(c string) string { return "/link " + c },
			func(c string) string { return "Link " + c[:4] + " " + c[4:] },
		} {
			w, uid := who{"code", string(rune('k' + i))}, string(rune('K'+i))+"@shop"
			r.say(w, typed(r.offer(uid, "")["code"].Code))
			r.wantLink(w, uid, core.LinkActive)
			r.wantShown(w, "thanks")
		}
		// The same by a command or a plugin that hands over what was typed.
		w := who{"code", "z"}
		r.press(w, strings.ToLower(r.offer("z@shop", "")["code"].Code))
		r.wantLink(w, "z@shop", core.LinkActive)
	})
}

func TestReferenceThatDoesNotCountLinksNothingAndTellsNothing(t *testing.T) {
	inRig(t, func(r *rig) {
		r.order("1001", "ada@shop")
		offer := r.offer("ada@shop", "1001", "a", "code")
		narrow := r.offer("cem@shop", "", "a")
		used := r.offer("dan@shop", "", "a", "code")
		r.press(who{"a", "dan"}, used["a"].Token)
		r.say(who{"code", "dan"}, used["code"].Code)
		strange := newKeys(t, keys[1]).Seal(seal.Ref{ID: 1, Expires: time.Now().Add(time.Hour), Channel: "a", Purpose: "order_updates"})
		other := newKeys(t, keys[0]).Seal(seal.Ref{ID: 1, Expires: time.Now().Add(time.Hour), Channel: "a", Purpose: "newsletter"})
		gone := newKeys(t, keys[0]).Seal(seal.Ref{ID: 999, Expires: time.Now().Add(time.Hour), Channel: "a", Purpose: "order_updates"})

		texts := map[string]bool{}
		for i, x := range []struct {
			what, channel, ref string
			typed              bool
		}{
			{"another channel's token", "b", offer["a"].Token, false},
			{"a token of a channel that was not offered", "b", narrow["a"].Token, false},
			{"an altered token", "a", "x" + offer["a"].Token[1:], false},
			{"a token sealed by a stranger", "a", strange, false},
			{"a token for another purpose", "a", other, false},
			{"a token for no offer", "a", gone, false},
			{"a used token", "a", used["a"].Token, false},
			{"nonsense", "a", "ref", false},
			{"another channel's code", "a", offer["code"].Code, true},
			{"another channel's code, handed over", "a", offer["code"].Code, false},
			{"a wrong code", "code", "7K9P2MXQ4T8Z", true},
			{"a wrong code, handed over", "code", "7K9P-2MXQ-4T8Z", false},
			{"a used code", "code", used["code"].Code, true},
			{"a used code, handed over", "code", used["code"].Code, false},
		} {
			w := who{x.channel, string(rune('p' + i))}
			if x.typed {
				r.say(w, x.ref)
			} else {
				r.press(w, x.ref)
			}
			r.wantUnlinked(w)
			r.wantShown(w, "invalid")
			texts[strings.Join(r.texts(w), "\n")] = true
		}
		r.wait(24 * time.Hour)
		for i, ref := range []string{offer["a"].Token, offer["code"].Code} {
			w := who{[]string{"a", "code"}[i], "late"}
			r.press(w, ref)
			r.wantUnlinked(w)
			texts[strings.Join(r.texts(w), "\n")] = true
		}
		if len(texts) != 1 {
			t.Errorf("got %d different answers, want one: %v", len(texts), texts)
		}
		// None of it has used up or ended anything.
		r.wantLink(who{"a", "dan"}, "dan@shop", core.LinkActive)
		if got := r.log.String(); strings.Contains(got, "@shop") || strings.Contains(got, offer["code"].Code) {
			t.Errorf("the log tells of people or references:\n%s", got)
		}
	})
}

func TestReferenceCountsWhenItCameInTime(t *testing.T) {
	inRig(t, func(r *rig) {
		offer := r.offer("ada@shop", "")
		r.wait(24*time.Hour - 2*time.Second)
		r.press(ada, offer["a"].Token)
		r.wantLink(ada, "ada@shop", core.LinkActive)
	})
}

func TestSameChatPressesTwice(t *testing.T) {
	inRig(t, func(r *rig) {
		offer := r.offer("ada@shop", "")
		r.press(ada, offer["a"].Token)
		r.press(ada, offer["a"].Token)
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.wantShown(ada, "thanks")

		c := who{"code", "ada"}
		r.say(c, offer["code"].Code)
		r.say(c, offer["code"].Code)
		r.wantShown(c, "thanks")
		r.wantDesk()

		// Whoever has opted out comes back by it.
		r.say(ada, "stop")
		r.press(ada, offer["a"].Token)
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.wantShown(ada, "thanks", "stopped", "started")

		// A link that has ended does not come back by a used reference.
		if _, err := r.in.Unlink(context.Background(), "ada@shop", "a"); err != nil {
			t.Fatal(err)
		}
		r.press(ada, offer["a"].Token)
		r.wantUnlinked(ada)
		r.wantShown(ada, "thanks", "stopped", "started", "invalid")
	})
}

func TestTwoChatsRaceForOneToken(t *testing.T) {
	inRig(t, func(r *rig) {
		token := r.offer("ada@shop", "")["a"].Token
		var racers sync.WaitGroup
		for _, w := range []who{ada, bob} {
			racers.Go(func() {
				u := core.Update{ID: w.address, Kind: core.UpdateOptIn, Ref: token, From: core.Address{Value: w.address}}
				if err := r.in.Accept(context.Background(), w.channel, []core.Update{u}); err != nil {
					t.Error(err)
				}
			})
		}
		racers.Wait()
		r.wait(time.Second)
		got := nameOf(r.lastText(ada)) + " " + nameOf(r.lastText(bob))
		if got != "thanks invalid" && got != "invalid thanks" {
			t.Errorf("got %q, want one thanked and one refused", got)
		}
	})
}

// The platform's word that a link was taken back can come late.
func TestALinkIsNotEndedByTheEndOfTheOneBefore(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "")
		undone := time.Now().Add(time.Second)
		r.wait(time.Minute)
		r.link(ada, "ada@shop", "")
		r.accept(ada, core.Update{Kind: core.UpdateUnlinked, At: undone})
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.accept(ada, core.Update{Kind: core.UpdateUnlinked, At: time.Now().Add(time.Second)})
		r.wantUnlinked(ada)
	})
}

func TestNewestEvidenceWins(t *testing.T) {
	inRig(t, func(r *rig) {
		r.order("1001", "ada@shop")
		token := r.offer("ada@shop", "1001")["a"].Token
		r.press(ada, token)
		first := r.address(ada)
		r.link(ada, "eve@shop", "2002")
		if got := r.address(ada); got.ID != first.ID {
			t.Errorf("got address %d, want %d", got.ID, first.ID)
		}
		r.view(func(tx core.Tx) error {
			old, err := tx.Link(1)
			if err == nil && old.State != core.LinkEnded {
				t.Errorf("the old link: got %s, want ended", old.State)
			}
			return err
		})
		// The first one's reference has been used, by whoever holds the chat now.
		r.press(ada, token)
		r.wantLink(ada, "eve@shop", core.LinkActive)
		r.wantShown(ada, "thanks", "thanks", "invalid")
		// What was told to the first is not the second's to ask about.
		r.say(ada, "Where is 1001?")
		r.wantDesk("T1 eve@shop/2002: Where is 1001?")
		r.say(ada, "status")
		if got := r.lastText(ada); strings.Contains(got, "1001") || !strings.Contains(got, "2002") {
			t.Errorf("got status %q, want 2002 only", got)
		}
		r.link(ada, "fay@shop", "")
		r.say(ada, "And mine?")
		r.wantDesk("T1 eve@shop/2002: Where is 1001?", "T2 fay@shop/: And mine?")
		if got := r.shop.tickets[1].Subject; strings.Contains(got, "2002") {
			t.Errorf("got subject %q, want nothing of an earlier customer's order", got)
		}
	})
}

func TestNewOrderOfALinkedCustomerIsThankedFor(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.link(ada, "ada@shop", "1002")
		r.wantShown(ada, "thanks", "thanks")
	})
}

func TestWordOfTwelveLettersIsAQuestion(t *testing.T) {
	inRig(t, func(r *rig) {
		const word = "Bekleidetsam" // could be a code: no U, twelve letters
		if _, ok := seal.NormalizeCode(word); !ok {
			t.Fatalf("%q cannot be a code", word)
		}
		r.link(ada, "ada@shop", "1001")
		r.say(ada, word)
		r.say(ada, "1Z999AA10123") // nor is a parcel's number one
		r.wantShown(ada, "thanks", "confirmation")
		r.wantDesk("T1 ada@shop/1001: " + word + "| 1Z999AA10123")
		// Neither a word nor an order's number alone is taken for a mistyped code.
		for _, text := range []string{word, "004170031234"} {
			w := who{"code", text}
			r.say(w, text)
			r.wantShown(w, "invite")
		}
	})
}

func TestOfferIsTheSameWhenAskedAgain(t *testing.T) {
	inRig(t, func(r *rig) {
		first := r.offer("ada@shop", "1001")
		r.wait(11 * time.Hour)
		again := r.offer("ada@shop", "1001")
		for name := range first {
			if first[name].Token != again[name].Token || first[name].Code != again[name].Code {
				t.Errorf("%s: got another reference, want the same", name)
			}
		}
		r.wait(2 * time.Hour)
		if got := r.offer("ada@shop", "1001"); got["a"].Token == first["a"].Token {
			t.Error("got a reference that has less than half of its time left")
		}
		if got := r.offer("ada@shop", "1002"); got["a"].Token == again["a"].Token {
			t.Error("got the same reference for two orders")
		}
	})
}

func TestOfferOutlivesANewKey(t *testing.T) {
	inRig(t, func(r *rig) {
		old := r.offer("ada@shop", "")
		r.wait(time.Hour)
		r.in.Keys = newKeys(t, keys[1], keys[0])
		renewed := r.offer("ada@shop", "")
		if old["code"].Code == renewed["code"].Code {
			t.Fatal("a new key makes the same code")
		}
		r.say(who{"code", "ada"}, renewed["code"].Code)
		r.wantLink(who{"code", "ada"}, "ada@shop", core.LinkActive)
		r.press(ada, old["a"].Token)
		r.wantLink(ada, "ada@shop", core.LinkActive)
	})
}

func TestPageOpensItsOwnReferenceOnly(t *testing.T) {
	inRig(t, func(r *rig) {
		w := inbound.Wish{CustomerUID: "ada@shop", OrderCode: "1001", Purpose: core.Marketing}
		all := r.invites("a", "code")
		o, err := r.in.Offer(context.Background(), w, all, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		page, err := r.in.Page(context.Background(), o.PageToken, r.invites("a", "b", "code"))
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Links) != 2 || page.Links[0].Token != o.Links[0].Token || page.Links[1].Code != o.Links[1].Code {
			t.Errorf("got %+v, want the links of the offer", page.Links)
		}
		if _, err := r.in.Page(context.Background(), o.Links[0].Token, all); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("a channel's token on the page: got %v, want not found", err)
		}
		r.press(ada, o.PageToken)
		r.wantUnlinked(ada)
		r.wait(time.Hour)
		if _, err := r.in.Page(context.Background(), o.PageToken, all); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("an old page: got %v, want not found", err)
		}
	})
}
