package intake

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tidings/core"
)

// rereads are the pauses after which an order is read again whose state is older
// than the one that was pushed: the shop serves orders from a cache for a while.
// After the last one the push is believed.
//
// Source: OCC's order controller caches its answers (orderCache; older releases
// add "Cache-Control: public, max-age=120"), SAP Commerce 2105, read 2026-11-22.
var rereads = []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second}

// readOrder completes the plan with the order the event is about. The event's
// type decides what is told; the order only fills it in.
func (in *Intake) readOrder(ctx context.Context, s subject, p *Plan, now time.Time) error {
	e := s.event.Event
	if e.Data.OrderCode == "" || !(strings.HasPrefix(string(e.Type), "order.") || e.Type == core.ThankYou) {
		return nil
	}
	order, err := in.orderOf(ctx, s, p.Locale)
	switch {
	case err == nil && order == nil:
		return nil // no shop to ask: told from the event
	case errors.Is(err, errForeign), err == nil && s.foreignTo(*order):
		p.Foreign = true
		if err == nil {
			p.Owner = order.CustomerUID
		}
		if e.Type != core.ThankYou {
			p.Why = "the order belongs to another customer"
		}
		return nil
	case err == nil:
		return in.take(ctx, s, p, *order)
	case notFound(err):
		p.Degraded = true
		return nil
	case s.event.ShopTriedAt.IsZero() || now.Sub(s.event.ShopTriedAt) < in.Wait:
		return &waitError{after: in.retryIn(s.event, err, now), why: whyNot(err)}
	}
	p.Degraded = true
	return nil
}

// errForeign says that the shop does not call an order this customer's.
var errForeign = errors.New("the order is another customer's")

// take puts the order into the plan, unless its state is older than the pushed
// one and it is worth reading it again: what is no news is not waited for.
func (in *Intake) take(ctx context.Context, s subject, p *Plan, o core.Order) error {
	e, unnamed := concerned(s.event.Event, o)
	p.Unnamed = unnamed
	if unnamed && in.Orders != nil {
		e = in.guessed(ctx, s, e, o)
	}
	if _, came := in.carried(s.event.Event); !came && in.outdated(e, o) {
		if s.rereads < len(rereads) && !in.knows(ctx, s, e) {
			return &waitError{after: rereads[s.rereads], why: "it still shows the state before this one", reread: true}
		}
		if state := stateOf(&o, e); state != nil {
			*state = e.Data.State
		}
	}
	if p.Return = in.returned(ctx, s, e, p.Locale); p.Return != nil && e.Data.ReturnCode == "" {
		e.Data.ReturnCode = p.Return.Code // the order's only one
	}
	p.Event, p.Order = e, &o
	return nil
}

// returned asks for the return that an event is about: what is refunded, and
// with which label it is sent.
func (in *Intake) returned(ctx context.Context, s subject, e core.Event, locale string) *core.Return {
	info, _ := core.LookupType(e.Type)
	if in.Shop == nil || info.Entity != core.EntityReturn || s.customer.UID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shortly)
	defer cancel()
	q := core.OrderQuery{Site: e.Site, Code: e.Data.OrderCode, CustomerUID: s.customer.UID, Locale: locale}
	r, err := in.Shop.Return(ctx, q, e.Data.ReturnCode)
	if err != nil {
		return nil
	}
	return &r
}

// readChange has the shop say what a report is about that does not say it itself.
func (in *Intake) readChange(ctx context.Context, s *subject, p *Plan, now time.Time) error {
	order, back, err := in.changed(ctx, *s, p.Locale)
	switch {
	case errors.Is(err, errForeign):
		p.Why = "the order belongs to another customer"
		return nil
	case err != nil && !notFound(err) && (s.event.ShopTriedAt.IsZero() || now.Sub(s.event.ShopTriedAt) < in.Wait):
		return &waitError{after: in.retryIn(s.event, err, now), why: whyNot(err)}
	case order == nil:
		p.Why = "the body names no state, and the shop does not tell it"
		return nil
	}
	t, state, why := in.Orders.Reading(s.event.Event.Data, *order, back)
	if t == "" && s.rereads < len(rereads) {
		return &waitError{after: rereads[s.rereads], why: "the body names no state, and it may show an old one", reread: true}
	}
	if t == "" {
		p.Why = why
	}
	s.read = order
	s.event.Event.Type, s.event.Event.Data.State = t, state
	p.Event = s.event.Event
	return nil
}

// changed reads the order, and the return, of which something changed; a nil
// order where nobody can say what.
func (in *Intake) changed(ctx context.Context, s subject, locale string) (o *core.Order, back core.Return, err error) {
	if in.Orders == nil {
		return nil, back, nil
	}
	if o, err = in.orderOf(ctx, s, locale); err != nil || o == nil {
		return nil, back, err
	}
	if s.foreignTo(*o) {
		return nil, back, errForeign
	}
	d := s.event.Event.Data
	if d.ReturnCode == "" || in.Shop == nil {
		return o, back, nil
	}
	q := core.OrderQuery{Site: s.event.Event.Site, Code: d.OrderCode, CustomerUID: s.customer.UID, Locale: locale}
	if back, err = in.Shop.Return(ctx, q, d.ReturnCode); err != nil {
		return nil, back, err
	}
	return o, back, nil
}

