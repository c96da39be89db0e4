package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tidings/channels/messenger/messengersim"
)

// withTemplate has a template approved and configured.
func withTemplate(c *conf) {
	c.Messenger = "templates: [{event: order.shipped, name: order_shipped, languages: [en_US, de], params: [order.code, consignment.trackingID]}]"
	c.messengersim.Templates = []messengersim.Template{{
		ID: "1", Name: "order_shipped", Language: "en_US", Category: "UTILITY",
		Components: []messengersim.TemplateComponent{{Type: "BODY", Text: "Order {{1}} has left us, parcel {{2}}."}},
	}}
}

func only(channels string) func(*conf) {
	return func(c *conf) { c.Routes = "\n  - {name: everyone, channels: [" + channels + "], deliver: fallback}" }
}

// outside links a customer on Messenger who wrote too long ago.
func outside(w *world, p person, ago time.Duration) {
	w.Helper()
	w.vouchSince(messengerName, p, time.Now().Add(-ago))
}

// TestWindowTemplate: outside the window news go out as the configured template.
func TestWindowTemplate(t *testing.T) {
	t.Parallel()
	w := start(t, withTemplate)
	p := w.customer(1)
	outside(w, p, 30*time.Hour)
	w.vouch(telegramName, p)
	if err := w.shop.Ship(t.Context(), p.order, "", "JD0146", "DHL", ""); err != nil {
		t.Fatal(err)
	}
	m := w.awaitMore(messengerName, p, 1)[0]
	if want := "Order " + p.order + " has left us, parcel JD0146."; m.Kind != "template" || m.Text != want {
		t.Errorf("got %s %q, want the template: %q", m.Kind, m.Text, want)
	}
	if strings.Contains(string(m.Raw), "MESSAGE_TAG") {
		t.Errorf("got %s, want no tag", m.Raw)
	}
	w.quiet()
	if got := w.texts(telegramName, p); len(got) > 0 {
		t.Errorf("got %q on the next channel, want nothing", got)
	}
	w.report("order.on_hold", obj{"orderCode": p.order, "customerUid": p.uid})
	w.awaitText(telegramName, p, "taking a little longer")
	w.say(messengerName, p, "Hi!")
	w.awaitText(messengerName, p, confirmation)
	w.report("order.delivered", obj{"orderCode": p.order, "customerUid": p.uid})
	w.awaitText(messengerName, p, "has been delivered")
}

// TestWindowNextChannel: no template, so the next channel of the route.
func TestWindowNextChannel(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	outside(w, p, 25*time.Hour)
	w.vouch(slackName, p)
	w.tell(p, "News")
	w.awaitText(slackName, p, "News")
	if n := w.messenger.Log().Requests(); n != 0 {
		t.Errorf("got %d requests to Messenger, want none: the window is known before", n)
	}
}

// TestWindowClosed: neither template nor next channel: failed, with the class.
func TestWindowClosed(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, q := w.customer(1), w.customer(2)
	outside(w, p, 25*time.Hour)
	if m := w.awaitState(w.tell(p, "News"), "failed"); m.Class != "WindowClosed" || m.Channel != messengerName {
		t.Errorf("got %+v, want it failed as WindowClosed", m)
	}
	// Without a word of when they last wrote the window is closed.
	w.messenger.Know(q.chats[messengerName])
	w.want(http.StatusCreated, http.MethodPut, "/v1/customers/"+q.uid+"/addresses/messenger", obj{"address": q.chats[messengerName]}, nil)
	if m := w.awaitState(w.tell(q, "News"), "failed"); m.Class != "WindowClosed" {
		t.Errorf("got %+v, want it failed as WindowClosed", m)
	}
	if n := w.messenger.Log().Requests(); n != 0 {
		t.Errorf("got %d requests to Messenger, want none", n)
	}
}

// TestWindowHuman: an agent's answer may come for seven days.
func TestWindowHuman(t *testing.T) {
	t.Parallel()
	w := start(t, only(messengerName))
	p, late := w.customer(1), w.customer(2)
	outside(w, p, 6*24*time.Hour)
	outside(w, late, 8*24*time.Hour)
	note := func(p person, id string) string {
		return w.report("ticket.note_added", obj{
			"ticketId": "T" + id, "customerUid": p.uid, "note": obj{"id": id, "text": "Sorry, it took us a while.", "author": "Smith", "public": true},
		})
	}
	note(p, "1")
	m := w.awaitText(messengerName, p, "Sorry, it took us a while.")
	if raw := string(m.Raw); !strings.Contains(m.Text, "Our answer") || strings.Contains(raw, "ACCOUNT_UPDATE") {
		t.Errorf("got %q %s, want the agent's answer", m.Text, raw)
	}
	if got := w.awaitState(note(late, "2"), "failed"); got.Class != "WindowClosed" {
		t.Errorf("after seven days: got %+v, want it failed as WindowClosed", got)
	}
}

// TestWindowClosesUnnoticed: the platform says that the window is closed; the
// next channel takes the whole message.
func TestWindowClosesUnnoticed(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.vouch(messengerName, p)
	w.vouch(telegramName, p)
	w.messenger.WroteAt(p.chats[messengerName], time.Now().Add(-25*time.Hour))
	text := strings.Repeat("A long story, told in several parts. ", 120)
	id := w.tell(p, text)
	w.awaitText(telegramName, p, "A long story")
	w.quiet()
	if got := strings.Join(w.texts(telegramName, p), " "); got != strings.TrimSpace(text) {
		t.Errorf("got %d bytes, want the whole text of %d", len(got), len(text))
	}
	all := w.messagesOf(id)
	if len(all) != 2 || all[0].State != "failed" || all[0].Class != "WindowClosed" || all[1].FallbackOf != all[0].ID || all[1].State != "sent" {
		t.Errorf("got %+v, want a failed one and its fallback", all)
	}
}

// TestBlocked: who has blocked us on one channel gets everything on the next,
// in order; a platform that refuses one message costs that message's channel only.
func TestBlocked(t *testing.T) {
	t.Parallel()
	w := start(t, only("telegram, slack"))
	p := w.customer(1)
	w.vouch(telegramName, p)
	w.vouch(slackName, p)
	w.telegram.Block(p.chats[telegramName])
	w.settle()
	for k := range 4 {
		w.tell(p, words(k))
	}
	w.awaitMore(slackName, p, 4)
	w.quiet()
	for i, got := range w.texts(slackName, p) {
		if got != words(i) {
			t.Errorf("got %q at place %d, want %q", got, i, words(i))
		}
	}
	w.telegram.Unblock(p.chats[telegramName])
	w.say(telegramName, p, "Here again")
	w.quiet()
	w.tell(p, "Welcome back")
	w.awaitText(telegramName, p, "Welcome back")
}
