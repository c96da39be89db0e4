package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tidings/core/lane"
)

// shards is how many rows the table shard has.
const shards = 64

var _ lane.Shared = (*postgres)(nil)

// Shards is how many shards there are.
func (s *postgres) Shards() int { return shards }

// sessionKey is the advisory lock that the session of a replica holds.
func sessionKey(replica string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("tidings replica " + replica))
	return int64(h.Sum64())
}

// transact runs statements as one transaction in one pipeline. each gets the
// rows of one statement after the other.
func (s *postgres) transact(ctx context.Context, begin string, all []statement, each func(n int, rows pgx.Rows) error) error {
	c, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release() // closes it if it is still in a transaction
	batch := &pgx.Batch{}
	batch.Queue(begin)
	for _, st := range all {
		batch.Queue(st.query, st.args...)
	}
	batch.Queue("COMMIT")
	transacting(all)
	br := c.SendBatch(ctx, batch)
	run := func() error {
		if _, err := br.Exec(); err != nil {
			return err
		}
		for n := range all {
			rows, err := br.Query()
			if err == nil {
				err = each(n, rows)
			}
			rows.Close()
			if err = errors.Join(err, rows.Err()); err != nil {
				return err
			}
		}
		_, err := br.Exec()
		return err
	}
	err = run()
	if closed := br.Close(); err == nil {
		err = closed
	}
	if err == nil {
		transacted(all)
	}
	return err
}

// none is for statements without rows.
func none(int, pgx.Rows) error { return nil }

// Beat renews the lease of a replica and returns what it sees.
func (s *postgres) Beat(ctx context.Context, self string) (lane.Census, error) {
	seen := lane.Census{Replicas: map[string]int64{}, Sessions: map[string]bool{}}
	err := s.transact(ctx, "BEGIN", []statement{
		{"SET LOCAL synchronous_commit = off", nil},
		{`INSERT INTO replica (id, renewals, session) VALUES ($1, 1, $2)
			ON CONFLICT (id) DO UPDATE SET renewals = replica.renewals + 1, session = excluded.session`, []any{self, s.session.Load()}},
		{"SELECT id, renewals, session FROM replica", nil},
		{"SELECT id, owner, epoch FROM shard ORDER BY id", nil},
	}, func(n int, rows pgx.Rows) error {
		for rows.Next() {
			var id string
			var renewals int64
			var session bool
			var row lane.ShardRow
			if n == 3 {
				if err := rows.Scan(&row.ID, &row.Owner, &row.Epoch); err != nil {
					return err
				}
				seen.Owners = append(seen.Owners, row)
				continue
			}
			if err := rows.Scan(&id, &renewals, &session); err != nil {
				return err
			}
			seen.Replicas[id], seen.Sessions[id] = renewals, session
		}
		return nil
	})
	if err != nil {
		return lane.Census{}, fmt.Errorf("store: beat: %w", err)
	}
	return seen, nil
}

// Take makes self the owner of shards whose epochs are as they were seen.
func (s *postgres) Take(ctx context.Context, self string, seen map[int]int64) (map[int]int64, error) {
	ids := slices.Sorted(maps.Keys(seen))
	epochs := make([]int64, len(ids))
	for i, id := range ids {
		epochs[i] = seen[id]
	}
	got := map[int]int64{}
	// The first statement waits; the second, on a snapshot of its own, sees what has become of them.
	err := s.transact(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED", []statement{
		{"SELECT id FROM shard WHERE id = ANY($1) ORDER BY id FOR UPDATE", []any{ids}},
		{`UPDATE shard SET owner = $1, epoch = shard.epoch + 1
			FROM unnest(CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[])) AS seen(id, epoch)
			WHERE shard.id = seen.id AND shard.epoch = seen.epoch RETURNING shard.id, shard.epoch`, []any{self, ids, epochs}},
	}, func(n int, rows pgx.Rows) error {
		for n == 1 && rows.Next() {
			var id int
			var epoch int64
			if err := rows.Scan(&id, &epoch); err != nil {
				return err
			}
			got[id] = epoch
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: take: %w", err)
	}
	return got, nil
}

// Give leaves shards of self without an owner.
func (s *postgres) Give(ctx context.Context, self string, ids []int) error {
	ids = slices.Sorted(slices.Values(ids))
	err := s.transact(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED", []statement{
		{"SELECT id FROM shard WHERE id = ANY($1) ORDER BY id FOR UPDATE", []any{ids}},
		{"UPDATE shard SET owner = '' WHERE owner = $1 AND id = ANY($2)", []any{self, ids}},
		{"SELECT pg_notify('tidings', $1)", []any{lane.NoticeGiven}},
	}, none)
	if err != nil {
		return fmt.Errorf("store: give: %w", err)
	}
	return nil
}

// Forget removes a replica that stands still and owns nothing.
func (s *postgres) Forget(ctx context.Context, replica string, renewals int64) error {
	err := s.transact(ctx, "BEGIN", []statement{
		{`DELETE FROM replica WHERE id = $1 AND renewals = $2 AND NOT EXISTS (SELECT 1 FROM shard WHERE owner = $1)`, []any{replica, renewals}},
		{"SELECT pg_notify('tidings', $1)", []any{lane.NoticeGiven}},
	}, none)
	if err != nil {
		return fmt.Errorf("store: forget: %w", err)
	}
	return nil
}

// Gone reports whether nobody holds the session of a replica.
func (s *postgres) Gone(ctx context.Context, replica string) (bool, error) {
	gone, err := one(ctx, s, func(r scanner) (bool, error) {
		var free bool
		return free, r.Scan(&free)
	}, "SELECT pg_try_advisory_xact_lock($1)", sessionKey(replica))
	if err != nil {
		return false, fmt.Errorf("store: gone: %w", err)
	}
	return len(gone) == 1 && gone[0], nil
}

// quiet is how long a session hears nothing before it asks whether it still stands.
const quiet = 10 * time.Second

// Listen holds a session for self and hands on notices until it ends.
func (s *postgres) Listen(ctx context.Context, self string, ready func(), fn func(notice string)) error {
	if s.known.Pooled {
		return lane.ErrNoSession
	}
	// An old session of ours may hold the lock until the server has noticed its end.
	begin, done := context.WithTimeout(ctx, sessionWait)
	defer done()
	c, err := pgx.ConnectConfig(begin, s.config)
	if err != nil {
		return fmt.Errorf("store: listen: %w", err)
	}
	defer func() {
		s.session.Store(false)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = c.Close(last)
	}()
	if _, err := c.Exec(begin, "SELECT pg_advisory_lock($1)", sessionKey(self)); err != nil {
		return fmt.Errorf("store: listen: %w", err)
	}
	if _, err := c.Exec(begin, "LISTEN tidings"); err != nil {
		return fmt.Errorf("store: listen: %w", err)
	}
	s.session.Store(true)
	ready()
	for {
		if err := s.hear(ctx, c, fn); err != nil {
			return fmt.Errorf("store: listen: %w", err)
		}
	}
}

// sessionWait bounds how long a session may take to stand.
const sessionWait = 5 * time.Second

// hear waits for one notice, for a while.
func (s *postgres) hear(ctx context.Context, c *pgx.Conn, fn func(notice string)) error {
	wait, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	n, err := c.WaitForNotification(wait)
	switch {
	case err == nil:
		fn(n.Payload)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case s.isClosed():
		return errClosed
	case wait.Err() != nil:
		ask, cancel := context.WithTimeout(ctx, quiet)
		defer cancel()
		return c.Ping(ask)
	}
	return err
}
