package main_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
	"tidings/core/hybris/hybrissim"
)

// person is a customer with an order and an account on each platform.
type person struct {
	uid, order string
	chats      map[string]string
}

// customer makes the n-th customer of the shop.
func (w *world) customer(n int) person {
	w.Helper()
	p := person{
		uid: fmt.Sprintf("ines%d.vidal@example.com", n), order: fmt.Sprintf("0041%04d", n),
		chats: map[string]string{messengerName: fmt.Sprintf("64100200%04d", n), telegramName: fmt.Sprintf("881730%04d", n), slackName: fmt.Sprintf("U0GQ7B%04d", n)},
	}
	w.shop.AddOrder(hybrissim.SampleOrder(p.order, p.uid, site))
	for id := range maps.Values(p.chats) {
		w.private = append(w.private, id)
	}
	return p
}

// offer is the answer to POST /v1/opt-ins.
type offer struct {
	ExpiresAt time.Time
	Page      string
	Links     []offerLink
}

type offerLink struct {
	Channel, Type, Token, URL, Code, How string
	DataRef, AppID, PageID, Login        string
}

// ref is what the customer brings to a channel.
func (o offer) ref(channel string) string {
	for _, l := range o.Links {
		if l.Channel == channel {
			return l.Token + l.Code
		}
	}
	return ""
}

// offer asks for the links of a customer's order.
func (w *world) offer(p person, more ...obj) offer {
	w.Helper()
	wish := obj{"customerUid": p.uid, "orderCode": p.order, "purpose": "order_updates"}
	for _, m := range more {
		maps.Copy(wish, m)
	}
	var o offer
	w.want(http.StatusCreated, http.MethodPost, "/v1/opt-ins", wish, &o)
	return o
}

// optIn lets a chat bring a reference in one of the ways of its platform.
func (w *world) optIn(channel, chat, ref, way string) {
	w.Helper()
	if err := w.sims[channel].OptIn(w.Context(), chat, ref, way); err != nil {
		w.Fatalf("%s: opt in: %v", channel, err)
	}
	w.settle()
}

// link links a customer's chat by a button of the shop, and waits for the whole thank-you.
func (w *world) link(channel string, p person) {
	w.Helper()
	before := len(w.shown(channel, p))
	w.optIn(channel, p.chats[channel], w.offer(p).ref(channel), "")
	w.awaitMore(channel, p, before+1)
	w.quiet()
}

// vouch links a customer's chat on the shop's word, with an open window.
func (w *world) vouch(channel string, p person) {
	w.Helper()
	w.vouchSince(channel, p, time.Now().Add(-time.Minute))
}

// vouchSince is vouch for somebody who last wrote some time ago.
func (w *world) vouchSince(channel string, p person, wrote time.Time) {
	w.Helper()
	chat := p.chats[channel]
	switch channel {
	case messengerName:
		w.messenger.WroteAt(chat, wrote)
	case telegramName:
		w.telegram.Know(chat)
	case slackName:
		w.slack.Know(chat)
	}
	body := obj{"address": chat, "lastWroteAt": wrote.UTC().Format(time.RFC3339)}
	status, _, raw := w.ask(http.MethodPut, w.api("/v1/customers/"+url.PathEscape(p.uid)+"/addresses/"+channel), body)
	if status/100 != 2 {
		w.Fatalf("PUT address: got status %d: %s, want success", status, raw)
	}
}

// settle waits until the gateway has every webhook and every report of the shop.
func (w *world) settle() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	for name, sim := range w.sims {
		if err := sim.Webhooks().Settle(ctx); err != nil {
			w.Fatalf("%s: its webhooks are still under way: %v", name, err)
		}
	}
	w.shop.Settle()
}

// say lets the customer write, and waits until the gateway has it.
func (w *world) say(channel string, p person, text string) string {
	w.Helper()
	id, err := w.sims[channel].Say(w.Context(), p.chats[channel], text)
	if err != nil {
		w.Fatalf("%s: say: %v", channel, err)
	}
	w.settle()
	return id
}

// shown is what the customer sees of us in a chat, top to bottom.
func (w *world) shown(channel string, p person) []emulator.Shown {
	return w.sims[channel].Log().Shown(p.chats[channel])
}

// texts is shown in words.
func (w *world) texts(channel string, p person) []string {
	all := []string{}
	for _, m := range w.shown(channel, p) {
		all = append(all, m.Text)
	}
	return all
}

