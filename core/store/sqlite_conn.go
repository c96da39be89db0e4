package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"

	"zombiezen.com/go/sqlite"

	"tidings/core"
	"tidings/core/lane"
)

// conn is one connection with its prepared statements. It belongs to one
// goroutine at a time.
type conn struct {
	memo

	c     *sqlite.Conn
	stmts map[string]*stmt
	// broken is the first error since BEGIN that was the database's and not the
	// statement's: nothing of the transaction may be committed.
	broken error
	// careful has calls of try set savepoints. tries are those under way, and
	// whether each has its own: it is set before its first write.
	careful bool
	tries   []bool
	writes  int              // since BEGIN
	last    map[string]int64 // the last id of each table; nil: not known
}

var _ session = (*conn)(nil)

// stmt is a prepared statement. SQLite takes $1 for a name and numbers its
// parameters in the order in which their names come first.
type stmt struct {
	*sqlite.Stmt
	param []int // by number, which parameter; 0: it does not occur
}

// newConn opens a connection with settings.
func newConn(path string, pragmas ...string) (*conn, error) {
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, fmt.Errorf("store: connect: %w", err)
	}
	all := &conn{c: c, stmts: map[string]*stmt{}, last: map[string]int64{}}
	for _, p := range pragmas {
		if err := all.run(context.Background(), "PRAGMA "+p); err != nil {
			return nil, errors.Join(fmt.Errorf("store: connect: %w", err), c.Close())
		}
	}
	return all, nil
}

// note keeps an error that is the database's own.
func (c *conn) note(err error) error {
	if c.broken == nil && outage(err) {
		c.broken = err
	}
	return err
}

// outage reports whether an error is no fault of the statement and its values:
// the disk is full, the file cannot be written, time is up.
func outage(err error) bool {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return false
	}
	switch sqlite.ErrCode(err).ToPrimary() { // https://sqlite.org/rescode.html (read 2026-11-22)
	case sqlite.ResultError:
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	case sqlite.ResultConstraint, sqlite.ResultTooBig, sqlite.ResultMismatch, sqlite.ResultRange:
		return false
	}
	return true
}

// prepare returns a statement with its arguments.
func (c *conn) prepare(ctx context.Context, query string, args []any) (*stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, c.note(err)
	}
	st := c.stmts[query]
	if st == nil {
		prepared, _, err := c.c.PrepareTransient(query) // kept here, by the text's address
		if err != nil {
			return nil, c.note(err)
		}
		if st, err = numbered(prepared); err != nil {
			return nil, errors.Join(err, prepared.Finalize())
		}
		c.stmts[query] = st
	}
	for i, a := range args {
		if err := st.bind(i+1, a); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// numbered finds the parameters of a statement by their numbers.
func numbered(s *sqlite.Stmt) (*stmt, error) {
	st := &stmt{Stmt: s, param: make([]int, s.BindParamCount()+1)}
	for i := 1; i <= s.BindParamCount(); i++ {
		var n int
		if _, err := fmt.Sscanf(s.BindParamName(i), "$%d", &n); err != nil {
			return nil, fmt.Errorf("store: a parameter is called %q, not by its number", s.BindParamName(i))
		}
		for len(st.param) <= n {
			st.param = append(st.param, 0)
		}
		st.param[n] = i
	}
	return st, nil
}

func (s *stmt) bind(n int, arg any) error {
	if n >= len(s.param) || s.param[n] == 0 {
		return fmt.Errorf("store: argument %d is not wanted", n)
	}
	i := s.param[n]
	switch v := arg.(type) {
	case int64:
		s.BindInt64(i, v)
	case int:
		s.BindInt64(i, int64(v))
	case string:
		s.BindText(i, v)
	case []byte:
		if v == nil {
			s.BindNull(i)
		} else {
			s.BindBytes(i, v)
		}
	case nil:
		s.BindNull(i)
	default:
		switch r := reflect.ValueOf(arg); r.Kind() {
		case reflect.String:
			s.BindText(i, r.String())
		case reflect.Int, reflect.Int64, reflect.Int32:
			s.BindInt64(i, r.Int())
		default:
			return fmt.Errorf("store: an argument is a %T", arg)
		}
	}
	return nil
}

// step takes a statement to its next row, or to its end.
func (c *conn) step(s *stmt) (bool, error) {
	more, err := s.Step()
	if err != nil || !more {
		_ = s.Reset() // its error is that of the step
	}
	return more, c.note(err)
}

// run runs a statement of the transaction itself.
func (c *conn) run(ctx context.Context, query string) error {
	_, err := c.change(ctx, query)
	return err
}

func (c *conn) change(ctx context.Context, query string, args ...any) (int64, error) {
	st, err := c.prepare(ctx, query, args)
	if err != nil {
		return 0, err
	}
	for more := true; more; {
		if more, err = c.step(st); err != nil {
			return 0, err
		}
	}
	return int64(c.c.Changes()), nil
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
// they are left out until a call fails that has written something.
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
		c.forgetAll()
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

func (c *conn) hold(context.Context, []int, core.Wants) (map[int]int64, error) { return nil, nil }

func (c *conn) tell(string) error { return nil }

func (c *conn) query(ctx context.Context, query string, args ...any) (rows, error) {
	st, err := c.prepare(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return &answer{c: c, st: st}, nil
}

func (c *conn) queryRow(ctx context.Context, query string, args ...any) scanner {
	st, err := c.prepare(ctx, query, args)
	if err != nil {
		return failed{err}
	}
	return single{c, st}
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
		errs = append(errs, st.Finalize())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

// answer is the rows of a statement.
type answer struct {
	c   *conn
	st  *stmt
	err error
}

func (a *answer) Next() bool {
	more, err := a.c.step(a.st)
	a.err = err
	return more
}

func (a *answer) Err() error { return a.err }

func (a *answer) Close() error { return a.st.Reset() }

func (a *answer) Scan(dest ...any) error { return a.st.scan(dest) }

// single is the one row of a statement, which is not run before it is read.
type single struct {
	c  *conn
	st *stmt
}

func (s single) Scan(dest ...any) error {
	more, err := s.c.step(s.st)
	if err != nil {
		return err
	}
	if !more {
		return sql.ErrNoRows
	}
	err = s.st.scan(dest)
	for more := true; more && err == nil; { // what it writes is written at its end
		more, err = s.c.step(s.st)
	}
	return errors.Join(err, s.st.Reset())
}

// scan reads the columns of a row. NULL is an empty value.
func (s *stmt) scan(dest []any) error {
	if n := s.ColumnCount(); n != len(dest) {
		return fmt.Errorf("store: %d columns for %d values", n, len(dest))
	}
	for i, d := range dest {
		switch v := d.(type) {
		case *int64:
			*v = s.ColumnInt64(i)
		case *int:
			*v = s.ColumnInt(i)
		case *string:
			*v = s.ColumnText(i)
		case *[]byte:
			*v = nil
			if !s.ColumnIsNull(i) {
				*v = make([]byte, s.ColumnLen(i))
				s.ColumnBytes(i, *v)
			}
		case *bool:
			*v = s.ColumnInt64(i) != 0
		default:
			switch r := reflect.ValueOf(d).Elem(); r.Kind() {
			case reflect.String:
				r.SetString(s.ColumnText(i))
			case reflect.Int, reflect.Int64, reflect.Int32:
				r.SetInt(s.ColumnInt64(i))
			default:
				return fmt.Errorf("store: a column is to be read into a %T", d)
			}
		}
	}
	return nil
}
