package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
)

// ways are all the ways to bring a reference to a channel.
var ways = []struct{ channel, way string }{
	{messengerName, "mme"}, {messengerName, "plugin"}, {telegramName, ""}, {slackName, "dm"}, {slackName, "slash"},
}

// thanked counts the thank-yous in a chat.
func thanked(all []emulator.Shown) int {
	n := 0
	for _, m := range all {
		if strings.Contains(m.Text, "Thank you for choosing this chat") {
			n++
		}
	}
	return n
}

// linked are the chats that are the customer's.
func (w *world) linked(p person) []string {
	w.Helper()
	status, _, raw := w.ask(http.MethodGet, w.api("/v1/customers/"+url.PathEscape(p.uid)), nil)
	if status == http.StatusNotFound {
		return nil
	}
	var got struct {
		Links []struct{ Channel, Address, State string }
	}
	decode(w.T, raw, &got)
	var all []string
	for _, l := range got.Links {
		if l.State == "active" {
			all = append(all, l.Channel+" "+l.Address)
		}
	}
	return all
}

// TestOptInOffer: the answer to a shop that asks for links.
func TestOptInOffer(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	o := w.offer(p)
	if left := time.Until(o.ExpiresAt); left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("got %s to use it, want 24h", left)
	}
	token := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	want := map[string]string{messengerName: "https://m.me/" + pageID + "?ref=", telegramName: "https://t.me/my_shop_bot?start="}
	if len(o.Links) != 3 {
		t.Fatalf("got %+v, want a link per channel", o.Links)
	}
	for _, l := range o.Links {
		switch {
		case l.Type != l.Channel:
			t.Errorf("got type %q, want %q", l.Type, l.Channel)
		case l.Channel == slackName && (l.Code == "" || l.Token != "" || l.How != "/link "+l.Code+", or send "+l.Code+" to the app"):
			t.Errorf("got %+v, want a code and how", l)
		case l.Channel != slackName && (!token.MatchString(l.Token) || l.URL != want[l.Channel]+l.Token):
			t.Errorf("got %+v, want a token of at most 64 characters, and %sTOKEN", l, want[l.Channel])
		case l.Channel == messengerName && (l.DataRef != l.Token || l.AppID != appID || l.PageID != pageID):
			t.Errorf("got %+v, want what the button needs", l)
		}
	}
	again := w.offer(p)
	for _, channel := range allChannels {
		if o.ref(channel) == "" || o.ref(channel) != again.ref(channel) {
			t.Errorf("%s: got %q, asked again %q, want the same", channel, o.ref(channel), again.ref(channel))
		}
	}
	page := strings.TrimPrefix(o.Page, "https://notify.example.com")
	status, h, raw := w.ask(http.MethodGet, w.hook(page), nil, header{"Authorization", ""})
	if status != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), "text/html") || strings.Contains(string(raw), "<script") {
		t.Errorf("link page: got status %d %q, want a page without scripts", status, h.Get("Content-Type"))
	}
	for _, l := range o.Links {
		if !strings.Contains(string(raw), l.Token+l.Code) {
			t.Errorf("the link page does not lead to %s", l.Channel)
		}
	}
	if strings.Contains(string(raw), p.uid) {
		t.Error("the link page names the customer")
	}
	for field, bad := range map[string]obj{
		"/customerUid": {"customerUid": ""}, "/purpose": {"purpose": "sesame"}, "/channels/0": {"channels": []string{"fax"}}, "/colour": {"colour": "red"},
	} {
		wish := obj{"customerUid": p.uid, "orderCode": p.order}
		maps.Copy(wish, bad)
		var got problemAnswer
		w.want(http.StatusUnprocessableEntity, http.MethodPost, "/v1/opt-ins", wish, &got)
		if !slices.Equal(got.pointers(), []string{field}) {
			t.Errorf("got %+v, want the fault at %s", got, field)
		}
	}
}

// TestOptInWays: each way of each platform links, once, and thanks, once.
func TestOptInWays(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	for i, way := range ways {
		t.Run(way.channel+" "+way.way, func(t *testing.T) {
			w := w.in(t)
			p, other := w.customer(10+2*i), w.customer(11+2*i)
			ref, chat := w.offer(p).ref(way.channel), p.chats[way.channel]
			for range 3 {
				w.optIn(way.channel, chat, ref, way.way)
			}
			w.quiet()
			if got := thanked(w.shown(way.channel, p)); got != 1 {
				t.Errorf("got %d thank-yous, want 1: %q", got, w.texts(way.channel, p))
			}
			if got, want := w.linked(p), []string{way.channel + " " + chat}; !slices.Equal(got, want) {
				t.Errorf("got links %q, want %q", got, want)
			}
			before := len(w.shown(way.channel, p))
			placed := w.report("order.placed", obj{"orderCode": p.order, "customerUid": p.uid})
			w.optIn(way.channel, other.chats[way.channel], ref, way.way)
			w.quiet()
			if got := len(w.shown(way.channel, p)) - before; got != 0 {
				t.Errorf("got %d more messages after order.placed, want none: %q", got, w.texts(way.channel, p)[before:])
			}
			var e struct{ State string }
			w.want(http.StatusOK, http.MethodGet, "/v1/events/"+placed, nil, &e)
			if e.State != "suppressed" {
				t.Errorf("order.placed after the thank-you: got it %s, want suppressed", e.State)
			}
			w.wantNothingSaid(way.channel, other, p)
		})
	}
}

