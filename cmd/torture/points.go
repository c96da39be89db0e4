package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"tidings/core/store/pgtest"
)

// theatre plays acts on one kind of database, again and again, and has the
// gateway die at one point after the other.
type theatre struct {
	o       options
	acts    []act
	besides []string // points at which it has died elsewhere
	dir     string
	db      *pgtest.Server // nil: each performance has a file

	mu sync.Mutex
	n  int

	plain  map[string]outcome // of each act, without a death
	plays  []play
	deaths int
	took   time.Duration
	longest,
	total float64
	faults []string
}

// play is a performance with deaths.
type play struct {
	act   act
	point string
	times []int // the lives end at this passing of the point
}

// tries is how often a play may miss its point: which statements share a
// transaction is up to the moment.
const tries = 4

// run lets the gateway die at every point of its acts.
func (t *theatre) run(ctx context.Context) error {
	begun := time.Now()
	defer func() { t.took = time.Since(begun) }()
	if t.o.Store == onPostgres {
		db, err := pgtest.Open(ctx)
		if err != nil {
			return err
		}
		t.db = db
		defer func() { _ = db.Close() }()
	}
	if err := t.rehearse(ctx); err != nil {
		return err
	}
	t.choose()
	t.each(ctx, len(t.plays), func(i int) { t.stage(ctx, t.plays[i]) })
	return ctx.Err()
}

// rehearse plays every act without a death.
func (t *theatre) rehearse(ctx context.Context) error {
	t.plain = map[string]outcome{}
	errs := make([]error, len(t.acts))
	t.each(ctx, len(t.acts), func(i int) {
		out, err := t.perform(ctx, t.acts[i], nil)
		if err == nil && len(out.faults) > 0 {
			err = fmt.Errorf("act %s, without a death: %q", t.acts[i].name, out.faults)
		}
		errs[i] = err
		t.o.Log("%s, act %s: %d points in %.2f s", t.o.Store, t.acts[i].name, len(out.points), out.seconds)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.plain[t.acts[i].name] = out
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// points are all that any act comes by.
func (t *theatre) points() []string {
	all := map[string]bool{}
	for _, out := range t.plain {
		for p := range out.points {
			all[p] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// choose says where to die: at each point, in each act that comes by it or, for a
// sample, in one of them, and there once.
func (t *theatre) choose() {
	for i, p := range t.points() {
		if slices.Contains(t.besides, p) || t.o.Sample && twin(p) {
			continue
		}
		all := t.scenes(p)
		if t.o.Sample {
			all = all[i%len(all):][:1]
		}
		for _, a := range all {
			t.plays = append(t.plays, play{a, p, []int{1}})
			n := t.plain[a.name].points[p]
			for _, times := range [][]int{{n/2 + 1}, {n}, {1, 1}} {
				if !t.o.Sample && (times[0] > 1 || len(times) > 1) {
					t.plays = append(t.plays, play{a, p, times})
				}
			}
		}
	}
}

// twin reports whether a sample does without a point: a death within a transaction
// leaves the same behind as one at its end, so that one of the two will do.
func twin(point string) bool {
	kind, text, _ := strings.Cut(point, " ")
	return kind == "write" && len(text)%2 == 0 || kind == "commit" && len(text)%2 == 1
}

// scenes are the acts in which to die at a point: those that come by, unless it
// is one act's own.
func (t *theatre) scenes(point string) (all []act) {
	for _, a := range t.acts {
		if t.plain[a.name].points[point] == 0 {
			continue
		}
		if slices.ContainsFunc(a.about, func(text string) bool { return strings.Contains(point, text) }) {
			return []act{a}
		}
		all = append(all, a)
	}
	return all
}

// each does n things, some at a time.
func (t *theatre) each(ctx context.Context, n int, do func(i int)) {
	var all sync.WaitGroup
	turns := make(chan struct{}, t.o.AtOnce)
	for i := range n {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-turns }()
			do(i)
		})
	}
	all.Wait()
}

// stage performs a play until its gateway has died, and judges it.
func (t *theatre) stage(ctx context.Context, p play) {
	lives := make([]string, len(p.times))
	for i, n := range p.times {
		lives[i] = fmt.Sprintf("%d %s", n, p.point)
	}
	var faults []string
	for try := 1; ; try++ {
		out, err := t.perform(ctx, p.act, lives)
		if err == nil && len(out.deaths) == 0 && try < tries {
			continue
		}
		faults = out.compare(t.plain[p.act.name])
		if err != nil {
			faults = append(faults, err.Error())
		}
		if len(out.deaths) == 0 && p.times[0] == 1 {
			faults = append(faults, fmt.Sprintf("it did not come by in %d tries", tries))
		}
		t.mu.Lock()
		t.deaths += len(out.deaths)
		t.longest, t.total = max(t.longest, out.seconds), t.total+out.seconds
		t.mu.Unlock()
		break
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range faults {
		f = fmt.Sprintf("act %s, death at passing %d of %q: %s", p.act.name, p.times, p.point, f)
		t.o.Log("%s", f)
		t.faults = append(t.faults, f)
	}
	t.n++
	if t.n%50 == 0 {
		t.o.Log("%d of %d plays, %d deaths, %d faults", t.n, len(t.plays), t.deaths, len(t.faults))
	}
}

// perform performs an act once, in a folder of its own.
func (t *theatre) perform(ctx context.Context, a act, lives []string) (outcome, error) {
	dir, err := os.MkdirTemp(t.dir, "play-")
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store := "sqlite:" + filepath.Join(dir, "tidings.db")
	if t.db != nil {
		if store, err = t.db.CreateDatabase(ctx); err != nil {
			return outcome{}, err
		}
	}
	r, err := newReplica(t.o, dir, 0)
	if err != nil {
		return outcome{}, err
	}
	return perform(ctx, a, r, store, lives)
}

// print writes the table, and then what is wrong.
func (t *theatre) print(out io.Writer) {
	kinds := map[string]int{}
	for _, p := range t.points() {
		kind, _, _ := strings.Cut(p, " ")
		kinds[kind]++
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "store\t%s\t\n", t.o.Store)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		_, _ = fmt.Fprintf(table, "points %s\t%d\t\n", kind, kinds[kind])
	}
	_, _ = fmt.Fprintf(table, "plays\t%d\t%.2f s each, the longest %.2f s\n", len(t.plays), t.total/float64(max(1, len(t.plays))), t.longest)
	_, _ = fmt.Fprintf(table, "deaths\t%d\t\n", t.deaths)
	_, _ = fmt.Fprintf(table, "seconds\t%.1f\t\n", t.took.Seconds())
	_ = table.Flush()
}
