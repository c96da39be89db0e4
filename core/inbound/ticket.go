package inbound

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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
	ticket, err := in.bring(ctx, e)
	if err != nil {
		return in.callFailed(e, err)
	}
	return brought(e, ticket)
}

// brought writes down that the shop has taken an entry.
func brought(e entry, ticket string) lane.Result {
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
		v.Closed = false // an entry reopens the ticket
		return tx.SaveConversation(v)
	}}
}

// bring puts an entry into the conversation's ticket and returns the ticket's
// id. The first entry makes the ticket, and so does one whose ticket is gone.
func (in *Inbound) bring(ctx context.Context, e entry) (string, error) {
	if e.conv.TicketID != "" {
		err := in.addEntry(ctx, e)
		if !notTheirs(err) {
			return e.conv.TicketID, err
		}
	}
	return in.createTicket(ctx, e)
}

// addEntry adds the entry to its ticket, unless it turns out to be there.
func (in *Inbound) addEntry(ctx context.Context, e entry) error {
	if e.call.Uncertain {
		there, err := in.arrived(ctx, e)
		if err != nil || there {
			return err
		}
	}
	return in.Shop.AddEntry(ctx, e.conv.Site, e.conv.CustomerUID, e.conv.TicketID, e.call.Text)
}

// createTicket makes the ticket, unless it turns out to be there.
func (in *Inbound) createTicket(ctx context.Context, e entry) (string, error) {
	if e.call.Uncertain {
		id, err := in.find(ctx, e)
		if err != nil || id != "" {
			return id, err
		}
	}
	t := core.NewTicket{
		Site: e.conv.Site, CustomerUID: e.conv.CustomerUID, OrderCode: e.conv.OrderCode,
		Subject: subject(e), Text: e.call.Text,
	}
	ref, err := in.Shop.CreateTicket(ctx, t)
	if err != nil && t.OrderCode != "" && refusedOrder(err) {
		// The shop does not take the order for this customer's: better a ticket
		// without it than none.
		t.OrderCode = ""
		ref, err = in.Shop.CreateTicket(ctx, t)
	}
	return ref.ID, err
}

func refusedOrder(err error) bool {
	var failed *core.ShopError
	return errors.As(err, &failed) && failed.Class == core.Rejected && failed.NotFound
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

// find looks for a ticket that was made although nobody told us.
func (in *Inbound) find(ctx context.Context, e entry) (string, error) {
	all, err := in.Shop.Tickets(ctx, e.conv.Site, e.conv.CustomerUID)
	if err != nil {
		return "", err
	}
	for _, t := range all {
		if strings.Contains(t.Subject, "["+e.conv.Reference+"]") {
			return t.ID, nil
		}
	}
	return "", nil
}

// arrived looks for an entry that was taken although nobody told us. Customers
// say the same twice: what has been taken for an earlier one is not this one.
func (in *Inbound) arrived(ctx context.Context, e entry) (bool, error) {
	t, err := in.Shop.Ticket(ctx, e.conv.Site, e.conv.CustomerUID, e.conv.TicketID)
	if err != nil {
		return false, err
	}
	since := e.call.TriedAt
	if since.IsZero() {
		since = e.call.CreatedAt
	}
	since = since.Add(-time.Minute) // the shop's clock, and its seconds
	same, recent := 0, false
	for _, x := range t.Entries {
		if strings.TrimSpace(x.Text) == strings.TrimSpace(e.call.Text) {
			same++
			recent = recent || x.CreatedAt.IsZero() || x.CreatedAt.After(since)
		}
	}
	if !recent {
		return false, nil
	}
	taken := 0
	err = in.Engine.View(ctx, func(tx core.Tx) error {
		taken, err = takenBefore(tx, e.conv.TicketID, e.call.Text)
		return err
	})
	return same > taken, err
}

// takenKey is claimed when a ticket has taken a text for the n-th time.
func takenKey(ticket, text string, n int) string {
	return fmt.Sprintf("taken\x00%s\x00%d\x00%s", ticket, n, strings.TrimSpace(text))
}

// takenBefore returns how often a ticket has taken a text before.
func takenBefore(tx core.Tx, ticket, text string) (int, error) {
	for n := 0; ; n++ {
		if yes, err := tx.Claimed(takenKey(ticket, text, n)); err != nil || !yes {
			return n, err
		}
	}
}

// countTaken counts a text that a ticket has taken.
func countTaken(tx core.Tx, ticket, text string) error {
	n, err := takenBefore(tx, ticket, text)
	if err != nil {
		return err
	}
	_, _, err = tx.Claim(takenKey(ticket, text, n), "", time.Now())
	return err
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
	if class == core.Rejected {
		in.Log.Error("the shop refuses a question; it stays in the store", "conversation", e.conv.ID, "err", err)
		call.State = "failed"
		return lane.Result{Done: true, Commit: func(tx *lane.Tx) error { return tx.SaveTicketCall(call) }}
	}
	if class == core.Misconfigured {
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
	if errors.As(err, &failed) && failed.RetryAfter > gap {
		gap = failed.RetryAfter
	}
	next.Due = now.Add(gap)
	return lane.Result{Item: next, Commit: func(tx *lane.Tx) error { return tx.SaveTicketCall(call) }}
}
