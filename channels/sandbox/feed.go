package sandbox

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tidings/channels/emulator"
)

// How long a page waits for news before it asks again.
const feedWait = 25 * time.Second

// news is a message as a chat window shows it.
type news struct {
	Channel string `json:"channel"`
	emulator.Shown
}

// feed tells what the customer's chats show since the cursor. One request
// waits for all platforms, because a browser has few connections to one host.
func (s *Sandbox) feed(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	who, err := s.people.find(q.Get("customer"))
	if err != nil {
		refuse(w, err)
		return
	}
	after, err := s.parseCursor(q.Get("cursor"))
	if err != nil {
		refuse(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), feedWait)
	defer cancel()
	for {
		changed := s.changed()
		items, cursor := s.since(who, after)
		if len(items) > 0 || !s.await(ctx, changed) {
			reply(w, http.StatusOK, map[string]any{"items": items, "cursor": s.formatCursor(cursor)})
			return
		}
	}
}

// since returns what is new on each platform, and the cursors to go on from.
func (s *Sandbox) since(who Person, after []int64) ([]news, []int64) {
	items := []news{}
	cursor := make([]int64, len(s.platforms))
	for i, p := range s.platforms {
		var shown []emulator.Shown
		shown, cursor[i] = p.sim.Log().Feed(who.Chats[p.Name], after[i])
		for _, m := range shown {
			items = append(items, news{p.Name, m})
		}
	}
	return items, cursor
}

// changed returns for each platform what is closed at its next change.
func (s *Sandbox) changed() []<-chan struct{} {
	var all []<-chan struct{}
	for _, p := range s.platforms {
		all = append(all, p.sim.Log().Changed())
	}
	return all
}

// await waits for a change and reports whether there was one.
func (s *Sandbox) await(ctx context.Context, changed []<-chan struct{}) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	woken := make(chan struct{}, len(changed))
	for _, c := range changed {
		go func() {
			select {
			case <-c:
				woken <- struct{}{}
			case <-ctx.Done():
			}
		}()
	}
	select {
	case <-woken:
		return true
	case <-s.closed:
		return false
	case <-ctx.Done():
		return false
	}
}

var errCursor = errors.New("cursor: is not one that this sandbox gave")

// parseCursor reads one position for each platform; an empty cursor is the
// beginning. That of another sandbox, before a restart, is refused.
func (s *Sandbox) parseCursor(text string) ([]int64, error) {
	after := make([]int64, len(s.platforms))
	if text == "" {
		return after, nil
	}
	world, rest, _ := strings.Cut(text, ":")
	parts := strings.Split(rest, ".")
	if world != s.id || len(parts) != len(after) {
		return nil, errCursor
	}
	for i, p := range parts {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil || n < 0 {
			return nil, errCursor
		}
		after[i] = n
	}
	return after, nil
}

func (s *Sandbox) formatCursor(at []int64) string {
	parts := make([]string, len(at))
	for i, n := range at {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return s.id + ":" + strings.Join(parts, ".")
}
