package core

import (
	"strconv"
	"strings"
	"time"
)

// EventState is how far an event has come (docs/states.md).
type EventState string

// The states of an event.
const (
	EventWaiting    EventState = "waiting" // accepted; for its turn or for the shop's answer
	EventRouted     EventState = "routed"
	EventIgnored    EventState = "ignored"
	EventSuppressed EventState = "suppressed"
)

// MessageState is how far a message has come.
type MessageState string

// The states of a message.
const (
	MessageQueued     MessageState = "queued"
	MessageSending    MessageState = "sending"
	MessageSent       MessageState = "sent"
	MessageDelivered  MessageState = "delivered"
	MessageRead       MessageState = "read"
	MessageFailed     MessageState = "failed"
	MessageExpired    MessageState = "expired"
	MessageSuppressed MessageState = "suppressed"
	MessageCancelled  MessageState = "cancelled"
	MessageParked     MessageState = "parked"
)

// MessageStates lists all states of a message.
var MessageStates = []MessageState{
	MessageQueued, MessageSending, MessageSent, MessageDelivered, MessageRead,
	MessageFailed, MessageExpired, MessageSuppressed, MessageCancelled, MessageParked,
}

// Open reports whether the message still has something to send.
func (s MessageState) Open() bool { return s == MessageQueued || s == MessageSending }

// PartState is how far a part has come.
type PartState string

// The states of a part.
const (
	PartWaiting   PartState = "waiting"
	PartMarked    PartState = "marked" // may have left
	PartSent      PartState = "sent"
	PartDelivered PartState = "delivered"
	PartRead      PartState = "read"
	PartFailed    PartState = "failed"
	PartUncertain PartState = "uncertain"
)

// LinkState is the state of the tie between a customer and an address. That an
// address is blocked is kept with the address.
type LinkState string

// The states of a link. An offered one is an OptIn that nobody has used yet.
const (
	LinkActive   LinkState = "active"
	LinkOptedOut LinkState = "opted_out"
	LinkEnded    LinkState = "ended"
)

// Reason is why a channel was or was not chosen, in words.
type Reason struct {
	Channel string `json:"channel,omitempty"`
	Why     string `json:"why"`
}

// Customer is a customer of the shop. ID is the gateway's own; UID the shop's,
// which can change.
type Customer struct {
	ID        int64
	UID       string
	Name      string
	Locale    string
	Preferred []string // channels the customer wants, in that order; nil: no wish
	CreatedAt time.Time
	ClosedAt  time.Time
	// ShopToken is a CustomerToken, sealed, for SaveCustomer to keep: nil leaves
	// the one there is, NoShopToken forgets it. It is read on its own, and never
	// stale that way: Customers.ShopToken.
	ShopToken []byte
	// MergedInto is the customer who has taken over everything of this one; 0: none has.
	MergedInto int64
}

// NoShopToken stands for no token at all.
const NoShopToken = "-"

// ChatAddress is an address as the gateway knows it.
type ChatAddress struct {
	ID      int64
	Channel string
	Address
	Name      string
	LastInAt  time.Time // the platform's reply window counts from here
	BlockedAt time.Time // zero: not blocked
	InvitedAt time.Time // when an unlinked sender was last told how to link
	CreatedAt time.Time
}

// Link ties an address to a customer.
type Link struct {
	ID         int64
	CustomerID int64
	AddressID  int64
	Channel    string
	State      LinkState
	Purpose    Purpose
	Evidence   string // "opt-in 17, update 4711", "the shop's word"
	Subject    string // what the platform's login calls the account; empty: not known
	Consent    string // the text the customer agreed to
	ConsentVer string
	Site       string
	OrderCode  string // of the opt-in
	CreatedAt  time.Time
	ChangedAt  time.Time
}

// LinkedAddress is a link with its address.
type LinkedAddress struct {
	Link    Link
	Address ChatAddress
}

// StoredEvent is an event as the gateway keeps it.
type StoredEvent struct {
	RowID      int64
	Event      Event
	CustomerID int64 // 0: not known yet
	State      EventState
	Route      string
	Reason     string
	Reasons    []Reason
	AcceptedAt time.Time
	// ShopTriedAt is when the shop was first asked in vain; zero: not yet.
	ShopTriedAt time.Time
}

// Alternative is a further channel a message may go to when the first fails.
type Alternative struct {
	Channel   string `json:"channel"`
	AddressID int64  `json:"addressId"`
	// Template stands in for the message there when the window is closed.
	Template *Template `json:"template,omitempty"`
}

// Message is one notification for one address.
type Message struct {
	ID          int64
	EventRow    int64
	EventID     string // the sender's id of the event
	EventSource string
	Type        EventType
	CustomerID  int64
	CustomerUID string
	Site        string
	OrderCode   string
	Channel     string
	AddressID   int64
	Route       string
	Reason      string
	Purpose     Purpose
	State       MessageState
	Class       Class  // of the last failure; empty: none
	Why         string // what ended or holds the message, in words
	Uncertain   string // "repeat" or "park"
	Human       bool
	Reply       bool
	Body        Body
	Template    *Template // the approved template to use when the window is closed
	Rest        []Alternative
	FallbackOf  int64
	ExpiresAt   time.Time // zero: never
	CreatedAt   time.Time
	ChangedAt   time.Time
	Parts       int
}

