package lane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryComesWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, begin := newMemory(), time.Now()
		var worked journal
		e := start(t, m, worker{work: func(_ context.Context, it Item) Result {
			worked.add("%d after %v", it.Ref, time.Since(begin))
			if it.Tries == 3 || it.Ref == 2 {
				return Result{Done: true}
			}
			it.Tries++
			it.Due = time.Now().Add(time.Duration(it.Tries) * time.Minute)
			return Result{Item: it}
		}}, 1)
		put(t, e, "w/1", 1, 2)
		<-time.After(time.Hour)
		same(t, "worked", worked.all(), []string{"1 after 0s", "1 after 1m0s", "1 after 3m0s", "1 after 6m0s", "2 after 6m0s"})
	})
}

func TestItemsAreDueLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, begin := newMemory(), time.Now()
		var worked journal
		e := start(t, m, marking{worker: worker{work: func(_ context.Context, it Item) Result {
			worked.add("%d after %v", it.Ref, time.Since(begin))
			return Result{Done: true}
		}}}, 1)
		do(t, e, func(tx *Tx) error {
			return errors.Join(tx.Append("w/1", 1, begin.Add(time.Hour), Normal), tx.Append("w/1", 2, begin, Normal))
		})
		synctest.Wait()
		for _, it := range m.lane("w/1") {
			same(t, "mark of what must wait", it.Mark, 0)
		}
		<-time.After(2 * time.Hour)
		same(t, "worked", worked.all(), []string{"1 after 1h0m0s", "2 after 1h0m0s"})
	})
}

// An engine that has nothing to do does nothing, and keeps nothing.
func TestIdleCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w := marking{worker: recorder(), mark: func(_ *Tx, it Item) (bool, error) { return it.Ref%2 == 0, nil }}
		e := start(t, m, w, 4)
		for i := range 100 {
			put(t, e, fmt.Sprintf("w/%d", i%10), int64(i))
		}
		_ = e.Do(t.Context(), func(tx *Tx) error { return errors.Join(tx.Append("w/x", 2, time.Time{}, Normal), errAway) })
		<-time.After(time.Second)
		same(t, "lanes in memory", e.Stats(), Stats{Shards: 1, Running: map[string]int{"w": 0}})
		same(t, "items on disk", len(m.copy().items), 0)
		before := m.calls.Load()
		<-time.After(time.Hour)
		same(t, "calls of the store in an idle hour", m.calls.Load()-before, int64(0))
	})
}

// Waiting for a time costs nothing either.
func TestWaitingCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var open atomic.Bool
		var gates atomic.Int64
		e := start(t, m, worker{gate: func(_ Item, now time.Time) time.Time {
			gates.Add(1)
			if open.Load() {
				return now
			}
			return now.Add(2 * time.Hour)
		}}, 4)
		put(t, e, "w/1", 1)
		synctest.Wait()
		before := m.calls.Load()
		<-time.After(time.Hour)
		same(t, "calls of the store", m.calls.Load()-before, int64(0))
		same(t, "questions to the gate", gates.Load(), int64(1))
		put(t, e, "w/1", 2)
		e.Kick("v/")
		synctest.Wait()
		same(t, "questions after an append and a kick of others", gates.Load(), int64(1))
		open.Store(true)
		e.Kick("w/")
		synctest.Wait()
		same(t, "lanes after a kick", e.Stats().Lanes, 0)
	})
}

func TestMarkThatSettles(t *testing.T) {
	for name, opened := range map[string]bool{"let start at once, and not marked": true, "later": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				var open atomic.Bool
				open.Store(opened)
				e := start(t, m, marking{
					worker: worker{
						gate: func(_ Item, now time.Time) time.Time {
							if !open.Load() {
								return now.Add(time.Minute)
							}
							return now
						},
						work: recorder().work,
					},
					mark: func(tx *Tx, it Item) (bool, error) {
						if it.Ref%3 == 0 {
							return true, nil
						}
						write(tx, "unwanted %d", it.Ref)
						return false, nil
					},
				}, 1)
				do(t, e, func(tx *Tx) error {
					now, err := tx.Reserve("w/1", time.Time{}, Normal)
					same(t, "may start at once", now, opened)
					for ref := range int64(7) {
						err = errors.Join(err, tx.Append("w/1", ref+1, time.Time{}, Normal))
					}
					return err
				})
				<-time.After(time.Second)
				open.Store(true)
				<-time.After(time.Hour)
				same(t, "written", m.written(), []string{
					"unwanted 1", "unwanted 2", "3", "unwanted 4", "unwanted 5", "6", "unwanted 7",
				})
			})
		})
	}
}

