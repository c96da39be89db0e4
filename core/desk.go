package core

import (
	"context"
	"time"
)

// PollSource is the CloudEvents source of what was found by asking the desk.
const PollSource = "/tidings/poll"

// Desk is where the questions of customers go: the shop's own ticket service, an
// endpoint, a mailbox, or whoever takes a callback. Methods may be called
// concurrently, but never two at once for one conversation; each is one logical
// call bounded by ctx. Errors are *ShopError.
//
// A call whose outcome is not known is made again with the same Key. A desk that
// cannot tell a repetition by its key is a TicketFinder too, and is looked into
// before the call is repeated.
//
// Texts are never blank and never longer than 5000 characters, subjects never
// longer than 255, both in UTF-16 units.
type Desk interface {
	// CreateTicket makes a ticket in the customer's name.
	CreateTicket(ctx context.Context, t NewTicket) (TicketRef, error)
	// AddEntry adds the customer's text to a ticket, reopens a closed one and
	// returns what the entry is called there; "" where that is not told.
	AddEntry(ctx context.Context, at TicketAt, e NewEntry) (entryID string, err error)
}

// TicketReader is a desk that can be asked what its agents wrote. One that
// cannot reports it by events.
type TicketReader interface {
	// Ticket reads a ticket as the customer may see it; notes are needed from
	// at.Since on only.
	Ticket(ctx context.Context, at TicketAt) (Ticket, error)
}

// TicketFinder is a desk in which one looks for what an earlier call has left.
// Its tickets hold what the customer wrote as well.
type TicketFinder interface {
	TicketReader
	// Tickets lists the customer's newest tickets, without notes.
	Tickets(ctx context.Context, site, customerUID string) ([]Ticket, error)
}

// Attacher is a desk that takes files.
type Attacher interface {
	Attach(ctx context.Context, at TicketAt, a Attachment) error
}

// Fetcher is a channel from which can be fetched what a customer sent.
type Fetcher interface {
	// Fetch reads the bytes of a medium, from its platform's own hosts only.
	// Errors are *SendError: Rejected for what is gone, or larger than maxBytes,
	// or not at a place that the platform uses.
	Fetch(ctx context.Context, m Media, maxBytes int64) (File, error)
}

// File is a file with its content. Type is the media type as its source tells it.
type File struct {
	Name, Type string
	Data       []byte
}

// TicketAt names a ticket.
type TicketAt struct {
	Site, CustomerUID, TicketID string
	Reference                   string    // the conversation's
	Since                       time.Time // for reading; zero: all
}

// NewTicket asks the desk for a ticket.
type NewTicket struct {
	Site, CustomerUID, OrderCode string
	Subject                      string // at most 255 characters
	Text                         string // at most 5000 characters
	Category                     string // empty: the desk's own default
	Reference                    string // the conversation's: unique, and a part of the subject
	Channel                      string // the name of the channel on which the customer asked
	Key                          string // the same for each try of the same call
}

// NewEntry is a further text for a ticket.
type NewEntry struct {
	Text string // at most 5000 characters
	Key  string
}

// Attachment is a file for an entry that a ticket has.
type Attachment struct {
	EntryID string // empty: the customer's newest
	Key     string
	File    File
	// Again says that an earlier try had an unknown outcome.
	Again bool
}

// TicketRef is a ticket the desk has made. Linked tells whether the order was
// taken over (an unknown one is ignored silently by some).
type TicketRef struct {
	ID      string
	EntryID string // of the text the ticket was made with; empty: not told
	Linked  bool
}

// Ticket is the desk's record of a conversation, as far as the customer may see it.
type Ticket struct {
	ID      string
	Subject string
	Status  string       // open, in_process, closed; empty: not told
	Notes   []PublicNote // the agents' public notes, oldest first
	Entries []Entry      // what the customer wrote, oldest first
}

// Entry is one text of the customer in a ticket.
type Entry struct {
	ID, Text  string
	CreatedAt time.Time
}

// CustomerToken is the right to act in the shop as one customer, who handed it
// over. It prints as "[secret]".
type CustomerToken struct {
	Access, Refresh Secret // an empty Refresh: it cannot be renewed
	Expires         time.Time
}

// CustomerTokens keeps the tokens that customers have handed over.
type CustomerTokens interface {
	// CustomerToken returns the one a customer has left; ErrNotFound for none.
	CustomerToken(ctx context.Context, customerUID string) (CustomerToken, error)
	// KeepCustomerToken replaces it by its successor, or, for the zero token,
	// forgets it; but only where it still is the one that was read.
	KeepCustomerToken(ctx context.Context, customerUID string, was, now CustomerToken) error
}
