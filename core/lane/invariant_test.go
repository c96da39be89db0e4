package lane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorder writes a line for each item that is done.
func recorder() worker {
	return worker{work: func(_ context.Context, it Item) Result {
		return Result{Done: true, Commit: func(tx *Tx) error { write(tx, "%d", it.Ref); return nil }}
	}}
}

func lines(refs ...int64) []string {
	var all []string
	for _, ref := range refs {
		all = append(all, fmt.Sprint(ref))
	}
	return all
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Invariant 1: a row with a lower id that becomes visible after a higher one is
// not lost, as it would be behind a cursor.
func TestInvariant1NoCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		for i := range int64(2 * headSize) {
			m.items[100+i] = Item{ID: 100 + i, Lane: "w/1", Ref: 100 + i, Step: 1}
		}
		m.nextID = 1000
		w := recorder()
		record := w.work
		w.work = func(ctx context.Context, it Item) Result {
			if it.Ref == 100+headSize-2 { // another writer's transaction, begun before, ends only now
				m.mu.Lock()
				m.items[50] = Item{ID: 50, Lane: "w/1", Ref: 50, Step: 1}
				m.mu.Unlock()
			}
			return record(ctx, it)
		}
		start(t, m, w, 1)
		synctest.Wait()

		want := lines(upTo(2*headSize + 99)[99:]...)
		want = append(want[:headSize:headSize], append([]string{"50"}, want[headSize:]...)...)
		same(t, "done", m.written(), want)
	})
}

// Invariant 2: while the database is away the lane does not move and the work
// is not repeated; result and new work come together, once.
func TestInvariant2ResultAndNewWorkAreOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var worked journal
		hold := make(chan struct{}, 2)
		e := New(m, quiet)
		e.Handle("w", kind(worker{work: func(_ context.Context, it Item) Result {
			worked.add("%d", it.Ref)
			<-hold
			return Result{Done: true, Commit: func(tx *Tx) error {
				write(tx, "done %d", it.Ref)
				return tx.Append("next/1", it.Ref, time.Time{}, Normal)
			}}
		}}, 1))
		e.Handle("next", kind(recorder(), 1))
		run(t, e)

		put(t, e, "w/1", 1, 2)
		hold <- struct{}{}
		hold <- struct{}{}
		synctest.Wait()
		same(t, "worked", worked.all(), []string{"1", "2"})
		same(t, "written", slices.Sorted(slices.Values(m.written())), []string{"1", "2", "done 1", "done 2"})

		m.refuse.Store(1)
		if err := e.Do(t.Context(), func(tx *Tx) error { return tx.Append("w/1", 9, time.Time{}, Normal) }); !IsUnavailable(err) {
			t.Errorf("Do while the database is away: got %v, want ErrUnavailable", err)
		}
		put(t, e, "w/1", 3)
		m.away.Store(true)
		hold <- struct{}{}
		<-time.After(time.Hour)
		same(t, "worked while away", worked.all(), []string{"1", "2", "3"})
		same(t, "left while away", refsOf(m.lane("w/1")), []int64{3})

		m.away.Store(false)
		<-time.After(settleGapMax)
		synctest.Wait()
		same(t, "worked when it is back", worked.all(), []string{"1", "2", "3"})
		same(t, "written when it is back", m.written()[4:], []string{"done 3", "3"})
	})
}

// Invariant 3: never two workers in one lane, and its items in order, whatever
// becomes of each try, beside many other lanes.
func TestInvariant3OneWorkerPerLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, each = 40, 25
		m := newMemory()
		var busy [lanes + 1]atomic.Int32
		e := start(t, m, worker{
			gate: func(it Item, now time.Time) time.Time {
				if it.Ref%4 == 0 && now.UnixMilli()%3 != 0 {
					return now.Add(time.Millisecond)
				}
				return now
			},
			work: func(_ context.Context, it Item) Result {
				var n int
				_, _ = fmt.Sscanf(it.Lane, "w/%d", &n)
				if busy[n].Add(1) != 1 {
					t.Errorf("lane %s: two workers", it.Lane)
				}
				defer busy[n].Add(-1)
				<-time.After(time.Duration(it.Ref%7) * time.Millisecond)
				switch (it.Ref*31 + int64(it.Tries)*7 + int64(n)) % 6 {
				case 0:
					it.Tries++
					it.Due = time.Now().Add(time.Duration(it.Ref%5) * time.Millisecond)
					return Result{Item: it}
				case 1:
					if it.Tries < 3 {
						panic("at times")
					}
				}
				return Result{Done: true, Commit: func(tx *Tx) error { write(tx, "%s:%d", it.Lane, it.Ref); return nil }}
			},
		}, 16)
		var wg sync.WaitGroup
		for n := range lanes {
			wg.Go(func() {
				for ref := range int64(each) {
					put(t, e, fmt.Sprintf("w/%d", n), ref)
				}
			})
		}
		wg.Wait()
		<-time.After(time.Hour)
		byLane := map[string][]string{}
		for _, line := range m.written() {
			name, ref, _ := strings.Cut(line, ":")
			byLane[name] = append(byLane[name], ref)
		}
		for n := range lanes {
			name := fmt.Sprintf("w/%d", n)
			want := append([]string{"0"}, lines(upTo(each-1)...)...)
			same(t, name, byLane[name], want)
		}
		same(t, "lanes still in memory", e.Stats().Lanes, 0)
	})
}

