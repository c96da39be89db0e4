package lane

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// step takes the head of a lane one step further and says when to go on. A
// time in the past means at once; it is without meaning when nothing is left.
func (e *Engine) step(l *lane) time.Time {
	it, ok, err := e.head(l)
	if err != nil {
		e.log.Error("cannot read a lane; trying again", "err", err)
		return e.now().Add(time.Second)
	}
	if !ok {
		return time.Time{}
	}
	now := e.now()
	if it.Due.After(now) {
		return it.Due
	}
	if it.Mark == 0 {
		if at := l.kind.Worker.Gate(it, now); at.After(now) {
			return at
		}
	}
	if marker, marks := l.kind.Worker.(Marker); marks && it.Mark == 0 {
		kept, err := e.mark(l, marker, it)
		if err != nil {
			return e.now().Add(time.Second)
		}
		if !kept {
			return time.Time{}
		}
		it.Mark = it.Step
	}
	return e.settle(l, it, e.doWork(l, it))
}

// head returns the first item of a lane, reading it from the store if need be.
func (e *Engine) head(l *lane) (Item, bool, error) {
	e.mu.Lock()
	if len(l.items) > 0 {
		it := l.items[0]
		e.mu.Unlock()
		return it, true, nil
	}
	if !l.more {
		e.mu.Unlock()
		return Item{}, false, nil
	}
	l.touched = false
	e.mu.Unlock()

	items, err := e.store.Head(e.work, l.name, headSize)
	if err != nil {
		return Item{}, false, err
	}
	for i := range items {
		items[i].Found = items[i].Mark != 0
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	l.items = items
	l.more = len(items) == headSize || l.touched
	if len(items) == 0 {
		return Item{}, false, nil
	}
	return items[0], true, nil
}

// mark makes the mark of an item durable in a commit of its own. Where the
// worker has settled the item instead, kept is false.
func (e *Engine) mark(l *lane, marker Marker, it Item) (kept bool, err error) {
	err = e.Do(e.work, func(tx *Tx) error {
		var err error
		if kept, err = marker.Mark(tx, it); err != nil {
			return err
		}
		if !kept {
			return tx.st.RemoveItem(it.ID)
		}
		marked := it
		marked.Mark = it.Step
		return tx.st.SaveItem(marked)
	})
	if err != nil {
		e.log.Error("cannot mark; nothing is sent without a mark", "lane", KindOf(l.name), "err", err)
		return false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !kept {
		l.items = l.items[1:]
		return false, nil
	}
	l.items[0].Mark = it.Step
	return true, nil
}

// doWork calls the worker; a panic becomes a retry with growing gaps.
func (e *Engine) doWork(l *lane, it Item) (res Result) {
	defer func() {
		if r := recover(); r != nil {
			e.log.Error("worker panicked; the item is tried again later", "kind", KindOf(l.name), "item", it.ID, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			res = Result{Item: it}
			res.Item.Tries++
			res.Item.Due = e.now().Add(min(time.Minute, time.Second<<min(it.Tries, 6)))
		}
	}()
	return l.kind.Worker.Work(e.work, it)
}

// settle makes a result durable, however long the database is away, and with it
// the mark of what comes next when that may leave at once.
func (e *Engine) settle(l *lane, it Item, res Result) time.Time {
	var next Item
	var kept, removed bool
	for gap := 50 * time.Millisecond; ; gap = min(2*gap, 2*time.Second) {
		err := e.Do(context.WithoutCancel(e.work), func(tx *Tx) error {
			var err error
			next, kept, removed, err = e.write(tx, l, it, res)
			return err
		})
		if err == nil {
			break
		}
		e.log.Error("cannot write a result; it is kept and tried again", "kind", KindOf(l.name), "item", it.ID, "err", err)
		if !e.pause(gap) {
			return e.now().Add(gap)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if res.Done {
		l.items = l.items[1:]
	}
	switch {
	case removed:
		l.items = l.items[1:]
	case kept && len(l.items) > 0:
		l.items[0] = next
	}
	if len(l.items) > 0 {
		return l.items[0].Due
	}
	return time.Time{}
}

// write is the transaction of settle. next is what is now the head as stored
// (kept), unless its marker has settled it too (removed).
func (e *Engine) write(tx *Tx, l *lane, it Item, res Result) (next Item, kept, removed bool, err error) {
	if res.Commit != nil {
		if err := res.Commit(tx); err != nil {
			return next, false, false, err
		}
	}
	if res.Done {
		if err := tx.st.RemoveItem(it.ID); err != nil {
			return next, false, false, err
		}
		if next, kept = e.second(l); !kept {
			return next, false, false, nil
		}
	} else {
		next, kept = res.Item, true
		next.Mark, next.Found = 0, false
	}
	marked, ok, err := e.markNext(tx, l, next)
	if err != nil {
		return next, false, false, err
	}
	if !ok {
		return next, false, true, tx.st.RemoveItem(next.ID)
	}
	if marked == next && res.Done {
		return next, false, false, nil // the second item stays as it is
	}
	return marked, true, false, tx.st.SaveItem(marked)
}

// markNext marks the coming head within tx if it may leave at once. ok is false
// where the marker has settled it.
func (e *Engine) markNext(tx *Tx, l *lane, next Item) (Item, bool, error) {
	marker, marks := l.kind.Worker.(Marker)
	now := e.now()
	if !marks || next.Mark != 0 || next.Due.After(now) || e.isStopping() {
		return next, true, nil
	}
	if marker.Gate(next, now).After(now) {
		return next, true, nil
	}
	ok, err := marker.Mark(tx, next)
	if err != nil || !ok {
		return next, ok, err
	}
	next.Mark = next.Step
	return next, true, nil
}

func (e *Engine) second(l *lane) (Item, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(l.items) < 2 {
		return Item{}, false
	}
	return l.items[1], true
}

func (e *Engine) isStopping() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stopping
}

// pause waits; false means that the engine was told to give up.
func (e *Engine) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-e.work.Done():
		return false
	}
}
