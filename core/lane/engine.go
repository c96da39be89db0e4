package lane

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tidings/core"
)

const (
	// headSize is how many items of a lane are kept in memory.
	headSize = 32
	// maxLanes bounds how many lanes memory knows; the rest waits on disk.
	maxLanes = 100_000
	// discoverPage is how many lane names are read at once.
	discoverPage = 5_000
)

// Engine runs lanes.
type Engine struct {
	store Store
	kinds map[string]Kind
	log   *slog.Logger
	now   func() time.Time

	ops     chan *op
	closing chan struct{}
	closed  chan struct{}

	mu       sync.Mutex
	lanes    map[string]*lane
	pools    map[string]*pool
	overflow bool // there are lanes on disk that memory does not know
	stopping bool
	busy     sync.WaitGroup

	work     context.Context // ends when workers must give up
	stopWork context.CancelFunc
}

// lane is the cached head of one lane; guarded by Engine.mu.
type lane struct {
	name     string
	kind     Kind
	pool     *pool
	items    []Item
	more     bool // disk has items after items
	touched  bool // something was appended while more was set
	running  bool
	queued   bool
	promised *Tx
	timer    *time.Timer
}

// pool is a group of lanes that share workers; guarded by Engine.mu.
type pool struct {
	name     string
	limit    int
	running  int
	promised int
	queue    []*lane
}

// New returns an engine on a store. It takes work with Do at once; lanes run
// after Start.
func New(store Store, log *slog.Logger) *Engine {
	e := &Engine{
		store: store, kinds: map[string]Kind{}, log: log, now: time.Now,
		ops: make(chan *op, maxBatch), closing: make(chan struct{}), closed: make(chan struct{}),
		lanes: map[string]*lane{}, pools: map[string]*pool{},
	}
	e.work, e.stopWork = context.WithCancel(context.Background())
	return e
}

// Handle sets how lanes of a kind are worked on. To be called before Start.
func (e *Engine) Handle(kind string, k Kind) { e.kinds[kind] = k }

// Start begins to commit and to work. It returns when the lanes that have work
// are known.
func (e *Engine) Start(ctx context.Context) error {
	go e.commitLoop()
	return e.discover(ctx)
}

// discover reads which lanes have work.
func (e *Engine) discover(ctx context.Context) error {
	after := ""
	for {
		names, err := e.store.Lanes(ctx, after, discoverPage)
		if err != nil {
			return err
		}
		if e.learn(names) || len(names) < discoverPage {
			return nil
		}
		after = names[len(names)-1]
	}
}

// learn adds lanes to memory and reports whether it is full.
func (e *Engine) learn(names []string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.overflow = false
	for _, name := range names {
		if e.lanes[name] != nil {
			continue
		}
		if len(e.lanes) >= maxLanes {
			e.overflow = true
			return true
		}
		l := e.newLane(name)
		if l == nil {
			continue
		}
		l.more = true
		e.ready(l)
	}
	return false
}

// newLane adds an empty lane to memory; nil for a kind nobody handles.
func (e *Engine) newLane(name string) *lane {
	kind, ok := e.kinds[KindOf(name)]
	if !ok {
		e.log.Error("no worker for this kind of lane; its work waits", "kind", KindOf(name))
		return nil
	}
	poolName, limit := kind.Pool(name)
	p := e.pools[poolName]
	if p == nil {
		p = &pool{name: poolName}
		e.pools[poolName] = p
	}
	p.limit = limit
	l := &lane{name: name, kind: kind, pool: p}
	e.lanes[name] = l
	return l
}

// promise reserves an idle, empty lane for an item that is being appended, if
// its work may start at once; the Marker is then to be asked within tx.
func (e *Engine) promise(tx *Tx, it Item) Marker {
	e.mu.Lock()
	defer e.mu.Unlock()
	kind, ok := e.kinds[KindOf(it.Lane)]
	marker, marks := kind.Worker.(Marker)
	if !ok || !marks || e.stopping || e.overflow {
		return nil
	}
	now := e.now()
	l := e.lanes[it.Lane]
	if l == nil {
		l = e.newLane(it.Lane)
	}
	free := !l.running && !l.queued && len(l.items) == 0 && !l.more && l.promised == nil
	if !free || l.pool.running+l.pool.promised >= l.pool.limit || it.Due.After(now) {
		return nil
	}
	if marker.Gate(it, now).After(now) {
		return nil
	}
	l.promised = tx
	l.pool.promised++
	tx.held = append(tx.held, l)
	return marker
}

