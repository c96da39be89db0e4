package lane

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Deferring is a Store that can run a transaction while the one before is being
// put on the disk.
type Deferring interface {
	Store
	// UpdateSoon is Update, but that its transaction is durable only when the
	// function returned has returned nil, and with it all transactions before. It
	// is nil where nothing was written.
	UpdateSoon(ctx context.Context, fn func(StoreTx) error) (durable func() error, err error)
}

// committed is a batch whose transaction has ended, in this or that way.
type committed struct {
	batch   []*op
	err     error
	durable func() error // nil: there is nothing to make durable
}

// update runs a batch.
func (e *Engine) update(batch []*op) (c committed) {
	c.batch = batch
	run := func(st StoreTx) error { return e.runAll(st, batch) }
	if e.deferring == nil {
		c.err = e.store.Update(context.Background(), run)
	} else {
		c.durable, c.err = e.deferring.UpdateSoon(context.Background(), run)
	}
	return c
}

// concludeAll tells the callers of batches what became of them, in their order. As
// many as there are share one sync.
func (e *Engine) concludeAll(all ...committed) {
	var failed error
	for _, c := range slices.Backward(all) {
		if c.durable != nil {
			failed = c.durable()
			break
		}
	}
	for _, c := range all {
		if c.durable != nil && failed != nil {
			c.err = failed
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
