package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

const kindFeed = "feed"

const (
	// overlap is how much of a feed is read twice: a change may be dated before the
	// reading that did not see it yet.
	overlap = time.Minute
	// feedAgain is when a shop that gives no feed is asked again.
	feedAgain = time.Hour
)

// feed asks for the states that have changed since the last reading. The cursor is the
// shop's time; the first reading only sets it.
func (r *Reconciler) feed(ctx context.Context, site string) error {
	now := time.Now()
	last, err := r.reading(ctx, kindFeed, site)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return r.Engine.Do(ctx, func(tx *lane.Tx) error {
			return tx.SaveReading(core.Reading{Kind: kindFeed, Name: site, At: now.Add(overlap)})
		})
	case err != nil:
		return err
	case now.Sub(last.At) < r.StatusFeed, now.Before(r.quiet[site]):
		return nil
	}
	if err := r.turn(ctx); err != nil {
		return err
	}
	changes, asOf, err := r.Shop.StatusFeed(ctx, site, last.At.Add(-overlap))
	switch {
	case refused(err):
		r.quiet[site] = now.Add(feedAgain)
		r.Log.Warn("the shop gives no feed of order states; commerce.reconcile.status_feed: 0 asks for none", "site", site, "err", err)
		return nil // no feed is no fault; the log says so
	case ofShop(err) != nil: // the customers' orders may be readable all the same
		r.quiet[site] = now.Add(rest)
		r.Log.Warn("the feed of order states cannot be read; trying again", "site", site, "err", err)
		return nil //nolint:nilerr // told in the log, and tried again
	case err != nil:
		return err
	}
	r.Count("reconciled", 1, "what", kindFeed)
	return r.Engine.Do(ctx, func(tx *lane.Tx) error {
		for _, c := range changes {
			if err := r.changed(tx, c, now); err != nil {
				return err
			}
		}
		return tx.SaveReading(core.Reading{Kind: kindFeed, Name: site, At: asOf})
	})
}

// changed makes an event of an element of the feed, unless the order is somebody's
// who has no chat, or the reading of it has seen as much: it knows better whether that
// is news, because the feed does not say when a state was reached.
func (r *Reconciler) changed(tx *lane.Tx, c core.EntityState, now time.Time) error {
	last, err := tx.Reading(kindOrder, c.Site+"/"+c.OrderCode)
	switch {
	case err == nil && last.Seen[finding{EntityState: c}.entity()] == c.State:
		return nil
	case err != nil && !errors.Is(err, core.ErrNotFound):
		return err
	}
	owner, err := tx.OrderOwner(c.Site, c.OrderCode)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return err
	}
	if owner != 0 {
		if links, err := tx.LinksOf(owner); err != nil || len(links) == 0 {
			return err
		}
	}
	return r.found(tx, finding{EntityState: c}, now)
}

// finding is a state that the shop has not reported, or not yet.
type finding struct {
	core.EntityState
	parcel, uid string
	since       time.Time // when it was reached; zero: not told
}

// found makes an event of a finding. Two readings of the same make one event.
func (r *Reconciler) found(tx *lane.Tx, f finding, now time.Time) error {
	t, data, ok := r.meaning(f)
	if !ok {
		return nil
	}
	if f.since.IsZero() || f.since.After(now) {
		f.since = now
	}
	data.Site, data.CustomerUID = f.Site, f.uid
	tx.After(func() { r.Count("reconciled_found", 1, "type", string(t)) })
	return r.Events.Found(tx, core.Event{
		ID: strings.Join([]string{f.OrderCode, f.parcel, f.ReturnCode, f.State}, "/"), Source: "/tidings/poll/" + f.Site,
		Type: t, Time: f.since, Site: f.Site, Data: data,
	}, now)
}
