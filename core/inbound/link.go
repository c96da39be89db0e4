package inbound

import (
	"cmp"
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
	why, ok, err := in.redeem(tx, c, ref)
	if err != nil {
		return "", "", err
	}
	if !ok {
		return in.refuse(tx, c)
	}
	return done, why, nil
}

// redeem links the chat by a reference, a sealed one or a short code, and says
// what came of it. ok is false for one that does not count, for whatever reason.
func (in *Inbound) redeem(tx *lane.Tx, c chat, ref string) (why string, ok bool, err error) {
	o, ok, err := in.referred(tx, c, ref)
	if err != nil || !ok {
		return "", false, err
	}
	return in.take(tx, c, o, proof{evidence: evidenceOf(o, c), subject: c.account.Subject})
}

// referred returns the offer that a reference stands for, and whether it counts.
func (in *Inbound) referred(tx core.Tx, c chat, ref string) (core.OptIn, bool, error) {
	o, ok, err := in.byToken(tx, c, ref)
	if err == nil && !ok {
		o, ok, err = in.byCode(tx, c, ref)
	}
	return o, ok, err
}

// matchWithin is how long a platform may take to say whose account a chat is: the
// customer waits for the thank-you.
const matchWithin = 3 * time.Second

// askPlatform asks whose account a chat is that is about to be linked, so that
// the link is found by it when the account's login is taken back.
func (in *Inbound) askPlatform(ctx context.Context, c *chat) {
	ref := cmp.Or(c.update.Update.Ref, typedReference(c.update.Update))
	if in.Matcher == nil || ref == "" || c.addr.Kind != "" || c.link.Subject != "" {
		return
	}
	matcher, ok := in.Matcher(c.addr.Channel)
	if !ok {
		return
	}
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		_, ok, err = in.referred(tx, *c, ref)
		return err
	})
	if err != nil || !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, matchWithin)
	defer cancel()
	c.account, err = matcher.IdentityOf(ctx, core.Address{Value: c.addr.Value, Kind: c.addr.Kind})
	if err != nil {
		in.Log.Warn("the platform does not tell whose account a chat is; it is linked all the same", "channel", c.addr.Channel, "err", err)
	}
}

// byToken returns the offer a sealed reference stands for on this channel.
func (in *Inbound) byToken(tx core.Tx, c chat, token string) (core.OptIn, bool, error) {
	for _, p := range purposes {
		ref, err := in.Keys.Unseal(token, c.addr.Channel, string(p), c.update.ReceivedAt)
		if err != nil {
			continue
		}
		o, ok, err := in.usable(tx, c, ref.ID)
		return o, ok && sealedFor(ref, o), err
	}
	return core.OptIn{}, false, nil
}

// sealedFor reports whether a reference is that of an offer, and not of one that
// had the same id in a database that has been restored since.
func sealedFor(ref seal.Ref, o core.OptIn) bool { return ref.Expires.Unix() == o.ExpiresAt.Unix() }

