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
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		for i, r := range events {
			if r.Ignored || !in.plain(r.Event) {
				continue
			}
			s, err := in.subjectOf(tx, r.Event, now)
			switch {
			case err == nil:
				all[i] = &ready{subject: s}
			case !errors.Is(err, core.ErrNotFound):
				return err
			}
		}
		return nil
	})
	if err != nil {
		return make([]*ready, len(events)) // the transaction will tell
	}
	for i, r := range all {
		if r == nil {
			continue
		}
		if r.plan, err = in.plan(ctx, r.subject, now); err != nil {
			all[i] = nil // its lane deals with that
		}
	}
	return all
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
	_, carried := in.carried(e)
	return in.Shop == nil || carried && !tracked(e.Type)
}

func (in *Intake) subjectOf(tx core.Tx, e core.Event, now time.Time) (subject, error) {
	s := subject{event: core.StoredEvent{Event: e, State: core.EventWaiting, AcceptedAt: now}}
	var err error
	if s.customer, err = tx.CustomerByUID(e.Data.CustomerUID); err != nil {
		return s, err
	}
	s.event.CustomerID = s.customer.ID
	s.links, err = tx.LinksOf(s.customer.ID)
	return s, err
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
	return true, in.carryOut(tx, r.subject, r.plan, now)
}
