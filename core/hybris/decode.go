package hybris

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"tidings/core"
)

var errNoCode = errors.New("hybris: order without a readable code")

// Order reads an order in the OCC shape that came along with an event. Only an
// order whose code cannot be read is an error; see the package comment.
func (*Dialect) Order(raw json.RawMessage) (core.Order, error) {
	n, err := parse(raw)
	if err != nil {
		return core.Order{}, errNoCode
	}
	o := readOrder(n)
	if o.Code == "" {
		return core.Order{}, errNoCode
	}
	return o, nil
}

// readOrder reads OCC's schema Order. An order has no currency of its own; a
// price that names none has that of the total.
func readOrder(n node) core.Order {
	total := money(n.get("totalPriceWithTax"), "")
	if total.IsZero() {
		total = money(n.get("totalPrice"), "")
	}
	currency := total.Currency
	return core.Order{
		Code:          n.get("code").code(),
		GUID:          n.get("guid").code(),
		Site:          n.get("site").code(),
		Status:        n.get("status").state(),
		StatusDisplay: n.get("statusDisplay").text(),
		Placed:        n.get("created", "placed").time(),
		CustomerUID:   customerUID(n),
		CustomerName:  customerName(n),
		Lines:         orderLines(n.get("entries"), currency),
		Subtotal:      money(n.get("subTotal"), currency),
		Shipping:      money(n.get("deliveryCost"), currency),
		Tax:           money(n.get("totalTax"), currency),
		Discount:      money(n.get("totalDiscounts"), currency),
		Total:         total,
		Delivery:      firstText(n.at("deliveryMode", "name"), n.at("deliveryMode", "description")),
		Payment:       payment(n),
		ShipTo:        postAddress(n.get("deliveryAddress")),
		Consignments:  consignments(n.get("consignments"), currency),
	}
}

// customerUID is the owner. An order of a company names its buyer twice.
func customerUID(n node) string {
	uid := firstText(n.at("user", "uid"), n.at("orgCustomer", "uid"))
	if uid == anonymous {
		return ""
	}
	return uid
}

// customerName prefers the address for guests, whom the shop calls "Guest".
func customerName(n node) string {
	user := firstText(n.at("user", "name"), n.at("orgCustomer", "name"))
	addressee := personName(n.get("deliveryAddress"))
	if user == "" || n.get("guestCustomer").isTrue() && addressee != "" {
		return addressee
	}
	return user
}

func personName(address node) string {
	return joined(" ", address.get("firstName"), address.get("lastName"))
}

func orderLines(entries node, currency string) []core.OrderLine {
	var lines []core.OrderLine
	for i, e := range entries.list() {
		if e.isObject() {
			lines = append(lines, orderLine(e, i, currency))
		}
	}
	return lines
}

func orderLine(e node, position int, currency string) core.OrderLine {
	l := core.OrderLine{
		Number:   position,
		Code:     e.at("product", "code").code(),
		Name:     firstText(e.at("product", "name"), e.at("product", "code")),
		Quantity: e.get("quantity").count(),
		Unit:     money(e.get("basePrice"), currency),
		Total:    money(e.get("totalPrice"), currency),
		ImageURL: imageURL(e.at("product", "images")),
	}
	if number := e.get("entryNumber"); number.text() != "" {
		l.Number = number.count()
	}
	return l
}

// imageURL is the first picture with an address of its own. The usual ones are
// relative to a host that only the shop knows.
func imageURL(images node) string {
	for _, i := range images.list() {
		if u := absoluteURL(i.get("url").text(), "https"); u != "" {
			return u
		}
	}
	return ""
}

// absoluteURL returns the address when it is one with a host and such a scheme.
func absoluteURL(s string, schemes ...string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return ""
	}
	if slices.Contains(schemes, u.Scheme) {
		return s
	}
	return ""
}

// payment says how the order was paid, with no more of a card number than its
// last four digits ("Visa ••4242").
func payment(n node) string {
	info := n.get("paymentInfo")
	kind := firstText(info.at("cardType", "name"), info.at("cardType", "code"), n.at("paymentType", "displayName"))
	last := lastDigits(info.get("cardNumber").text(), 4)
	if last == "" {
		return kind
	}
	return strings.TrimSpace(kind + " ••" + last)
}

// lastDigits returns the digits at the end of s, at most n of them.
func lastDigits(s string, n int) string {
	s = strings.TrimSpace(s)
	start := len(s)
	for start > 0 && len(s)-start < n && s[start-1] >= '0' && s[start-1] <= '9' {
		start--
	}
	return s[start:]
}

func postAddress(a node) *core.PostAddress {
	p := core.PostAddress{
		Name:       personName(a),
		Street:     a.get("line1").text(),
		Street2:    a.get("line2").text(),
		PostalCode: a.get("postalCode").text(),
		City:       a.get("town").text(),
		State:      firstText(a.at("region", "isocodeShort"), a.at("region", "name"), a.at("region", "isocode")),
		Country:    a.at("country", "isocode").text(),
	}
	if p == (core.PostAddress{}) {
		return nil
	}
	return &p
}

func consignments(list node, currency string) []core.Consignment {
	var all []core.Consignment
	for _, c := range list.list() {
		if c.isObject() {
			all = append(all, consignment(c, currency))
		}
	}
	return all
}

func consignment(c node, currency string) core.Consignment {
	return core.Consignment{
		Code:        c.get("code").code(),
		Status:      c.get("status").state(),
		StatusAt:    c.get("statusDate").time(),
		TrackingID:  c.get("trackingID", "trackingId").text(),
		PickupPoint: pickupPoint(c.get("deliveryPointOfService")),
		Lines:       consignmentLines(c.get("entries"), currency),
	}
}

// consignmentLines are the order's lines with what of them is in the parcel.
func consignmentLines(entries node, currency string) []core.OrderLine {
	var lines []core.OrderLine
	for i, e := range entries.list() {
		if !e.isObject() {
			continue
		}
		l := orderLine(e.get("orderEntry"), i, currency)
		ordered := l.Quantity
		for _, counted := range []string{"quantity", "shippedQuantity"} {
			if n := e.get(counted).count(); n > 0 {
				l.Quantity = n
			}
		}
		if l.Quantity != ordered {
			l.Total = core.Money{} // the price of what was ordered, not of this
		}
		lines = append(lines, l)
	}
	return lines
}

// pickupPoint is a shop's name with its address in one line.
func pickupPoint(p node) string {
	address := p.get("address")
	town := joined(" ", address.get("postalCode"), address.get("town"))
	return joined(", ", first(p.get("displayName"), p.get("name")), address.get("line1"), node{town})
}

func first(nodes ...node) node {
	for _, n := range nodes {
		if n.text() != "" {
			return n
		}
	}
	return node{}
}

func firstText(nodes ...node) string { return strings.TrimSpace(first(nodes...).text()) }

func joined(separator string, nodes ...node) string {
	var parts []string
	for _, n := range nodes {
		if s := strings.TrimSpace(n.text()); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, separator)
}
