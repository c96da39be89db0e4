package main_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
)

// TestEightCopies: promise 4. The same webhook eight times at once is one
// entry of one ticket and one confirmation.
func TestEightCopies(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	for i, channel := range allChannels {
		t.Run(channel, func(t *testing.T) {
			w := w.in(t)
			p := w.customer(i)
			w.sims[channel].Webhooks().Twist(1, emulator.Twist{Copies: 7})
			w.optIn(channel, p.chats[channel], w.offer(p).ref(channel), "")
			w.quiet()
			if got := thanked(w.shown(channel, p)); got != 1 {
				t.Errorf("got %d thank-yous, want 1", got)
			}
			for _, text := range []string{"First?", "Second?"} {
				w.sims[channel].Webhooks().Twist(1, emulator.Twist{Copies: 7})
				w.say(channel, p, text)
			}
			ticket := w.ticket(p, 2)
			w.quiet()
			w.wantEntries(ticket.ID, "First?", "Second?")
			confirmed := slices.DeleteFunc(w.texts(channel, p), func(s string) bool { return s != confirmation })
			if len(confirmed) != 1 {
				t.Errorf("got %d confirmations, want 1", len(confirmed))
			}
		})
	}
}

// TestShopAway: the customer is confirmed all the same, and the ticket is made
// when the shop is back, its entries in order.
func TestShopAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(*world, bool){
		"down":        func(w *world, on bool) { w.shop.Down(on) },
		"unavailable": func(w *world, on bool) { w.shop.Unavailable(on) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			p := w.customer(1)
			w.link(telegramName, p)
			away(w, true)
			var want []string
			for k := range 5 {
				want = append(want, words(k))
				w.say(telegramName, p, words(k))
			}
			w.awaitText(telegramName, p, confirmation)
			w.tell(p, "Meanwhile, some news")
			w.awaitText(telegramName, p, "Meanwhile, some news")
			if got := len(w.tickets(p)); got != 0 {
				t.Errorf("got %d tickets from a shop that is away", got)
			}
			away(w, false)
			w.wantEntries(w.ticket(p, 5).ID, want...)
		})
	}
}

// TestUnknownOutcome: nobody knows whether the ticket was made. It was, and is
// not made again.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.link(telegramName, p)
	w.shop.UnknownOutcome(1)
	w.say(telegramName, p, "First?")
	ticket := w.ticket(p, 1)
	w.quiet()
	w.shop.UnknownOutcome(1)
	w.say(telegramName, p, "Second?")
	w.ticket(p, 2)
	w.say(telegramName, p, "Third?")
	w.ticket(p, 3)
	w.quiet()
	w.wantEntries(ticket.ID, "First?", "Second?", "Third?")
}

// TestKilledWhileAsking: a power cut between question and ticket loses nothing.
func TestKilledWhileAsking(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.link(telegramName, p)
	w.shop.Down(true)
	w.say(telegramName, p, "First?")
	w.say(telegramName, p, "Second?")
	w.gateway.kill()
	w.shop.Down(false)
	w.startGateway()
	w.wantEntries(w.ticket(p, 2).ID, "First?", "Second?")
	w.awaitText(telegramName, p, confirmation)
}

// lastWords is a proxy in front of the shop that keeps back the answers to
// POSTs on tickets: they have taken effect, and nobody knows.
type lastWords struct{ swallowed chan struct{} }

func (l lastWords) proxy(shop http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/tickets") {
			shop.ServeHTTP(rw, r)
			return
		}
		answer := httptest.NewRecorder()
		shop.ServeHTTP(answer, r)
		select {
		case l.swallowed <- struct{}{}:
			<-r.Context().Done()
		default: // nobody waits for it: it is answered
			maps.Copy(rw.Header(), answer.Header())
			rw.WriteHeader(answer.Code)
			_, _ = rw.Write(answer.Body.Bytes())
		}
	})
}

