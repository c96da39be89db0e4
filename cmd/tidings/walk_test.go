package main_test

import (
	"strings"
	"testing"

	"tidings/channels/emulator"
	"tidings/core/hybris/hybrissim"
)

const confirmation = "We received your request, we are processing it."

// TestWalk is what the program is for, on each platform: link, thank-you, news,
// question, ticket, answer.
func TestWalk(t *testing.T) {
	t.Parallel()
	for i, channel := range allChannels {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			w := start(t, func(c *conf) { c.Level = "debug" })
			walk(w, channel, w.customer(i+1))
		})
	}
}

func walk(w *world, channel string, p person) {
	w.link(channel, p)
	thanks := w.shown(channel, p)[0]
	for _, want := range []string{p.order, "Reading lamp, brass"} {
		if !told(w.shown(channel, p), want) {
			w.Errorf("got thank-you %q %v, want %q in it", thanks.Text, thanks.Fields, want)
		}
	}
	before := len(w.shown(channel, p))
	walkNews(w, channel, p)

	if _, err := w.sims[channel].ReplyTo(w.Context(), p.chats[channel], w.shown(channel, p)[before].ID, "Can it be left with a neighbour?"); err != nil {
		w.Fatal(err)
	}
	w.awaitText(channel, p, confirmation)
	ticket := w.ticket(p, 1)
	if ticket.Associated == nil || ticket.Associated.Code != p.order {
		w.Errorf("got a ticket about %+v, want order %s", ticket.Associated, p.order)
	}
	w.say(channel, p, "Number 14, 1 < 2 & <b>.")
	w.ticket(p, 2)
	w.wantEntries(ticket.ID, "Can it be left with a neighbour?", "Number 14, 1 < 2 & <b>.")

	walkNotes(w, channel, p, ticket)
	w.quiet()
	confirmed := 0
	for _, text := range w.texts(channel, p) {
		if strings.Contains(text, "psst") {
			w.Errorf("an internal note was sent: %q", text)
		}
		if text == confirmation {
			confirmed++
		}
	}
	if confirmed != 1 {
		w.Errorf("got %d confirmations for one burst, want 1", confirmed)
	}
	if got := w.sims[channel].Log().Rejected(); len(got) > 0 {
		w.Errorf("the platform refused %+v, want nothing refused", got)
	}
	if got := len(w.tickets(p)); got != 1 {
		w.Errorf("got %d tickets, want 1: what we write in it is no note", got)
	}
}

// walkNews lets the shop report an order's way, in order.
func walkNews(w *world, channel string, p person) {
	w.Helper()
	before := len(w.shown(channel, p))
	ctx := w.Context()
	if err := w.shop.Ship(ctx, p.order, "", "00340434161094042557", "DHL", "https://track.example.com/?n=1&m=2"); err != nil {
		w.Fatal(err)
	}
	if err := w.shop.Report(ctx, p.order, "order.out_for_delivery"); err != nil {
		w.Fatal(err)
	}
	if err := w.shop.Deliver(ctx, p.order, ""); err != nil {
		w.Fatal(err)
	}
	w.settle()
	all := w.awaitMore(channel, p, before+3)[before:]
	for i, want := range []string{"is on its way", "is out for delivery", "has been delivered"} {
		if got := all[i].Text; !strings.Contains(got, want) || !strings.Contains(got, p.order) {
			w.Errorf("news %d: got %q, want it to tell that order %s %s", i, got, p.order, want)
		}
	}
}

// walkNotes lets the agent write by both ways: the gateway looks, and the shop pushes.
func walkNotes(w *world, channel string, p person, ticket hybrissim.Ticket) {
	w.Helper()
	note := func(text string, public bool) {
		if _, err := w.shop.AddNote(w.Context(), ticket.ID, text, public, "agent.smith"); err != nil {
			w.Fatal(err)
		}
	}
	note("psst, carrier asked", false)
	note("Of course: 5 < 6 & <i>yes</i>.", true)
	w.awaitText(channel, p, "Of course: 5 < 6 & <i>yes</i>.")
	for _, pushed := range []obj{
		{"id": "n-1", "text": "psst, pushed", "author": "Smith", "public": false},
		{"id": "n-2", "text": "psst, nobody said public", "author": "Smith"},
		{"id": "n-3", "text": "Pushed: it is with number 14.", "author": "Smith", "public": true},
	} {
		w.report("ticket.note_added", obj{"ticketId": ticket.ID, "customerUid": p.uid, "note": pushed})
	}
	w.awaitText(channel, p, "Pushed: it is with number 14.")
}

// told reports whether any message, or a field of one, holds a text.
func told(all []emulator.Shown, text string) bool {
	for _, m := range all {
		if strings.Contains(m.Text, text) || strings.Contains(string(m.Raw), text) {
			return true
		}
	}
	return false
}

// TestWalkInSandbox is the same by hand, as it were: through the sandbox's own page.
func TestWalkInSandbox(t *testing.T) {
	t.Parallel()
	s := openSandbox(t)
	var world struct {
		People []struct {
			UID, Name, Locale string
			Chats             map[string]string
		}
		Channels []struct{ Name, Way string }
	}
	s.get("/_sandbox/world", &world)
	for i, channel := range world.Channels {
		p := world.People[i]
		chat := p.Chats[channel.Name]
		var order struct{ Code string }
		s.post("/_sandbox/shop/orders", obj{"uid": p.UID, "name": p.Name}, &order)
		var o offer
		s.post("/_sandbox/optin", obj{"customer": p.UID, "order": order.Code}, &o)
		s.post("/_sandbox/"+channel.Name+"/optin", obj{"user": chat, "ref": o.ref(channel.Name), "way": channel.Way}, nil)
		s.await(channel.Name, chat, order.Code)
		s.post("/_sandbox/shop/orders/"+order.Code+"/ship", obj{}, nil)
		s.post("/_sandbox/shop/orders/"+order.Code+"/deliver", obj{}, nil)
		s.await(channel.Name, chat, map[string]string{"en": "delivered", "de": "zugestellt"}[p.Locale])
		s.post("/_sandbox/"+channel.Name+"/say", obj{"user": chat, "text": "Where is the mug?"}, nil)
		ticket := s.ticketOf(order.Code)
		s.post("/_sandbox/shop/tickets/"+ticket+"/notes", obj{"text": "psst", "public": false}, nil)
		s.post("/_sandbox/shop/tickets/"+ticket+"/notes", obj{"text": "It is on its way.", "public": true}, nil)
		s.await(channel.Name, chat, "It is on its way.")
		if strings.Contains(s.chat(channel.Name, chat), "psst") {
			t.Errorf("%s: an internal note was sent", channel.Name)
		}
	}
	if code := s.stop(); code != 0 {
		t.Errorf("SIGTERM: got exit code %d, want 0:\n%s", code, s.log())
	}
}

// TestDemo plays the sandbox's own demonstration to its end.
func TestDemo(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the demonstration takes its time, for people who watch")
	}
	s := openSandbox(t, "--demo")
	var world struct {
		People []struct{ Chats map[string]string }
	}
	s.get("/_sandbox/world", &world)
	s.await(messengerName, world.People[0].Chats[messengerName], "Of course: we have told the carrier.")
	if log := s.log(); strings.Contains(log, "ERROR") {
		t.Errorf("got errors in the log, want none:\n%s", log)
	}
}
