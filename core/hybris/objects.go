package hybris

import (
	"strings"

	"tidings/core"
)

// The kinds of things an integration object can be rooted at.
const (
	isOrder         = "order"
	isConsignment   = "consignment"
	isReturn        = "return"
	isTicketMessage = "ticket_message"
	isTicket        = "ticket"
	isConsent       = "consent"
)

// webhook translates the body of a webhook. It fires whenever the root item is
// saved, for whatever reason, and tells what is, not what changed: so the state
// decides, and saying the same twice is for the ranks to notice.
func (d *Dialect) webhook(object, operation string, n node) verdict {
	kind := d.objects[strings.ToLower(object)]
	if kind != "" && strings.EqualFold(operation, "deleted") {
		return quiet(core.EventData{}, "a deletion is not told")
	}
	created := strings.EqualFold(operation, "created")
	switch kind {
	case isOrder:
		return orNew(created, core.OrderPlaced, fromState(orderStates, n, orderData(n)))
	case isConsignment:
		data := orderData(n.get("order"))
		data.ConsignmentCode = rootCode(n)
		return fromState(consignmentStates, n, withOwn(data, n))
	case isReturn:
		data := orderData(n.get("order"))
		data.ReturnCode = firstCode(n.get("code"), n.get("RMA", "rma"), node{rootCode(n)})
		return orNew(created, "order.return_created", fromState(returnStates, n, withOwn(data, n)))
	case isTicket:
		return fromTicket(n, created)
	case isConsent:
		return d.fromConsent(n)
	case isTicketMessage:
		return fromTicketMessage(n)
	}
	return verdict{why: "an integration object of that name is not listed under commerce.objects"}
}

func fromState(states map[string]meaning, n node, data core.EventData) verdict {
	data.State = n.get("status").state()
	return reached(states, data)
}

// reached tells what it means that the state of an event was reached.
func reached(states map[string]meaning, data core.EventData) verdict {
	m := meaningOf(states, data.State)
	if data.State == "" {
		v := quiet(data, m.quiet)
		v.event = core.OrderChanged
		return v
	}
	if m.tells == "" {
		return quiet(data, m.quiet)
	}
	return told(m.tells, data)
}

// orNew tells of a new item whose object leaves the state out: there is no other
// news that its creation can be.
func orNew(created bool, t core.EventType, v verdict) verdict {
	if created && v.data.State == "" {
		return told(t, v.data)
	}
	return v
}

// orderData reads an Order of an integration object, or its bare code. These
// have not the OCC shape, so the order itself is left to be read.
func orderData(n node) core.EventData {
	return core.EventData{
		OrderCode:   rootCode(n),
		CustomerUID: n.get("user").uid(),
		Site:        n.get("site").code(),
		Locale:      localeOf(n.get("language")),
	}
}

// withOwn takes over what the root item says itself of its order.
func withOwn(data core.EventData, n node) core.EventData {
	data.OrderCode = firstCode(node{data.OrderCode}, n.get("orderCode"))
	data.CustomerUID = firstUID(node{data.CustomerUID}, n.get("user"), n.get("customer"))
	data.Site = firstCode(node{data.Site}, n.get("site"))
	return data
}

// rootCode is an item's code. Where the object leaves it out, the key holds it,
// before the bar where the key has several parts ("00417003|").
func rootCode(n node) string {
	if !n.isObject() {
		return n.code()
	}
	if code := n.get("code").code(); code != "" {
		return code
	}
	code, _, _ := strings.Cut(n.get("integrationKey").code(), "|")
	return code
}

// ticketData reads a CsTicket of an integration object.
func ticketData(n node) core.EventData {
	state := n.get("state").code()
	return core.EventData{
		TicketID:    firstCode(n.get("ticketID", "ticketId"), node{rootCode(n)}),
		CustomerUID: n.get("customer").uid(),
		OrderCode:   rootCode(n.get("order")),
		Site:        firstCode(n.get("baseSite", "site"), n.at("order", "site")),
		State:       state,
		Status:      ticketStatus(state),
	}
}

func fromTicket(n node, created bool) verdict {
	data := ticketData(n)
	switch {
	case created:
		return told(core.TicketCreated, data)
	case data.Status == "":
		return quiet(data, "the ticket's state is not known")
	case data.Status == statusOpen:
		return quiet(data, "a new ticket has not changed its state yet")
	}
	return told(core.TicketStatus, data)
}

// publicKinds are the kinds of comments that a customer sees of a ticket when
// their intervention is not private; mere changes and assignments are not shown.
var publicKinds = map[string]bool{
	"customerNote":            true,
	"customerEmail":           true,
	"ticketCreationEvent":     true,
	"ticketResolutionEvent":   true,
	"ticketUnResolutionEvent": true,
}

// fromTicketMessage translates an entry of a ticket (CsCustomerEvent). Unlike a
// ticket read by OCC, a pushed one has passed no filter: it is public only when
// everything about it says so, and an internal one loses its text right here.
func fromTicketMessage(n node) verdict {
	data := ticketData(n.get("ticket"))
	data.State = ""
	note := &core.EventNote{
		ID:        rootCode(n),
		Author:    n.at("author", "name").text(),
		CreatedAt: n.get("creationtime", "creationTime", "createdAt").time(),
	}
	data.Note = note
	if reason := internal(n, data.CustomerUID); reason != "" {
		return quiet(data, reason)
	}
	note.Text = n.get("text", "message").text()
	if strings.TrimSpace(note.Text) == "" {
		return quiet(data, "the note has no text")
	}
	public := true
	note.Public = &public
	return told(core.TicketNoteAdded, data)
}

// internal says why an entry is not an agent's public note; "" where it is one.
func internal(n node, customerUID string) string {
	intervention := n.get("interventionType").state() // a number says nothing
	kind := n.get("commentType")
	author := n.get("author").uid()
	switch {
	case intervention == "":
		return "an entry without an intervention type is internal"
	case strings.EqualFold(intervention, "private"):
		return "a private note"
	case kind.v != nil && !publicKinds[kind.code()]:
		return "this kind of comment is not shown to customers"
	case author == "" || customerUID == "":
		return "the body does not say that an employee wrote this"
	case sameUID(author, customerUID):
		return "the customer's own entry"
	}
	return ""
}
