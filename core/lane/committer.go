package lane

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"tidings/core"
)

// How much goes into one transaction, and with it how long a caller waits. What
// lanes have done goes first: where more comes in than can go out, it waits at
// the door, not in the middle.
const (
	maxBatch  = 256 // callers of each of the two lines
	maxWeight = 512 // claims of theirs, which is one for each event
	// busy is how many lanes must have waited for the writer for their pace to
	// be its own, and not that of a platform.
	busy = 16
)

// Tx is what a caller of Do writes to: the store's transaction plus the queue.
type Tx struct {
	core.Tx
	st    StoreTx
	e     *Engine
	added []Item
	held  []*lane // lanes to which this transaction is the first to append
	after []func()
}

// Append puts work at the end of a lane.
func (tx *Tx) Append(name string, ref int64, due time.Time, prio Priority) error {
	it := tx.item(name, due, prio)
	it.Ref = ref
	if _, err := tx.e.reserve(tx, it); err != nil {
		return err
	}
	return tx.insert(it)
}

// Reserve reports whether work that is about to be appended to a lane of a
// Marker may start as soon as it is durable: it would be the only one of its
// lane, a worker is free, and the pace lets it, which has then been paid for.
func (tx *Tx) Reserve(name string, due time.Time, prio Priority) (bool, error) {
	return tx.e.reserve(tx, tx.item(name, due, prio))
}

// AppendMarked is Append for what Reserve lets start at once and is written down
// as on its way by the same transaction.
func (tx *Tx) AppendMarked(name string, ref int64, due time.Time, prio Priority) error {
	it := tx.item(name, due, prio)
	it.Ref, it.Mark = ref, it.Step
	return tx.insert(it)
}

func (tx *Tx) item(name string, due time.Time, prio Priority) Item {
	return Item{Lane: name, Shard: tx.e.shardOf(name), Due: due, Step: 1, Prio: prio}
}

func (tx *Tx) insert(it Item) error {
	id, err := tx.st.InsertItem(it)
	if err != nil {
		return err
	}
	it.ID = id
	tx.added = append(tx.added, it)
	return nil
}

// Vacant reports whether a lane has no unsettled items: what belongs at its end
// overtakes nothing if it is done within tx.
func (tx *Tx) Vacant(name string) (bool, error) {
	if tx.e.shared == nil {
		if empty, sure := tx.e.empty(name, tx.e.shardOf(name)); sure {
			return empty, nil
		}
	}
	pending, err := tx.st.Pending(name)
	return !pending, err
}

// Pending reports whether a lane has unsettled items.
func (tx *Tx) Pending(name string) (bool, error) { return tx.st.Pending(name) }

// Tell has the functions that other processes gave to OnNotice for a kind called
// once the transaction is durable.
func (tx *Tx) Tell(kind string) error { return tx.st.Tell(kind) }

// After has fn called once the transaction is durable. It must not call Do.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

type op struct {
	ctx  context.Context
	fn   func(*Tx) error
	tx   *Tx
	err  error
	done chan error
	// in is the shard whose work this settles, epoch that which it had when the
	// work began; nil: none.
	in    *shard
	epoch int64
	wants core.Wants // what fn will read
}

// Do runs fn in a transaction, together with those of other callers, and
// returns when it is durable. An error of fn undoes its writes and is returned
// as it is. ErrUnavailable means that the outcome must be taken as failed by
// whoever would acknowledge it; fn may then still be running, so what it wrote
// outside of tx may be read only where Do returned something else.
//
// wants are the rows that fn is going to read, as far as they are known: a store
// far away reads those of many callers at once.
func (e *Engine) Do(ctx context.Context, fn func(*Tx) error, wants ...core.Wants) error {
	o := &op{ctx: ctx, fn: fn, done: make(chan error, 1)}
	for _, w := range wants {
		o.wants.Add(w)
	}
	return e.submit(o)
}

// doIn is Do for the work of a lane. It fails with errLost, and nothing is
// written, when the lane's shard is another process's by now. It is not to be
// interrupted: whether it was written has to be known.
func (e *Engine) doIn(l *lane, fn func(*Tx) error, wants core.Wants) error {
	return e.submit(&op{
		ctx: context.WithoutCancel(e.work), fn: fn, done: make(chan error, 1), in: l.shard, epoch: l.shard.epoch, wants: wants,
	})
}

func (e *Engine) submit(o *op) error {
	ctx, line := o.ctx, e.ops
	if o.in != nil {
		line = e.settles
	}
	select {
	case line <- o:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	case <-e.closed:
		return fmt.Errorf("%w: shutting down", ErrUnavailable)
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	case <-e.closed:
		select {
		case err := <-o.done:
			return err
		default:
			return fmt.Errorf("%w: shutting down", ErrUnavailable)
		}
	}
}

// View reads on a consistent snapshot of what is durable.
func (e *Engine) View(ctx context.Context, fn func(core.Tx) error) error {
	return e.store.View(ctx, func(st StoreTx) error { return fn(st) })
}

