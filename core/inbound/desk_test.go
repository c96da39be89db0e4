package inbound_test

import (
	"context"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
	"tidings/core"
	"tidings/core/desk"
	"tidings/core/desk/desksim"
	"tidings/core/hybris"
	"tidings/core/hybris/hybrissim"
	"tidings/core/inbound"
	"tidings/core/intake"
)

// emulated is a desk from its agents' side. Tickets are counted from 0, oldest
// first, and told as "customer/order category: entry| entry (file)| …".
type emulated interface {
	desk() []string
	subject(ticket int) string
	note(ticket int, text string, public bool)
	status(ticket int, status string)
	state(ticket int) string
	away(on bool)
	lose(n int)
	faults() []string
}

const deskSecret = "a secret of at least 24 bytes"

// desks are the strategies, each with the desk at its other end.
var desks = []struct {
	name string
	open func(r *rig) (core.Desk, emulated)
}{
	{"trusted", func(r *rig) (core.Desk, emulated) { return r.occ(hybris.TicketsTrusted) }},
	{"customer", func(r *rig) (core.Desk, emulated) { return r.occ(hybris.TicketsCustomer) }},
	{"endpoint", func(r *rig) (core.Desk, emulated) {
		sim := desksim.New(deskSecret, time.Now)
		return desk.NewEndpoint(desk.HTTP{URL: "http://desk.test/endpoint/", Secret: deskSecret, Client: &http.Client{Transport: emulator.Transport(sim)}}), simulated{r, sim, nil}
	}},
	{"callback", func(r *rig) (core.Desk, emulated) {
		sim := desksim.New(deskSecret, time.Now)
		return desk.NewCallback(desk.HTTP{URL: "http://desk.test/callback", Secret: deskSecret, Client: &http.Client{Transport: emulator.Transport(sim)}}), simulated{r, sim, nil}
	}},
	{"mailbox", func(r *rig) (core.Desk, emulated) {
		sim := desksim.New(deskSecret, time.Now)
		m, err := desk.NewMailbox(desk.Mail{
			SMTPURL: "smtp://mail.test:25", From: "Shop <chat@shop.test>", To: "desk@shop.test", Secret: deskSecret,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go sim.ServeSMTP(theirs)
				return ours, nil
			},
		})
		if err != nil {
			r.t.Fatal(err)
		}
		return m, simulated{r, sim, m}
	}},
}

// occ is the shop's own desk, with the gateway's token or the customers'.
func (r *rig) occ(tickets string) (core.Desk, emulated) {
	shop := hybrissim.New(hybrissim.Options{
		BaseSites: []string{"site"}, ClientID: "tidings", ClientSecret: deskSecret, Now: time.Now,
		AllowTrustedTickets: tickets == hybris.TicketsTrusted, Clients: []hybrissim.Client{hybrissim.Storefront()},
	})
	for _, uid := range []string{"ada@shop", "bob@shop"} {
		shop.AddCustomer(uid, "A Customer")
	}
	shop.AddOrder(hybrissim.Order{Code: "1001", UserUID: "ada@shop", Site: "site"})
	o := hybris.Options{
		BaseURL: "http://shop.test/occ/v2", TokenURL: "http://shop.test/authorizationserver/oauth/token", ClientID: "tidings", ClientSecret: deskSecret,
		Sites: []hybris.Site{{ID: "site"}}, Tickets: tickets, HTTP: &http.Client{Transport: emulator.Transport(shop)},
		Customers: &inbound.Lent{Engine: r.engine, Keys: r.in.Keys}, Storefront: hybris.Storefront{ID: "storefront", Secret: "storefront"},
	}
	if tickets == hybris.TicketsCustomer {
		r.lends = shop
	}
	return hybris.New(o), occDesk{r, shop}
}

// inDesks runs a test with each strategy.
func inDesks(t *testing.T, test func(r *rig, d emulated)) {
	for _, x := range desks {
		t.Run(x.name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				strategy, at := x.open(r)
				r.in.Desk = strategy
				r.in.Categories = []inbound.Category{{Name: "COMPLAINT", Words: []string{"broken", "does not work"}}, {Name: "PROBLEM", Channels: []string{"b"}}}
				r.in.Files = inbound.FileLimits{MaxBytes: 1000, Types: []string{"image/*"}}
				r.in.Fetcher = func(channel string) (core.Fetcher, bool) { return r.platforms[channel], true }
				defer r.poll()()
				test(r, at)
				for _, f := range at.faults() {
					t.Errorf("the desk complains: %s", f)
				}
			})
		})
	}
}

