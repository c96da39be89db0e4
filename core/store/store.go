// Package store keeps everything Tidings knows in one SQL database, and
// promises that a transaction that has been committed is on disk. It is the
// only place that knows SQL and its drivers; what the rows mean is decided by
// the packages that use core.Tx and lane.StoreTx.
//
// On SQLite the file is in WAL mode with synchronous=FULL: one connection
// writes, a few read. A lock file beside it keeps a second process out.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"

	"tidings/core/lane"
)

//go:embed migrations
var migrations embed.FS

// readers is how many snapshots can be read at once.
const readers = 4

// errClosed is what a store answers after Close.
var errClosed = errors.New("store: closed")

// Store is a lane.Store on SQLite.
type Store struct {
	writer  *conn
	turn    chan struct{} // held by the one Update that runs
	idle    chan *conn    // readers
	readers int           // how many there are
	closed  chan struct{}
	closing sync.Once
	dbs     []*sql.DB
	lock    *fileLock
	path    string
}

var _ lane.Store = (*Store)(nil)

// Open opens the database named by a URL ("sqlite:./tidings.db"), creates it if
// need be and brings its tables up to date.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	path, ok := strings.CutPrefix(rawURL, "sqlite:")
	if !ok || path == "" {
		return nil, fmt.Errorf("store: the url must read sqlite:PATH")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		turn: make(chan struct{}, 1), idle: make(chan *conn, readers), closed: make(chan struct{}), lock: lock, path: path,
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if err := s.create(); err != nil {
		return err
	}
	db, err := s.connect()
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return err
	}
	if s.writer, err = newConn(ctx, db); err != nil {
		return err
	}
	var mode int
	if err := s.writer.queryRow(ctx, "PRAGMA synchronous").Scan(&mode); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if mode != 2 {
		return fmt.Errorf("store: the database does not sync fully (mode %d)", mode)
	}
	read, err := s.connect("query_only(ON)")
	if err != nil {
		return err
	}
	for range readers {
		c, err := newConn(ctx, read)
		if err != nil {
			return err
		}
		s.idle <- c
		s.readers++
	}
	return nil
}

// create makes the file so that nobody else can read it. SQLite gives the files
// beside it the same permissions.
func (s *Store) create() error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return f.Close()
}

func (s *Store) connect(pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append(pragmas,
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)", "temp_store(MEMORY)",
	)}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.path}).EscapedPath(), RawQuery: q.Encode()}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	s.dbs = append(s.dbs, db)
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}

// Update runs fn in the one writing transaction.
func (s *Store) Update(ctx context.Context, fn func(lane.StoreTx) error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return errClosed
	}
	defer func() { <-s.turn }()
	if s.isClosed() {
		return errClosed
	}
	if err := s.begin(ctx); err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	t := newTx(ctx, s.writer)
	err := fn(t)
	if err == nil {
		err = s.writer.broken // whatever fn made of it
	}
	if err == nil {
		err = t.flushTotals()
	}
	if err == nil {
		err = s.writer.exec(ctx, "COMMIT")
	}
	if err != nil {
		s.rollback(ctx)
	}
	return err
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// begin opens the transaction, after ending one that could not be rolled back before.
func (s *Store) begin(ctx context.Context) error {
	s.writer.broken = nil
	err := s.writer.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil || ctx.Err() != nil {
		return err
	}
	s.rollback(ctx)
	return s.writer.exec(ctx, "BEGIN IMMEDIATE")
}

// rollback has no error to tell: SQLite may have rolled back by itself, and
// where it could not, begin tries again.
func (s *Store) rollback(ctx context.Context) {
	_ = s.writer.exec(context.WithoutCancel(ctx), "ROLLBACK")
}

// View runs fn on a snapshot.
func (s *Store) View(ctx context.Context, fn func(lane.StoreTx) error) error {
	return s.read(ctx, func(c *conn) error { return fn(newTx(ctx, c)) })
}

