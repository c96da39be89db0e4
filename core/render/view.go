package render

import (
	"slices"
	"strings"
	"time"

	"tidings/core"
)

// view is what a template sees (docs/texts.md). Everything in it is a value,
// so that a field of something missing is empty and not an error. The event
// itself is not in it: its note may be internal.
type view struct {
	Type     string
	Now      time.Time
	Degraded bool

	Customer    customerView
	Order       orderView
	Consignment consignmentView
	Return      core.Return
	Ticket      struct{ ID, Status string }
	Note        core.PublicNote

	vars map[string]any
	text string // of a message.requested, for Params
}

type customerView struct{ Name, FirstName string }

type orderView struct {
	core.Order
	ShipTo core.PostAddress // in place of the pointer
	Known  bool             // it was read: there is more than the code
}

type consignmentView struct {
	core.Consignment
	N, Of int // part N of Of; Of is 0 when that is unknown
}

// Var returns a value of a chat answer, nil where there is none.
func (v *view) Var(name string) any { return v.vars[name] }

func newView(in Input) *view {
	v := &view{Type: string(in.Type), Now: in.Now, Degraded: in.Degraded, vars: in.Vars, text: in.Event.Text}
	if in.Order != nil {
		v.Order.Order, v.Order.Known = *in.Order, true
		if in.Order.ShipTo != nil {
			v.Order.ShipTo = *in.Order.ShipTo
		}
	}
	v.Order.Code = first(v.Order.Code, in.Event.OrderCode)
	v.Customer.Name = first(in.CustomerName, v.Order.CustomerName)
	v.Customer.FirstName = firstName(v.Customer.Name)
	if in.Consignment != nil {
		v.Consignment.Consignment = *in.Consignment
	}
	v.Consignment.Code = first(v.Consignment.Code, in.Event.ConsignmentCode)
	if in.ConsignmentN > 0 && in.ConsignmentN <= in.ConsignmentOf {
		v.Consignment.N, v.Consignment.Of = in.ConsignmentN, in.ConsignmentOf
	}
	if in.Return != nil {
		v.Return = *in.Return
	}
	v.Return.Code = first(v.Return.Code, in.Event.ReturnCode)
	v.Ticket.ID, v.Ticket.Status = in.Event.TicketID, in.Event.Status
	if in.Note != nil {
		v.Note = *in.Note
	}
	return v
}

// summaryOrder is the order for the platforms' own forms, some of which
// refuse one without a name.
func (v *view) summaryOrder() core.Order {
	order := v.Order.Order
	order.Code = v.Order.Code
	order.CustomerName = first(order.CustomerName, v.Customer.Name)
	return order
}

// first returns the first value that is not blank.
func first(values ...string) string {
	for _, v := range values {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}

// forms of address that stand before a name and are none.
var titles = []string{"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "herr", "hr", "frau", "fr", "dipl", "ing", "mag"}

// firstName returns how to greet somebody of this name: "Ines" for "Ines
// Vidal", "Dr. Ines Vidal" and "Vidal, Ines". A login is no name.
func firstName(name string) string {
	if strings.Contains(name, "@") {
		return ""
	}
	if _, given, ok := strings.Cut(name, ","); ok && strings.TrimSpace(given) != "" {
		name = given
	}
	for _, word := range strings.Fields(name) {
		bare := strings.ToLower(strings.Trim(word, ".,-"))
		if bare != "" && !slices.Contains(titles, bare) {
			return strings.TrimRight(word, ",")
		}
	}
	return ""
}
