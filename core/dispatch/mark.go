package dispatch

import (
	"errors"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// Mark decides, in the transaction that lets a part leave, whether it still
// should: the message is wanted, in time, its address reachable and linked, and
// the platform's window open. Else it settles the message here.
func (d *Dispatcher) Mark(tx *lane.Tx, it lane.Item) (bool, error) {
	m, err := tx.Message(it.Ref)
	if errors.Is(err, core.ErrNotFound) {
		return false, nil
	}
	if err != nil || !m.State.Open() {
		return false, err
	}
	if LaneOf(m.Channel, m.AddressID) != it.Lane {
		return false, nil // its address has been merged into another, where it waits
	}
	o, ok := d.Outlet(m.Channel)
	if !ok {
		return true, nil // Work says what is wrong
	}
	now := time.Now()
	a, err := tx.Address(m.AddressID)
	if err != nil {
		return false, err
	}
	p, err := tx.Part(m.ID, it.Step)
	if err != nil {
		return false, err
	}
	if settled, err := d.overtaken(tx, m, a, p, now); settled || err != nil {
		return false, err
	}
	if allowed, err := d.allowed(tx, o, m, a, p, now); !allowed || err != nil {
		return false, err
	}
	if p, err = marked(tx, m.ID, it.Step); err != nil {
		return false, err
	}
	m.State = core.MessageSending
	j := &job{message: m, part: p, address: a}
	tx.After(func() { d.loaded.put(j) })
	return true, nil
}

// overtaken settles a message that time or people have overtaken while it was in line.
func (d *Dispatcher) overtaken(tx *lane.Tx, m core.Message, a core.ChatAddress, p core.StoredPart, now time.Time) (bool, error) {
	if !m.ExpiresAt.IsZero() && now.After(m.ExpiresAt) {
		m.Why = "not sent in time"
		return true, d.end(tx, m, core.MessageExpired, now)
	}
	why, err := d.unwanted(tx, m, a)
	switch {
	case err != nil:
		return false, err
	case why != "":
		m.Why = why
		return true, d.end(tx, m, core.MessageCancelled, now)
	case !a.BlockedAt.IsZero() && !m.Reply:
		return true, d.failover(tx, m, core.Unreachable, "the customer has blocked us", now)
	case p.State == core.PartUncertain && m.Uncertain == "park":
		m.Why, m.Class = "it may or may not have arrived; the route says to park it", core.Uncertain
		return true, d.end(tx, m, core.MessageParked, now)
	}
	return false, nil
}

// allowed reports whether the platform lets the part leave now, as it is or as
// an approved template. If not, the message is settled.
func (d *Dispatcher) allowed(tx *lane.Tx, o *Outlet, m core.Message, a core.ChatAddress, p core.StoredPart, now time.Time) (bool, error) {
	s, open := standing(o, m, a, now)
	switch {
	case !open:
		return false, d.failover(tx, m, core.WindowClosed, "the platform's reply window is closed and there is no template", now)
	case s == core.Approved && p.Part.Template == nil:
		return d.useTemplate(tx, m, p, now)
	}
	return true, nil
}

// unwanted says why the customer is not to get a message any more.
func (d *Dispatcher) unwanted(tx *lane.Tx, m core.Message, a core.ChatAddress) (string, error) {
	if m.Reply {
		return "", nil // an answer to what was written in this very chat
	}
	link, err := tx.LinkOf(a.ID)
	switch {
	case errors.Is(err, core.ErrNotFound) && m.Type.EndsLinks():
		return "", nil // it says so
	case errors.Is(err, core.ErrNotFound):
		return "the chat is not linked any more", nil
	case err != nil:
		return "", err
	case link.CustomerID != m.CustomerID:
		if same, err := merged(tx, m.CustomerID, link.CustomerID); same || err != nil {
			return "", err
		}
		return "the chat belongs to another customer now", nil
	case link.State != core.LinkActive && !(m.Human && link.ChangedAt.Before(m.CreatedAt)):
		return "the customer has opted out", nil // an answer to what they asked afterwards goes out
	}
	return "", nil
}

// merged reports whether a customer has taken over another one since a message was made.
func merged(tx *lane.Tx, from, into int64) (bool, error) {
	c, err := tx.Customer(from)
	if errors.Is(err, core.ErrNotFound) {
		return false, nil
	}
	return c.MergedInto == into, err
}

// useTemplate puts the approved template in place of a message's parts. A
// message of which something has been sent cannot be told anew.
func (d *Dispatcher) useTemplate(tx *lane.Tx, m core.Message, p core.StoredPart, now time.Time) (bool, error) {
	if p.N > 1 {
		return false, d.failover(tx, m, core.WindowClosed, "the platform's reply window closed between two parts", now)
	}
	part := core.Part{N: 1, Of: 1, Template: m.Template, Human: m.Human}
	return true, tx.ReplaceParts(m.ID, []core.Part{part})
}

// marked returns the part as its mark, which is its item's, leaves it.
func marked(tx *lane.Tx, id int64, n int) (core.StoredPart, error) {
	p, err := tx.Part(id, n) // a template may have taken its place
	if err != nil || p.State == core.PartSent || p.State == core.PartDelivered || p.State == core.PartRead {
		return p, err
	}
	wrong := p.State != core.PartWaiting // it was uncertain
	if p.State = core.PartMarked; wrong {
		err = tx.SavePart(p)
	}
	return p, err
}

// end gives a message its last state; parts that were not sent stay as they are.
func (d *Dispatcher) end(tx *lane.Tx, m core.Message, state core.MessageState, now time.Time) error {
	m.State, m.ChangedAt = state, now
	d.countEnd(tx, m)
	return tx.SaveMessage(m)
}

func (d *Dispatcher) countEnd(tx *lane.Tx, m core.Message) {
	channel, state, class := m.Channel, string(m.State), string(m.Class)
	tx.After(func() { d.count("messages_ended", 1, "channel", channel, "state", state, "class", class) })
}

// failover ends a message as failed and gives it, whole, to the route's next
// channel that can take it.
func (d *Dispatcher) failover(tx *lane.Tx, m core.Message, class core.Class, why string, now time.Time) error {
	m.Class, m.Why = class, why
	rest := m.Rest
	m.Rest = nil
	if err := d.end(tx, m, core.MessageFailed, now); err != nil {
		return err
	}
	for i, alt := range rest {
		o, ok := d.Outlet(alt.Channel)
		if !ok {
			continue
		}
		if works, _ := o.Works(now); !works {
			continue
		}
		a, err := tx.Address(alt.AddressID)
		if err != nil {
			return err
		}
		next := m
		next.Channel, next.AddressID, next.Rest = alt.Channel, alt.AddressID, rest[i+1:]
		next.FallbackOf, next.Class, next.Why, next.CreatedAt = m.ID, "", "", now
		next.Reason = "fallback: " + m.Channel + " failed with " + string(class)
		next.Template = alt.Template
		if unfit, err := d.unfit(tx, o, next, a, now); err != nil {
			return err
		} else if unfit {
			continue
		}
		_, err = d.Enqueue(tx, next)
		return err
	}
	return nil
}

func (d *Dispatcher) unfit(tx *lane.Tx, o *Outlet, m core.Message, a core.ChatAddress, now time.Time) (bool, error) {
	if !a.BlockedAt.IsZero() {
		return true, nil
	}
	if why, err := d.unwanted(tx, m, a); err != nil || why != "" {
		return true, err
	}
	_, open := standing(o, m, a, now)
	return !open, nil
}

// fit reports whether Mark would let a new message go out just as it is.
func (d *Dispatcher) fit(tx *lane.Tx, o *Outlet, m core.Message, p core.Part, now time.Time) (core.ChatAddress, bool, error) {
	a, err := tx.Address(m.AddressID)
	if err != nil || !m.ExpiresAt.IsZero() && now.After(m.ExpiresAt) {
		return a, false, err
	}
	if unfit, err := d.unfit(tx, o, m, a, now); unfit || err != nil {
		return a, false, err
	}
	s, _ := standing(o, m, a, now)
	return a, s != core.Approved || p.Template != nil, nil
}
