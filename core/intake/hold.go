package intake

import (
	"strconv"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// heldFor is how long an event whose body lacks a field waits to be sent whole.
const heldFor = 72 * time.Hour

// hold writes an event of which a field is missing. It waits in a lane of its
// own, in nobody's way, and can be read back with the reason.
func (in *Intake) hold(tx *lane.Tx, e core.StoredEvent, now time.Time) error {
	row, err := tx.InsertEvent(e)
	if err != nil {
		return err
	}
	return tx.Append(heldLane(e.Event.Site, row), row, now.Add(heldFor), lane.Bulk)
}

// heldLane is told from the lanes of orders by the empty code.
func heldLane(site string, row int64) string {
	return lane.Name(OrderKind, site, "", strconv.FormatInt(row, 10))
}

// held reports whether an event still waits to be sent whole.
func held(e core.StoredEvent) bool {
	return e.State == core.EventWaiting && missing(e.Event.Type, e.Event.Data) != ""
}

// complete takes the place of a held event of the same source and id. whole is
// false where there is none.
func (in *Intake) complete(tx *lane.Tx, e core.Event, now time.Time) (whole bool, err error) {
	all, err := tx.EventsByID(e.ID, e.Source)
	if err != nil || len(all) == 0 || !held(all[len(all)-1]) {
		return false, err
	}
	old := all[len(all)-1]
	old.State, old.Reason = core.EventSuppressed, "it was sent again, whole"
	if err := tx.SaveEvent(old); err != nil {
		return false, err
	}
	return true, in.place(tx, core.StoredEvent{Event: e, State: core.EventWaiting, AcceptedAt: now}, now)
}

// letGo ends the wait of a held event.
func (in *Intake) letGo(e core.StoredEvent) lane.Result {
	if e.State != core.EventWaiting {
		return lane.Result{Done: true}
	}
	return in.suppress(e, e.Reason+"; nobody has sent it again within 72 hours")
}