// StoredPart is a part with what has become of it.
type StoredPart struct {
	MessageID   int64
	N           int
	State       PartState
	Part        Part
	PlatformID  string
	SentAt      time.Time
	DeliveredAt time.Time
	ReadAt      time.Time
	// Watched says that the platform tells by a time what has been read, so that
	// the part has to be found by when it was sent.
	Watched bool
}

// Attempt is one request for a part, and what was answered.
type Attempt struct {
	MessageID int64
	N         int
	At        time.Time
	Class     Class // empty: accepted
	Code      string
	Text      string
}

// OptIn is an offer to link, made for the shop. Its id is what tokens seal.
type OptIn struct {
	ID          int64
	CustomerUID string
	Site        string
	OrderCode   string
	Locale      string
	Purpose     Purpose
	Consent     string
	ConsentVer  string
	Channels    []string
	Proof       string // how it is known to be for this customer
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// StoredUpdate is an update as it came in.
type StoredUpdate struct {
	ID         int64
	Channel    string
	AddressID  int64
	Update     Update
	ReceivedAt time.Time
	State      string // waiting, done, unreadable, held
	Why        string
}

// Conversation is what one customer asks about one order, until it rests.
type Conversation struct {
	ID          int64
	CustomerID  int64
	CustomerUID string
	Site        string
	OrderCode   string // empty: about no order
	Reference   string // stands in the ticket's subject, to find it again
	TicketID    string // empty: the shop has not made it yet
	Closed      bool
	AddressID   int64 // the chat in which the customer last wrote
	LastInAt    time.Time
	PolledAt    time.Time
	CreatedAt   time.Time
	Status      string // of the ticket, as last told or read; empty: not known
	LastEntry   string // what the desk calls the customer's last entry; empty: not told
}

// TicketCall is one text, or one file, on its way into a ticket.
type TicketCall struct {
	ID             int64
	ConversationID int64
	UpdateID       int64
	Text           string
	Media          *Media // a file for the entry before; nil: Text is an entry
	State          string // waiting, done, failed
	// Uncertain says that an earlier try had an unknown outcome: look before repeating.
	Uncertain bool
	Why       string
	CreatedAt time.Time
	TriedAt   time.Time // of the first try; zero: none
}

// Reading is what was read last of a thing that the shop is asked for again and again.
type Reading struct {
	Kind, Name string
	At         time.Time         // when it is to be read again; of a feed, since when to ask
	Seen       map[string]string // what there was to see, by what it is of
	Done       bool              // not to be read again
}

// MessageFilter chooses messages; zero fields choose all.
type MessageFilter struct {
	Customer, Order, EventID, Channel string
	State                             MessageState
	Open                              bool // those that have something to send
	Class                             Class
	Since, Until                      time.Time
	Before                            int64 // ids below this one: the cursor
	Limit                             int
}

// Totals are the two sums of docs/states.md, counted from rows and from what a
// purge has added up.
type Totals struct {
	EventsAccepted   int64
	Events           map[EventState]int64
	MessagesAccepted int64
	Messages         map[MessageState]int64
}

// Add counts n under the name of a stored total: "events", "messages", or what a
// purge has removed of a state ("event:routed", "message:sent").
func (t *Totals) Add(name string, n int64) {
	kind, state, purged := strings.Cut(name, ":")
	switch {
	case name == "events":
		t.EventsAccepted += n
	case name == "messages":
		t.MessagesAccepted += n
	case purged && kind == "event":
		t.Events[EventState(state)] += n
	case purged && kind == "message":
		t.Messages[MessageState(state)] += n
	}
}

// Difference is what is missing from the sums; it is 0.
func (t Totals) Difference() int64 {
	diff := t.EventsAccepted + t.MessagesAccepted
	for _, n := range t.Events {
		diff -= n
	}
	for _, n := range t.Messages {
		diff -= n
	}
	return diff
}

// ChannelInfo is what routing has to know of a channel.
type ChannelInfo struct {
	Window   Window
	Works    bool
	Why      string   // why it does not work
	Template string   // name of the approved template for the event; empty: none
	Language string   // of the template
	Params   []string // paths of the template's values
}

// PartKey is the key of a part: stable over attempts, unique in the installation.
func PartKey(messageID int64, n int) string {
	return "m" + strconv.FormatInt(messageID, 10) + "-" + strconv.Itoa(n)
}

// Raise brings the part to what receipts say that came before it was settled;
// zero: none did. What has been read has been delivered.
func (p *StoredPart) Raise(delivered, read time.Time) {
	if !delivered.IsZero() {
		p.State, p.DeliveredAt = PartDelivered, delivered
	}
	if read.IsZero() {
		return
	}
	p.State, p.ReadAt = PartRead, read
	if p.DeliveredAt.IsZero() {
		p.DeliveredAt = read
	}
}

// SlowestState is the state of a message all of whose parts have been sent:
// that of the part that is least far.
func SlowestState(parts []StoredPart) MessageState {
	state := MessageRead
	for _, p := range parts {
		switch p.State {
		case PartRead:
		case PartDelivered:
			state = MessageDelivered
		default:
			return MessageSent
		}
	}
	return state
}
