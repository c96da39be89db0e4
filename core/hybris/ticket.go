package hybris

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"unicode/utf16"

	"tidings/core"
)

// MaxSubject is how long a ticket's subject may be (customerticketingocc's
// validator: 1 to 255). It is counted in UTF-16 units, as Java's strings are:
// the stricter of the two ways in which "characters" can be meant.
const MaxSubject = 255

// MaxMessage is how long a text of a ticket may be, counted in the same way. A
// longer one is refused by the shop; cutting is the caller's, who knows where.
const MaxMessage = 5000

// ticketCategory is what a question is where no rule says otherwise; PROBLEM and
// COMPLAINT are the other two that a stock OCC offers.
const ticketCategory = "ENQUIRY"

type ticketForm struct {
	Subject      string       `json:"subject"`
	Message      string       `json:"message"`
	Category     id           `json:"ticketCategory"`
	AssociatedTo *association `json:"associatedTo,omitempty"`
}

type association struct {
	Type string `json:"type"`
	Code string `json:"code"`
}

type eventForm struct {
	Message  string `json:"message"`
	ToStatus *id    `json:"toStatus,omitempty"`
}

type id struct {
	ID string `json:"id"`
}

// CreateTicket makes a ticket in the customer's name. A subject that is too long
// is shortened, and a category that the shop does not know becomes the default
// one. An order that is not the customer's (or a guest's) makes the shop
// refuse the whole ticket with type TicketCreateError and NotFound: the caller
// may ask again without it. An unknown outcome is Uncertain.
func (c *Client) CreateTicket(ctx context.Context, t core.NewTicket) (core.TicketRef, error) {
	const op = "create ticket"
	if err := c.writable(op, t.Text); err != nil {
		return core.TicketRef{}, err
	}
	form := ticketForm{Subject: subject(t), Message: t.Text, Category: id{cmp.Or(t.Category, ticketCategory)}}
	if t.OrderCode != "" {
		form.AssociatedTo = &association{Type: "Order", Code: t.OrderCode}
	}
	request := call{
		op:     op,
		method: http.MethodPost,
		site:   t.Site,
		path:   []string{"users", t.CustomerUID, "tickets"},
		query:  full(""),
		body:   form,
		as:     c.actingFor(t.CustomerUID),
	}
	a, err := c.do(ctx, request)
	if isType(err, typeValidation) && form.Category.ID != ticketCategory {
		c.log.Warn("the shop refuses a ticket, perhaps for its category; trying the default one", "category", form.Category.ID)
		form.Category.ID = ticketCategory
		request.body = form
		a, err = c.do(ctx, request)
	}
	if err != nil {
		return core.TicketRef{}, err
	}
	n, err := parse(a.body)
	ref := core.TicketRef{ID: n.get("id").code()}
	if err != nil || ref.ID == "" {
		return core.TicketRef{}, unreadable(request, a)
	}
	linked := n.at("associatedTo", "code").code()
	ref.Linked = t.OrderCode != "" && linked == t.OrderCode
	if _, entries := ticketEvents(n.get("ticketEvents")); len(entries) > 0 {
		ref.EntryID = entryCode(entries[len(entries)-1])
	}
	return ref, nil
}

// writable refuses what the shop would, without asking it.
func (c *Client) writable(op, text string) error {
	if c.tickets == TicketsOff {
		return ticketsOff(op)
	}
	if strings.TrimSpace(text) == "" {
		return &core.ShopError{Class: core.Rejected, Type: typeValidation, Err: errors.New(op + ": blank text")}
	}
	return nil
}

func ticketsOff(op string) error {
	return &core.ShopError{Class: core.Rejected, Type: "TicketsOff", Err: errors.New(op + ": tickets are switched off")}
}

// subject is never blank and never too long.
func subject(t core.NewTicket) string {
	s := strings.TrimSpace(t.Subject)
	if s == "" {
		s = strings.TrimSpace(t.Text)
	}
	units := 0
	for i, r := range s {
		units += utf16.RuneLen(r)
		if units > MaxSubject {
			return s[:i]
		}
	}
	return s
}

