package inbound

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// How long a call waits before the shop is asked again.
const (
	callGapMin  = 500 * time.Millisecond
	callGapMax  = 30 * time.Second
	maxSubject  = 255
	callTimeout = 20 * time.Second
	// nobodyGiveUp is how long a question waits for a shop that has nobody of its
	// customer's uid: that they have got another one may be told late.
	nobodyGiveUp = 72 * time.Hour
	nobodyGapMax = 10 * time.Minute
)

// ticketWorker brings the entries of conversations to the shop, one after the
// other. A shop that is away holds them, for hours if need be; nothing is lost
// and nothing overtakes. It is a lane.Marker because a call to the shop cannot
// be undone: one that was under way when the process ended is looked for first.
type ticketWorker Inbound

var _ lane.Marker = (*ticketWorker)(nil)

// Gate implements lane.Worker.
func (*ticketWorker) Gate(lane.Item, time.Time) lane.Turn { return lane.Turn{} }

// Mark implements lane.Marker: a question that was taken is always wanted.
func (*ticketWorker) Mark(*lane.Tx, lane.Item) (bool, error) { return true, nil }

type entry struct {
	it   lane.Item
	call core.TicketCall
	conv core.Conversation
	chat core.ChatAddress
}

// Work implements lane.Worker.
func (w *ticketWorker) Work(ctx context.Context, it lane.Item) lane.Result {
	in := (*Inbound)(w)
	e := entry{it: it}
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		if e.call, err = tx.TicketCall(it.Ref); err != nil {
			return err
		}
		if e.conv, err = tx.Conversation(e.call.ConversationID); err != nil {
			return err
		}
		e.chat, err = tx.Address(e.conv.AddressID)
		return err
	})
	switch {
	case errors.Is(err, core.ErrNotFound):
		return lane.Result{Done: true}
	case err != nil:
		in.Log.Error("cannot read a question; trying again", "call", it.Ref, "err", err)
		it.Due = time.Now().Add(time.Second)
		return lane.Result{Item: it}
	case e.call.State != waiting:
		return lane.Result{Done: true}
	}
	e.call.Uncertain = e.call.Uncertain || it.Found
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if e.call.Media != nil {
		return in.bringFile(ctx, e)
	}
	var ref core.TicketRef
	err = in.inNameOf(ctx, e.conv, func(v core.Conversation) (err error) {
		ref, err = in.bring(ctx, entry{it: e.it, call: e.call, conv: v, chat: e.chat})
		return err
	})
	if err != nil {
		return in.callFailed(e, err)
	}
	return brought(e, ref, in.stateAfter(ctx, e, ref.ID))
}

// brought writes down that the desk has taken an entry, which left its ticket in a state.
func brought(e entry, ref core.TicketRef, state string) lane.Result {
	ticket := ref.ID
	return lane.Result{Done: true, Commit: func(tx *lane.Tx) error {
		call := e.call
		call.State, call.Uncertain, call.Why = done, false, ""
		if err := tx.SaveTicketCall(call); err != nil {
			return err
		}
		if err := countTaken(tx, ticket, call.Text); err != nil {
			return err
		}
		v, err := tx.Conversation(e.conv.ID)
		if errors.Is(err, core.ErrNotFound) {
			return nil // erased in the meantime
		}
		if err != nil {
			return err
		}
		if v.TicketID != ticket {
			v.TicketID, v.PolledAt = ticket, time.Now()
		}
		v.Status, v.Closed, v.LastEntry = state, state == "closed", ref.EntryID
		return tx.SaveConversation(v)
	}}
}

// stateAfter is the state of a ticket that has just taken an entry. Whatever that
// has changed is the customer's own doing and no news; what differs from it later
// is. Empty: it is not known, and the first one that is told is no news.
func (in *Inbound) stateAfter(ctx context.Context, e entry, ticket string) string {
	if _, reads := in.Desk.(core.TicketReader); reads {
		var t core.Ticket
		err := in.inNameOf(ctx, e.conv, func(v core.Conversation) (err error) {
			v.TicketID = ticket
			t, err = in.readTicket(ctx, ticketAt(v, time.Now()))
			return err
		})
		if err != nil {
			return ""
		}
		return t.Status
	}
	if e.conv.TicketID == ticket && !e.conv.Closed && e.conv.Status != "" {
		return e.conv.Status
	}
	return "open" // a new one, or one that was reopened
}

// key is the same for each try of the call.
func (e entry) key() string { return fmt.Sprintf("%s-%d", e.conv.Reference, e.call.ID) }

func ticketAt(v core.Conversation, since time.Time) core.TicketAt {
	return core.TicketAt{Site: v.Site, CustomerUID: v.CustomerUID, TicketID: v.TicketID, Reference: v.Reference, Since: since}
}

// bring puts an entry into the conversation's ticket and returns both. The first
// entry makes the ticket, and so does one whose ticket is gone.
func (in *Inbound) bring(ctx context.Context, e entry) (core.TicketRef, error) {
	if e.conv.TicketID == "" {
		return in.createTicket(ctx, e, e.key())
	}
	entryID, err := in.addEntry(ctx, e)
	if notTheirs(err) {
		return in.createTicket(ctx, e, e.key()+"-new") // another call, so it has another key
	}
	return core.TicketRef{ID: e.conv.TicketID, EntryID: entryID}, err
}

