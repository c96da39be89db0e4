package lane

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// deferred is a memory that is put on its disk later.
type deferred struct {
	*memory
	takes   time.Duration
	syncs   *atomic.Int64
	failing *atomic.Bool
}

func newDeferred(m *memory, takes time.Duration) deferred {
	return deferred{memory: m, takes: takes, syncs: new(atomic.Int64), failing: new(atomic.Bool)}
}

func (d deferred) UpdateSoon(ctx context.Context, fn func(StoreTx) error) (Syncer, error) {
	return d, d.Update(ctx, fn)
}

func (d deferred) Durable() error {
	d.syncs.Add(1)
	pass(d.takes)
	if d.failing.Load() {
		return errAway
	}
	return nil
}

// Nobody is told of what is not durable, the next transaction is run meanwhile,
// and those that have been run by then share a sync.
func TestNextTransactionRunsWhileOneIsSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeferred(newMemory(), 10*time.Millisecond)
		e := start(t, d, recorder(), 4)
		begin := time.Now()
		var ran, told journal
		for i := range 4 {
			go func() {
				err := e.Do(t.Context(), func(tx *Tx) error {
					ran.add("%d at %v", i, time.Since(begin))
					write(tx, "%d", i)
					return nil
				})
				told.add("%d at %v: %v", i, time.Since(begin), err)
			}()
			<-time.After(time.Millisecond)
		}
		<-time.After(time.Second)
		same(t, "run", ran.all(), []string{"0 at 0s", "1 at 1ms", "2 at 2ms", "3 at 10ms"})
		lines := told.all()
		slices.Sort(lines) // those of one sync are told at once
		same(t, "told", lines, []string{
			"0 at 10ms: <nil>", "1 at 20ms: <nil>", "2 at 20ms: <nil>", "3 at 30ms: <nil>",
		})
		same(t, "syncs", d.syncs.Load(), int64(3))
	})
}

// What could not be put on the disk is told as unavailable, also to those who
// came after it.
func TestFailedSyncIsToldToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeferred(newMemory(), 10*time.Millisecond)
		d.failing.Store(true)
		e := start(t, d, recorder(), 4)
		var told journal
		for range 3 {
			go func() {
				told.add("%v", IsUnavailable(e.Do(t.Context(), func(tx *Tx) error { write(tx, "x"); return nil })))
			}()
		}
		<-time.After(time.Second)
		same(t, "told", told.all(), []string{"true", "true", "true"})
		d.failing.Store(false)
	})
}

// A mark whose commit is being synced when the engine stops is put back too.
func TestStopWaitsForTheSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeferred(newMemory(), time.Second)
		e := start(t, d, marking{worker: recorder()}, 4)
		go put(t, e, "w/1", 1)
		<-time.After(100 * time.Millisecond)
		same(t, "mark on disk", d.lane("w/1")[0].Mark, 1)
		stop(e)
		same(t, "written", len(d.written()), 0)
		same(t, "mark after Stop", d.lane("w/1")[0].Mark, 0)
	})
}
