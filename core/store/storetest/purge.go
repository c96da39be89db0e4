package storetest

import (
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// past makes events, messages, updates and claims of a time, and returns how
// many rows of them a purge may take.
func past(t *testing.T, tx lane.StoreTx, at time.Time, n int) int64 {
	t.Helper()
	var gone int64
	a := address(t, tx, "telegram", "1")
	for i := range n {
		e := core.StoredEvent{Event: core.Event{ID: at.String()}, State: core.EventRouted, AcceptedAt: at}
		e.RowID = get[int64](t)(tx.InsertEvent(e))
		m := core.Message{EventRow: e.RowID, Channel: a.Channel, AddressID: a.ID, State: core.MessageSent, CreatedAt: at}
		m.ID = get[int64](t)(tx.InsertMessage(m, textParts("x")))
		must(t, tx.AddAttempt(core.Attempt{MessageID: m.ID, N: 1, At: at}))
		id := at.String() + string(rune('a'+i))
		_, _, err := tx.InsertUpdate(core.StoredUpdate{Channel: "c", Update: core.Update{ID: id}, ReceivedAt: at, State: "done"})
		must(t, err)
		_, _, err = tx.Claim(id, "", at)
		must(t, err)
		must(t, tx.KeepReceipt("c", id, core.UpdateRead, at)) // for what somebody else has sent
		gone += 5
	}
	return gone
}

func purge(t *testing.T, s Store) {
	var old int64
	update(t, s, func(tx lane.StoreTx) {
		old = past(t, tx, later(-time.Hour), 3)
		past(t, tx, day, 2)
	})
	update(t, s, func(tx lane.StoreTx) {
		same(t, "rows gone", get[int64](t)(tx.Purge(day, day, day, 100)), old)
		for at, kept := range map[time.Time]bool{later(-time.Hour): false, day: true} {
			_, read, err := tx.TakeReceipts("c", at.String()+"a")
			must(t, err)
			same(t, "receipt of "+at.String(), !read.IsZero(), kept)
		}
	})
	view(t, s, func(tx lane.StoreTx) {
		same(t, "messages left", len(get[[]core.Message](t)(tx.ListMessages(core.MessageFilter{}))), 2)
		same(t, "events left", len(get[[]core.StoredEvent](t)(tx.EventsByID(later(-time.Hour).String(), ""))), 0)
		same(t, "old claim", get[bool](t)(tx.Claimed(later(-time.Hour).String()+"a")), false)
		same(t, "new claim", get[bool](t)(tx.Claimed(day.String()+"a")), true)
	})
	sums(t, s, core.Totals{
		EventsAccepted: 5, Events: map[core.EventState]int64{core.EventRouted: 5},
		MessagesAccepted: 5, Messages: map[core.MessageState]int64{core.MessageSent: 5},
	})
}

func purgeSteps(t *testing.T, s Store) {
	var old, gone int64
	update(t, s, func(tx lane.StoreTx) { old = past(t, tx, later(-time.Hour), 5) })
	for range 100 {
		var n int64
		update(t, s, func(tx lane.StoreTx) { n = get[int64](t)(tx.Purge(day, day, day, 2)) })
		if n > 10 {
			t.Fatalf("one step: got %d rows, want at most 2 of each of 5 kinds", n)
		}
		if gone += n; n == 0 {
			break
		}
	}
	same(t, "rows gone in the end", gone, old)
}

func purgeKeeps(t *testing.T, s Store) {
	states := []core.MessageState{core.MessageQueued, core.MessageSending, core.MessageParked}
	var kept []int64
	update(t, s, func(tx lane.StoreTx) {
		a := address(t, tx, "telegram", "1")
		e := get[int64](t)(tx.InsertEvent(core.StoredEvent{State: core.EventRouted, AcceptedAt: day}))
		get[int64](t)(tx.InsertEvent(core.StoredEvent{State: core.EventWaiting, AcceptedAt: day}))
		for _, state := range states {
			m := core.Message{EventRow: e, Channel: a.Channel, AddressID: a.ID, State: state, CreatedAt: day}
			kept = append(kept, get[int64](t)(tx.InsertMessage(m, textParts("x"))))
		}
		_, _, err := tx.InsertUpdate(core.StoredUpdate{Channel: "c", ReceivedAt: day, State: "waiting"})
		must(t, err)
	})
	after := later(1000 * time.Hour)
	update(t, s, func(tx lane.StoreTx) {
		same(t, "rows gone", get[int64](t)(tx.Purge(after, after, after, 100)), int64(0))
	})
	view(t, s, func(tx lane.StoreTx) {
		for i, id := range kept {
			same(t, "state of what is kept", get[core.Message](t)(tx.Message(id)).State, states[i])
			same(t, "its parts", len(get[[]core.StoredPart](t)(tx.Parts(id))), 1)
		}
	})
}
