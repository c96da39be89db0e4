package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
)

// How many rows a look at the queue and at the dead letters reads. Counts beyond
// are told as "at least": a doctor must not be one more load on a sick gateway.
const (
	maxWaitingRead = 10_000
	maxDeadRead    = 5_000
)

// doctorAnswer is how the gateway is. What cannot be told is null.
type doctorAnswer struct {
	Healthy      bool            `json:"healthy"` // no finding is a fault
	At           time.Time       `json:"at"`
	Version      string          `json:"version"`
	Ready        readiness       `json:"ready"`
	Conservation *conservation   `json:"conservation"`
	Waiting      *waiting        `json:"waiting"`
	DeadLetters  *deadLetters    `json:"deadLetters"`
	Channels     []channelHealth `json:"channels"`
	Lanes        lanes           `json:"lanes"`
	Replicas     []Replica       `json:"replicas"`
	Findings     []finding       `json:"findings"`
}

// conservation is the two sums of docs/states.md.
type conservation struct {
	Difference int64         `json:"difference"`
	Events     eventTotals   `json:"events"`
	Messages   messageTotals `json:"messages"`
}

type eventTotals struct {
	Accepted   int64 `json:"accepted"`
	Routed     int64 `json:"routed"`
	Suppressed int64 `json:"suppressed"`
	Ignored    int64 `json:"ignored"`
	Waiting    int64 `json:"waiting"`
	Difference int64 `json:"difference"`
}

type messageTotals struct {
	Accepted   int64 `json:"accepted"`
	Sent       int64 `json:"sent"` // delivered and read ones included
	Failed     int64 `json:"failed"`
	Expired    int64 `json:"expired"`
	Suppressed int64 `json:"suppressed"`
	Cancelled  int64 `json:"cancelled"`
	Parked     int64 `json:"parked"`
	Waiting    int64 `json:"waiting"` // queued and sending
	Difference int64 `json:"difference"`
}

// waiting is the queue of messages.
type waiting struct {
	Messages int64          `json:"messages"`
	Complete bool           `json:"complete"` // false: only the newest were read, so numbers by channel are "at least", the oldest too young
	Oldest   *waitingLetter `json:"oldest"`
}

type waitingLetter struct {
	ID         string    `json:"id"`
	Channel    string    `json:"channel"`
	CreatedAt  time.Time `json:"createdAt"`
	AgeSeconds int64     `json:"ageSeconds"`
}

// deadLetters are messages that did not arrive and that nobody has discarded.
type deadLetters struct {
	Complete bool         `json:"complete"` // false: only the newest were read
	Items    []deadLetter `json:"items"`
}

type deadLetter struct {
	State core.MessageState `json:"state"`
	Class *core.Class       `json:"class"`
	Count int64             `json:"count"`
}

type channelHealth struct {
	Name            string     `json:"name"`
	Type            *string    `json:"type"` // null: it is not configured
	Works           bool       `json:"works"`
	Why             *string    `json:"why"`
	PausedUntil     *time.Time `json:"pausedUntil"`
	Waiting         int64      `json:"waiting"`
	OldestWaitingAt *time.Time `json:"oldestWaitingAt"`
}

type lanes struct {
	Loaded int    `json:"loaded"`
	Pools  []pool `json:"pools"`
}

type pool struct {
	Name string `json:"name"`
	Busy int    `json:"busy"`
}

// Replica is one of the processes that share a database.
type Replica struct {
	ID      string     `json:"id"`
	Self    bool       `json:"self"` // the one that answers
	Version string     `json:"version"`
	Shards  Shards     `json:"shards"`
	HeardAt *time.Time `json:"heardAt"` // null: it is the one that answers
}

// Shards are how many of all shards a replica owns.
type Shards struct {
	Owned int `json:"owned"`
	All   int `json:"all"`
}

// getDoctor examines the gateway. The answer is 200 however it is, as long as
// there is one.
func (s *Server) getDoctor(c *gin.Context) {
	ctx := c.Request.Context()
	now := s.now()
	a := doctorAnswer{At: now.UTC(), Version: s.Version, Channels: []channelHealth{}, Findings: []finding{}}
	a.Ready = s.readiness(ctx)
	stats := s.Engine.Stats()
	a.Lanes = lanes{Loaded: stats.Lanes, Pools: []pool{}}
	for _, name := range slices.Sorted(maps.Keys(stats.Running)) {
		a.Lanes.Pools = append(a.Lanes.Pools, pool{name, stats.Running[name]})
	}
	a.Replicas = s.replicas(ctx, &a)
	channels := s.channelsNow(now)
	err := s.view(ctx, func(tx core.Tx) error { return a.read(tx, channels, now) })
	if err != nil {
		s.Log.Error("the doctor cannot read the database", "err", err)
		a.Conservation, a.Waiting, a.DeadLetters = nil, nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(channels)) {
		a.Channels = append(a.Channels, *channels[name])
	}
	a.diagnose()
	c.JSON(http.StatusOK, a)
}

// replicas are the processes that share the database: this one alone, unless
// somebody knows of more.
func (s *Server) replicas(ctx context.Context, a *doctorAnswer) []Replica {
	if s.Replicas == nil {
		return []Replica{{ID: "self", Self: true, Version: s.Version, Shards: Shards{Owned: 1, All: 1}}}
	}
	all, err := s.Replicas(ctx)
	if err != nil {
		s.Log.Error("the doctor cannot tell the replicas", "err", err)
		a.fault("replicas", "which replicas run cannot be told", "see the log; the database may be away")
	}
	return append([]Replica{}, all...)
}