// TestKilledWhileTicketing: promise 4. A power cut after the shop has made the
// ticket, or the entry, and before we know: it is looked up, not made again.
func TestKilledWhileTicketing(t *testing.T) {
	t.Parallel()
	l := lastWords{make(chan struct{})}
	w := start(t, atFullSpeed, func(c *conf) { c.proxy = l.proxy })
	p := w.customer(1)
	w.link(telegramName, p)
	for _, text := range []string{"First?", "Second?"} {
		if _, err := w.telegram.Say(t.Context(), p.chats[telegramName], text); err != nil {
			t.Fatal(err)
		}
		select {
		case <-l.swallowed:
		case <-time.After(patience):
			t.Fatal("the shop was not asked")
		}
		w.gateway.kill()
		w.startGateway()
		w.settle()
		w.rest()
	}
	w.say(telegramName, p, "Third?")
	w.rest()
	if got := len(w.tickets(p)); got != 1 {
		t.Fatalf("got %d tickets, want 1", got)
	}
	w.wantEntries(w.tickets(p)[0].ID, "First?", "Second?", "Third?")
}

// TestWhichOrder: that of the message answered, else one named in the text,
// else the last told in that chat.
func TestWhichOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text, want string
		reply      bool
	}{
		"answered": {"And this one?", "first", true},
		"named":    {"What about ORDER?", "first", false},
		"last":     {"What about it?", "second", false},
		"foreign":  {"What about 99999999?", "second", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, atFullSpeed)
			p := w.customer(1)
			second := w.customer(2)
			second.uid = p.uid
			w.shop.AddOrder(orderOf(p, second.order))
			w.link(slackName, p)
			w.report("order.shipped", obj{"orderCode": p.order, "customerUid": p.uid})
			w.report("order.shipped", obj{"orderCode": second.order, "customerUid": p.uid})
			shown := w.awaitMore(slackName, p, 3)
			if text := strings.ReplaceAll(test.text, "ORDER", p.order); test.reply {
				if _, err := w.slack.ReplyTo(t.Context(), p.chats[slackName], shown[len(shown)-2].ID, text); err != nil {
					t.Fatal(err)
				}
				w.settle()
			} else {
				w.say(slackName, p, text)
			}
			ticket := w.ticket(p, 1)
			want := map[string]string{"first": p.order, "second": second.order}[test.want]
			if ticket.Associated == nil || ticket.Associated.Code != want {
				t.Errorf("got a ticket about %+v, want order %s", ticket.Associated, want)
			}
		})
	}
}

// TestUnlinkedSender: told the way to link once; what they wrote becomes a
// ticket when they link.
func TestUnlinkedSender(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	for i, channel := range allChannels {
		t.Run(channel, func(t *testing.T) {
			w := w.in(t)
			p := w.customer(i)
			for _, text := range []string{"Hello?", "status", "Is anybody there?"} {
				w.say(channel, p, text)
			}
			w.quiet()
			if got := w.texts(channel, p); len(got) != 1 || !strings.Contains(got[0], "not connected") {
				t.Errorf("got %q, want the way to link, once", got)
			}
			if got := len(w.tickets(p)); got != 0 {
				t.Errorf("got %d tickets of nobody, want none", got)
			}
			w.link(channel, p)
			w.wantEntries(w.ticket(p, 2).ID, "Hello?", "Is anybody there?")
		})
	}
}

// TestCommands: one word that is the whole message, in the customer's language.
func TestCommands(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p, q := w.customer(1), w.customer(2)
	for i, test := range []struct {
		p       person
		locale  string
		channel string
		say     []string
		want    []string
	}{
		{p, "en", telegramName, []string{"help", "Status", "STOP", "start"}, []string{"Just write what you would like to know", "Your orders", "no more messages", "Welcome back"}},
		{q, "de", slackName, []string{"Hilfe", "status", "Stopp", "Start"}, []string{"Schreiben Sie einfach", "Ihre Bestellungen", "keine Nachrichten mehr", "Willkommen zurück"}},
	} {
		w.optIn(test.channel, test.p.chats[test.channel], w.offer(test.p, obj{"locale": test.locale}).ref(test.channel), "")
		w.awaitMore(test.channel, test.p, 1)
		w.quiet()
		for j, word := range test.say {
			before := len(w.shown(test.channel, test.p))
			w.say(test.channel, test.p, word)
			answer := w.awaitMore(test.channel, test.p, before+1)[before].Text
			if !strings.Contains(answer, test.want[j]) {
				t.Errorf("case %d: %s: got %q, want %q in it", i, word, answer, test.want[j])
			}
			if want := test.want[1]; test.want[j] == want && (!strings.Contains(answer, test.p.order) || strings.Count(answer, "0041") != 1) {
				t.Errorf("case %d: %s: got %q, want order %s and no other", i, word, answer, test.p.order)
			}
		}
		if got := len(w.tickets(test.p)); got != 0 {
			t.Errorf("case %d: got %d tickets of commands, want none", i, got)
		}
	}
}

