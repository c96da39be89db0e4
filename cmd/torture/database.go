package main

import (
	"context"
	"errors"
	"path/filepath"
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

func openDatabase(_ context.Context, _ options, dir string) (database, error) {
	return file(filepath.Join(dir, "tidings.db")), nil
}

// file is a SQLite file.
type file string

func (f file) url() string { return "sqlite:" + string(f) }

func (file) failover(context.Context) error { return errors.New("a file has no standby") }

func (file) rejoin(context.Context) error { return errors.New("a file has no standby") }

func (file) close() {}
