package lane

import (
	"context"
	"errors"
)

// MaxNotice is how many bytes a notice may have.
const MaxNotice = 7999

// ErrNoSession is what Listen answers where the database is reached through a
// pooler, which gives a client no session of its own: the leases must do.
var ErrNoSession = errors.New("the database cannot be listened to through a pooler")

// Shared is a Store on which several processes work at once. A lane belongs to
// a shard; a shard to one process at a time.
//
// What keeps a process out that has lost a shard without knowing it is the
// shard's epoch: each takeover raises it, and a transaction that has called
// StoreTx.Hold sees the epoch that is true until it ends, because the takeover
// waits for it. Leases and sessions only tell when to take over.
type Shared interface {
	Store
	// Shards is how many shards there are, numbered from 0.
	Shards() int
	// Beat renews the lease of a replica, adding it if need be, and returns what
	// it sees, in one transaction that does not wait to be on disk.
	Beat(ctx context.Context, self string) (Census, error)
	// Take makes self the owner of the shards that still have the epochs given. It
	// returns those it got with their new epochs, one higher. It waits for the
	// transactions that hold them.
	Take(ctx context.Context, self string, seen map[int]int64) (map[int]int64, error)
	// Give leaves those of the shards that self owns without an owner, and tells
	// those who listen (NoticeGiven).
	Give(ctx context.Context, self string, shards []int) error
	// Forget removes a replica that has not renewed its lease since, and owns
	// nothing, and tells those who listen (NoticeGiven): their fair parts have grown.
	Forget(ctx context.Context, replica string, renewals int64) error
	// Gone reports whether nobody holds the session of a replica. It tells
	// something only of one that has had a session (Census.Sessions).
	Gone(ctx context.Context, replica string) (bool, error)
	// Listen holds a session for self and calls fn for each notice, until ctx or
	// the session ends; its error is then that end. ready is called once the session
	// stands: what was told before must be looked up.
	Listen(ctx context.Context, self string, ready func(), fn func(notice string)) error
}

// NoticeGiven is what Give and Forget tell those who listen.
const NoticeGiven = "given"

// Census is what a replica sees of all.
type Census struct {
	Replicas map[string]int64 // how often each has renewed its lease
	Sessions map[string]bool  // whether each had a session when it last did
	Owners   []ShardRow       // of all shards, by number
}

// ShardRow says whose a shard is.
type ShardRow struct {
	ID    int
	Owner string // "": nobody's
	Epoch int64  // how often it has been taken
}
