package lane

import (
	"maps"
	"slices"
	"time"
)

// watch tells by this process's own clock which replicas are alive, and which
// shards this one is to take or to give back. It does nothing itself.
type watch struct {
	seen map[string]sighting
}

// sighting is when a replica was last seen to do something.
type sighting struct {
	renewals int64
	since    time.Time
	// gone counts the looks that found its session ended, one after the other.
	gone int
}

// goneLooks is how many looks must find a session ended: after a failover all
// sessions have ended, and those who live need a moment to come back.
const goneLooks = 2

// reset forgets what was seen: while the database was away nobody could renew.
func (w *watch) reset() { clear(w.seen) }

// look notes a census and returns the replicas whose renewals have stood still
// for the time of a lease.
func (w *watch) look(c Census, self string, now time.Time) (dead map[string]int64) {
	dead = map[string]int64{}
	for id, renewals := range c.Replicas {
		s, known := w.seen[id]
		if !known || s.renewals != renewals {
			w.seen[id] = sighting{renewals: renewals, since: now}
			continue
		}
		if id != self && now.Sub(s.since) >= leaseTime {
			dead[id] = renewals
		}
	}
	maps.DeleteFunc(w.seen, func(id string, _ sighting) bool { _, there := c.Replicas[id]; return !there })
	return dead
}

// still reports whether a replica has not renewed for a while.
func (w *watch) still(id string, now time.Time) bool {
	s, known := w.seen[id]
	return known && now.Sub(s.since) >= stillTime
}

// ended notes a look at a replica's session and reports whether it counts as dead.
func (w *watch) ended(id string, gone bool) bool {
	s := w.seen[id]
	if s.gone++; !gone {
		s.gone = 0
	}
	w.seen[id] = s
	return s.gone >= goneLooks
}

// share returns the free shards that self is to take, with the epochs seen, and
// those that it has too many of. Each replica is to have at most its fair part.
func (w *watch) share(c Census, self string, dead map[string]int64) (take map[int]int64, give []int) {
	living := 0
	for id := range c.Replicas {
		if _, gone := dead[id]; !gone {
			living++
		}
	}
	fair := (len(c.Owners) + max(living, 1) - 1) / max(living, 1)
	var mine, free []ShardRow
	for _, r := range c.Owners {
		_, alive := c.Replicas[r.Owner]
		_, gone := dead[r.Owner]
		switch {
		case r.Owner == self:
			mine = append(mine, r)
		case r.Owner == "" || !alive || gone:
			free = append(free, r)
		}
	}
	for _, r := range mine[min(fair, len(mine)):] {
		give = append(give, r.ID)
	}
	take = map[int]int64{}
	if len(free) == 0 {
		return take, give
	}
	// Replicas begin at different places, so as not to reach for the same ones.
	at := int(hash(self) % uint32(len(free)))
	for i := range free {
		if len(mine)+len(take) >= fair {
			break
		}
		r := free[(at+i)%len(free)]
		take[r.ID] = r.Epoch
	}
	slices.Sort(give)
	return take, give
}
