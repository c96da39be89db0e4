package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// retryAfter is what a platform that is away asks for, in seconds: long enough
// to cost little while the backlog grows, short enough to end soon after.
const retryAfter = 3

// pile is what a backlog has shown.
type pile struct {
	taken, made, drained float64 // a second
	anonymous, highest   int64
}

// measureBacklog lets parts pile up while the platform is away, and then drain;
// first a few, to compare with.
func (b *bench) measureBacklog(ctx context.Context) error {
	open := func(context.Context) (*database, error) { return b.newSQLite(), nil }
	if b.backlogOn == "postgres" {
		if why := b.withoutPostgres(ctx); why != "" {
			b.skip("backlog", why)
			return nil
		}
		open = b.newPostgres
	}
	few := max(1, min(b.backlog/4, b.messages))
	small, err := b.heldBack(ctx, open, few)
	if err != nil {
		return err
	}
	large, err := b.heldBack(ctx, open, b.backlog)
	if err != nil {
		return err
	}
	one := func(name, unit string, v float64, bar *bar) {
		b.add(figure{Part: "backlog", Name: name, Unit: unit, Values: []float64{v}, Bar: bar})
	}
	one(fmt.Sprintf("%d events taken while the platform is away", b.backlog), "events/s", large.taken, nil)
	one("the same until all are messages in line", "events/s", large.made, nil)
	one(fmt.Sprintf("drained, of %d", few), "messages/s", small.drained, nil)
	one(fmt.Sprintf("drained, of %d", b.backlog), "messages/s", large.drained, nil)
	one("drain rate, share of that of the few", "", large.drained/small.drained, atLeast(0.8))
	one("own memory at its peak", "MB", mega(large.anonymous), atMost(200))
	one("resident memory at its peak", "MB", mega(large.highest), nil)
	return nil
}

// heldBack takes n parts into an empty database while the platform is away, and
// delivers them.
func (b *bench) heldBack(ctx context.Context, open func(context.Context) (*database, error), n int) (p pile, err error) {
	db, err := open(ctx)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, db.drop()) }()
	g, err := b.startGateway(ctx, db, "off: true")
	if err != nil {
		return p, err
	}
	defer g.stop()
	if err := g.link(ctx, b.crowd(), b.posters); err != nil {
		return p, err
	}
	most := watchAnonymous(ctx, g.pid())
	err = b.pileUp(ctx, g, n, &p)
	if err == nil {
		err = b.drain(ctx, g, n, &p)
	}
	p.anonymous = most()
	if err != nil {
		return p, err
	}
	m, err := memoryOf(g.pid())
	p.highest = m.highest
	return p, err
}

// crowd is to how many customers a backlog goes: a hundred parts each.
func (b *bench) crowd() int { return min(maxPeople, max(b.customers, b.backlog/100)) }

// pileUp posts everything while the platform is away, and waits until the
// gateway has made messages of all of it.
func (b *bench) pileUp(ctx context.Context, g *gateway, n int, p *pile) error {
	if err := b.behave(ctx, behaviour{Away: true, Retry: retryAfter}); err != nil {
		return err
	}
	begun := time.Now()
	if err := b.post(ctx, g, 0, n, b.crowd(), 100); err != nil {
		return err
	}
	p.taken = float64(n) / time.Since(begun).Seconds()
	err := until(ctx, patience(n), 200*time.Millisecond, func() (bool, error) {
		routed, err := g.figure(ctx, `tidings_events_settled_total{state="routed"}`)
		return int(routed) >= n, err
	})
	p.made = float64(n) / time.Since(begun).Seconds()
	return err
}

// drain lets the platform come back and waits until everything is delivered.
func (b *bench) drain(ctx context.Context, g *gateway, n int, p *pile) error {
	if err := b.behave(ctx, behaviour{}); err != nil {
		return err
	}
	if err := b.await(ctx, g, n, n, patience(n)); err != nil {
		return err
	}
	c, err := b.counted(ctx)
	p.drained = float64(n) / time.Duration(c.Last-c.First).Seconds()
	return err
}
