package lane

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Invariant 6: what is appended to a lane that is not wholly in memory comes
// after what waits on disk.
func TestInvariant6AppendBehindWhatIsOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3*headSize + 5
		m := newMemory()
		w := recorder()
		record := w.work
		w.work = func(ctx context.Context, it Item) Result {
			<-time.After(time.Millisecond)
			return record(ctx, it)
		}
		e := start(t, m, w, 1)
		put(t, e, "w/1", upTo(n)...)
		for ref := int64(n + 1); ref <= 3*n; ref++ {
			put(t, e, "w/1", ref)
			<-time.After(700 * time.Microsecond)
		}
		<-time.After(time.Hour)
		same(t, "done", m.written(), lines(upTo(3*n)...))
	})
}

// Invariant 6: a lane that memory does not know yet may have work on disk.
func TestInvariant6AppendDuringDiscovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.items[1], m.items[2], m.nextID = Item{ID: 1, Lane: "w/1", Ref: 1, Step: 1}, Item{ID: 2, Lane: "w/2", Ref: 1, Step: 1}, 2
		listing := make(chan struct{})
		m.beforeList.set(func() { <-listing })
		e := New(m, quiet)
		e.Handle("w", kind(marking{worker: recorder()}, 4))
		t.Cleanup(func() { e.Stop(context.Background()) })
		started := make(chan error)
		go func() { started <- e.Start(context.Background()) }()
		put(t, e, "w/1", 2)
		synctest.Wait()
		same(t, "done before all lanes are known", m.written(), lines(1, 2))
		close(listing)
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		same(t, "done", m.written(), lines(1, 2, 1))
	})
}

// Invariant 6: an item that is read from disk before its committer could tell
// of it is worked on once.
func TestInvariant6ReadBeforeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.items[1], m.nextID = Item{ID: 1, Lane: "w/1", Ref: 1, Step: 1}, 1
		onDisk, worked := make(chan struct{}), make(chan struct{})
		w := recorder()
		record := w.work
		w.work = func(ctx context.Context, it Item) Result {
			if it.Ref == 1 {
				close(worked)
			}
			return record(ctx, it)
		}
		e := New(m, quiet)
		e.Handle("w", kind(w, 1))
		m.beforeHead.set(func() {
			m.beforeHead.unset()
			m.committed.set(func() {
				m.committed.unset()
				close(onDisk)
				<-worked // the lane has been read by now, with both items
			})
			go put(t, e, "w/1", 2)
			<-onDisk
		})
		run(t, e)
		<-time.After(time.Minute)
		same(t, "done", m.written(), lines(1, 2))
	})
}

// Invariant 6: an item that is appended while its lane is being read is not lost.
func TestInvariant6AppendWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.items[1], m.nextID = Item{ID: 1, Lane: "w/1", Ref: 1, Step: 1}, 1
		e := New(m, quiet)
		e.Handle("w", kind(recorder(), 1))
		m.afterHead.set(func() {
			m.afterHead.unset()
			put(t, e, "w/1", 2)
		})
		run(t, e)
		<-time.After(time.Minute)
		same(t, "done", m.written(), lines(1, 2))
		same(t, "lanes still in memory", e.Stats().Lanes, 0)
	})
}

// Invariant 6: memory holds the head of a lane, however long the lane is.
func TestInvariant6MemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := start(t, m, worker{gate: func(_ Item, now time.Time) time.Time { return now.Add(time.Hour) }}, 1)
		for range 3 * headSize {
			put(t, e, "w/1", 1)
		}
		synctest.Wait()
		e.mu.Lock()
		got := len(e.lanes["w/1"].items)
		e.mu.Unlock()
		same(t, "items in memory", got, headSize)
		stop(e)
	})
}