// byCode returns the offer a short code stands for on this channel.
func (in *Inbound) byCode(tx core.Tx, c chat, text string) (core.OptIn, bool, error) {
	code, ok := seal.NormalizeCode(text)
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

// usable returns an offer, and whether it still stood when its reference came.
func (in *Inbound) usable(tx core.Tx, c chat, id int64) (core.OptIn, bool, error) {
	o, err := tx.OptIn(id)
	if errors.Is(err, core.ErrNotFound) {
		return o, false, nil
	}
	if err != nil {
		return o, false, err
	}
	return o, c.update.ReceivedAt.Before(o.ExpiresAt) && slices.Contains(o.Channels, c.addr.Channel), nil
}

// maxReference is how long a reference can be, typed with spaces and dashes.
const maxReference = 80

// typedReference is a message that may be nothing but a reference, or one after
// the command that some platforms have for it.
func typedReference(u core.Update) string {
	if u.Kind != core.UpdateText || len(u.Media) > 0 || len(u.Text) > maxReference {
		return ""
	}
	words := strings.Fields(u.Text)
	if len(words) > 1 && strings.EqualFold(strings.TrimPrefix(words[0], "/"), "link") {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// looksLikeCode reports whether a message can hardly be anything but a short
// code, as one in a hundred codes does not: an ordinary word has no digits and
// an order's number no letters.
func looksLikeCode(u core.Update) bool {
	typed := typedReference(u)
	code, ok := seal.NormalizeCode(typed)
	return ok && strings.ContainsAny(typed, "0123456789") && strings.Trim(code, "0123456789") != ""
}

// refuse answers a reference that does not count. It says the same whatever is
// wrong with it, and nothing about anybody.
func (in *Inbound) refuse(tx *lane.Tx, c chat) (state, why string, err error) {
	tx.After(func() { in.Count("opt_ins_refused", 1, "channel", c.addr.Channel) })
	stranger := chat{update: c.update, addr: c.addr, now: c.now}
	return done, "the reference does not count", in.say(tx, stranger, render.LinkInvalid, core.OrderQuery{}, nil)
}

// proof is how it is known that a chat is a customer's.
type proof struct{ evidence, subject string }

// take links the chat to the offer's customer, once, and has them thanked. ok
// is false when another chat was first.
func (in *Inbound) take(tx *lane.Tx, c chat, o core.OptIn, how proof) (why string, ok bool, err error) {
	if over, err := closedSince(tx, o); over || err != nil {
		return "", false, err
	}
	first, _, err := tx.UseOptIn(o.ID, c.addr.Channel, c.addr.ID, c.now)
	switch {
	case err != nil:
		return "", false, err
	case !first && c.linked() && c.who.UID == o.CustomerUID:
		return in.pressedAgain(tx, c)
	case !first:
		return "", false, nil
	}
	who, err := in.customerOf(tx, o)
	if err != nil {
		return "", false, err
	}
	link := core.Link{
		CustomerID: who.ID, AddressID: c.addr.ID, Channel: c.addr.Channel, State: core.LinkActive, Purpose: o.Purpose,
		Evidence: how.evidence, Subject: how.subject, Consent: o.Consent, ConsentVer: o.ConsentVer,
		Site: o.Site, OrderCode: o.OrderCode, CreatedAt: c.now,
	}
	if link.ID, err = relink(tx, link, c.now); err != nil {
		return "", false, err
	}
	c.link, c.who = link, who
	if err := in.thank(tx, c, o); err != nil {
		return "", false, err
	}
	return "linked", true, in.release(tx, c)
}

// evidenceOf says how a link is known to be the customer's own wish.
func evidenceOf(o core.OptIn, c chat) string {
	evidence := fmt.Sprintf("%s, update %s", offered(o), c.update.Update.ID)
	if c.account.Proof != "" {
		evidence += "; " + c.account.Proof
	}
	return evidence
}

// offered says which offer a link is of, and how that is known to be for its customer.
func offered(o core.OptIn) string {
	if o.Proof == "" { // made before it was kept
		return fmt.Sprintf("opt-in %d", o.ID)
	}
	return fmt.Sprintf("opt-in %d, %s", o.ID, o.Proof)
}

// pressedAgain answers a reference by which the chat has been linked already:
// there is nothing to say, unless the customer had opted out and comes back.
func (in *Inbound) pressedAgain(tx *lane.Tx, c chat) (why string, ok bool, err error) {
	if c.link.State == core.LinkOptedOut {
		_, _, err = in.comeBack(tx, c)
	}
	return "pressed again", true, err
}

// customerOf returns the offer's customer, with what the offer tells of them.
func (in *Inbound) customerOf(tx *lane.Tx, o core.OptIn) (core.Customer, error) {
	who, err := core.LivingCustomer(tx, o.CustomerUID, o.CreatedAt)
	if err != nil {
		return who, err
	}
	if o.Locale != "" && who.Locale != o.Locale {
		who.Locale = o.Locale
		if err := tx.SaveCustomer(who); err != nil {
			return who, err
		}
	}
	if o.OrderCode == "" {
		return who, nil
	}
	return who, rememberOrder(tx, o, who.ID)
}

// closedSince reports whether an offer's customer has closed their account since
// it was made.
func closedSince(tx *lane.Tx, o core.OptIn) (bool, error) {
	who, err := tx.CustomerByUID(o.CustomerUID)
	if errors.Is(err, core.ErrNotFound) {
		return false, nil
	}
	return !who.ClosedAt.IsZero() && !o.CreatedAt.After(who.ClosedAt), err
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

// relink makes a link the one of its address: the newest evidence wins, and an
// older link, also one of the same customer, ends. Whose account the address is
// stays known.
func relink(tx *lane.Tx, l core.Link, now time.Time) (int64, error) {
	old, err := tx.LinkOf(l.AddressID)
	if err == nil {
		l.Subject = cmp.Or(l.Subject, old.Subject)
		old.State, old.ChangedAt = core.LinkEnded, now
		err = tx.SaveLink(old)
	}
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return 0, err
	}
	return tx.InsertLink(l)
}

// thankYouSource is where thank-yous come from.
const thankYouSource = "/tidings/links"

func thankYouID(l core.Link) string { return fmt.Sprintf("link-%d", l.ID) }

// thank puts the thank-you in the customer's lane, where it keeps its place
// among the order's news.
func (in *Inbound) thank(tx *lane.Tx, c chat, o core.OptIn) error {
	e := core.Event{
		ID: thankYouID(c.link), Source: thankYouSource, Type: core.ThankYou, Time: c.now, Site: o.Site,
		Data: core.EventData{OrderCode: o.OrderCode, CustomerUID: o.CustomerUID, Locale: o.Locale, LinkID: c.link.ID},
	}
	return in.Events.Place(tx, e, c.who.ID, c.now)
}
