package inbound_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

func TestEightCopiesAtOnceHaveOneEffect(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		for _, u := range []core.Update{
			{ID: "named", Kind: core.UpdateText, Text: "one"},
			{Kind: core.UpdateText, Text: "two", At: time.Now()}, // a platform that numbers nothing
		} {
			u.From.Value = "ada"
			var copies sync.WaitGroup
			for range 8 {
				copies.Go(func() {
					if err := r.in.Accept(context.Background(), "a", []core.Update{u}); err != nil {
						t.Error(err)
					}
				})
			}
			copies.Wait()
			r.wait(time.Second)
		}
		r.wantDesk("T1 ada@shop/1001: one| two")
		r.wantShown(ada, "thanks", "confirmation")
	})
}

func TestUpdatesOfAChatAreWorkedOnInTheirOrder(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		var batch []core.Update
		want := "T1 ada@shop/1001:"
		for i := range 12 {
			batch = append(batch, core.Update{ID: fmt.Sprint(i), Kind: core.UpdateText, Text: fmt.Sprint("no ", i), From: core.Address{Value: "ada"}})
			want += fmt.Sprint(" no ", i, "|")
		}
		if err := r.in.Accept(context.Background(), "a", batch); err != nil {
			t.Fatal(err)
		}
		r.wait(time.Second)
		r.wantDesk(want[:len(want)-1])
	})
}

func TestUpdatesForASiblingAreTheSiblings(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "")
		b := who{"b", "ada"}
		r.link(b, "bea@shop", "")
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "help", Account: "B"})
		if got := r.newest(); got.Channel != "b" {
			t.Errorf("got channel %q, want b", got.Channel)
		}
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "help", Account: "A"})
		r.wantShown(ada, "thanks", "help")
		r.wantShown(b, "thanks", "help")
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "help", Account: "C"})
		got := r.newest()
		r.wantUpdate(got, "unreadable")
		r.wantShown(ada, "thanks", "help")
	})
}

func TestWhatCannotBeReadIsStoredAndNotWorkedOn(t *testing.T) {
	inRig(t, func(r *rig) {
		r.accept(ada, core.Update{Kind: core.UpdateUnreadable, Raw: []byte("{"), Problem: "not JSON"})
		got := r.newest()
		r.wantUpdate(got, "unreadable")
		if string(got.Update.Raw) != "{" || got.Why != "not JSON" {
			t.Errorf("got %q (%s), want it as it came", got.Update.Raw, got.Why)
		}
		nobody := core.Update{ID: "nobody", Kind: core.UpdateText, Text: "help"}
		if err := r.in.Accept(context.Background(), "a", []core.Update{nobody}); err != nil {
			t.Fatal(err)
		}
		r.wantUpdate(r.stored(2), "unreadable")
		r.accept(ada, core.Update{Kind: core.UpdateOther})
		r.wantUpdate(r.newest(), "done")
		r.view(func(tx core.Tx) error {
			if _, err := tx.AddressByValue("a", "ada"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("got %v, want no address of what nobody works on", err)
			}
			return nil
		})
		r.wantShown(ada)
	})
}

// What a platform says about our account is nothing to work on, and nothing to
// keep from the operator.
func TestANoticeForTheOperatorIsLogged(t *testing.T) {
	inRig(t, func(r *rig) {
		r.accept(ada, core.Update{Kind: core.UpdateOther, Problem: "the workspace revoked tokens of the app"})
		got := r.newest()
		r.wantUpdate(got, "done")
		if got.Why != "the workspace revoked tokens of the app" {
			t.Errorf("got the reason %q, want the notice", got.Why)
		}
		if log := r.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "revoked tokens") {
			t.Errorf("got the log %q, want a warning with the notice", log)
		}
	})
}

func TestBlockedUntilTheCustomerWrites(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		back := []core.Update{
			{Kind: core.UpdateUnblocked},
			{Kind: core.UpdateText, Text: "help"}, // also where no window says so
			{Kind: core.UpdateButton, Payload: "help"},
			{Kind: core.UpdateEdited, Text: "I meant help"},
			{Kind: core.UpdateOptIn},
			{Kind: core.UpdateOther, OpensWindow: true},
		}
		for _, u := range back {
			r.accept(ada, core.Update{Kind: core.UpdateBlocked, OpensWindow: true})
			if r.address(ada).BlockedAt.IsZero() {
				t.Fatal("got an open address, want it blocked")
			}
			r.accept(ada, core.Update{Kind: core.UpdateRead, Watermark: time.Now()})
			if r.address(ada).BlockedAt.IsZero() {
				t.Error("a receipt has lifted the block")
			}
			r.accept(ada, u)
			if !r.address(ada).BlockedAt.IsZero() {
				t.Errorf("%s: the address is still blocked", u.Kind)
			}
		}
		r.wantLink(ada, "ada@shop", core.LinkActive)
	})
}

