package lane

import "time"

// fairTurn is every how many turns a pool serves the least urgent first.
const fairTurn = 16

// pool is a group of lanes that share workers; guarded by Engine.mu. Lanes are
// served by urgency, then in the order in which they asked, one step each.
type pool struct {
	name     string
	limit    int
	running  int
	promised int
	turns    int
	front    [priorities][]*lane // those whose turn it is still, last in first out
	queue    [priorities][]*lane
	// until is when the pool may start anything again; zero: now.
	until time.Time
	timer *time.Timer

	lanes   int                // known to memory
	waiting map[*lane]struct{} // those with a timer
	// left says that lanes of the pool may have work of which memory does not know;
	// missed that one has been left out since the latest scan began.
	left, missed, scanning bool
	scannedAt              time.Time
	next                   cursor // where the next scan goes on
}

// push puts a lane in line, in front or at the end of those as urgent as it.
func (p *pool) push(l *lane, front bool) {
	l.queued, l.slot = true, l.prio
	if front {
		p.front[l.slot] = append(p.front[l.slot], l)
		return
	}
	p.queue[l.slot] = append(p.queue[l.slot], l)
}

// pop takes the lane whose turn it is out of the line; nil: there is none.
func (p *pool) pop() *lane {
	p.turns++
	for i := range priorities {
		slot := Priority(i)
		if p.turns%fairTurn == 0 {
			slot = Bulk - slot
		}
		if l := p.popFrom(slot); l != nil {
			l.queued = false
			return l
		}
	}
	return nil
}

// popFrom passes over entries of lanes that have moved to another slot.
func (p *pool) popFrom(slot Priority) *lane {
	for n := len(p.front[slot]); n > 0; n = len(p.front[slot]) {
		l := p.front[slot][n-1]
		p.front[slot][n-1] = nil
		p.front[slot] = p.front[slot][:n-1]
		if l.queued && l.slot == slot {
			return l
		}
	}
	for len(p.queue[slot]) > 0 {
		l := p.queue[slot][0]
		p.queue[slot][0] = nil
		p.queue[slot] = p.queue[slot][1:]
		if l.queued && l.slot == slot {
			return l
		}
	}
	return nil
}

// inLine reports whether lanes wait for their turn.
func (p *pool) inLine() bool {
	for i := range priorities {
		if len(p.front[i])+len(p.queue[i]) > 0 {
			return true
		}
	}
	return false
}

// closed reports whether the pool has been told to wait as a whole.
func (p *pool) closed(now time.Time) bool { return now.Before(p.until) }

// open ends the waiting of the pool as a whole.
func (p *pool) open() {
	p.until = time.Time{}
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// ready lets a lane run when its pool has a worker and its turn comes.
func (e *Engine) ready(l *lane) { e.line(l, false) }

// line puts a lane in line. A result that waits to be written needs no turn: it
// is kept from nothing that the pool's pace is about.
func (e *Engine) line(l *lane, front bool) {
	if l.running || l.queued || e.stopping || l.shard.lost {
		return
	}
	l.stopTimer()
	if l.unsettled != nil {
		e.start(l)
		return
	}
	l.pool.push(l, front)
	e.serve(l.pool)
}

// raise lets a lane go ahead for the sake of an item in it.
func (e *Engine) raise(l *lane, to Priority) {
	if to >= l.prio {
		return
	}
	l.prio = to
	if l.queued {
		l.pool.push(l, false)
	}
}

// serve starts the lanes whose turn it is.
func (e *Engine) serve(p *pool) {
	for p.running < p.limit && !e.stopping {
		now := e.now()
		if p.closed(now) || !e.alive(now) {
			return
		}
		l := p.pop()
		if l == nil {
			return
		}
		if l.shard.lost || l.shard.leaving {
			continue
		}
		switch turn := e.turn(l, now); {
		case !turn.At.After(now):
			e.start(l)
		case turn.All:
			p.push(l, true)
			e.hold(p, turn.At, now)
		default:
			e.wait(l, turn.At.Sub(now))
		}
	}
}

// turn asks the gate for the first item of a lane. A lane that has to be read
// first, or whose item is marked, has been let through already.
func (e *Engine) turn(l *lane, now time.Time) Turn {
	if len(l.items) == 0 || l.items[0].Mark != 0 {
		return Turn{}
	}
	if it := l.items[0]; it.Due.After(now) {
		return Turn{At: it.Due}
	}
	turn := l.kind.Worker.Gate(l.items[0], now)
	l.cleared = !turn.At.After(now)
	return turn
}

// hold lets nothing of a pool start before a time.
func (e *Engine) hold(p *pool, at, now time.Time) {
	p.open()
	p.until = at
	var t *time.Timer
	t = time.AfterFunc(at.Sub(now), func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if p.timer == t {
			p.open()
			e.serve(p)
		}
	})
	p.timer = t
}

// idleWorker is how long a worker's goroutine is kept for the next lane: what it
// has grown its stack to is not grown anew for each step.
const idleWorker = time.Second

func (e *Engine) start(l *lane) {
	l.running = true
	l.pool.running++
	l.shard.running++
	e.busy.Add(1)
	select {
	case e.steps <- l: // to one that is idle
	default:
		go e.worker(l)
	}
}

// worker steps lanes, until there is none for a while.
func (e *Engine) worker(l *lane) {
	idle := time.NewTimer(idleWorker)
	defer idle.Stop()
	for {
		e.release(l, e.step(l))
		e.busy.Done()
		idle.Reset(idleWorker)
		select {
		case l = <-e.steps:
		case <-idle.C:
			return
		case <-e.halted:
			return
		}
	}
}

// release gives the worker back and says when the lane runs next.
func (e *Engine) release(l *lane, next time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.running = false
	l.pool.running--
	l.shard.running--
	switch now := e.now(); {
	case e.forgetIfIdle(l) || e.stopping || l.shard.lost || l.shard.leaving:
	case next.After(now):
		e.wait(l, next.Sub(now))
	default:
		e.line(l, l.fresh)
	}
	l.fresh = false
	e.serve(l.pool)
}

func (e *Engine) wait(l *lane, d time.Duration) {
	l.stopTimer()
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if l.timer == t {
			e.ready(l)
		}
	})
	l.timer, l.wakeAt = t, e.now().Add(d)
	l.pool.waiting[l] = struct{}{}
	e.discoverMore(l.pool)
}

func (l *lane) stopTimer() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
		delete(l.pool.waiting, l)
	}
}
