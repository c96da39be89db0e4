package lane

import (
	"errors"
	"runtime/debug"
	"time"
)

// step takes the head of a lane one step further and says when to go on. A
// time in the past means at once; it is without meaning when nothing is left.
func (e *Engine) step(l *lane) time.Time {
	if s := e.unsettled(l); s != nil {
		return e.settle(l, s)
	}
	it, ok, err := e.head(l)
	if err != nil {
		e.log.Error("cannot read a lane; trying again", "kind", KindOf(l.name), "err", err)
		return e.now().Add(time.Second)
	}
	if !ok {
		return time.Time{}
	}
	if !e.takeTurn(l, it) {
		return time.Time{} // back in line, for the gate
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
	if !e.begin(l) {
		return time.Time{}
	}
	return e.settle(l, &settlement{lane: l, it: it, res: e.doWork(l, it), ride: true})
}

// takeTurn reports whether the gate has let an item through. One that has just
// been read has not been asked for yet.
func (e *Engine) takeTurn(l *lane, it Item) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	ok := l.cleared || it.Mark != 0
	l.cleared, l.fresh = false, !ok
	return ok
}

// head returns the first item of a lane, reading it from the store if need be.
func (e *Engine) head(l *lane) (Item, bool, error) {
	e.mu.Lock()
	if len(l.items) > 0 || !l.more {
		defer e.mu.Unlock()
		return l.first()
	}
	l.touched = false
	e.mu.Unlock()

	items, err := e.store.Head(e.work, l.name, headSize)
	if err != nil {
		return Item{}, false, err
	}
	for i := range items {
		items[i].Lane, items[i].Found = l.name, items[i].Mark != 0
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	l.items = items
	l.more = len(items) == headSize || l.touched
	l.prio = Bulk
	for _, it := range items {
		l.prio = min(l.prio, it.Prio)
	}
	return l.first()
}

func (l *lane) first() (Item, bool, error) {
	if len(l.items) == 0 {
		return Item{}, false, nil
	}
	return l.items[0], true, nil
}

// mark makes the mark of an item durable in a commit of its own. Where the
// worker has settled the item instead, kept is false.
func (e *Engine) mark(l *lane, marker Marker, it Item) (kept bool, err error) {
	// Not to be interrupted: whether the mark was made has to be known.
	err = e.doIn(l, func(tx *Tx) error {
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
	}, wanted(marker, it))
	if errors.Is(err, errLost) {
		e.gone(l.shard)
		return false, nil
	}
	if err != nil {
		e.log.Error("cannot mark; nothing is sent without a mark", "kind", KindOf(l.name), "item", it.ID, "err", err)
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

// begin notes that work starts; false when it must not start any more.
func (e *Engine) begin(l *lane) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.begun = !e.stopping && !l.shard.lost && !l.shard.leaving && e.alive(e.now())
	return l.begun
}

// doWork calls the worker; a panic becomes a retry with growing gaps.
func (e *Engine) doWork(l *lane, it Item) (res Result) {
	defer func() {
		if r := recover(); r != nil {
			e.log.Error("worker panicked; the item is tried again later",
				"kind", KindOf(l.name), "item", it.ID, "panic", panicText(r), "stack", string(debug.Stack()))
			res = Result{Item: it, panicked: true}
			res.Item.Tries++
			res.Item.Due = e.now().Add(min(time.Minute, time.Second<<min(it.Tries, 6)))
		}
	}()
	ctx, cancel := e.term(e.work)
	defer cancel()
	return l.kind.Worker.Work(ctx, it)
}
