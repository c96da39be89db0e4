package hybrissim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

const (
	maxSubject = 255
	maxMessage = 5000
)

var ticketCategories = []string{"ENQUIRY", "COMPLAINT", "PROBLEM"}

func categoryName(id string) string { return id[:1] + strings.ToLower(id[1:]) }

// categories is open to all.
func (c *call) categories() (answer, *failure) {
	out := make([]object, 0, len(ticketCategories))
	for _, id := range ticketCategories {
		out = append(out, object{"id": id, "name": categoryName(id)})
	}
	return answer{body: object{"ticketCategories": out}}, nil
}

// associatedObjects are what {userId} may link a ticket to.
func (c *call) associatedObjects() (answer, *failure) {
	out := []object{}
	orders := c.ownOrders()
	slices.SortFunc(orders, func(a, b Order) int { return b.Created.Compare(a.Created) })
	for _, o := range orders {
		out = append(out, object{"type": "Order", "code": o.Code, "modifiedAt": date(c.modified(o.Code).Modified)})
	}
	return answer{body: object{"ticketAssociatedObjects": out}}, nil
}

func (c *call) modified(order string) Association {
	r := c.orders[order]
	return Association{Type: "Order", Code: order, Modified: r.versions[len(r.versions)-1].since}
}

// ticketList lists the tickets of {userId} in the site.
func (c *call) ticketList() (answer, *failure) {
	p, refusal := c.page()
	if refusal != nil {
		return answer{}, refusal
	}
	var own []*Ticket
	for _, t := range c.tickets {
		if t.CustomerUID == c.user.UID && t.Site == c.site {
			own = append(own, t)
		}
	}
	sorts := strings.Split(c.answer("ticket-sorts"), ",")
	sort := c.sorting(sorts...)
	slices.SortFunc(own, func(a, b *Ticket) int {
		if sort == sorts[1] {
			return cmp.Compare(a.ID, b.ID)
		}
		return cmp.Or(b.Modified.Compare(a.Modified), cmp.Compare(b.ID, a.ID))
	})
	rows := []object{}
	for _, t := range cut(own, p) {
		rows = append(rows, ticketRow(t))
	}
	return answer{kind: "ticketList", body: paged("tickets", rows, p, len(own), sort, sorts...)}, nil
}

// ownTicket returns a ticket of {userId} in the site, or nil.
func (c *call) ownTicket() *Ticket {
	t := c.findTicket(c.r.PathValue("ticketId"))
	if t == nil || t.CustomerUID != c.user.UID || t.Site != c.site {
		return nil
	}
	return t
}

func (c *call) noTicket() string {
	return "Ticket not found for the given ID " + c.r.PathValue("ticketId")
}

func (c *call) ticket() (answer, *failure) {
	t := c.ownTicket()
	if t == nil {
		return answer{}, fail(http.StatusNotFound, "NotFoundError", c.noTicket())
	}
	return answer{kind: "ticket", body: c.ticketTree(t)}, nil
}

// id is {"id": …}.
type id struct {
	ID *string `json:"id"`
}

type ticketRequest struct {
	Subject      *string `json:"subject"`
	Message      *string `json:"message"`
	Category     *id     `json:"ticketCategory"`
	AssociatedTo *struct {
		Type *string `json:"type"`
		Code *string `json:"code"`
	} `json:"associatedTo"`
}

// createTicket validates, measures and links, in this order.
func (c *call) createTicket() (answer, *failure) {
	var in ticketRequest
	if refusal := c.decode(&in); refusal != nil {
		return answer{}, refusal
	}
	if faults := in.validate(); len(faults) > 0 {
		return answer{}, invalidFields(faults...)
	}
	const refused = "TicketCreateError"
	if c.faults.rejectTickets {
		return answer{}, fail(http.StatusBadRequest, refused, "The ticket was refused")
	}
	if refusal := cmp.Or(measure(refused, "Subject", *in.Subject, maxSubject), measure(refused, "Message", *in.Message, maxMessage)); refusal != nil {
		return answer{}, refusal
	}
	linked, refusal := c.associate(in)
	if refusal != nil {
		return answer{}, refusal
	}
	t := &Ticket{
		ID: base36(c.number("ticket", firstTicket)), Site: c.site, CustomerUID: c.user.UID, CustomerName: c.user.Name,
		Subject: *in.Subject, Category: *in.Category.ID, Status: "OPEN", Associated: linked, Created: c.now,
	}
	if c.answer("new-ticket") == "inprocess" {
		t.Status, t.Agent = "INPROCESS", defaultAgent
	}
	c.tickets = append(c.tickets, t)
	first := c.append(t, Entry{
		Text: *in.Message, Author: c.user.UID, AuthorName: c.user.Name, Intervention: "TicketMessage", Kind: "customerNote",
	})
	c.echo(t, *first)
	return answer{status: http.StatusCreated, kind: "ticket", body: c.ticketTree(t)}, nil
}

