package core

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Money is an amount as the shop states it. Amount is a plain decimal number
// ("83.80", "-4.9"), never rounded on the way; Currency an ISO 4217 code.
type Money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// IsZero reports whether the shop gave no amount at all.
func (m Money) IsZero() bool { return m.Amount == "" }

// Order is an order as the customer would see it, read from the shop.
type Order struct {
	Code          string        `json:"code"`
	GUID          string        `json:"guid,omitempty"`
	Site          string        `json:"site,omitempty"`
	Status        string        `json:"status,omitempty"`        // the shop's code, e.g. READY
	StatusDisplay string        `json:"statusDisplay,omitempty"` // the shop's word
	Placed        time.Time     `json:"placed,omitzero"`
	CustomerUID   string        `json:"customerUid,omitempty"`
	CustomerName  string        `json:"customerName,omitempty"`
	Lines         []OrderLine   `json:"lines,omitempty"`
	Subtotal      Money         `json:"subtotal,omitzero"`
	Shipping      Money         `json:"shipping,omitzero"`
	Tax           Money         `json:"tax,omitzero"`
	Discount      Money         `json:"discount,omitzero"`
	Total         Money         `json:"total,omitzero"`
	Delivery      string        `json:"delivery,omitempty"` // name of the delivery mode
	Payment       string        `json:"payment,omitempty"`  // how it was paid, e.g. "Visa ****4242"
	ShipTo        *PostAddress  `json:"shipTo,omitempty"`
	Consignments  []Consignment `json:"consignments,omitempty"`
}

// OrderLine is one position of an order.
type OrderLine struct {
	Number   int    `json:"number"`
	Code     string `json:"code,omitempty"`
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
	Unit     Money  `json:"unit,omitzero"`
	Total    Money  `json:"total,omitzero"`
	ImageURL string `json:"imageUrl,omitempty"` // absolute https only
}

// Consignment is one parcel or pick-up of an order.
type Consignment struct {
	Code        string      `json:"code"`
	Status      string      `json:"status,omitempty"`
	StatusAt    time.Time   `json:"statusAt,omitzero"` // when it reached that state
	TrackingID  string      `json:"trackingId,omitempty"`
	TrackingURL string      `json:"trackingUrl,omitempty"`
	Carrier     string      `json:"carrier,omitempty"`
	PickupPoint string      `json:"pickupPoint,omitempty"`
	Lines       []OrderLine `json:"lines,omitempty"`
}

// Return is a customer's request to send goods of an order back.
type Return struct {
	Code      string `json:"code"`
	OrderCode string `json:"orderCode,omitempty"`
	Status    string `json:"status,omitempty"`
	Refund    Money  `json:"refund,omitzero"`
	LabelURL  string `json:"labelUrl,omitempty"` // absolute http or https only
}

// PostAddress is where an order goes.
type PostAddress struct {
	Name       string `json:"name,omitempty"`
	Street     string `json:"street,omitempty"`
	Street2    string `json:"street2,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	Country    string `json:"country,omitempty"` // ISO 3166 alpha-2
}

// OrderQuery names an order. CustomerUID may be empty where it is not known yet.
type OrderQuery struct {
	Site, Code, CustomerUID, Locale string
}

// Shop is the commerce system. Methods may be called concurrently; each is one
// logical call bounded by ctx. Errors are *ShopError.
//
// An implementation must not hand out an order of another customer when
// CustomerUID is set: it answers NotFound.
type Shop interface {
	Order(ctx context.Context, q OrderQuery) (Order, error)
	// Tracking completes a consignment with the carrier's data. A shop that
	// has none returns the consignment unchanged.
	Tracking(ctx context.Context, q OrderQuery, c Consignment) (Consignment, error)
	// Return reads one of the customer's returns of the order in q; an empty code
	// is that of the order's only one. What the shop does not show is NotFound.
	Return(ctx context.Context, q OrderQuery, code string) (Return, error)
}

// EntityState is the state that an order, a parcel or a return of it has reached.
type EntityState struct {
	Site, OrderCode, ReturnCode string
	State                       string    // the shop's word
	At                          time.Time // when the thing was made; zero: not told
}

// History is a Shop that can be asked for what it has not reported. A shop without
// one of these answers with an error of class Rejected or Misconfigured.
type History interface {
	Shop
	// Orders lists a customer's orders that were placed since a time, newest first.
	Orders(ctx context.Context, site, customerUID string, since time.Time) ([]EntityState, error)
	// Returns lists a customer's returns that were made since a time, newest first.
	Returns(ctx context.Context, site, customerUID string, since time.Time) ([]EntityState, error)
	// StatusFeed lists the orders of a site whose state has changed since a time, and
	// tells what time it was for the shop. What the shop has forgotten is not in it.
	StatusFeed(ctx context.Context, site string, since time.Time) (changes []EntityState, asOf time.Time, err error)
}

// Dialect understands the shop's own event names and bodies.
type Dialect interface {
	// Translate turns a foreign event type and body into a canonical one.
	// known is false where the type means nothing to this dialect. quiet says
	// that it is known and not worth a notification; why says so in words.
	Translate(foreign string, body json.RawMessage) (t EventType, data EventData, known, quiet bool, why string)
	// Order reads an order that came along with an event, leniently.
	Order(raw json.RawMessage) (Order, error)
	// Later reports whether, of two of the shop's states of what t tells about,
	// the pushed one comes after the read one. Where either is not known, it does not.
	Later(t EventType, pushed, read string) bool
	// Reached reports whether something in one of the shop's states has come to
	// what t tells, or beyond.
	Reached(t EventType, state string) bool
	// Reading says what the shop's answer tells of what an event is about: its
	// return, its consignment, else the order. Where t is empty, why says why
	// that is no news.
	Reading(d EventData, o Order, back Return) (t EventType, state, why string)
}

// ShopError is the failure of a call to the shop. Its text holds no secret and
// no personal data.
type ShopError struct {
	Class      Class // Temporary, Throttled, Rejected, Misconfigured or Uncertain
	NotFound   bool  // the thing asked for does not exist, or not for this customer
	Personal   bool  // it concerns this customer only; others may fare better
	NoCustomer bool  // the shop has nobody of the uid by which it was asked (any more, or yet)
	Type       string
	Status     int
	RetryAfter time.Duration
	Err        error
}

func (e *ShopError) Error() string {
	return fmt.Sprintf("shop: %s (status %d, type %q): %v", e.Class, e.Status, e.Type, e.Err)
}

// Unwrap returns the cause.
func (e *ShopError) Unwrap() error { return e.Err }
