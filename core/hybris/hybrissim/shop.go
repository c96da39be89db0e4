package hybrissim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrUnknown is an order, parcel, return or ticket that the shop does not have.
var ErrUnknown = errors.New("unknown to the shop")

// AddOrder puts an order into the shop without a word to anybody. What it
// leaves open is filled in: code, GUID, site, time, and its customer.
func (s *Sim) AddOrder(o Order) Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opt.Now()
	o = o.clone()
	if o.Code == "" {
		o.Code = s.nextOrderCode()
	}
	o.Site = cmp.Or(o.Site, s.opt.BaseSites[0])
	o.GUID = cmp.Or(o.GUID, guidOf(o.Site, o.Code))
	if o.Created.IsZero() {
		o.Created = now
	}
	for i := range o.Consignments {
		if o.Consignments[i].StatusDate.IsZero() {
			o.Consignments[i].StatusDate = now
		}
	}
	o.UserName = s.addCustomer(o.UserUID, o.UserName).Name
	r := &orderRecord{versions: []version{{since: now, order: o}}}
	s.orders[o.Code], s.guids[o.GUID] = r, r
	s.feed = append(s.feed, statusChange{at: now, code: o.Code, status: o.Status, site: o.Site})
	return o
}

// nextOrderCode returns the next code of the series that is not taken.
func (s *Sim) nextOrderCode() string {
	for {
		code := fmt.Sprintf("%08d", s.number("order", 417100))
		if _, taken := s.orders[code]; !taken {
			return code
		}
	}
}

// Place adds an order and reports order.placed.
func (s *Sim) Place(ctx context.Context, o Order) Order {
	o = s.AddOrder(o)
	s.auto(ctx, Event{Type: "order.placed", OrderCode: o.Code})
	return o
}

// Order returns an order as it is now.
func (s *Sim) Order(code string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.orders[code]
	if !ok {
		return Order{}, false
	}
	return r.current().clone(), true
}

// Orders returns all orders, newest first.
func (s *Sim) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Order, 0, len(s.orders))
	for _, r := range s.orders {
		out = append(out, r.current().clone())
	}
	slices.SortFunc(out, func(a, b Order) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.Code, a.Code))
	})
	return out
}

// What the platform's states mean to a customer, where they mean something.
var (
	orderNews = map[string]string{
		"PAYMENT_NOT_AUTHORIZED": "order.payment_failed", "PAYMENT_NOT_CAPTURED": "order.payment_failed",
		"WAIT_FRAUD_MANUAL_CHECK": "order.on_hold", "ON_HOLD": "order.on_hold",
		"PENDING_APPROVAL": "order.approval_needed", "APPROVED": "order.approved", "REJECTED": "order.rejected",
		"CANCELLED": "order.cancelled", "COMPLETED": "order.completed",
	}
	parcelNews = map[string]string{
		"SHIPPED": "order.shipped", "DELIVERING": "order.out_for_delivery", "DELIVERY_COMPLETED": "order.delivered",
		"DELIVERY_REJECTED": "order.delivery_failed", "READY_FOR_PICKUP": "order.ready_for_pickup", "PICKUP_COMPLETE": "order.picked_up",
	}
	returnNews = map[string]string{"RECEIVED": "order.return_received", "PAYMENT_REVERSED": "order.refunded"}
)

// Report reports an event of an order without any change to it.
func (s *Sim) Report(ctx context.Context, order, eventType string) error {
	return s.report(ctx, Event{Type: eventType, OrderCode: order})
}

func (s *Sim) report(ctx context.Context, ev Event) error {
	if _, ok := s.Order(ev.OrderCode); !ok {
		return fmt.Errorf("order %q: %w", ev.OrderCode, ErrUnknown)
	}
	s.auto(ctx, ev)
	return nil
}

// SetStatus gives an order a status, known or not, and reports it.
func (s *Sim) SetStatus(ctx context.Context, order, status string) error {
	err := s.change(order, func(o *Order) error {
		o.Status = status
		return nil
	})
	if err != nil {
		return err
	}
	s.auto(ctx, Event{Type: orderNews[status], OrderCode: order})
	return nil
}

// Split puts each line of an order into a parcel of its own, while none has left.
func (s *Sim) Split(order string) error {
	return s.change(order, func(o *Order) error {
		for _, c := range o.Consignments {
			if c.Status != "READY" {
				return fmt.Errorf("order %s: parcel %s is %s and cannot be packed anew", order, c.Code, c.Status)
			}
		}
		o.Consignments = nil
		for i, l := range o.Lines {
			o.Consignments = append(o.Consignments, Consignment{
				Code: fmt.Sprintf("cons%s_%d", o.Code, i), Status: "READY", StatusDate: s.opt.Now(), Packed: []Packed{{Line: i, Quantity: l.Quantity}},
			})
		}
		return nil
	})
}