// A result whose own transaction fails is kept: it holds its lane, but no
// worker, and no work is repeated. A next item that cannot be marked does not
// keep the one before it from being settled.
func TestResultThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var worked journal
		var broken atomic.Bool
		broken.Store(true)
		e := start(t, m, marking{
			worker: worker{work: func(_ context.Context, it Item) Result {
				worked.add("%s %d", it.Lane, it.Ref)
				return Result{Done: true, Commit: func(tx *Tx) error {
					if it.Ref == 1 && broken.Load() {
						return errors.New("a row that breaks a rule")
					}
					write(tx, "%s %d", it.Lane, it.Ref)
					return nil
				}}
			}},
			mark: func(_ *Tx, it Item) (bool, error) {
				if it.Ref == 4 && broken.Load() {
					panic("a row that cannot be read")
				}
				return true, nil
			},
		}, 1)
		put(t, e, "w/1", 1, 2)
		put(t, e, "w/2", 3, 4, 5)
		<-time.After(10 * time.Minute)
		same(t, "worked", worked.all(), []string{"w/1 1", "w/2 3"})
		same(t, "written", m.written(), []string{"w/2 3"})
		broken.Store(false)
		<-time.After(10 * time.Minute)
		same(t, "worked in the end", len(worked.all()), 5)
		same(t, "written in the end", len(m.written()), 5)
	})
}

// One lane with very much to do takes its turns like any other.
func TestLongLaneDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		for i := range int64(10_000) {
			m.items[i+1] = Item{ID: i + 1, Lane: "w/long", Ref: i, Step: 1, Prio: Normal}
		}
		m.nextID = 10_000
		w := recorder()
		record := w.work
		w.work = func(ctx context.Context, it Item) Result {
			<-time.After(time.Millisecond)
			return record(ctx, it)
		}
		e := start(t, m, w, 1)
		<-time.After(10*time.Millisecond + time.Microsecond)
		before := len(m.written())
		for i := range 5 {
			put(t, e, fmt.Sprintf("w/short%d", i), -1)
		}
		<-time.After(7 * time.Millisecond)
		short := 0
		for _, line := range m.written()[before:] {
			if line == "-1" {
				short++
			}
		}
		same(t, "short lanes done within 7 ms of a worker's time", short, 5)
		stop(e)
	})
}

// stop ends an engine that still has work.
func stop(e *Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e.Stop(ctx)
}

// A pool that hangs keeps its limit and takes no worker from another.
func TestPoolsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := New(m, quiet)
		hang := make(chan struct{})
		e.Handle("slow", kind(worker{work: func(context.Context, Item) Result { <-hang; return Result{Done: true} }}, 3))
		e.Handle("fast", kind(recorder(), 3))
		run(t, e)
		for i := range 50 {
			put(t, e, fmt.Sprintf("slow/%d", i), 1)
			put(t, e, fmt.Sprintf("fast/%d", i), int64(i))
		}
		synctest.Wait()
		same(t, "running", e.Stats().Running, map[string]int{"slow": 3, "fast": 0})
		same(t, "fast ones done", len(m.written()), 50)
		close(hang)
		synctest.Wait()
		same(t, "lanes left", e.Stats().Lanes, 0)
	})
}

// More lanes than memory may know: the others wait on disk and have their turn.
func TestMoreLanesThanRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes = 200
		m := newMemory()
		for i := range int64(lanes) {
			m.items[i+1] = Item{ID: i + 1, Lane: fmt.Sprintf("w/%03d", i), Ref: 1, Step: 1}
		}
		m.nextID = lanes
		var most atomic.Int64
		w := worker{}
		e := New(m, quiet)
		e.room = 10
		w.work = func(_ context.Context, it Item) Result {
			<-time.After(time.Millisecond)
			most.Store(max(most.Load(), int64(e.Stats().Lanes)))
			return Result{Done: true, Commit: func(tx *Tx) error { write(tx, "%s %d", it.Lane, it.Ref); return nil }}
		}
		e.Handle("w", kind(w, 1))
		run(t, e)
		for ref := range int64(3) { // to lanes that memory knows and to those it does not
			for i := range lanes {
				put(t, e, fmt.Sprintf("w/%03d", i), ref+2)
			}
			<-time.After(37 * time.Millisecond)
		}
		m.away.Store(true)
		<-time.After(10 * time.Second)
		m.away.Store(false)
		<-time.After(time.Hour)
		next := map[string]int{}
		for _, line := range m.written() {
			name, ref, _ := strings.Cut(line, " ")
			next[name]++
			if got, want := ref, fmt.Sprint(next[name]); got != want {
				t.Errorf("lane %s: got item %s, want %s", name, got, want)
			}
		}
		same(t, "items done", len(m.written()), 4*lanes)
		if got := most.Load(); got > 10 {
			t.Errorf("lanes in memory: got %d, want at most 10", got)
		}
		before := m.calls.Load()
		<-time.After(time.Hour)
		same(t, "calls of the store in an idle hour", m.calls.Load()-before, int64(0))
	})
}