func TestWindowCountsFromThePlatformsTime(t *testing.T) {
	inRig(t, func(r *rig) {
		now := time.Now()
		for _, x := range []struct {
			name string
			u    core.Update
			want time.Time
		}{
			{"the platform's time", core.Update{At: now.Add(-time.Hour), OpensWindow: true}, now.Add(-time.Hour)},
			{"an older one does not close it", core.Update{At: now.Add(-2 * time.Hour), OpensWindow: true}, now.Add(-time.Hour)},
			{"no sign of life", core.Update{At: now.Add(-time.Minute)}, now.Add(-time.Hour)},
			{"without a time it is ours", core.Update{OpensWindow: true}, now.Add(600 * time.Millisecond)},
			{"one from the future is ours", core.Update{At: now.Add(time.Hour), OpensWindow: true}, now.Add(800 * time.Millisecond)},
		} {
			x.u.Kind, x.u.Text = core.UpdateText, "hello"
			r.accept(ada, x.u)
			if got := r.address(ada).LastInAt; !got.Equal(x.want) {
				t.Errorf("%s: got %v, want %v", x.name, got.Sub(now), x.want.Sub(now))
			}
		}
	})
}

func TestSendersNameAndLanguageAreNoted(t *testing.T) {
	inRig(t, func(r *rig) {
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "Hallo", Name: "Ada", Locale: "de"})
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "Hallo", Name: "Ada L.", Locale: "en"})
		if got := r.address(ada); got.Name != "Ada L." || got.Locale != "de" {
			t.Errorf("got %q, %q; want the newest name and the first language", got.Name, got.Locale)
		}
		if got := r.lastText(ada); got == "" || nameOf(got) == "invite" {
			t.Errorf("got %q, want the invitation in German", got)
		}
	})
}

// A checkbox links an address that is not yet the customer's own; their first
// message tells whose it was.
func TestProvisionalAddressBecomesTheCustomersOwn(t *testing.T) {
	inRig(t, func(r *rig) {
		provisional := who{"a", "user-ref-1"}
		r.platforms["a"].script(func(core.Part) error {
			return &core.SendError{Class: core.Temporary, Err: errors.New("away")}
		})
		offer := r.offer("ada@shop", "")["a"]
		r.accept(provisional, core.Update{Kind: core.UpdateOptIn, Ref: offer.Token, From: core.Address{Value: "user-ref-1", Kind: "user_ref"}})
		r.wantLink(provisional, "ada@shop", core.LinkActive)
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "help", Was: &core.Address{Value: "user-ref-1", Kind: "user_ref"}})
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.platforms["a"].script(nil)
		r.wait(5 * time.Minute)
		r.wantShown(provisional)
		got := map[string]int{}
		for _, text := range r.texts(ada) {
			got[nameOf(text)]++
		}
		if len(got) != 2 || got["thanks"] != 1 || got["help"] != 1 {
			t.Errorf("got %v, want the thank-you that was waiting and the answer, each once", got)
		}
		// The button on the same page is no second opt-in.
		r.press(ada, offer.Token)
		r.wantLink(ada, "ada@shop", core.LinkActive)
		if n := len(r.texts(ada)); n != 2 {
			t.Errorf("got %d texts, want 2: it was the same customer", n)
		}
	})
}

func TestUpdateOfAChatThatHasBeenErasedIsNoTrouble(t *testing.T) {
	inRig(t, func(r *rig) {
		r.do(func(tx *lane.Tx) error {
			id, _, err := tx.InsertUpdate(core.StoredUpdate{Channel: "a", AddressID: 999, Update: core.Update{ID: "x", Kind: core.UpdateText}, State: "waiting"})
			if err != nil {
				return err
			}
			return tx.Append("in/999", id, time.Now(), lane.Normal)
		})
		r.wait(time.Second)
		r.do(func(tx *lane.Tx) error {
			if busy, err := tx.Pending("in/999"); err != nil || busy {
				t.Errorf("got a lane that waits (%v), want it empty", err)
			}
			return nil
		})
	})
}
