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

	// OrderChanged is made by the gateway itself of a report that says that
	// something of an order changed and not what: the shop's answer tells.
	OrderChanged EventType = "order.changed"
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
	// EntityChange is one change of an order, of which it can have several of a
	// kind: a part cancelled, a part refunded.
	EntityChange Entity = "change"
	EntityNone   Entity = ""
)

// TypeInfo says how the gateway treats events of one type.
type TypeInfo struct {
	Type EventType
	// Entity is what the event reports about; EntityNone where states have no order.
	Entity Entity
	// Rank orders the states of an entity: after a state of one rank, a state
	// of a lower rank is no news. Zero: no rank, always told.
	Rank int
	// Passing is a state from which the entity goes on as if it had not been:
	// it is no news after a higher rank, and raises none itself.
	Passing bool
}

// EventTypes is the table of canonical types, in the order in which they are
// documented. Ranks follow the life cycles of an order, a consignment and a return.
var EventTypes = []TypeInfo{
	{Type: "order.placed", Entity: EntityOrder, Rank: 10},
	{Type: "order.payment_failed", Entity: EntityOrder, Rank: 79, Passing: true},
	{Type: "order.on_hold", Entity: EntityOrder, Rank: 79, Passing: true},
	{Type: "order.approval_needed", Entity: EntityOrder, Rank: 20},
	{Type: "order.approved", Entity: EntityOrder, Rank: 30},
	{Type: "order.rejected", Entity: EntityOrder, Rank: 30},
	{Type: "order.shipped", Entity: EntityConsignment, Rank: 20},
	{Type: "order.out_for_delivery", Entity: EntityConsignment, Rank: 30},
	{Type: "order.delivered", Entity: EntityConsignment, Rank: 50},
	{Type: "order.delivery_failed", Entity: EntityConsignment, Rank: 40},
	{Type: "order.ready_for_pickup", Entity: EntityConsignment, Rank: 20},
	{Type: "order.picked_up", Entity: EntityConsignment, Rank: 50},
	{Type: "order.pickup_reminder", Entity: EntityConsignment, Rank: 49, Passing: true},
	{Type: "order.not_picked_up", Entity: EntityConsignment, Rank: 60},
	{Type: "order.cancel_requested", Entity: EntityOrder, Rank: 79, Passing: true},
	{Type: "order.cancelled", Entity: EntityOrder, Rank: 90},
	{Type: "order.partly_cancelled", Entity: EntityChange},
	{Type: "order.return_created", Entity: EntityReturn, Rank: 10},
	{Type: "order.return_received", Entity: EntityReturn, Rank: 20},
	{Type: "order.return_cancelled", Entity: EntityReturn, Rank: 25},
	{Type: "order.refunded", Entity: EntityReturn, Rank: 30},
	{Type: "order.partly_refunded", Entity: EntityChange},
	{Type: "order.completed", Entity: EntityOrder, Rank: 80},
	{Type: "ticket.created"},
	{Type: "ticket.note_added"},
	{Type: "ticket.status_changed"},
	{Type: "customer.registered"},
	{Type: "customer.renamed"},
	{Type: "customer.address_changed"},
	{Type: "customer.email_changed"},
	{Type: "customer.password_changed"},
	{Type: "customer.consent_withdrawn"},
	{Type: "customer.closed"},
	{Type: "message.requested"},
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