func (s *Store) read(ctx context.Context, fn func(*conn) error) error {
	var c *conn
	select {
	case <-s.closed:
		return errClosed
	case c = <-s.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.idle <- c }()
	if err := c.exec(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("store: begin read: %w", err)
	}
	defer func() { _ = c.exec(context.WithoutCancel(ctx), "ROLLBACK") }()
	return fn(c)
}

// Lanes returns the names of lanes with unsettled items after a name. It jumps
// from name to name in the index, so that its cost is that of the lanes, not of the items.
func (s *Store) Lanes(ctx context.Context, _ int, after string, limit int) ([]string, error) {
	var names []string
	err := s.read(ctx, func(c *conn) error {
		rows, err := c.query(ctx, `
			WITH RECURSIVE name(lane) AS (
			  SELECT min(lane) FROM item WHERE lane > $1
			  UNION ALL
			  SELECT (SELECT min(lane) FROM item WHERE lane > name.lane) FROM name WHERE name.lane IS NOT NULL
			)
			SELECT lane FROM name WHERE lane IS NOT NULL LIMIT $2`, after, limit)
		if err != nil {
			return err
		}
		names, err = collect(rows, func(r scanner) (string, error) {
			var name string
			return name, r.Scan(&name)
		})
		return err
	})
	return names, err
}

// Head returns the first unsettled items of a lane.
func (s *Store) Head(ctx context.Context, name string, limit int) ([]lane.Item, error) {
	var items []lane.Item
	err := s.read(ctx, func(c *conn) error {
		rows, err := c.query(ctx, `
			SELECT id, lane, ref, due, step, mark, tries, since, last_try
			FROM item WHERE lane = $1 ORDER BY id LIMIT $2`, name, limit)
		if err != nil {
			return err
		}
		items, err = collect(rows, func(r scanner) (lane.Item, error) {
			var it lane.Item
			var due, since, last int64
			err := r.Scan(&it.ID, &it.Lane, &it.Ref, &due, &it.Step, &it.Mark, &it.Tries, &since, &last)
			it.Due, it.Since, it.LastTry = at(due), at(since), at(last)
			return it, err
		})
		return err
	})
	return items, err
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(c *conn) error {
		var one int
		return c.queryRow(ctx, "SELECT 1").Scan(&one)
	})
}

// Close waits for transactions under way, closes the database and gives the
// lock back. It may be called again.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() { err = s.close() })
	return err
}

func (s *Store) close() error {
	close(s.closed)
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	for range s.readers {
		errs = append(errs, (<-s.idle).close())
	}
	for _, db := range s.dbs {
		errs = append(errs, db.Close())
	}
	errs = append(errs, s.lock.release())
	return errors.Join(errs...)
}

// ms is a time as it is kept; 0 for none.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at is the reverse of ms.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// RenameChannel gives everything that belongs to a channel its new name. It
// does nothing when the old name is not known any more.
func (s *Store) RenameChannel(ctx context.Context, from, to string) error {
	return s.Update(ctx, func(st lane.StoreTx) error {
		t, ok := st.(*tx)
		if !ok {
			return fmt.Errorf("store: not a transaction of this store")
		}
		for _, query := range []string{
			`UPDATE OR IGNORE address SET channel = $2 WHERE channel = $1`,
			`UPDATE link SET channel = $2 WHERE channel = $1`,
			`UPDATE message SET channel = $2 WHERE channel = $1`,
			`UPDATE part SET channel = $2 WHERE channel = $1`,
			`UPDATE OR IGNORE inbox SET channel = $2 WHERE channel = $1`,
			`UPDATE OR IGNORE opt_in_code SET channel = $2 WHERE channel = $1`,
			`UPDATE OR IGNORE opt_in_use SET channel = $2 WHERE channel = $1`,
			`UPDATE OR IGNORE pause SET channel = $2 WHERE channel = $1`,
			`UPDATE item SET lane = 'out/' || $2 || substr(lane, length('out/' || $1) + 1)
				WHERE substr(lane, 1, length('out/' || $1 || '/')) = 'out/' || $1 || '/'`,
		} {
			if err := t.exec(query, from, to); err != nil {
				return fmt.Errorf("store: rename channel: %w", err)
			}
		}
		return nil
	})
}
