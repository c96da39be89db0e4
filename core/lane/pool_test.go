package lane

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// paced is a worker whose gate closes for all.
type paced struct {
	worker
	asked  atomic.Int64
	every  time.Duration
	nextAt atomic.Int64
}

func (w *paced) Gate(_ Item, now time.Time) Turn {
	w.asked.Add(1)
	if at := time.Unix(0, w.nextAt.Load()); at.After(now) {
		return Turn{At: at, All: true}
	}
	w.nextAt.Store(now.Add(w.every).UnixNano())
	return Turn{}
}

// The pace of a channel is asked for once per turn, not by each waiting lane.
func TestAPacedPoolAsksOncePerTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes = 2000
		m := newMemory()
		w := &paced{worker: recorder(), every: 10 * time.Millisecond}
		e := New(m, quiet)
		e.Handle("w", kind(w, 64))
		run(t, e)
		for i := range lanes {
			put(t, e, fmt.Sprintf("w/%d", i), 1)
		}
		<-time.After(10*time.Second - time.Millisecond)
		same(t, "done within 10 s", len(m.written()), 1000)
		if got := w.asked.Load(); got > 3*lanes+2000 {
			t.Errorf("the gate was asked %d times, want about twice a turn", got)
		}
		<-time.After(time.Minute)
		same(t, "done", len(m.written()), lanes)
	})
}

// What somebody waits for goes before news, news before the rest, and the rest
// has a share; within a lane the order stays.
func TestUrgentLanesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w := &paced{every: time.Millisecond}
		w.work = func(_ context.Context, it Item) Result {
			return Result{Done: true, Commit: func(tx *Tx) error { write(tx, "%s %d", it.Lane, it.Ref); return nil }}
		}
		e := New(m, quiet)
		e.Handle("w", kind(w, 1))
		w.nextAt.Store(time.Now().Add(time.Second).UnixNano())
		run(t, e)
		for i := range 100 {
			do(t, e, func(tx *Tx) error { return tx.Append(fmt.Sprintf("w/bulk%d", i), 1, time.Time{}, Bulk) })
		}
		for i := range 100 {
			put(t, e, fmt.Sprintf("w/news%d", i), 1)
		}
		do(t, e, func(tx *Tx) error { return tx.Append("w/bulk99", 2, time.Time{}, First) })
		<-time.After(time.Minute)
		var firstNews, bulkBefore, answer int
		for i, line := range m.written() {
			switch {
			case line == "w/bulk99 2":
				answer = i
			case strings.HasPrefix(line, "w/news"):
				firstNews = i
			case strings.HasPrefix(line, "w/bulk") && i < 100:
				bulkBefore++
			}
		}
		if answer > 4 {
			t.Errorf("the answer was number %d, want it among the first", answer+1)
		}
		if bulkBefore < 5 || bulkBefore > 16 {
			t.Errorf("of the first hundred %d are bulk, want a share of one in %d", bulkBefore, fairTurn)
		}
		if firstNews > 115 {
			t.Errorf("the last news was number %d", firstNews+1)
		}
	})
}

// Lanes that wait for long leave memory to those that can run.
func TestWaitingLanesMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow, quick = 40, 100
		m := newMemory()
		at := time.Now().Add(time.Hour)
		for i := range int64(slow) {
			m.items[i+1] = Item{ID: i + 1, Lane: fmt.Sprintf("w/a%03d", i), Ref: 1, Step: 1, Prio: Normal, Due: at}
		}
		for i := range int64(quick) {
			m.items[slow+i+1] = Item{ID: slow + i + 1, Lane: fmt.Sprintf("w/b%03d", i), Ref: 1, Step: 1, Prio: Normal}
		}
		m.nextID = slow + quick
		e := New(m, quiet)
		e.room = 10
		e.Handle("w", kind(recorder(), 1))
		run(t, e)
		<-time.After(5 * time.Minute)
		same(t, "quick ones done", len(m.written()), quick)
		<-time.After(2 * time.Hour)
		same(t, "all done", len(m.written()), slow+quick)
	})
}

// A commit whose answer was lost is looked at before it is written again.
func TestCommitWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		e := start(t, &silent{memory: m}, marking{worker: recorder()}, 1)
		put(t, e, "w/1", upTo(30)...)
		<-time.After(time.Minute)
		same(t, "written once each", m.written(), lines(upTo(30)...))
	})
}

// silent commits, and now and then does not say so.
type silent struct {
	*memory
	n atomic.Int64
}

func (s *silent) Update(ctx context.Context, fn func(StoreTx) error) error {
	err := s.memory.Update(ctx, fn)
	if err == nil && s.n.Add(1) > 1 && s.n.Load()%3 == 0 {
		return errAway
	}
	return err
}
