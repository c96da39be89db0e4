package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tidings/core/lane"
)

// runs is how often an Update is run that others were in the way of.
const runs = 10

// postgres is a backend on PostgreSQL: one connection writes, one waits until
// what was written is on the disk, a pool reads.
type postgres struct {
	config *pgx.ConnConfig
	known  Facts
	slot   int64         // this process's own rows of the totals
	turn   chan struct{} // held by the one Update that runs
	writer *pgx.Conn     // of the one that has the turn; nil: not connected
	syncer *syncer       // makes durable what the writer has committed; nil: not connected, or it does so itself
	pool   *pgxpool.Pool
	waits  string                // has a COMMIT of the writer wait until it is durable, as the server has it
	warned atomic.Pointer[error] // by the writer's server, since its last COMMIT

	closed  chan struct{}
	closing sync.Once
	session atomic.Bool // Listen stands
}

var _ backend = (*postgres)(nil)

func openPostgres(ctx context.Context, rawURL string) (*postgres, error) {
	config, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if !strings.Contains(rawURL, "pool_max_conns") {
		config.MaxConns = readers
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "tidings"
	}
	s := &postgres{turn: make(chan struct{}, 1), closed: make(chan struct{})}
	if err := s.prepare(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	s.config = config.ConnConfig.Copy()
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return s, nil
}

// prepare looks at the server, settles how to talk to it, and brings its tables up to date.
func (s *postgres) prepare(ctx context.Context, config *pgx.ConnConfig) (err error) {
	first := config.Copy()
	first.DefaultQueryExecMode = pgx.QueryExecModeExec
	c, err := pgx.ConnectConfig(ctx, first)
	if err != nil {
		return fmt.Errorf("store: connect: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	if s.known, s.waits, err = look(ctx, c); err != nil {
		return err
	}
	if s.known.Pooled { // statements that are prepared on one connection are not there on the next
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
		config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	} else {
		maps.Copy(config.RuntimeParams, planParams)
	}
	if err := migratePostgres(ctx, c, first); err != nil {
		return err
	}
	if err := c.QueryRow(ctx, nextBlock).Scan(&s.slot); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// look finds out what an operator should know, and the statement that has a
// transaction commit as the server is set up to.
func look(ctx context.Context, c *pgx.Conn) (f Facts, waits string, err error) {
	var pid uint32
	var version int
	var commits string
	err = c.QueryRow(ctx, `SELECT pg_backend_pid(), current_setting('server_version_num')::int, current_setting('server_version'),
		current_setting('synchronous_commit'), current_setting('synchronous_commit') IN ('off', 'local'),
		current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT 1 FROM pg_stat_replication)`).
		Scan(&pid, &version, &f.Server, &commits, &f.LosesCommits, &f.LosesOnFailover)
	if err != nil {
		return f, "", fmt.Errorf("store: %w", err)
	}
	if version < 150000 {
		return f, "", fmt.Errorf("store: the server is PostgreSQL %s; 15 is the oldest that will do", f.Server)
	}
	// A pooler tells the client a number of its own.
	f.Pooled = pid != c.PgConn().PID()
	return f, "SET LOCAL synchronous_commit = " + commits, nil
}

func (s *postgres) facts() Facts { return s.known }

// Update runs fn in the one writing transaction of this process and waits until
// it is durable: by its own COMMIT, or, where it has only read, by the syncer's.
func (s *postgres) Update(ctx context.Context, fn func(lane.StoreTx) error) error {
	syncer, err := s.updateSoon(ctx, fn, true)
	if err != nil || syncer == nil {
		return err
	}
	return syncer.Durable()
}

// UpdateSoon implements lane.Deferring. Also what has only been read has to be
// made durable: other processes see it before it is.
func (s *postgres) UpdateSoon(ctx context.Context, fn func(lane.StoreTx) error) (lane.Syncer, error) {
	return s.updateSoon(ctx, fn, false)
}

func (s *postgres) updateSoon(ctx context.Context, fn func(lane.StoreTx) error, waits bool) (lane.Syncer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.closed:
		return nil, errClosed
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.isClosed() {
		return nil, errClosed
	}
	durable, err := s.rerun(ctx, fn, waits)
	if err != nil || durable || s.syncer == nil {
		return nil, err
	}
	return s.syncer, nil
}

// rerun runs a transaction until it is no other's fault that it fails. durable says
// that its COMMIT has waited until it was.
func (s *postgres) rerun(ctx context.Context, fn func(lane.StoreTx) error, waits bool) (durable bool, err error) {
	careful := false
	for run := 1; ; run++ {
		durable, err = s.update(ctx, fn, careful, waits)
		switch {
		case err == nil:
			return durable, nil
		case !careful && (errors.Is(err, lane.ErrAgain) || refused(err)):
			careful = true
		case run == runs, !again(err) && !(run == 1 && errors.Is(err, errLost)):
			return false, blame(err)
		case again(err):
			select {
			case <-time.After(rand.N(time.Duration(run) * 10 * time.Millisecond)):
			case <-ctx.Done():
				return false, errors.Join(err, ctx.Err())
			}
		}
	}
}

// errLost says that the connection was lost before the end of the transaction:
// nothing of it can have been committed.
var errLost = errors.New("store: the connection was lost")

func (s *postgres) update(ctx context.Context, fn func(lane.StoreTx) error, careful, waits bool) (durable bool, err error) {
	fresh, err := s.dial(ctx)
	if err != nil {
		return false, fmt.Errorf("store: connect: %w", err)
	}
	s.warned.Store(nil)
	p := &pgSession{c: s.writer, careful: careful, pooled: s.known.Pooled}
	if waits && !p.pooled {
		p.waits = s.waits
	}
	t := newTx(ctx, p, s.slot)
	err = fn(t)
	if p.broken != nil {
		err = p.broken // whatever fn made of it
	}
	if err == nil {
		err = t.commit(func() error { return p.commit(ctx) })
	}
	if err == nil {
		return p.waits != "" && p.asked, s.warning(p)
	}
	p.rollback(ctx)
	if p.broken != nil && stale(p.broken) && !refused(p.broken) {
		s.hangUp()
		if !fresh && !p.asked && ctx.Err() == nil {
			return false, fmt.Errorf("%w: %w", errLost, err)
		}
	}
	return false, err
}

func (s *postgres) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// View runs fn on a snapshot, which is that of its first read. Nobody waits until
// it is given back.
func (s *postgres) View(ctx context.Context, fn func(lane.StoreTx) error) error {
	c, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	p := &pgSession{c: c.Conn(), readOnly: true}
	defer func() {
		go func() {
			defer c.Release() // closes it if it is still in a transaction
			p.rollback(ctx)
		}()
	}()
	if err := fn(newTx(ctx, p, s.slot)); err != nil {
		return err
	}
	return p.broken
}

func (s *postgres) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	if s.isClosed() {
		return nil, errClosed
	}
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: connect: %w", err)
	}
	return c, nil
}

// Lanes returns the names of a shard's lanes with unsettled items after a name.
func (s *postgres) Lanes(ctx context.Context, shard int, after string, limit int) ([]string, error) {
	return one(ctx, s, scanName, lanesQuery, shard, cleanText(after), limit)
}

// Head returns the first unsettled items of a lane.
func (s *postgres) Head(ctx context.Context, name string, limit int) ([]lane.Item, error) {
	return one(ctx, s, scanItem, headQuery, cleanText(name), limit)
}

// one reads the rows of one statement, which is a transaction of its own.
func one[T any](ctx context.Context, s *postgres, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	c, err := s.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	rows, err := c.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return collect(plainRows{rows}, scan)
}

// plainRows are rows.
type plainRows struct{ pgx.Rows }

func (r plainRows) Close() error {
	r.Rows.Close()
	return nil
}

// Ping reports whether the database answers.
func (s *postgres) Ping(ctx context.Context) error {
	if s.isClosed() {
		return errClosed
	}
	return s.pool.Ping(ctx)
}

// Close waits for transactions under way and closes the connections. It may be
// called again.
func (s *postgres) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		s.turn <- struct{}{}
		s.hangUp()
		s.syncer.end()
		<-s.turn
		s.pool.Close()
	})
	return nil
}
