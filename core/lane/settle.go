package lane

import (
	"errors"
	"time"

	"tidings/core"
)

// How long a result that could not be written waits for the next try.
const (
	settleGap       = 50 * time.Millisecond
	settleGapMax    = 2 * time.Second
	postponedGapMax = time.Minute
)

// settlement is a result on its way to the store. It is kept until it is there.
type settlement struct {
	lane *lane
	it   Item
	res  Result
	ride bool // the mark of the next item may ride along
	fail int  // how often the result's own transaction has failed
	// unsure says that an earlier transaction may have been committed although
	// its answer did not come: what is on disk has to be looked at first.
	unsure bool

	// What the last run of write has left at the front of the lane.
	gone int   // so many items were removed
	head *Item // what is now the first one has changed to this; nil: as it was
}

func (e *Engine) unsettled(l *lane) *settlement {
	e.mu.Lock()
	defer e.mu.Unlock()
	return l.unsettled
}

// settle makes a result durable, and with it the mark of what comes next when
// that may leave at once. While the database is away the worker waits with it;
// a result whose own transaction fails waits without one.
func (e *Engine) settle(l *lane, s *settlement) time.Time {
	for gap := settleGap; ; gap = min(2*gap, settleGapMax) {
		err := e.doIn(l, s.writeTo(e), s.wants(e))
		if err == nil {
			return e.settled(l, s)
		}
		if errors.Is(err, errLost) {
			e.gone(l.shard) // whoever has the shard now decides
			return time.Time{}
		}
		e.log.Error("cannot write a result; it is kept and tried again", "kind", KindOf(l.name), "item", s.it.ID, "err", err)
		s.ride = false // it may be the next item's mark that fails
		s.unsure = s.unsure || IsUnavailable(err)
		if !IsUnavailable(err) || !e.pause(gap) {
			return e.postpone(l, s)
		}
	}
}

// postpone keeps a result for a later step of its lane.
func (e *Engine) postpone(l *lane, s *settlement) time.Time {
	s.fail++
	e.mu.Lock()
	defer e.mu.Unlock()
	l.unsettled = s
	return e.now().Add(min(postponedGapMax, settleGap<<min(s.fail, 12)))
}

// settled brings the lane in line with what has been written.
func (e *Engine) settled(l *lane, s *settlement) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.unsettled, l.begun = nil, false
	l.items = l.items[s.gone:]
	if len(l.items) == 0 {
		l.items = nil
		return time.Time{}
	}
	if s.head != nil {
		l.items[0] = *s.head
	}
	return l.items[0].Due
}

// writeTo is the transaction of settle.
func (s *settlement) writeTo(e *Engine) func(tx *Tx) error {
	return func(tx *Tx) error {
		s.gone, s.head = 0, nil
		if s.unsure {
			if done, err := s.found(tx); done || err != nil {
				return err
			}
		}
		if s.res.Commit != nil {
			if err := s.res.Commit(tx); err != nil {
				return err
			}
		}
		if s.res.Done {
			return s.remove(e, tx)
		}
		next := s.res.Item
		if !s.res.panicked {
			next.Mark = 0
		}
		next.Found = next.Mark != 0
		return s.advance(e, tx, next, true)
	}
}

// wants is what the result's commit reads, and the mark of what comes next.
func (s *settlement) wants(e *Engine) core.Wants {
	w := s.res.Wants
	next, ok := s.res.Item, s.ride
	if s.res.Done && s.ride {
		next, ok = e.second(s.lane)
	}
	if ok {
		w.Add(wanted(s.lane.kind.Worker, next))
	}
	return w
}

// wanted is what the mark of an item reads.
func wanted(w Worker, it Item) core.Wants {
	if r, ok := w.(Reader); ok {
		return r.Wants(it)
	}
	return core.Wants{}
}

// found looks whether an earlier transaction was committed after all, and takes
// over what it has left. Nobody else writes the item.
func (s *settlement) found(tx *Tx) (done bool, err error) {
	it, err := tx.st.Item(s.it.ID)
	switch {
	case errors.Is(err, core.ErrNotFound):
		s.gone = 1
		return true, nil
	case err != nil:
		return false, err
	case it.Step == s.it.Step && it.Tries == s.it.Tries && it.Mark == s.it.Mark && sameTime(it.Due, s.it.Due):
		return false, nil
	}
	it.Found = it.Mark == it.Step && s.res.panicked
	s.head = &it
	return true, nil
}

// sameTime compares times as a store keeps them.
func sameTime(a, b time.Time) bool {
	return a.UnixMilli() == b.UnixMilli() || (a.IsZero() && b.IsZero())
}

// remove settles the item for good.
func (s *settlement) remove(e *Engine, tx *Tx) error {
	if err := tx.st.RemoveItem(s.it.ID); err != nil {
		return err
	}
	s.gone = 1
	next, ok := e.second(s.lane)
	if !ok {
		return nil
	}
	return s.advance(e, tx, next, false)
}

// advance writes what comes next, marked if it may leave at once.
func (s *settlement) advance(e *Engine, tx *Tx, next Item, changed bool) error {
	marked, wanted, err := s.markNext(e, tx, next)
	if err != nil {
		return err
	}
	if !wanted {
		s.gone++
		return tx.st.RemoveItem(next.ID)
	}
	if !changed && marked == next.Mark {
		return nil
	}
	next.Mark = marked
	s.head = &next
	return tx.st.SaveItem(next)
}

// markNext marks the coming head within tx if it may leave at once, and returns
// its mark. wanted is false where its marker has settled it.
func (s *settlement) markNext(e *Engine, tx *Tx, next Item) (mark int, wanted bool, err error) {
	marker, marks := s.lane.kind.Worker.(Marker)
	now := e.now()
	if !marks || !s.ride || next.Mark != 0 || next.Due.After(now) || !e.mayMark(s.lane, now) {
		return next.Mark, true, nil
	}
	if marker.Gate(next, now).At.After(now) {
		return 0, true, nil
	}
	wanted, err = marker.Mark(tx, next)
	return next.Step, wanted, err
}

// second returns the item behind the head.
func (e *Engine) second(l *lane) (Item, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(l.items) < 2 {
		return Item{}, false
	}
	return l.items[1], true
}
