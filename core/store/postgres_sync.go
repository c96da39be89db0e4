package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// writerParams are the settings of the connection that writes. Its commits do
// not wait for the disk or a standby: the syncer does. A process that was stopped
// holds no shard for ever.
var writerParams = map[string]string{
	"synchronous_commit": "off", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "15s",
}

// planParams have each statement planned once, not for each of its calls, which
// takes longer than most of them. Rows are looked up by their keys: a plan that was
// made while the tables were empty must not read them whole once they are not.
var planParams = map[string]string{
	"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
	"jit": "off",
}

// syncer is a connection on which a commit waits until it is durable, and with
// it all that were made before on the same server: the log has one order.
//
// It answers for a commit only if it has stood since before that, and is on the
// writer's server: a server that has crashed, or another one, would make its own
// commit durable and know nothing of those that were lost. A crash ends all
// connections, also where the server goes on by itself.
type syncer struct {
	server time.Time  // when it was started, which tells it from any other
	mu     sync.Mutex // held by the one who waits
	c      *pgx.Conn
	lost   atomic.Pointer[error] // why nobody knows what is durable; asked for also while somebody waits
}

// emit writes to the log, and to no table.
const emit = "SELECT pg_logical_emit_message(true, 'tidings', '')"

// whichServer is the server of a connection.
const whichServer = "SELECT pg_postmaster_start_time()"

func (s *postgres) dialSyncer(ctx context.Context) (*syncer, error) {
	y := &syncer{}
	config := s.config.Copy()
	config.OnNotice = onWarning(y.lose)
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	y.c = c
	if err := c.QueryRow(ctx, whichServer).Scan(&y.server); err != nil {
		return nil, errors.Join(err, c.Close(ctx))
	}
	return y, nil
}

// onWarning calls a function with what a server warns of: where the wait for a
// standby was cut short, it says for the rest that the commit has succeeded.
func onWarning(do func(error)) func(*pgconn.PgConn, *pgconn.Notice) {
	return func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "WARNING" {
			do(fmt.Errorf("store: %s", n.Message))
		}
	}
}

// warning is why a COMMIT that has waited may not be durable all the same.
func (s *postgres) warning(p *pgSession) error {
	if warned := s.warned.Load(); warned != nil && p.waits != "" {
		return fmt.Errorf("store: nothing is known of a COMMIT: %w", *warned)
	}
	return nil
}

// Durable returns when all that has been committed is on the disk.
func (y *syncer) Durable() error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if err := y.why(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), roundTrip)
	defer cancel()
	if _, err := y.c.Exec(ctx, emit); err != nil {
		y.lose(err)
	}
	if y.why() != nil {
		y.close()
	}
	return y.why()
}

// lose notes that it answers for nothing any more. The first reason stays.
func (y *syncer) lose(err error) {
	err = fmt.Errorf("store: nothing is known of a COMMIT: %w", err)
	y.lost.CompareAndSwap(nil, &err)
}

func (y *syncer) why() error {
	if err := y.lost.Load(); err != nil {
		return *err
	}
	return nil
}

// stands reports whether it still answers for what is committed now. It does not
// wait: the next transaction is run while this one is made durable.
func (y *syncer) stands() bool { return y != nil && y.why() == nil }

// end closes it, after those who wait for it now.
func (y *syncer) end() {
	if y == nil {
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.lose(errClosed)
	y.close()
}

func (y *syncer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = y.c.Close(ctx)
}

// dial sees to it that there is a connection that can begin a transaction, and
// one that makes it durable. fresh says that the first is new.
func (s *postgres) dial(ctx context.Context) (fresh bool, err error) {
	if s.writer != nil && (s.writer.IsClosed() || s.writer.PgConn().IsBusy() || s.writer.PgConn().TxStatus() != 'I') {
		s.hangUp()
	}
	if s.writer != nil && (s.known.Pooled || s.syncer.stands()) {
		return false, nil
	}
	s.hangUp()
	config := s.config
	if !s.known.Pooled {
		config = config.Copy()
		maps.Copy(config.RuntimeParams, writerParams)
		config.OnNotice = onWarning(func(err error) { s.warned.Store(&err) })
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, err
	}
	s.writer = c
	if s.known.Pooled {
		return true, nil
	}
	if err := s.match(ctx); err != nil {
		s.hangUp()
		return false, err
	}
	return true, nil
}

// match sees to it that the syncer is on the writer's server.
func (s *postgres) match(ctx context.Context) error {
	var server time.Time
	if err := s.writer.QueryRow(ctx, whichServer).Scan(&server); err != nil {
		return err
	}
	if s.syncer.stands() && s.syncer.server.Equal(server) {
		return nil
	}
	go s.syncer.end()
	var err error
	if s.syncer, err = s.dialSyncer(ctx); err != nil {
		s.syncer = nil
		return err
	}
	if !s.syncer.server.Equal(server) {
		go s.syncer.end()
		s.syncer = nil
		return errors.New("store: two connections have led to two servers; trying again")
	}
	return nil
}

// hangUp ends the writing connection; the next Update makes another.
func (s *postgres) hangUp() {
	if s.writer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = s.writer.Close(ctx)
	s.writer = nil
}
