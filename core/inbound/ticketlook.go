package inbound

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tidings/core"
)

// readTicket asks the desk for a ticket.
func (in *Inbound) readTicket(ctx context.Context, at core.TicketAt) (t core.Ticket, err error) {
	desk, ok := in.Desk.(core.TicketReader)
	if !ok {
		return t, &core.ShopError{Class: core.Rejected, Err: errors.New("read ticket: the desk cannot be asked")}
	}
	err = in.Guard(ctx, func() error {
		t, err = desk.Ticket(ctx, at)
		return err
	})
	return t, err
}

// find looks for a ticket that was made although nobody told us.
func (in *Inbound) find(ctx context.Context, desk core.TicketFinder, e entry) (string, error) {
	var all []core.Ticket
	err := in.Guard(ctx, func() (err error) {
		all, err = desk.Tickets(ctx, e.conv.Site, e.conv.CustomerUID)
		return err
	})
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
	t, err := in.readTicket(ctx, ticketAt(e.conv, time.Time{}))
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
