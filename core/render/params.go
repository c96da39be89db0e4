package render

import (
	"fmt"
	"strconv"
	"strings"
)

// param is a value that a template approved by a platform can ask for.
type param struct {
	path  string
	value func(v *view, f *format) string
}

// params is the table of all of them, in the order in which they are documented.
var params = []param{
	{"order.code", func(v *view, _ *format) string { return v.Order.Code }},
	{"order.total", func(v *view, f *format) string { return f.money(v.Order.Total) }},
	{"order.subtotal", func(v *view, f *format) string { return f.money(v.Order.Subtotal) }},
	{"order.shipping", func(v *view, f *format) string { return f.money(v.Order.Shipping) }},
	{"order.discount", func(v *view, f *format) string { return f.money(v.Order.Discount) }},
	{"order.tax", func(v *view, f *format) string { return f.money(v.Order.Tax) }},
	{"order.placed", func(v *view, f *format) string { return f.day(v.Order.Placed) }},
	{"order.delivery", func(v *view, _ *format) string { return v.Order.Delivery }},
	{"order.payment", func(v *view, _ *format) string { return v.Order.Payment }},
	{"order.city", func(v *view, _ *format) string { return v.Order.ShipTo.City }},
	{"order.items", func(v *view, _ *format) string { return strings.Join(names(v.Order.Lines), ", ") }},
	{"order.customerName", func(v *view, _ *format) string { return v.Customer.Name }},
	{"customer.name", func(v *view, _ *format) string { return v.Customer.Name }},
	{"customer.firstName", func(v *view, _ *format) string { return first(v.Customer.FirstName, v.Customer.Name) }},
	{"consignment.code", func(v *view, _ *format) string { return v.Consignment.Code }},
	{"consignment.trackingID", func(v *view, _ *format) string { return v.Consignment.TrackingID }},
	{"consignment.trackingURL", func(v *view, _ *format) string { return v.Consignment.TrackingURL }},
	{"consignment.carrier", func(v *view, _ *format) string { return v.Consignment.Carrier }},
	{"consignment.pickupPoint", func(v *view, _ *format) string { return v.Consignment.PickupPoint }},
	{"consignment.n", func(v *view, _ *format) string { return countParam(v.Consignment.N) }},
	{"consignment.of", func(v *view, _ *format) string { return countParam(v.Consignment.Of) }},
	{"return.code", func(v *view, _ *format) string { return v.Return.Code }},
	{"return.refund", func(v *view, f *format) string { return f.money(v.Return.Refund) }},
	{"ticket.id", func(v *view, _ *format) string { return v.Ticket.ID }},
	{"note.text", func(v *view, _ *format) string { return v.Note.Text }},
	{"text", func(v *view, _ *format) string { return v.text }},
}

// MissingError says that a notification lacks a value which an approved
// template needs. Platforms refuse an empty placeholder, so the template
// cannot be sent.
type MissingError struct{ Path string }

func (e *MissingError) Error() string {
	return "render: the notification has no value for " + e.Path
}

// ParamProblem says what is wrong with a path that names no value Params can
// give; empty where it names one. Case does not matter.
func ParamProblem(path string) string {
	if _, ok := lookupParam(path); ok {
		return ""
	}
	if near := nearest(path, ParamPaths()); near != "" {
		return "is an unknown value; did you mean " + near + "?"
	}
	return "is an unknown value; there are " + strings.Join(ParamPaths(), ", ")
}

// ParamPaths lists all the paths that Params takes.
func ParamPaths() []string {
	paths := make([]string, len(params))
	for i, p := range params {
		paths[i] = p.path
	}
	return paths
}

// Params returns the values for the placeholders of an approved template, as
// the locale of in writes them. It fails with a *MissingError where one is empty.
func (t *Texts) Params(paths []string, in Input) ([]string, error) {
	v, f := newView(in), formatFor(t.wants(in.Locale)[0])
	values := make([]string, 0, len(paths))
	for _, path := range paths {
		p, ok := lookupParam(path)
		if !ok {
			return nil, fmt.Errorf("render: there is no value called %q", path)
		}
		value := clean(p.value(v, f))
		if strings.TrimSpace(value) == "" {
			return nil, &MissingError{Path: p.path}
		}
		values = append(values, value)
	}
	return values, nil
}

func lookupParam(path string) (param, bool) {
	for _, p := range params {
		if strings.EqualFold(p.path, path) {
			return p, true
		}
	}
	return param{}, false
}

// countParam writes a count; 0 is unknown.
func countParam(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