// wantTickets compares what agents see.
func (r *rig) wantTickets(d emulated, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, d.desk()); diff != "" {
		r.t.Errorf("tickets (-want +got):\n%s", diff)
	}
}

// eventsIn hands events to the gateway as the web does.
func (r *rig) eventsIn(events ...core.Event) {
	r.t.Helper()
	var all []intake.Received
	for _, e := range events {
		all = append(all, intake.Received{Event: e})
	}
	if _, err := r.intake.Accept(context.Background(), all); err != nil {
		r.t.Fatal(err)
	}
	r.wait(200 * time.Millisecond)
}

// lend hands over a customer's token where the desk needs one.
func (r *rig) lend(uid string) {
	r.t.Helper()
	if r.lends == nil {
		return
	}
	access, refresh := r.lends.CustomerTokens(uid, "storefront")
	r.offerAs(inbound.Wish{CustomerUID: uid, Purpose: core.OrderUpdates, Token: core.CustomerToken{
		Access: core.Secret(access), Refresh: core.Secret(refresh), Expires: time.Now().Add(12 * time.Hour),
	}})
}

// asks links Ada with her order and has her write.
func (r *rig) asks(texts ...string) {
	r.t.Helper()
	r.link(ada, "ada@shop", "1001")
	r.lend("ada@shop")
	for _, text := range texts {
		r.say(ada, text)
	}
}

// occDesk is the desk of an emulated SAP Commerce.
type occDesk struct {
	r    *rig
	shop *hybrissim.Sim
}

