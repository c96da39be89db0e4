package intake

import (
	"context"
	"errors"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// How long an event waits for a shop that does not tell whose order it is.
const (
	ownerGapMax    = 30 * time.Second
	namelessGapMax = 15 * time.Minute // its answer will not change by itself soon
	ownerGiveUp    = 72 * time.Hour
	unknownOrder   = time.Minute // an order the shop does not know yet: its own commit may lag behind its push
)

// orderWorker works on the lanes of orders whose customer is not known: it asks
// the shop and hands the event over to the customer's lane, in one commit.
type orderWorker Intake

// Gate implements lane.Worker.
func (*orderWorker) Gate(lane.Item, time.Time) lane.Turn { return lane.Turn{} }

// Work implements lane.Worker.
func (w *orderWorker) Work(ctx context.Context, it lane.Item) lane.Result {
	in := (*Intake)(w)
	now := time.Now()
	var e core.StoredEvent
	var owner int64
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		if e, err = tx.Event(it.Ref); err != nil {
			return err
		}
		if owner, err = tx.OrderOwner(e.Event.Site, e.Event.Data.OrderCode); errors.Is(err, core.ErrNotFound) {
			err = nil
		}
		return err
	})
	switch {
	case errors.Is(err, core.ErrNotFound):
		return lane.Result{Done: true}
	case err != nil:
		in.Log.Error("cannot read an event; trying again", "event", it.Ref, "err", err)
		return again(it, now.Add(time.Second), nil)
	}
	if missing(e.Event.Type, e.Event.Data) != "" {
		return in.letGo(e)
	}
	return in.findOwner(ctx, it, e, owner, now)
}

// findOwner hands an event over to the customer it names, to the owner of its
// order that is known, else to whom the shop names. What only says that something
// changed needs a shop that answers in any case.
func (in *Intake) findOwner(ctx context.Context, it lane.Item, e core.StoredEvent, owner int64, now time.Time) lane.Result {
	uid, open := e.Event.Data.CustomerUID, e.Event.Type == core.OrderChanged
	if !open && (uid != "" || owner != 0) {
		return in.handOver(e, owner, uid, false)
	}
	o, err := in.order(ctx, e.Event, "")
	switch {
	case err == nil && o == nil:
		return in.suppress(e, "there is no shop to tell whose order it is")
	case err == nil && o.CustomerUID != "":
		return in.handOver(e, 0, o.CustomerUID, true)
	case err == nil && (uid != "" || owner != 0):
		return in.handOver(e, owner, uid, false)
	}
	return in.askAgain(it, e, err, now)
}

// handOver gives an event to the customer it names, else to its order's owner.
func (in *Intake) handOver(e core.StoredEvent, owner int64, uid string, learnt bool) lane.Result {
	return lane.Result{Done: true, Commit: func(tx *lane.Tx) error {
		now := time.Now()
		if uid != "" {
			c, err := takerOf(tx, e.Event, uid, now)
			if err != nil {
				return err
			}
			owner = c
		}
		if learnt {
			if err := tx.RememberOrder(e.Event.Site, e.Event.Data.OrderCode, owner); err != nil {
				return err
			}
		}
		return in.give(tx, e, owner, now)
	}}
}

// give puts an event into the lane of a customer.
func (*Intake) give(tx *lane.Tx, e core.StoredEvent, customerID int64, now time.Time) error {
	e.CustomerID, e.ShopTriedAt = customerID, time.Time{}
	if err := tx.SaveEvent(e); err != nil {
		return err
	}
	return tx.Append(CustomerLane(customerID), e.RowID, now, priority(e.Event))
}

func (in *Intake) suppress(e core.StoredEvent, why string) lane.Result {
	e.State, e.Reason = core.EventSuppressed, why
	return lane.Result{Done: true, Commit: func(tx *lane.Tx) error { return tx.SaveEvent(e) }}
}

// askAgain waits for the shop: without it there is nobody to tell. No error says
// that it has answered and named nobody.
func (in *Intake) askAgain(it lane.Item, e core.StoredEvent, err error, now time.Time) lane.Result {
	since := e.ShopTriedAt
	if since.IsZero() {
		since = now
	}
	switch {
	case notFound(err) && now.Sub(since) >= unknownOrder:
		return in.suppress(e, "the shop does not know the order")
	case now.Sub(since) >= ownerGiveUp:
		return in.suppress(e, "the shop did not tell whose order it is in time")
	}
	most, why := namelessGapMax, "it does not tell whose order it is"
	if err != nil {
		most, why = ownerGapMax, whyNot(err)
	}
	gap := min(most, max(200*time.Millisecond, now.Sub(since)/2))
	if failed, ok := errors.AsType[*core.ShopError](err); ok {
		gap = max(gap, failed.RetryAfter)
	}
	return in.waitFor(it, e, &waitError{after: gap, why: why}, now)
}
