package main_test

import (
	"fmt"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/core/desk/desksim"
	"tidings/core/hybris/hybrissim"
)

// deskSecret signs what goes to a desk, and proves what comes back by e-mail.
const deskSecret = hush + "desk-secret-of-some-length"

// agents are a desk from the side of those who work there. Tickets are counted
// from 0, oldest first, and told as "uid/order category status: entry| entry (file)".
type agents interface {
	tickets() []string
	note(ticket int, text string, public bool)
	status(ticket int, status string)
	away(on bool)
	lose(n int) // answers to calls that have taken effect
	faults() []string
}

// deskStanzas are the strategies; ADDRESS is where the desk is.
var deskStanzas = []struct{ name, stanza string }{
	{"trusted", `{desk: trusted`},
	{"customer", `{desk: customer, storefront: {client_id: storefront, client_secret: storefront}`},
	{"endpoint", `{desk: endpoint, url: "http://ADDRESS/endpoint", secret: "` + deskSecret + `"`},
	{"callback", `{desk: callback, url: "http://ADDRESS/callback", secret: "` + deskSecret + `"`},
	{"mailbox", `{desk: mailbox, smtp_url: "smtp://ADDRESS", from: "Shop <chat@shop.test>", to: desk@shop.test, secret: "` + deskSecret + `"`},
}

// atDesk opens a world, not yet started, whose questions go to a desk. More are
// further keys of the stanza.
func atDesk(t *testing.T, name, more string, change ...func(*conf)) (*world, agents) {
	t.Helper()
	i := slices.IndexFunc(deskStanzas, func(s struct{ name, stanza string }) bool { return s.name == name })
	sim := desksim.New(deskSecret, time.Now)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if name == "mailbox" {
		t.Cleanup(func() { _ = l.Close() })
		go sim.ListenSMTP(l)
	} else {
		server := &http.Server{Handler: sim}
		t.Cleanup(func() { _ = server.Close() })
		go func() { _ = server.Serve(l) }()
	}
	stanza := strings.ReplaceAll(deskStanzas[i].stanza, "ADDRESS", l.Addr().String()) + more +
		`, categories: [{name: COMPLAINT, words: [broken, "does not work"]}]}`
	w := newWorld(t, append(change, func(c *conf) {
		c.Tickets, c.stock = stanza, name == "customer"
		c.shop.Clients = []hybrissim.Client{hybrissim.Storefront()}
	})...)
	if name == "trusted" || name == "customer" {
		return w, occAgents{w}
	}
	return w, simAgents{w, sim, name}
}

// linkAt links a customer's chat; their storefront hands their token over where the desk needs it.
func (w *world) linkAt(desk, channel string, p person) {
	w.Helper()
	wish := obj{}
	if desk == "customer" {
		access, refresh := w.shop.CustomerTokens(p.uid, "storefront")
		w.private = append(w.private, access, refresh)
		wish["customerToken"] = obj{"accessToken": access, "refreshToken": refresh, "expiresIn": 300}
	}
	w.optIn(channel, p.chats[channel], w.offer(p, wish).ref(channel), "")
	w.awaitMore(channel, p, 1)
	w.quiet()
}

// wantTickets waits until agents see these tickets.
func (w *world) wantTickets(a agents, want ...string) {
	w.Helper()
	eventually(w.T, "the desk has its tickets", func() error {
		if got := a.tickets(); !slices.Equal(got, want) {
			return fmt.Errorf("got %q, want %q", got, want)
		}
		return nil
	})
}

// occAgents work in the emulated shop.
type occAgents struct{ w *world }

var occStates = map[string]string{"OPEN": "open", "INPROCESS": "in_process", "CLOSED": "closed"}

func (a occAgents) all() []hybrissim.Ticket {
	all := a.w.shop.Tickets()
	slices.Reverse(all)
	return all
}

