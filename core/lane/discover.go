package lane

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// scanGap is how long a pool waits between two looks for lanes it left out.
	scanGap = time.Second
	// evictAfter is how long a lane must still have to wait to be dropped from
	// memory for the sake of others.
	evictAfter = 5 * time.Second
)

// cursor is how far the scans of a pool have come.
type cursor struct {
	shard int
	after string
}

// discover reads which lanes of a shard have work. Those for which a pool has no
// room are left out.
func (e *Engine) discover(ctx context.Context, s *shard) error {
	for after := ""; ; {
		names, err := e.store.Lanes(ctx, s.id, after, discoverPage)
		if err != nil {
			return err
		}
		skip := e.learn(s, names)
		if len(names) < discoverPage {
			break
		}
		after = max(names[len(names)-1], skip)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.known = true
	return nil
}

// learn adds lanes to memory. skip is the name after which to go on: that after
// the last lane of a pool which is full.
func (e *Engine) learn(s *shard, names []string) (skip string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range names {
		if name <= skip || s.lost {
			continue
		}
		if l := e.lanes[name]; l != nil {
			continue
		}
		kind, ok := e.kinds[KindOf(name)]
		if !ok {
			continue
		}
		if p := e.poolOf(kind, name); p.lanes >= e.room {
			p.left, p.missed = true, true
			skip = p.name + "0" // what comes after the slash
			continue
		}
		if l := e.newLane(name, s); l != nil {
			l.more, l.prio = true, Normal
			e.ready(l)
		}
	}
	return skip
}

// discoverMore looks for the lanes of a pool that were left out, once there is
// room for a good many of them. Lanes that wait for long make room.
func (e *Engine) discoverMore(p *pool) {
	if !p.left || p.scanning || e.stopping || p.lanes-len(p.waiting) > e.room/2 {
		return
	}
	p.scanning = true
	e.busy.Go(func() {
		e.mu.Lock()
		wait := scanGap - e.now().Sub(p.scannedAt)
		e.mu.Unlock()
		for wait > 0 && !e.pause(wait) {
			e.mu.Lock()
			p.scanning = false
			e.mu.Unlock()
			return
		}
		for {
			err := e.scan(e.work, p)
			if err == nil {
				return
			}
			e.log.Error("cannot read which lanes have work; trying again", "err", err)
			if !e.pause(time.Second) {
				return
			}
		}
	})
}

// scan goes once round all lanes of a pool, beginning where the last scan ended,
// and learns as many as there is room for.
func (e *Engine) scan(ctx context.Context, p *pool) error {
	e.mu.Lock()
	p.missed = false
	e.evict(p)
	shards := slices.Sorted(maps.Keys(e.owned))
	from := p.next
	e.mu.Unlock()
	at, _ := slices.BinarySearch(shards, from.shard)
	for i := range len(shards) + 1 { // the first one twice: after the cursor, and before
		if len(shards) == 0 {
			break
		}
		id := shards[(at+i)%len(shards)]
		after := p.name + "/"
		if i == 0 && id == from.shard {
			after = max(after, from.after)
		}
		full, err := e.scanShard(ctx, p, id, after)
		if err != nil {
			return err
		}
		if full {
			break
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p.scanning, p.left, p.scannedAt = false, p.missed, e.now()
	if !p.left {
		p.next = cursor{}
	}
	e.discoverMore(p)
	return nil
}

// scanShard learns the lanes of a pool in one shard; full says that there was no
// room for all.
func (e *Engine) scanShard(ctx context.Context, p *pool, id int, after string) (full bool, err error) {
	prefix := p.name + "/"
	for {
		names, err := e.store.Lanes(ctx, id, after, discoverPage)
		if err != nil {
			return false, err
		}
		for i, name := range names {
			if !strings.HasPrefix(name, prefix) {
				names = names[:i]
				break
			}
		}
		if len(names) == 0 {
			return false, nil
		}
		e.mu.Lock()
		s := e.owned[id]
		e.mu.Unlock()
		if s == nil {
			return false, nil
		}
		before := p.next
		skip := e.learn(s, names)
		e.mu.Lock()
		p.next = cursor{id, e.lastKnown(names, before.after)}
		e.mu.Unlock()
		if skip != "" {
			return true, nil
		}
		after = names[len(names)-1]
	}
}

// lastKnown is the last of some names that memory knows, so that the next scan
// begins with the first it does not.
func (e *Engine) lastKnown(names []string, otherwise string) string {
	for _, name := range slices.Backward(names) {
		if e.lanes[name] != nil {
			return name
		}
	}
	return otherwise
}

// evict drops lanes that have to wait for a while yet from memory, at most as
// many as make half of the room: they are found again by a later scan.
func (e *Engine) evict(p *pool) {
	now, gone := e.now(), 0
	for l := range p.waiting {
		if gone >= e.room/2 || p.lanes <= e.room/2 {
			return
		}
		if l.wakeAt.Sub(now) < evictAfter || l.running || l.unsettled != nil || (len(l.items) > 0 && l.items[0].Mark != 0) {
			continue
		}
		gone++
		p.missed = true
		e.drop(l)
	}
}
