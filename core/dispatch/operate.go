package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// StateError says that a message is in a state in which an operation makes no sense.
type StateError struct{ State core.MessageState }

func (e *StateError) Error() string {
	return fmt.Sprintf("the message is %s", e.State)
}

// Retry accepts a message that ended without arriving anew, at the end of its
// lane. Parts that were sent are not sent again.
func (d *Dispatcher) Retry(ctx context.Context, id int64) error {
	return d.engine.Do(ctx, func(tx *lane.Tx) error {
		m, err := tx.Message(id)
		if err != nil {
			return err
		}
		switch m.State {
		case core.MessageFailed, core.MessageExpired, core.MessageParked, core.MessageCancelled:
		default:
			return &StateError{m.State}
		}
		now := time.Now()
		parts, err := tx.Parts(id)
		if err != nil {
			return err
		}
		if len(parts) == 0 {
			return &StateError{m.State}
		}
		for _, p := range parts {
			if p.State == core.PartFailed || p.State == core.PartUncertain || p.State == core.PartMarked {
				p.State = core.PartWaiting
				if err := tx.SavePart(p); err != nil {
					return err
				}
			}
		}
		if !m.ExpiresAt.IsZero() && !now.Before(m.ExpiresAt) {
			m.ExpiresAt = time.Time{} // whoever retries it wants it sent
		}
		m.State, m.Class, m.Why, m.ChangedAt = core.MessageQueued, "", "retried by an operator", now
		if err := tx.SaveMessage(m); err != nil {
			return err
		}
		return tx.Append(LaneOf(m.Channel, m.AddressID), m.ID, now, priority(m))
	})
}

// Cancel keeps what has not left of a message from leaving.
func (d *Dispatcher) Cancel(ctx context.Context, id int64) error {
	return d.finishBy(ctx, id, "cancelled by an operator", core.MessageState.Open)
}

// Discard closes a message that ended without arriving.
func (d *Dispatcher) Discard(ctx context.Context, id int64) error {
	return d.finishBy(ctx, id, "discarded by an operator", func(s core.MessageState) bool {
		return s == core.MessageFailed || s == core.MessageParked || s == core.MessageExpired
	})
}

func (d *Dispatcher) finishBy(ctx context.Context, id int64, why string, allowed func(core.MessageState) bool) error {
	return d.engine.Do(ctx, func(tx *lane.Tx) error {
		m, err := tx.Message(id)
		if err != nil {
			return err
		}
		if !allowed(m.State) {
			return &StateError{m.State}
		}
		m.Why = why
		return d.end(tx, m, core.MessageCancelled, time.Now())
	})
}

// Readdress implements the outbox of core/inbound.
func (d *Dispatcher) Readdress(tx *lane.Tx, addressID int64, to core.Address, now time.Time) error {
	return Readdress(tx, addressID, to, now)
}

// Readdress replaces what the platform calls an address. Where the new name is
// known already, what waits for the old one moves there, in its order.
func Readdress(tx *lane.Tx, addressID int64, to core.Address, now time.Time) error {
	a, err := tx.Address(addressID)
	if err != nil {
		return err
	}
	known, err := tx.AddressByValue(a.Channel, to.Value)
	if errors.Is(err, core.ErrNotFound) {
		a.Value, a.Kind = to.Value, to.Kind
		return tx.SaveAddress(a)
	}
	if err != nil || known.ID == a.ID {
		return err
	}
	if err := moveLink(tx, a, known, now); err != nil {
		return err
	}
	open, err := tx.OpenMessages(a.ID)
	if err != nil {
		return err
	}
	for _, m := range open {
		m.AddressID, m.ChangedAt = known.ID, now
		if err := tx.SaveMessage(m); err != nil {
			return err
		}
		if err := tx.Append(LaneOf(m.Channel, known.ID), m.ID, now, priority(m)); err != nil {
			return err
		}
	}
	return nil
}

// moveLink hands the link of an address to another one; the newest evidence wins.
func moveLink(tx *lane.Tx, from, to core.ChatAddress, now time.Time) error {
	link, err := tx.LinkOf(from.ID)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	old, err := tx.LinkOf(to.ID)
	switch {
	case errors.Is(err, core.ErrNotFound):
	case err != nil:
		return err
	case old.CreatedAt.After(link.CreatedAt):
		link.State, link.ChangedAt = core.LinkEnded, now
		return tx.SaveLink(link)
	default:
		old.State, old.ChangedAt = core.LinkEnded, now
		if err := tx.SaveLink(old); err != nil {
			return err
		}
	}
	link.AddressID, link.ChangedAt = to.ID, now
	return tx.SaveLink(link)
}

// Sweep moves the messages of channels that have been misconfigured for too
// long to their next channels. It is to be called every minute or so.
func (d *Dispatcher) Sweep(ctx context.Context) error {
	now := time.Now()
	for name, o := range d.Outlets() {
		if !o.overdue(now) {
			continue
		}
		if err := d.sweep(ctx, name, now); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dispatcher) sweep(ctx context.Context, channel string, now time.Time) error {
	const page = 200
	for before := int64(0); ; {
		var all []core.Message
		err := d.engine.View(ctx, func(tx core.Tx) error {
			var err error
			all, err = tx.ListMessages(core.MessageFilter{Channel: channel, Open: true, Before: before, Limit: page})
			return err
		})
		if err != nil || len(all) == 0 {
			return err
		}
		before = all[len(all)-1].ID
		err = d.engine.Do(ctx, func(tx *lane.Tx) error {
			for _, listed := range all {
				m, err := tx.Message(listed.ID)
				if err != nil || !m.State.Open() || len(m.Rest) == 0 {
					continue
				}
				if err := d.failover(tx, m, core.Misconfigured, "the channel has been misconfigured for too long", now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