// appended takes note of a durable new item.
func (e *Engine) appended(it Item) {
	l := e.lanes[it.Lane]
	if l == nil {
		if e.overflow {
			return // discover will find it
		}
		if l = e.newLane(it.Lane); l == nil {
			return
		}
	}
	switch {
	case l.more:
		l.touched = true
	case len(l.items) >= headSize:
		l.more = true
	default:
		l.items = append(l.items, it)
	}
	if l.timer == nil {
		e.ready(l)
	}
}

// ready lets a lane run when its pool has a worker.
func (e *Engine) ready(l *lane) {
	if l.running || l.queued || e.stopping {
		return
	}
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if l.pool.running >= l.pool.limit {
		l.queued = true
		l.pool.queue = append(l.pool.queue, l)
		return
	}
	e.start(l)
}

func (e *Engine) start(l *lane) {
	l.running, l.queued = true, false
	l.pool.running++
	e.busy.Add(1)
	go func() {
		defer e.busy.Done()
		e.release(l, e.step(l))
	}()
}

// release gives the worker back and says when the lane runs next.
func (e *Engine) release(l *lane, next time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.running = false
	l.pool.running--
	switch {
	case e.forgetIfIdle(l) || e.stopping:
	case next.After(e.now()):
		e.wait(l, next)
	default:
		e.ready(l)
	}
	for len(l.pool.queue) > 0 && l.pool.running < l.pool.limit && !e.stopping {
		first := l.pool.queue[0]
		l.pool.queue = l.pool.queue[1:]
		e.start(first)
	}
}

func (e *Engine) wait(l *lane, until time.Time) {
	var t *time.Timer
	t = time.AfterFunc(until.Sub(e.now()), func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if l.timer == t {
			l.timer = nil
			e.ready(l)
		}
	})
	l.timer = t
}

// forgetIfIdle drops a lane that has nothing to do.
func (e *Engine) forgetIfIdle(l *lane) bool {
	if len(l.items) > 0 || l.more || l.running || l.queued || l.promised != nil {
		return false
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	if e.lanes[l.name] == l {
		delete(e.lanes, l.name)
	}
	if e.overflow && len(e.lanes) < maxLanes/2 && !e.stopping {
		e.overflow = false
		go func() {
			if err := e.discover(e.work); err != nil {
				e.log.Error("cannot read which lanes have work", "err", err)
				e.mu.Lock()
				e.overflow = true
				e.mu.Unlock()
			}
		}()
	}
	return true
}

// Kick has the waiting lanes whose names begin with prefix ask their gate again.
func (e *Engine) Kick(prefix string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, l := range e.lanes {
		if len(name) >= len(prefix) && name[:len(prefix)] == prefix && l.timer != nil {
			l.timer.Stop()
			l.timer = nil
			e.ready(l)
		}
	}
}

// Stats are figures for operators.
type Stats struct {
	Lanes   int            // known to memory
	Running map[string]int // busy workers by pool
}

// Stats returns the figures of this moment.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Stats{Lanes: len(e.lanes), Running: map[string]int{}}
	for name, p := range e.pools {
		s.Running[name] = p.running
	}
	return s
}

// Stop lets running work finish until ctx ends, then cuts it off, puts marks
// whose work has not begun back, and ends committing.
func (e *Engine) Stop(ctx context.Context) {
	e.mu.Lock()
	e.stopping = true
	for _, l := range e.lanes {
		if l.timer != nil {
			l.timer.Stop()
			l.timer = nil
		}
	}
	e.mu.Unlock()

	finished := make(chan struct{})
	go func() { e.busy.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-ctx.Done():
		e.stopWork()
		<-finished
	}
	e.unmark()
	e.stopWork()
	close(e.closing)
	<-e.closed
}

// unmark puts back the marks of items whose work has not begun.
func (e *Engine) unmark() {
	e.mu.Lock()
	var marked []Item
	for _, l := range e.lanes {
		if len(l.items) > 0 && l.items[0].Mark != 0 && !l.items[0].Found {
			it := l.items[0]
			it.Mark = 0
			marked = append(marked, it)
		}
	}
	e.mu.Unlock()
	if len(marked) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := e.Do(ctx, func(tx *Tx) error {
		for _, it := range marked {
			if err := tx.st.SaveItem(it); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		e.log.Error("marks could not be put back; their parts will be uncertain after the restart", "count", len(marked), "err", err)
	}
}

var _ core.Tx = (*Tx)(nil)
