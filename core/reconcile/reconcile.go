package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// Events takes what has been found as if the shop had pushed it.
type Events interface {
	Found(tx *lane.Tx, e core.Event, now time.Time) error
}

// Options are the fixed surroundings of a Reconciler.
type Options struct {
	Engine  *lane.Engine
	Shop    core.History
	Dialect core.Dialect
	Events  Events
	Sites   []string // whose feeds are asked; the first is that of customers of whom none is known

	Settings

	Log   *slog.Logger
	Count core.Count
}

// Settings are what a reload can change.
type Settings struct {
	Every      time.Duration // between two readings of an order that something happens to; 0: none
	OrdersFor  time.Duration // how long after it was placed an order is looked after
	StatusFeed time.Duration // between two readings of a site's feed; 0: none
	PerSecond  float64       // requests
}

// Reconciler reads the shop again.
type Reconciler struct {
	Options                      // its Settings are those of the round
	asked   time.Time            // when the shop was last asked
	quiet   map[string]time.Time // sites that give no feed: when to ask again
	set     chan Settings        // holds the newest that are not in force yet
}

// New returns a reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{Options: o, quiet: map[string]time.Time{}, set: make(chan Settings, 1)}
}

// Set puts other settings in force, after the round that is under way. Only one
// caller may call it at a time.
func (r *Reconciler) Set(x Settings) {
	select {
	case <-r.set: // never came into force
	default:
	}
	r.set <- x
}

const (
	// beat is how often it is looked for what is due.
	beat = time.Minute
	// rest is how long the shop is left alone after it has not answered.
	rest = 30 * time.Second
	// away is how many customers in a row cannot be read when it is the shop's fault.
	away = 3
	// page is how many customers are taken at a time.
	page = 50
)

// Run reads until ctx ends.
func (r *Reconciler) Run(ctx context.Context) {
	if r.Shop == nil {
		return
	}
	tick := time.NewTicker(r.beat())
	defer tick.Stop()
	var restUntil time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case r.Settings = <-r.set:
			clear(r.quiet) // there may be a feed now
			tick.Reset(r.beat())
			continue
		case now := <-tick.C:
			if now.Before(restUntil) || !r.Engine.Leads() {
				continue // another process does
			}
		}
		if err := r.round(ctx); err != nil && ctx.Err() == nil {
			restUntil = time.Now().Add(rest)
			r.Log.Warn("the shop cannot be read again now; trying again", "err", err)
		}
	}
}

// beat is shorter where what is read is read often.
func (r *Reconciler) beat() time.Duration {
	d := beat
	for _, every := range []time.Duration{r.Every, r.StatusFeed} {
		if every > 0 {
			d = min(d, max(every/4, 10*time.Millisecond))
		}
	}
	return d
}

// round reads what is due. An error ends it: the shop or the database is away, and
// what is left is due still.
func (r *Reconciler) round(ctx context.Context) error {
	if r.StatusFeed > 0 {
		for _, site := range r.Sites {
			if err := r.feed(ctx, site); err != nil {
				return err
			}
		}
	}
	if r.Every <= 0 {
		return nil
	}
	if err := r.meet(ctx); err != nil {
		return err
	}
	var due []core.Reading
	err := r.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		due, err = tx.ReadingsDue(kindCustomer, time.Now(), page)
		return err
	})
	if err != nil {
		return err
	}
	failures := 0
	for _, x := range due {
		if ctx.Err() != nil || !r.Engine.Leads() {
			return ctx.Err()
		}
		shop, err := r.customer(ctx, x)
		switch {
		case err != nil:
			return err
		case shop == nil:
			failures = 0
		case failures == away-1:
			return shop
		default:
			failures++
			r.Log.Warn("orders of a customer cannot be read again now; trying again", "err", shop)
		}
	}
	return nil
}

// turn waits until the shop may be asked again.
func (r *Reconciler) turn(ctx context.Context) error {
	if r.PerSecond > 0 {
		gap := time.Duration(float64(time.Second) / r.PerSecond)
		if wait := time.Until(r.asked.Add(gap)); wait > 0 {
			t := time.NewTimer(wait)
			defer t.Stop()
			select {
			case <-t.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	r.asked = time.Now()
	return ctx.Err()
}

// gone reports whether the shop has said that there is no such thing. Any other
// refusal is about us or the shop, and may be over by the next reading.
func gone(err error) bool {
	failed, ok := errors.AsType[*core.ShopError](err)
	return ok && failed.NotFound
}

// refused reports whether the shop has answered, and not with what was asked for.
func refused(err error) bool {
	var failed *core.ShopError
	if !errors.As(err, &failed) {
		return false
	}
	return failed.Class == core.Rejected || failed.Class == core.Misconfigured && failed.Status != 0
}