func (a occAgents) tickets() []string {
	all := []string{}
	for _, t := range a.all() {
		order := ""
		if t.Associated != nil {
			order = t.Associated.Code
		}
		var entries []string
		for _, e := range t.Entries {
			if e.Agent {
				continue
			}
			line := e.Text
			for _, f := range e.Attachments {
				line += fmt.Sprintf(" (%s %q)", f.Name, f.Data)
			}
			entries = append(entries, line)
		}
		all = append(all, fmt.Sprintf("%s/%s %s %s: %s", t.CustomerUID, order, strings.TrimPrefix(t.Category, "ENQUIRY"), occStates[t.Status], strings.Join(entries, "| ")))
	}
	return all
}

func (a occAgents) note(i int, text string, public bool) {
	if _, err := a.w.shop.AddNote(a.w.Context(), a.all()[i].ID, text, public, "agent"); err != nil {
		a.w.Error(err)
	}
}

func (a occAgents) status(i int, status string) {
	for code, name := range occStates {
		if name != status {
			continue
		}
		if err := a.w.shop.SetTicketStatus(a.w.Context(), a.all()[i].ID, code, "", "agent"); err != nil {
			a.w.Error(err)
		}
	}
}

func (a occAgents) away(on bool)   { a.w.shop.Down(on) }
func (a occAgents) lose(n int)     { a.w.shop.UnknownOutcome(n) }
func (occAgents) faults() []string { return nil }

// simAgents work at a desk that is asked, told by callbacks, or written to.
type simAgents struct {
	w    *world
	sim  *desksim.Desk
	name string
}

func (a simAgents) tickets() []string {
	all := []string{}
	for _, t := range a.sim.Tickets() {
		var entries []string
		for _, e := range t.Entries {
			line := e.Text
			for _, f := range e.Files {
				line += fmt.Sprintf(" (%s %q)", f.Name, f.Data)
			}
			entries = append(entries, line)
		}
		all = append(all, fmt.Sprintf("%s/%s %s %s: %s", t.CustomerUID, t.Order, t.Category, t.Status, strings.Join(entries, "| ")))
	}
	return all
}

func (a simAgents) note(i int, text string, public bool) {
	t, id := a.sim.Tickets()[i], a.sim.Note(i, text, public)
	switch a.name {
	case "mailbox":
		a.answer(t, text, public)
	case "callback":
		a.w.report("ticket.note_added", obj{"ticketId": t.Reference, "note": obj{"id": id, "text": text, "public": public}})
	}
}

func (a simAgents) status(i int, status string) {
	a.sim.SetStatus(i, status)
	t := a.sim.Tickets()[i]
	switch a.name {
	case "mailbox":
		a.answer(t, "#"+status, true)
	case "callback":
		a.w.report("ticket.status_changed", obj{"ticketId": t.Reference, "status": status})
	}
}

// answer replies as an agent's program does; the mail server hands it on, twice.
func (a simAgents) answer(t desksim.Ticket, text string, public bool) {
	a.w.Helper()
	subject := "Re: " + t.Subject
	if !public {
		subject = "[internal] " + subject
	}
	raw := fmt.Sprintf("From: Kim <kim@shop.test>\r\nTo: chat@shop.test\r\nSubject: %s\r\nIn-Reply-To: %s\r\nMessage-ID: <a%d@shop.test>\r\n\r\n%s\r\n\r\n"+
		"On Monday, Shop wrote:\r\n> quoted\r\n", mime.QEncoding.Encode("utf-8", subject), t.Reference, a.w.ids.Add(1), text)
	for range 2 {
		status, _, body := a.w.ask(http.MethodPost, a.w.api("/v1/mail"), raw, header{"Content-Type", "message/rfc822"})
		if status != http.StatusAccepted {
			a.w.Errorf("POST /v1/mail: got status %d: %s", status, body)
		}
	}
}

func (a simAgents) away(on bool)     { a.sim.Away(on) }
func (a simAgents) lose(n int)       { a.sim.LoseAnswers(n) }
func (a simAgents) faults() []string { return a.sim.Faults() }

// TestWalkAtEachDesk: a customer asks in the chat, the question becomes a ticket
// of theirs about their order, what the agent writes and does is told in the
// chat once, and a closed ticket is renewed or reopened by the next question.
func TestWalkAtEachDesk(t *testing.T) {
	t.Parallel()
	for _, closed := range []string{"renew", "reopen"} {
		for _, d := range deskStanzas {
			t.Run(d.name+" "+closed, func(t *testing.T) {
				t.Parallel()
				w, a := atDesk(t, d.name, ", closed: "+closed)
				w.startGateway()
				walkAtDesk(w, a, d.name, closed)
			})
		}
	}
}

