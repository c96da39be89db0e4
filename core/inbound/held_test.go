package inbound_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/inbound"
)

func TestStrangerIsInvitedOnce(t *testing.T) {
	inRig(t, func(r *rig) {
		for _, text := range []string{"Hello?", "Anybody there?", "help", "status", "stop", "start"} {
			r.say(ada, text)
		}
		r.press(ada, "")
		r.wantShown(ada, "invite")
		r.wantUnlinked(ada)
		r.wantDesk()
		// A link and its end begin anew.
		r.link(ada, "ada@shop", "")
		if _, err := r.in.Unlink(context.Background(), "ada@shop", "a"); err != nil {
			t.Fatal(err)
		}
		r.say(ada, "Hello again?")
		if got := nameOf(r.lastText(ada)); got != "invite" {
			t.Errorf("got %q, want another invitation", got)
		}
	})
}

func TestWhatAStrangerWroteBecomesATicketWithinADay(t *testing.T) {
	inRig(t, func(r *rig) {
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "too early"})
		r.wantUpdate(r.newest(), "held")
		r.wait(2 * time.Hour)
		r.say(ada, "Where is my parcel?")
		r.wait(10 * time.Minute)
		r.accept(ada, core.Update{Kind: core.UpdateEdited, Text: "Where is my red parcel?"})
		r.accept(ada, core.Update{Kind: core.UpdateText, Media: []core.Media{{Kind: "image", URL: "https://x.example/1"}}})
		r.say(ada, "help") // a command is no question
		r.wait(22 * time.Hour)
		r.link(ada, "ada@shop", "1001")
		r.wantDesk("T1 ada@shop/1001: Where is my parcel?| [Edited] Where is my red parcel?| [image: https://x.example/1]")
		r.wantShown(ada, "invite", "thanks", "confirmation")
		r.wantUpdate(r.stored(1), "held")
		r.wantUpdate(r.stored(2), "done")
		// Only once.
		r.link(ada, "ada@shop", "1002")
		r.wantShown(ada, "invite", "thanks", "confirmation", "thanks")
	})
}

func TestThanksComeBeforeTheConfirmationWhileTheShopIsAway(t *testing.T) {
	inRig(t, func(r *rig) {
		r.order("1001", "ada@shop")
		r.shop.script(away)
		r.say(ada, "Where is my parcel?")
		r.press(ada, r.offer("ada@shop", "1001")["a"].Token)
		r.wait(30 * time.Second)
		r.wantShown(ada, "invite") // the thank-you waits for the order
		r.say(ada, "help")         // and the chat does not wait with it
		r.wantShown(ada, "invite", "help")
		r.shop.script(nil)
		r.wait(time.Minute)
		r.wantShown(ada, "invite", "help", "thanks", "confirmation")
		r.wantDesk("T1 ada@shop/1001: Where is my parcel?")
	})
}

func TestEarlyConfirmationIsNotForTheNextCustomer(t *testing.T) {
	inRig(t, func(r *rig) {
		r.order("1001", "ada@shop")
		r.say(ada, "Where is my parcel?")
		r.shop.script(away)
		r.press(ada, r.offer("ada@shop", "1001")["a"].Token)
		r.press(ada, r.offer("eve@shop", "")["a"].Token)
		r.shop.script(nil)
		r.wait(2 * time.Minute)
		r.wantShown(ada, "invite", "thanks")
		r.wantDesk("T1 ada@shop/1001: Where is my parcel?")
	})
}

func TestShopVouchesForALink(t *testing.T) {
	inRig(t, func(r *rig) {
		ctx := context.Background()
		r.say(ada, "Where is my parcel?")
		v := inbound.Vouched{CustomerUID: "ada@shop", Channel: "a", Address: "ada", Locale: "de", LastWroteAt: time.Now().Add(-time.Hour)}
		if err := r.in.Vouch(ctx, v); err != nil {
			t.Fatal(err)
		}
		r.wait(time.Second)
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.wantDesk("T1 ada@shop/: Where is my parcel?")
		r.wantShown(ada, "invite", "bestätigung")

		// Another customer's only when it is to be moved.
		theft := inbound.Vouched{CustomerUID: "eve@shop", Channel: "a", Address: "ada"}
		if err := r.in.Vouch(ctx, theft); !errors.Is(err, inbound.ErrOtherCustomer) {
			t.Errorf("got %v, want ErrOtherCustomer", err)
		}
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.view(func(tx core.Tx) error {
			if _, err := tx.CustomerByUID("eve@shop"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("a refused link has left a trace: %v", err)
			}
			return nil
		})
		theft.Move = true
		if err := r.in.Vouch(ctx, theft); err != nil {
			t.Fatal(err)
		}
		r.wantLink(ada, "eve@shop", core.LinkActive)

		// The shop's word does not undo the customer's.
		r.say(ada, "stop")
		if err := r.in.Vouch(ctx, theft); err != nil {
			t.Fatal(err)
		}
		r.wantLink(ada, "eve@shop", core.LinkOptedOut)

		if _, err := r.in.Unlink(ctx, "eve@shop", "a"); err != nil {
			t.Fatal(err)
		}
		r.wantUnlinked(ada)
		if _, err := r.in.Unlink(ctx, "eve@shop", "a"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("got %v, want not found", err)
		}
	})
}

func TestVouchedTimeOpensTheWindowButNotFromTheFuture(t *testing.T) {
	inRig(t, func(r *rig) {
		now := time.Now()
		for _, x := range []struct{ told, want time.Time }{
			{now.Add(-time.Hour), now.Add(-time.Hour)},
			{now.Add(-2 * time.Hour), now.Add(-time.Hour)}, // older news changes nothing
			{now.Add(time.Hour), now.Add(-time.Hour)},
			{time.Time{}, now.Add(-time.Hour)},
		} {
			v := inbound.Vouched{CustomerUID: "ada@shop", Channel: "a", Address: "ada", LastWroteAt: x.told}
			if err := r.in.Vouch(context.Background(), v); err != nil {
				t.Fatal(err)
			}
			if got := r.address(ada).LastInAt; !got.Equal(x.want) {
				t.Errorf("told %v: got %v, want %v", x.told, got, x.want)
			}
		}
	})
}
