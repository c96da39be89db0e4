package lane

import (
	"slices"
	"time"
)

// lane is the cached head of one lane; guarded by Engine.mu.
type lane struct {
	name  string
	kind  Kind
	pool  *pool
	shard *shard
	items []Item
	prio  Priority // that of the most urgent item known
	slot  Priority // the line it stands in
	// more says that disk may have items after items; touched that one was
	// appended since the lane was last read.
	more, touched bool
	running       bool
	queued        bool
	fresh         bool // it has just been read and keeps its turn
	cleared       bool // the gate has let the first item through
	// begun says that work on the first item has begun and its result is not
	// durable: a mark for it must not be put back.
	begun bool
	// unsettled is a result that could not be written; nil: none.
	unsettled *settlement
	promised  bool // a worker is kept for the item that is being appended
	timer     *time.Timer
	wakeAt    time.Time // when timer fires
}

// newLane adds an empty lane to memory; nil for a kind nobody handles, and where
// there is no room.
func (e *Engine) newLane(name string, s *shard) *lane {
	kind, ok := e.kinds[KindOf(name)]
	if !ok {
		e.log.Error("no worker for this kind of lane; its work waits", "kind", KindOf(name))
		return nil
	}
	p := e.poolOf(kind, name)
	if p.lanes >= e.room {
		p.left, p.missed = true, true
		return nil
	}
	l := &lane{name: name, kind: kind, pool: p, shard: s, prio: Bulk}
	p.lanes++
	e.lanes[name] = l
	return l
}

func (e *Engine) poolOf(kind Kind, of string) *pool {
	name, limit := kind.Pool(of)
	p := e.pools[name]
	if p == nil {
		p = &pool{name: name, waiting: map[*lane]struct{}{}}
		e.pools[name] = p
	}
	p.limit = limit
	return p
}

// known returns the pool of a lane where memory knows all lanes with work of
// that pool and shard: one that it does not know is an empty one.
func (e *Engine) known(kind Kind, name string, s *shard) (*pool, bool) {
	p := e.poolOf(kind, name)
	return p, s != nil && s.known && !s.leaving && !p.left && p.lanes < e.room
}

// reserve puts an empty lane into memory for the first item that is being
// appended to it: whatever else is appended in this batch comes after it. Where
// other processes append too, the store has the last word on its being empty.
// It reports whether the work may start at once, marked by tx.
func (e *Engine) reserve(tx *Tx, it Item) (bool, error) {
	if empty, err := e.vacant(tx, it); !empty || err != nil {
		return false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.owned[it.Shard]
	if e.stopping || e.lanes[it.Lane] != nil || s == nil {
		return false, nil
	}
	l := e.newLane(it.Lane, s)
	if l == nil {
		return false, nil
	}
	tx.held = append(tx.held, l)
	_, marks := l.kind.Worker.(Marker)
	now := e.now()
	p := l.pool
	if !marks || it.Due.After(now) || p.running+p.promised >= p.limit || p.closed(now) || !e.alive(now) {
		return false, nil
	}
	if l.kind.Worker.Gate(it, now).At.After(now) {
		return false, nil
	}
	l.promised = true
	p.promised++
	return true, nil
}

// vacant reports whether a lane is known to be empty.
func (e *Engine) vacant(tx *Tx, it Item) (bool, error) {
	empty, sure := e.empty(it.Lane, it.Shard)
	if !empty || !sure || e.shared == nil {
		return empty && sure, nil
	}
	pending, err := tx.st.Pending(it.Lane)
	return !pending, err
}

// empty reports whether memory has a lane for empty, and whether it can be sure.
func (e *Engine) empty(name string, shard int) (empty, sure bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lanes[name] != nil {
		return false, true
	}
	kind, handled := e.kinds[KindOf(name)]
	if !handled || e.stopping {
		return false, false
	}
	_, sure = e.known(kind, name, e.owned[shard])
	return sure, sure
}

// redeem ends what was promised to a transaction and takes note of the items it
// has made durable.
func (e *Engine) redeem(held []*lane, added []Item) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range held {
		if l.promised {
			l.promised = false
			l.pool.promised--
		}
	}
	for _, it := range added {
		e.appended(it, held)
	}
	for _, l := range held {
		e.forgetIfIdle(l)
	}
}

// appended takes note of a durable new item.
func (e *Engine) appended(it Item, held []*lane) {
	s := e.owned[it.Shard]
	if s == nil {
		return // another process's
	}
	l := e.lanes[it.Lane]
	if l == nil {
		if l = e.newLane(it.Lane, s); l == nil {
			return
		}
		l.more = e.shared != nil || !s.known || l.pool.left
	}
	if e.shared != nil && !(len(l.items) == 0 && !l.more && slices.Contains(held, l)) {
		// Another process may have appended before: only the store knows the order.
		l.more, l.touched = true, true
	}
	l.add(it)
	e.raise(l, it.Prio)
	if l.timer == nil {
		e.ready(l)
	}
}

// add appends a durable item to a lane that is wholly loaded. The lane may have
// been read between the commit and now: then the item is there already.
func (l *lane) add(it Item) {
	it.Lane = l.name // one text for all of them
	last := len(l.items) - 1
	switch {
	case l.more:
		l.touched = true
	case last >= 0 && l.items[last].ID >= it.ID:
		l.more = l.more || !l.has(it.ID)
	case len(l.items) >= headSize:
		l.more = true
	default:
		l.items = append(l.items, it)
	}
}

func (l *lane) has(id int64) bool {
	for _, it := range l.items {
		if it.ID == id {
			return true
		}
	}
	return false
}

// forgetIfIdle drops a lane that has nothing to do.
func (e *Engine) forgetIfIdle(l *lane) bool {
	if len(l.items) > 0 || l.more || l.running || l.queued || l.unsettled != nil {
		return false
	}
	e.drop(l)
	return true
}

// drop takes a lane out of memory.
func (e *Engine) drop(l *lane) {
	l.stopTimer()
	l.queued = false
	if e.lanes[l.name] == l {
		delete(e.lanes, l.name)
		l.pool.lanes--
	}
	e.discoverMore(l.pool)
}