func walkAtDesk(w *world, a agents, desk, closed string) {
	p, channel := w.customer(1), telegramName
	w.linkAt(desk, channel, p)
	ticket := p.uid + "/" + p.order + " COMPLAINT "
	w.say(channel, p, "The lamp does not work!")
	w.wantTickets(a, ticket+"open: The lamp does not work!")
	w.say(channel, p, "It was fine yesterday.")
	w.wantTickets(a, ticket+"open: The lamp does not work!| It was fine yesterday.")
	w.quiet()

	a.note(0, "psst, a difficult customer", false)
	a.status(0, "in_process")
	w.awaitText(channel, p, "We are working on your request")
	a.note(0, "A new one is on its way: 5 < 6 & <i>yes</i>.", true)
	w.awaitText(channel, p, "A new one is on its way: 5 < 6 & <i>yes</i>.")
	a.status(0, "closed")
	w.awaitText(channel, p, "is closed")
	w.quiet()

	w.say(channel, p, "And the bulb?")
	if closed == "renew" {
		w.wantTickets(a, ticket+"closed: The lamp does not work!| It was fine yesterday.", p.uid+"/"+p.order+"  open: And the bulb?")
		a.note(1, "Inside.", true)
	} else {
		w.wantTickets(a, ticket+"in_process: The lamp does not work!| It was fine yesterday.| And the bulb?")
		a.note(0, "Inside.", true)
	}
	w.awaitText(channel, p, "Inside.")
	time.Sleep(500 * time.Millisecond) // two more looks at the desk
	w.quiet()
	w.wantTold(channel, p, "Thank you", confirmation, "We are working", "A new one", "is closed", "Inside.")
	if got := a.faults(); len(got) > 0 {
		w.Errorf("the desk complains: %q", got)
	}
}

// wantTold compares all that was shown in a chat, by words that stand in it. The
// second question is within the quiet minute of the first.
func (w *world) wantTold(channel string, p person, want ...string) {
	w.Helper()
	got := w.texts(channel, p)
	fits := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		fits = fits && strings.Contains(got[i], want[i])
	}
	if !fits {
		w.Errorf("told %q, want messages with %q", got, want)
	}
}

// TestKilledAtEachDesk: promise 4. A power cut after the desk has taken the
// question, the entry or the file, and before we know: each is there once, in order.
func TestKilledAtEachDesk(t *testing.T) {
	t.Parallel()
	for _, d := range deskStanzas[2:] { // the shop's own desk: TestKilledWhileTicketing
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			w, a := atDesk(t, d.name, "", atFullSpeed, func(c *conf) { c.silent = true })
			w.startGateway()
			p := w.customer(1)
			w.link(slackName, p)
			sim := a.(simAgents).sim
			cut := func(begun <-chan struct{}) {
				t.Helper()
				select {
				case <-begun:
				case <-time.After(patience):
					t.Fatal("the desk was not called")
				}
				w.gateway.kill()
				w.startGateway()
			}
			for _, text := range []string{"First?", "Second?"} {
				begun := sim.HoldAnswer()
				w.say(slackName, p, text)
				w.say(slackName, p, text+" Quick!")
				cut(begun)
			}
			sim.Away(true)
			w.sendFile(slackName, p, pictureOf("mug"), "Look.")
			w.gateway.kill()
			w.startGateway()
			w.say(slackName, p, "Last.")
			sim.Away(false)
			want := fmt.Sprintf("%s/%s  open: First?| First? Quick!| Second?| Second? Quick!| Look.\n[image: mug.png: image/png] "+
				`(mug (6).png "\x89PNG\r\n\x1a\nmug")`+"| Last.", p.uid, p.order)
			w.wantTickets(a, want)
			w.quiet()
			w.wantTickets(a, want)
			if got := a.faults(); len(got) > 0 {
				t.Errorf("the desk complains: %q", got)
			}
		})
	}
}
