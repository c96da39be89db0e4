package lane

import "time"

// lane is the cached head of one lane; guarded by Engine.mu.
type lane struct {
	name  string
	kind  Kind
	pool  *pool
	items []Item
	// more says that disk may have items after items; touched that one was
	// appended since the lane was last read.
	more, touched bool
	running       bool
	queued        bool
	// begun says that work on the first item has begun and its result is not
	// durable: a mark for it must not be put back.
	begun bool
	// unsettled is a result that could not be written; nil: none.
	unsettled *settlement
	promised  bool // a worker is kept for the item that is being appended
	timer     *time.Timer
}

// pool is a group of lanes that share workers; guarded by Engine.mu. Lanes are
// served in the order in which they asked, one step each.
type pool struct {
	limit    int
	running  int
	promised int
	queue    []*lane
}

// newLane adds an empty lane to memory; nil for a kind nobody handles.
func (e *Engine) newLane(name string) *lane {
	kind, ok := e.kinds[KindOf(name)]
	if !ok {
		e.log.Error("no worker for this kind of lane; its work waits", "kind", KindOf(name))
		return nil
	}
	l := &lane{name: name, kind: kind, pool: e.poolOf(kind, name)}
	e.lanes[name] = l
	return l
}

func (e *Engine) poolOf(kind Kind, lane string) *pool {
	name, limit := kind.Pool(lane)
	p := e.pools[name]
	if p == nil {
		p = &pool{}
		e.pools[name] = p
	}
	p.limit = limit
	return p
}

// promise reserves an empty lane for the first item that is being appended to
// it, and returns its Marker, to be asked within tx, if the work may start at once.
func (e *Engine) promise(tx *Tx, it Item) Marker {
	e.mu.Lock()
	defer e.mu.Unlock()
	marker, marks := e.kinds[KindOf(it.Lane)].Worker.(Marker)
	if !marks || e.stopping || e.lanes[it.Lane] != nil || !e.complete || len(e.lanes) >= e.room {
		return nil // the lane has work, or may have
	}
	l := e.newLane(it.Lane)
	tx.held = append(tx.held, l) // whatever else is appended in this batch comes after it
	now := e.now()
	if it.Due.After(now) || l.pool.running+l.pool.promised >= l.pool.limit || marker.Gate(it, now).After(now) {
		return nil
	}
	l.promised = true
	l.pool.promised++
	return marker
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
		e.appended(it)
	}
	for _, l := range held {
		e.forgetIfIdle(l)
	}
}

// appended takes note of a durable new item.
func (e *Engine) appended(it Item) {
	l := e.lanes[it.Lane]
	if l == nil {
		if len(e.lanes) >= e.room {
			e.leaveOut()
			return
		}
		if l = e.newLane(it.Lane); l == nil {
			return
		}
		l.more = !e.complete
	}
	l.add(it)
	if l.timer == nil {
		e.ready(l)
	}
}

// add appends a durable item to a lane that is wholly loaded. The lane may have
// been read between the commit and now: then the item is there already.
func (l *lane) add(it Item) {
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

// ready lets a lane run when its pool has a worker and its turn comes.
func (e *Engine) ready(l *lane) {
	if l.running || l.queued || e.stopping {
		return
	}
	l.stopTimer()
	l.queued = true
	l.pool.queue = append(l.pool.queue, l)
	e.serve(l.pool)
}

// serve starts the lanes at the front of a pool's queue.
func (e *Engine) serve(p *pool) {
	for len(p.queue) > 0 && p.running < p.limit && !e.stopping {
		first := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		e.start(first)
	}
}

func (e *Engine) start(l *lane) {
	l.running, l.queued = true, false
	l.pool.running++
	e.busy.Go(func() {
		e.release(l, e.step(l))
	})
}

// release gives the worker back and says when the lane runs next.
func (e *Engine) release(l *lane, next time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.running = false
	l.pool.running--
	switch now := e.now(); {
	case e.forgetIfIdle(l) || e.stopping:
	case next.After(now):
		e.wait(l, next.Sub(now))
	default:
		e.ready(l)
	}
	e.serve(l.pool)
}

func (e *Engine) wait(l *lane, d time.Duration) {
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if l.timer == t {
			e.ready(l)
		}
	})
	l.timer = t
}

func (l *lane) stopTimer() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

// forgetIfIdle drops a lane that has nothing to do.
func (e *Engine) forgetIfIdle(l *lane) bool {
	if len(l.items) > 0 || l.more || l.running || l.queued {
		return false
	}
	l.stopTimer()
	if e.lanes[l.name] == l {
		delete(e.lanes, l.name)
	}
	e.discoverMore()
	return true
}