// whyNot says why the shop has not given what it was asked for: the class of its
// answer and the shop's own name for it.
func whyNot(err error) string {
	class := string(core.ClassOf(err))
	failed, ok := errors.AsType[*core.ShopError](err)
	switch {
	case notFound(err):
		return "it does not know the order"
	case ok && failed.Type != "":
		return class + " (" + failed.Type + ")"
	}
	return class
}

func notFound(err error) bool {
	var failed *core.ShopError
	return errors.As(err, &failed) && failed.NotFound
}

// stateOf is where an order holds the state of what an event is about; nil: nowhere.
func stateOf(o *core.Order, e core.Event) *string {
	switch info, _ := core.LookupType(e.Type); info.Entity {
	case core.EntityOrder:
		return &o.Status
	case core.EntityConsignment:
		for i := range o.Consignments {
			if o.Consignments[i].Code == e.Data.ConsignmentCode {
				return &o.Consignments[i].Status
			}
		}
	}
	return nil
}

// outdated reports whether an order shows a state before the one that was pushed,
// or the parcel of which one was pushed not yet; of parcels of which it is not
// known which is meant, whether all of them do.
func (in *Intake) outdated(e core.Event, o core.Order) bool {
	if in.Orders == nil || e.Data.State == "" {
		return false
	}
	if state := stateOf(&o, e); state != nil {
		return in.Orders.Later(e.Type, e.Data.State, *state)
	}
	if !ofParcel(e) || e.Data.ConsignmentCode != "" {
		return ofParcel(e)
	}
	going := parcels(o, "")
	return len(going) > 0 &&
		!slices.ContainsFunc(going, func(c core.Consignment) bool { return !in.Orders.Later(e.Type, e.Data.State, c.Status) })
}

// retryIn is the gap before the shop is asked again: growing, but never past
// the time at which the event is told without it.
func (in *Intake) retryIn(e core.StoredEvent, err error, now time.Time) time.Duration {
	gap := 200 * time.Millisecond
	if !e.ShopTriedAt.IsZero() {
		gap = min(5*time.Second, max(gap, now.Sub(e.ShopTriedAt)/2))
		gap = min(gap, max(time.Millisecond, in.Wait-now.Sub(e.ShopTriedAt)))
	}
	var failed *core.ShopError
	if errors.As(err, &failed) && failed.RetryAfter > gap {
		return min(failed.RetryAfter, max(gap, in.Wait))
	}
	return gap
}

// orderOf returns the order of a customer's event. One that names no owner
// proves nothing, and one that is not found may be found among the customer's:
// the shop is asked in their name.
func (in *Intake) orderOf(ctx context.Context, s subject, locale string) (*core.Order, error) {
	e := s.event.Event
	if s.read != nil {
		return s.read, nil
	}
	o, err := in.order(ctx, e, locale)
	nameless := err == nil && o != nil && o.CustomerUID == ""
	if s.customer.UID == "" || in.Shop == nil || !nameless && !notFound(err) {
		return o, err
	}
	if _, came := in.carried(e); came {
		return o, nil
	}
	own, failed := in.Shop.Order(ctx, core.OrderQuery{Site: e.Site, Code: e.Data.OrderCode, CustomerUID: s.customer.UID, Locale: locale})
	switch {
	case notFound(failed) && nameless:
		return nil, errForeign
	case failed != nil:
		return nil, failed
	}
	return &own, nil
}

// order returns the order of an event: the one that came along, or the shop's.
func (in *Intake) order(ctx context.Context, e core.Event, locale string) (*core.Order, error) {
	if o, ok := in.carried(e); ok {
		return &o, nil
	}
	if in.Shop == nil {
		return nil, nil
	}
	o, err := in.Shop.Order(ctx, core.OrderQuery{Site: e.Site, Code: e.Data.OrderCode, Locale: locale})
	if err != nil {
		return nil, err
	}
	return &o, nil
}

// carried returns the order that came along with an event.
func (in *Intake) carried(e core.Event) (core.Order, bool) {
	d := e.Data
	if d.OrderCode == "" || len(d.Order) == 0 || string(d.Order) == "null" || in.Orders == nil {
		return core.Order{}, false
	}
	o, err := in.Orders.Order(d.Order)
	return o, err == nil && (o.Code == "" || o.Code == d.OrderCode || o.GUID == d.OrderCode)
}

// foreign reports whether an order is somebody else's. A guest's uid is
// "guid|mail" and only ever equal to itself.
func foreign(o core.Order, uid string) bool {
	return o.CustomerUID != "" && !core.SameUID(o.CustomerUID, uid)
}

// foreignTo is foreign for the event's customer, who may have ordered as a guest.
func (s subject) foreignTo(o core.Order) bool {
	return foreign(o, s.customer.UID) && !(s.asGuest && core.WasGuest(s.customer.UID, o.CustomerUID))
}
