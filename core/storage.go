package core

import (
	"errors"
	"time"
)

// ErrNotFound is what reads answer for a thing that is not there.
var ErrNotFound = errors.New("not found")

// Tx is a transaction on the store. All its writes become durable together. It
// belongs to one goroutine and must not be kept. Reads that find nothing answer
// ErrNotFound; any other error means that the transaction cannot be committed.
//
// Times are kept to the millisecond. Rows are returned with their ids set.
type Tx interface {
	Claims
	Customers
	Events
	Messages
	Links
	Inbox
	Conversations
	Pauses
	Readings

	// Fetch is a hint that rows are going to be read, so that a store far away
	// can read them at once. It changes nothing about what is read.
	Fetch(w Wants) error

	// Purge removes up to limit rows of each kind that ended before the given
	// times (ended messages and events, updates, claims) and returns how many went.
	Purge(messages, updates, claims time.Time, limit int) (int64, error)
}

// Claims are keys that can be taken once.
type Claims interface {
	// Claim takes key at now. first is false when it has been taken before;
	// value is then what the first one left with it. Keys are kept hashed.
	Claim(key, value string, now time.Time) (first bool, old string, err error)
	// Claimed reports whether key has been taken.
	Claimed(key string) (bool, error)
}

// Customers keeps customers, their orders and how far each order has come.
type Customers interface {
	EnsureCustomer(uid string, now time.Time) (Customer, error)
	Customer(id int64) (Customer, error)
	CustomerByUID(uid string) (Customer, error)
	SaveCustomer(c Customer) error
	// ShopToken returns the sealed CustomerToken of a customer.
	ShopToken(customerID int64) ([]byte, error)
	// MergeCustomer gives all that one customer has to another: links, orders,
	// conversations and messages. Its uid is free afterwards.
	MergeCustomer(from, into int64) error

	// RememberOrder notes whose order it is.
	RememberOrder(site, code string, customerID int64) error
	// OrderOwner returns whose order it is; ErrNotFound when not known.
	OrderOwner(site, code string) (customerID int64, err error)
	// OrdersOf returns the codes of a customer's known orders, newest first, with their sites.
	OrdersOf(customerID int64, limit int) ([]OrderQuery, error)
	// Rank returns the highest rank told of an entity, 0 if none.
	Rank(entity string) (int, error)
	SetRank(entity string, rank int) error
}

// Events keeps what the shop reported.
type Events interface {
	InsertEvent(e StoredEvent) (rowID int64, err error)
	Event(rowID int64) (StoredEvent, error)
	// EventsByID returns the events with the sender's id, of one source or of all.
	EventsByID(id, source string) ([]StoredEvent, error)
	// SaveEvent writes customer, state, route, reasons and ShopTriedAt.
	SaveEvent(e StoredEvent) error
}

// Messages keeps messages, their parts, and what each request was answered.
type Messages interface {
	// InsertMessage writes a message with its parts. All are waiting, but the
	// first one of a message that is being sent: it is marked.
	InsertMessage(m Message, parts []Part) (id int64, err error)
	Message(id int64) (Message, error)
	// SaveMessage writes what can change: channel, address, state, class, why,
	// reply, rest, expiry and the time of the change.
	SaveMessage(m Message) error
	// ReplaceParts writes new parts for a message none of whose parts has been sent.
	ReplaceParts(messageID int64, parts []Part) error
	Parts(messageID int64) ([]StoredPart, error)
	Part(messageID int64, n int) (StoredPart, error)
	// SavePart writes state, platform id, times and Watched.
	SavePart(p StoredPart) error
	// SettlePart is SavePart for a part that has been marked and nothing since, and
	// SettleMessage SaveMessage's state, class and why for a message that is open
	// still; where it is not, they write nothing and answer false.
	SettlePart(p StoredPart) (bool, error)
	SettleMessage(m Message) (bool, error)
	PartByPlatformID(channel, platformID string) (StoredPart, error)
	// SentParts returns the watched parts sent to an address up to a time and not yet read, oldest first.
	SentParts(addressID int64, until time.Time, limit int) ([]StoredPart, error)
	// AddAttempt keeps an answer by which a part was not sent.
	AddAttempt(a Attempt) error
	// Attempts returns what the requests of a message were answered, by part and
	// time. Of those by which a part was sent it is the latest.
	Attempts(messageID int64) ([]Attempt, error)
	// OpenMessages returns the messages to an address that still have something to send, oldest first.
	OpenMessages(addressID int64) ([]Message, error)
	ListMessages(f MessageFilter) ([]Message, error)
	// LastOrder returns the order of the newest message that told a customer of one in a chat.
	LastOrder(customerID, addressID int64) (site, code string, err error)
	// KeepReceipt keeps a receipt or an echo that came before its part was settled.
	KeepReceipt(channel, platformID string, kind UpdateKind, at time.Time) error
	TakeReceipts(channel, platformID string) (delivered, read time.Time, err error)
	Totals() (Totals, error)
}

