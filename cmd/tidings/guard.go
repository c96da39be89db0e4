package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"tidings/core/store"
)

// How long a start waits for a database that is away, and how often it asks.
const (
	storeWait = time.Minute
	storeGap  = 500 * time.Millisecond
)

// whileAway does a step of the start again while the database is changing over
// to its standby: a gateway that gave up would be one more thing to look after.
func whileAway(ctx context.Context, log *slog.Logger, step func() error) error {
	for begin := time.Now(); ; {
		err := step()
		if err == nil || !store.Away(err) || time.Since(begin) > storeWait {
			return err
		}
		log.Warn("the database is away; trying again", "err", err)
		select {
		case <-time.After(storeGap):
		case <-ctx.Done(): // a stop is no failure
			return errors.Join(ctx.Err(), err)
		}
	}
}

// errNotOurs is what a request ends with when this process may not work any more.
var errNotOurs = errors.New("this process has been stopped for too long; another may have taken over its work")

// alive reports whether this process may still work. A process that was frozen
// does not notice; what it was about to send may have been sent by another.
func (g *gateway) alive() bool { return g.engine == nil || g.engine.Alive() }

// guardedDial connects so that it is asked once more right before bytes leave.
func guardedDial(alive func() bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return guarded{c, alive}, nil
	}
}

type guarded struct {
	net.Conn
	alive func() bool
}

func (c guarded) Write(b []byte) (int, error) {
	if !c.alive() {
		return 0, errNotOurs
	}
	return c.Conn.Write(b)
}