func (in ticketRequest) validate() []occError {
	faults := slices.Concat(checkText("subject", in.Subject), checkText("message", in.Message))
	if in.Category == nil {
		faults = append(faults, invalidField("ticketCategory", "missing"))
	} else {
		faults = append(faults, checkID("ticketCategory.id", in.Category.ID, ticketCategories)...)
	}
	if in.AssociatedTo != nil {
		faults = append(faults, checkText("associatedTo.type", in.AssociatedTo.Type)...)
		faults = append(faults, checkText("associatedTo.code", in.AssociatedTo.Code)...)
	}
	return faults
}

// checkText refuses null as missing and blank as invalid.
func checkText(subject string, value *string) []occError {
	switch {
	case value == nil:
		return []occError{invalidField(subject, "missing")}
	case strings.TrimSpace(*value) == "":
		return []occError{invalidField(subject, "invalid")}
	}
	return nil
}

func checkID(subject string, value *string, known []string) []occError {
	if faults := checkText(subject, value); faults != nil {
		return faults
	}
	if !slices.Contains(known, *value) {
		return []occError{invalidField(subject, "invalid")}
	}
	return nil
}

// measure counts as Java does, in UTF-16 units.
func measure(errorType, attribute, text string, most int) *failure {
	units := 0
	for _, r := range text {
		units++
		if r > 0xFFFF {
			units++
		}
	}
	if units <= most {
		return nil
	}
	return fail(http.StatusBadRequest, errorType,
		fmt.Sprintf("The number of characters in the attribute %q must between 1 and %d (inclusive).", attribute, most))
}

// associate finds what the ticket is about. A type that the platform does not
// know is ignored in silence, and the ticket stays without.
func (c *call) associate(in ticketRequest) (*Association, *failure) {
	if in.AssociatedTo == nil {
		return nil, nil
	}
	code := *in.AssociatedTo.Code
	switch *in.AssociatedTo.Type {
	case "Order":
		r, ok := c.orders[code]
		if !ok || r.current().UserUID != c.user.UID || r.current().Site != c.site {
			return nil, fail(http.StatusBadRequest, "TicketCreateError", orderNotFound(code))
		}
		link := c.modified(code)
		return &link, nil
	case "Cart", "SavedCart": // there are no carts in this shop
		return nil, fail(http.StatusBadRequest, "TicketCreateError", "Cart not found.")
	}
	return nil, nil
}

// createEntry is the customer's next message, perhaps with a change of state.
func (c *call) createEntry() (answer, *failure) {
	var in struct {
		Message  *string `json:"message"`
		ToStatus *id     `json:"toStatus"`
	}
	if refusal := c.decode(&in); refusal != nil {
		return answer{}, refusal
	}
	faults := checkText("message", in.Message)
	if in.ToStatus != nil {
		faults = append(faults, checkID("toStatus.id", in.ToStatus.ID, []string{"OPEN", "INPROCESS", "CLOSED", "COMPLETED"})...)
	}
	if len(faults) > 0 {
		return answer{}, invalidFields(faults...)
	}
	to := ""
	if in.ToStatus != nil {
		to = *in.ToStatus.ID
	}
	return c.addEntry(*in.Message, to)
}

func (c *call) addEntry(text, to string) (answer, *failure) {
	const refused = "TicketEventCreateError"
	if c.faults.rejectTickets {
		return answer{}, fail(http.StatusBadRequest, refused, "The message was refused")
	}
	t := c.ownTicket()
	if t == nil {
		return answer{}, fail(http.StatusBadRequest, refused, c.noTicket())
	}
	if refusal := measure(refused, "Message", text, maxMessage); refusal != nil {
		return answer{}, refusal
	}
	if to == t.Status {
		to = "" // a plain message
	}
	if to == "" && t.Status == "CLOSED" && c.answer("closed-ticket") == "refuses" {
		return answer{}, fail(http.StatusBadRequest, refused, "The ticket "+t.ID+" is closed")
	}
	if to != "" && !slices.Contains(customerMoves[t.Status], to) {
		return answer{}, fail(http.StatusBadRequest, refused, "Unable to change ticket status to "+to+" for the ticket "+t.ID)
	}
	e := c.append(t, Entry{
		Text: text, Author: c.user.UID, AuthorName: c.user.Name, Intervention: "IM", Kind: "customerNote", Status: to,
	})
	c.echo(t, *e)
	if c.opt.Mode2105 {
		return answer{status: http.StatusCreated}, nil
	}
	return answer{status: http.StatusCreated, kind: "ticketEvent", body: c.entryTree(*e)}, nil
}

// echo reports the customer's own entry where the shop's webhooks do so: they
// fire for every saved entry, whoever wrote it.
func (c *call) echo(t *Ticket, e Entry) {
	if c.opt.TicketPushes && c.opt.Style == Webhook {
		c.later = append(c.later, noteEvent(t, e))
	}
}

// decode reads the JSON body; fields it does not know are ignored.
func (c *call) decode(v any) *failure {
	if media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); media != "application/json" {
		return fail(http.StatusUnsupportedMediaType, "HttpMediaTypeNotSupportedError", "Content type '"+media+"' not supported")
	}
	if len(bytes.TrimSpace(c.body)) == 0 {
		return fail(http.StatusBadRequest, "HttpMessageNotReadableError", "Required request body is missing")
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return fail(http.StatusBadRequest, "HttpMessageNotReadableError", "The request body cannot be read")
	}
	return nil
}