// TestStop: no news after stop, an answer all the same, and news after start.
func TestStop(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.link(telegramName, p)
	w.say(telegramName, p, "stop")
	w.quiet()
	before := len(w.shown(telegramName, p))
	id := w.report("order.shipped", obj{"orderCode": p.order, "customerUid": p.uid})
	w.quiet()
	var e struct{ State, Reason string }
	w.want(http.StatusOK, http.MethodGet, "/v1/events/"+id, nil, &e)
	if e.State != "suppressed" || e.Reason == "" || len(w.shown(telegramName, p)) != before {
		t.Errorf("got event %+v and %q, want it suppressed and nothing sent", e, w.texts(telegramName, p)[before:])
	}
	w.say(telegramName, p, "start")
	w.awaitText(telegramName, p, "Welcome back")
	w.report("order.delivered", obj{"orderCode": p.order, "customerUid": p.uid})
	w.awaitText(telegramName, p, "has been delivered")
}

// TestLongQuestion: over 5000 characters a question is several entries, whole.
func TestLongQuestion(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.link(slackName, p)
	text := strings.TrimSpace(strings.Repeat("Why is it so long? 👩‍👩‍👧 ", 500))
	w.say(slackName, p, text)
	var joined []string
	ticket := w.ticket(p, 3)
	for _, e := range w.shop.CustomerEntries(ticket.ID) {
		joined = append(joined, e.Text)
	}
	if got := strings.Join(joined, " "); got != text {
		t.Errorf("got entries of %d bytes, want the text of %d", len(got), len(text))
	}
}

// TestPhotos become lines of the ticket.
func TestPhotos(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.link(messengerName, p)
	if _, err := w.messenger.SendPhoto(t.Context(), p.chats[messengerName], "https://cdn.example.net/broken-mug.jpg", ""); err != nil {
		t.Fatal(err)
	}
	w.settle()
	entry := w.shop.CustomerEntries(w.ticket(p, 1).ID)[0].Text
	if !strings.Contains(entry, "https://cdn.example.net/broken-mug.jpg") {
		t.Errorf("got entry %q, want where the picture is", entry)
	}
}

// TestSwitchingChat: the conversation follows the customer, and the answer goes
// to where they last wrote.
func TestSwitchingChat(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.link(messengerName, p)
	w.link(telegramName, p)
	w.say(messengerName, p, "First here.")
	ticket := w.ticket(p, 1)
	w.say(telegramName, p, "Now here.")
	w.ticket(p, 2)
	if _, err := w.shop.AddNote(t.Context(), ticket.ID, "Where you are now.", true, "smith"); err != nil {
		t.Fatal(err)
	}
	w.awaitText(telegramName, p, "Where you are now.")
	w.quiet()
	if slices.ContainsFunc(w.texts(messengerName, p), func(s string) bool { return strings.Contains(s, "Where you are now.") }) {
		t.Error("the answer went to the other chat too")
	}
}

// TestShopReadLate: news wait in order for a shop that does not answer, then
// are told from what they hold.
func TestShopReadLate(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *conf) { c.Wait = "1s" })
	p, q := w.customer(1), w.customer(2)
	w.vouch(telegramName, p)
	w.vouch(telegramName, q)
	w.shop.Down(true)
	first := w.report("order.shipped", obj{"orderCode": p.order, "customerUid": p.uid})
	w.tell(p, "Behind it")
	begun := time.Now()
	w.tell(q, "Somebody else")
	w.awaitText(telegramName, q, "Somebody else")
	t.Logf("another customer waited %s", time.Since(begun))
	w.awaitText(telegramName, p, "Behind it")
	if got := w.texts(telegramName, p); !strings.Contains(got[0], "is on its way") {
		t.Errorf("got %q, want the parcel's news first", got)
	}
	if m := w.awaitState(first, "sent"); !strings.Contains(m.Reason, "degraded") {
		t.Errorf("got reason %q, want it to say degraded", m.Reason)
	}
	w.shop.Down(false)
	if diff := cmp.Diff(2, len(w.texts(telegramName, p))); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}
