package render

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"text/template/parse"
	"time"

	"tidings/core"
)

// check finds what parsing does not: partials that are not there, and texts
// that break when they run. Only the locales in which a shop has put
// something are run; the others are ours, and tested.
func (t *Texts) check(trees forest) []core.Fault {
	var faults []core.Fault
	for _, locale := range slices.Sorted(maps.Keys(trees)) {
		templates := trees.lineage(locale)
		missing := missingPartials(locale, templates)
		faults = append(faults, missing...)
		if len(missing) == 0 && anyOwn(templates) {
			faults = append(faults, t.tryAll(locale, templates)...)
		}
	}
	return sortFaults(faults)
}

func anyOwn(templates map[string]tree) bool {
	for _, t := range templates {
		if t.own {
			return true
		}
	}
	return false
}

// missingPartials reports the calls of templates that the locale does not have.
func missingPartials(locale string, templates map[string]tree) []core.Fault {
	var faults []core.Fault
	for _, t := range templates {
		walk(t.Root, func(n parse.Node) {
			call, ok := n.(*parse.TemplateNode)
			if !ok {
				return
			}
			if _, exists := templates[call.Name]; !exists {
				at, _ := t.ErrorContext(call)
				problem := fmt.Sprintf("there is no template %q in %s; it would be %s/%s%s", call.Name, locale, locale, call.Name, extension)
				faults = append(faults, faultOf(faultAt(at, problem), t.ParseName))
			}
		})
	}
	return faults
}

// tryAll runs every text of a locale on the examples, and the summary with them.
func (t *Texts) tryAll(locale string, templates map[string]tree) []core.Fault {
	var faults []core.Fault
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		if !isText(name) {
			continue
		}
		for _, in := range examples(name) {
			if _, err := t.render(name, newView(in), locale); err != nil {
				faults = append(faults, faultOf(err, templates[name].ParseName))
				break
			}
		}
	}
	return faults
}

// examples are notifications with everything, with hardly anything, and with
// one thing missing at a time.
func examples(name string) []Input {
	full := example(name)
	list := []Input{full, {Type: full.Type, Answer: full.Answer, Note: full.Note, Event: core.EventData{OrderCode: full.Event.OrderCode}, Degraded: true}}
	for _, drop := range []func(*Input){
		func(in *Input) { in.CustomerName = "" },
		func(in *Input) { in.Order = nil },
		func(in *Input) { in.Order = &core.Order{Code: in.Order.Code, Total: in.Order.Total} },
		func(in *Input) { in.Order = &core.Order{Code: in.Order.Code, Lines: in.Order.Lines[:1]} },
		func(in *Input) { in.Consignment = nil },
		func(in *Input) { in.Consignment = &core.Consignment{Code: in.Consignment.Code} },
		func(in *Input) { in.Return = nil },
		func(in *Input) { in.ConsignmentN, in.ConsignmentOf = 0, 0 },
		func(in *Input) { in.Event = core.EventData{} },
		func(in *Input) { in.Event.Status = "in_process" },
		func(in *Input) { in.Vars = nil },
	} {
		in := full
		drop(&in)
		list = append(list, in)
	}
	return list
}

// example is a notification with everything that a text can show.
func example(name string) Input {
	eur := func(amount string) core.Money { return core.Money{Amount: amount, Currency: "EUR"} }
	day := time.Date(2025, time.March, 4, 8, 15, 30, 0, time.UTC)
	lines := []core.OrderLine{
		{Number: 0, Code: "KETTLE-17", Name: "Enamel kettle 1.7 l", Quantity: 1, Unit: eur("49.90"), Total: eur("49.90")},
		{Number: 1, Code: "CUP-04", Name: "Cup & saucer <blue>", Quantity: 4, Unit: eur("7.25"), Total: eur("29.00")},
	}
	parcels := []core.Consignment{
		{Code: "cons00417003_0", Status: "SHIPPED", TrackingID: "JD0140-77", TrackingURL: "https://track.example.com/JD0140-77", Carrier: "DHL", PickupPoint: "Teashop Lisbon", Lines: lines[:1]},
		{Code: "cons00417003_1", Status: "READY", Lines: lines[1:]},
	}
	order := core.Order{
		Code: "00417003", Status: "READY", Placed: day, CustomerName: "Ines Vidal", Lines: lines,
		Subtotal: eur("78.90"), Shipping: eur("4.90"), Tax: eur("13.38"), Discount: eur("5.00"), Total: eur("78.80"),
		Delivery: "Standard", Payment: "Visa ****4242", Consignments: parcels,
		ShipTo: &core.PostAddress{Name: "Ines Vidal", Street: "Rua da Prata 12", PostalCode: "1100-420", City: "Lisbon", Country: "PT"},
	}
	in := Input{
		Type: core.EventType(name), Now: day.Add(time.Hour),
		Event:        core.EventData{OrderCode: order.Code, ConsignmentCode: parcels[0].Code, ReturnCode: "R-81", TicketID: "T-7", Status: "closed"},
		CustomerName: "Ines Vidal", Order: &order, Consignment: &parcels[0], ConsignmentN: 1, ConsignmentOf: 2,
		Return: &core.Return{Code: "R-81", OrderCode: order.Code, Status: "RECEIVED", Refund: eur("7.25"), LabelURL: "https://shop.example.com/label/R-81"},
		Note:   &core.PublicNote{ID: "n-1", Text: "The lid is on its way. 1 < 2 & **thanks**!", Author: "Jo", CreatedAt: day},
		Vars: map[string]any{
			"orders": []core.Order{order, {Code: "00416999", Status: "COMPLETED", Placed: day.AddDate(0, -1, 0), Total: eur("12.00")}},
		},
	}
	if answer, ok := answerOf(name); ok {
		in.Type, in.Answer = core.Answer, answer
	}
	return in
}

// located is the beginning of an error of package template.
var located = regexp.MustCompile(`(?s)^template: ([^:]+(?::\d+)?)(?::\d+)?: (.*)$`)

// faultAt is an error in the form of package template.
func faultAt(where, problem string) error { return fmt.Errorf("template: %s: %s", where, problem) }

// faultOf turns an error into a fault; path counts where the error names no place.
func faultOf(err error, path string) core.Fault {
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if m := located.FindStringSubmatch(cause.Error()); m != nil {
			return core.Fault{Key: m[1], Problem: m[2]}
		}
	}
	return core.Fault{Key: path, Problem: err.Error()}
}

// sortFaults puts faults in the order of files and drops repetitions: a
// partial breaks every text that calls it, and a locale's text its regions'.
func sortFaults(faults []core.Fault) []core.Fault {
	slices.SortFunc(faults, func(a, b core.Fault) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Problem, b.Problem))
	})
	return slices.Compact(faults)
}
