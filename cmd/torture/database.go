package main

import (
	"context"
	"errors"
	"path/filepath"

	"tidings/core/store/pgtest"
)

// database is where the gateways keep everything.
type database interface {
	url() string
	// failover kills the primary server; its standby takes over. It returns when
	// the database can be written again.
	failover(ctx context.Context) error
	// rejoin makes the killed server the new standby.
	rejoin(ctx context.Context) error
	close()
}

// openDatabase opens what the options ask for: a pair of servers where one is to fail.
func openDatabase(ctx context.Context, o options, dir string) (database, error) {
	switch {
	case o.Store == onSQLite:
		return file("sqlite:" + filepath.Join(dir, "tidings.db")), nil
	case o.URL != "":
		return file(o.URL), nil
	case o.Failovers > 0:
		p, err := pgtest.OpenPair(ctx)
		if err != nil {
			return nil, err
		}
		return pair{p}, nil
	}
	s, err := pgtest.Open(ctx)
	if err != nil {
		return nil, err
	}
	return server{file(s.URL()), s}, nil
}

var errAlone = errors.New("there is no standby")

// file is a database that nobody fails over, by its URL.
type file string

func (f file) url() string { return string(f) }

func (file) failover(context.Context) error { return errAlone }

func (file) rejoin(context.Context) error { return errAlone }

func (file) close() {}

// server is a PostgreSQL server alone.
type server struct {
	file
	pg *pgtest.Server
}

func (s server) close() { _ = s.pg.Close() }

// pair is a PostgreSQL server and its standby.
type pair struct{ pg *pgtest.Pair }

func (p pair) url() string { return p.pg.URL() }

func (p pair) failover(ctx context.Context) error { return p.pg.Failover(ctx) }

func (p pair) rejoin(ctx context.Context) error { return p.pg.Rejoin(ctx) }

func (p pair) close() { _ = p.pg.Close() }