func (o occDesk) tickets() []hybrissim.Ticket {
	all := o.shop.Tickets()
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

func (o occDesk) desk() []string {
	var all []string
	for _, t := range o.tickets() {
		order := ""
		if t.Associated != nil {
			order = t.Associated.Code
		}
		line := fmt.Sprintf("%s/%s %s:", t.CustomerUID, order, strings.TrimPrefix(t.Category, "ENQUIRY"))
		for _, e := range t.Entries {
			if e.Agent {
				continue
			}
			line += " " + e.Text
			for _, f := range e.Attachments {
				line += " (" + f.Name + ")"
			}
			line += "|"
		}
		all = append(all, strings.TrimSuffix(line, "|"))
	}
	return all
}

func (o occDesk) subject(i int) string { return o.tickets()[i].Subject }
func (o occDesk) note(i int, text string, public bool) {
	if _, err := o.shop.AddNote(o.r.t.Context(), o.tickets()[i].ID, text, public, "agent"); err != nil {
		o.r.t.Error(err)
	}
}

var occStates = map[string]string{"open": "OPEN", "in_process": "INPROCESS", "closed": "CLOSED"}

func (o occDesk) status(i int, status string) {
	if err := o.shop.SetTicketStatus(o.r.t.Context(), o.tickets()[i].ID, occStates[status], "", "agent"); err != nil {
		o.r.t.Error(err)
	}
}

func (o occDesk) state(i int) string {
	for name, code := range occStates {
		if o.tickets()[i].Status == code {
			return name
		}
	}
	return ""
}
func (o occDesk) away(on bool)   { o.shop.Down(on) }
func (o occDesk) lose(n int)     { o.shop.UnknownOutcome(n) }
func (occDesk) faults() []string { return nil }

// simulated is a desk that answers by events, by e-mail, or when it is asked.
type simulated struct {
	r    *rig
	sim  *desksim.Desk
	mail *desk.Mailbox
}

func (s simulated) desk() []string {
	var all []string
	for _, t := range s.sim.Tickets() {
		line := fmt.Sprintf("%s/%s %s:", t.CustomerUID, t.Order, t.Category)
		for _, e := range t.Entries {
			line += " " + e.Text
			for _, f := range e.Files {
				line += " (" + f.Name + ")"
			}
			line += "|"
		}
		all = append(all, strings.TrimSuffix(line, "|"))
	}
	return all
}

func (s simulated) subject(i int) string { return s.sim.Tickets()[i].Subject }
func (s simulated) state(i int) string   { return s.sim.Tickets()[i].Status }
func (s simulated) away(on bool)         { s.sim.Away(on) }
func (s simulated) lose(n int)           { s.sim.LoseAnswers(n) }
func (s simulated) faults() []string     { return s.sim.Faults() }

func (s simulated) note(i int, text string, public bool) {
	t, id := s.sim.Tickets()[i], s.sim.Note(i, text, public)
	switch {
	case s.mail != nil:
		s.answers(t, text, public)
	case !s.asked():
		s.r.eventsIn(core.Event{ID: t.ID + id, Source: "/desk", Type: core.TicketNoteAdded, Time: time.Now(), Data: core.EventData{
			TicketID: t.Reference, Note: &core.EventNote{ID: id, Text: text, Public: &public, CreatedAt: time.Now()},
		}})
	}
}

func (s simulated) asked() bool { _, ok := s.r.in.Desk.(core.TicketReader); return ok }

// answers replies to the newest e-mail, as an agent's program does.
func (s simulated) answers(t desksim.Ticket, text string, public bool) {
	subject, id := "Re: "+t.Subject, t.Reference
	if !public {
		subject = "[internal] " + subject
	}
	s.r.updates++
	raw := fmt.Sprintf("From: Kim <kim@shop.test>\r\nTo: chat@shop.test\r\nSubject: %s\r\nIn-Reply-To: %s\r\nMessage-ID: <a%d@shop.test>\r\n\r\n%s\r\n\r\n"+
		"On Monday, Shop wrote:\r\n> quoted\r\n", mime.QEncoding.Encode("utf-8", subject), id, s.r.updates, text)
	a, err := s.mail.Read([]byte(raw), time.Now())
	if err != nil {
		s.r.t.Error(err)
	}
	s.r.eventsIn(a.Events...)
}

func (s simulated) status(i int, status string) {
	s.sim.SetStatus(i, status)
	t := s.sim.Tickets()[i]
	switch {
	case s.mail != nil:
		s.answers(t, "#"+status, true)
	case !s.asked():
		s.r.eventsIn(core.Event{ID: fmt.Sprint(t.Reference, status, time.Now().UnixNano()), Source: "/desk", Type: core.TicketStatus, Time: time.Now(),
			Data: core.EventData{TicketID: t.Reference, Status: status}})
	}
}

// Fetch has the platform's files: what they hold is their id, as a picture where it begins with png.
func (p *platform) Fetch(_ context.Context, m core.Media, _ int64) (core.File, error) {
	if m.ID == "gone" {
		return core.File{}, &core.SendError{Class: core.Rejected, Code: "404", Err: fmt.Errorf("gone")}
	}
	return core.File{Name: m.Name, Type: "image/png", Data: []byte(strings.Replace(m.ID, "png", "\x89PNG\r\n\x1a\n", 1))}, nil
}

func TestDesksTakeQuestionsInOrder(t *testing.T) {
	inDesks(t, func(r *rig, d emulated) {
		r.asks("first", "second")
		r.wantTickets(d, "ada@shop/1001 : first| second")
		if got := d.subject(0); !strings.HasPrefix(got, "Order 1001: question by chat (a) [T1-") || len(got) > 255 {
			t.Errorf("got subject %q", got)
		}
		r.wantShown(ada, "thanks", "confirmation")
	})
}

func TestDesksHaveACallOfUnknownOutcomeOnce(t *testing.T) {
	inDesks(t, func(r *rig, d emulated) {
		r.asks()
		d.lose(2)
		r.say(ada, "first")
		r.wait(time.Minute)
		r.say(ada, "same")
		r.wait(time.Minute)
		d.lose(2)
		r.say(ada, "same")
		r.say(ada, "last")
		r.wait(2 * time.Minute)
		r.wantTickets(d, "ada@shop/1001 : first| same| same| last")
	})
}

func TestDesksThatAreAwayForHoursLoseNothing(t *testing.T) {
	inDesks(t, func(r *rig, d emulated) {
		r.asks("first")
		d.away(true)
		r.say(ada, "second")
		r.wantShown(ada, "thanks", "confirmation")
		for i := range 2 {
			r.wait(time.Hour)
			r.say(ada, fmt.Sprint("hour ", i+1))
		}
		r.wantTickets(d, "ada@shop/1001 : first")
		d.away(false)
		r.wait(2 * time.Minute)
		r.wantTickets(d, "ada@shop/1001 : first| second| hour 1| hour 2")
	})
}

func TestDesksGetNothingBlankAndNothingTooLong(t *testing.T) {
	inDesks(t, func(r *rig, d emulated) {
		long := strings.Repeat("wörter 🎁🎁 ", 900) // 10 800 units
		r.asks("  \n", long)
		r.wait(time.Second)
		_, all, _ := strings.Cut(d.desk()[0], ":")
		parts := strings.Split(all, "|")
		if got := strings.Join(strings.Fields(strings.Join(parts, " ")), " "); got != strings.TrimSpace(long) {
			t.Errorf("got %d entries with %d bytes, want %d bytes", len(parts), len(got), len(long))
		}
		if len(parts) != 3 {
			t.Errorf("got %d entries, want 3", len(parts))
		}
	})
}

func TestDesksFileByRule(t *testing.T) {
	inDesks(t, func(r *rig, d emulated) {
		r.asks("My cup is BROKEN!")
		r.link(bob, "bob@shop", "")
		r.lend("bob@shop")
		r.say(bob, "Unbroken joy.") // no word of its own
		r.wantTickets(d, "ada@shop/1001 COMPLAINT: My cup is BROKEN!", "bob@shop/ : Unbroken joy.")
	})
}

func TestDesksAnswersAreToldInOrderAndPrivateOnesNever(t *testing.T) {
	inDesks(t, func(r *rig, d emulated) {
		r.asks("Where is it?")
		d.note(0, "A difficult customer.", false)
		d.note(0, "It left.", true)
		r.wait(time.Second)
		d.note(0, "It has arrived.", true)
		r.wait(3 * time.Minute)
		r.wantShown(ada, "thanks", "confirmation", "note", "note")
		shown := strings.Join(r.texts(ada), "\n")
		if first, second := strings.Index(shown, "It left."), strings.Index(shown, "It has arrived."); first < 0 || second < first {
			t.Errorf("got %q", shown)
		}
		if strings.Contains(shown, "difficult") || strings.Contains(shown, "quoted") {
			t.Errorf("what is internal, or quoted, has been told: %q", shown)
		}
		r.say(ada, "Thanks!")
		r.wantTickets(d, "ada@shop/1001 : Where is it?| Thanks!")
	})
}

func TestDesksCloseAndAreReopenedOrRenewed(t *testing.T) {
	for _, reopen := range []bool{false, true} {
		t.Run(fmt.Sprint("reopen ", reopen), func(t *testing.T) {
			inDesks(t, func(r *rig, d emulated) {
				r.in.Reopen = reopen
				r.asks("first")
				d.status(0, "closed")
				r.wait(2 * time.Minute)
				if got := r.lastText(ada); !strings.Contains(got, "closed") {
					t.Errorf("got %q, want to be told of the closing", got)
				}
				told := len(r.texts(ada))
				r.say(ada, "second")
				r.wait(2 * time.Minute)
				if got := len(r.texts(ada)); got != told+1 { // the confirmation
					t.Errorf("was shown %d more, want 1: %q", got-told, r.texts(ada)[told:])
				}
				if !reopen {
					r.wantTickets(d, "ada@shop/1001 : first", "ada@shop/1001 : second")
					return
				}
				r.wantTickets(d, "ada@shop/1001 : first| second")
				if got := d.state(0); got != "in_process" {
					t.Errorf("got state %q of what was reopened", got)
				}
				d.note(0, "Answer.", true)
				r.wait(2 * time.Minute)
				if got := r.lastText(ada); !strings.Contains(got, "Answer.") {
					t.Errorf("got %q, want the note", got)
				}
			})
		})
	}
}

func TestDesksGetFilesWithinTheLimits(t *testing.T) {
	const png = "png"
	inDesks(t, func(r *rig, d emulated) {
		r.asks()
		d.lose(3) // the ticket and the file, each more than once
		r.accept(ada, core.Update{Kind: core.UpdateText, Text: "Look:", Media: []core.Media{
			{Kind: "image", ID: png + "1", Name: "../cup.png"}, {Kind: "location", Text: "43.6, 1.44"},
		}})
		r.wait(3 * time.Minute)
		r.accept(ada, core.Update{Kind: core.UpdateText, Media: []core.Media{
			{Kind: "image", ID: "<html>", Name: "page.png"}, {Kind: "image", ID: png + strings.Repeat("x", 1000)}, {Kind: "file", ID: "gone"}, {Kind: "image", ID: png + "2"},
		}})
		r.say(ada, "last")
		r.wait(time.Minute)
		r.wantTickets(d, "ada@shop/1001 : Look:\n[image: ../cup.png]\n[location: 43.6, 1.44] (cup (2).png)| "+
			"[image: page.png]\n[image]\n[file]\n[image] (image (7).png)| last")
	})
}
