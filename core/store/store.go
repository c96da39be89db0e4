// Package store keeps everything Tidings knows in one SQL database, SQLite or
// PostgreSQL, and promises that a transaction that has been committed is on
// disk. It is the only place that knows SQL and its drivers; what the rows mean
// is decided by the packages that use core.Tx and lane.StoreTx.
//
// The methods of a transaction have one SQL text for both. What differs is how a
// statement gets there (session), the tables (migrations), and that several
// processes may work on PostgreSQL at once (lane.Shared).
package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"tidings/core/lane"
)

//go:embed migrations
var migrations embed.FS

// errClosed is what a store answers after Close.
var errClosed = errors.New("store: closed")

// Store is a lane.Store.
type Store struct{ backend }

// backend is what the databases have each their own way of doing.
type backend interface {
	lane.Store
	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
	facts() Facts
}

// Facts are what an operator should know of a database.
type Facts struct {
	// Server is the version of the server; empty on SQLite.
	Server string
	// Pooled says that the server is reached through a pooler that gives a
	// transaction whatever connection is free.
	Pooled bool
	// LosesCommits says that the server answers before a commit is on its disk
	// (synchronous_commit is off): after its crash, what was accepted may be gone.
	LosesCommits bool
	// LosesOnFailover says that the server has standbys and waits for none of
	// them: after a failover, what was accepted last may be gone.
	LosesOnFailover bool
}

var _ lane.Store = (*Store)(nil)

// Open opens the database named by a URL ("sqlite:./tidings.db",
// "postgres://user@host/tidings") and brings its tables up to date. A file is
// created if need be. Errors do not tell a password.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	scheme, rest, _ := strings.Cut(rawURL, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		d, err := openSQLite(ctx, rest)
		if err != nil {
			return nil, err
		}
		return &Store{d}, nil
	case scheme == "postgres" || scheme == "postgresql":
		d, err := openPostgres(ctx, rawURL)
		if err != nil {
			return nil, err
		}
		return &Store{d}, nil
	}
	return nil, fmt.Errorf("store: the url must read sqlite:PATH or postgres://USER@HOST/DATABASE")
}

// Shared returns the store as one for several processes; ok is false where it
// has one process only.
func (s *Store) Shared() (shared lane.Shared, ok bool) {
	shared, ok = s.backend.(lane.Shared)
	return shared, ok
}

// Deferring returns the store as one that is put on the disk later; ok is false
// where it is not.
func (s *Store) Deferring() (d lane.Deferring, ok bool) {
	d, ok = s.backend.(lane.Deferring)
	return d, ok
}

// Facts returns what was found out when the store was opened.
func (s *Store) Facts() Facts { return s.facts() }

// Pooled reports whether the database is reached through a pooler.
func (s *Store) Pooled() bool { return s.facts().Pooled }

// lanesQuery jumps from name to name in the index, so that its cost is that of
// the lanes, not of the items.
const lanesQuery = `
	WITH RECURSIVE name(lane) AS (
	  SELECT min(lane) FROM item WHERE shard = $1 AND lane > $2
	  UNION ALL
	  SELECT (SELECT min(lane) FROM item WHERE shard = $1 AND lane > name.lane) FROM name WHERE name.lane IS NOT NULL
	)
	SELECT lane FROM name WHERE lane IS NOT NULL LIMIT $3`

const headQuery = `
	SELECT id, lane, shard, prio, ref, due, step, mark, tries, since, last_try
	FROM item WHERE lane = $1 ORDER BY id LIMIT $2`

func scanName(r scanner) (string, error) {
	var name string
	return name, r.Scan(&name)
}

func scanItem(r scanner) (lane.Item, error) {
	var it lane.Item
	var due, since, last int64
	err := r.Scan(&it.ID, &it.Lane, &it.Shard, &it.Prio, &it.Ref, &due, &it.Step, &it.Mark, &it.Tries, &since, &last)
	it.Due, it.Since, it.LastTry = at(due), at(since), at(last)
	return it, err
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

// RenameChannel gives everything that belongs to a channel its new name, unless
// it has that already. It does nothing when the old name is not known any more.
// Its lanes may come into other shards.
func (s *Store) RenameChannel(ctx context.Context, from, to string) error {
	return s.Update(ctx, func(st lane.StoreTx) error {
		t, ok := st.(*tx)
		if !ok {
			return fmt.Errorf("store: not a transaction of this store")
		}
		t.c.forgetAll()
		for _, query := range []string{
			`UPDATE address SET channel = $2 WHERE channel = $1
				AND NOT EXISTS (SELECT 1 FROM address o WHERE o.channel = $2 AND o.value = address.value)`,
			`UPDATE link SET channel = $2 WHERE channel = $1`,
			`UPDATE message SET channel = $2 WHERE channel = $1`,
			`UPDATE part SET channel = $2 WHERE channel = $1`,
			`UPDATE inbox SET channel = $2 WHERE channel = $1
				AND NOT EXISTS (SELECT 1 FROM inbox o WHERE o.channel = $2 AND o.update_id = inbox.update_id)`,
			`UPDATE opt_in_code SET channel = $2 WHERE channel = $1
				AND NOT EXISTS (SELECT 1 FROM opt_in_code o WHERE o.channel = $2 AND o.hash = opt_in_code.hash)`,
			`UPDATE opt_in_use SET channel = $2 WHERE channel = $1
				AND NOT EXISTS (SELECT 1 FROM opt_in_use o WHERE o.channel = $2 AND o.opt_in_id = opt_in_use.opt_in_id)`,
			`UPDATE pause SET channel = $2 WHERE channel = $1 AND NOT EXISTS (SELECT 1 FROM pause o WHERE o.channel = $2)`,
			`UPDATE item SET lane = 'out/' || CAST($2 AS TEXT) || substr(lane, length('out/' || CAST($1 AS TEXT)) + 1)
				WHERE substr(lane, 1, length('out/' || CAST($1 AS TEXT) || '/')) = 'out/' || CAST($1 AS TEXT) || '/'`,
		} {
			if err := t.exec(query, from, to); err != nil {
				return fmt.Errorf("store: rename channel: %w", err)
			}
		}
		return s.reshard(t, "out/"+to+"/")
	})
}

// reshard puts lanes whose names begin with a prefix into the shards of their names.
func (s *Store) reshard(t *tx, prefix string) error {
	shared, ok := s.Shared()
	if !ok {
		return nil
	}
	names, err := list(t, scanName, `SELECT DISTINCT lane FROM item WHERE substr(lane, 1, length(CAST($1 AS TEXT))) = $1`, prefix)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := t.exec(`UPDATE item SET shard = $2 WHERE lane = $1`, name, lane.ShardOf(name, shared.Shards())); err != nil {
			return err
		}
	}
	return nil
}
