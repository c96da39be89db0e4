package store

import (
	"context"
	"errors"

	"tidings/core"
)

// session is a transaction's way to its database. It belongs to one goroutine.
type session interface { //nolint:interfacebloat // one seam, with two sides, both in this package
	// exec runs a statement without an answer. PostgreSQL gets it together with
	// the next one that has an answer, so that its error may come with that one.
	exec(ctx context.Context, query string, args ...any) error
	// execN runs a statement at once and returns how many rows it has changed.
	execN(ctx context.Context, query string, args ...any) (int64, error)
	// execIf runs a statement that changes one row or none, and reports whether it
	// was one. Where that is not known at once it says yes; should it turn out to
	// be no, the transaction is run again with all precautions.
	execIf(ctx context.Context, query string, args ...any) (bool, error)
	query(ctx context.Context, query string, args ...any) (rows, error)
	queryRow(ctx context.Context, query string, args ...any) scanner
	// writeRow is queryRow for a statement that also writes.
	writeRow(ctx context.Context, query string, args ...any) scanner
	// nextID returns the id for a new row: higher than those of all transactions before.
	nextID(ctx context.Context, table string) (int64, error)
	// try is lane.StoreTx.Try.
	try(ctx context.Context, fn func() error) (err, fatal error)
	// note keeps an error after which nothing can be committed.
	note(err error) error
	// failed returns such an error.
	failed() error
	// clean is a text as it will be read again.
	clean(text string) string
	// hold is lane.StoreTx.Hold.
	hold(ctx context.Context, shards []int, w core.Wants) (map[int]int64, error)
	tell(notice string) error
	hints
}

// hints are what a session remembers of rows: on PostgreSQL those of which it was
// told that they will be read, on SQLite those that it has read or written.
type hints interface { //nolint:interfacebloat // as session
	fetch(ctx context.Context, w core.Wants) error
	// remembered returns the rows of a query with one argument, if they are known.
	remembered(query string, arg any) (rows []scanner, ok bool)
	// recall returns what such a query has been read to be, and keep keeps it.
	recall(query string, arg any) (value any, ok bool)
	keep(query string, arg, value any)
	// checker is told of what is recalled and what it would be if read; nil: nobody is.
	checker() func(query string, arg, known, read any)
	// forget is told of a write that changes what a query returns for an
	// argument, or (nil) for any.
	forget(query string, arg any)
	forgetAll()
	// claimed and pending tell what is known of a key and of a lane.
	claimed(key []byte) (value string, taken, known bool)
	pending(lane string) (yes, known bool)
	// noteClaim, noteItem and noteRemoval are told of such writes.
	noteClaim(key []byte, value string)
	noteItem(lane string)
	noteRemoval()
}

// nothing remembers nothing.
type nothing struct{}

func (nothing) fetch(context.Context, core.Wants) error      { return nil }
func (nothing) remembered(string, any) ([]scanner, bool)     { return nil, false }
func (nothing) recall(string, any) (any, bool)               { return nil, false }
func (nothing) keep(_ string, _, _ any)                      {}
func (nothing) checker() func(string, any, any, any)         { return nil }
func (nothing) forget(string, any)                           {}
func (nothing) forgetAll()                                   {}
func (nothing) claimed([]byte) (value string, _, known bool) { return "", false, false }
func (nothing) pending(string) (yes, known bool)             { return false, false }
func (nothing) noteClaim([]byte, string)                     {}
func (nothing) noteItem(string)                              {}
func (nothing) noteRemoval()                                 {}

// rows are the rows of an answer.
type rows interface {
	scanner
	Next() bool
	Err() error
	Close() error
}

// scanner is a row or an error in its place.
type scanner interface{ Scan(dest ...any) error }

type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

// collect reads all rows and closes them.
func collect[T any](rows rows, scan func(scanner) (T, error)) (all []T, err error) {
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
