package store

import (
	"context"
	"errors"
)

// session is a transaction's way to its database. It belongs to one goroutine.
type session interface {
	// exec runs a statement without an answer. PostgreSQL gets it together with
	// the next one that has an answer, so that its error may come with that one.
	exec(ctx context.Context, query string, args ...any) error
	// execN runs a statement at once and returns how many rows it has changed.
	execN(ctx context.Context, query string, args ...any) (int64, error)
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
	hold(ctx context.Context, shards []int) (map[int]int64, error)
	tell(notice string) error
}

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
