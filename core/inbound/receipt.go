package inbound

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// receipts notes what was delivered or read. States only go up.
func (in *Inbound) receipts(tx *lane.Tx, c chat) error {
	u := c.update.Update
	when := u.At
	if when.IsZero() {
		when = c.update.ReceivedAt
	}
	for _, id := range u.PlatformIDs {
		p, err := tx.PartByPlatformID(c.addr.Channel, id)
		if errors.Is(err, core.ErrNotFound) {
			err = tx.KeepReceipt(c.addr.Channel, id, u.Kind, when)
			if err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := raise(tx, p, u.Kind, when, c.now); err != nil {
			return err
		}
	}
	if u.Watermark.IsZero() {
		return nil
	}
	return in.watermark(tx, c, u.Kind, when)
}

// clockSlack is how much later than the platform we may have noted that a part
// was sent: the time between its clock and the answer's arrival.
const clockSlack = 2 * time.Second

// watermark raises everything sent up to a time of the platform's.
func (in *Inbound) watermark(tx *lane.Tx, c chat, kind core.UpdateKind, when time.Time) error {
	parts, err := tx.SentParts(c.addr.ID, c.update.Update.Watermark.Add(clockSlack), 1000)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := raise(tx, p, kind, when, c.now); err != nil {
			return err
		}
	}
	return nil
}

// raise moves a part, and with the last its message, forward; never back.
func raise(tx *lane.Tx, p core.StoredPart, kind core.UpdateKind, when, now time.Time) error {
	switch {
	case kind == core.UpdateRead && p.State != core.PartRead:
		p.State, p.ReadAt = core.PartRead, when
		if p.DeliveredAt.IsZero() {
			p.DeliveredAt = when
		}
	case kind == core.UpdateDelivered && p.State != core.PartRead && p.State != core.PartDelivered:
		p.State, p.DeliveredAt = core.PartDelivered, when
	default:
		return nil
	}
	if p.SentAt.IsZero() {
		p.SentAt = when
	}
	if err := tx.SavePart(p); err != nil {
		return err
	}
	return raiseMessage(tx, p.MessageID, now)
}

func raiseMessage(tx *lane.Tx, id int64, now time.Time) error {
	m, err := tx.Message(id)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	if err != nil || (m.State != core.MessageSent && m.State != core.MessageDelivered) {
		return err
	}
	parts, err := tx.Parts(id)
	if err != nil {
		return err
	}
	if state := core.SlowestState(parts); state != m.State && state != core.MessageSent {
		m.State, m.ChangedAt = state, now
		return tx.SaveMessage(m)
	}
	return nil
}

// echo settles a part of which we do not know whether it arrived: the platform
// shows it to us.
func (in *Inbound) echo(tx *lane.Tx, c chat) error {
	u := c.update.Update
	id, n, ok := partOf(u.Key)
	if !ok {
		return nil
	}
	p, err := tx.Part(id, n)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := tx.Message(id)
	if err != nil || m.AddressID != c.addr.ID {
		return err // somebody else's: the key is not proof enough
	}
	before := p.State
	if before != core.PartMarked && before != core.PartUncertain {
		return nil
	}
	p.State, p.PlatformID, p.SentAt, p.Watched = core.PartSent, u.PlatformID, u.At, true
	if p.SentAt.IsZero() {
		p.SentAt = c.now
	}
	if before == core.PartUncertain {
		if err := joinReceipts(tx, &p, c.addr.Channel); err != nil {
			return err
		}
	} // a marked one is settled, and its receipts joined, by the answer to its request
	return tx.SavePart(p)
}

// joinReceipts raises a part by the receipts that came before its platform id
// was known.
func joinReceipts(tx *lane.Tx, p *core.StoredPart, channel string) error {
	if p.PlatformID == "" {
		return nil
	}
	delivered, read, err := tx.TakeReceipts(channel, p.PlatformID)
	if err != nil {
		return err
	}
	p.Raise(delivered, read)
	return nil
}

// partOf reads a part's key, "m<message>-<n>".
func partOf(key string) (message int64, n int, ok bool) {
	a, b, ok := strings.Cut(strings.TrimPrefix(key, "m"), "-")
	if !ok || !strings.HasPrefix(key, "m") {
		return 0, 0, false
	}
	message, err1 := strconv.ParseInt(a, 10, 64)
	n, err2 := strconv.Atoi(b)
	return message, n, err1 == nil && err2 == nil
}
