package main

import (
	"context"
	"errors"
	"net"
	"time"
)

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