// Invariant 4: work sees its own mark on disk, however it came there: with the
// append, with the settle of what was before, or in a commit of its own.
func TestInvariant4MarkIsDurableBeforeWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var held atomic.Bool
		held.Store(true)
		var worked journal
		e := start(t, m, marking{worker: worker{
			gate: func(it Item, now time.Time) time.Time {
				if it.Ref == 3 && held.Load() { // cannot ride in the settle of 2
					held.Store(false)
					return now.Add(time.Second)
				}
				return now
			},
			work: func(_ context.Context, it Item) Result {
				onDisk := m.lane(it.Lane)
				if len(onDisk) == 0 || onDisk[0].Ref != it.Ref || onDisk[0].Mark != it.Step {
					t.Errorf("work on %d, step %d: on disk is %+v, want its mark", it.Ref, it.Step, onDisk)
				}
				if it.Found {
					t.Errorf("work on %d: found, want it made by ourselves", it.Ref)
				}
				worked.add("%d.%d", it.Ref, it.Step)
				if it.Ref == 2 && it.Step < 3 {
					it.Step++
					return Result{Item: it}
				}
				return Result{Done: true}
			},
		}}, 4)
		before := m.calls.Load()
		put(t, e, "w/1", 1, 2, 3)
		<-time.After(time.Minute)
		same(t, "worked", worked.all(), []string{"1.1", "2.1", "2.2", "2.3", "3.1"})
		// One commit accepts (and marks 1), five settle (and mark 2 and its
		// further steps), one marks 3.
		same(t, "commits", m.calls.Load()-before, int64(7))
	})
}

// Invariant 4: no durable mark, no work.
func TestInvariant4NoMarkNoWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.items[1] = Item{ID: 1, Lane: "w/1", Ref: 1, Step: 1}
		var worked journal
		m.refuse.Store(1 << 30)
		start(t, m, marking{worker: worker{work: func(_ context.Context, it Item) Result {
			worked.add("%d", it.Ref)
			return Result{Done: true}
		}}}, 4)
		<-time.After(time.Hour)
		same(t, "worked without a mark", worked.len(), 0)
		m.refuse.Store(0)
		<-time.After(2 * time.Second)
		same(t, "worked with one", worked.all(), []string{"1"})
	})
}

// Invariant 4: whoever finds a mark is told; whoever made it is not.
func TestInvariant4FoundAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		sending := make(chan struct{})
		first := start(t, m, marking{worker: worker{work: func(ctx context.Context, it Item) Result {
			close(sending)
			<-ctx.Done()
			return Result{Done: true}
		}}}, 4)
		put(t, first, "w/1", 1, 2)
		<-sending
		disk := m.copy() // as a process finds it after this one was killed

		var worked journal
		start(t, disk, marking{worker: worker{work: func(_ context.Context, it Item) Result {
			worked.add("%d %v", it.Ref, it.Found)
			if it.Found { // and once more, knowingly
				return Result{Item: it}
			}
			return Result{Done: true}
		}}}, 4)
		synctest.Wait()
		same(t, "worked after the restart", worked.all(), []string{"1 true", "1 false", "2 false"})
		stop, cancel := context.WithCancel(context.Background())
		cancel()
		first.Stop(stop)
	})
}

// Invariant 4: a worker that panicked may have done its work.
func TestInvariant4FoundAfterPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var worked journal
		e := start(t, m, marking{worker: worker{work: func(_ context.Context, it Item) Result {
			worked.add("%d %v %d", it.Ref, it.Found, it.Tries)
			if it.Tries < 2 {
				panic("oh")
			}
			return Result{Done: true}
		}}}, 4)
		put(t, e, "w/1", 1, 2)
		<-time.After(time.Hour)
		same(t, "worked", worked.all(), []string{"1 false 0", "1 true 1", "1 true 2", "2 false 0", "2 true 1", "2 true 2"})
	})
}

// Invariant 5: one transaction for all who wait, and one caller's failure is
// that caller's alone.
func TestInvariant5OneCommitForManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 30
		m := newMemory()
		e := start(t, m, recorder(), 4)
		first := make(chan struct{})
		go do(t, e, func(*Tx) error { <-first; return nil })
		synctest.Wait()

		errs := make([]error, callers)
		refused := errors.New("refused")
		gone, cancel := context.WithCancel(t.Context())
		for i := range callers {
			ctx := t.Context()
			if i%5 == 3 {
				ctx = gone
			}
			go func() {
				errs[i] = e.Do(ctx, func(tx *Tx) error {
					write(tx, "caller %d", i)
					switch i % 5 {
					case 1:
						return refused
					case 2:
						panic(refused)
					}
					return nil
				})
			}()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		before := m.calls.Load()
		close(first)
		synctest.Wait()
		same(t, "commits", m.calls.Load()-before, int64(1))
		var want []string
		for i, err := range errs {
			switch i % 5 {
			case 1:
				if !errors.Is(err, refused) || IsUnavailable(err) {
					t.Errorf("caller %d: got %v, want its own error", i, err)
				}
			case 2:
				if err == nil || IsUnavailable(err) || strings.Contains(err.Error(), "refused") {
					t.Errorf("caller %d: got %v, want an error that tells of a panic, not of its value", i, err)
				}
			case 3:
				if !IsUnavailable(err) || !errors.Is(err, context.Canceled) {
					t.Errorf("caller %d: got %v, want ErrUnavailable for a ctx that ended", i, err)
				}
			default:
				if err != nil {
					t.Errorf("caller %d: got %v", i, err)
				}
			}
		}
		for _, line := range m.written() {
			var i int
			_, _ = fmt.Sscanf(line, "caller %d", &i)
			if i%5 != 0 && i%5 != 4 {
				t.Errorf("written: got %q, want it undone", line)
			}
			want = append(want, line)
		}
		same(t, "callers written", len(want), callers*2/5)
	})
}
