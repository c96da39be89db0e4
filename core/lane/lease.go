package lane

import (
	"context"
	"crypto/rand"
	"hash/fnv"
	"maps"
	"slices"
	"time"
)

const (
	// leaseTime is how long a replica may work after its latest renewal.
	leaseTime = 15 * time.Second
	// beatEvery is how often it renews, and looks at the others.
	beatEvery = time.Second
	// leaseMargin is how long before the end of the lease a request must have ended.
	leaseMargin = time.Second
	// callTime bounds a call of the store that keeps the lease.
	callTime = 5 * time.Second
	// stillTime is how long a replica's renewals must have stood still before its
	// session is looked for.
	stillTime = 2 * time.Second
	// listenGap is the wait before a lost session is opened anew.
	listenGap = 200 * time.Millisecond
	// searchEvery is how often shards are searched for work whose notice was lost.
	searchEvery = 5 * time.Second
)

// shard is a shard of this process; guarded by Engine.mu.
type shard struct {
	id    int
	epoch int64
	// known says that memory has learnt which of its lanes have work.
	known bool
	// leaving says that it is to be given back once nothing of it runs; lost that
	// it is another replica's already.
	leaving, lost bool
	running       int
}

// lease is the right of this replica to its shards; guarded by Engine.mu.
type lease struct {
	self    string
	until   time.Time
	session bool // it stands
	pooled  bool // there are no sessions to be had
	nudge   chan struct{}
	ended   chan struct{} // closed when nobody renews it any more
	watch   watch
	told    error // the latest error that was logged
	census  Census
	dead    map[string]int64 // of the census, those that count as dead
}

func newLease() *lease {
	return &lease{self: rand.Text(), nudge: make(chan struct{}, 1), ended: make(chan struct{}), watch: watch{seen: map[string]sighting{}}}
}

// shardOf is the shard of a lane: the same in every replica and version.
func (e *Engine) shardOf(name string) int {
	if e.shared == nil {
		return 0
	}
	return ShardOf(name, e.shared.Shards())
}

// ShardOf is the shard of a lane among so many.
func ShardOf(name string, shards int) int {
	return int(hash(name) % uint32(shards))
}

func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}

// alive reports whether this process may work: always where it is the only one.
// Both the monotonic and the wall clock have to agree, since the one stands
// still while the machine sleeps and the other can be set.
func (e *Engine) alive(now time.Time) bool {
	if e.shared == nil {
		return true
	}
	until := e.lease.until.Add(-leaseMargin)
	return now.Before(until) && now.Round(0).Before(until.Round(0))
}

// Alive reports whether this process may work now. It is asked once more right
// before bytes leave.
func (e *Engine) Alive() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.alive(e.now())
}

// mayMark reports whether marks may be made for a lane.
func (e *Engine) mayMark(l *lane, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.stopping && !l.shard.lost && !l.shard.leaving && e.alive(now)
}

// term ends ctx before the lease does.
func (e *Engine) term(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.shared == nil {
		return ctx, func() {}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return context.WithDeadline(ctx, e.lease.until.Add(-leaseMargin))
}

// Owns reports whether a lane is worked on by this process.
func (e *Engine) Owns(name string) bool {
	id := e.shardOf(name)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.owned[id] != nil
}

// Leads reports whether this process does what only one of all is to do.
func (e *Engine) Leads() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.owned[0] != nil && e.alive(e.now())
}

// Replica is one of the processes that share a store.
type Replica struct {
	ID     string
	Self   bool
	Shards int // of how many it is the owner
}

// Replicas returns the processes that are taken for alive, and how many shards
// there are; none where the store is not Shared.
func (e *Engine) Replicas() (living []Replica, shards int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.lease.census
	owned := map[string]int{}
	for _, r := range c.Owners {
		owned[r.Owner]++
	}
	for _, id := range slices.Sorted(maps.Keys(c.Replicas)) {
		if _, gone := e.lease.dead[id]; !gone {
			living = append(living, Replica{ID: id, Self: id == e.lease.self, Shards: owned[id]})
		}
	}
	return living, len(c.Owners)
}

// OnShare has fn called with how many of all shards this process has, whenever
// that changes. To be called before Start.
func (e *Engine) OnShare(fn func(owned, all int)) { e.onShare = fn }

// OnNotice has fn called when another process says something of a kind. To be
// called before Start.
func (e *Engine) OnNotice(kind string, fn func()) { e.onNotice[kind] = fn }

// keepLease renews the lease and takes part in sharing out the shards, until
// the engine stops.
func (e *Engine) keepLease() {
	defer close(e.lease.ended)
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		e.beat()
		select {
		case <-tick.C:
		case <-e.lease.nudge:
		case <-e.halted:
			return
		}
	}
}

// beat is one round: renew, look, give back what is lost or too much, take what
// is free.
func (e *Engine) beat() {
	if !e.mayRenew() {
		return
	}
	ctx, cancel := context.WithTimeout(e.work, callTime)
	defer cancel()
	begin := e.now()
	census, err := e.shared.Beat(ctx, e.lease.self)
	e.note("cannot renew the lease", err)
	if err != nil {
		e.lease.watch.reset()
		return
	}
	e.extend(begin)
	e.dropLost(census)
	dead := e.lease.watch.look(census, e.lease.self, begin)
	e.askSessions(ctx, census, dead, begin)
	e.mu.Lock()
	e.lease.census, e.lease.dead = census, dead
	e.mu.Unlock()
	take, give := e.lease.watch.share(census, e.lease.self, dead)
	e.give(ctx, give)
	e.take(ctx, take)
	for id, renewals := range dead {
		if !slices.ContainsFunc(census.Owners, func(r ShardRow) bool { return r.Owner == id }) {
			e.note("cannot forget a replica", e.shared.Forget(ctx, id, renewals))
		}
	}
}

