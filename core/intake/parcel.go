package intake

import (
	"context"

	"tidings/core"
	"tidings/core/lane"
)

// concerned completes what an event tells about with what the order shows: its
// own code where the event names it by its GUID, and its only parcel, so that
// the same news is known whichever way it came. unnamed says that it is about a
// parcel, and the order has several.
func concerned(e core.Event, o core.Order) (completed core.Event, unnamed bool) {
	if o.Code != "" {
		e.Data.OrderCode = o.Code
	}
	if !ofParcel(e) || e.Data.ConsignmentCode != "" {
		return e, false
	}
	going := parcels(o, "")
	if len(going) == 1 {
		e.Data.ConsignmentCode = going[0].Code
	}
	return e, len(going) > 1
}

func ofParcel(e core.Event) bool {
	info, _ := core.LookupType(e.Type)
	return info.Entity == core.EntityConsignment
}

// parcels are an order's consignments without those that were cancelled, which
// the shop sources anew. The one asked for is in it in any case.
func parcels(o core.Order, code string) []core.Consignment {
	var going []core.Consignment
	for _, c := range o.Consignments {
		if c.Status != "CANCELLED" || code != "" && c.Code == code {
			going = append(going, c)
		}
	}
	return going
}

// guess finds the parcel of an event that names none: the first one that has come
// to what it tells, and of which that was not told yet. Where it was told of all
// that have, it is one of those. Where none has, and where it pairs with news that
// named its parcel, it is left open.
func (in *Intake) guess(tx core.Tx, s subject, e core.Event, o core.Order) (core.Event, error) {
	info, _ := core.LookupType(e.Type)
	paired, err := pairs(tx, s, e)
	if err != nil || paired {
		return e, err
	}
	old := e
	for _, c := range parcels(o, "") {
		if c.Code == "" || !in.Orders.Reached(e.Type, c.Status) {
			continue
		}
		this := e
		this.Data.ConsignmentCode = c.Code
		known, err := isKnown(tx, s, this, info)
		if err != nil || !known {
			return this, err
		}
		if old.Data.ConsignmentCode == "" {
			old = this
		}
	}
	return old, nil
}

// guessed is an event with the parcel that is meant, where it can be told which.
func (in *Intake) guessed(ctx context.Context, s subject, e core.Event, o core.Order) core.Event {
	named := e
	in.recollect(ctx, func(tx core.Tx) (err error) { named, err = in.guess(tx, s, e, o); return err })
	return named
}

// pairs reports whether an event without a parcel's name is the second way of
// being told what was told by name: as many are as there were of those.
func pairs(tx core.Tx, s subject, e core.Event) (bool, error) {
	named, unnamed := reports(s, e)
	n, err := tx.Rank(named)
	if err != nil {
		return false, err
	}
	u, err := tx.Rank(unnamed)
	return u < n, err
}

// reports count the news of an order's parcels that were told by name, and those
// that came without one.
func reports(s subject, e core.Event) (named, unnamed string) {
	e.Data.ConsignmentCode = ""
	key := newsKey(s.customer.ID, e)
	return key + "\x00named", key + "\x00unnamed"
}

// count makes a counter one higher.
func count(tx *lane.Tx, counter string) error {
	n, err := tx.Rank(counter)
	if err != nil {
		return err
	}
	return tx.SetRank(counter, n+1)
}

// isKnown reports whether the same or a later state has been told before.
func isKnown(tx core.Tx, s subject, e core.Event, info core.TypeInfo) (bool, error) {
	if info.Entity == core.EntityChange {
		return false, nil // how many there are counts
	}
	known, err := tx.Claimed(newsKey(s.customer.ID, e))
	if err != nil || known {
		return known, err
	}
	rank, err := tx.Rank(rankKey(s, e, info))
	return info.Rank < rank, err
}

// knows reports whether an event is no news for its customer.
func (in *Intake) knows(ctx context.Context, s subject, e core.Event) (known bool) {
	info, _ := core.LookupType(e.Type)
	in.recollect(ctx, func(tx core.Tx) (err error) { known, err = isKnown(tx, s, e, info); return err })
	return known
}

// recollect has a look at what was told before; nothing, where that fails: it is
// looked at again when the event is carried out.
func (in *Intake) recollect(ctx context.Context, look func(tx core.Tx) error) {
	if err := in.Engine.View(ctx, look); err != nil {
		in.Log.Debug("cannot see what was told before", "err", err)
	}
}
