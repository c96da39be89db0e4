package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tidings/core/lane"
)

// answers are what comes back from one pipeline; once asked for rows, they are
// the rows of the last statement.
type answers struct {
	pgx.Rows
	p      *pgSession
	br     pgx.BatchResults
	all    []statement
	at     int // the next statement to be answered
	inner  int // failures from here on are the innermost attempt's
	err    error
	cancel context.CancelFunc
}

// skip reads the next n answers, and keeps ids that are among them.
func (a *answers) skip(n int) (changed int64, err error) {
	for range n {
		if a.all[a.at].query == nextBlock {
			if err := a.p.takeBlock(a.br.QueryRow()); err != nil {
				return 0, a.fault(err)
			}
			a.at++
			continue
		}
		tag, err := a.br.Exec()
		if err != nil {
			return 0, a.fault(err)
		}
		if a.all[a.at].query == "COMMIT" && tag.String() != "COMMIT" {
			return 0, a.fault(errors.New("the transaction was rolled back: " + tag.String()))
		}
		changed = tag.RowsAffected()
		a.at++
	}
	return changed, nil
}

// fault sees to it that a failed statement has its consequence: it is undone
// with the attempt it belongs to, or else the whole transaction is.
func (a *answers) fault(err error) error {
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if a.err != nil {
		return a.err
	}
	a.err = err
	if n := len(a.p.tries); n > 0 && a.at >= a.inner && refused(err) && !encodeFault(err) {
		a.p.tries[n-1].failed = err
	} else if a.p.broken == nil {
		a.p.broken = err
		if n > 0 && !a.p.careful && refused(err) {
			a.p.broken = fmt.Errorf("%w: %w", lane.ErrAgain, err) // with savepoints it may be one caller's fault
		}
	}
	return err
}

func (a *answers) Scan(dest ...any) error {
	err := a.Rows.Scan(dest...)
	if err != nil && a.Rows.Err() != nil {
		err = a.Rows.Err()
	}
	return err
}

func (a *answers) Err() error { return a.fault(a.Rows.Err()) }

// Close ends the pipeline.
func (a *answers) Close() error {
	a.Rows.Close()
	if err := a.Err(); err != nil {
		_ = a.close()
		return err
	}
	return a.close()
}

func (a *answers) close() error {
	defer a.cancel()
	err := a.br.Close()
	if a.err != nil {
		return nil // known
	}
	return a.fault(err)
}

// oneRow reads one row and ends the pipeline.
type oneRow struct{ a *answers }

func (o oneRow) Scan(dest ...any) error {
	var err error
	if o.a.Next() {
		err = o.a.Scan(dest...)
	} else if err = o.a.Err(); err == nil {
		err = pgx.ErrNoRows
	}
	if closed := o.a.Close(); closed != nil {
		return closed
	}
	return err
}
