package reconcile

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

const (
	kindCustomer = "customer"
	kindLinks    = "links"
)

const (
	// rarely is how often a customer's list is read when none of their orders is under way.
	rarely = 24 * time.Hour
	// knownOrders is how many of the orders are looked at that are known from events.
	knownOrders = 20
	// linksPage is how many new links are looked at in one go, and linksAgain how many
	// of those before: replicas do not commit in the order of the ids.
	linksPage, linksAgain = 500, 100
)

func (r *Reconciler) reading(ctx context.Context, kind, name string) (x core.Reading, err error) {
	err = r.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		x, err = tx.Reading(kind, name)
		return err
	})
	return x, err
}

// meet finds customers who have linked a chat since it last looked.
func (r *Reconciler) meet(ctx context.Context) error {
	var last int64
	var links []core.Link
	err := r.Engine.View(ctx, func(tx core.Tx) error {
		cursor, err := tx.Reading(kindLinks, "")
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return err
		}
		last, _ = strconv.ParseInt(cursor.Seen["id"], 10, 64)
		links, err = tx.LinkedSince(max(0, last-linksAgain), linksPage)
		return err
	})
	if err != nil || len(links) == 0 || links[len(links)-1].ID <= last {
		return err
	}
	return r.Engine.Do(ctx, func(tx *lane.Tx) error {
		for _, l := range links {
			if err := welcome(tx, l.CustomerID, l.ID > last); err != nil {
				return err
			}
		}
		next := strconv.FormatInt(links[len(links)-1].ID, 10)
		return tx.SaveReading(core.Reading{Kind: kindLinks, At: time.Now(), Seen: map[string]string{"id": next}})
	})
}

// welcome has a customer read at once, unless they are being read already.
func welcome(tx *lane.Tx, customerID int64, linked bool) error {
	name := strconv.FormatInt(customerID, 10)
	x, err := tx.Reading(kindCustomer, name)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return err
	}
	if err == nil && (!x.Done || !linked) {
		return nil
	}
	return tx.SaveReading(core.Reading{Kind: kindCustomer, Name: name})
}

// person is a customer who is read.
type person struct {
	id       int64
	uid      string
	linkedAt time.Time // the first of their chats
	sites    []string
	known    []core.OrderQuery
}

// customer reads what a customer's orders have come to. The first error is that of
// the shop, which has not given all of it; the customer has had their turn all the
// same, so that they do not keep others from theirs.
func (r *Reconciler) customer(ctx context.Context, x core.Reading) (shop, err error) {
	p, ok, err := r.who(ctx, x.Name)
	if err != nil {
		return nil, err
	}
	x.Done, x.At = !ok, time.Now().Add(rarely)
	if ok {
		due, failed, err := r.orders(ctx, p)
		if err != nil {
			return nil, err
		}
		if shop = failed; failed != nil {
			due = time.Now().Add(max(rest, r.Every))
		}
		if !due.IsZero() && due.Before(x.At) {
			x.At = due
		}
	}
	return shop, r.Engine.Do(ctx, func(tx *lane.Tx) error { return tx.SaveReading(x) })
}

// orders reads those of a customer's orders that are due, and tells when the next one
// is; zero: none.
func (r *Reconciler) orders(ctx context.Context, p person) (next time.Time, shop, err error) {
	all, whole, err := r.list(ctx, p)
	if err != nil {
		return next, ofShop(err), notOfShop(err)
	}
	if !whole {
		next = time.Now().Add(max(rest, r.Every))
	}
	for _, o := range all {
		due, err := r.order(ctx, p, o)
		switch {
		case notOfShop(err) != nil:
			return next, nil, err
		case err != nil && shop != nil: // not this one order's fault
			return next, err, nil
		case err != nil:
			shop = err
		case !due.IsZero() && (next.IsZero() || due.Before(next)):
			next = due
		}
	}
	return next, shop, nil
}

// ofShop is an error of the shop's, and notOfShop is any other.
func ofShop(err error) error {
	if _, ok := errors.AsType[*core.ShopError](err); ok {
		return err
	}
	return nil
}