// Thousands of lanes are found at the start, page by page.
func TestManyLanesOnDisk(t *testing.T) {
	m := newMemory()
	const lanes = 2*discoverPage + 17
	for i := range int64(lanes) {
		m.items[i+1] = Item{ID: i + 1, Lane: fmt.Sprintf("w/%d", i), Ref: i, Step: 1}
	}
	var wg sync.WaitGroup
	wg.Add(lanes)
	m.nextID = lanes
	e := New(&indexed{m}, quiet)
	e.Handle("w", kind(worker{work: func(context.Context, Item) Result {
		return Result{Done: true, Commit: func(tx *Tx) error { tx.After(wg.Done); return nil }}
	}}, 64))
	run(t, e)
	wg.Wait()
}

// indexed reads a lane of one item without looking at all the others.
type indexed struct{ *memory }

func (m *indexed) Head(_ context.Context, lane string, _ int) ([]Item, error) {
	var n int64
	_, _ = fmt.Sscanf(lane, "w/%d", &n)
	m.mu.Lock()
	defer m.mu.Unlock()
	if it, ok := m.items[n+1]; ok {
		return []Item{it}, nil
	}
	return nil, nil
}

// Do gives up with its ctx even where the database hangs.
func TestDoGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := start(t, m, recorder(), 1)
		hang := make(chan struct{})
		m.committed.set(func() { <-hang })
		go func() { _ = e.Do(context.Background(), func(*Tx) error { return nil }) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		begin, called := time.Now(), false
		err := e.Do(ctx, func(*Tx) error { called = true; return nil })
		if !IsUnavailable(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Do: got %v, want ErrUnavailable for a deadline", err)
		}
		same(t, "waited", time.Since(begin), 2*time.Second)
		m.committed.unset()
		close(hang)
		synctest.Wait()
		same(t, "called after all", called, false)
	})
}

// What an fn refuses in a transaction that is not to be is no answer.
func TestRefusalInAFailedBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := start(t, m, recorder(), 1)
		m.refuse.Store(1)
		err := e.Do(t.Context(), func(*Tx) error { return errors.New("a duplicate") })
		if !IsUnavailable(err) {
			t.Errorf("Do: got %v, want ErrUnavailable", err)
		}
	})
}

func TestAfterRunsOnceDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := start(t, m, recorder(), 1)
		var ran journal
		try := func(name string, err error) error {
			return e.Do(t.Context(), func(tx *Tx) error {
				tx.After(func() { ran.add("%s", name); panic("no matter") })
				return err
			})
		}
		_ = try("refused", errAway)
		m.refuse.Store(1)
		_ = try("not durable", nil)
		if err := try("durable", nil); err != nil {
			t.Error(err)
		}
		same(t, "ran", ran.all(), []string{"durable"})
	})
}

// Nothing of what people wrote comes into the log by a panic.
func TestPanicsAreLoggedWithoutTheirValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		e := New(newMemory(), slog.New(slog.NewTextHandler(&out, nil)))
		e.Handle("w", kind(worker{work: func(_ context.Context, it Item) Result {
			if it.Tries == 0 {
				panic("ines@example.com")
			}
			return Result{Done: true}
		}}, 1))
		run(t, e)
		put(t, e, "w/1", 1)
		<-time.After(time.Minute)
		if strings.Contains(out.String(), "ines@") || !strings.Contains(out.String(), "panic=string") {
			t.Errorf("log: got %s, want the panic's type and not its value", out.String())
		}
	})
}

// A kind without a worker waits on disk and disturbs nobody.
func TestKindWithoutWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.items[1], m.nextID = Item{ID: 1, Lane: "x/1", Step: 1}, 1
		e := start(t, m, recorder(), 1)
		put(t, e, "x/2", 1)
		put(t, e, "w/1", 1)
		synctest.Wait()
		same(t, "written", m.written(), lines(1))
		same(t, "lanes on disk", len(m.copy().items), 2)
	})
}
