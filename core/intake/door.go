package intake

import (
	"context"
	"errors"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// ready is an event that was planned before its transaction: nothing but the
// database is needed to settle it, so it need not stand in its customer's lane
// where nothing else does.
type ready struct {
	subject subject
	plan    Plan
}

// prepare plans events as far as that can be done at the door; nil for others.
// What it reads may change before the transaction: so may what a lane's worker
// has read. That a chat is still to get a message is asked within it.
func (in *Intake) prepare(ctx context.Context, events []Received, now time.Time) []*ready {
	all := make([]*ready, len(events))
	var some []*ready
	for i, r := range events {
		if r.Ignored || r.Held || !in.plain(r.Event) {
			continue
		}
		all[i] = &ready{subject: subject{event: core.StoredEvent{Event: r.Event, State: core.EventWaiting, AcceptedAt: now}}}
		some = append(some, all[i])
	}
	if len(some) == 0 {
		return all
	}
	err := in.Engine.View(ctx, func(tx core.Tx) error { return customersOf(tx, some) })
	for i, r := range all {
		if r == nil {
			continue
		}
		if err != nil || r.subject.customer.ID == 0 {
			all[i] = nil // the transaction tells why
			continue
		}
		var failed error
		if r.plan, failed = in.plan(ctx, r.subject, now); failed != nil {
			all[i] = nil // its lane deals with that
		}
	}
	return all
}

// customersOf reads the customers of events, as far as they are known, and their chats.
func customersOf(tx core.Tx, events []*ready) error {
	var w core.Wants
	for _, r := range events {
		w.UIDs = append(w.UIDs, r.subject.event.Event.Data.CustomerUID)
	}
	w.LinksOfUIDs = w.UIDs
	if err := tx.Fetch(w); err != nil {
		return err
	}
	for _, r := range events {
		c, err := knownTaker(tx, r.subject.event.Event)
		if errors.Is(err, core.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		r.subject.customer, r.subject.event.CustomerID = c, c.ID
		if r.subject.links, err = tx.LinksOf(c.ID); err != nil {
			return err
		}
		if r.subject.asGuest, err = orderedAsGuest(tx, c, r.subject.event.Event); err != nil {
			return err
		}
	}
	return nil
}

// knownTaker is takerOf for customers who are known already.
func knownTaker(tx core.Tx, e core.Event) (core.Customer, error) {
	earlier, err := earlierOwner(tx, e, e.Data.CustomerUID)
	if err != nil {
		return core.Customer{}, err
	}
	if earlier != 0 {
		return tx.Customer(earlier)
	}
	return tx.CustomerByUID(e.Data.CustomerUID)
}

// plain reports whether an event can be told from itself, the links of its
// customer and the texts, and changes nothing that others are told by.
func (in *Intake) plain(e core.Event) bool {
	if e.Data.CustomerUID == "" {
		return false
	}
	if e.Type == core.MessageRequested {
		return true
	}
	if !strings.HasPrefix(string(e.Type), "order.") {
		return false
	}
	order, carried := in.carried(e)
	if _, unnamed := concerned(e, order); unnamed {
		return false // which one is meant is seen by what was told before
	}
	return in.Shop == nil || carried && !tracked(e.Type)
}

// settle carries out what was planned of an event, unless something of its
// customer's or its order's is waiting: then it has to wait behind that.
func (in *Intake) settle(tx *lane.Tx, r *ready, now time.Time) (done bool, err error) {
	names := []string{CustomerLane(r.subject.customer.ID)}
	if e := r.subject.event.Event; e.Data.OrderCode != "" {
		names = append(names, lane.Name(OrderKind, e.Site, e.Data.OrderCode))
	}
	for _, name := range names {
		if vacant, err := tx.Vacant(name); !vacant || err != nil {
			return false, err
		}
	}
	who, err := tx.Customer(r.subject.customer.ID)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return false, nil // erased since
	case err != nil || !who.SameAs(r.subject.customer):
		return false, err // renamed, merged or closed since
	}
	return true, in.carryOut(tx, r.subject, r.plan, now)
}
