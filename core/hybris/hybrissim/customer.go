package hybrissim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
)

// AddCustomer makes a customer, or gives one another name.
func (s *Sim) AddCustomer(uid, name string) Customer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.addCustomer(uid, name)
}

func (s *Sim) addCustomer(uid, name string) *Customer {
	c, ok := s.customers[uid]
	if !ok {
		c = &Customer{UID: uid, ID: s.newCustomerID(uid)}
		s.customers[uid] = c
	}
	c.Name = cmp.Or(name, c.Name)
	return c
}

// newCustomerID is another one than that of whoever had the uid before.
func (s *Sim) newCustomerID(uid string) string {
	id := guidOf("customer", uid)
	for _, c := range s.customers {
		if c.ID == id {
			return uuid()
		}
	}
	return id
}

// GuestUID returns the uid of somebody who orders without an account.
func GuestUID(mail string) string { return uuid() + "|" + mail }

// Register makes a customer and reports customer.registered. The uid of a closed
// account is free again, as it is once the shop's retention has cleaned up: what
// there is of the account before stays that one's.
func (s *Sim) Register(ctx context.Context, uid, name string) (Customer, error) {
	s.mu.Lock()
	before, taken := s.customers[uid]
	if taken && before.Closed {
		s.giveUID(before, before.ID+" (closed)")
		taken = false
	}
	if taken || uid == "" || uid == anonymous || strings.Contains(uid, "|") {
		s.mu.Unlock()
		return Customer{}, errors.New("uid: is taken, or no name for a customer")
	}
	made := *s.addCustomer(uid, name)
	s.mu.Unlock()
	s.auto(ctx, Event{Type: "customer.registered", CustomerUID: uid})
	return made, nil
}

// Rename gives a customer another uid and reports customer.renamed. Orders and
// tickets stay theirs, tokens end: the name in them is nobody's now.
func (s *Sim) Rename(ctx context.Context, from, to string) error {
	if err := s.rename(from, to); err != nil {
		return err
	}
	s.auto(ctx, Event{Type: "customer.renamed", CustomerUID: to, PreviousUID: from})
	return nil
}

func (s *Sim) rename(from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.customers[from]
	if !ok {
		return fmt.Errorf("customer: %w", ErrUnknown)
	}
	if _, taken := s.customers[to]; taken || to == "" || to == anonymous {
		return errors.New("uid: is taken, or no name for a customer")
	}
	s.giveUID(c, to)
	s.auth.forget(from)
	return nil
}

// giveUID calls a customer by another uid, in all that is theirs.
func (s *Sim) giveUID(c *Customer, to string) {
	from := c.UID
	delete(s.customers, from)
	c.UID = to
	s.customers[to] = c
	for _, r := range s.orders {
		for i := range r.versions {
			if o := &r.versions[i].order; o.UserUID == from {
				o.UserUID = to
			}
		}
	}
	for _, t := range s.tickets {
		t.renamed(from, to)
	}
	for _, k := range s.consents {
		if k.CustomerUID == from {
			k.CustomerUID = to
		}
	}
}

// renamed follows a customer to another uid.
func (t *Ticket) renamed(from, to string) {
	if t.CustomerUID == from {
		t.CustomerUID = to
	}
	for i := range t.Entries {
		if t.Entries[i].Author == from {
			t.Entries[i].Author = to
		}
	}
}

// What a customer, or the shop for them, changes about an account: no more
// than the event is emulated, but for "closed", which ends logins and tokens.
var customerChanges = map[string]string{
	"address": "customer.address_changed", "email": "customer.email_changed", "password": "customer.password_changed", "closed": "customer.closed",
}

// ChangeCustomer reports a change of an account: address, email, password or closed.
func (s *Sim) ChangeCustomer(ctx context.Context, uid, what string) error {
	eventType, ok := customerChanges[what]
	if !ok {
		return errors.New("change: address, email, password or closed")
	}
	s.mu.Lock()
	c, ok := s.customers[uid]
	if ok && what == "closed" {
		c.Closed = true
		s.auth.forget(uid)
	}
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("customer: %w", ErrUnknown)
	}
	s.auto(ctx, Event{Type: eventType, CustomerUID: uid})
	return nil
}

// Restart is a restart of the shop's node: what it kept in memory only is lost,
// the status feed and the webhooks that had not left. Tokens, orders and tickets
// are in its database.
func (s *Sim) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feed, s.pushes.held = nil, nil
}
