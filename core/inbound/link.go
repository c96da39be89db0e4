package inbound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/render"
	"tidings/core/seal"
)

// purposes are what a reference can be sealed for.
var purposes = []core.Purpose{core.OrderUpdates, core.Service, core.Marketing}

// optIn deals with a customer who came with a reference, or with none.
func (in *Inbound) optIn(tx *lane.Tx, c chat, ref string) (state, why string, err error) {
	if ref == "" {
		return in.comeBack(tx, c)
	}
	o, ok, err := in.byToken(tx, c, ref)
	if err != nil {
		return "", "", err
	}
	if !ok {
		if o, ok, err = in.byTypedCode(tx, c, ref); err != nil {
			return "", "", err
		}
	}
	if !ok {
		return in.refuse(tx, c)
	}
	return in.take(tx, c, o)
}

// byToken returns the offer a sealed reference stands for on this channel.
func (in *Inbound) byToken(tx *lane.Tx, c chat, token string) (core.OptIn, bool, error) {
	for _, p := range purposes {
		ref, err := in.Keys.Unseal(token, c.addr.Channel, string(p), c.now)
		if err != nil {
			continue
		}
		return in.usable(tx, c, ref.ID)
	}
	return core.OptIn{}, false, nil
}

// byCode returns the offer for a message that is nothing but a code.
func (in *Inbound) byCode(tx *lane.Tx, c chat) (core.OptIn, bool, error) {
	u := c.update.Update
	if u.Kind != core.UpdateText || len(u.Media) > 0 || len(u.Text) > 64 {
		return core.OptIn{}, false, nil
	}
	return in.byTypedCode(tx, c, u.Text)
}

func (in *Inbound) byTypedCode(tx *lane.Tx, c chat, text string) (core.OptIn, bool, error) {
	code, ok := seal.NormalizeCode(strings.TrimSpace(text))
	if !ok {
		return core.OptIn{}, false, nil
	}
	o, err := tx.OptInByCode(c.addr.Channel, in.Keys.Hashes(code))
	if errors.Is(err, core.ErrNotFound) {
		return o, false, nil
	}
	if err != nil {
		return o, false, err
	}
	return in.usable(tx, c, o.ID)
}

func (in *Inbound) usable(tx *lane.Tx, c chat, id int64) (core.OptIn, bool, error) {
	o, err := tx.OptIn(id)
	if errors.Is(err, core.ErrNotFound) {
		return o, false, nil
	}
	if err != nil {
		return o, false, err
	}
	return o, c.now.Before(o.ExpiresAt) && slices.Contains(o.Channels, c.addr.Channel), nil
}

// refuse answers a reference that does not count. It says the same whatever is
// wrong with it, and nothing about anybody.
func (in *Inbound) refuse(tx *lane.Tx, c chat) (state, why string, err error) {
	in.Count("opt_ins_refused", 1, "channel", c.addr.Channel)
	return done, "the reference does not count", in.say(tx, chat{update: c.update, addr: c.addr, now: c.now}, render.LinkInvalid, "", nil)
}

// take links the chat to the offer's customer, once, and has them thanked.
func (in *Inbound) take(tx *lane.Tx, c chat, o core.OptIn) (state, why string, err error) {
	first, by, err := tx.UseOptIn(o.ID, c.addr.Channel, c.addr.ID, c.now)
	if err != nil {
		return "", "", err
	}
	if !first {
		if by == c.addr.ID {
			return done, "pressed again", nil
		}
		return in.refuse(tx, c)
	}
	who, err := tx.EnsureCustomer(o.CustomerUID, c.now)
	if err != nil {
		return "", "", err
	}
	if o.Locale != "" && who.Locale != o.Locale {
		who.Locale = o.Locale
		if err := tx.SaveCustomer(who); err != nil {
			return "", "", err
		}
	}
	link := core.Link{
		CustomerID: who.ID, AddressID: c.addr.ID, Channel: c.addr.Channel, State: core.LinkActive, Purpose: o.Purpose,
		Evidence: fmt.Sprintf("opt-in %d, update %s", o.ID, c.update.Update.ID), Consent: o.Consent, ConsentVer: o.ConsentVer,
		Site: o.Site, OrderCode: o.OrderCode, CreatedAt: c.now,
	}
	if link.ID, err = Relink(tx, link, c.now); err != nil {
		return "", "", err
	}
	if o.OrderCode != "" {
		if err := rememberOrder(tx, o, who.ID); err != nil {
			return "", "", err
		}
	}
	c.link, c.who = link, who
	if err := in.thank(tx, c, o); err != nil {
		return "", "", err
	}
	return done, "linked", in.release(tx, c)
}

// rememberOrder notes the offer's order as the customer's, unless it is known
// whose it is.
func rememberOrder(tx *lane.Tx, o core.OptIn, customerID int64) error {
	_, err := tx.OrderOwner(o.Site, o.OrderCode)
	if errors.Is(err, core.ErrNotFound) {
		return tx.RememberOrder(o.Site, o.OrderCode, customerID)
	}
	return err
}

// Relink makes a link the one of its address: the newest evidence wins, and an
// older link, also one of the same customer, ends.
func Relink(tx *lane.Tx, l core.Link, now time.Time) (int64, error) {
	old, err := tx.LinkOf(l.AddressID)
	if err == nil {
		old.State, old.ChangedAt = core.LinkEnded, now
		err = tx.SaveLink(old)
	}
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return 0, err
	}
	return tx.InsertLink(l)
}