// addEntry adds the entry to its ticket, unless it turns out to be there.
func (in *Inbound) addEntry(ctx context.Context, e entry) (entryID string, err error) {
	if _, looks := in.Desk.(core.TicketFinder); looks && e.call.Uncertain {
		there, err := in.arrived(ctx, e)
		if err != nil || there {
			return "", err
		}
	}
	err = in.Guard(ctx, func() error {
		entryID, err = in.Desk.AddEntry(ctx, ticketAt(e.conv, time.Time{}), core.NewEntry{Text: e.call.Text, Key: e.key()})
		return err
	})
	return entryID, err
}

// createTicket makes the ticket, unless it turns out to be there.
func (in *Inbound) createTicket(ctx context.Context, e entry, key string) (core.TicketRef, error) {
	if finder, looks := in.Desk.(core.TicketFinder); looks && e.call.Uncertain {
		id, err := in.find(ctx, finder, e)
		if err != nil || id != "" {
			return core.TicketRef{ID: id}, err
		}
	}
	t := core.NewTicket{
		Site: e.conv.Site, CustomerUID: e.conv.CustomerUID, OrderCode: e.conv.OrderCode, Channel: e.chat.Channel,
		Subject: subject(e), Text: e.call.Text, Category: in.categoryOf(e), Reference: e.conv.Reference, Key: key,
	}
	ref, err := in.makeTicket(ctx, t)
	if err != nil && t.OrderCode != "" && refusedOrder(err) {
		// The desk does not take the order for this customer's: better a ticket
		// without it than none. This too is another call.
		t.OrderCode, t.Key = "", t.Key+"-plain"
		ref, err = in.makeTicket(ctx, t)
	}
	if err == nil && e.conv.OrderCode != "" && !ref.Linked {
		in.Log.Warn("the desk has made a ticket and not tied it to its order; the subject names it", "conversation", e.conv.ID)
		in.Count("tickets_unlinked", 1)
	}
	return ref, err
}

func (in *Inbound) makeTicket(ctx context.Context, t core.NewTicket) (ref core.TicketRef, err error) {
	err = in.Guard(ctx, func() error {
		ref, err = in.Desk.CreateTicket(ctx, t)
		return err
	})
	return ref, err
}

func refusedOrder(err error) bool {
	var failed *core.ShopError
	return errors.As(err, &failed) && failed.Class == core.Rejected && failed.NotFound && !failed.NoCustomer
}

// subject names the order, the way it came and the reference by which the
// ticket is found again.
func subject(e entry) string {
	s := "Question"
	if e.conv.OrderCode != "" {
		s = "Order " + e.conv.OrderCode + ": question"
	}
	s += " by chat (" + e.chat.Channel + ")"
	ref := " [" + e.conv.Reference + "]"
	if r := []rune(s); len(r)+len(ref) > maxSubject {
		s = string(r[:maxSubject-len(ref)])
	}
	return s + ref
}

// callFailed is the consequence of each class of a failed ticket call.
func (in *Inbound) callFailed(e entry, err error) lane.Result {
	now := time.Now()
	class := core.ClassOf(err)
	call, next := e.call, e.it
	call.Why = err.Error()
	if call.TriedAt.IsZero() {
		call.TriedAt = now
	}
	in.Count("ticket_calls_failed", 1, "class", string(class))
	unknown := noCustomer(err) && now.Sub(call.TriedAt) < nobodyGiveUp
	if class == core.Rejected && !unknown {
		in.Log.Error("the shop refuses a question; it stays in the store", "conversation", e.conv.ID, "err", err)
		call.State = "failed"
		return lane.Result{Done: true, Commit: func(tx *lane.Tx) error { return tx.SaveTicketCall(call) }}
	}
	switch {
	case unknown:
		in.Log.Warn("a question waits: the shop has nobody of its customer's uid", "conversation", e.conv.ID)
	case class == core.Misconfigured && personal(err):
		in.Log.Warn("a question waits: its customer's token is missing", "conversation", e.conv.ID, "err", err)
	case class == core.Misconfigured:
		in.Log.Error("the shop does not let us write tickets; questions wait", "err", err)
	}
	if class == core.Uncertain {
		call.Uncertain = true
	}
	next.Tries++
	next.LastTry = now
	gap := min(callGapMax, callGapMin<<min(next.Tries, 10))
	gap = gap/2 + rand.N(gap/2+1)
	var failed *core.ShopError
	if unknown {
		gap = max(gap, min(nobodyGapMax, now.Sub(call.TriedAt)/4))
	}
	if errors.As(err, &failed) && failed.RetryAfter > gap {
		gap = failed.RetryAfter
	}
	next.Due = now.Add(gap)
	return lane.Result{Item: next, Commit: func(tx *lane.Tx) error { return tx.SaveTicketCall(call) }}
}
