package hybrissim

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"
)

// Order is an order of the shop. Amounts are in hundredths of its currency.
type Order struct {
	Code, GUID, Site  string
	UserUID, UserName string
	Guest             bool // a guest's uid is "guid|email"
	Status            string
	Created           time.Time
	Currency          string
	Lines             []Line
	DeliveryCost      int64
	Discount, Tax     int64
	Address           Address
	Delivery          DeliveryMode
	Payment           Payment
	Consignments      []Consignment
}

// Line is a position of an order.
type Line struct {
	Code, Name string
	Quantity   int
	Unit       int64
}

// Address is where an order goes.
type Address struct {
	FirstName, LastName, Line1, Line2, PostalCode, Town, Country, CountryName, Phone string
}

// DeliveryMode is how an order goes.
type DeliveryMode struct{ Code, Name, Description string }

// Payment is a card.
type Payment struct{ Holder, Number, Type, TypeName, ExpiryMonth, ExpiryYear string }

// Consignment is a parcel of an order.
type Consignment struct {
	Code, Status string
	StatusDate   time.Time
	TrackingID   string
	Carrier      string // its name
	TrackingURL  string
	Packed       []Packed
	PickupPoint  string // name of the point of service, for a pick-up
	Arrival      time.Time
	Scans        []Scan
}

// Packed is what of a line a parcel contains.
type Packed struct{ Line, Quantity int }

// Scan is one event of a parcel's tracking.
type Scan struct {
	At                     time.Time
	Detail, Location, Code string
}

// SampleOrder returns a plausible order in EUR with three lines and one parcel
// that is ready to be shipped. Codes make equal orders, but for the time.
func SampleOrder(code, uid, site string) Order {
	first, last := nameOf(uid)
	o := Order{
		Code: code, GUID: guidOf(site, code), Site: site, UserUID: uid, UserName: strings.TrimSpace(first + " " + last),
		Status: "READY", Currency: "EUR",
		Lines:        slices.Clone(catalogue[:3]),
		DeliveryCost: 490, Tax: 2074,
		Address: Address{
			FirstName: first, LastName: last, Line1: "Lindenallee 12", PostalCode: "50667", Town: "Köln",
			Country: "DE", CountryName: "Germany", Phone: "+49 221 5550102",
		},
		Delivery: DeliveryMode{Code: "standard-gross", Name: "Standard Delivery", Description: "3-5 business days"},
		Payment: Payment{
			Holder: strings.ToUpper(strings.TrimSpace(first + " " + last)), Number: "************1881",
			Type: "visa", TypeName: "Visa", ExpiryMonth: "4", ExpiryYear: "2029",
		},
	}
	o.pack()
	return o
}

// pack puts everything into one parcel that is ready to be shipped.
func (o *Order) pack() {
	parcel := Consignment{Code: "cons" + o.Code + "_0", Status: "READY"}
	for i, l := range o.Lines {
		parcel.Packed = append(parcel.Packed, Packed{Line: i, Quantity: l.Quantity})
	}
	o.Consignments = []Consignment{parcel}
}

// nameOf makes a name of the local part of a uid: "ines.vidal@…" is Ines Vidal.
func nameOf(uid string) (first, last string) {
	if _, mail, ok := strings.Cut(uid, "|"); ok {
		uid = mail // a guest
	}
	local, _, _ := strings.Cut(uid, "@")
	words := strings.FieldsFunc(local, func(r rune) bool { return strings.ContainsRune("._-+", r) })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	if len(words) == 0 {
		return "Customer", ""
	}
	return words[0], strings.Join(words[1:], " ")
}

// guidOf returns the same GUID for the same order.
func guidOf(site, code string) string {
	sum := sha256.Sum256([]byte(site + "/" + code))
	return formatUUID([16]byte(sum[:16]))
}

func (o Order) subtotal() int64 {
	var sum int64
	for _, l := range o.Lines {
		sum += l.Unit * int64(l.Quantity)
	}
	return sum
}

func (o Order) total() int64 { return o.subtotal() + o.DeliveryCost - o.Discount }

func (o Order) clone() Order {
	o.Lines = slices.Clone(o.Lines)
	o.Consignments = slices.Clone(o.Consignments)
	for i, c := range o.Consignments {
		o.Consignments[i].Packed = slices.Clone(c.Packed)
		o.Consignments[i].Scans = slices.Clone(c.Scans)
	}
	return o
}

// consignment returns the parcel with a code; with "" the first that has not
// left yet, else the first.
func (o *Order) consignment(code string) *Consignment {
	for i := range o.Consignments {
		c := &o.Consignments[i]
		if c.Code == code || code == "" && (c.Status == "READY" || c.Status == "WAITING" || c.Status == "PICKPACK") {
			return c
		}
	}
	if code == "" && len(o.Consignments) > 0 {
		return &o.Consignments[0]
	}
	return nil
}

// orderRecord keeps an order as it was at any time, for stale reads.
type orderRecord struct{ versions []version }

type version struct {
	since time.Time
	order Order
}

func (r *orderRecord) current() Order { return r.versions[len(r.versions)-1].order }

// at returns the order as it was at a time, or as it was at first.
func (r *orderRecord) at(t time.Time) Order {
	for _, v := range slices.Backward(r.versions) {
		if !v.since.After(t) {
			return v.order
		}
	}
	return r.versions[0].order
}

// statusChange is an element of the status feed.
type statusChange struct {
	at                 time.Time
	code, status, site string
}