// thank puts the thank-you in the customer's lane, where it keeps its place
// among the order's news.
func (in *Inbound) thank(tx *lane.Tx, c chat, o core.OptIn) error {
	e := core.Event{
		ID: fmt.Sprintf("link-%d", c.link.ID), Source: "/tidings/links", Type: core.ThankYou, Time: c.now, Site: o.Site,
		Data: core.EventData{OrderCode: o.OrderCode, CustomerUID: o.CustomerUID, Locale: o.Locale, LinkID: c.link.ID},
	}
	return in.Events.Place(tx, e, c.who.ID, c.now)
}

// release turns what the customer wrote before the link into questions.
func (in *Inbound) release(tx *lane.Tx, c chat) error {
	if !c.addr.InvitedAt.IsZero() {
		c.addr.InvitedAt = time.Time{}
		if err := tx.SaveAddress(c.addr); err != nil {
			return err
		}
	}
	early, err := tx.HeldUpdates(c.addr.ID, c.now.Add(-holdUnlinked))
	if err != nil {
		return err
	}
	for _, u := range early {
		was := chat{update: u, addr: c.addr, link: c.link, who: c.who, now: c.now}
		if err := in.question(tx, was, u, was.text()); err != nil {
			return err
		}
		if err := tx.SaveUpdate(u.ID, done, ""); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps what an unlinked sender wrote, and tells them once how to link.
func (in *Inbound) hold(tx *lane.Tx, c chat) (state, why string, err error) {
	_, _, err = in.invite(tx, c)
	return held, "the sender is not linked", err
}

// invite tells a stranger how to link, once.
func (in *Inbound) invite(tx *lane.Tx, c chat) (state, why string, err error) {
	if !c.addr.InvitedAt.IsZero() {
		return done, "the sender is not linked and has been told how to", nil
	}
	c.addr.InvitedAt = c.now
	if err := tx.SaveAddress(c.addr); err != nil {
		return "", "", err
	}
	return done, "the sender is not linked", in.say(tx, c, render.Unlinked, "", nil)
}

// notTheirs reports whether the shop says that an order is not the customer's.
func notTheirs(err error) bool {
	var failed *core.ShopError
	return errors.As(err, &failed) && failed.NotFound
}

// ErrOtherCustomer says that an address is linked to somebody else.
var ErrOtherCustomer = errors.New("the address is linked to another customer")

// Vouched is a link the shop vouches for.
type Vouched struct {
	CustomerUID, Channel, Address, Kind, Locale, Name string
	Move                                              bool
	LastWroteAt                                       time.Time
}

// Vouch links an address on the shop's word.
func (in *Inbound) Vouch(ctx context.Context, v Vouched) error {
	return in.Engine.Do(ctx, func(tx *lane.Tx) error {
		now := time.Now()
		who, err := tx.EnsureCustomer(v.CustomerUID, now)
		if err != nil {
			return err
		}
		a, err := tx.EnsureAddress(v.Channel, core.Address{Value: v.Address, Kind: v.Kind, Locale: v.Locale}, now)
		if err != nil {
			return err
		}
		old, err := tx.LinkOf(a.ID)
		switch {
		case err == nil && old.CustomerID != who.ID && !v.Move:
			return ErrOtherCustomer
		case err != nil && !errors.Is(err, core.ErrNotFound):
			return err
		}
		if v.Name != "" && who.Name == "" || v.Locale != "" && v.Locale != who.Locale {
			who.Name, who.Locale = first(v.Name, who.Name), first(v.Locale, who.Locale)
			if err := tx.SaveCustomer(who); err != nil {
				return err
			}
		}
		a.Locale, a.Name, a.BlockedAt = first(v.Locale, a.Locale), first(v.Name, a.Name), time.Time{}
		if v.LastWroteAt.After(a.LastInAt) && !v.LastWroteAt.After(now.Add(time.Minute)) {
			a.LastInAt = v.LastWroteAt
		}
		if err := tx.SaveAddress(a); err != nil {
			return err
		}
		if err == nil && old.CustomerID == who.ID && old.State == core.LinkActive {
			return nil
		}
		_, err = Relink(tx, core.Link{
			CustomerID: who.ID, AddressID: a.ID, Channel: v.Channel, State: core.LinkActive, Purpose: core.OrderUpdates,
			Evidence: "the shop's word", Site: in.Site, CreatedAt: now,
		}, now)
		return err
	})
}

// Unlink ends a customer's links on a channel; ErrNotFound when there are none.
func (in *Inbound) Unlink(ctx context.Context, uid, channel string) error {
	return in.Engine.Do(ctx, func(tx *lane.Tx) error {
		now := time.Now()
		who, err := tx.CustomerByUID(uid)
		if err != nil {
			return err
		}
		links, err := tx.LinksOf(who.ID)
		if err != nil {
			return err
		}
		ended := 0
		for _, l := range links {
			if l.Link.Channel != channel {
				continue
			}
			l.Link.State, l.Link.ChangedAt = core.LinkEnded, now
			if err := tx.SaveLink(l.Link); err != nil {
				return err
			}
			ended++
		}
		if ended == 0 {
			return core.ErrNotFound
		}
		return nil
	})
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
