package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"
)

// world is a torture under way.
type world struct {
	o         options
	platforms *platforms
	db        database
	replicas  []*replica
	shop      *shop
	mischief  *mischief
	begun     time.Time
	mood      *mood                           // nil: a fickle one
	door      func(http.Handler) http.Handler // through which the first replica reaches the platforms; nil: as the others
}

// torture does it all, and says what came of it.
func torture(ctx context.Context, o options) (v verdict, err error) {
	dir := o.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tidings-torture-"); err != nil {
			return v, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return v, err
	}
	w := &world{o: o, begun: time.Now()}
	defer w.close()
	if err := w.open(ctx, dir); err != nil {
		return v, err
	}
	w.o.Log("seed %d: %d blows at %d gateway(s) on %s, %d customers, %.0f messages/s",
		o.Seed, o.Kills, o.Replicas, o.Store, o.Customers, o.Rate)
	w.run(ctx)
	if err := w.calmDown(ctx); err != nil {
		return v, err
	}
	return w.judge(ctx)
}

// open opens the world around the gateways, starts them and links the customers.
func (w *world) open(ctx context.Context, dir string) (err error) {
	if w.db, err = openDatabase(ctx, w.o, dir); err != nil {
		return err
	}
	var public, internal []string
	for n := range w.o.Replicas {
		r, err := newReplica(w.o, dir, n)
		if err != nil {
			return err
		}
		w.replicas = append(w.replicas, r)
		public, internal = append(public, r.listen), append(internal, r.internal)
	}
	how := fickle(w.o.Seed)
	if w.mood != nil {
		how = *w.mood
	}
	if w.platforms, err = openPlatforms(how, public); err != nil {
		return err
	}
	for n, r := range w.replicas {
		s := settings{Listen: r.listen, Internal: r.internal, Store: w.db.url(), URLs: w.platforms.urls}
		if n == 0 && w.door != nil {
			if s.URLs, err = w.platforms.through(w.door); err != nil {
				return err
			}
		}
		if err := writeConfig(r.config, s); err != nil {
			return err
		}
		if err := r.start(); err != nil {
			return err
		}
		if err := r.ready(ctx); err != nil {
			return fmt.Errorf("%w: %s", err, r.tail())
		}
	}
	w.shop = &shop{api: newAPI(), hosts: internal, closing: make(chan struct{})}
	w.mischief = &mischief{o: w.o, replicas: w.replicas, db: w.db}
	return w.link(ctx)
}

func (w *world) link(ctx context.Context) error {
	for n := range w.o.Customers {
		c := newCustomer(n)
		w.platforms.enter[c.channel](c.address)
		if err := w.shop.api.vouch(ctx, w.replicas[n%len(w.replicas)].internal, c); err != nil {
			return err
		}
		w.shop.all = append(w.shop.all, c)
	}
	return nil
}

// run lets the shop post until the last blow has been dealt.
func (w *world) run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.shop.open(ctx, w.o.Seed, w.o.Rate)
	}()
	struck := make(chan struct{})
	go func() {
		defer close(struck)
		w.mischief.begin(ctx)
	}()
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-struck:
			close(w.shop.closing)
			<-done
			return
		case <-tick.C:
			w.o.Log("%s: %d of %d blows, %d messages accepted, %d pieces shown",
				time.Since(w.begun).Round(time.Second), w.mischief.dealt(), w.o.Kills, w.shop.posted.Load(), w.platforms.shown())
		}
	}
}

// calmDown waits until nothing is left to do, starts every gateway once more,
// which must not make anything happen, and waits again.
func (w *world) calmDown(ctx context.Context) error {
	if err := w.drain(ctx); err != nil {
		return err
	}
	for _, r := range w.replicas {
		if err := r.stop(); err != nil {
			w.mischief.faultf("%v: %s", err, r.tail())
		}
		if err := r.start(); err != nil {
			return err
		}
		if err := r.ready(ctx); err != nil {
			return fmt.Errorf("%w: %s", err, r.tail())
		}
	}
	return w.drain(ctx)
}

// drain waits until no message is open and no lane has work. Where nothing moves
// for too long it stops waiting: what is missing then is the judge's affair.
func (w *world) drain(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	shown, moved := w.platforms.shown(), time.Now()
	for {
		why := w.busy(ctx)
		if why == "" {
			return nil
		}
		if n := w.platforms.shown(); n != shown {
			shown, moved = n, time.Now()
		}
		if time.Since(moved) > w.o.Patience {
			w.mischief.faultf("nothing has moved for %s, and %s", w.o.Patience, why)
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// busy says what is still to be done; nothing, when that is nothing.
func (w *world) busy(ctx context.Context) string {
	for _, r := range w.replicas {
		lanes, err := w.shop.api.figure(ctx, r.internal, "tidings_lanes")
		switch {
		case err != nil:
			return err.Error()
		case lanes > 0:
			return fmt.Sprintf("%s has %v lanes with work", r.name, lanes)
		}
	}
	for _, state := range []string{"queued", "sending"} {
		open, err := w.shop.api.open(ctx, w.replicas[0].internal, state)
		switch {
		case err != nil:
			return err.Error()
		case open:
			return "a message is " + state
		}
	}
	return ""
}

func (w *world) close() {
	for _, r := range w.replicas {
		if r.cmd != nil && r.cmd.Process != nil {
			r.kill()
		}
		_ = r.log.Close()
	}
	if w.platforms != nil {
		w.platforms.closeAll()
	}
	if w.db != nil {
		w.db.close()
	}
}
