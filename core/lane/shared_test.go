package lane

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
)

// cluster is a Shared store of this test: one memory for several replicas, each
// of which sees it through a seat of its own.
type cluster struct {
	*memory
	turn chan struct{} // held by a transaction, so that Hold holds

	mu       sync.Mutex
	owners   []ShardRow
	renewals map[string]int64
	seats    map[string]*seat
}

func newCluster(shards int) *cluster {
	c := &cluster{memory: newMemory(), turn: make(chan struct{}, 1), renewals: map[string]int64{}, seats: map[string]*seat{}}
	for id := range shards {
		c.owners = append(c.owners, ShardRow{ID: id})
	}
	return c
}

// seat is the store as one replica has it.
type seat struct {
	*cluster
	self   string
	frozen chan struct{} // closed when it runs; nil: it runs
	dead   bool
	hear   func(string)
	deaf   bool // notices are lost
	ended  chan struct{}
}

// thaw waits while the replica is frozen and fails when it is dead.
func (s *seat) thaw() error {
	s.mu.Lock()
	frozen := s.frozen
	s.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return errAway
	}
	return nil
}

func (s *seat) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = make(chan struct{})
}

func (s *seat) unfreeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.frozen)
	s.frozen = nil
}

func (s *seat) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	close(s.ended)
}

type sharedTx struct {
	*memoryTx
	seat    *seat
	notices []string
}

func (t *sharedTx) Hold(shards []int, _ core.Wants) (map[int]int64, error) {
	t.seat.mu.Lock()
	defer t.seat.mu.Unlock()
	epochs := map[int]int64{}
	for _, id := range shards {
		epochs[id] = t.seat.owners[id].Epoch
	}
	return epochs, nil
}

func (t *sharedTx) Tell(notice string) error { t.notices = append(t.notices, notice); return nil }

func (t *sharedTx) Pending(name string) (bool, error) {
	for _, it := range t.items {
		if it != nil && it.Lane == name {
			return true, nil
		}
	}
	return len(t.m.lane(name)) > 0, nil
}

func (s *seat) Update(_ context.Context, fn func(StoreTx) error) error {
	if err := s.thaw(); err != nil {
		return err
	}
	s.turn <- struct{}{}
	tx := &sharedTx{memoryTx: &memoryTx{m: s.memory, items: map[int64]*Item{}}, seat: s}
	err := fn(tx)
	if err == nil {
		s.apply(tx.memoryTx)
	}
	<-s.turn
	if err != nil {
		return err
	}
	s.mu.Lock()
	var hears []func(string)
	for _, other := range s.seats {
		if other != s && other.hear != nil && !other.deaf && !other.dead {
			hears = append(hears, other.hear)
		}
	}
	s.mu.Unlock()
	for _, notice := range tx.notices {
		for _, hear := range hears {
			go hear(notice)
		}
	}
	return nil
}

func (s *seat) Lanes(ctx context.Context, shard int, after string, limit int) ([]string, error) {
	if err := s.thaw(); err != nil {
		return nil, err
	}
	names, err := s.memory.Lanes(ctx, shard, after, 1<<20)
	names = slices.DeleteFunc(names, func(name string) bool { return int(hash(name)%uint32(len(s.owners))) != shard })
	return names[:min(limit, len(names))], err
}

func (s *seat) Head(ctx context.Context, lane string, limit int) ([]Item, error) {
	if err := s.thaw(); err != nil {
		return nil, err
	}
	return s.memory.Head(ctx, lane, limit)
}

func (s *seat) Shards() int { return len(s.owners) }

