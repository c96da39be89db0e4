package inbound

import (
	"cmp"
	"context"
	"errors"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// ErrOtherCustomer says that an address is linked to somebody else.
var ErrOtherCustomer = errors.New("the address is linked to another customer")

// Vouched is a link the shop vouches for.
type Vouched struct {
	CustomerUID, Channel, Address, Kind, Locale, Name string
	// Subject is what the platform's login calls the account, where the address was
	// found by it.
	Subject     string
	Move        bool // take the address from another customer
	LastWroteAt time.Time
}

// clockSkew is how far the clock of whoever says when a customer wrote may be ahead.
const clockSkew = time.Minute

// Vouch links an address on the shop's word. A link of the same customer stays
// as it is: whoever has opted out in the chat comes back in the chat.
func (in *Inbound) Vouch(ctx context.Context, v Vouched) error {
	return in.Engine.Do(ctx, func(tx *lane.Tx) error {
		c, err := vouched(tx, v, time.Now())
		if err != nil {
			return err
		}
		switch {
		case c.linked() && c.link.CustomerID == c.who.ID:
			return nil
		case c.linked() && !v.Move:
			return ErrOtherCustomer
		}
		c.link = core.Link{
			CustomerID: c.who.ID, AddressID: c.addr.ID, Channel: v.Channel, State: core.LinkActive, Purpose: core.OrderUpdates,
			Evidence: v.evidence(), Subject: v.Subject, Site: in.Site, CreatedAt: c.now,
		}
		if c.link.ID, err = relink(tx, c.link, c.now); err != nil {
			return err
		}
		return in.release(tx, c)
	})
}

// evidence is how it is known that the address is the customer's.
func (v Vouched) evidence() string {
	if v.Subject == "" {
		return "the shop's word"
	}
	return "the shop's word for the login's id " + v.Subject + ", matched by the platform"
}

// vouched returns the chat with the link it has so far and the customer it is to
// have, both as the shop describes them.
func vouched(tx *lane.Tx, v Vouched, now time.Time) (chat, error) {
	c := chat{update: core.StoredUpdate{ReceivedAt: now}, now: now}
	var err error
	if c.who, err = core.LivingCustomer(tx, v.CustomerUID, now); err != nil {
		return c, err
	}
	if c.addr, err = tx.EnsureAddress(v.Channel, core.Address{Value: v.Address, Kind: v.Kind, Locale: v.Locale}, now); err != nil {
		return c, err
	}
	if c.link, err = tx.LinkOf(c.addr.ID); err != nil && !errors.Is(err, core.ErrNotFound) {
		return c, err
	}
	c.who.Name, c.who.Locale = cmp.Or(c.who.Name, v.Name), cmp.Or(v.Locale, c.who.Locale)
	if err := tx.SaveCustomer(c.who); err != nil {
		return c, err
	}
	c.addr.Locale, c.addr.Name, c.addr.BlockedAt = cmp.Or(v.Locale, c.addr.Locale), cmp.Or(v.Name, c.addr.Name), time.Time{}
	if !v.LastWroteAt.After(now.Add(clockSkew)) {
		c.addr.LastInAt = later(c.addr.LastInAt, v.LastWroteAt)
	}
	return c, tx.SaveAddress(c.addr)
}

// Unlink ends a customer's links on a channel, and returns the addresses that are
// theirs no longer; ErrNotFound when there are none.
func (in *Inbound) Unlink(ctx context.Context, uid, channel string) (ended []core.Address, err error) {
	err = in.Engine.Do(ctx, func(tx *lane.Tx) error {
		now := time.Now()
		ended = nil
		who, err := tx.CustomerByUID(uid)
		if err != nil {
			return err
		}
		links, err := tx.LinksOf(who.ID)
		if err != nil {
			return err
		}
		for _, l := range links {
			if l.Link.Channel != channel {
				continue
			}
			l.Link.State, l.Link.ChangedAt = core.LinkEnded, now
			if err := tx.SaveLink(l.Link); err != nil {
				return err
			}
			ended = append(ended, core.Address{Value: l.Address.Value, Kind: l.Address.Kind})
		}
		if len(ended) == 0 {
			return core.ErrNotFound
		}
		return nil
	})
	return ended, err
}
