package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"tidings/core/store/pgtest"
)

// deaths is what came of letting the gateway die at every place at which it
// writes or sends.
type deaths struct {
	theatres []*theatre
	known    int      // statements that write
	untried  []string // those for which a database is missing
	faults   []string
}

// dieEverywhere builds the gateway that can be told where to die, and tells it.
// All acts are played on the one database; what is different on PostgreSQL, which
// several processes share, is played there.
func dieEverywhere(ctx context.Context, o options) (d deaths, err error) {
	dir, err := os.MkdirTemp(o.Keep, "tidings-points-")
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.Binary = filepath.Join(dir, "tidings")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-tags", "faultpoints", "-o", o.Binary, "tidings/cmd/tidings") //nolint:gosec // a path of our own
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return d, fmt.Errorf("go build: %w\n%s", err, out)
	}
	first := &theatre{o: o, acts: acts, dir: dir}
	if o.Store == onPostgres {
		first.acts = slices.Concat(sharedActs, acts)
	}
	d.theatres = append(d.theatres, first)
	if err := first.run(ctx); err != nil {
		return d, err
	}
	if o.Store == onSQLite {
		o.Store = onPostgres
		second := &theatre{o: o, acts: sharedActs, besides: first.points(), dir: dir}
		switch err := second.run(ctx); {
		case err == nil:
			d.theatres = append(d.theatres, second)
		case !errors.Is(err, pgtest.ErrMissing):
			return d, err
		}
	}
	return d, d.enumerate(ctx, len(d.theatres) == 1 && first.o.Store == onSQLite)
}

// enumerate holds the points against the source.
func (d *deaths) enumerate(ctx context.Context, alone bool) error {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "tidings").Output()
	if err != nil {
		return fmt.Errorf("where is the source: %w", err)
	}
	all, err := statements(strings.TrimSpace(string(out)))
	if err != nil {
		return err
	}
	d.known = len(all)
	var points []string
	for _, t := range d.theatres {
		points = append(points, t.points()...)
		d.faults = append(d.faults, t.faults...)
	}
	for _, w := range unmet(all, points) {
		// Shards and leases are PostgreSQL's.
		if alone && (strings.Contains(w.at, "/postgres") || strings.Contains(w.text, "shard")) {
			d.untried = append(d.untried, w.at+": "+w.text)
			continue
		}
		d.faults = append(d.faults, fmt.Sprintf("%s: no act comes by %q; add to one what does", w.at, w.text))
	}
	return nil
}

// print writes the tables, and then what is wrong.
func (d *deaths) print(out io.Writer) {
	_, _ = fmt.Fprintf(out, "statements that write, in the source: %d\n", d.known)
	for _, t := range d.theatres {
		t.print(out)
	}
	for _, u := range d.untried {
		_, _ = fmt.Fprintln(out, "NOT TRIED, there is no PostgreSQL:", u)
	}
	for _, f := range d.faults {
		_, _ = fmt.Fprintln(out, "FAULT", f)
	}
}
