package intake

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/render"
	"tidings/core/route"
)

// The kinds of lanes this package works on.
const (
	CustomerKind = "customer" // customer/<id>
	OrderKind    = "order"    // order/<site>/<code>: the customer is not known yet
)

// inFlight is how many customers' events are worked on at once. Most of them wait
// for a commit, which they share.
const inFlight = 256

// Outbox takes messages, and knows the channels they go to.
type Outbox interface {
	// Enqueue writes a message and puts it in line for its address.
	Enqueue(tx *lane.Tx, m core.Message) (int64, error)
	// EnqueueWants is what Enqueue is going to read.
	EnqueueWants(m core.Message) core.Wants
	// Describe tells what routing has to know of a channel. ok is false for one
	// that is not configured.
	Describe(channel string, t core.EventType, locale string, now time.Time) (core.ChannelInfo, bool)
	// Preview cuts a body as it would be sent.
	Preview(channel string, body core.Body) []core.Part
}

// Rules are what a reload can change.
type Rules struct {
	Routes []route.Rule
	Texts  *render.Texts
	Locale string // the default
	// ToldByShop reports whether the shop itself tells customers of events of a
	// type at a base site; nil: of none.
	ToldByShop func(site string, t core.EventType) bool
}

// Options are the fixed surroundings of an Intake.
type Options struct {
	Engine *lane.Engine
	Outbox Outbox
	Shop   core.Shop    // nil: there is none to ask
	Orders core.Dialect // reads orders that came along; nil: none are understood
	Wait   time.Duration
	Log    *slog.Logger
	Count  core.Count
}

// Intake accepts events and works on them.
type Intake struct {
	Options
	rules atomic.Pointer[Rules]
}

// New returns an intake.
func New(o Options, rules Rules) *Intake {
	in := &Intake{Options: o}
	in.SetRules(rules)
	return in
}

// SetRules puts other routes and texts in force, for events worked on from now on.
func (in *Intake) SetRules(r Rules) { in.rules.Store(&r) }

// Rules returns those in force.
func (in *Intake) Rules() Rules { return *in.rules.Load() }

// Customers is how the engine is to work on customers' lanes.
func (in *Intake) Customers() lane.Kind {
	return lane.Kind{Worker: (*customerWorker)(in), Pool: pool(CustomerKind)}
}

// OrdersWithoutCustomer is how the engine is to work on lanes of orders without a customer.
func (in *Intake) OrdersWithoutCustomer() lane.Kind {
	return lane.Kind{Worker: (*orderWorker)(in), Pool: pool(OrderKind)}
}

func pool(name string) func(string) (string, int) {
	return func(string) (string, int) { return name, inFlight }
}

// CustomerLane names the lane of a customer.
func CustomerLane(id int64) string { return lane.Name(CustomerKind, strconv.FormatInt(id, 10)) }

// Status is what became of an event at the door.
type Status struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"` // accepted, duplicate, ignored
	Warnings []string `json:"warnings,omitempty"`
	// Differs is set for a duplicate that says something else than the first.
	Differs bool `json:"differs,omitempty"`
}

// Accept makes events durable, all or none, in their order. When it returns
// without error they are on disk.
func (in *Intake) Accept(ctx context.Context, events []Received) ([]Status, error) {
	var all []Status
	prepared := in.prepare(ctx, events, time.Now())
	err := in.Engine.Do(ctx, func(tx *lane.Tx) error {
		all = make([]Status, 0, len(events))
		now := time.Now()
		for i, e := range events {
			st, err := in.accept(tx, e, prepared[i], now)
			if err != nil {
				return err
			}
			all = append(all, st)
		}
		return nil
	}, in.wantsOf(events, prepared))
	if err != nil {
		return nil, err
	}
	for i, st := range all {
		in.Count("events", 1, "type", typeLabel(events[i]), "status", st.Status)
	}
	return all, nil
}

// wantsOf is what accepting events reads.
func (in *Intake) wantsOf(events []Received, prepared []*ready) core.Wants {
	var w core.Wants
	for i, r := range events {
		if p := prepared[i]; p != nil {
			w.Add(in.wantsToTell(p.subject, p.plan))
			w.Lanes = append(w.Lanes, CustomerLane(p.subject.customer.ID))
		}
		e := r.Event
		w.Claims = append(w.Claims, eventKey(e))
		if e.Data.CustomerUID != "" {
			w.UIDs = append(w.UIDs, e.Data.CustomerUID)
		}
		if e.Data.OrderCode != "" {
			w.Lanes = append(w.Lanes, lane.Name(OrderKind, e.Site, e.Data.OrderCode))
		}
	}
	return w
}

