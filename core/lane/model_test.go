package lane

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// deed is one thing that happens to the engine of TestModel.
type deed struct {
	kind string // append, fail, away, crash, stop
	lane int
	n    int           // items of an append, commits that fail
	take time.Duration // what goes by afterwards
}

func drawDeed(t *rapid.T) deed {
	return deed{
		kind: rapid.SampledFrom([]string{"append", "append", "append", "append", "fail", "away", "crash", "crash", "stop"}).Draw(t, "kind"),
		lane: rapid.IntRange(0, 3).Draw(t, "lane"),
		n:    rapid.IntRange(1, 2*headSize).Draw(t, "n"),
		take: time.Duration(rapid.IntRange(0, 40_000).Draw(t, "µs")) * time.Microsecond,
	}
}

// world is what outlives a process: the disk, and what has reached the outside.
type world struct {
	disk *memory
	seed int64
	room int
	soon bool // its disk is synced later

	mu     sync.Mutex
	tokens int
	begun  map[string]int // the try of a step that may have had its effect
	faults []string
}

func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// dice is random, but the same for the same run.
func (w *world) dice(sides int, about ...any) int {
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, append(about, w.seed)...)
	return int(h.Sum32()>>3) % sides
}

// life is one process: an engine and the disk as that process sees it.
type life struct {
	*world
	disk *memory
	e    *Engine
}

func (w *world) live() *life {
	store := Store(w.disk)
	if w.soon {
		store = newDeferred(w.disk, 700*time.Microsecond)
	}
	l := &life{world: w, disk: w.disk, e: New(store, quiet)}
	l.e.room = w.room
	l.e.Handle("w", kind(l, 2))
	l.e.Handle("m", kind(marker{l}, 2))
	if err := l.e.Start(context.Background()); err != nil {
		w.fault("Start: %v", err)
	}
	return l
}

func (l *life) Gate(it Item, now time.Time) Turn {
	if l.dice(4, "gate", it.Ref, now.UnixMilli()) == 0 {
		return Turn{At: now.Add(3 * time.Millisecond), All: l.dice(2, "all", it.Ref) == 0}
	}
	return Turn{}
}

// marker is a life whose steps are marked.
type marker struct{ *life }

func (marker) Mark(*Tx, Item) (bool, error) { return true, nil }

// steps is how many steps an item takes.
func (w *world) steps(ref int64) int { return 1 + w.dice(3, "steps", ref) }

func (l *life) Work(_ context.Context, it Item) Result {
	step := fmt.Sprintf("%d.%d", it.Ref, it.Step)
	token := l.begin(it, step)
	<-time.After(time.Duration(l.dice(5000, "takes", token)) * time.Microsecond)
	switch l.dice(8, "result", token) {
	case 0:
		panic("at times")
	case 1, 2:
		again := it
		again.Tries++
		again.Due = time.Now().Add(time.Duration(l.dice(20_000, "due", token)) * time.Microsecond)
		return Result{Item: again, Commit: func(tx *Tx) error { write(tx, "again %d", token); return nil }}
	}
	next := it
	next.Step, next.Tries, next.Due = it.Step+1, 0, time.Now()
	return Result{Done: it.Step >= l.steps(it.Ref), Item: next, Commit: func(tx *Tx) error {
		write(tx, "settle %d", token)
		write(tx, "in %s %s", it.Lane, step)
		if it.Step == 1 && l.dice(5, "more", it.Ref) == 0 && it.Ref < 1_000_000 {
			return l.append(tx, l.dice(4, "lane", it.Ref), it.Ref+1_000_000)
		}
		return nil
	}}
}

// begin notes that a step may have its effect from now on. Where an earlier try
// has no result on disk, whoever has a marker must know.
func (l *life) begin(it Item, step string) (token int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.begun[step]
	l.tokens++
	l.begun[step] = l.tokens
	if KindOf(it.Lane) != "m" || it.Found || before == 0 || l.disk != l.world.disk {
		return l.tokens
	}
	written := l.disk.written()
	if !slices.Contains(written, fmt.Sprintf("again %d", before)) {
		l.faults = append(l.faults, fmt.Sprintf("step %s was begun before, and nobody was told", step))
	}
	return l.tokens
}

func (l *life) append(tx *Tx, lane int, ref int64) error {
	name := []string{"w/a", "w/b", "m/a", "m/b"}[lane]
	write(tx, "to %s %d", name, ref)
	return enqueue(tx, name, ref)
}

// check compares what was settled, lane by lane, with what was appended.
func (w *world) check() {
	want, got := map[string][]string{}, map[string][]string{}
	for _, line := range w.disk.written() {
		f := strings.Fields(line)
		switch f[0] {
		case "to":
			ref, _ := strconv.ParseInt(f[2], 10, 64)
			for n := range w.steps(ref) {
				want[f[1]] = append(want[f[1]], fmt.Sprintf("%s.%d", f[2], n+1))
			}
		case "in":
			got[f[1]] = append(got[f[1]], f[2])
		}
	}
	for name := range want {
		if !slices.Equal(got[name], want[name]) {
			w.fault("lane %s: settled %v, want %v", name, got[name], want[name])
		}
	}
	if left := len(w.disk.items); left > 0 {
		w.fault("%d items left on disk", left)
	}
}

// play lets the deeds happen and returns what went wrong.
func (w *world) play(deeds []deed) []string {
	l, ref := w.live(), int64(0)
	for _, d := range deeds {
		switch d.kind {
		case "append":
			first := ref
			ref += int64(d.n)
			go func(l *life) {
				_ = l.e.Do(context.Background(), func(tx *Tx) error {
					for i := range int64(d.n) {
						if err := l.append(tx, d.lane, first+i); err != nil {
							return err
						}
					}
					return nil
				})
			}(l)
		case "fail":
			w.disk.refuse.Store(int64(d.n % 5))
		case "away":
			w.disk.away.Store(!w.disk.away.Load())
		case "stop":
			stop(l.e)
			w.disk.away.Store(false)
			l = w.live()
		case "crash":
			synctest.Wait() // whoever runs at this very moment has run
			dead := l
			w.mu.Lock()
			w.disk = w.disk.copy()
			w.disk.slow = dead.disk.slow
			w.mu.Unlock()
			stop(dead.e) // goes on in a world that nobody sees
			l = w.live()
		}
		<-time.After(d.take)
	}
	w.disk.refuse.Store(0)
	w.disk.away.Store(false)
	<-time.After(24 * time.Hour)
	stop(l.e)
	w.check()
	return w.faults
}

// Whatever happens, each lane settles each step of each item once, in the order
// in which they were appended, and no step with a marker is begun twice unknown
// to its worker.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		deeds := rapid.SliceOfN(rapid.Custom(drawDeed), 1, 25).Draw(rt, "deeds")
		w := &world{disk: newMemory(), seed: rapid.Int64().Draw(rt, "seed"), room: rapid.SampledFrom([]int{1, 2, 3, 100}).Draw(rt, "room"), begun: map[string]int{}}
		w.soon = rapid.Bool().Draw(rt, "soon")
		w.disk.slow = time.Duration(rapid.IntRange(0, 2).Draw(rt, "slow")) * 300 * time.Microsecond
		var faults []string
		synctest.Test(t, func(*testing.T) { faults = w.play(deeds) })
		if len(faults) > 0 {
			rt.Fatalf("%s", strings.Join(faults[:min(5, len(faults))], "\n"))
		}
	})
}