// Pending reports whether a lane has work, as far as it is on disk.
func (e *Engine) Pending(ctx context.Context, name string) (pending bool, err error) {
	err = e.store.View(ctx, func(st StoreTx) error {
		pending, err = st.Pending(name)
		return err
	})
	return pending, err
}

// commitLoop is the one committer: a batch is what has queued up while the
// batch before was written.
func (e *Engine) commitLoop() {
	if e.deferring != nil {
		go e.syncLoop()
	} else {
		close(e.synced)
	}
	for {
		batch := make([]*op, 0, maxBatch)
		select {
		case o := <-e.settles:
			batch = append(batch, o)
		case o := <-e.ops:
			batch = append(batch, o)
		case <-e.closing:
			close(e.toSync)
			<-e.synced
			close(e.closed)
			return
		}
		e.commit(e.drain(batch))
	}
}

func (e *Engine) drain(batch []*op) []*op {
	batch = take(batch, e.settles, maxBatch, maxWeight)
	room := maxWeight
	if n := len(batch); n >= busy && e.pressed() {
		room = n / 2 // less comes in than goes out, until no lane waits for another
	}
	return take(batch, e.ops, 2*maxBatch, weight(batch)+room)
}

// take adds to a batch what waits in a line, until there are enough or it weighs enough.
func take(batch []*op, line <-chan *op, most, heaviest int) []*op {
	for w := weight(batch); len(batch) < most && w < heaviest; {
		select {
		case o := <-line:
			batch = append(batch, o)
			w += o.weight()
		default:
			return batch
		}
	}
	return batch
}

// pressed reports whether lanes wait for workers of which there are no more.
func (e *Engine) pressed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	for _, p := range e.pools {
		if p.running >= p.limit && !p.closed(now) && p.inLine() {
			return true
		}
	}
	return false
}

func weight(batch []*op) (sum int) {
	for _, o := range batch {
		sum += o.weight()
	}
	return sum
}

func (o *op) weight() int { return len(o.wants.Claims) }

func (e *Engine) commit(batch []*op) {
	c := e.update(batch)
	if errors.Is(c.err, ErrRefused) && len(batch) > 1 {
		for i := range batch { // one bad row must not fail its neighbours
			e.abandon(batch[i])
			e.commit(batch[i : i+1])
		}
		return
	}
	if e.deferring == nil {
		e.concludeAll(c)
		return
	}
	e.syncing.Add(1)
	e.toSync <- c
}

func (e *Engine) runAll(st StoreTx, batch []*op) error {
	for _, o := range batch {
		e.abandon(o) // of an earlier attempt at this transaction, if the store makes several
	}
	epochs, err := e.fence(st, batch)
	if err != nil {
		return err
	}
	for _, o := range batch {
		if e.shared != nil && o.in != nil && epochs[o.in.id] != o.epoch {
			o.err = errLost
			continue
		}
		if o.ctx.Err() != nil {
			o.err = fmt.Errorf("%w: %w", ErrUnavailable, o.ctx.Err())
			continue
		}
		o.tx = &Tx{Tx: st, st: st, e: e}
		err, fatal := st.Try(func() error { return e.guard(func() error { return o.fn(o.tx) }) })
		if fatal != nil {
			return fatal
		}
		o.err = err
	}
	return e.tellOthers(st, batch)
}

// fence keeps the shards whose work is settled from being taken over while this
// transaction lasts, and returns the epochs that they have. It has the store read
// what the functions of the batch want, all at once.
func (e *Engine) fence(st StoreTx, batch []*op) (map[int]int64, error) {
	if e.shared == nil {
		return nil, nil
	}
	var shards []int
	var all core.Wants
	for _, o := range batch {
		if o.in != nil && !slices.Contains(shards, o.in.id) {
			shards = append(shards, o.in.id)
		}
		all.Add(o.wants)
	}
	slices.Sort(shards)
	return st.Hold(shards, all)
}

// guard turns a panic into an error: one caller's fault must not end the
// transactions of the others.
func (e *Engine) guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e.log.Error("a transaction panicked", "panic", panicText(r), "stack", string(debug.Stack()))
			err = fmt.Errorf("lane: a transaction panicked: %s", panicText(r))
		}
	}()
	return fn()
}

// panicText says what went wrong without what a panic's value may hold of people.
func panicText(r any) string {
	if err, ok := r.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", r)
}

// conclude brings memory in line with what a transaction has or has not done.
func (e *Engine) conclude(o *op) {
	if o.err != nil {
		e.abandon(o)
		return
	}
	e.redeem(o.tx.held, o.tx.added)
	for _, fn := range o.tx.after {
		_ = e.guard(func() error { fn(); return nil })
	}
}

// abandon gives back what was promised to a transaction that is not to be.
func (e *Engine) abandon(o *op) {
	if o.tx != nil {
		e.redeem(o.tx.held, nil)
		o.tx = nil
	}
}

// IsUnavailable reports whether an error of Do means that the database is away.
func IsUnavailable(err error) bool { return errors.Is(err, ErrUnavailable) }