// AddEntry adds the customer's text and returns the entry's code. A closed ticket
// is reopened with it where the shop allows that. Release 2105 answers without a body.
func (c *Client) AddEntry(ctx context.Context, at core.TicketAt, e core.NewEntry) (string, error) {
	const op = "add ticket entry"
	if err := c.writable(op, e.Text); err != nil {
		return "", err
	}
	reopen, err := c.reopens(ctx, at)
	if err != nil {
		return "", err
	}
	request := call{
		op:     op,
		method: http.MethodPost,
		site:   at.Site,
		path:   []string{"users", at.CustomerUID, "tickets", at.TicketID, "events"},
		body:   eventForm{Message: e.Text, ToStatus: reopen},
		as:     c.actingFor(at.CustomerUID),
	}
	a, err := c.do(ctx, request)
	if reopen != nil && (isType(err, typeTicketEvent) || isType(err, typeValidation)) {
		request.body = eventForm{Message: e.Text} // the transition was refused
		a, err = c.do(ctx, request)
	}
	if err != nil {
		return "", err
	}
	n, _ := parse(a.body)
	return n.get("code").code(), nil
}

// reopens returns the status that an entry has to ask for: INPROCESS for a
// ticket that reads closed, unless the shop says that it cannot go there. A shop
// that lets us write but not read gets the plain entry.
func (c *Client) reopens(ctx context.Context, at core.TicketAt) (*id, error) {
	n, err := c.readTicket(ctx, at)
	if isType(err, "AccessDeniedError") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if ticketStatus(n.get("status").code()) != statusClosed {
		return nil, nil
	}
	const inProcess = "INPROCESS"
	offered := n.get("availableStatusTransitions").list()
	for _, o := range offered {
		if o.code() == inProcess {
			return &id{inProcess}, nil
		}
	}
	if len(offered) > 0 {
		return nil, nil
	}
	return &id{inProcess}, nil
}

// Ticket reads a ticket as the customer may see it.
func (c *Client) Ticket(ctx context.Context, at core.TicketAt) (core.Ticket, error) {
	if c.tickets == TicketsOff {
		return core.Ticket{}, ticketsOff("read ticket")
	}
	n, err := c.readTicket(ctx, at)
	if err != nil {
		return core.Ticket{}, err
	}
	t := ticketHead(n)
	if t.ID == "" {
		t.ID = at.TicketID
	}
	t.Notes, t.Entries = ticketEvents(n.get("ticketEvents"))
	return t, nil
}

func (c *Client) readTicket(ctx context.Context, at core.TicketAt) (node, error) {
	request := call{
		op:     "read ticket",
		method: http.MethodGet,
		site:   at.Site,
		path:   []string{"users", at.CustomerUID, "tickets", at.TicketID},
		query:  full(""),
		as:     c.actingFor(at.CustomerUID),
	}
	return c.object(ctx, request)
}

// Tickets lists the customer's newest tickets, newest first. How the list can be
// sorted differs between releases, so it is asked for as it comes, and once more
// when it says that it is not sorted by date and could be.
func (c *Client) Tickets(ctx context.Context, site, customerUID string) ([]core.Ticket, error) {
	if c.tickets == TicketsOff {
		return nil, ticketsOff("list tickets")
	}
	request := call{
		op:     "list tickets",
		method: http.MethodGet,
		site:   site,
		path:   []string{"users", customerUID, "tickets"},
		query:  url.Values{"currentPage": {"0"}, "pageSize": {"20"}},
		as:     c.actingFor(customerUID),
	}
	n, err := c.object(ctx, request)
	if err != nil {
		return nil, err
	}
	if sorting := betterSort(n.get("sorts")); sorting != "" {
		request.query.Set("sort", sorting)
		if n, err = c.object(ctx, request); err != nil {
			return nil, err
		}
	}
	return ticketList(n.get("tickets")), nil
}

// betterSort names the offered sorting by date when another one was used.
func betterSort(sorts node) string {
	byDate := ""
	for _, s := range sorts.list() {
		if !strings.Contains(strings.ToLower(s.code()), "date") {
			continue
		}
		if s.get("selected").isTrue() {
			return ""
		}
		byDate = s.code()
	}
	return byDate
}

func ticketList(list node) []core.Ticket {
	rows := list.list()
	sort.SliceStable(rows, func(i, j int) bool {
		return rows[i].get("createdAt").time().After(rows[j].get("createdAt").time())
	})
	var tickets []core.Ticket
	for _, r := range rows {
		if t := ticketHead(r); t.ID != "" {
			tickets = append(tickets, t)
		}
	}
	return tickets
}

// object makes the call and reads the object it answers with.
func (c *Client) object(ctx context.Context, request call) (node, error) {
	a, err := c.do(ctx, request)
	if err != nil {
		return node{}, err
	}
	n, err := parse(a.body)
	if err != nil || !n.isObject() {
		return node{}, unreadable(request, a)
	}
	return n, nil
}