func (s *seat) Beat(_ context.Context, self string) (Census, error) {
	if err := s.thaw(); err != nil {
		return Census{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewals[self]++
	c := Census{Replicas: maps.Clone(s.renewals), Sessions: map[string]bool{}, Owners: slices.Clone(s.owners)}
	for id := range c.Replicas {
		c.Sessions[id] = true
	}
	return c, nil
}

func (s *seat) Take(_ context.Context, self string, seen map[int]int64) (map[int]int64, error) {
	if err := s.thaw(); err != nil {
		return nil, err
	}
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.mu.Lock()
	defer s.mu.Unlock()
	got := map[int]int64{}
	for id, epoch := range seen {
		if s.owners[id].Epoch == epoch {
			s.owners[id] = ShardRow{ID: id, Owner: self, Epoch: epoch + 1}
			got[id] = epoch + 1
		}
	}
	return got, nil
}

func (s *seat) Give(_ context.Context, self string, shards []int) error {
	if err := s.thaw(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range shards {
		if s.owners[id].Owner == self {
			s.owners[id].Owner = ""
		}
	}
	s.tellGiven()
	return nil
}

func (s *seat) tellGiven() {
	for _, other := range s.seats {
		if other != s && other.hear != nil {
			go other.hear(NoticeGiven)
		}
	}
}

func (s *seat) Forget(_ context.Context, replica string, renewals int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	owns := slices.ContainsFunc(s.owners, func(r ShardRow) bool { return r.Owner == replica })
	if s.renewals[replica] == renewals && !owns {
		delete(s.renewals, replica)
	}
	s.tellGiven()
	return nil
}

func (s *seat) Gone(_ context.Context, replica string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	other := s.seats[replica]
	return other == nil || other.dead, nil
}

func (s *seat) Listen(ctx context.Context, self string, ready func(), fn func(string)) error {
	if err := s.thaw(); err != nil {
		return err
	}
	s.mu.Lock()
	s.self, s.hear = self, fn
	s.seats[self] = s
	s.mu.Unlock()
	ready()
	select {
	case <-ctx.Done():
	case <-s.ended:
	}
	return errAway
}

// replica is an engine with its seat. Its work takes time and is written down
// when it begins and, in its commit, when it is done.
type replica struct {
	*Engine
	seat *seat
}

// proof is what the outside has seen.
type proof struct {
	journal
}

func (c *cluster) join(t *testing.T, p *proof, takes time.Duration) *replica {
	t.Helper()
	s := &seat{cluster: c, ended: make(chan struct{})}
	e := New(s, quiet)
	e.Handle("w", kind(marking{worker: worker{work: func(ctx context.Context, it Item) Result {
		if s.thaw() != nil {
			<-ctx.Done()
			return Result{Item: it}
		}
		if ctx.Err() == nil {
			p.add("%s %d found=%v", it.Lane, it.Ref, it.Found)
		}
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return Result{Item: it}
		}
		if s.thaw() != nil {
			<-ctx.Done()
		}
		return Result{Done: true, Commit: func(tx *Tx) error {
			st, _ := tx.st.(*sharedTx)
			st.log = append(st.log, fmt.Sprintf("%s %d", it.Lane, it.Ref))
			return nil
		}}
	}}}, 64))
	if err := e.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(e) })
	return &replica{e, s}
}

// shards returns how many shards each replica has.
func shards(replicas ...*replica) []int {
	var n []int
	for _, r := range replicas {
		n = append(n, r.Stats().Shards)
	}
	return n
}

func wait(d time.Duration) { <-time.After(d) }

// checkLanes compares what was committed, lane by lane, with refs 1 to n in order.
func checkLanes(t *testing.T, c *cluster, lanes int, n int64) {
	t.Helper()
	got := map[string][]string{}
	for _, line := range c.written() {
		name, ref, _ := strings.Cut(line, " ")
		got[name] = append(got[name], ref)
	}
	for i := range lanes {
		name := fmt.Sprintf("w/%d", i)
		same(t, "committed of "+name, got[name], lines(upTo(n)...))
	}
}

// Invariant 7: shards are shared out fairly, and move when a replica joins, stops
// or dies.
func TestInvariant7ShardsFollowTheLiving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(12), &proof{}
		a := c.join(t, p, time.Millisecond)
		wait(2 * time.Second)
		same(t, "alone", shards(a), []int{12})
		b := c.join(t, p, time.Millisecond)
		d := c.join(t, p, time.Millisecond)
		wait(5 * time.Second)
		same(t, "three", shards(a, b, d), []int{4, 4, 4})
		stop(b.Engine)
		wait(100 * time.Millisecond)
		same(t, "after a clean stop", shards(a, d), []int{6, 6})
		d.seat.kill()
		wait(leaseTime)
		same(t, "after a death", shards(a), []int{12})
		living, all := a.Replicas()
		same(t, "who is left", living, []Replica{{ID: a.lease.self, Self: true, Shards: 12}})
		same(t, "shards in all", all, 12)
	})
}

