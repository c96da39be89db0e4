package intake

import (
	"context"
	"errors"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/route"
)

// customerWorker works on the lanes of customers: one event after the other is
// planned, then written down with the messages it makes, in one commit.
type customerWorker Intake

// Gate implements lane.Worker: events have no pace.
func (*customerWorker) Gate(lane.Item, time.Time) lane.Turn { return lane.Turn{} }

// Work implements lane.Worker.
func (w *customerWorker) Work(ctx context.Context, it lane.Item) lane.Result {
	in := (*Intake)(w)
	now := time.Now()
	var s subject
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		s, err = in.load(tx, it.Ref)
		return err
	})
	switch {
	case errors.Is(err, core.ErrNotFound):
		return lane.Result{Done: true}
	case err != nil:
		in.Log.Error("cannot read an event; trying again", "event", it.Ref, "err", err)
		return again(it, now.Add(time.Second), nil)
	case s.customer.MergedInto != 0:
		return in.handOver(s.event, s.customer.MergedInto, "", false)
	case s.event.Event.Type == core.CustomerRegistered && s.closedBefore(s.event.Event.Time):
		return in.handOver(s.event, 0, s.customer.UID, false)
	}
	s.rereads = it.Step - 1
	p, err := in.plan(ctx, s, now)
	var wait *waitError
	switch {
	case errors.As(err, &wait):
		if wait.reread {
			it.Step++
		}
		return in.waitFor(it, s.event, wait, now)
	case err != nil:
		return in.cannotTell(it, s, err)
	case p.Owner != "" && s.event.Event.Data.CustomerUID == "":
		// We took the order for this customer's, and the shop knows better.
		return in.handOver(s.event, 0, p.Owner, true)
	}
	return lane.Result{Done: true, Wants: in.wantsToTell(s, p), Commit: func(tx *lane.Tx) error { return in.tell(tx, s, p, now) }}
}

// tell carries out a plan, unless the customer has been merged into another
// since it was made: then the event is that one's.
func (in *Intake) tell(tx *lane.Tx, s subject, p Plan, now time.Time) error {
	who, err := tx.Customer(s.customer.ID)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return nil // erased since
	case err != nil:
		return err
	case who.MergedInto != 0:
		return in.give(tx, s.event, who.MergedInto, now)
	}
	return in.carryOut(tx, s, p, now)
}

// wantsToTell is what carrying out a plan reads.
func (in *Intake) wantsToTell(s subject, p Plan) core.Wants {
	w := core.Wants{Customers: []int64{s.customer.ID}}
	if key := newsKey(s.customer.ID, p.Event); key != "" {
		w.Claims = append(w.Claims, key)
	}
	for _, m := range p.Messages {
		w.Add(in.Outbox.EnqueueWants(m))
	}
	return w
}

func again(it lane.Item, at time.Time, write func(*lane.Tx) error) lane.Result {
	it.Due = at
	return lane.Result{Item: it, Commit: write}
}

// waitFor holds the customer's lane, visibly, until the shop is asked again.
func (in *Intake) waitFor(it lane.Item, e core.StoredEvent, wait *waitError, now time.Time) lane.Result {
	return again(it, now.Add(wait.after), func(tx *lane.Tx) error {
		if e.ShopTriedAt.IsZero() && !wait.reread {
			e.ShopTriedAt = now
		}
		e.Reason = wait.Error()
		return tx.SaveEvent(e)
	})
}

// cannotTell ends an event for which no text can be made: the fault is in a
// template, and trying again would hold the customer's lane for ever.
func (in *Intake) cannotTell(it lane.Item, s subject, err error) lane.Result {
	in.Log.Error("cannot tell of an event", "event", s.event.Event.ID, "type", s.event.Event.Type, "err", err)
	e := s.event
	e.State, e.Reason = core.EventSuppressed, "its text cannot be made: "+err.Error()
	return lane.Result{Done: true, Item: it, Commit: func(tx *lane.Tx) error { return tx.SaveEvent(e) }}
}

