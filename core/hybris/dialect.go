package hybris

import (
	"encoding/json"
	"strings"

	"tidings/core"
)

// Object is one of the shop's integration objects, as its webhooks name it.
type Object struct {
	Name string // e.g. OutboundOrder; case does not matter
	Is   string // order, consignment, return, ticket_message or ticket
}

// Dialect reads SAP Commerce's event names and bodies, in any of the ways in
// which an installation sends them:
//
//   - Commerce events through Kyma or Event Mesh, "<any prefix>.order.created.v1",
//     whose bodies hold codes only;
//   - the legacy event export, whose body wraps the same in {"event-type", "data"};
//   - webhooks, "sap.cx.commerce.<Object>.<Created|Updated>.v1", whose bodies are
//     an integration object of the shop's own making;
//   - "order.status", "consignment.status" and "return.status", whose body says
//     which state was reached;
//   - our canonical types with a prefix and a version.
//
// It is constant and safe for concurrent use.
type Dialect struct {
	objects  map[string]string       // lower-case name -> Is
	names    map[string]name         // nameKey -> meaning
	consents map[string]core.Purpose // template -> what for
}

var _ core.Dialect = (*Dialect)(nil)

// NewDialect returns the dialect of a shop with these integration objects.
func NewDialect(objects []Object, consents ...Consent) *Dialect {
	d := &Dialect{objects: make(map[string]string, len(objects)), names: nameTable(), consents: make(map[string]core.Purpose, len(consents))}
	for _, c := range consents {
		d.consents[c.Template] = c.Purpose
	}
	for _, o := range objects {
		d.objects[strings.ToLower(o.Name)] = o.Is
	}
	return d
}

// verdict is the answer of Translate.
type verdict struct {
	event core.EventType
	data  core.EventData
	known bool
	quiet bool
	why   string
}

func told(t core.EventType, data core.EventData) verdict {
	return verdict{event: t, data: data, known: true}
}

func quiet(data core.EventData, why string) verdict {
	return verdict{data: data, known: true, quiet: true, why: why}
}

// Translate implements core.Dialect. A quiet answer has no type but the data
// that could be read; that of a body which does not name the state of its item
// has core.OrderChanged, and the shop can be asked. An unknown one says why where that helps: an integration
// object that is not configured. An empty foreign type is taken from the body of
// a legacy export.
func (d *Dialect) Translate(foreign string, body json.RawMessage) (t core.EventType, data core.EventData, known, isQuiet bool, why string) {
	n, _ := parse(body) // a body that cannot be read tells nothing, the type may
	if exported := n.get("event-type").text(); exported != "" {
		if foreign == "" {
			foreign = exported
		}
		n = n.get("data")
	}
	v := d.translate(foreign, n)
	return v.event, v.data, v.known, v.quiet, v.why
}

func (d *Dialect) translate(foreign string, n node) verdict {
	parts := segments(foreign)
	if object, operation, ok := webhook(parts); ok {
		return d.webhook(object, operation, n)
	}
	if meant, ok := d.lookup(parts); ok {
		return fromName(meant, n)
	}
	if states, data, ok := lifeCycle(parts, n); ok {
		return reached(states, data)
	}
	if last := len(parts) - 1; last > 0 && isOperation(parts[last]) && d.objects[strings.ToLower(parts[last-1])] != "" {
		return d.webhook(parts[last-1], parts[last], n)
	}
	return verdict{}
}

// webhook recognises the type that webhookservices writes.
func webhook(parts []string) (object, operation string, ok bool) {
	const before = 3 // sap, cx, commerce
	last := len(parts) - 1
	if last < before+1 || !isOperation(parts[last]) {
		return "", "", false
	}
	prefix := strings.Join(parts[last-1-before:last-1], ".")
	return parts[last-1], parts[last], strings.EqualFold(prefix, "sap.cx.commerce")
}

func isOperation(s string) bool {
	switch strings.ToLower(s) {
	case "created", "updated", "deleted", "unknown":
		return true
	}
	return false
}

