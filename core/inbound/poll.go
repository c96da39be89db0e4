package inbound

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

const (
	pollPage = 100 // tickets that are read in one round, at the most, open ones and closed ones
	// closedRounds is by how much less often a closed ticket is read: an agent may
	// have something to add, or open it again.
	closedRounds = 10
)

// Poll reads, every so often, the tickets this gateway made: a stock shop does not
// push what its agents write. Closed ones are read less often, and as long as what
// the customer writes would belong to them. It returns when ctx ends.
func (in *Inbound) Poll(ctx context.Context, every time.Duration) {
	if _, reads := in.Desk.(core.TicketReader); every <= 0 || !reads {
		return
	}
	tick := time.NewTicker(max(every/4, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := in.pollRound(ctx, every); err != nil && ctx.Err() == nil {
			in.Log.Warn("tickets cannot be read; trying again", "err", err)
		}
	}
}

func (in *Inbound) pollRound(ctx context.Context, every time.Duration) error {
	now := time.Now()
	var due []core.Conversation
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		if due, err = tx.ConversationsToPoll(now.Add(-every), pollPage); err != nil {
			return err
		}
		closed, err := tx.ClosedToPoll(now.Add(-conversation), now.Add(-closedRounds*every), pollPage)
		due = append(due, closed...)
		return err
	})
	if err != nil {
		return err
	}
	for _, v := range due {
		if !in.Engine.Owns(conversationLane(v.ID)) {
			continue // another process does
		}
		if err := in.pollOne(ctx, v.ID, now); err != nil {
			return err
		}
	}
	return nil
}

// pollOne reads one ticket. An error ends the round: the shop is away, and the
// rest can wait too. A ticket that cannot be read has had its turn all the same,
// so that it does not keep the others from theirs.
func (in *Inbound) pollOne(ctx context.Context, id int64, now time.Time) error {
	var v core.Conversation
	err := in.Engine.View(ctx, func(tx core.Tx) (err error) {
		v, err = tx.Conversation(id)
		return err
	})
	if errors.Is(err, core.ErrNotFound) {
		return nil // erased in the meantime
	}
	if err != nil {
		return err
	}
	asking, err := in.Engine.Pending(ctx, conversationLane(id))
	if err != nil {
		return err
	}
	var t core.Ticket
	err = in.inNameOf(ctx, v, func(v core.Conversation) (err error) {
		t, err = in.readTicket(ctx, ticketAt(v, v.PolledAt))
		return err
	})
	switch {
	case noCustomer(err) && now.Sub(v.LastInAt) < conversation:
		// Perhaps they have another uid, and we are yet to hear of it: that the
		// ticket is closed would not be true.
		t = core.Ticket{ID: v.TicketID}
	case notTheirs(err), noCustomer(err):
		t = core.Ticket{ID: v.TicketID, Status: "closed"}
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		in.Log.Warn("a ticket cannot be read; trying again", "conversation", v.ID, "err", err)
		t = core.Ticket{ID: v.TicketID}
	}
	written := in.Engine.Do(ctx, func(tx *lane.Tx) error { return in.polled(tx, v, asking, t, now) })
	if written != nil || core.ClassOf(err) == core.Rejected || personal(err) {
		return written
	}
	return err
}

// personal reports whether only this one customer is concerned.
func personal(err error) bool {
	failed, ok := errors.AsType[*core.ShopError](err)
	return ok && failed.Personal
}

// notTheirs reports whether the shop says that a thing is not there, or not the customer's.
func notTheirs(err error) bool {
	failed, ok := errors.AsType[*core.ShopError](err)
	return ok && failed.NotFound && !failed.NoCustomer
}

// seenBefore is how much older than the last reading a note must be to have
// been in it, whatever the shop's clock says. What has been told of is not
// remembered for ever.
const seenBefore = 14 * 24 * time.Hour

// polled makes events of what is new in a ticket of the conversation as it was
// right before the ticket was read, asking or not. The agents' notes are all that
// is taken: our own entries are no notes.
func (in *Inbound) polled(tx *lane.Tx, was core.Conversation, asking bool, t core.Ticket, now time.Time) error {
	v, err := tx.Conversation(was.ID)
	if errors.Is(err, core.ErrNotFound) || err == nil && v.TicketID != was.TicketID {
		return nil // erased in the meantime, or it has another ticket
	}
	if err != nil {
		return err
	}
	if err := in.polledNotes(tx, v, t.Notes, now); err != nil {
		return err
	}
	v.PolledAt = now
	still, err := tx.Pending(conversationLane(v.ID))
	switch {
	case err != nil:
		return err
	case asking && still && t.Status == "closed":
		v.Status, v.Closed = "closed", true // what is on its way reopens it: no news
	case !asking && v.LastInAt.Equal(was.LastInAt):
		if err := in.polledStatus(tx, &v, t.Status, now); err != nil {
			return err
		}
	} // else the customer's own words have changed it, or are about to
	return tx.SaveConversation(v)
}

// polledNotes makes events of the notes that no earlier reading had.
func (in *Inbound) polledNotes(tx *lane.Tx, v core.Conversation, notes []core.PublicNote, now time.Time) error {
	for _, n := range notes {
		if !n.CreatedAt.IsZero() && n.CreatedAt.Before(v.PolledAt.Add(-seenBefore)) {
			continue
		}
		first, _, err := tx.Claim("polled\x00"+v.TicketID+"\x00"+n.ID, "", now)
		if err != nil {
			return err
		}
		if !first {
			continue
		}
		if err := in.Events.Place(tx, noteEvent(v, n, now), v.CustomerID, now); err != nil {
			return err
		}
	}
	return nil
}

// polledStatus makes an event of a state that is new. Where what the customer's
// own words left behind is not known, only a closing is news.
func (in *Inbound) polledStatus(tx *lane.Tx, v *core.Conversation, status string, now time.Time) error {
	if status == "" || status == v.Status {
		return nil
	}
	known := v.Status != "" || status == "closed"
	v.Status, v.Closed = status, status == "closed"
	if !known {
		return nil
	}
	return in.Events.Place(tx, core.Event{
		ID: fmt.Sprintf("%s/%s/%d", v.TicketID, status, now.UnixMilli()), Source: core.PollSource, Type: core.TicketStatus, Time: now, Site: v.Site,
		Data: core.EventData{TicketID: v.TicketID, CustomerUID: v.CustomerUID, OrderCode: v.OrderCode, Status: status},
	}, v.CustomerID, now)
}

// noteEvent is what the shop would have pushed.
func noteEvent(v core.Conversation, n core.PublicNote, now time.Time) core.Event {
	public := true
	return core.Event{
		ID: fmt.Sprintf("%s/%s", v.TicketID, n.ID), Source: core.PollSource, Type: core.TicketNoteAdded, Time: now, Site: v.Site,
		Data: core.EventData{
			TicketID: v.TicketID, CustomerUID: v.CustomerUID, OrderCode: v.OrderCode,
			Note: &core.EventNote{ID: n.ID, Text: n.Text, Author: n.Author, Public: &public, CreatedAt: n.CreatedAt},
		},
	}
}
