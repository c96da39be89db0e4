package lane

import (
	"context"
	"time"
)

// discover reads which lanes have work, until memory is full.
func (e *Engine) discover(ctx context.Context) error {
	e.mu.Lock()
	e.missed = false
	e.mu.Unlock()
	if err := e.learnAll(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.discovering, e.complete = false, !e.missed
	e.discoverMore()
	return nil
}

func (e *Engine) learnAll(ctx context.Context) error {
	for after := ""; ; {
		names, err := e.store.Lanes(ctx, 0, after, discoverPage)
		if err != nil {
			return err
		}
		if !e.learn(names) || len(names) < discoverPage {
			return nil
		}
		after = names[len(names)-1]
	}
}

// learn adds lanes to memory; false means that it is full.
func (e *Engine) learn(names []string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range names {
		if e.lanes[name] != nil {
			continue
		}
		if len(e.lanes) >= e.room {
			e.leaveOut()
			return false
		}
		if l := e.newLane(name); l != nil {
			l.more = true
			e.ready(l)
		}
	}
	return true
}

// leaveOut notes that a lane with work is not in memory.
func (e *Engine) leaveOut() { e.complete, e.missed = false, true }

// discoverMore looks for the lanes that were left out, once there is room for a
// good many of them.
func (e *Engine) discoverMore() {
	if e.complete || e.discovering || e.stopping || len(e.lanes) > e.room/2 {
		return
	}
	e.discovering = true
	e.busy.Go(func() {
		for {
			err := e.discover(e.work)
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
