package lane

import (
	"context"
	"errors"
	"strings"
	"time"

	"tidings/core"
)

// Item is one unsettled piece of work.
type Item struct {
	ID    int64
	Lane  string
	Shard int   // of the lane, set by the engine
	Ref   int64 // the row the work is about
	Due   time.Time
	// Prio is how urgent the work is. It puts the lane, with all that is before
	// the item, ahead of others; within a lane the order never changes.
	Prio Priority
	// Step counts from 1 within an item that takes several (the parts of a message).
	Step int
	// Mark is the step that may have been started; 0: none.
	Mark int
	// Tries counts failed tries of this step, Since and LastTry date them.
	Tries   int
	Since   time.Time
	LastTry time.Time
	// Found says that nobody knows what became of the work that Mark stands for:
	// its owner is gone, or the worker panicked. It is not stored.
	Found bool
}

// Priority is how urgent an item is; lower goes first.
type Priority int

// The priorities. What is less urgent has a share all the same, so that nothing
// waits for ever.
const (
	First  Priority = iota // somebody waits for it: an agent's answer, a reply in a chat
	Normal                 // news
	Bulk                   // what may come later than all else
)

const priorities = int(Bulk) + 1

// Turn says when an item may start. The zero Turn is at once.
type Turn struct {
	// At is the time. One that is not after now means at once, and then what that
	// costs has been taken from the pace.
	At time.Time
	// All says that nothing of the whole pool may start before At.
	All bool
}

// Name builds the name of a lane: its kind, then what tells it apart.
func Name(kind string, key ...string) string {
	return kind + "/" + strings.Join(key, "/")
}

// KindOf returns the kind of a lane.
func KindOf(name string) string {
	kind, _, _ := strings.Cut(name, "/")
	return kind
}

// Worker does the work of one kind of lane. Methods may be called concurrently
// for different lanes.
type Worker interface {
	// Gate says when an item may start. It must not call the engine, nor wait.
	Gate(it Item, now time.Time) Turn
	// Work does one step of an item. It may be called again for the same step
	// when the process dies before the result is committed.
	Work(ctx context.Context, it Item) Result
}

// Marker is a Worker whose steps must not start without a durable mark, because
// their effect cannot be undone.
type Marker interface {
	Worker
	// Mark decides within tx whether the item may still start, and records it.
	// Where it answers false it has settled the item's row in tx.
	Mark(tx *Tx, it Item) (bool, error)
}

// Reader is a Marker that can tell what its Mark is going to read.
type Reader interface {
	Wants(it Item) core.Wants
}

// Result is what became of a step.
type Result struct {
	// Commit writes the result and the work it makes; nil: nothing to write. It
	// may be called several times and must not have effects outside of tx.
	Commit func(tx *Tx) error
	// Wants are the rows that Commit is going to read, as far as they are known.
	Wants core.Wants
	// Done removes the item. Otherwise Item takes its place: with a later Due,
	// the next Step, one more try.
	Done bool
	Item Item

	panicked bool // set by the engine: nobody knows how far the work came
}

// Kind says how the lanes of one kind are worked on.
type Kind struct {
	Worker Worker
	// Pool names the group in which a lane competes for workers, and how many
	// that group has. Lanes of other groups are not affected by it. The name is
	// that with which the names of all its lanes begin, up to a slash.
	Pool func(lane string) (name string, limit int)
}

// Store keeps items, and everything else, durably.
type Store interface {
	// Update runs fn in one transaction; when it returns nil, the transaction is
	// durable. Only one Update of a process runs at a time. fn may be called
	// several times, when what it has read was changed by another process. The
	// error of a statement of fn may come only with the end of the transaction;
	// it is then an ErrRefused.
	Update(ctx context.Context, fn func(StoreTx) error) error
	// View runs fn on a consistent snapshot; writing in it fails.
	View(ctx context.Context, fn func(StoreTx) error) error
	// Lanes returns the names of a shard's lanes that have unsettled items, in
	// the order of their bytes, after a name.
	Lanes(ctx context.Context, shard int, after string, limit int) ([]string, error)
	// Head returns the first unsettled items of a lane, in order.
	Head(ctx context.Context, lane string, limit int) ([]Item, error)
	Close() error
}

// StoreTx is a transaction of a Store.
type StoreTx interface {
	core.Tx
	// Try runs fn and undoes its writes, and only them, when it fails. fatal is
	// set when the transaction itself is broken, or (ErrAgain) has to be run once
	// more because a store had not expected fn to fail.
	Try(fn func() error) (err error, fatal error)
	InsertItem(it Item) (id int64, err error)
	SaveItem(it Item) error
	RemoveItem(id int64) error
	// Item returns an unsettled item.
	Item(id int64) (Item, error)
	// Pending reports whether a lane has unsettled items.
	Pending(lane string) (bool, error)
	// Hold keeps shards from changing hands until the transaction ends, returns the
	// epochs they have, and fetches (Fetch). It must be the first call of a
	// transaction. Where there is one process only, it does nothing.
	Hold(shards []int, w core.Wants) (epochs map[int]int64, err error)
	// Tell sends a notice (at most MaxNotice bytes) to all who listen, if and
	// when the transaction is durable. Where there is one process only, nobody does.
	Tell(notice string) error
}

// ErrUnavailable is what Do answers when nothing could be made durable, or when
// that is not known: the caller must not acknowledge.
var ErrUnavailable = errors.New("the database is not available")

// ErrRefused is wrapped by the errors of Store.Update where the database is
// well and a statement or its values were at fault.
var ErrRefused = errors.New("the database refused a value")

// ErrAgain is wrapped by what StoreTx.Try calls fatal where Update is going to
// run its function once more.
var ErrAgain = errors.New("the transaction is run again")

// errLost says that the shard of a lane is another process's by now.
var errLost = errors.New("lane: the shard has been taken over")
