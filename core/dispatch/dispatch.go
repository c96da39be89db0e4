package dispatch

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/route"
	"tidings/core/split"
)

// Kind is the kind of the lanes this package works on:
// "out/<channel>/<address id>".
const Kind = "out"

// How many requests one channel may have open at once.
const (
	inFlight     = 64
	inFlightFast = 256 // without a pace to keep
	inFlightMost = 1024
	slowAnswer   = 2 * time.Second
)

// sendTimeout bounds one request.
const sendTimeout = 30 * time.Second

// Dispatcher is the lane.Marker of outgoing lanes.
type Dispatcher struct {
	engine  *lane.Engine
	log     *slog.Logger
	count   core.Count
	outlets atomic.Pointer[map[string]*Outlet]
	share   atomic.Pointer[share]
	loaded  loaded // what has just been marked, on its way to Work
}

// share is how many of all shards this process works on.
type share struct{ owned, all int }

var _ lane.Marker = (*Dispatcher)(nil)

// New returns a dispatcher without outlets.
func New(engine *lane.Engine, log *slog.Logger, count core.Count) *Dispatcher {
	d := &Dispatcher{engine: engine, log: log, count: count}
	d.outlets.Store(&map[string]*Outlet{})
	d.share.Store(&share{1, 1})
	d.loaded.jobs = map[jobKey]*job{}
	engine.OnShare(d.SetShare)
	engine.OnNotice(pausesNotice, d.hearPauses)
	return d
}

// Lane is how the engine is to work on outgoing lanes.
func (d *Dispatcher) Lane() lane.Kind {
	return lane.Kind{Worker: d, Pool: func(name string) (string, int) {
		channel := channelOf(name)
		return Kind + "/" + channel, d.atOnce(channel)
	}}
}

// atOnce is how many requests a channel may have open: as many as leave within
// the time a slow answer takes, so that waiting for answers costs no pace.
func (d *Dispatcher) atOnce(channel string) int {
	o, ok := d.Outlet(channel)
	if !ok {
		return inFlight
	}
	if o.Limits.Pace.PerSecond <= 0 {
		return inFlightFast
	}
	return min(inFlightMost, max(inFlight, int(o.Limits.Pace.PerSecond*slowAnswer.Seconds())))
}

// LaneOf names the lane of an address.
func LaneOf(channel string, addressID int64) string {
	return lane.Name(Kind, channel, strconv.FormatInt(addressID, 10))
}

func channelOf(name string) string {
	rest := strings.TrimPrefix(name, Kind+"/")
	channel, _, _ := strings.Cut(rest, "/")
	return channel
}

// SetOutlets puts other channels in place of the present ones. What is known of
// those that stay is kept.
func (d *Dispatcher) SetOutlets(outlets map[string]*Outlet) {
	old := *d.outlets.Load()
	for name, o := range outlets {
		if before := old[name]; before != nil && before != o {
			o.inherit(before)
		}
	}
	d.outlets.Store(&outlets)
	d.keepShare()
	d.engine.Kick(Kind + "/")
}

// SetShare has this process keep to its part of each channel's rate: the
// platform sees one gateway, however many processes it has.
func (d *Dispatcher) SetShare(owned, all int) {
	d.share.Store(&share{owned, all})
	d.keepShare()
}

func (d *Dispatcher) keepShare() {
	s, now := d.share.Load(), time.Now()
	for _, o := range d.Outlets() {
		o.setShare(s.owned, s.all, now)
	}
}

// pausesNotice tells other processes that a channel wants to be left alone.
const pausesNotice = "pauses"

// hearPauses takes up what platforms have told another process.
func (d *Dispatcher) hearPauses() {
	ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
	defer cancel()
	if err := d.Restore(ctx); err != nil {
		d.log.Error("cannot read the channels' pauses", "err", err)
	}
}

// Outlet returns the channel of a name.
func (d *Dispatcher) Outlet(name string) (*Outlet, bool) {
	o, ok := (*d.outlets.Load())[name]
	return o, ok
}

// ChannelAs returns the channel of a name as one of the further interfaces of core;
// ok is false where it is not configured, or is none.
func ChannelAs[T any](d *Dispatcher, name string) (channel T, ok bool) {
	if o, known := d.Outlet(name); known {
		channel, ok = o.Channel.(T)
	}
	return channel, ok
}

// Outlets returns all channels by name.
func (d *Dispatcher) Outlets() map[string]*Outlet { return *d.outlets.Load() }

// Restore takes up the pauses that were in force when the process ended. To be
// called before the engine starts.
func (d *Dispatcher) Restore(ctx context.Context) error {
	return d.engine.View(ctx, func(tx core.Tx) error {
		pauses, err := tx.Pauses()
		if err != nil {
			return err
		}
		for channel, until := range pauses {
			if o, ok := d.Outlet(channel); ok {
				o.pause(until)
			}
		}
		return nil
	})
}