// eventKey is what an event is known by.
func eventKey(e core.Event) string { return "event\x00" + e.Source + "\x00" + e.ID }

// typeLabel keeps strangers' names out of the figures.
func typeLabel(e Received) string {
	if _, ok := core.LookupType(e.Event.Type); ok {
		return string(e.Event.Type)
	}
	return "other"
}

func (in *Intake) accept(tx *lane.Tx, r Received, prepared *ready, now time.Time) (Status, error) {
	st := Status{ID: r.Event.ID, Status: "accepted", Warnings: r.Warnings}
	first, digest, err := tx.Claim(eventKey(r.Event), r.digest, now)
	if err != nil {
		return st, err
	}
	if !first {
		st.Differs = digest != r.digest
		if st.Differs && !r.Held && !r.Ignored {
			whole, err := in.complete(tx, r.Event, now)
			if whole || err != nil {
				st.Differs = false
				return st, err
			}
		}
		st.Status = "duplicate"
		return st, nil
	}
	if prepared != nil {
		if done, err := in.settle(tx, prepared, now); done || err != nil {
			return st, err
		}
	}
	e := core.StoredEvent{Event: r.Event, State: core.EventWaiting, AcceptedAt: now}
	if r.Ignored {
		st.Status = "ignored"
		e.State, e.Reason = core.EventIgnored, r.Why
		_, err := tx.InsertEvent(e)
		return st, err
	}
	if r.Held {
		e.Reason = r.Why
		return st, in.hold(tx, e, now)
	}
	return st, in.place(tx, e, now)
}

// Place writes an event of the gateway's own and puts it in its lane.
func (in *Intake) Place(tx *lane.Tx, e core.Event, customerID int64, now time.Time) error {
	stored := core.StoredEvent{Event: e, CustomerID: customerID, State: core.EventWaiting, AcceptedAt: now}
	row, err := tx.InsertEvent(stored)
	if err != nil {
		return err
	}
	return tx.Append(CustomerLane(customerID), row, now, priority(e))
}

// place finds the lane of an event and puts it there.
func (in *Intake) place(tx *lane.Tx, e core.StoredEvent, now time.Time) error {
	name, customerID, why, err := in.laneOf(tx, e.Event, now)
	if err != nil {
		return err
	}
	e.CustomerID = customerID
	if name == "" {
		e.State, e.Reason = core.EventSuppressed, why
	}
	row, err := tx.InsertEvent(e)
	if err != nil || name == "" {
		return err
	}
	return tx.Append(name, row, now, priority(e.Event))
}

// priority is how urgent an event is: somebody waits for what an agent writes,
// nobody for advertising.
func priority(e core.Event) lane.Priority {
	switch {
	case e.Type == core.TicketNoteAdded, e.Type == core.ThankYou, e.Type == core.Answer:
		return lane.First
	case e.Data.Purpose == core.Marketing:
		return lane.Bulk
	}
	return lane.Normal
}

// laneOf finds the lane of an event. An event of an order that still has others
// waiting for their customer goes behind them, even if it names its own.
func (in *Intake) laneOf(tx *lane.Tx, e core.Event, now time.Time) (name string, customerID int64, why string, err error) {
	d := e.Data
	orderLane := ""
	if d.OrderCode != "" {
		orderLane = lane.Name(OrderKind, e.Site, d.OrderCode)
		behind, err := tx.Pending(orderLane)
		if err != nil || behind || e.Type == core.OrderChanged && in.Shop != nil {
			return orderLane, 0, "", err
		}
	}
	owner, err := in.ownerOf(tx, e, now)
	switch {
	case err == nil:
		return CustomerLane(owner), owner, "", nil
	case !errors.Is(err, core.ErrNotFound):
		return "", 0, "", err
	case orderLane != "" && (in.Shop != nil || len(d.Order) > 0):
		return orderLane, 0, "", nil
	}
	return "", 0, "the event names no customer, and nothing tells whose it is", nil
}

func (in *Intake) ownerOf(tx *lane.Tx, e core.Event, now time.Time) (int64, error) {
	d := e.Data
	if err := renamed(tx, e); err != nil {
		return 0, err
	}
	if d.CustomerUID != "" {
		return takerOf(tx, e, d.CustomerUID, now)
	}
	if o, ok := in.carried(e); ok && o.CustomerUID != "" {
		c, err := tx.EnsureCustomer(o.CustomerUID, now)
		return c.ID, err
	}
	if d.OrderCode != "" {
		id, err := tx.OrderOwner(e.Site, d.OrderCode)
		if !errors.Is(err, core.ErrNotFound) {
			return id, err
		}
	}
	v, err := tx.ConversationByTicket(d.TicketID)
	return v.CustomerID, err
}
