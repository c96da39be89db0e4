package lane

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/core"
)

const (
	// headSize is how many items of a lane are kept in memory.
	headSize = 8
	// maxLanes bounds how many lanes of a pool memory knows; the rest waits on disk.
	maxLanes = 20_000
	// discoverPage is how many lane names are read at once.
	discoverPage = 5_000
)

// Engine runs lanes.
type Engine struct {
	store Store
	kinds map[string]Kind
	log   *slog.Logger
	now   func() time.Time
	room  int // how many lanes of a pool memory may know

	// Of a store on which several processes work; nil and without meaning for others.
	shared   Shared
	lease    *lease
	onShare  func(owned, all int)
	onNotice map[string]func()
	halted   chan struct{} // closed when lanes must not start any more

	// Of a store that is put on the disk later.
	deferring Deferring
	toSync    chan committed
	synced    chan struct{} // closed when nothing is left to sync
	syncing   sync.WaitGroup

	ops     chan *op
	settles chan *op   // goes before ops
	steps   chan *lane // to an idle worker
	closing chan struct{}
	closed  chan struct{}
	stop    sync.Once

	mu       sync.Mutex
	lanes    map[string]*lane
	pools    map[string]*pool
	owned    map[int]*shard // the shards of this process
	started  bool
	stopping bool
	busy     sync.WaitGroup

	work     context.Context // ends when workers must give up
	stopWork context.CancelFunc
}

// New returns an engine on a store. It takes work with Do at once, which is
// made durable after Start, when lanes begin to run.
func New(store Store, log *slog.Logger) *Engine {
	e := &Engine{
		store: store, kinds: map[string]Kind{}, log: log, now: time.Now, room: maxLanes,
		ops: make(chan *op, maxBatch), settles: make(chan *op, maxBatch), steps: make(chan *lane),
		toSync: make(chan committed, 1), synced: make(chan struct{}), closing: make(chan struct{}), closed: make(chan struct{}),
		lanes: map[string]*lane{}, pools: map[string]*pool{}, owned: map[int]*shard{},
		lease: newLease(), onNotice: map[string]func(){}, halted: make(chan struct{}),
	}
	switch s := store.(type) {
	case Shared:
		e.shared = s
	case interface{ Shared() (Shared, bool) }: // that may be one or not
		e.shared, _ = s.Shared()
	}
	switch s := store.(type) {
	case Deferring:
		e.deferring = s
	case interface{ Deferring() (Deferring, bool) }: // that may be one or not
		e.deferring, _ = s.Deferring()
	}
	e.work, e.stopWork = context.WithCancel(context.Background())
	return e
}

// Handle sets how lanes of a kind are worked on. To be called before Start.
func (e *Engine) Handle(kind string, k Kind) { e.kinds[kind] = k }

// Start begins to commit and to work. It returns when the lanes that have work
// are known; where several processes share them, they are learnt as they come.
func (e *Engine) Start(ctx context.Context) error {
	only := &shard{}
	e.mu.Lock()
	e.started = true
	if e.shared == nil {
		e.owned[only.id] = only
	}
	e.mu.Unlock()
	go e.commitLoop()
	if e.shared == nil {
		return e.discover(ctx, only)
	}
	go e.listen()
	go e.keepLease()
	go e.searchAll()
	return nil
}

// Kick has the waiting lanes whose names begin with prefix ask their gate again.
func (e *Engine) Kick(prefix string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, l := range e.lanes {
		if len(name) >= len(prefix) && name[:len(prefix)] == prefix && l.timer != nil {
			e.ready(l)
		}
	}
	for name, p := range e.pools {
		if strings.HasPrefix(name+"/", prefix) || strings.HasPrefix(prefix, name+"/") {
			p.open()
			e.serve(p)
		}
	}
}

// Stats are figures for operators.
type Stats struct {
	Lanes   int            // known to memory
	Shards  int            // worked on by this process
	Running map[string]int // busy workers by pool
}

// Stats returns the figures of this moment.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Stats{Lanes: len(e.lanes), Shards: len(e.owned), Running: map[string]int{}}
	for name, p := range e.pools {
		s.Running[name] = p.running
	}
	return s
}

// Stop lets running work finish until ctx ends, then cuts it off, puts marks
// whose work has not begun back, and ends committing. It may be called again.
func (e *Engine) Stop(ctx context.Context) {
	e.stop.Do(func() {
		if e.halt() {
			e.finish(ctx)
			e.unmark()
			e.leave()
			close(e.closing)
		} else {
			close(e.closed) // it was never started: there is nobody to commit
		}
		e.stopWork()
	})
	<-e.closed
}

// halt keeps lanes from starting anything and reports whether they ever did.
func (e *Engine) halt() (started bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.stopping {
		e.stopping = true
		close(e.halted)
	}
	for _, l := range e.lanes {
		l.stopTimer()
	}
	for _, p := range e.pools {
		p.open()
	}
	return e.started
}

// leave gives all shards to the others, so that they need not wait for the end
// of the lease.
func (e *Engine) leave() {
	if e.shared == nil {
		return
	}
	e.mu.Lock()
	ids := slices.Sorted(maps.Keys(e.owned))
	clear(e.owned)
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), callTime/2)
	defer cancel()
	select {
	case <-e.lease.ended:
	case <-ctx.Done(): // the database hangs, and a stop has its time
		e.log.Error("shards could not be given back; others take them when the lease ends")
		return
	}
	err := e.shared.Give(ctx, e.lease.self, ids)
	// Until it is forgotten, the others leave it its fair part.
	if err = errors.Join(err, e.shared.Forget(ctx, e.lease.self, e.lease.watch.seen[e.lease.self].renewals)); err != nil {
		e.log.Error("shards could not be given back; others take them when the lease ends", "err", err)
	}
}

// finish waits for running work, and cuts it off when ctx ends.
func (e *Engine) finish(ctx context.Context) {
	finished := make(chan struct{})
	go func() { e.busy.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-ctx.Done():
		e.stopWork()
		<-finished
	}
}

// unmark puts back the marks of items whose work has not begun. It looks for
// them within the transaction: by then all commits before it are in memory.
func (e *Engine) unmark() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := e.Do(ctx, func(tx *Tx) error {
		e.awaitSync()
		for _, it := range e.marked() {
			it.Mark = 0
			if err := tx.st.SaveItem(it); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		e.log.Error("marks could not be put back; their parts will be uncertain after the restart", "err", err)
	}
}

func (e *Engine) marked() []Item {
	e.mu.Lock()
	defer e.mu.Unlock()
	var items []Item
	for _, l := range e.lanes {
		if len(l.items) > 0 && l.items[0].Mark != 0 && !l.items[0].Found && !l.begun {
			items = append(items, l.items[0])
		}
	}
	return items
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

var _ core.Tx = (*Tx)(nil)
