package dispatch

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// job is one part with everything needed to send it.
type job struct {
	it      lane.Item
	outlet  *Outlet
	message core.Message
	part    core.StoredPart
	address core.ChatAddress
	now     time.Time
}

// Work sends one part and says what its answer means.
func (d *Dispatcher) Work(ctx context.Context, it lane.Item) lane.Result {
	j, err := d.jobOf(ctx, it)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return lane.Result{Done: true} // purged or erased
	case err != nil:
		d.log.Error("cannot read a message; trying again", "message", it.Ref, "err", err)
		return later(it, j.now.Add(time.Second))
	}
	var ok bool
	if j.outlet, ok = d.Outlet(j.message.Channel); !ok {
		return later(it, j.now.Add(probeEvery))
	}
	switch {
	case j.part.State == core.PartSent || j.part.State == core.PartDelivered || j.part.State == core.PartRead:
		return d.advance(j, nil)
	case LaneOf(j.message.Channel, j.message.AddressID) != it.Lane:
		return lane.Result{Done: true} // waits in the lane of another address
	case it.Found:
		return d.foundMarked(j)
	}
	return d.send(ctx, j)
}

// jobOf returns what an item is about: as Mark has just read it, or as it is on disk.
func (d *Dispatcher) jobOf(ctx context.Context, it lane.Item) (*job, error) {
	j, ok := d.loaded.take(it.Ref, it.Step)
	if !ok || it.Found {
		j, ok = &job{}, false
	}
	j.it, j.now = it, time.Now()
	if ok {
		return j, nil
	}
	return j, d.engine.View(ctx, j.load)
}

func (j *job) load(tx core.Tx) error {
	var err error
	if j.message, err = tx.Message(j.it.Ref); err != nil {
		return err
	}
	if j.part, err = tx.Part(j.message.ID, j.it.Step); err != nil {
		return err
	}
	j.address, err = tx.Address(j.message.AddressID)
	return err
}

func (d *Dispatcher) send(ctx context.Context, j *job) lane.Result {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	p := j.part.Part
	p.Standing, _ = standing(j.outlet, j.message, j.address, j.now)
	sent, err := j.outlet.Send(ctx, locale(j.address), p)
	now := time.Now()
	d.count("requests", 1, "channel", j.outlet.Name, "class", classLabel(err))
	if err != nil {
		return d.decide(j, err, now)
	}
	if j.outlet.succeeded(now) {
		d.log.Info("channel works again", "channel", j.outlet.Name)
		d.engine.Kick(Kind + "/" + j.outlet.Name + "/")
	}
	if sent.SlowDown > 0 {
		j.outlet.pause(now.Add(sent.SlowDown))
	}
	d.count("latency_seconds", now.Sub(j.message.CreatedAt).Seconds(), "channel", j.outlet.Name)
	return d.advance(j, func(tx *lane.Tx) (core.StoredPart, error) { return settleSent(tx, j, sent, now) })
}

func classLabel(err error) string {
	if err == nil {
		return "ok"
	}
	return string(core.ClassOf(err))
}

// settleSent writes down that the platform has taken a part.
func settleSent(tx *lane.Tx, j *job, sent core.Sent, now time.Time) (core.StoredPart, error) {
	p := j.part
	p.State, p.PlatformID, p.SentAt, p.Watched = core.PartSent, sent.ID, now, j.outlet.Limits.Read
	if err := takeReceipts(tx, j.outlet, &p); err != nil {
		return p, err
	}
	settled, err := tx.SettlePart(p)
	if err == nil && !settled {
		p, err = settleKnown(tx, j, p, now)
	}
	if err != nil || sent.Moved == nil || sent.Moved.Value == j.address.Value {
		return p, err
	}
	return p, Readdress(tx, j.address.ID, *sent.Moved, now)
}

// settleKnown is settleSent for a part that has changed since its mark: an echo
// and its receipts may have been faster.
func settleKnown(tx *lane.Tx, j *job, sent core.StoredPart, now time.Time) (core.StoredPart, error) {
	p, err := tx.Part(j.part.MessageID, j.part.N)
	if err != nil {
		return p, err
	}
	if p.State != core.PartRead && (p.State != core.PartDelivered || sent.State == core.PartRead) {
		p.State = sent.State
	}
	p.PlatformID, p.SentAt, p.Watched = cmp.Or(sent.PlatformID, p.PlatformID), now, sent.Watched
	if p.DeliveredAt.IsZero() {
		p.DeliveredAt = sent.DeliveredAt
	}
	if p.ReadAt.IsZero() {
		p.ReadAt = sent.ReadAt
	}
	return p, tx.SavePart(p)
}

