package core

import (
	"encoding/json"
	"time"
)

// EventType is a canonical event type such as "order.shipped".
type EventType string

// The canonical types that code has to name. EventTypes lists all of them.
const (
	OrderPlaced        EventType = "order.placed"
	OrderShipped       EventType = "order.shipped"
	TicketNoteAdded    EventType = "ticket.note_added"
	TicketStatus       EventType = "ticket.status_changed"
	TicketCreated      EventType = "ticket.created"
	CustomerRenamed    EventType = "customer.renamed"
	CustomerClosed     EventType = "customer.closed"
	CustomerRegistered EventType = "customer.registered"
	ConsentWithdrawn   EventType = "customer.consent_withdrawn"
	MessageRequested   EventType = "message.requested"

	// ThankYou is made by the gateway itself when a customer links a chat.
	// A shop cannot send it.
	ThankYou EventType = "link.confirmed"
	// Answer is made by the gateway itself: what it says in reply to a chat
	// command or a question (its template's name is in EventData.Answer).
	Answer EventType = "chat.answer"
)

// Entity is the thing whose states an event type reports. Ranks are compared
// within one entity only.
type Entity string

// The entities that have states.
const (
	EntityOrder       Entity = "order"
	EntityConsignment Entity = "consignment"
	EntityReturn      Entity = "return"
	EntityNone        Entity = ""
)

// TypeInfo says how the gateway treats events of one type.
type TypeInfo struct {
	Type EventType
	// Entity is what the event reports about; EntityNone where states have no order.
	Entity Entity
	// Rank orders the states of an entity: after a state of one rank, a state
	// of a lower rank is no news. Zero: no rank, always told.
	Rank int
}

// EventTypes is the table of canonical types, in the order in which they are
// documented. Ranks follow the life cycles of an order, a consignment and a return.
var EventTypes = []TypeInfo{
	{"order.placed", EntityOrder, 10},
	{"order.payment_failed", EntityNone, 0},
	{"order.on_hold", EntityNone, 0},
	{"order.approval_needed", EntityOrder, 20},
	{"order.approved", EntityOrder, 30},
	{"order.rejected", EntityOrder, 30},
	{"order.shipped", EntityConsignment, 20},
	{"order.out_for_delivery", EntityConsignment, 30},
	{"order.delivered", EntityConsignment, 50},
	{"order.delivery_failed", EntityConsignment, 40},
	{"order.ready_for_pickup", EntityConsignment, 20},
	{"order.picked_up", EntityConsignment, 50},
	{"order.cancelled", EntityOrder, 90},
	{"order.partly_cancelled", EntityNone, 0},
	{"order.return_created", EntityReturn, 10},
	{"order.return_received", EntityReturn, 20},
	{"order.refunded", EntityNone, 0},
	{"order.partly_refunded", EntityNone, 0},
	{"order.completed", EntityOrder, 80},
	{"ticket.created", EntityNone, 0},
	{"ticket.note_added", EntityNone, 0},
	{"ticket.status_changed", EntityNone, 0},
	{"customer.registered", EntityNone, 0},
	{"customer.renamed", EntityNone, 0},
	{"customer.address_changed", EntityNone, 0},
	{"customer.email_changed", EntityNone, 0},
	{"customer.password_changed", EntityNone, 0},
	{"customer.consent_withdrawn", EntityNone, 0},
	{"customer.closed", EntityNone, 0},
	{"message.requested", EntityNone, 0},
}

// LookupType returns what is known of a canonical type.
func LookupType(t EventType) (TypeInfo, bool) {
	for _, info := range EventTypes {
		if info.Type == t {
			return info, true
		}
	}
	return TypeInfo{}, false
}

// EndsLinks reports whether links end with an event of the type, so that what it
// tells is the last that is said by them.
func (t EventType) EndsLinks() bool { return t == CustomerClosed || t == ConsentWithdrawn }

// Purpose is what a customer has agreed to be told.
type Purpose string

// The purposes a message can have.
const (
	OrderUpdates Purpose = "order_updates"
	Service      Purpose = "service"
	Marketing    Purpose = "marketing"
)

// Event is what the shop reports, after its envelope has been understood.
type Event struct {
	ID     string // the sender's id; unique together with Source
	Source string
	Type   EventType
	Time   time.Time // when it happened, in the shop's words
	Site   string    // base site; empty: the configured one
	Data   EventData
}

// EventData is the union of what the canonical types carry. Every field may be
// empty; what a type needs is checked at intake.
type EventData struct {
	OrderCode       string `json:"orderCode,omitempty"`
	CustomerUID     string `json:"customerUid,omitempty"`
	ConsignmentCode string `json:"consignmentCode,omitempty"`
	ReturnCode      string `json:"returnCode,omitempty"`
	Site            string `json:"site,omitempty"`
	Locale          string `json:"locale,omitempty"`
	// State is the shop's own word for the state that was reached, when known.
	State string `json:"state,omitempty"`
	// Order is the OCC order shape as the shop sent it along; null or absent:
	// the gateway reads it.
	Order json.RawMessage `json:"order,omitempty"`

	TicketID string     `json:"ticketId,omitempty"`
	Note     *EventNote `json:"note,omitempty"`
	Status   string     `json:"status,omitempty"` // open, in_process, closed

	PreviousUID string `json:"previousUid,omitempty"`

	Text      string     `json:"text,omitempty"`
	Purpose   Purpose    `json:"purpose,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`

	// Answer is the template of a chat.answer; never read from outside.
	Answer string `json:"answer,omitempty"`
	// LinkID is the link whose chat a link.confirmed or a chat.answer is for;
	// never read from outside.
	LinkID int64 `json:"linkId,omitempty"`
}

// MadeNoteID begins the id of a note to which its shop gave none. It is made of
// what the note says.
const MadeNoteID = "made-"

// EventNote is a note as it stands in an event, before anybody has decided
// whether it may be seen by the customer. It cannot be rendered: see Public.
type EventNote struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"`
	Author    string    `json:"author,omitempty"`
	Public    *bool     `json:"public,omitempty"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
}

// PublicNote is an agent's note that the customer may read. It is the only
// kind of note that rendering accepts; an internal one has no way to become it.
type PublicNote struct {
	ID, Text, Author string
	CreatedAt        time.Time
}

// InternalNote is a note for the shop's own people. Nothing renders it.
type InternalNote struct {
	ID string
}

// Split returns the note as what it is: a public one only when the event says
// so literally, else an internal one without its text.
func (n EventNote) Split() (*PublicNote, *InternalNote) {
	if n.Public != nil && *n.Public {
		return &PublicNote{ID: n.ID, Text: n.Text, Author: n.Author, CreatedAt: n.CreatedAt}, nil
	}
	return nil, &InternalNote{ID: n.ID}
}
