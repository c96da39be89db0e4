package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

const kindOrder = "order"

// slower is by how much the gap between two readings of an order lags behind the
// time for which nothing has happened to it: after a day it is read once an hour.
const slower = 24

// listed is an order as a list shows it; without a state where none does.
type listed struct {
	core.EntityState
	returns []core.EntityState
}

// order reads an order when it is due, and tells when it is to be read again; zero:
// never.
func (r *Reconciler) order(ctx context.Context, p person, l listed) (time.Time, error) {
	name := l.Site + "/" + l.OrderCode
	last, err := r.reading(ctx, kindOrder, name)
	first := errors.Is(err, core.ErrNotFound)
	if err != nil && !first {
		return time.Time{}, err
	}
	if !first && !l.differs(last) && (last.Done || time.Now().Before(last.At)) {
		return orZero(last), nil
	}
	if err := r.turn(ctx); err != nil {
		return time.Time{}, err
	}
	o, err := r.Shop.Order(ctx, core.OrderQuery{Site: l.Site, Code: l.OrderCode, CustomerUID: p.uid})
	now := time.Now()
	next := core.Reading{Kind: kindOrder, Name: name, Seen: last.Seen, At: now.Add(rarely)}
	switch {
	case err == nil:
	case gone(err): // or another customer's: their own reading finds it
		return next.At, r.Engine.Do(ctx, func(tx *lane.Tx) error { return tx.SaveReading(next) })
	default:
		return time.Time{}, err
	}
	r.Count("reconciled", 1, "what", kindOrder)
	states := statesOf(o, l)
	next.Seen = map[string]string{}
	for _, f := range states {
		next.Seen[f.entity()] = f.State
	}
	next.Done, next.At = r.next(o, states, now)
	states = news(states, last, first && o.Placed.Before(p.linkedAt), p)
	return orZero(next), r.Engine.Do(ctx, func(tx *lane.Tx) error {
		for _, f := range states {
			if err := r.found(tx, f, now); err != nil {
				return err
			}
		}
		return tx.SaveReading(next)
	})
}

// news are the states that are new since the last reading. Of an order that is read
// for the first time and is older than the customer's link, only those reached since.
func news(states []finding, last core.Reading, old bool, p person) (all []finding) {
	linked := p.linkedAt.Truncate(time.Second) // as exact as the shop's dates are
	for _, f := range states {
		before := f.since.Before(linked) && f.At.Before(linked)
		if f.State == "" || f.State == last.Seen[f.entity()] || old && before {
			continue
		}
		f.uid = p.uid
		all = append(all, f)
	}
	return all
}

func orZero(x core.Reading) time.Time {
	if x.Done {
		return time.Time{}
	}
	return x.At
}

// differs reports whether a list shows something else than the last reading saw.
func (l listed) differs(last core.Reading) bool {
	if l.State != "" && l.State != last.Seen[finding{EntityState: l.EntityState}.entity()] {
		return true
	}
	return slices.ContainsFunc(l.returns, func(ret core.EntityState) bool { return ret.State != last.Seen[finding{EntityState: ret}.entity()] })
}

// entity names what a finding is about, within its order.
func (f finding) entity() string {
	switch {
	case f.parcel != "":
		return "consignment " + f.parcel
	case f.ReturnCode != "":
		return "return " + f.ReturnCode
	}
	return "order"
}

// statesOf lists the states of an order and of what belongs to it, in the order in
// which they are told: that it was placed comes before its parcels, that it is done
// after them.
func statesOf(o core.Order, l listed) []finding {
	head := core.EntityState{Site: l.Site, OrderCode: l.OrderCode}
	own := finding{EntityState: head}
	own.State = o.Status
	var all []finding
	for _, c := range o.Consignments {
		f := finding{EntityState: head, parcel: c.Code, since: c.StatusAt}
		if f.State = c.Status; c.Code != "" {
			all = append(all, f)
		}
	}
	if ended(o.Status) {
		all = append(all, own)
	} else {
		all = slices.Insert(all, 0, own)
	}
	for _, ret := range l.returns {
		all = append(all, finding{EntityState: ret})
	}
	return all
}

// ended reports whether nothing comes after a state, of an order, a parcel or a
// return (github.com/SAP/spartacus, feature-libs/order, read 2026-11-22).
func ended(state string) bool {
	switch state {
	case "COMPLETED", "CANCELLED", "DELIVERY_COMPLETED", "DELIVERY_REJECTED", "PICKUP_COMPLETE", "CANCELED":
		return true
	}
	return false
}

// next tells whether an order is done, and when it is to be read again.
func (r *Reconciler) next(o core.Order, states []finding, now time.Time) (done bool, at time.Time) {
	latest := o.Placed
	done = true
	for _, f := range states {
		done = done && ended(f.State)
		for _, t := range []time.Time{f.since, f.At} {
			if t.After(latest) {
				latest = t
			}
		}
	}
	if latest.IsZero() {
		return done, now.Add(rarely)
	}
	return done || now.Sub(latest) > r.OrdersFor, now.Add(min(rarely, max(r.Every, now.Sub(latest)/slower)))
}

// meaning asks the dialect what a state says; ok is false when it says nothing to a
// customer.
func (r *Reconciler) meaning(f finding) (t core.EventType, data core.EventData, ok bool) {
	kind, _, _ := strings.Cut(f.entity(), " ")
	body, err := json.Marshal(map[string]string{
		"orderCode": f.OrderCode, "consignmentCode": f.parcel, "returnCode": f.ReturnCode, "status": f.State,
	})
	if err != nil {
		return "", data, false
	}
	t, data, known, quiet, _ := r.Dialect.Translate(kind+".status", body)
	return t, data, known && !quiet
}