// mayRenew reports whether the lease is to be renewed. Without a session this
// replica does not work, so it must not keep its shards from those who would.
func (e *Engine) mayRenew() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lease.session || e.lease.pooled
}

// note logs an error once, and that it is over.
func (e *Engine) note(what string, err error) {
	switch {
	case err != nil && e.lease.told == nil:
		e.log.Error("the lease on shards suffers; trying again", "what", what, "err", err)
	case err == nil && e.lease.told != nil:
		e.log.Info("the database answers again")
	}
	e.lease.told = err
}

// extend prolongs the lease, counted from before its renewal was asked for. A
// replica whose session is gone is taken for dead by others, so it must not work.
func (e *Engine) extend(begin time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.lease.session && !e.lease.pooled {
		return
	}
	before := e.alive(e.now())
	e.lease.until = begin.Add(leaseTime)
	if before {
		return
	}
	for _, p := range e.pools {
		e.serve(p)
	}
}

// suspend ends the right to work until the next renewal.
func (e *Engine) suspend() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lease.session, e.lease.until = false, time.Time{}
}

// dropLost forgets the shards that other replicas have taken.
func (e *Engine) dropLost(c Census) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range c.Owners {
		if s := e.owned[r.ID]; s != nil && (r.Owner != e.lease.self || r.Epoch != s.epoch) {
			e.log.Warn("a shard has been taken over", "shard", r.ID)
			e.lose(s)
		}
	}
}

// gone notes that a shard has turned out to be another replica's.
func (e *Engine) gone(s *shard) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.owned[s.id] == s {
		e.lose(s)
	}
}

// lose takes a shard with its lanes out of memory.
func (e *Engine) lose(s *shard) {
	s.lost = true
	delete(e.owned, s.id)
	for _, l := range e.lanes {
		if l.shard == s {
			e.drop(l)
		}
	}
	e.tellShare()
}

func (e *Engine) tellShare() {
	if e.onShare != nil {
		e.onShare(len(e.owned), e.shared.Shards())
	}
}

// askSessions adds those replicas to the dead whose session has ended.
func (e *Engine) askSessions(ctx context.Context, c Census, dead map[string]int64, now time.Time) {
	for id := range c.Replicas {
		if id == e.lease.self || !c.Sessions[id] || !e.lease.watch.still(id, now) {
			continue
		}
		gone, err := e.shared.Gone(ctx, id)
		if err == nil && e.lease.watch.ended(id, gone) {
			dead[id] = c.Replicas[id]
		}
	}
}

// give leaves shards to others, once nothing of them is under way. Those that
// were to go and are not any more, since whoever would have had them is gone, stay.
func (e *Engine) give(ctx context.Context, ids []int) {
	var idle []int
	e.mu.Lock()
	for id, s := range e.owned {
		if s.leaving && !slices.Contains(ids, id) {
			e.stay(s)
		}
	}
	for _, id := range ids {
		s := e.owned[id]
		if s == nil {
			continue
		}
		s.leaving = true
		if s.running == 0 {
			idle = append(idle, id)
		}
	}
	e.mu.Unlock()
	if len(idle) == 0 {
		return
	}
	err := e.Do(ctx, func(tx *Tx) error { return e.putBack(tx, idle) })
	if err == nil {
		err = e.shared.Give(ctx, e.lease.self, idle)
	}
	e.note("cannot give shards back", err)
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range idle {
		if s := e.owned[id]; s != nil {
			e.lose(s)
		}
	}
}

// stay goes on with a shard that was to be given away.
func (e *Engine) stay(s *shard) {
	s.leaving = false
	for _, l := range e.lanes {
		if l.shard == s && l.timer == nil {
			e.ready(l)
		}
	}
}

// putBack unmarks what has not left of some shards.
func (e *Engine) putBack(tx *Tx, shards []int) error {
	e.awaitSync()
	for _, it := range e.marked() {
		if !slices.Contains(shards, it.Shard) {
			continue
		}
		it.Mark = 0
		if err := tx.st.SaveItem(it); err != nil {
			return err
		}
	}
	return nil
}

// take makes free shards this replica's and learns what they hold.
func (e *Engine) take(ctx context.Context, seen map[int]int64) {
	if len(seen) == 0 {
		return
	}
	got, err := e.shared.Take(ctx, e.lease.self, seen)
	e.note("cannot take shards", err)
	if err != nil {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(got)) {
		s := &shard{id: id, epoch: got[id]}
		e.mu.Lock()
		e.owned[id] = s
		e.tellShare()
		e.mu.Unlock()
		if err := e.discover(e.work, s); err != nil {
			e.log.Error("cannot read which lanes of a shard have work; its search will", "err", err)
		}
	}
	if len(got) > 0 {
		e.log.Info("took shards", "shards", len(got), "now", e.Stats().Shards)
	}
}
