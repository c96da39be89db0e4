package inbound_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/core"
)

// platform is a channel that shows what it is sent. Customers come to "a" and
// "b" by a link, to "code" by typing a code.
type platform struct {
	name  string
	mu    sync.Mutex
	shown []shown
	fail  func(core.Part) error // nil: yes
}

type shown struct {
	to, id, text string
	key          string
}

func (p *platform) Limits() core.Limits {
	return core.Limits{Text: core.Limit{Max: 4000, Unit: core.Runes}, Delivered: true, Read: true}
}
func (p *platform) Close() error { return nil }

func (p *platform) Invite(token string) core.Invitation {
	if p.name == "code" {
		return core.Invitation{TakesCode: true, How: "send %s"}
	}
	return core.Invitation{URL: "https://" + p.name + ".example/" + token}
}

func (p *platform) Send(_ context.Context, to core.Address, part core.Part) (core.Sent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		if err := p.fail(part); err != nil {
			return core.Sent{}, err
		}
	}
	id := fmt.Sprintf("%s-%d", p.name, len(p.shown)+1)
	p.shown = append(p.shown, shown{to: to.Value, id: id, text: part.Plain(), key: part.Key})
	return core.Sent{ID: id}, nil
}

func (p *platform) script(fail func(core.Part) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = fail
}

// answers tell our texts apart by words that stand in no other.
var answers = []struct{ name, words string }{
	{"thanks", "Thank you for choosing this chat"},
	{"danke", "Vielen Dank, dass Sie sich"},
	{"confirmation", "We received your request, we are processing it."},
	{"bestätigung", "Wir haben Ihre Anfrage erhalten"},
	{"help", "Just write what you would like to know"},
	{"hilfe", "Schreiben Sie einfach, was"},
	{"stopped", "You will get no more messages"},
	{"gestoppt", "Sie bekommen hier keine Nachrichten mehr"},
	{"started", "Welcome back!"},
	{"gestartet", "Willkommen zurück!"},
	{"invalid", "This link or code is not valid"},
	{"invite", "This chat is not connected"},
	{"status", "Your orders"},
	{"no orders", "We know of no orders"},
	{"note", "Our answer to your request"},
}

func nameOf(text string) string {
	for _, a := range answers {
		if strings.Contains(text, a.words) {
			return a.name
		}
	}
	return text
}

// to returns what was shown to an address, our own texts by their names.
func (p *platform) to(address string) []shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []shown
	for _, s := range p.shown {
		if s.to == address {
			all = append(all, s)
		}
	}
	return all
}

// shop is a commerce system that does what a test tells it to.
type shop struct {
	mu      sync.Mutex
	orders  map[string]core.Order
	tickets []*ticket
	// fail is asked before each call; with effect, the call happens all the same.
	fail  func(op, text string) (effect bool, err error)
	tried []string // every call, also failed ones
	files []string
}

type ticket struct {
	core.Ticket
	customer, order string
}

func away(string, string) (bool, error) {
	return false, &core.ShopError{Class: core.Temporary, Status: 503, Err: errors.New("away")}
}

var errNotFound = &core.ShopError{Class: core.Rejected, NotFound: true, Type: "NotFoundError", Status: 404, Err: errors.New("no such thing")}

// errDied has the worker that made the call die after it.
var errDied = errors.New("died")

func die(err error) {
	if errors.Is(err, errDied) {
		panic(err)
	}
}

