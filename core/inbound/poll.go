package inbound

import (
	"context"
	"fmt"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// pollPage is how many tickets are read in one round.
const pollPage = 100

// Poll reads, every so often, the tickets this gateway made as long as they are
// open: a stock shop does not push what its agents write. It returns when ctx ends.
func (in *Inbound) Poll(ctx context.Context, every time.Duration) {
	if every <= 0 || in.Shop == nil || !in.Tickets {
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
		due, err = tx.ConversationsToPoll(now.Add(-every), pollPage)
		return err
	})
	if err != nil {
		return err
	}
	for _, v := range due {
		t, err := in.Shop.Ticket(ctx, v.Site, v.CustomerUID, v.TicketID)
		if err != nil {
			if !notTheirs(err) {
				return err // the shop is away: the rest can wait too
			}
			t = core.Ticket{ID: v.TicketID, Status: "closed"}
		}
		if err := in.Engine.Do(ctx, func(tx *lane.Tx) error { return in.polled(tx, v.ID, t, now) }); err != nil {
			return err
		}
	}
	return nil
}

// polled makes events of what is new in a ticket. The agents' notes are all
// that is taken: our own entries are no notes.
func (in *Inbound) polled(tx *lane.Tx, id int64, t core.Ticket, now time.Time) error {
	v, err := tx.Conversation(id)
	if err != nil {
		return err
	}
	public := true
	for _, n := range t.Notes {
		first, _, err := tx.Claim("polled\x00"+v.TicketID+"\x00"+n.ID, "", now)
		if err != nil {
			return err
		}
		if !first {
			continue
		}
		e := core.Event{
			ID: fmt.Sprintf("%s/%s", v.TicketID, n.ID), Source: "/tidings/poll", Type: core.TicketNoteAdded, Time: now, Site: v.Site,
			Data: core.EventData{
				TicketID: v.TicketID, CustomerUID: v.CustomerUID, OrderCode: v.OrderCode,
				Note: &core.EventNote{ID: n.ID, Text: n.Text, Author: n.Author, Public: &public, CreatedAt: n.CreatedAt},
			},
		}
		if err := in.Events.Place(tx, e, v.CustomerID, now); err != nil {
			return err
		}
	}
	v.PolledAt = now
	v.Closed = v.Closed || t.Status == "closed"
	return tx.SaveConversation(v)
}
