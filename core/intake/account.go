package intake

import (
	"errors"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// byShop is why an event is not told that the shop tells of itself.
const byShop = "the shop tells of this itself (commerce told_by_shop)"

// toldByShop reports whether the customer hears of an event from the shop. What
// the gateway says itself, and what it is asked to say, the shop does not say.
func (in *Intake) toldByShop(e core.Event) bool {
	shops := in.Rules().ToldByShop
	return shops != nil && e.Type != core.MessageRequested && e.Type != core.ThankYou && e.Type != core.Answer && shops(e.Site, e.Type)
}

// renamed gives a customer their new uid at once, so that whatever is accepted
// from now on finds them. Any event of a customer may say which uid they had
// before: a guest who registers, or a mail address that is the login, too.
func renamed(tx *lane.Tx, e core.Event) error {
	from, to := e.Data.PreviousUID, e.Data.CustomerUID
	if from == "" || to == "" || !strings.HasPrefix(string(e.Type), "customer.") || e.Type.EndsLinks() {
		return nil
	}
	c, err := tx.CustomerByUID(from)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	other, err := tx.CustomerByUID(to)
	switch {
	case err != nil && !errors.Is(err, core.ErrNotFound):
		return err
	case err == nil && other.ID != c.ID:
		if err := absorb(tx, other, c, e.Time); err != nil {
			return err
		}
	}
	for _, uid := range []string{from, c.UID} {
		if err := tx.MoveOptIns(uid, to); err != nil {
			return err
		}
	}
	c.UID = to
	return tx.SaveCustomer(c)
}

// absorb makes room for a customer who takes over a uid that is known already.
// Whoever was linked under it before is somebody else, who had it earlier: their
// links end, and what is theirs stays theirs. What was done under it since then
// was done by the customer who has it now.
func absorb(tx *lane.Tx, other, c core.Customer, since time.Time) error {
	links, err := tx.LinksOf(other.ID)
	if err != nil {
		return err
	}
	earlier := !other.ClosedAt.IsZero()
	for _, l := range links {
		earlier = earlier || l.Link.CreatedAt.Before(since.Add(-clockSkew))
	}
	if !earlier {
		return tx.MergeCustomer(other.ID, c.ID)
	}
	if err := endLinks(tx, links, since, func(core.Link) bool { return true }); err != nil {
		return err
	}
	return core.RetireCustomer(tx, other)
}

// takerOf is the customer who gets an event that names a uid.
func takerOf(tx *lane.Tx, e core.Event, uid string, now time.Time) (int64, error) {
	if earlier, err := earlierOwner(tx, e, uid); earlier != 0 || err != nil {
		return earlier, err
	}
	if e.Type == core.CustomerRegistered {
		c, err := core.LivingCustomer(tx, uid, e.Time)
		return c.ID, err
	}
	c, err := tx.EnsureCustomer(uid, now)
	return c.ID, err
}

// earlierOwner finds the customer whom an event concerns that names a uid which
// somebody else has, too: the guest who has become an account, or the account
// that was closed before its uid was given away again.
//
// The shop gives a guest who registers the uid "mail" in place of "guid|mail".
// The news of the order goes on to the chat that was linked for it, and so does
// the answer to what was asked there. The account's other orders do not: a mail
// address that a guest has typed proves nothing.
func earlierOwner(tx core.Tx, e core.Event, uid string) (int64, error) {
	if strings.HasPrefix(string(e.Type), "ticket.") {
		return guestWhoAsked(tx, e.Data.TicketID, uid)
	}
	d := e.Data
	if d.OrderCode == "" || isGuest(uid) {
		return 0, nil
	}
	id, err := tx.OrderOwner(e.Site, d.OrderCode)
	if errors.Is(err, core.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	owner, err := tx.Customer(id)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return 0, nil
	case err != nil:
		return 0, err
	case !owner.ClosedAt.IsZero() && core.SameUID(owner.RetiredUID(), uid):
		return owner.ID, nil
	case !core.WasGuest(owner.UID, uid):
		return 0, nil
	}
	if shown, err := orderedAsGuest(tx, owner, e); !shown || err != nil {
		return 0, err
	}
	return owner.ID, nil
}

// guestWhoAsked finds the guest whose question a ticket holds that the shop now
// calls the account's.
func guestWhoAsked(tx core.Tx, ticketID, uid string) (int64, error) {
	v, err := tx.ConversationByTicket(ticketID)
	if errors.Is(err, core.ErrNotFound) {
		return 0, nil
	}
	if err != nil || !core.WasGuest(v.CustomerUID, uid) {
		return 0, err
	}
	return v.CustomerID, nil
}

// isGuest reports whether a uid is a guest's, "guid|mail".
func isGuest(uid string) bool { return strings.Contains(uid, "|") }

func orderedAsGuest(tx core.Tx, who core.Customer, e core.Event) (bool, error) {
	if !isGuest(who.UID) || e.Data.OrderCode == "" {
		return false, nil
	}
	return tx.Claimed(core.GuestOrderKey(who.ID, e.Site, e.Data.OrderCode))
}

func rememberGuest(tx *lane.Tx, s subject, o core.Order, now time.Time) error {
	if !isGuest(s.customer.UID) || !core.SameUID(o.CustomerUID, s.customer.UID) {
		return nil
	}
	e := s.event.Event
	_, _, err := tx.Claim(core.GuestOrderKey(s.customer.ID, e.Site, e.Data.OrderCode), "", now)
	return err
}

// closedBefore reports whether the customer's account was closed before a time.
func (s subject) closedBefore(t time.Time) bool {
	return !s.customer.ClosedAt.IsZero() && t.After(s.customer.ClosedAt)
}

// closeAccount ends a customer's links; what still waits for them is cancelled
// when its turn comes. A link that is newer than the closing is that of somebody
// who has opened an account since.
func closeAccount(tx *lane.Tx, s subject, now time.Time) error {
	until := s.event.Event.Time.Add(clockSkew)
	for _, l := range s.links {
		if l.Link.CreatedAt.After(until) {
			return nil
		}
	}
	if err := endLinks(tx, s.links, now, func(core.Link) bool { return true }); err != nil {
		return err
	}
	return rewrite(tx, s.customer.ID, func(c *core.Customer) {
		c.ShopToken = []byte(core.NoShopToken)
		c.ClosedAt = s.event.Event.Time
		if c.ClosedAt.After(now) {
			c.ClosedAt = now
		}
	})
}

// rewrite changes a customer as they are now: since they were read they may have
// got another uid.
func rewrite(tx *lane.Tx, id int64, change func(*core.Customer)) error {
	c, err := tx.Customer(id)
	if err != nil {
		return err
	}
	change(&c)
	return tx.SaveCustomer(c)
}

// withdraw ends the links of the purpose for which a customer has taken back
// their consent, unless they have consented again since.
func withdraw(tx *lane.Tx, s subject, now time.Time) error {
	e := s.event.Event
	until := e.Time.Add(clockSkew)
	return endLinks(tx, s.links, now, func(l core.Link) bool {
		return l.Purpose == purposeOf(e) && !l.CreatedAt.After(until)
	})
}

func endLinks(tx *lane.Tx, links []core.LinkedAddress, now time.Time, which func(core.Link) bool) error {
	for _, l := range links {
		if !which(l.Link) {
			continue
		}
		l.Link.State, l.Link.ChangedAt = core.LinkEnded, now
		if err := tx.SaveLink(l.Link); err != nil {
			return err
		}
	}
	return nil
}

// ofCustomer keeps of an event of a customer's account what it is about. Whatever
// else comes along is nobody's news, and may be a token that opens the account.
func ofCustomer(t core.EventType, d core.EventData) core.EventData {
	if !strings.HasPrefix(string(t), "customer.") {
		return d
	}
	return core.EventData{CustomerUID: d.CustomerUID, PreviousUID: d.PreviousUID, Site: d.Site, Locale: d.Locale, Purpose: d.Purpose}
}
