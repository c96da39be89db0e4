package lane

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopWaitsForWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w := recorder()
		record := w.work
		w.work = func(ctx context.Context, it Item) Result {
			<-time.After(5 * time.Second)
			return record(ctx, it)
		}
		e := start(t, m, marking{worker: w}, 4)
		put(t, e, "w/1", 1, 2)
		<-time.After(time.Second)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		e.Stop(ctx)
		same(t, "waited", time.Since(begin), 4*time.Second)
		same(t, "written", m.written(), lines(1))
		left := m.lane("w/1")
		same(t, "left", refsOf(left), []int64{2})
		same(t, "its mark", left[0].Mark, 0)
		if err := e.Do(context.Background(), func(*Tx) error { return nil }); !IsUnavailable(err) {
			t.Errorf("Do after Stop: got %v, want ErrUnavailable", err)
		}
		e.Stop(context.Background())
	})
}

func TestStopCutsWorkOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newMemory(), worker{work: func(ctx context.Context, it Item) Result {
			<-ctx.Done()
			return Result{Done: true}
		}}, 4)
		put(t, e, "w/1", 1)
		synctest.Wait()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		e.Stop(ctx)
		same(t, "waited", time.Since(begin), 15*time.Second)
	})
}

// Marks that rode in a commit and whose work has not begun are put back.
func TestStopPutsMarksBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := start(t, m, marking{worker: recorder()}, 4)
		m.committed.set(func() { // with the commit that marks item 2, before anybody has seen it
			if len(m.written()) == 1 {
				same(t, "mark on disk", m.lane("w/1")[0].Mark, 1)
				m.committed.unset()
				e.halt()
			}
		})
		put(t, e, "w/1", 1, 2, 3)
		synctest.Wait()
		e.Stop(context.Background())
		same(t, "written", m.written(), lines(1))
		for _, it := range m.lane("w/1") {
			same(t, "mark after Stop", it.Mark, 0)
		}
	})
}

// A mark that was made by an append which is still being committed is put back too.
func TestStopPutsBackMarksUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := start(t, m, marking{worker: recorder()}, 4)
		stopped := make(chan struct{})
		m.committed.set(func() {
			m.committed.unset()
			same(t, "mark on disk", m.lane("w/1")[0].Mark, 1)
			go func() { e.Stop(context.Background()); close(stopped) }()
			<-time.After(time.Second)
		})
		put(t, e, "w/1", 1)
		<-stopped
		same(t, "mark after Stop", m.lane("w/1")[0].Mark, 0)
	})
}

// A mark stays when its work was done and only the result could not be written.
func TestStopKeepsMarksOfWorkDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := start(t, m, marking{worker: worker{work: func(ctx context.Context, it Item) Result {
			<-ctx.Done()
			m.refuse.Store(1)
			return Result{Done: true}
		}}}, 4)
		put(t, e, "w/1", 1)
		synctest.Wait()
		stop(e)
		same(t, "mark after Stop", m.lane("w/1")[0].Mark, 1)
	})
}

func TestStopBeforeStart(t *testing.T) {
	e := New(newMemory(), quiet)
	e.Stop(context.Background())
	if err := e.Do(context.Background(), func(*Tx) error { return nil }); !IsUnavailable(err) {
		t.Errorf("Do: got %v, want ErrUnavailable", err)
	}
}
