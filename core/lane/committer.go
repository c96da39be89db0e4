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

// maxBatch caps the callers in one transaction, and with it how long a caller waits.
const maxBatch = 256

// Tx is what a caller of Do writes to: the store's transaction plus the queue.
type Tx struct {
	core.Tx
	st    StoreTx
	e     *Engine
	added []Item
	held  []*lane // lanes to which this transaction is the first to append
	after []func()
}

// Append puts work at the end of a lane. Where the item would be the only one
// of its lane and may start at once, its mark is written with it.
func (tx *Tx) Append(name string, ref int64, due time.Time, prio Priority) error {
	it := Item{Lane: name, Shard: tx.e.shardOf(name), Ref: ref, Due: due, Step: 1, Prio: prio}
	marker, err := tx.e.reserve(tx, it)
	if err != nil {
		return err
	}
	if marker != nil {
		ok, err := marker.Mark(tx, it)
		if err != nil {
			return err
		}
		if !ok {
			return nil
		}
		it.Mark = it.Step
	}
	id, err := tx.st.InsertItem(it)
	if err != nil {
		return err
	}
	it.ID = id
	tx.added = append(tx.added, it)
	return nil
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
	ctx := o.ctx
	select {
	case e.ops <- o:
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

// commitLoop is the one committer: a batch is what has queued up while the
// batch before was written.
func (e *Engine) commitLoop() {
	batch := make([]*op, 0, maxBatch)
	for {
		select {
		case o := <-e.ops:
			batch = append(batch[:0], o)
		case <-e.closing:
			close(e.closed)
			return
		}
		batch = e.drain(batch)
		e.commit(batch)
	}
}

func (e *Engine) drain(batch []*op) []*op {
	for len(batch) < maxBatch {
		select {
		case o := <-e.ops:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

func (e *Engine) commit(batch []*op) {
	err := e.store.Update(context.Background(), func(st StoreTx) error {
		return e.runAll(st, batch)
	})
	if errors.Is(err, ErrRefused) && len(batch) > 1 {
		for i := range batch { // one bad row must not fail its neighbours
			e.abandon(batch[i])
			e.commit(batch[i : i+1])
		}
		return
	}
	for _, o := range batch {
		if err != nil {
			// Also of what an fn has refused: it judged what has not come to be.
			o.err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if errors.Is(err, ErrRefused) {
			o.err = err
		}
		e.conclude(o)
		o.done <- o.err
	}
}

func (e *Engine) runAll(st StoreTx, batch []*op) error {
	for _, o := range batch {
		e.abandon(o) // of an earlier attempt at this transaction, if the store makes several
	}
	epochs, err := e.fence(st, batch)
	if err != nil {
		return err
	}
	if err := e.fetch(st, batch); err != nil {
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
// transaction lasts, and returns the epochs that they have.
func (e *Engine) fence(st StoreTx, batch []*op) (map[int]int64, error) {
	if e.shared == nil {
		return nil, nil
	}
	var shards []int
	for _, o := range batch {
		if o.in != nil && !slices.Contains(shards, o.in.id) {
			shards = append(shards, o.in.id)
		}
	}
	if len(shards) == 0 {
		return nil, nil
	}
	slices.Sort(shards)
	return st.Hold(shards)
}

// fetch has the store read what the functions of a batch want, all at once.
func (e *Engine) fetch(st StoreTx, batch []*op) error {
	if e.shared == nil {
		return nil
	}
	var all core.Wants
	for _, o := range batch {
		all.Add(o.wants)
	}
	return st.Fetch(all)
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