// channelsNow are the configured channels as their requests found them.
func (s *Server) channelsNow(now time.Time) map[string]*channelHealth {
	all := map[string]*channelHealth{}
	for name, o := range s.Dispatcher.Outlets() {
		h := &channelHealth{Name: name, Type: orNull(o.Type)}
		// Works bears with a broken channel for a while. What it will say after
		// that while is what there is to know now.
		var why string
		h.Works, why = o.Works(now.Add(o.MisconfiguredAfter))
		h.Why = orNull(why)
		all[name] = h
	}
	return all
}

// read adds what the database knows, of one moment.
func (a *doctorAnswer) read(tx core.Tx, channels map[string]*channelHealth, now time.Time) error {
	totals, err := tx.Totals()
	if err != nil {
		return err
	}
	a.Conservation = conserve(totals)
	pauses, err := tx.Pauses()
	if err != nil {
		return err
	}
	for name, until := range pauses {
		if h := channels[name]; h != nil && until.After(now) {
			h.PausedUntil = orNull(until)
		}
	}
	if err := a.readQuestions(tx, now); err != nil {
		return err
	}
	if err := a.readWaiting(tx, channels, now); err != nil {
		return err
	}
	return a.readDead(tx)
}

// conserve adds up what has become of everything that was accepted.
func conserve(t core.Totals) *conservation {
	e := eventTotals{
		Accepted: t.EventsAccepted, Routed: t.Events[core.EventRouted], Suppressed: t.Events[core.EventSuppressed],
		Ignored: t.Events[core.EventIgnored], Waiting: t.Events[core.EventWaiting],
	}
	e.Difference = e.Accepted - e.Routed - e.Suppressed - e.Ignored - e.Waiting
	m := messageTotals{
		Accepted: t.MessagesAccepted,
		Sent:     t.Messages[core.MessageSent] + t.Messages[core.MessageDelivered] + t.Messages[core.MessageRead],
		Failed:   t.Messages[core.MessageFailed], Expired: t.Messages[core.MessageExpired], Suppressed: t.Messages[core.MessageSuppressed],
		Cancelled: t.Messages[core.MessageCancelled], Parked: t.Messages[core.MessageParked],
		Waiting: t.Messages[core.MessageQueued] + t.Messages[core.MessageSending],
	}
	m.Difference = m.Accepted - m.Sent - m.Failed - m.Expired - m.Suppressed - m.Cancelled - m.Parked - m.Waiting
	return &conservation{Difference: e.Difference + m.Difference, Events: e, Messages: m}
}

// readWaiting looks at the newest messages that wait, by channel.
func (a *doctorAnswer) readWaiting(tx core.Tx, channels map[string]*channelHealth, now time.Time) error {
	a.Waiting = &waiting{Messages: a.Conservation.Messages.Waiting, Complete: true}
	var oldest core.Message
	all, err := tx.ListMessages(core.MessageFilter{Open: true, Limit: maxWaitingRead + 1})
	if err != nil {
		return err
	}
	if len(all) > maxWaitingRead {
		all, a.Waiting.Complete = all[:maxWaitingRead], false
	}
	for _, m := range all {
		if oldest.ID == 0 || m.ID < oldest.ID {
			oldest = m
		}
		h := channels[m.Channel]
		if h == nil { // it has been taken out of the configuration
			h = &channelHealth{Name: m.Channel, Why: orNull("it is not in the configuration")}
			channels[m.Channel] = h
		}
		h.Waiting++
		if h.OldestWaitingAt == nil || m.CreatedAt.Before(*h.OldestWaitingAt) {
			h.OldestWaitingAt = orNull(m.CreatedAt)
		}
	}
	if oldest.ID != 0 {
		a.Waiting.Oldest = &waitingLetter{
			ID: strconv.FormatInt(oldest.ID, 10), Channel: oldest.Channel, CreatedAt: oldest.CreatedAt, AgeSeconds: int64(now.Sub(oldest.CreatedAt) / time.Second),
		}
	}
	return nil
}

// readDead counts the newest messages that did not arrive.
func (a *doctorAnswer) readDead(tx core.Tx) error {
	a.DeadLetters = &deadLetters{Complete: true, Items: []deadLetter{}}
	for _, state := range []core.MessageState{core.MessageFailed, core.MessageExpired, core.MessageParked} {
		all, err := tx.ListMessages(core.MessageFilter{State: state, Limit: maxDeadRead + 1})
		if err != nil {
			return err
		}
		if len(all) > maxDeadRead {
			all, a.DeadLetters.Complete = all[:maxDeadRead], false
		}
		counts := map[core.Class]int64{}
		for _, m := range all {
			counts[m.Class]++
		}
		for class, n := range counts {
			a.DeadLetters.Items = append(a.DeadLetters.Items, deadLetter{state, orNull(class), n})
		}
	}
	slices.SortFunc(a.DeadLetters.Items, func(x, y deadLetter) int {
		return strings.Compare(string(x.State)+" "+className(x.Class), string(y.State)+" "+className(y.Class))
	})
	return nil
}

func className(c *core.Class) string {
	if c == nil {
		return ""
	}
	return string(*c)
}