// Invariant 7: whichever replica accepts, the order of acceptance is kept, also
// where notices are lost.
func TestInvariant7AnyReplicaAccepts(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const lanes, each = 10, 30
			c, p := newCluster(8), &proof{}
			all := []*replica{c.join(t, p, 3*time.Millisecond), c.join(t, p, 2*time.Millisecond), c.join(t, p, time.Millisecond)}
			wait(5 * time.Second)
			for _, r := range all {
				r.seat.deaf = deaf
			}
			for ref := int64(1); ref <= each; ref++ {
				for i := range lanes {
					put(t, all[(int(ref)*7+i)%3].Engine, fmt.Sprintf("w/%d", i), ref)
				}
				wait(time.Duration(ref%4) * time.Millisecond)
			}
			wait(10 * time.Minute)
			checkLanes(t, c, lanes, each)
			same(t, "begun", p.len(), lanes*each)
		})
	}
}

// Invariant 7: a replica that was frozen for longer than its lease writes nothing
// when it wakes, and begins nothing; what was under way is found by the next one.
func TestInvariant7AFrozenReplicaIsFenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, each = 10, 20
		c, p := newCluster(8), &proof{}
		a, b := c.join(t, p, 100*time.Millisecond), c.join(t, p, 100*time.Millisecond)
		wait(5 * time.Second)
		for ref := int64(1); ref <= each; ref++ {
			for i := range lanes {
				put(t, b.Engine, fmt.Sprintf("w/%d", i), ref)
			}
		}
		wait(250 * time.Millisecond)
		a.seat.freeze()
		wait(leaseTime + 5*time.Second)
		same(t, "shards taken over", shards(b), []int{8})
		begun := p.len()
		a.seat.unfreeze()
		wait(100 * time.Millisecond)
		wait(10 * time.Minute)
		checkLanes(t, c, lanes, each)
		found := 0
		for _, line := range p.all() {
			if strings.HasSuffix(line, "found=true") {
				found++
			}
		}
		if most := lanes; found == 0 || found > most {
			t.Errorf("found under way: got %d, want at least 1 and at most one a lane (%d)", found, most)
		}
		same(t, "all begun", p.len() >= begun, true)
		same(t, "shared again", shards(a, b), []int{4, 4})
	})
}

// Invariant 7: killed and joining replicas under load: everything is committed
// once, in order.
func TestInvariant7KillsUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, each = 12, 60
		c, p := newCluster(8), &proof{}
		all := []*replica{c.join(t, p, 20*time.Millisecond), c.join(t, p, 20*time.Millisecond), c.join(t, p, 20*time.Millisecond)}
		wait(5 * time.Second)
		for ref := int64(1); ref <= each; ref++ {
			for i := range lanes {
				put(t, all[i%3].Engine, fmt.Sprintf("w/%d", i), ref)
			}
			wait(300 * time.Millisecond)
			if ref%10 == 0 {
				victim := int(ref/10) % 3
				all[victim].seat.kill()
				all[victim] = c.join(t, p, 20*time.Millisecond)
			}
		}
		wait(10 * time.Minute)
		checkLanes(t, c, lanes, each)
	})
}

// A shard that was to be given to a replica which has died before it could have
// it is gone on with.
func TestAShardThatIsNotGivenAfterAllIsWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes, each = 6, 3
		c, p := newCluster(2), &proof{}
		a := c.join(t, p, 12*time.Second)
		wait(2 * time.Second)
		for ref := int64(1); ref <= each; ref++ {
			for i := range lanes {
				put(t, a.Engine, fmt.Sprintf("w/%d", i), ref)
			}
		}
		wait(3 * time.Second)
		b := c.join(t, p, time.Second)
		wait(1500 * time.Millisecond)
		b.seat.kill()
		wait(10 * time.Minute)
		checkLanes(t, c, lanes, each)
		same(t, "shards", shards(a), []int{2})
	})
}

// While the database is away nobody is taken for dead, and the work goes on when
// it is back.
func TestNobodyIsDeadWhileTheDatabaseIsAway(t *testing.T) {
	w := watch{seen: map[string]sighting{}}
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	c := Census{Replicas: map[string]int64{"me": 1, "other": 7}}
	w.look(c, "me", now)
	w.reset() // a look failed
	if dead := w.look(c, "me", now.Add(time.Hour)); len(dead) > 0 {
		t.Errorf("dead after an hour without a look: %v", dead)
	}
	if dead := w.look(c, "me", now.Add(time.Hour+leaseTime)); dead["other"] != 7 {
		t.Errorf("dead after a lease of standing still: %v", dead)
	}
}
