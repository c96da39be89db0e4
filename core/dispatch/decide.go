package dispatch

import (
	"errors"
	"math/rand/v2"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// How often and how long a Temporary is tried while the channel works for others.
const (
	maxTries    = 8
	maxTrySpan  = 15 * time.Minute
	backoffBase = 500 * time.Millisecond
	backoffMax  = time.Minute
)

// backoff is the gap before the next try: it grows with the time the trouble
// has lasted, doubling it, with jitter.
func backoff(lasted time.Duration) time.Duration {
	span := min(backoffMax, max(backoffBase, lasted))
	return span/2 + rand.N(span/2+1)
}

// decide is the one place where an error class has its consequence (docs/states.md).
func (d *Dispatcher) decide(j *job, err error, now time.Time) lane.Result {
	var se *core.SendError
	if !errors.As(err, &se) {
		se = &core.SendError{Class: core.Temporary, Err: err}
	}
	text := reason(se)
	switch core.ClassOf(se) {
	case core.Throttled:
		return d.throttled(j, se, text, now)
	case core.Rejected:
		return d.giveUp(j, core.Rejected, se.Code, text, now)
	case core.Unreachable:
		return d.unreachable(j, se, text, now)
	case core.Misconfigured:
		return d.misconfigured(j, se, text, now)
	case core.WindowClosed:
		return d.windowClosed(j, se, text, now)
	case core.Uncertain:
		return d.uncertain(j, se.Code, text, now)
	default:
		return d.temporary(j, se, text, now)
	}
}

// reason is the error in words, cut to what a log or an operator can use.
func reason(se *core.SendError) string {
	if se.Err == nil {
		return ""
	}
	text := []rune(se.Err.Error())
	return string(text[:min(len(text), 300)])
}

func (d *Dispatcher) temporary(j *job, se *core.SendError, text string, now time.Time) lane.Result {
	next := j.it
	if next.Tries == 0 {
		next.Since = now
	}
	// While the channel as a whole is down nothing counts: a try does only when
	// the platform has taken something from somebody since the one before.
	if next.Tries == 0 || j.outlet.workedSince(next.LastTry) || se.Tries > 0 {
		next.Tries++
	}
	limit := maxTries
	if se.Tries > 0 {
		limit = se.Tries + 1
	}
	if next.Tries >= limit && se.Then == core.Misconfigured && !j.outlet.workedSince(next.Since.Add(-probeEvery)) {
		return d.misconfigured(j, se, text, now)
	}
	if next.Tries >= limit || (now.Sub(next.Since) > maxTrySpan && j.outlet.workedSince(next.Since)) {
		return d.giveUp(j, core.Temporary, se.Code, text, now)
	}
	next.LastTry = now
	next.Due = now.Add(max(backoff(now.Sub(next.Since)), se.RetryAfter))
	return d.again(j, next, core.Temporary, se, text, now)
}

func (d *Dispatcher) throttled(j *job, se *core.SendError, text string, now time.Time) lane.Result {
	next := j.it
	if next.Since.IsZero() {
		next.Since = now
	}
	wait := se.RetryAfter
	if wait <= 0 {
		wait = min(backoffMax, max(time.Second, now.Sub(next.Since)))
	}
	next.LastTry, next.Due = now, now.Add(wait)
	agreed := j.outlet.agreed(j.it.Lane, now)
	wholeChannel := se.Scope == core.ScopeChannel || (se.Scope == core.ScopeUnknown && agreed)
	if !wholeChannel {
		return d.again(j, next, core.Throttled, se, text, now)
	}
	j.outlet.complained(now, next.Due)
	d.log.Warn("channel throttled", "channel", j.outlet.Name, "until", next.Due, "code", se.Code)
	res := d.again(j, next, core.Throttled, se, text, now)
	write := res.Commit
	res.Commit = func(tx *lane.Tx) error {
		if err := tx.SetPause(j.outlet.Name, next.Due, "throttled: "+se.Code); err != nil {
			return err
		}
		if err := tx.Tell(pausesNotice); err != nil {
			return err
		}
		return write(tx)
	}
	return res
}

func (d *Dispatcher) misconfigured(j *job, se *core.SendError, text string, now time.Time) lane.Result {
	if j.outlet.broke(now, se.Code) {
		d.log.Error("channel misconfigured: nothing is sent on it but one probe a minute; check its tokens and permissions",
			"channel", j.outlet.Name, "code", se.Code, "answer", text)
	}
	next := j.it
	next.LastTry, next.Due = now, now
	res := d.again(j, next, core.Misconfigured, se, text, now)
	if j.outlet.overdue(now) && len(j.message.Rest) > 0 {
		return d.giveUp(j, core.Misconfigured, se.Code, text, now)
	}
	return res
}

// again writes down an answer after which the part is tried once more.
func (d *Dispatcher) again(j *job, next lane.Item, class core.Class, se *core.SendError, text string, now time.Time) lane.Result {
	return lane.Result{Item: next, Commit: func(tx *lane.Tx) error {
		if err := attempt(tx, j, class, se.Code, text, now); err != nil {
			return err
		}
		if err := unmarkPart(tx, j, core.PartWaiting); err != nil {
			return err
		}
		if se.Moved != nil {
			if err := Readdress(tx, j.address.ID, *se.Moved, now); err != nil {
				return err
			}
		}
		m, err := tx.Message(j.message.ID)
		if err != nil || !m.State.Open() {
			return err
		}
		m.Class, m.Why, m.ChangedAt = class, text, now
		return tx.SaveMessage(m)
	}}
}

func unmarkPart(tx *lane.Tx, j *job, state core.PartState) error {
	p, err := tx.Part(j.part.MessageID, j.part.N)
	if err != nil || p.State != core.PartMarked {
		return err
	}
	p.State = state
	return tx.SavePart(p)
}

// giveUp ends the message here; the route's next channel takes the whole of it.
func (d *Dispatcher) giveUp(j *job, class core.Class, code, text string, now time.Time) lane.Result {
	return lane.Result{Done: true, Commit: func(tx *lane.Tx) error {
		if err := attempt(tx, j, class, code, text, now); err != nil {
			return err
		}
		if err := unmarkPart(tx, j, core.PartFailed); err != nil {
			return err
		}
		m, err := tx.Message(j.message.ID)
		if err != nil || !m.State.Open() {
			return err
		}
		return d.failover(tx, m, class, text, now)
	}}
}

// unreachable switches the address off until the customer writes, and moves
// everything that waits for it.
func (d *Dispatcher) unreachable(j *job, se *core.SendError, text string, now time.Time) lane.Result {
	res := d.giveUp(j, core.Unreachable, se.Code, text, now)
	end := res.Commit
	res.Commit = func(tx *lane.Tx) error {
		if err := end(tx); err != nil {
			return err
		}
		return d.Block(tx, j.address.ID, text, now)
	}
	return res
}

// Block switches an address off; what waits for it goes to the next channel or fails.
func (d *Dispatcher) Block(tx *lane.Tx, addressID int64, why string, now time.Time) error {
	a, err := tx.Address(addressID)
	if err != nil {
		return err
	}
	if a.BlockedAt.IsZero() {
		a.BlockedAt = now
		if err := tx.SaveAddress(a); err != nil {
			return err
		}
	}
	open, err := tx.OpenMessages(addressID)
	if err != nil {
		return err
	}
	for _, m := range open {
		if err := d.failover(tx, m, core.Unreachable, why, now); err != nil {
			return err
		}
	}
	return nil
}

// windowClosed corrects what we believed of the window; Mark then takes the
// template, the next channel, or ends the message.
func (d *Dispatcher) windowClosed(j *job, se *core.SendError, text string, now time.Time) lane.Result {
	if j.part.Part.Template != nil || j.message.Template == nil || j.part.N > 1 {
		res := d.giveUp(j, core.WindowClosed, se.Code, text, now)
		end := res.Commit
		res.Commit = func(tx *lane.Tx) error {
			if err := closeWindow(tx, j.address.ID); err != nil {
				return err
			}
			return end(tx)
		}
		return res
	}
	next := j.it
	next.LastTry, next.Due = now, now
	res := d.again(j, next, core.WindowClosed, se, text, now)
	write := res.Commit
	res.Commit = func(tx *lane.Tx) error {
		if err := closeWindow(tx, j.address.ID); err != nil {
			return err
		}
		return write(tx)
	}
	return res
}

func closeWindow(tx *lane.Tx, addressID int64) error {
	a, err := tx.Address(addressID)
	if err != nil {
		return err
	}
	a.LastInAt = time.Time{}
	return tx.SaveAddress(a)
}
