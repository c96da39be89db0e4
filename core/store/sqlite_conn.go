package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite" // and with it the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tidings/core/lane"
)

// conn is one connection with its prepared statements. It belongs to one
// goroutine at a time.
type conn struct {
	nothing

	c     *sql.Conn
	stmts map[string]*sql.Stmt
	// broken is the first error since BEGIN that was the database's and not the
	// statement's: nothing of the transaction may be committed.
	broken error
	// careful has calls of try set savepoints. tries are those under way, and
	// whether each has its own: it is set before its first write.
	careful bool
	tries   []bool
	writes  int // since BEGIN
	last  map[string]int64 // the last id of each table; nil: not known
}

var _ session = (*conn)(nil)

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: connect: %w", err)
	}
	return &conn{c: c, stmts: map[string]*sql.Stmt{}, last: map[string]int64{}}, nil
}

// note keeps an error that is the database's own.
func (c *conn) note(err error) error {
	if c.broken == nil && outage(err) {
		c.broken = err
	}
	return err
}

// outage reports whether an error is no fault of the statement and its values:
// the disk is full, the file cannot be written, the connection is gone.
func outage(err error) bool {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) ||
			errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
	switch se.Code() & 0xff { // the primary code, https://sqlite.org/rescode.html (read 2026-11-22)
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
		return false
	}
	return true
}

func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := c.stmts[query]; st != nil {
		return st, nil
	}
	st, err := c.c.PrepareContext(ctx, query)
	if err != nil {
		return nil, c.note(err)
	}
	c.stmts[query] = st
	return st, nil
}

// run runs a statement of the transaction itself.
func (c *conn) run(ctx context.Context, query string) error {
	_, err := c.change(ctx, query)
	return err
}

func (c *conn) change(ctx context.Context, query string, args ...any) (int64, error) {
	st, err := c.prepare(ctx, query) //nolint:sqlclosecheck // kept for the next time, closed with the connection
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, c.note(err)
	}
	return res.RowsAffected()
}

func (c *conn) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.execN(ctx, query, args...)
	return err
}

func (c *conn) execN(ctx context.Context, query string, args ...any) (int64, error) {
	if err := c.beforeWrite(ctx); err != nil {
		return 0, err
	}
	return c.change(ctx, query, args...)
}

func (c *conn) execIf(ctx context.Context, query string, args ...any) (bool, error) {
	n, err := c.execN(ctx, query, args...)
	return n == 1, err
}

// beforeWrite sets the savepoints of the calls of try under way.
func (c *conn) beforeWrite(ctx context.Context) error {
	c.writes++
	if !c.careful {
		return nil
	}
	for i, set := range c.tries {
		if set {
			continue
		}
		if err := c.run(ctx, "SAVEPOINT try"); err != nil {
			return err
		}
		c.tries[i] = true
	}
	return nil
}

// try is lane.StoreTx.Try. Savepoints cost much and are hardly ever needed, so
// they are left out at first.
func (c *conn) try(ctx context.Context, fn func() error) (err, fatal error) {
	if c.careful {
		return c.trySaved(ctx, fn)
	}
	before := c.writes
	if err = fn(); err != nil && c.broken == nil && c.writes != before {
		c.broken = lane.ErrAgain
	}
	return err, c.broken
}

func (c *conn) trySaved(ctx context.Context, fn func() error) (err, fatal error) {
	c.tries = append(c.tries, false)
	defer func() { c.tries = c.tries[:len(c.tries)-1] }() // also when fn panics
	err = fn()
	if c.broken != nil {
		return err, c.broken
	}
	if !c.tries[len(c.tries)-1] {
		return err, nil
	}
	if err != nil {
		if fatal := c.run(ctx, "ROLLBACK TO try"); fatal != nil {
			return err, fatal
		}
	}
	return err, c.run(ctx, "RELEASE try")
}

// nextID numbers the rows of each table by itself. Only this connection
// writes, so that it need not ask more than once.
func (c *conn) nextID(ctx context.Context, table string) (int64, error) {
	if _, known := c.last[table]; !known {
		var last int64
		err := c.queryRow(ctx, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = $1", table).Scan(&last)
		if err != nil {
			return 0, err
		}
		c.last[table] = last
	}
	c.last[table]++
	return c.last[table], nil
}

func (c *conn) failed() error { return c.broken }

func (c *conn) clean(text string) string { return text }

func (c *conn) hold(context.Context, []int) (map[int]int64, error) { return nil, nil }

func (c *conn) tell(string) error { return nil }

func (c *conn) query(ctx context.Context, query string, args ...any) (rows, error) {
	st, err := c.prepare(ctx, query) //nolint:sqlclosecheck // kept for the next time, closed with the connection
	if err != nil {
		return nil, err
	}
	all, err := st.QueryContext(ctx, args...) //nolint:rowserrcheck // collect asks
	if err != nil {
		return nil, c.note(err)
	}
	return all, nil
}

// watched is a row whose error is noted.
type watched struct {
	c   *conn
	row *sql.Row
}

func (w watched) Scan(dest ...any) error { return w.c.note(w.row.Scan(dest...)) }

func (c *conn) queryRow(ctx context.Context, query string, args ...any) scanner {
	st, err := c.prepare(ctx, query) //nolint:sqlclosecheck // kept for the next time, closed with the connection
	if err != nil {
		return failed{err}
	}
	return watched{c, st.QueryRowContext(ctx, args...)}
}

func (c *conn) writeRow(ctx context.Context, query string, args ...any) scanner {
	if err := c.beforeWrite(ctx); err != nil {
		return failed{err}
	}
	return c.queryRow(ctx, query, args...)
}

func (c *conn) close() error {
	var errs []error
	for _, st := range c.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}
