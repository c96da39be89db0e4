package hybris

import (
	"strings"

	"tidings/core"
)

// name is one of SAP Commerce's own event names and what it means to us: a
// canonical type, or the reason why nobody is told.
type name struct {
	sap   string
	means core.EventType
	quiet string
}

// Reasons that several names share.
const (
	forStaff   = "for the shop's own people"
	forSystem  = "not about a customer"
	forQuotes  = "quotes are not told"
	forOrder   = "told by the order's own event"
	inProgress = "work in progress, nothing to tell yet"
)

// names are the events of the Commerce catalogue (github.com/SAP-archive/
// xf-application-mocks, commerce-mock/apis/events.yaml, read 2026-11-22). The
// legacy event export uses the same names.
var names = []name{
	{"order.created", "order.placed", ""},
	{"order.placed", "order.placed", ""},
	{"order.paymentfailed", "order.payment_failed", ""},
	{"order.paymentauthfailed", "order.payment_failed", ""},
	{"order.fraudcustomernotified", "order.on_hold", ""},
	{"order.deliverysent", "order.shipped", ""},
	{"order.readyforpickup", "order.ready_for_pickup", ""},
	{"order.pickedup", "order.picked_up", ""},
	{"order.pickupconfirmation", "order.picked_up", ""},
	{"order.notpickedcancelconsignment", "order.not_picked_up", ""},
	{"order.cancelpending", "order.cancel_requested", ""},
	{"order.cancelled", "order.cancelled", ""},
	{"order.partiallycanceled", "order.partly_cancelled", ""},
	{"order.createreturn", "order.return_created", ""},
	{"order.refund", "order.refunded", ""},
	{"order.partiallyrefunded", "order.partly_refunded", ""},
	{"order.completed", "order.completed", ""},
	{"customer.created", "customer.registered", ""},
	{"customer.changeuid", "customer.renamed", ""},

	{"order.processing", "", inProgress},
	{"order.fraud", "", forStaff},
	{"order.frauderror", "", forStaff},
	{"order.fraudemployeenotified", "", forStaff},
	{"consignment.consignmentprocessing", "", inProgress}, // the catalogue spells it "consigment"
	{"password.forgotten", "", "the shop mails the token itself; it goes nowhere else"},
	{"quote.orderplaced", "", forOrder},
	{"quote.buyersubmit", "", forQuotes},
	{"quote.salesrepsubmit", "", forQuotes},
	{"quote.sellerapproved", "", forQuotes},
	{"quote.expiresoonevent", "", forQuotes},
	{"quote.expired", "", forQuotes},
	{"quote.cancelled", "", forQuotes},
	{"cart.fileupload", "", forSystem},
	{"cronjob.beforestart", "", forSystem},
	{"cronjob.finished", "", forSystem},
	{"cronjob.aborted", "", forSystem},
	{"cronjob.dataexport", "", forSystem},
	{"system.tenantrestart", "", forSystem},
	{"system.initializationstart", "", forSystem},
	{"system.initializationend", "", forSystem},
}

// lifeCycles are the names of events that only say that a state was reached: the
// state in the body tells which. They are no names of SAP's, but those that an
// action of a project's own uses, and what is found by reading the shop again.
var lifeCycles = map[string]map[string]meaning{
	nameKey("order.status"):               orderStates,
	nameKey("order.status_changed"):       orderStates,
	nameKey("consignment.status"):         consignmentStates,
	nameKey("consignment.status_changed"): consignmentStates,
	nameKey("return.status"):              returnStates,
	nameKey("return.status_changed"):      returnStates,
}

// lifeCycle finds what an event of this name reports about, and its states. An
// order's event that names a parcel or a return is about that.
func lifeCycle(parts []string, n node) (states map[string]meaning, data core.EventData, ok bool) {
	last := len(parts) - 1
	if last < 1 {
		return nil, data, false
	}
	key := nameKey(parts[last-1] + "." + parts[last])
	if states, ok = lifeCycles[key]; !ok {
		return nil, data, false
	}
	data = nameData(n, "")
	switch {
	case !strings.HasPrefix(key, "order"):
	case data.ConsignmentCode != "":
		states = consignmentStates
	case data.ReturnCode != "":
		states = returnStates
	}
	return states, data, true
}

// nameTable indexes names, and the canonical types, which a shop may send with
// a prefix and a version too, by nameKey.
func nameTable() map[string]name {
	table := make(map[string]name, len(names)+len(core.EventTypes))
	for _, t := range core.EventTypes {
		table[nameKey(string(t.Type))] = name{means: t.Type}
	}
	for _, n := range names {
		table[nameKey(n.sap)] = n
	}
	return table
}

// spellings are written in several ways in the field.
var spellings = strings.NewReplacer(
	"_", "", "-", "", ".", "", " ", "",
	"consigment", "consignment",
	"cancelled", "canceled",
	"partially", "partly",
)

// nameKey makes the spellings of one name equal: case, separators and SAP's own typo.
func nameKey(s string) string { return spellings.Replace(strings.ToLower(s)) }

// segments cuts a foreign type at its separators and takes the version off:
// "sap.kyma.custom.shop.order.created.v1" and "…/order/created/v1" alike.
func segments(foreign string) []string {
	all := strings.FieldsFunc(foreign, func(r rune) bool { return r == '.' || r == '/' || r == ':' })
	for len(all) > 1 && isVersion(all[len(all)-1]) {
		all = all[:len(all)-1]
	}
	return all
}

func isVersion(s string) bool { return digits(strings.TrimPrefix(strings.ToLower(s), "v")) }

// lookup finds the name that a foreign type ends in. The last two segments
// decide; a single one does where both words stand in it ("order_created").
func (d *Dialect) lookup(parts []string) (name, bool) {
	last := len(parts) - 1
	if last < 0 {
		return name{}, false
	}
	if last > 0 {
		if n, ok := d.names[nameKey(parts[last-1]+"."+parts[last])]; ok {
			return n, true
		}
	}
	n, ok := d.names[nameKey(parts[last])]
	return n, ok
}