// load reads an event with its customer, their chats, and where they last wrote.
func (in *Intake) load(tx core.Tx, row int64) (subject, error) {
	var s subject
	var err error
	if s.event, err = tx.Event(row); err != nil {
		return s, err
	}
	if s.customer, err = tx.Customer(s.event.CustomerID); err != nil {
		return s, err
	}
	if s.links, err = tx.LinksOf(s.customer.ID); err != nil {
		return s, err
	}
	if s.asGuest, err = orderedAsGuest(tx, s.customer, s.event.Event); err != nil {
		return s, err
	}
	if !strings.HasPrefix(string(s.event.Event.Type), "ticket.") {
		return s, nil
	}
	v, err := tx.ConversationByTicket(s.event.Event.Data.TicketID)
	s.foreign = err == nil && v.CustomerID != s.customer.ID
	if errors.Is(err, core.ErrNotFound) || s.foreign {
		v, err = tx.LastConversation(s.customer.ID)
	}
	if errors.Is(err, core.ErrNotFound) {
		return s, nil
	}
	for _, l := range s.links {
		if l.Address.ID == v.AddressID {
			s.lead, s.askedAt = route.Chat{Channel: l.Address.Channel, AddressID: l.Address.ID}, v.LastInAt
		}
	}
	if s.event.Event.Data.OrderCode == "" {
		s.event.Event.Data.OrderCode = v.OrderCode
	}
	return s, err
}

// carryOut writes down what a plan says, unless the same has been told before.
func (in *Intake) carryOut(tx *lane.Tx, s subject, p Plan, now time.Time) error {
	if p.State == core.EventRouted || p.ToldByShop { // by whomever it is told: nothing lower is news after it
		why, err := told(tx, s, p, now)
		if err != nil {
			return err
		}
		if why != "" {
			p.State, p.Why, p.Messages = core.EventSuppressed, why, nil
		}
	}
	row, err := save(tx, p.settled(s.event))
	if err != nil {
		return err
	}
	for _, m := range p.Messages {
		m.EventRow = row
		if err := in.emit(tx, m); err != nil {
			return err
		}
	}
	tx.After(func() { in.Count("events_settled", 1, "state", string(p.State)) })
	return in.remember(tx, s, p, now)
}

// settled is an event of which a plan has been made.
func (p Plan) settled(e core.StoredEvent) core.StoredEvent {
	e.State, e.Route, e.Reason = p.State, p.Decision.Route, p.Decision.Reason
	if p.State == core.EventSuppressed {
		e.Reason = p.Why
	}
	e.Reasons = nil
	for _, r := range p.Decision.Reasons {
		e.Reasons = append(e.Reasons, core.Reason{Channel: r.Channel, Why: r.Why})
	}
	return e
}

// save writes an event that may be new.
func save(tx *lane.Tx, e core.StoredEvent) (row int64, err error) {
	if e.RowID == 0 {
		return tx.InsertEvent(e)
	}
	return e.RowID, tx.SaveEvent(e)
}

// emit hands a message to the outbox; one that has failed already is only kept.
func (in *Intake) emit(tx *lane.Tx, m core.Message) error {
	if m.State == core.MessageFailed {
		_, err := tx.InsertMessage(m, in.Outbox.Preview(m.Channel, m.Body))
		return err
	}
	_, err := in.Outbox.Enqueue(tx, m)
	return err
}

// remember keeps what the event and the shop's answer taught about the customer.
func (in *Intake) remember(tx *lane.Tx, s subject, p Plan, now time.Time) error {
	e := p.Event
	if p.Owner != "" {
		who, err := tx.EnsureCustomer(p.Owner, now)
		if err != nil {
			return err
		}
		if err := tx.RememberOrder(e.Site, e.Data.OrderCode, who.ID); err != nil {
			return err
		}
	}
	if p.Order != nil {
		if err := rememberShown(tx, s, *p.Order, now); err != nil {
			return err
		}
	}
	switch e.Type {
	case core.CustomerClosed:
		return closeAccount(tx, s, now)
	case core.ConsentWithdrawn:
		return withdraw(tx, s, now)
	case core.TicketStatus:
		if e.Source == core.PollSource {
			return nil // written down when it was found
		}
		v, err := tx.ConversationByTicket(e.Data.TicketID)
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		v.Status, v.Closed = e.Data.Status, e.Data.Status == "closed"
		return tx.SaveConversation(v)
	}
	return nil
}

// rememberShown keeps what the shop has shown of an order and its customer.
func rememberShown(tx *lane.Tx, s subject, o core.Order, now time.Time) error {
	e := s.event.Event
	if err := rememberGuest(tx, s, o, now); err != nil {
		return err
	}
	if err := tx.RememberOrder(e.Site, e.Data.OrderCode, s.customer.ID); err != nil {
		return err
	}
	if s.customer.Name != "" || o.CustomerName == "" {
		return nil
	}
	return rewrite(tx, s.customer.ID, func(c *core.Customer) { c.Name = o.CustomerName })
}