func notOfShop(err error) error {
	if ofShop(err) == nil {
		return err
	}
	return nil
}

// who finds the customer of a reading; ok is false for one without a chat.
func (r *Reconciler) who(ctx context.Context, name string) (p person, ok bool, err error) {
	if p.id, err = strconv.ParseInt(name, 10, 64); err != nil {
		return p, false, nil //nolint:nilerr // a name that is none is nobody's
	}
	err = r.Engine.View(ctx, func(tx core.Tx) error {
		c, err := tx.Customer(p.id)
		switch {
		case errors.Is(err, core.ErrNotFound):
			return nil // erased
		case err != nil:
			return err
		case !c.ClosedAt.IsZero():
			return nil
		}
		links, err := tx.LinksOf(c.ID)
		if err != nil {
			return err
		}
		p.known, err = tx.OrdersOf(c.ID, knownOrders)
		p.uid, ok = c.UID, len(links) > 0
		for i, l := range links {
			if i == 0 || l.Link.CreatedAt.Before(p.linkedAt) {
				p.linkedAt = l.Link.CreatedAt
			}
			p.sites = append(p.sites, l.Link.Site)
		}
		return err
	})
	for _, q := range p.known {
		p.sites = append(p.sites, q.Site)
	}
	p.sites = slices.Compact(slices.Sorted(slices.Values(slices.DeleteFunc(p.sites, func(s string) bool { return s == "" }))))
	if len(p.sites) == 0 && len(r.Sites) > 0 {
		p.sites = r.Sites[:1]
	}
	return p, ok, err
}

// list puts together the orders of a customer that may be under way: those of their
// own lists, with their states and returns, and those known from events. whole is
// false where the shop did not give the orders.
func (r *Reconciler) list(ctx context.Context, p person) (all []listed, whole bool, err error) {
	since := time.Now().Add(-r.OrdersFor)
	whole = true
	for _, site := range p.sites {
		if strings.Contains(p.uid, "|") {
			break // a guest, who has no list
		}
		orders, given, err := r.ask(ctx, func() ([]core.EntityState, error) { return r.Shop.Orders(ctx, site, p.uid, since) })
		if err != nil {
			return nil, false, err
		}
		whole = whole && given
		for _, o := range orders {
			all = append(all, listed{EntityState: o})
		}
		if len(orders)+len(p.known) == 0 {
			continue
		}
		returns, _, err := r.ask(ctx, func() ([]core.EntityState, error) { return r.Shop.Returns(ctx, site, p.uid, since) })
		if err != nil {
			return nil, false, err
		}
		for _, ret := range returns {
			all = withReturn(all, ret)
		}
	}
	for _, q := range p.known {
		if !slices.ContainsFunc(all, func(o listed) bool { return o.OrderCode == q.Code && o.Site == q.Site }) {
			all = append(all, listed{EntityState: core.EntityState{Site: q.Site, OrderCode: q.Code}})
		}
	}
	return all, whole, nil
}

// withReturn adds a return to its order, which may be older than those listed.
func withReturn(all []listed, ret core.EntityState) []listed {
	i := slices.IndexFunc(all, func(o listed) bool { return o.OrderCode == ret.OrderCode && o.Site == ret.Site })
	if i < 0 {
		i = len(all)
		all = append(all, listed{EntityState: core.EntityState{Site: ret.Site, OrderCode: ret.OrderCode}})
	}
	all[i].returns = append(all[i].returns, ret)
	return all
}

// ask asks the shop for a list. One that does not give it has none, for now.
func (r *Reconciler) ask(ctx context.Context, list func() ([]core.EntityState, error)) (all []core.EntityState, given bool, err error) {
	if err := r.turn(ctx); err != nil {
		return nil, false, err
	}
	all, err = list()
	if refused(err) {
		r.Log.Debug("the shop does not give a list", "err", err)
		return nil, gone(err), nil
	}
	r.Count("reconciled", 1, "what", "list")
	return all, true, err
}