// wantNothingSaid checks that a chat is linked to nobody and has learnt nothing
// about a customer.
func (w *world) wantNothingSaid(channel string, stranger, about person) {
	w.Helper()
	for _, m := range w.shown(channel, stranger) {
		raw := m.Text + string(m.Raw)
		for _, secret := range []string{about.order, about.uid, "Ines", "Vidal", "lamp"} {
			if strings.Contains(raw, secret) {
				w.Errorf("%s: a stranger is told %q", channel, raw)
			}
		}
	}
	chat := channel + " " + stranger.chats[channel]
	for _, p := range []person{stranger, about} {
		if slices.Contains(w.linked(p), chat) {
			w.Errorf("%s: a stranger's chat is linked", channel)
		}
	}
}

// TestOptInRefused: a reference that is made up, tampered with or of another
// channel links nothing, and they all are answered alike.
func TestOptInRefused(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	o := w.offer(p)
	token := o.ref(telegramName)
	flipped := []byte(token)
	flipped[10] = "AB"[min(1, strings.Count(token[10:11], "A"))]
	refs := map[string]string{
		"made up": strings.Repeat("A", len(token)), "short": "x", "tampered": string(flipped), "half": token[:len(token)/2],
		"page": o.Page[strings.LastIndex(o.Page, "/")+1:],
	}
	for i, channel := range allChannels {
		answers := map[string]bool{}
		stranger := w.customer(100 + i)
		try := func(name, ref string) {
			before := len(w.shown(channel, stranger))
			w.optIn(channel, stranger.chats[channel], ref, "")
			w.quiet()
			answers[strings.Join(w.texts(channel, stranger)[before:], "\n")] = true
			w.wantNothingSaid(channel, stranger, p)
			if t.Failed() {
				t.Fatalf("%s: %s", channel, name)
			}
		}
		for name, ref := range refs {
			try(name, ref)
		}
		for _, other := range allChannels {
			if other != channel {
				try("of "+other, o.ref(other))
			}
		}
		if len(answers) != 1 {
			t.Errorf("%s: got different answers %v, want always the same", channel, answers)
		}
	}
	for _, channel := range allChannels {
		w.optIn(channel, p.chats[channel], o.ref(channel), "")
	}
	w.quiet()
	if got := w.linked(p); len(got) != 3 {
		t.Errorf("got links %q, want all three: what was refused uses nothing up", got)
	}
}

// TestOptInExpires: what is too late links nothing.
func TestOptInExpires(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *conf) { c.Expires = "1s" })
	for i, channel := range allChannels {
		p := w.customer(i)
		o := w.offer(p)
		eventually(t, "the reference expires", func() error {
			if left := time.Until(o.ExpiresAt); left > 0 {
				return fmt.Errorf("%s left", left)
			}
			return nil
		})
		w.optIn(channel, p.chats[channel], o.ref(channel), "")
		w.quiet()
		w.wantNothingSaid(channel, p, p)
	}
}

// TestOptInAgain: who asks again after a link was used gets one that works.
func TestOptInAgain(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, family := w.customer(1), w.customer(2)
	for _, channel := range allChannels {
		w.link(channel, p)
		w.optIn(channel, family.chats[channel], w.offer(p).ref(channel), "")
		w.quiet()
		if got := thanked(w.shown(channel, family)); got != 1 {
			t.Errorf("%s: got %d thank-yous in the second chat, want 1: %q", channel, got, w.texts(channel, family))
		}
	}
}

// TestCheckbox: who ticked the checkbox is written to at once, and known by
// their own id from their first message on.
func TestCheckbox(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	chat := p.chats[messengerName]
	userRef, err := w.messenger.Checkbox(t.Context(), chat, w.offer(p).ref(messengerName))
	if err != nil {
		t.Fatal(err)
	}
	w.private = append(w.private, userRef)
	w.awaitMore(messengerName, p, 1)
	w.quiet()
	if got := thanked(w.shown(messengerName, p)); got != 1 {
		t.Errorf("got %d thank-yous, want 1: %q", got, w.texts(messengerName, p))
	}
	w.say(messengerName, p, "Who is there?")
	w.quiet()
	if got, want := w.linked(p), []string{messengerName + " " + chat}; !slices.Equal(got, want) {
		t.Errorf("got links %q, want %q", got, want)
	}
	w.wantEntries(w.ticket(p, 1).ID, "Who is there?")
	w.tell(p, "It is us.")
	w.awaitText(messengerName, p, "It is us.")
}

// TestOlderThanTheLink: news from before the link is not told again.
func TestOlderThanTheLink(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.report("order.placed", obj{"orderCode": p.order, "customerUid": p.uid})
	w.quiet()
	w.link(telegramName, p)
	before := len(w.shown(telegramName, p))
	old := cloudEvent("old-1", "order.on_hold", obj{"orderCode": p.order, "customerUid": p.uid})
	old["time"] = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	w.want(http.StatusAccepted, http.MethodPost, "/v1/events", old, nil)
	w.quiet()
	if got := w.texts(telegramName, p)[before:]; len(got) > 0 {
		t.Errorf("got %q, want nothing", got)
	}
}
