package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"tidings/config"
	"tidings/core/lane"
)

// How long a stop may take: all of it is done within 15 s.
const (
	stopHTTP    = 4 * time.Second
	stopWorkers = 8 * time.Second
	purgeBatch  = 200
)

// heapGrowth is by how many per cent the heap may grow before it is collected.
// What lives in it is small, and collecting it at Go's 100 costs a tenth of the
// processor time under load. GOGC in the environment overrules it.
const heapGrowth = 150

func setHeapGrowth() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}

// side is a handler and the listener it serves.
type side struct {
	listener net.Listener
	handler  http.Handler
}

// start begins to work and to serve. The returned function stops everything.
func (g *gateway) start(ctx context.Context, sides []side) (stop func(), err error) {
	setHeapGrowth()
	cfg := g.cfg.Load()
	if err := whileAway(ctx, g.log, func() error { return g.rename(ctx, cfg) }); err != nil {
		return nil, err
	}
	if err := whileAway(ctx, g.log, func() error { return g.out.Restore(ctx) }); err != nil {
		return nil, fmt.Errorf("cannot read the channels' pauses: %w", err)
	}
	if err := g.engine.Start(ctx); err != nil {
		return nil, fmt.Errorf("cannot read what was left to do: %w", err)
	}
	servers := g.serve(sides)
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go g.inbound.Poll(background, cfg.Commerce.Poll)
	go g.again.Run(background)
	go g.keepHouse(background)
	g.ready.Store(true)
	return func() {
		g.ready.Store(false)
		cancel()
		stopServers(servers)
		limit, done := context.WithTimeout(context.WithoutCancel(ctx), stopWorkers)
		defer done()
		g.engine.Stop(limit)
		if err := g.store.Close(); err != nil {
			g.log.Error("the database did not close cleanly", "err", err)
		}
	}, nil
}

// listen opens the public and the internal side.
func (g *gateway) listen() ([]side, error) {
	cfg := g.cfg.Load()
	wanted := []struct {
		addr    string
		handler http.Handler
	}{{cfg.Server.Listen, g.web.Public()}, {cfg.Server.InternalListen, g.web.Internal()}}
	if cfg.Server.InternalListen == config.Same {
		wanted = wanted[:1]
		wanted[0].handler = g.web.Both()
	}
	var sides []side
	for _, w := range wanted {
		l, err := net.Listen("tcp", w.addr)
		if err != nil {
			for _, open := range sides {
				_ = open.listener.Close()
			}
			return nil, fmt.Errorf("listen: %w", err)
		}
		sides = append(sides, side{l, w.handler})
	}
	return sides, nil
}

func (g *gateway) serve(sides []side) []*http.Server {
	var servers []*http.Server
	for _, x := range sides {
		s := &http.Server{
			Handler: x.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
			WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
			ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		}
		servers = append(servers, s)
		go func() {
			if err := s.Serve(x.listener); !errors.Is(err, http.ErrServerClosed) {
				g.log.Error("the server ended", "err", err)
			}
		}()
	}
	return servers
}

func stopServers(servers []*http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopHTTP)
	defer cancel()
	for _, s := range servers {
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close()
		}
	}
}

// rename gives the links of renamed channels their new name.
func (g *gateway) rename(ctx context.Context, cfg *config.Config) error {
	for _, c := range cfg.Channels {
		if c.Was == "" {
			continue
		}
		if err := g.store.RenameChannel(ctx, c.Was, c.Name); err != nil {
			return fmt.Errorf("channel %s: take over the links of %s: %w", c.Name, c.Was, err)
		}
	}
	return nil
}

// keepHouse removes what has been kept long enough, in small batches, and moves
// messages away from channels that have been broken for too long.
func (g *gateway) keepHouse(ctx context.Context) {
	tick := time.NewTicker(housekeep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !g.engine.Leads() {
			continue // another process does
		}
		if err := g.out.Sweep(ctx); err != nil && ctx.Err() == nil {
			g.log.Error("cannot move messages to their next channels", "err", err)
		}
		if err := g.purge(ctx); err != nil && ctx.Err() == nil {
			g.log.Error("cannot remove what has been kept long enough", "err", err)
		}
	}
}

func (g *gateway) purge(ctx context.Context) error {
	keep := g.cfg.Load().Retention
	for {
		var gone int64
		err := g.engine.Do(ctx, func(tx *lane.Tx) error {
			now := time.Now()
			var err error
			gone, err = tx.Purge(now.Add(-keep.Messages), now.Add(-keep.Updates), now.Add(-keep.Dedupe), purgeBatch)
			return err
		})
		if err != nil || gone == 0 {
			return err
		}
	}
}