// Enqueue writes a message with its parts and puts it at the end of its
// address's lane, marked where it may leave at once. The message is suppressed
// when it has nothing to say.
func (d *Dispatcher) Enqueue(tx *lane.Tx, m core.Message) (int64, error) {
	o, ok := d.Outlet(m.Channel)
	if !ok {
		m.State, m.Class, m.Why = core.MessageFailed, core.Misconfigured, "the channel is not configured"
		return tx.InsertMessage(m, nil)
	}
	parts := split.Parts(m.Body, o.Limits, func(int) string { return "" })
	for i := range parts {
		parts[i].Human, parts[i].Reply = m.Human, m.Reply
	}
	if len(parts) == 0 {
		m.State, m.Why = core.MessageSuppressed, "there is nothing to say"
		return tx.InsertMessage(m, nil)
	}
	m.State, m.Parts = core.MessageQueued, len(parts)
	name, prio := LaneOf(m.Channel, m.AddressID), priority(m)
	now, err := tx.Reserve(name, m.CreatedAt, prio)
	if err != nil {
		return 0, err
	}
	a, fit, err := d.fit(tx, o, m, parts[0], time.Now())
	if err != nil {
		return 0, err
	}
	if now && fit {
		return d.insertMarked(tx, m, parts, a)
	}
	id, err := tx.InsertMessage(m, parts)
	if err != nil {
		return id, err
	}
	if !now && (a.BlockedAt.IsZero() || m.Reply) {
		return id, tx.Append(name, id, m.CreatedAt, prio)
	}
	// What keeps it from going out as it is has its consequence at once: what comes
	// later may go to the next channel without asking.
	kept, err := d.Mark(tx, lane.Item{Lane: name, Ref: id, Step: 1})
	if !kept || err != nil {
		return id, err
	}
	return id, tx.AppendMarked(name, id, m.CreatedAt, prio)
}

// insertMarked writes a message that leaves as soon as that is durable.
func (d *Dispatcher) insertMarked(tx *lane.Tx, m core.Message, parts []core.Part, a core.ChatAddress) (int64, error) {
	m.State = core.MessageSending
	id, err := tx.InsertMessage(m, parts)
	if err != nil {
		return id, err
	}
	m.ID = id
	first := parts[0]
	first.Key = core.PartKey(id, first.N)
	p := core.StoredPart{MessageID: id, N: first.N, State: core.PartMarked, Part: first}
	j := &job{message: m, part: p, address: a}
	tx.After(func() { d.loaded.put(j) })
	return id, tx.AppendMarked(LaneOf(m.Channel, m.AddressID), id, m.CreatedAt, priority(m))
}

// EnqueueWants is what Enqueue reads.
func (d *Dispatcher) EnqueueWants(m core.Message) core.Wants {
	return core.Wants{
		Lanes: []string{LaneOf(m.Channel, m.AddressID)}, Addresses: []int64{m.AddressID}, LinksOfAddresses: []int64{m.AddressID},
	}
}

// priority puts what somebody waits for before news, and news before advertising.
func priority(m core.Message) lane.Priority {
	switch {
	case m.Human || m.Reply || m.Type == core.ThankYou:
		return lane.First
	case m.Purpose == core.Marketing:
		return lane.Bulk
	}
	return lane.Normal
}

// Gate implements lane.Worker.
func (d *Dispatcher) Gate(it lane.Item, now time.Time) lane.Turn {
	o, ok := d.Outlet(channelOf(it.Lane))
	if !ok {
		return lane.Turn{At: now.Add(probeEvery), All: true}
	}
	return o.gate(it.Lane, now)
}

// candidate is an address as core/route judges it.
func candidate(o *Outlet, a core.ChatAddress, template bool) route.Candidate {
	return route.Candidate{
		Channel: o.Name, AddressID: a.ID, State: route.Active,
		Window: o.Limits.Window, WindowFrom: a.LastInAt, Template: template, Works: true,
	}
}

// standing is the right under which a message may go out to an address now.
func standing(o *Outlet, m core.Message, a core.ChatAddress, now time.Time) (core.Standing, bool) {
	return route.Standing(candidate(o, a, m.Template != nil), m.Human, now)
}

// locale passes the customer's language on to adapters that write words of their own.
func locale(a core.ChatAddress) core.Address { return a.Address }

// Preview cuts a body as it would be sent on a channel.
func (d *Dispatcher) Preview(channel string, body core.Body) []core.Part {
	o, ok := d.Outlet(channel)
	if !ok {
		return nil
	}
	return split.Parts(body, o.Limits, func(int) string { return "" })
}

// Describe tells what routing has to know of a channel; ok is false for one
// that is not configured.
func (d *Dispatcher) Describe(channel string, t core.EventType, locale string, now time.Time) (core.ChannelInfo, bool) {
	o, ok := d.Outlet(channel)
	if !ok {
		return core.ChannelInfo{}, false
	}
	info := core.ChannelInfo{Window: o.Limits.Window}
	info.Works, info.Why = o.Works(now)
	info.Template, info.Language, info.Params, _ = o.TemplateFor(t, locale)
	return info, true
}