func (s *shop) script(fail func(op, text string) (bool, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// answer reports whether a call is to happen, and what to answer.
func (s *shop) answer(op, text string) (bool, error) {
	s.tried = append(s.tried, op)
	if s.fail == nil {
		return true, nil
	}
	effect, err := s.fail(op, text)
	return effect || err == nil, err
}

func (s *shop) Order(_ context.Context, q core.OrderQuery) (core.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.answer("order", q.Code); err != nil {
		return core.Order{}, err
	}
	o, ok := s.orders[q.Code]
	if !ok || q.CustomerUID != "" && q.CustomerUID != o.CustomerUID {
		return core.Order{}, errNotFound
	}
	return o, nil
}

func (*shop) Return(context.Context, core.OrderQuery, string) (core.Return, error) {
	return core.Return{}, errNotFound
}

func (s *shop) Tracking(_ context.Context, _ core.OrderQuery, c core.Consignment) (core.Consignment, error) {
	return c, nil
}

func (s *shop) CreateTicket(_ context.Context, t core.NewTicket) (core.TicketRef, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	happens, err := s.answer("create", t.Text)
	if o, ok := s.orders[t.OrderCode]; err == nil && t.OrderCode != "" && (!ok || o.CustomerUID != t.CustomerUID) {
		return core.TicketRef{}, errNotFound
	}
	if !happens {
		return core.TicketRef{}, err
	}
	made := &ticket{customer: t.CustomerUID, order: t.OrderCode}
	made.ID, made.Subject, made.Status = fmt.Sprint("T", len(s.tickets)+1), t.Subject, "open"
	made.Entries = []core.Entry{{ID: "1", Text: t.Text, CreatedAt: time.Now()}}
	s.tickets = append(s.tickets, made)
	die(err)
	return core.TicketRef{ID: made.ID, EntryID: "1"}, err
}

func (s *shop) AddEntry(_ context.Context, at core.TicketAt, e core.NewEntry) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	happens, err := s.answer("add", e.Text)
	t := s.find(at.CustomerUID, at.TicketID)
	switch {
	case !happens:
		return "", err
	case t == nil:
		return "", errNotFound
	}
	id := fmt.Sprint(len(t.Entries) + 1)
	t.Entries = append(t.Entries, core.Entry{ID: id, Text: e.Text, CreatedAt: time.Now()})
	t.Status = "in_process"
	die(err)
	return id, err
}

// Attach keeps a file as a line of what was attached to which entry.
func (s *shop) Attach(_ context.Context, at core.TicketAt, a core.Attachment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	happens, err := s.answer("attach", a.File.Name)
	if happens {
		s.files = append(s.files, fmt.Sprintf("%s/%s: %s %s %q", at.TicketID, a.EntryID, a.File.Name, a.File.Type, a.File.Data[:4]))
	}
	return err
}

func (s *shop) Ticket(_ context.Context, at core.TicketAt) (core.Ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.answer("read", at.TicketID); err != nil {
		return core.Ticket{}, err
	}
	t := s.find(at.CustomerUID, at.TicketID)
	if t == nil {
		return core.Ticket{}, errNotFound
	}
	read := t.Ticket
	read.Notes, read.Entries = slices.Clone(t.Notes), slices.Clone(t.Entries)
	return read, nil
}

func (s *shop) Tickets(_ context.Context, _, uid string) ([]core.Ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.answer("list", ""); err != nil {
		return nil, err
	}
	var all []core.Ticket
	for _, t := range s.tickets {
		if t.customer == uid {
			all = append(all, core.Ticket{ID: t.ID, Subject: t.Subject, Status: t.Status})
		}
	}
	return all, nil
}

func (s *shop) find(uid, id string) *ticket {
	for _, t := range s.tickets {
		if t.ID == id && t.customer == uid {
			return t
		}
	}
	return nil
}

// note is what an agent adds to a ticket.
func (s *shop) note(id, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tickets {
		if t.ID == id {
			t.Notes = append(t.Notes, core.PublicNote{ID: fmt.Sprint("n", len(t.Notes)+1), Text: text, Author: "agent", CreatedAt: time.Now()})
		}
	}
}

func (s *shop) setStatus(id, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tickets {
		if t.ID == id {
			t.Status = status
		}
	}
}

// giveAway takes a ticket away from its customer.
func (s *shop) giveAway(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tickets {
		if t.ID == id {
			t.customer = "nobody"
		}
	}
}

// desk is what the agents see: each ticket's customer, order and entries.
func (s *shop) desk() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, t := range s.tickets {
		line := fmt.Sprintf("%s %s/%s:", t.ID, t.customer, t.order)
		for _, e := range t.Entries {
			line += " " + e.Text + "|"
		}
		all = append(all, strings.TrimSuffix(line, "|"))
	}
	return all
}

// asked counts the calls of one kind.
func (s *shop) asked(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, x := range s.tried {
		if x == op {
			n++
		}
	}
	return n
}
