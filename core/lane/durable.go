package lane

import (
	"context"
	"errors"
	"fmt"
)

// Deferring is a Store that can run a transaction while the one before is being
// put on the disk.
type Deferring interface {
	Store
	// UpdateSoon is Update, but that its transaction, and what it has read of those
	// before, is durable only when Durable of what it returns has returned nil. That
	// is nil where there is nothing to wait for.
	UpdateSoon(ctx context.Context, fn func(StoreTx) error) (Syncer, error)
}

// Syncer makes transactions durable: all for which UpdateSoon has returned it, in
// one call after them.
type Syncer interface{ Durable() error }

// committed is a batch whose transaction has ended, in this or that way.
type committed struct {
	batch  []*op
	err    error
	syncer Syncer // nil: there is nothing to make durable
}

// update runs a batch.
func (e *Engine) update(batch []*op) (c committed) {
	c.batch = batch
	run := func(st StoreTx) error { return e.runAll(st, batch) }
	if e.deferring == nil || e.alone(batch) {
		c.err = e.store.Update(context.Background(), run)
	} else {
		c.syncer, c.err = e.deferring.UpdateSoon(context.Background(), run)
	}
	return c
}

// alone reports whether a batch is a single caller whom somebody waits for, with
// nothing behind it. Where the database is far away, what it has written is then made
// durable on the way that it goes anyway; with others behind it they would wait.
func (e *Engine) alone(batch []*op) bool {
	return e.shared != nil && len(batch) == 1 && batch[0].in == nil && len(e.ops) == 0 && len(e.settles) == 0
}

// concludeAll tells the callers of batches what became of them, in their order. As
// many as there are share one sync.
func (e *Engine) concludeAll(all ...committed) {
	synced := map[Syncer]error{}
	for _, c := range all {
		if _, done := synced[c.syncer]; c.syncer != nil && !done {
			synced[c.syncer] = c.syncer.Durable()
		}
	}
	for _, c := range all {
		if err := synced[c.syncer]; c.syncer != nil && err != nil {
			c.err = err
		}
		for _, o := range c.batch {
			e.concludeOne(o, c.err)
		}
	}
}

func (e *Engine) concludeOne(o *op, err error) {
	switch {
	case errors.Is(err, ErrRefused):
		o.err = err
	case err != nil:
		// Also of what an fn has refused: it judged what has not come to be.
		o.err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	e.conclude(o)
	o.done <- o.err
}

// syncLoop makes durable what the committer has run.
func (e *Engine) syncLoop() {
	defer close(e.synced)
	for c := range e.toSync {
		all := []committed{c}
		for more := true; more; {
			select {
			case c, more = <-e.toSync:
				if more {
					all = append(all, c)
				}
			default:
				more = false
			}
		}
		e.concludeAll(all...)
		e.syncing.Add(-len(all))
	}
}

// awaitSync returns when memory knows all that was committed before. It is for
// functions that the committer runs.
func (e *Engine) awaitSync() { e.syncing.Wait() }
