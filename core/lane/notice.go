package lane

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// listen keeps a session for notices until the engine stops.
func (e *Engine) listen() {
	for e.work.Err() == nil {
		err := e.shared.Listen(e.work, e.lease.self, e.sessionStands, e.heard)
		if errors.Is(err, ErrNoSession) {
			e.mu.Lock()
			e.lease.pooled = true
			e.mu.Unlock()
			return
		}
		e.suspend()
		if !e.pause(listenGap) {
			return
		}
	}
}

func (e *Engine) sessionStands() {
	e.mu.Lock()
	e.lease.session = true
	e.mu.Unlock()
	e.wake()
}

// wake has the lease looked after at once.
func (e *Engine) wake() {
	select {
	case e.lease.nudge <- struct{}{}:
	default:
	}
}

// The notices: "lanes" with names, "shards" with numbers to be searched,
// NoticeGiven when shards are free, and whatever kinds OnNotice knows.
const (
	noticeLanes  = "lanes"
	noticeShards = "shards"
)

// tellOthers names the lanes of other replicas to which a batch has appended.
func (e *Engine) tellOthers(st StoreTx, batch []*op) error {
	if e.shared == nil {
		return nil
	}
	names, shards, size := []string{}, []string{}, 0
	e.mu.Lock()
	for _, o := range batch {
		if o.tx == nil || o.err != nil {
			continue
		}
		for _, it := range o.tx.added {
			if e.owned[it.Shard] != nil {
				continue
			}
			names = append(names, it.Lane)
			shards = append(shards, strconv.Itoa(it.Shard))
			size += len(it.Lane) + 1
		}
	}
	e.mu.Unlock()
	switch {
	case len(names) == 0:
		return nil
	case size+len(noticeLanes) <= MaxNotice:
		return st.Tell(noticeLanes + "\n" + strings.Join(names, "\n"))
	}
	slices.Sort(shards)
	return st.Tell(noticeShards + "\n" + strings.Join(slices.Compact(shards), "\n"))
}

// heard acts on a notice.
func (e *Engine) heard(notice string) {
	kind, rest, _ := strings.Cut(notice, "\n")
	switch kind {
	case noticeLanes:
		for name := range strings.SplitSeq(rest, "\n") {
			e.stir(name)
		}
	case noticeShards:
		for number := range strings.SplitSeq(rest, "\n") {
			if id, err := strconv.Atoi(number); err == nil {
				e.search(id)
			}
		}
	case NoticeGiven:
		e.wake()
	default:
		if fn := e.onNotice[kind]; fn != nil {
			fn()
		}
	}
}

// stir has a lane read again.
func (e *Engine) stir(name string) {
	id := e.shardOf(name)
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.owned[id]
	if s == nil {
		return
	}
	l := e.lanes[name]
	if l == nil {
		if l = e.newLane(name, s); l == nil {
			return
		}
		l.prio = Normal
	}
	l.more, l.touched = true, true
	if l.timer == nil {
		e.ready(l)
	}
}

// search looks for lanes of a shard that have work of which no notice came.
func (e *Engine) search(id int) {
	e.mu.Lock()
	s := e.owned[id]
	e.mu.Unlock()
	if s == nil {
		return
	}
	if err := e.discover(e.work, s); err != nil && e.work.Err() == nil {
		e.log.Error("cannot search a shard for work", "err", err)
	}
}

// searchAll does so for all shards, now and then, for the notices that were
// lost. With no other replica alive there are none to lose.
func (e *Engine) searchAll() {
	for gap := searchEvery; e.pause(gap); {
		e.mu.Lock()
		ids := slices.Sorted(maps.Keys(e.owned))
		e.mu.Unlock()
		begin := e.now()
		for _, id := range ids {
			e.search(id)
		}
		gap = max(searchEvery, 50*e.now().Sub(begin))
	}
}
