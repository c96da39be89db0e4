package lane

import (
	"context"
	"errors"
)

// Shared is a Store on which several processes (replicas) work at once. A lane
// belongs to a shard, and a shard to one replica at a time: to the one that its
// row names, as long as its epoch stands.
//
// Methods may be called concurrently. No clock is compared with another's: that
// a replica is gone is told from its renewals standing still.
type Shared interface {
	Store
	// Shards is how many shards there are, numbered from 0.
	Shards() int
	// Beat renews the lease of a replica, which it adds if need be, and returns
	// what is there, in one transaction that waits for no disk.
	Beat(ctx context.Context, self string) (Census, error)
	// Take makes self the owner of those shards that still have the epochs given,
	// and returns what it got, with the new epochs. It waits for transactions that
	// hold them.
	Take(ctx context.Context, self string, seen map[int]int64) (map[int]int64, error)
	// Give leaves shards of self to whoever takes them, and tells the others.
	Give(ctx context.Context, self string, shards []int) error
	// Forget removes a replica whose renewals stand still.
	Forget(ctx context.Context, replica string, renewals int64) error
	// Gone reports whether the session of a replica has ended.
	Gone(ctx context.Context, replica string) (bool, error)
	// Listen holds a session for self and calls fn for each notice, until ctx or
	// the session ends. ready is called once it stands. ErrNoSession where the
	// database has none to give (behind a pooler).
	Listen(ctx context.Context, self string, ready func(), fn func(notice string)) error
}

// Census is what a replica sees of the others.
type Census struct {
	Replicas map[string]int64 // renewals by replica
	Sessions map[string]bool  // whether a replica holds a session
	Owners   []ShardRow
}

// ShardRow is the lease of one shard.
type ShardRow struct {
	ID    int
	Owner string // empty: nobody
	Epoch int64
}

// ErrNoSession is what Listen answers where connections are pooled.
var ErrNoSession = errors.New("the database is behind a pooler: no sessions, notices or advisory locks")
