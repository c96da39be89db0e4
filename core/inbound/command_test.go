package inbound_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/inbound"
)

func TestCommandsInBothLanguages(t *testing.T) {
	inRig(t, func(r *rig) {
		r.order("1001", "ada@shop")
		de := who{"b", "ada"}
		r.press(ada, r.offer("ada@shop", "1001")["a"].Token)
		r.press(de, r.offerAs(inbound.Wish{CustomerUID: "bea@shop", Locale: "de", Purpose: core.OrderUpdates})["b"].Token)
		for _, x := range []struct {
			w    who
			text string
			want string
		}{
			{ada, "help", "help"},
			{ada, "Help!", "help"},
			{ada, "?", "help"},
			{ada, "/help", "help"},
			{ada, "/help@my_shop_bot", "help"},
			{ada, "“Help”", "help"},
			{ada, "status", "status"},
			{ada, "  My   orders? ", "status"},
			{ada, "STOP.", "stopped"},
			{ada, "/stop", "stopped"},
			{ada, "Start", "started"},
			{ada, "start", "help"}, // there is nothing to come back from
			{ada, "hilfe", "help"}, // the word is understood; the answer is in the customer's language
			{de, "Hilfe", "hilfe"},
			{de, "/Hilfe", "hilfe"},
			{de, "Stopp!", "gestoppt"},
			{de, "Start", "gestartet"},
		} {
			r.say(x.w, x.text)
			if got := nameOf(r.lastText(x.w)); got != x.want {
				t.Errorf("%q: got %q, want %q", x.text, got, x.want)
			}
		}
		for payload, want := range map[string]string{"help": "help", "STATUS": "status", "GET_STARTED": "help"} {
			r.accept(ada, core.Update{Kind: core.UpdateButton, Text: "Press me", Payload: payload})
			if got := nameOf(r.lastText(ada)); got != want {
				t.Errorf("button %q: got %q, want %q", payload, got, want)
			}
		}
		r.wantDesk()
	})
}

func TestCommandsAreWholeMessages(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "")
		texts := []string{"please stop", "Stop it!", "help me with 1", "What is the status?", "Hilfe, der Karton ist leer", "starts", "/", "??"}
		for _, text := range texts {
			r.say(ada, text)
		}
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "stop", Media: []core.Media{{Kind: "image"}}})
		r.accept(ada, core.Update{Kind: core.UpdateButton, Text: "Stop", Payload: "something else"})
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.wantShown(ada, "thanks", "confirmation")
		r.wantDesk("T1 ada@shop/: " + strings.Join(append(texts, "stop\n[image]", "Stop"), "| "))
	})
}

func TestStatusShowsTheCustomersOwnOrdersOnly(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.report("ada@shop", "1002")
		r.report("eve@shop", "6660")
		r.order("1002", "eve@shop") // the shop has it that it is not Ada's
		r.say(ada, "status")
		if got := r.lastText(ada); !strings.Contains(got, "1001") || strings.Contains(got, "1002") || strings.Contains(got, "6660") {
			t.Errorf("got %q, want 1001 only", got)
		}
		// A shop that is away says nothing against it; the codes are known.
		r.order("1002", "ada@shop")
		r.shop.script(away)
		r.say(ada, "status")
		if got := r.lastText(ada); !strings.Contains(got, "1001") || !strings.Contains(got, "1002") || strings.Contains(got, "6660") {
			t.Errorf("got %q, want 1001 and 1002", got)
		}
		r.link(bob, "bob@shop", "")
		r.say(bob, "status")
		if got := nameOf(r.lastText(bob)); got != "no orders" {
			t.Errorf("got %q, want no orders", got)
		}
	})
}

func TestStatusReadsTheNewestOrders(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1000")
		for i := 1; i <= 5; i++ {
			r.report("ada@shop", fmt.Sprint(1000+i))
		}
		before := r.shop.asked("order")
		r.say(ada, "status")
		if got := r.shop.asked("order") - before; got != 5 {
			t.Errorf("got %d orders read, want 5", got)
		}
		if got := r.lastText(ada); strings.Contains(got, "1000") || !strings.Contains(got, "1005") {
			t.Errorf("got %q, want the newest", got)
		}
	})
}

func TestStopAndStart(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "stop")
		r.wantLink(ada, "ada@shop", core.LinkOptedOut)
		r.report("ada@shop", "1002")
		r.say(ada, "stop")
		r.wantShown(ada, "thanks", "stopped", "stopped") // nothing of 1002
		// Who has opted out of news can still ask.
		r.say(ada, "Where is 1001?")
		r.wantDesk("T1 ada@shop/1001: Where is 1001?")
		r.press(ada, "") // the messenger's own start button
		r.wantLink(ada, "ada@shop", core.LinkActive)
		r.wantShown(ada, "thanks", "stopped", "stopped", "confirmation", "started")
		r.report("ada@shop", "1003")
		if got := r.lastText(ada); !strings.Contains(got, "1003") {
			t.Errorf("got %q, want news of 1003", got)
		}
	})
}

// Whoever asks after a stop gets the answer; whoever stops after asking has been
// told that nothing more will come.
func TestAnswerAfterStop(t *testing.T) {
	inRig(t, func(r *rig) {
		defer r.poll()()
		r.link(ada, "ada@shop", "1001")
		r.say(ada, "Where is it?")
		r.wait(2 * time.Minute)
		r.say(ada, "stop")
		r.shop.note("T1", "On its way.")
		r.wait(2 * time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "stopped")
		r.say(ada, "One thing more, where is it?")
		r.shop.note("T1", "With the carrier.")
		r.wait(2 * time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "stopped", "confirmation", "note")
	})
}
