package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver "sqlite", for migrations

	"tidings/core/lane"
)

// readers is how many snapshots can be read at once.
const readers = 4

// sqliteStore is a backend on SQLite: the file is in WAL mode, one connection
// writes, a few read, and one empties the log. The log is synced here, not by
// SQLite. A lock file beside it keeps a second process out.
type sqliteStore struct {
	writer  *conn
	turn    chan struct{} // held by the one Update that runs
	idle    chan *conn    // readers
	readers int           // how many there are
	closed  chan struct{}
	closing sync.Once
	lock    *fileLock
	path    string
	wal     *walSync

	written      chan struct{}         // that there is something to move out of the log
	checkpointed chan struct{}         // closed when nobody does so any more; nil: nobody ever did
	failing      atomic.Pointer[error] // why it cannot be moved
	stuck        atomic.Pointer[error] // why the latest transaction could not be written
}

var _ backend = (*sqliteStore)(nil)

func openSQLite(ctx context.Context, path string) (*sqliteStore, error) {
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
	s := &sqliteStore{
		turn: make(chan struct{}, 1), idle: make(chan *conn, readers), closed: make(chan struct{}), lock: lock, path: path, wal: newWALSync(path),
		written: make(chan struct{}, 1),
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *sqliteStore) open(ctx context.Context) error {
	if err := s.create(); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	var err error
	if s.writer, err = newConn(s.path, slices.Concat(settings, []string{"cache_size = -32000"})...); err != nil {
		return err
	}
	s.writer.memo = newMemo()
	var mode int
	if err := s.writer.queryRow(ctx, "PRAGMA synchronous").Scan(&mode); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if mode != 1 { // the log by walSync, the database before the log begins anew
		return fmt.Errorf("store: the database does not sync as it is to (mode %d)", mode)
	}
	for range readers {
		c, err := newConn(s.path, slices.Concat(settings, []string{"query_only = ON"})...)
		if err != nil {
			return err
		}
		s.idle <- c
		s.readers++
	}
	c, err := newConn(s.path, settings...)
	if err != nil {
		return err
	}
	s.checkpointed = make(chan struct{})
	go s.checkpoints(c)
	return nil
}

// settings are those of all connections.
var settings = []string{
	"busy_timeout = 5000", "journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON", "temp_store = MEMORY", "wal_autocheckpoint = 0",
}

// migrate brings the tables up to date, on a connection of its own.
func (s *sqliteStore) migrate(ctx context.Context) (err error) {
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.path}).EscapedPath()}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return fmt.Errorf("store: open: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	for _, set := range settings {
		if _, err := db.ExecContext(ctx, "PRAGMA "+set); err != nil {
			return fmt.Errorf("store: open: %w", err)
		}
	}
	return migrate(ctx, db)
}

// create makes the file so that nobody else can read it. SQLite gives the files
// beside it the same permissions.
func (s *sqliteStore) create() error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return f.Close()
}

// Update runs fn in the one writing transaction and puts it on the disk.
func (s *sqliteStore) Update(ctx context.Context, fn func(lane.StoreTx) error) error {
	syncer, err := s.UpdateSoon(ctx, fn)
	if err != nil || syncer == nil {
		return err
	}
	return syncer.Durable()
}

// UpdateSoon implements lane.Deferring.
func (s *sqliteStore) UpdateSoon(ctx context.Context, fn func(lane.StoreTx) error) (lane.Syncer, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.closed:
		return nil, errClosed
	}
	defer func() { <-s.turn }()
	if s.isClosed() {
		return nil, errClosed
	}
	if err := s.wal.broken(); err != nil {
		return nil, err
	}
	before := s.writer.writes
	err := s.update(ctx, fn, false)
	if errors.Is(err, lane.ErrAgain) {
		err = s.update(ctx, fn, true)
	}
	if broken := s.writer.broken; err != nil && broken != nil {
		s.stuck.Store(&broken)
		s.wrote() // what is still in the log may be what the disk is full of
	}
	if err != nil {
		return nil, err
	}
	if s.writer.writes != before {
		s.wal.committed.Add(1)
		s.stuck.Store(nil)
	} else if !s.wal.ahead() {
		return nil, nil
	}
	return s.wal, nil // also for what has only been read: it may have been what is not on the disk yet
}

