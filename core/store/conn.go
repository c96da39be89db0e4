package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite" // and with it the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// conn is one connection with its prepared statements. It belongs to one
// goroutine at a time.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
	// broken is the first error since BEGIN that was the database's and not the
	// statement's: nothing of the transaction may be committed.
	broken error
}

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: connect: %w", err)
	}
	return &conn{c: c, stmts: map[string]*sql.Stmt{}}, nil
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

func (c *conn) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.execN(ctx, query, args...)
	return err
}

// execN returns how many rows were changed.
func (c *conn) execN(ctx context.Context, query string, args ...any) (int64, error) {
	st, err := c.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, c.note(err)
	}
	return res.RowsAffected()
}

// insert returns the new row's id.
func (c *conn) insert(ctx context.Context, query string, args ...any) (int64, error) {
	var id int64
	err := c.queryRow(ctx, query+" RETURNING id", args...).Scan(&id)
	return id, err
}

func (c *conn) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx, args...)
	return rows, c.note(err)
}

// scanner is a row or an error in its place.
type scanner interface{ Scan(dest ...any) error }

type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

// watched is a row whose error is noted.
type watched struct {
	c   *conn
	row *sql.Row
}

func (w watched) Scan(dest ...any) error { return w.c.note(w.row.Scan(dest...)) }

func (c *conn) queryRow(ctx context.Context, query string, args ...any) scanner {
	st, err := c.prepare(ctx, query)
	if err != nil {
		return failed{err}
	}
	return watched{c, st.QueryRowContext(ctx, args...)}
}

func (c *conn) close() error {
	var errs []error
	for _, st := range c.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) (all []T, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
