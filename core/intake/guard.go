package intake

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"tidings/core"
)

// How many calls a shop gets at once, and when it is left alone.
const (
	shopCalls   = 24
	shopTurn    = 100 * time.Millisecond
	shopBreaks  = 8               // failures in a row
	shopRests   = 2 * time.Second // before it is tried again
	shopBusyFor = 200 * time.Millisecond
)

// guarded bounds how much of the gateway can wait for the shop at once, and
// stops asking for a moment when it does not answer: a shop that is slow or
// away holds the lanes of those who need it and nobody else's.
type guarded struct {
	core.Shop
	history core.History // the same shop; nil: it has none
	turns   chan struct{}
	breaker *gobreaker.CircuitBreaker[struct{}]
}

// Guard returns a shop that fails fast when too many wait for it or when it is away.
func Guard(shop core.Shop) core.History { return guard(shop) }

func guard(shop core.Shop) *guarded {
	history, _ := shop.(core.History)
	return &guarded{
		Shop: shop, history: history, turns: make(chan struct{}, shopCalls),
		breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Name: "shop", Timeout: shopRests,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= shopBreaks },
			IsSuccessful: func(err error) bool { return err == nil || answered(err) },
		}),
	}
}

// Calls returns the guard of a shop, for whatever else is asked of the same
// installation. For nil it is a guard of its own.
func Calls(shop core.Shop) func(ctx context.Context, call func() error) error {
	if g, ok := shop.(*guarded); ok {
		return g.do
	}
	return guard(nil).do
}

// answered reports whether the shop said no, rather than nothing.
func answered(err error) bool {
	switch core.ClassOf(err) {
	case core.Rejected, core.Misconfigured, core.Throttled:
		return true
	}
	return errors.Is(err, context.Canceled)
}

func (g *guarded) do(ctx context.Context, call func() error) error {
	turn := time.NewTimer(shopTurn)
	defer turn.Stop()
	select {
	case g.turns <- struct{}{}:
	case <-turn.C:
		return &core.ShopError{Class: core.Temporary, RetryAfter: shopBusyFor, Type: "busy", Err: errors.New("too many calls are waiting for the shop")}
	case <-ctx.Done():
		return &core.ShopError{Class: core.Temporary, Type: "busy", Err: ctx.Err()}
	}
	defer func() { <-g.turns }()
	_, err := g.breaker.Execute(func() (struct{}, error) { return struct{}{}, call() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return &core.ShopError{Class: core.Temporary, RetryAfter: shopRests / 2, Type: "away", Err: errors.New("the shop has not answered lately")}
	}
	return err
}

func (g *guarded) Order(ctx context.Context, q core.OrderQuery) (o core.Order, err error) {
	err = g.do(ctx, func() (err error) { o, err = g.Shop.Order(ctx, q); return err })
	return o, err
}

func (g *guarded) Tracking(ctx context.Context, q core.OrderQuery, c core.Consignment) (full core.Consignment, err error) {
	err = g.do(ctx, func() (err error) { full, err = g.Shop.Tracking(ctx, q, c); return err })
	return full, err
}

func (g *guarded) Return(ctx context.Context, q core.OrderQuery, code string) (r core.Return, err error) {
	err = g.do(ctx, func() (err error) { r, err = g.Shop.Return(ctx, q, code); return err })
	return r, err
}

// errNoHistory is what a shop answers that cannot be asked for what it has not reported.
var errNoHistory = &core.ShopError{Class: core.Rejected, Type: "none", Err: errors.New("this shop has no history")}

func (g *guarded) Orders(ctx context.Context, site, uid string, since time.Time) (all []core.EntityState, err error) {
	if g.history == nil {
		return nil, errNoHistory
	}
	err = g.do(ctx, func() (err error) { all, err = g.history.Orders(ctx, site, uid, since); return err })
	return all, err
}

func (g *guarded) Returns(ctx context.Context, site, uid string, since time.Time) (all []core.EntityState, err error) {
	if g.history == nil {
		return nil, errNoHistory
	}
	err = g.do(ctx, func() (err error) { all, err = g.history.Returns(ctx, site, uid, since); return err })
	return all, err
}

func (g *guarded) StatusFeed(ctx context.Context, site string, since time.Time) (all []core.EntityState, asOf time.Time, err error) {
	if g.history == nil {
		return nil, asOf, errNoHistory
	}
	err = g.do(ctx, func() (err error) { all, asOf, err = g.history.StatusFeed(ctx, site, since); return err })
	return all, asOf, err
}