func (s *sqliteStore) update(ctx context.Context, fn func(lane.StoreTx) error, careful bool) error {
	if err := s.begin(ctx, careful); err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	t := newTx(ctx, s.writer, 0)
	err := fn(t)
	if s.writer.broken != nil {
		err = s.writer.broken // whatever fn made of it
	}
	if err == nil {
		err = t.commit(func() error { return s.writer.run(ctx, "COMMIT") })
	}
	if err != nil {
		s.rollback(ctx)
		return err
	}
	s.wrote()
	return nil
}

func (s *sqliteStore) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// begin opens the transaction, after ending one that could not be rolled back before.
func (s *sqliteStore) begin(ctx context.Context, careful bool) error {
	s.writer.broken, s.writer.tries, s.writer.careful = nil, nil, careful
	err := s.writer.run(ctx, "BEGIN IMMEDIATE")
	if err == nil || ctx.Err() != nil {
		return err
	}
	s.rollback(ctx)
	return s.writer.run(ctx, "BEGIN IMMEDIATE")
}

// rollback has no error to tell: SQLite may have rolled back by itself, and
// where it could not, begin tries again.
func (s *sqliteStore) rollback(ctx context.Context) {
	s.writer.forgetAll()
	_ = s.writer.run(context.WithoutCancel(ctx), "ROLLBACK")
}

// View runs fn on a snapshot.
func (s *sqliteStore) View(ctx context.Context, fn func(lane.StoreTx) error) error {
	return s.read(ctx, func(c *conn) error { return fn(newTx(ctx, c, 0)) })
}

func (s *sqliteStore) read(ctx context.Context, fn func(*conn) error) error {
	var c *conn
	select {
	case <-s.closed:
		return errClosed
	case c = <-s.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.idle <- c }()
	if err := c.run(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("store: begin read: %w", err)
	}
	defer func() { _ = c.run(context.WithoutCancel(ctx), "ROLLBACK") }()
	return fn(c)
}

// Lanes returns the names of lanes with unsettled items after a name.
func (s *sqliteStore) Lanes(ctx context.Context, shard int, after string, limit int) ([]string, error) {
	var names []string
	err := s.read(ctx, func(c *conn) error {
		rows, err := c.query(ctx, lanesQuery, shard, after, limit)
		if err != nil {
			return err
		}
		names, err = collect(rows, scanName)
		return err
	})
	return names, err
}

// Head returns the first unsettled items of a lane.
func (s *sqliteStore) Head(ctx context.Context, name string, limit int) ([]lane.Item, error) {
	var items []lane.Item
	err := s.read(ctx, func(c *conn) error {
		rows, err := c.query(ctx, headQuery, name, limit)
		if err != nil {
			return err
		}
		items, err = collect(rows, scanItem)
		return err
	})
	return items, err
}

// Ping reports whether the database answers, and can be written where the latest
// attempt has failed.
func (s *sqliteStore) Ping(ctx context.Context) error {
	if err := s.failing.Load(); err != nil {
		return *err
	}
	if err := s.wal.broken(); err != nil {
		return err
	}
	if s.stuck.Load() != nil {
		if err := s.Update(ctx, probe); err != nil {
			return err
		}
	}
	return s.read(ctx, func(c *conn) error {
		var one int
		return c.queryRow(ctx, "SELECT 1").Scan(&one)
	})
}

// probe writes what changes nothing.
func probe(st lane.StoreTx) error {
	if t, ok := st.(*tx); ok {
		t.totals["probe"] += 0
	}
	return nil
}

// Close waits for transactions under way, closes the database and gives the
// lock back. It may be called again.
func (s *sqliteStore) Close() error {
	var err error
	s.closing.Do(func() { err = s.close() })
	return err
}

func (s *sqliteStore) close() error {
	close(s.closed)
	if s.checkpointed != nil {
		<-s.checkpointed
	}
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	for range s.readers {
		errs = append(errs, (<-s.idle).close())
	}
	errs = append(errs, s.wal.close(), s.lock.release())
	return errors.Join(errs...)
}

// facts tells nothing: what matters of SQLite is checked by open.
func (s *sqliteStore) facts() Facts { return Facts{} }