// Cancel cancels an order and its parcels.
func (s *Sim) Cancel(ctx context.Context, order string) error {
	err := s.change(order, func(o *Order) error {
		for i := range o.Consignments {
			o.Consignments[i].Status, o.Consignments[i].StatusDate = "CANCELLED", s.opt.Now()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.SetStatus(ctx, order, "CANCELLED")
}

// Ship sends a parcel ("": the next that has not left) and reports it.
func (s *Sim) Ship(ctx context.Context, order, consignment, trackingID, carrier, url string) error {
	return s.parcel(ctx, order, consignment, "SHIPPED", func(c *Consignment) {
		c.TrackingID, c.Carrier, c.TrackingURL = trackingID, carrier, url
		c.Arrival = c.StatusDate.Add(48 * time.Hour)
		c.Scans = append(c.Scans, Scan{At: c.StatusDate, Detail: "Parcel handed to the carrier", Location: "Köln, DE", Code: "SHIPPED"})
	})
}

// Deliver completes a parcel ("": the one that left last) and reports it.
func (s *Sim) Deliver(ctx context.Context, order, consignment string) error {
	return s.SetConsignment(ctx, order, consignment, "DELIVERY_COMPLETED")
}

// SetConsignment gives a parcel a status, known or not, and reports it. ""
// means the parcel that left last, or else the first.
func (s *Sim) SetConsignment(ctx context.Context, order, consignment, status string) error {
	if consignment == "" {
		consignment = s.lastParcel(order)
	}
	return s.parcel(ctx, order, consignment, status, func(c *Consignment) {
		detail := strings.ToLower(strings.ReplaceAll(status, "_", " "))
		c.Scans = append(c.Scans, Scan{At: c.StatusDate, Detail: detail, Location: "Köln, DE", Code: status})
	})
}

// lastParcel returns the code of the parcel that left last and has not arrived.
func (s *Sim) lastParcel(order string) string {
	o, _ := s.Order(order)
	for _, c := range slices.Backward(o.Consignments) {
		if c.Status == "SHIPPED" || c.Status == "IN_TRANSIT" || c.Status == "DELIVERING" {
			return c.Code
		}
	}
	return ""
}

func (s *Sim) parcel(ctx context.Context, order, consignment, status string, do func(*Consignment)) error {
	err := s.change(order, func(o *Order) error {
		c := o.consignment(consignment)
		if c == nil {
			return fmt.Errorf("parcel %q of order %s: %w", consignment, order, ErrUnknown)
		}
		c.Status, c.StatusDate = status, s.opt.Now()
		consignment = c.Code
		do(c)
		return nil
	})
	if err != nil {
		return err
	}
	s.auto(ctx, Event{Type: parcelNews[status], OrderCode: order, ConsignmentCode: consignment})
	return nil
}

// change makes a new version of an order; an error leaves the old one.
func (s *Sim) change(code string, do func(*Order) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.orders[code]
	if !ok {
		return fmt.Errorf("order %q: %w", code, ErrUnknown)
	}
	next := r.current().clone()
	if err := do(&next); err != nil {
		return err
	}
	now := s.opt.Now()
	if next.Status != r.current().Status {
		s.feed = append(s.feed, statusChange{at: now, code: code, status: next.Status, site: next.Site})
	}
	r.versions = append(r.versions, version{since: now, order: next})
	return nil
}

// AddReturn makes a return of items (none: all of the order) and reports it.
func (s *Sim) AddReturn(ctx context.Context, order string, items ...Packed) (Return, error) {
	ret, err := s.addReturn(order, items)
	if err != nil {
		return Return{}, err
	}
	s.auto(ctx, Event{Type: "order.return_created", OrderCode: order, ReturnCode: ret.Code})
	return ret, nil
}

func (s *Sim) addReturn(order string, items []Packed) (Return, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.orders[order]
	if !ok {
		return Return{}, fmt.Errorf("order %q: %w", order, ErrUnknown)
	}
	if len(items) == 0 {
		for i, l := range r.current().Lines {
			items = append(items, Packed{Line: i, Quantity: l.Quantity})
		}
	}
	if err := checkItems(r.current(), items); err != nil {
		return Return{}, err
	}
	code := fmt.Sprintf("%08d", s.number("return", 2001))
	ret := &Return{Code: code, OrderCode: order, Status: "APPROVAL_PENDING", Created: s.opt.Now(), Items: slices.Clone(items)}
	s.returns = append(s.returns, ret)
	return *ret, nil
}

// SetReturnStatus gives a return a status, known or not, and reports it.
func (s *Sim) SetReturnStatus(ctx context.Context, code, status string) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.returns, func(r *Return) bool { return r.Code == code })
	if i < 0 {
		s.mu.Unlock()
		return fmt.Errorf("return %q: %w", code, ErrUnknown)
	}
	s.returns[i].Status = status
	order := s.returns[i].OrderCode
	s.mu.Unlock()
	s.auto(ctx, Event{Type: returnNews[status], OrderCode: order, ReturnCode: code})
	return nil
}

// Returns lists the returns of an order, oldest first.
func (s *Sim) Returns(order string) []Return {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Return
	for _, r := range s.returns {
		if r.OrderCode == order {
			out = append(out, *r)
		}
	}
	return out
}
