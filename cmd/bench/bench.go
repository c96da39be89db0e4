package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"tidings/core/store/pgtest"
)

// bench is one run.
type bench struct {
	options
	report

	dir              string
	platformURL      string
	platformPID      int
	client, steering *http.Client
	databases        int            // made so far
	server           *pgtest.Server // that was started for this; nil: none
}

// measure measures the parts that are wanted and writes down what was found.
func measure(ctx context.Context, args []string) error {
	o, err := readOptions(args)
	if err != nil {
		return err
	}
	if o.tidings, err = exec.LookPath(o.tidings); err != nil {
		return usageError{fmt.Errorf("there is no gateway to measure (make build): %w", err)}
	}
	if o.tidings, err = filepath.Abs(o.tidings); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "tidings-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{options: o, report: newReport(o), dir: dir, client: newClient(o.clients), steering: newClient(4)}
	p, at, err := startPlatform(ctx, filepath.Join(dir, "platform.log"))
	if err != nil {
		return err
	}
	defer p.stop()
	defer b.stopServer()
	b.platformURL, b.platformPID = at, p.pid()
	if err := b.all(ctx); err != nil {
		return errors.Join(err, p.ended())
	}
	return b.write(os.Stdout, o.json)
}

// all measures one part after the other.
func (b *bench) all(ctx context.Context) error {
	if _, err := b.bare(ctx, b.messages/4); err != nil { // warms both ends up
		return err
	}
	if err := b.measureDisk(ctx); err != nil {
		return err
	}
	for _, p := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"bare", b.measureBare},
		{"sqlite", b.measureSQLite},
		{"postgres", b.measurePostgres},
		{"backlog", b.measureBacklog},
		{"pace", b.measurePace},
	} {
		if !b.wants(p.name) {
			continue
		}
		b.sayf("measuring %s", p.name)
		if err := p.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func (b *bench) measureSQLite(ctx context.Context) error {
	return b.measureDatabase(ctx, func(context.Context) (*database, error) { return b.newSQLite(), nil })
}

// measurePostgres skips what is not there.
func (b *bench) measurePostgres(ctx context.Context) error {
	if why := b.withoutPostgres(ctx); why != "" {
		b.skip("postgres", why)
		return nil
	}
	return b.measureDatabase(ctx, b.newPostgres)
}

// withoutPostgres says why nothing can be measured on PostgreSQL; "" when it
// can. Where no server was named, it starts one.
func (b *bench) withoutPostgres(ctx context.Context) string {
	if b.postgres == "" {
		s, err := pgtest.Open(ctx)
		if err != nil {
			return "no server, and none was named with --postgres: " + err.Error()
		}
		b.server, b.postgres = s, s.URL()
	}
	if err := b.supports(ctx, b.postgres); err != nil {
		return "this gateway does not take it: " + err.Error()
	}
	return ""
}

func (b *bench) stopServer() {
	if b.server == nil {
		return
	}
	if err := b.server.Close(); err != nil {
		b.sayf("the database server did not end well: %v", err)
	}
}

// measureDatabase takes all figures of one kind of database.
func (b *bench) measureDatabase(ctx context.Context, open func(context.Context) (*database, error)) error {
	for _, step := range []func(context.Context, func(context.Context) (*database, error)) error{
		b.measureThroughput, b.measureAlone,
	} {
		if err := step(ctx, open); err != nil {
			return err
		}
	}
	return nil
}
