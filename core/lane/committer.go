package lane

import (
	"context"
	"errors"
	"fmt"
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
	held  []*lane // lanes promised to an item of this transaction
	after []func()
}

// Append puts work at the end of a lane. Where the item would be the only one
// of its lane and may start at once, its mark is written with it.
func (tx *Tx) Append(name string, ref int64, due time.Time) error {
	it := Item{Lane: name, Ref: ref, Due: due, Step: 1}
	if marker := tx.e.promise(tx, it); marker != nil {
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

// After has fn called once the transaction is durable.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

type op struct {
	ctx  context.Context
	fn   func(*Tx) error
	tx   *Tx
	err  error
	done chan error
}

// Do runs fn in a transaction, together with those of other callers, and
// returns when it is durable. An error of fn undoes its writes and is returned
// as it is. ErrUnavailable means that the outcome must be taken as failed by
// whoever would acknowledge it.
func (e *Engine) Do(ctx context.Context, fn func(*Tx) error) error {
	o := &op{ctx: ctx, fn: fn, done: make(chan error, 1)}
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
	for _, o := range batch {
		if err != nil && o.err == nil {
			o.err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if o.tx != nil {
			e.settleTx(o.tx, o.err == nil)
		}
		if o.err == nil {
			for _, fn := range o.tx.after {
				fn()
			}
		}
		o.done <- o.err
	}
}

func (e *Engine) runAll(st StoreTx, batch []*op) error {
	for _, o := range batch {
		o.err = nil
		if o.ctx.Err() != nil {
			o.err = fmt.Errorf("%w: %w", ErrUnavailable, o.ctx.Err())
			continue
		}
		o.tx = &Tx{Tx: st, st: st, e: e}
		err, fatal := st.Try(func() error { return o.fn(o.tx) })
		if fatal != nil {
			return fatal
		}
		o.err = err
	}
	return nil
}

// settleTx brings memory in line with what a transaction has or has not done.
func (e *Engine) settleTx(tx *Tx, committed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range tx.held {
		l.promised = nil
		l.pool.promised--
	}
	if committed {
		for _, it := range tx.added {
			e.appended(it)
		}
	}
	for _, l := range tx.held {
		e.forgetIfIdle(l)
	}
}

// IsUnavailable reports whether an error of Do means that the database is away.
func IsUnavailable(err error) bool { return errors.Is(err, ErrUnavailable) }