// awaitMore waits until the customer sees a number of messages in a chat.
func (w *world) awaitMore(channel string, p person, n int) []emulator.Shown {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	all, err := w.sims[channel].Log().Await(ctx, p.chats[channel], n)
	if err != nil {
		w.Fatalf("%s: got %d messages, want %d: %q", channel, len(w.shown(channel, p)), n, w.texts(channel, p))
	}
	return all
}

// awaitText waits until the customer sees a text in a chat.
func (w *world) awaitText(channel string, p person, text string) emulator.Shown {
	w.Helper()
	var found emulator.Shown
	eventually(w.T, fmt.Sprintf("%s shows %q", channel, text), func() error {
		all := w.shown(channel, p)
		i := slices.IndexFunc(all, func(m emulator.Shown) bool { return strings.Contains(m.Text, text) })
		if i < 0 {
			return fmt.Errorf("got %q", w.texts(channel, p))
		}
		found = all[i]
		return nil
	})
	return found
}

// quiet waits until nothing is left to do anywhere, so that what has not
// happened by then does not happen.
func (w *world) quiet() {
	w.Helper()
	w.settle()
	w.rest()
	w.settle()
}

// rest waits until nothing is left to do in the gateway.
func (w *world) rest() {
	w.Helper()
	eventually(w.T, "the gateway has nothing to do", func() error {
		for _, state := range []string{"queued", "sending"} {
			var list messageList
			w.want(http.StatusOK, http.MethodGet, "/v1/messages?limit=1&state="+state, nil, &list)
			if len(list.Items) > 0 {
				return fmt.Errorf("a message is %s: %+v", state, list.Items[0])
			}
		}
		return w.idle()
	})
}

// idle says which lanes the gateway still has work in.
func (w *world) idle() error {
	lanes := w.figure("tidings_lanes")
	if lanes > 0 {
		return fmt.Errorf("%v lanes have work", lanes)
	}
	return nil
}

// ticket waits for the customer's only ticket to have a number of the customer's entries.
func (w *world) ticket(p person, entries int) hybrissim.Ticket {
	w.Helper()
	var found hybrissim.Ticket
	eventually(w.T, fmt.Sprintf("a ticket has %d entries", entries), func() error {
		all := w.tickets(p)
		if len(all) != 1 {
			return fmt.Errorf("got %d tickets", len(all))
		}
		found = all[0]
		if got := len(w.shop.CustomerEntries(found.ID)); got != entries {
			return fmt.Errorf("got %d entries", got)
		}
		return nil
	})
	return found
}

// tickets are those of a customer, newest first.
func (w *world) tickets(p person) []hybrissim.Ticket {
	return slices.DeleteFunc(w.shop.Tickets(), func(t hybrissim.Ticket) bool { return t.CustomerUID != p.uid })
}

// wantEntries compares what the customer wrote in a ticket.
func (w *world) wantEntries(ticket string, want ...string) {
	w.Helper()
	got := []string{}
	for _, e := range w.shop.CustomerEntries(ticket) {
		got = append(got, e.Text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("entries of the ticket (-want +got):\n%s", diff)
	}
}

// message is a message as the API tells it.
type message struct {
	ID, Event, Type, Customer, Order, Channel, Address string
	Route, Reason, Purpose, State, Class, Why          string
	FallbackOf, Receipts                               string
	ExpiresAt                                          *time.Time
	Parts                                              []struct {
		N                           int
		State, Text, PlatformID     string
		Attempts                    []struct{ Class, Code, Text string }
		SentAt, DeliveredAt, ReadAt *time.Time
	}
}

type messageList struct {
	Items []message
	Next  string
}

// messagesOf are the messages of an event, oldest first.
func (w *world) messagesOf(event string) []message {
	w.Helper()
	var got struct{ Messages []message }
	w.want(http.StatusOK, http.MethodGet, "/v1/events/"+event, nil, &got)
	return got.Messages
}

// awaitState waits until an event's only message is in a state.
func (w *world) awaitState(event, state string) message {
	w.Helper()
	var found message
	eventually(w.T, "the message of "+event+" is "+state, func() error {
		all := w.messagesOf(event)
		if len(all) != 1 {
			return fmt.Errorf("got %d messages", len(all))
		}
		if found = all[0]; found.State != state {
			return fmt.Errorf("got %+v", found)
		}
		return nil
	})
	return found
}

// orderOf is another order of a customer.
func orderOf(p person, code string) hybrissim.Order { return hybrissim.SampleOrder(code, p.uid, site) }