// fromName translates an event whose name says what happened.
func fromName(meant name, n node) verdict {
	if meant.quiet != "" {
		return quiet(nameData(n, ""), meant.quiet)
	}
	data := nameData(n, meant.means)
	switch {
	case meant.sap == "customer.changeuid" && data.PreviousUID == "":
		v := quiet(data, "the event names one uid only; let its export map the previous one too, as previousUid")
		v.event = meant.means
		return v
	case strings.EqualFold(n.get("modificationStatus").code(), "FAILED"):
		return quiet(data, "the modification of the order failed")
	}
	return told(meant.means, data)
}

// nameData reads the flat bodies: the codes of SAP's own events, and the fields
// of our own format, which may come under a prefixed type.
func nameData(n node, t core.EventType) core.EventData {
	data := core.EventData{
		OrderCode:       firstCode(n.get("orderCode"), node{rootCode(n.get("order"))}),
		CustomerUID:     firstUID(n.get("customerUid", "customerUID", "newUid"), n.get("customer"), n.get("user"), n.at("order", "user")),
		ConsignmentCode: firstCode(n.get("consignmentCode"), n.get("consignment")),
		// The code of a modification keeps two partial cancellations or refunds of
		// one order apart, as that of a return does.
		ReturnCode:  firstCode(n.get("returnCode", "returnRequestCode", "modificationCode"), n.get("returnRequest")),
		Site:        n.get("site", "baseSite", "baseSiteId", "baseSiteUid").code(),
		Locale:      localeOf(n.get("locale", "language")),
		State:       firstState(n, stateFields(t)...),
		Order:       orderShape(n.get("order")),
		TicketID:    firstCode(n.get("ticketId", "ticketID"), n.get("ticket")),
		PreviousUID: n.get("previousUid", "previousUID", "oldUid", "originalUid").uid(),
	}
	if strings.HasPrefix(string(t), "ticket.") {
		data.Status = ticketStatus(n.get("status").code())
		data.Note = ownNote(n.get("note"))
		return data
	}
	if t == core.MessageRequested {
		data.Text = n.get("text").text()
		data.Purpose = core.Purpose(n.get("purpose").text())
		if at := n.get("expiresAt").time(); !at.IsZero() {
			data.ExpiresAt = &at
		}
	}
	return data
}

// stateFields are where a body holds the state of what a type tells about. The
// state of the order says nothing of a parcel's.
func stateFields(t core.EventType) []string {
	switch info, _ := core.LookupType(t); info.Entity {
	case core.EntityOrder:
		return []string{"state", "orderStatus", "status"}
	case core.EntityConsignment:
		return []string{"state", "consignmentStatus", "status"}
	}
	if strings.HasPrefix(string(t), "ticket.") {
		return []string{"state"} // its status is the ticket's
	}
	return []string{"state", "consignmentStatus", "orderStatus", "modificationStatus", "status"}
}

// ownNote reads a note in our own format, in which public is said literally.
func ownNote(n node) *core.EventNote {
	if !n.isObject() {
		return nil
	}
	note := &core.EventNote{
		ID:        n.get("id").code(),
		Text:      n.get("text").text(),
		Author:    n.get("author").text(),
		CreatedAt: n.get("createdAt").time(),
	}
	if public, ok := n.get("public").v.(bool); ok {
		note.Public = &public
	}
	return note
}

// orderShape returns an order that came along in the OCC shape. An order that
// is only named (a code, an integration object) is left to be read.
func orderShape(n node) json.RawMessage {
	if n.get("code").code() == "" || n.get("entries").v == nil && !n.get("totalPrice", "totalPriceWithTax").isObject() {
		return nil
	}
	raw, err := json.Marshal(n.v)
	if err != nil {
		return nil
	}
	return raw
}

// localeOf writes a language of the shop ("de_AT") as a tag ("de-AT").
func localeOf(n node) string { return strings.ReplaceAll(n.code(), "_", "-") }

func firstCode(nodes ...node) string {
	for _, n := range nodes {
		if c := n.code(); c != "" {
			return c
		}
	}
	return ""
}

func firstState(n node, names ...string) string {
	for _, name := range names {
		if s := n.get(name).state(); s != "" {
			return s
		}
	}
	return ""
}

func firstUID(nodes ...node) string {
	for _, n := range nodes {
		if u := n.uid(); u != "" {
			return u
		}
	}
	return ""
}