// takeReceipts joins the receipts that came before their part was settled.
func takeReceipts(tx *lane.Tx, o *Outlet, p *core.StoredPart) error {
	if p.PlatformID == "" || !(o.Limits.Delivered || o.Limits.Read || o.Limits.Echo > 0) {
		return nil
	}
	delivered, read, err := tx.TakeReceipts(o.Name, p.PlatformID)
	if err != nil {
		return err
	}
	p.Raise(delivered, read)
	return nil
}

// advance settles a part that has been sent and goes on to the next, or ends
// the message with the last.
func (d *Dispatcher) advance(j *job, write func(*lane.Tx) (core.StoredPart, error)) lane.Result {
	last := j.part.N >= j.message.Parts
	next := j.it
	next.Step, next.Tries, next.Since, next.LastTry, next.Due = j.it.Step+1, 0, time.Time{}, time.Time{}, j.now
	return lane.Result{Done: last, Item: next, Commit: func(tx *lane.Tx) error {
		p := j.part
		if write != nil {
			var err error
			if p, err = write(tx); err != nil {
				return err
			}
		}
		if !last {
			return nil
		}
		return d.finish(tx, j, p)
	}}
}

// finish gives a message whose parts are all sent the state of its slowest part.
func (d *Dispatcher) finish(tx *lane.Tx, j *job, last core.StoredPart) error {
	m := j.message
	parts := []core.StoredPart{last}
	if m.Parts > 1 {
		var err error
		if parts, err = tx.Parts(m.ID); err != nil {
			return err
		}
	}
	state := core.SlowestState(parts)
	m.State, m.Class, m.Why, m.ChangedAt = state, "", "", time.Now()
	settled, err := tx.SettleMessage(m)
	if err == nil && !settled {
		m, err = tx.Message(m.ID)
		if err != nil || !(m.State.Open() || m.State == core.MessageCancelled) {
			return err
		}
		m.State, m.Class, m.Why, m.ChangedAt = state, "", "", time.Now() // also what was cancelled too late: it is with the customer
		err = tx.SaveMessage(m)
	}
	d.countEnd(tx, m)
	return err
}

// foundMarked deals with a part whose mark was made by a process that is gone:
// nobody knows whether its request left.
func (d *Dispatcher) foundMarked(j *job) lane.Result {
	return d.uncertain(j, "", "the gateway stopped while the part may have been on its way", j.now)
}

// uncertain writes down that the fate of a part is not known. Where the platform
// shows us our own messages, that is waited for; then Mark applies the policy.
func (d *Dispatcher) uncertain(j *job, code, text string, now time.Time) lane.Result {
	next := j.it
	if next.Since.IsZero() {
		next.Since = now
	}
	next.Tries++
	next.LastTry, next.Due = now, now.Add(j.outlet.Limits.Echo)
	if next.Tries > 1 {
		next.Due = now.Add(max(j.outlet.Limits.Echo, backoff(now.Sub(next.Since))))
	}
	giveUp := next.Tries > maxTries
	return lane.Result{Done: giveUp, Item: next, Commit: func(tx *lane.Tx) error {
		if err := attempt(tx, j, core.Uncertain, code, text, now); err != nil {
			return err
		}
		p, err := tx.Part(j.part.MessageID, j.part.N)
		if err != nil || p.State == core.PartSent || p.State == core.PartDelivered || p.State == core.PartRead {
			return err // an echo was faster
		}
		p.State = core.PartUncertain
		if err := tx.SavePart(p); err != nil {
			return err
		}
		m, err := tx.Message(j.message.ID)
		if err != nil || !m.State.Open() {
			return err
		}
		if giveUp {
			return d.failover(tx, m, core.Uncertain, "sent several times, never with an answer", now)
		}
		m.Class, m.Why, m.ChangedAt = core.Uncertain, text, now
		return tx.SaveMessage(m)
	}}
}

// Wants implements lane.Reader.
func (d *Dispatcher) Wants(it lane.Item) core.Wants {
	w := core.Wants{Messages: []int64{it.Ref}}
	_, id, _ := strings.Cut(strings.TrimPrefix(it.Lane, Kind+"/"), "/")
	if address, err := strconv.ParseInt(id, 10, 64); err == nil {
		w.Addresses, w.LinksOfAddresses = []int64{address}, []int64{address}
	}
	return w
}

func later(it lane.Item, at time.Time) lane.Result {
	it.Due = at
	return lane.Result{Item: it}
}

func attempt(tx *lane.Tx, j *job, class core.Class, code, text string, now time.Time) error {
	return tx.AddAttempt(core.Attempt{MessageID: j.part.MessageID, N: j.part.N, At: now, Class: class, Code: code, Text: text})
}