// Links keeps addresses, the links to customers, and the offers to link.
type Links interface {
	EnsureAddress(channel string, a Address, now time.Time) (ChatAddress, error)
	Address(id int64) (ChatAddress, error)
	AddressByValue(channel, value string) (ChatAddress, error)
	SaveAddress(a ChatAddress) error
	// LinkOf returns the newest link of an address that has not ended.
	LinkOf(addressID int64) (Link, error)
	// LinksOf returns the links of a customer that have not ended, newest first.
	LinksOf(customerID int64) ([]LinkedAddress, error)
	// LinksBySubject returns the links on a channel that are of one account of the
	// platform's login, those that have ended too.
	LinksBySubject(channel, subject string) ([]Link, error)
	// LinkHistory returns all links of a customer, those that have ended too, newest first.
	LinkHistory(customerID int64) ([]LinkedAddress, error)
	InsertLink(l Link) (id int64, err error)
	Link(id int64) (Link, error)
	// SaveLink writes state, address, evidence, subject and the time of the change.
	SaveLink(l Link) error

	InsertOptIn(o OptIn) (id int64, err error)
	// InsertCode keeps the hash of the short code an offer has on a channel.
	InsertCode(optInID int64, channel, hash string) error
	OptIn(id int64) (OptIn, error)
	// MoveOptIns makes the offers for a uid those for another.
	MoveOptIns(from, to string) error
	// LiveOptIn returns the newest offer like o (customer, order, purpose,
	// locale, consent, channels) that lasts beyond a time and is still unused.
	LiveOptIn(o OptIn, until time.Time) (OptIn, error)
	// OptInByCode returns the offer a short code stands for.
	OptInByCode(channel string, hashes []string) (OptIn, error)
	// UseOptIn takes the offer for one channel and address. first is true for
	// the one who takes it; by is the address that has it.
	UseOptIn(id int64, channel string, addressID int64, now time.Time) (first bool, by int64, err error)
}

// Inbox keeps what platforms told us.
type Inbox interface {
	// InsertUpdate writes an update once; first is false for a copy.
	InsertUpdate(u StoredUpdate) (id int64, first bool, err error)
	Update(id int64) (StoredUpdate, error)
	SaveUpdate(id int64, state, why string) error
	// HeldUpdates returns what an unlinked sender wrote since a time, oldest first.
	HeldUpdates(addressID int64, since time.Time) ([]StoredUpdate, error)
}

// Conversations keeps questions on their way into tickets.
type Conversations interface {
	// OpenConversation returns the newest conversation of a customer about an
	// order (or about none) in which somebody wrote since a time, and that is not
	// closed unless closed ones count too.
	OpenConversation(customerID int64, orderCode string, since time.Time, closedToo bool) (Conversation, error)
	ConversationByTicket(ticketID string) (Conversation, error)
	Conversation(id int64) (Conversation, error)
	InsertConversation(c Conversation) (id int64, err error)
	SaveConversation(c Conversation) error
	// LastConversation returns the customer's newest conversation.
	LastConversation(customerID int64) (Conversation, error)
	// ConversationsToPoll returns open conversations with a ticket, last polled before a time.
	ConversationsToPoll(before time.Time, limit int) ([]Conversation, error)
	// ClosedToPoll returns closed ones in which the customer has written since a time,
	// with a ticket, last polled before another.
	ClosedToPoll(since, before time.Time, limit int) ([]Conversation, error)

	InsertTicketCall(c TicketCall) (id int64, err error)
	TicketCall(id int64) (TicketCall, error)
	SaveTicketCall(c TicketCall) error
	// HeldCalls returns calls that were first tried before a time and have not got
	// through, longest held first.
	HeldCalls(before time.Time, limit int) ([]TicketCall, error)
}

// Pauses keeps until when a channel has to be left alone.
type Pauses interface {
	SetPause(channel string, until time.Time, why string) error
	Pauses() (map[string]time.Time, error)
}

// Readings keeps what was read last of things that the shop is asked for again and
// again.
type Readings interface {
	Reading(kind, name string) (Reading, error)
	SaveReading(x Reading) error
	// ReadingsDue returns those of a kind that are to be read again by now, the longest due first.
	ReadingsDue(kind string, now time.Time, limit int) ([]Reading, error)
	// LinkedSince returns the links made after one, in the order of their ids.
	LinkedSince(linkID int64, limit int) ([]Link, error)
}

// Wants names rows that are going to be read.
type Wants struct {
	Claims []string // keys, for Claim and Claimed
	UIDs   []string // of customers
	Lanes  []string // for Pending
	// Ids of rows; of messages the parts as well.
	Messages, Events, Addresses, Customers []int64
	LinksOfAddresses                       []int64 // for LinkOf
	LinksOfCustomers                       []int64 // for LinksOf
	// LinksOfUIDs are uids, which UIDs has too, of customers for whose ids LinksOf
	// is going to be asked.
	LinksOfUIDs []string
}

// Add wants what other wants, too.
func (w *Wants) Add(other Wants) {
	w.Claims = append(w.Claims, other.Claims...)
	w.UIDs = append(w.UIDs, other.UIDs...)
	w.Lanes = append(w.Lanes, other.Lanes...)
	w.Messages = append(w.Messages, other.Messages...)
	w.Events = append(w.Events, other.Events...)
	w.Addresses = append(w.Addresses, other.Addresses...)
	w.Customers = append(w.Customers, other.Customers...)
	w.LinksOfAddresses = append(w.LinksOfAddresses, other.LinksOfAddresses...)
	w.LinksOfCustomers = append(w.LinksOfCustomers, other.LinksOfCustomers...)
	w.LinksOfUIDs = append(w.LinksOfUIDs, other.LinksOfUIDs...)
}
