package storetest

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

func fullBody() core.Body {
	order := &core.OrderSummary{
		Order: core.Order{
			Code: "1", Site: "shop", Placed: day, Total: core.Money{Amount: "83.80", Currency: "EUR"},
			Lines: []core.OrderLine{{Number: 1, Name: `1 < 2 & <b>`, Quantity: 2}}, ShipTo: &core.PostAddress{Name: "Ines"},
		},
		Text: core.PlainText("one line"),
	}
	return core.Body{
		Blocks: []core.Block{
			{Text: core.Text{{Text: "Hi ", Style: core.Bold}, {Text: "there", Link: "https://x.example"}}},
			{Order: order}, {Picture: &core.Picture{URL: "https://x.example/p.png", Alt: "a", Caption: core.PlainText("c")}},
		},
		Buttons: []core.Button{{Title: "Go", URL: "https://x.example"}, {Title: "Stop", Value: "stop"}},
	}
}

func fullMessage(c core.Customer, e core.StoredEvent, a core.ChatAddress) core.Message {
	return core.Message{
		EventRow: e.RowID, EventID: e.Event.ID, EventSource: e.Event.Source, Type: core.OrderShipped, CustomerID: c.ID, CustomerUID: c.UID,
		Site: "shop", OrderCode: "1", Channel: a.Channel, AddressID: a.ID, Route: "vip", Reason: "first", Purpose: core.Service,
		State: core.MessageQueued, Class: core.Throttled, Why: "waits", Uncertain: "park", Human: true, Reply: true, Body: fullBody(),
		Template: &core.Template{Name: "shipped", Language: "de", Params: []string{"1"}},
		Rest:     []core.Alternative{{Channel: "slack", AddressID: 9, Template: &core.Template{Name: "t"}}}, FallbackOf: 5,
		ExpiresAt: later(72 * time.Hour), CreatedAt: day, ChangedAt: day, Parts: 2,
	}
}

func messages(t *testing.T, s Store) {
	var m, bare core.Message
	update(t, s, func(tx lane.StoreTx) {
		e := fullEvent()
		e.RowID = get[int64](t)(tx.InsertEvent(e))
		m = fullMessage(customer(t, tx, "ines"), e, address(t, tx, "telegram", "1"))
		m.ID = get[int64](t)(tx.InsertMessage(m, textParts("a", "b")))
		bare = core.Message{Channel: "x", State: core.MessageSuppressed, CreatedAt: day, ChangedAt: day}
		bare.ID = get[int64](t)(tx.InsertMessage(bare, nil))
	})
	read := get[core.Message](t)
	view(t, s, func(tx lane.StoreTx) {
		same(t, "all fields", read(tx.Message(m.ID)), m)
		same(t, "no field", read(tx.Message(bare.ID)), bare)
	})
	m.State, m.Class, m.Why, m.Reply, m.Rest = core.MessageFailed, core.Rejected, "no", false, nil
	m.ExpiresAt, m.ChangedAt = time.Time{}, later(time.Minute)
	update(t, s, func(tx lane.StoreTx) { must(t, tx.SaveMessage(m)) })
	view(t, s, func(tx lane.StoreTx) { same(t, "saved", read(tx.Message(m.ID)), m) })
}

func parts(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		m := message(t, tx, address(t, tx, "telegram", "1"), core.MessageQueued, "a", "b", "c")
		all := get[[]core.StoredPart](t)(tx.Parts(m.ID))
		keys := map[string]bool{}
		for i, p := range all {
			same(t, "part as inserted", p, core.StoredPart{MessageID: m.ID, N: i + 1, State: core.PartWaiting, Part: core.Part{
				Key: p.Part.Key, N: i + 1, Of: 3, Text: core.PlainText(string(rune('a' + i))),
			}})
			keys[p.Part.Key] = true
			if n := len(p.Part.Key); n < 1 || n > 40 {
				t.Errorf("key %q: got %d characters, want 1 to 40", p.Part.Key, n)
			}
		}
		same(t, "keys that differ", len(keys), 3)

		p := all[1]
		p.State, p.PlatformID = core.PartRead, "p-2"
		p.SentAt, p.DeliveredAt, p.ReadAt = later(1*time.Second), later(2*time.Second), later(3*time.Second)
		must(t, tx.SavePart(p))
		one := get[core.StoredPart](t)
		same(t, "saved", one(tx.Part(m.ID, 2)), p)
		same(t, "by platform id", one(tx.PartByPlatformID("telegram", "p-2")), p)
		for _, id := range []struct{ channel, id string }{{"slack", "p-2"}, {"telegram", "p-3"}, {"telegram", ""}} {
			_, err := tx.PartByPlatformID(id.channel, id.id)
			missing(t, "part "+id.id+" on "+id.channel, err)
		}

		must(t, tx.ReplaceParts(m.ID, []core.Part{{N: 1, Of: 1, Template: &core.Template{Name: "t"}}}))
		replaced := get[[]core.StoredPart](t)(tx.Parts(m.ID))
		same(t, "replaced", replaced, []core.StoredPart{{MessageID: m.ID, N: 1, State: core.PartWaiting, Part: core.Part{
			Key: all[0].Part.Key, N: 1, Of: 1, Template: &core.Template{Name: "t"},
		}}})
		same(t, "number of parts", get[core.Message](t)(tx.Message(m.ID)).Parts, 1)
	})
}

func sentParts(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		a, b := address(t, tx, "messenger", "1"), address(t, tx, "messenger", "2")
		m, other := message(t, tx, a, core.MessageSending, "1", "2", "3", "4", "5"), message(t, tx, b, core.MessageSending, "x")
		save := func(id int64, n int, state core.PartState, at time.Time) {
			p := get[core.StoredPart](t)(tx.Part(id, n))
			p.State, p.SentAt, p.Watched = state, at, n != 5
			must(t, tx.SavePart(p))
		}
		save(m.ID, 1, core.PartDelivered, later(2*time.Second))
		save(m.ID, 2, core.PartSent, later(1*time.Second))
		save(m.ID, 3, core.PartRead, later(1*time.Second))
		save(m.ID, 4, core.PartSent, later(9*time.Second))
		save(m.ID, 5, core.PartSent, later(1*time.Second)) // on a channel that tells nothing by time
		save(other.ID, 1, core.PartSent, later(1*time.Second))
		sent := func(address int64, until time.Time, limit int) (ns []int) {
			for _, p := range get[[]core.StoredPart](t)(tx.SentParts(address, until, limit)) {
				ns = append(ns, p.N)
			}
			return ns
		}
		same(t, "sent and not read, oldest first", sent(a.ID, later(2*time.Second), 10), []int{2, 1})
		same(t, "limited", sent(a.ID, later(2*time.Second), 1), []int{2})
		same(t, "up to an earlier time", sent(a.ID, later(2*time.Second-time.Millisecond), 10), []int{2})

		m.AddressID = b.ID // the platform has merged the two
		must(t, tx.SaveMessage(m))
		same(t, "moved with their message", len(sent(b.ID, later(10*time.Second), 10)), 4)
		same(t, "and gone from where they were", len(sent(a.ID, later(10*time.Second), 10)), 0)
	})
}

func attempts(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		m := message(t, tx, address(t, tx, "telegram", "1"), core.MessageSending, "a", "b")
		want := []core.Attempt{
			{MessageID: m.ID, N: 1, At: day, Class: core.Throttled, Code: "429", Text: "slow down"},
			{MessageID: m.ID, N: 1, At: later(time.Second)},
			{MessageID: m.ID, N: 2, At: later(time.Second), Class: core.Uncertain},
			{MessageID: m.ID, N: 2, At: later(time.Second), Class: core.Temporary, Code: "500"},
		}
		for _, a := range want {
			if a.Class == "" {
				must(t, tx.SavePart(core.StoredPart{MessageID: m.ID, N: a.N, State: core.PartSent, SentAt: a.At}))
				continue
			}
			must(t, tx.AddAttempt(a))
		}
		same(t, "attempts", get[[]core.Attempt](t)(tx.Attempts(m.ID)), want)
		same(t, "of another", len(get[[]core.Attempt](t)(tx.Attempts(m.ID+1))), 0)
	})
}

// begun is what is read of a message and its parts by the mark of their item.
func begun(t *testing.T, s Store) {
	var m core.Message
	var it lane.Item
	read := func(what string, want core.MessageState, parts ...core.PartState) {
		t.Helper()
		look := func(tx lane.StoreTx) {
			same(t, what, get[core.Message](t)(tx.Message(m.ID)).State, want)
			var got []core.PartState
			for _, p := range get[[]core.StoredPart](t)(tx.Parts(m.ID)) {
				got = append(got, p.State)
			}
			same(t, what+": parts", got, parts)
			for _, state := range []core.MessageState{core.MessageQueued, core.MessageSending} {
				found := get[[]core.Message](t)(tx.ListMessages(core.MessageFilter{State: state}))
				same(t, what+": listed as "+string(state), len(found) == 1, state == want)
			}
			same(t, what+": listed as open", len(get[[]core.Message](t)(tx.ListMessages(core.MessageFilter{Open: true}))), 1)
		}
		update(t, s, look)
		view(t, s, look)
	}
	save := func(step, mark int) {
		update(t, s, func(tx lane.StoreTx) {
			get[core.Message](t)(tx.Message(m.ID)) // is not to be remembered as it was
			get[[]core.StoredPart](t)(tx.Parts(m.ID))
			it.Step, it.Mark = step, mark
			must(t, tx.SaveItem(it))
		})
	}
	update(t, s, func(tx lane.StoreTx) {
		a := address(t, tx, "telegram", "1")
		m = message(t, tx, a, core.MessageQueued, "a", "b")
		it = insertItem(t, tx, outLane(a), m.ID)
		insertItem(t, tx, outLane(address(t, tx, "telegram", "2")), m.ID) // of before it moved
	})
	read("waiting", core.MessageQueued, core.PartWaiting, core.PartWaiting)
	save(1, 1)
	read("marked", core.MessageSending, core.PartMarked, core.PartWaiting)
	save(1, 0)
	read("put back", core.MessageQueued, core.PartWaiting, core.PartWaiting)
	update(t, s, func(tx lane.StoreTx) {
		same(t, "settled", get[bool](t)(tx.SettlePart(core.StoredPart{MessageID: m.ID, N: 1, State: core.PartSent, SentAt: day})), true)
	})
	save(2, 0)
	read("between two parts", core.MessageSending, core.PartSent, core.PartWaiting)
	save(2, 2)
	read("the second marked", core.MessageSending, core.PartSent, core.PartMarked)
}

// settling writes only what is as the mark left it.
func settling(t *testing.T, s Store) {
	var m core.Message
	update(t, s, func(tx lane.StoreTx) {
		m = message(t, tx, address(t, tx, "telegram", "1"), core.MessageSending, "a", "b")
		parts := get[[]core.StoredPart](t)(tx.Parts(m.ID))
		same(t, "states of the parts", []core.PartState{parts[0].State, parts[1].State}, []core.PartState{core.PartMarked, core.PartWaiting})
	})
	sent := func(tx lane.StoreTx, n int) bool {
		return get[bool](t)(tx.SettlePart(core.StoredPart{MessageID: m.ID, N: n, State: core.PartSent, PlatformID: "p", SentAt: day}))
	}
	end := func(tx lane.StoreTx) bool {
		return get[bool](t)(tx.SettleMessage(core.Message{ID: m.ID, State: core.MessageSent, ChangedAt: day}))
	}
	for _, tt := range []struct {
		name string
		try  func(tx lane.StoreTx) bool
		want bool
	}{
		{"a marked part", func(tx lane.StoreTx) bool { return sent(tx, 1) }, true},
		{"a sent one", func(tx lane.StoreTx) bool { return sent(tx, 1) }, false},
		{"one whose mark is its item's", func(tx lane.StoreTx) bool { return sent(tx, 2) }, true},
		{"one that is not there", func(tx lane.StoreTx) bool { return sent(tx, 3) }, false},
		{"a message that is being sent", end, true},
		{"one that was sent", end, false},
	} {
		var got bool // of the last run
		update(t, s, func(tx lane.StoreTx) { got = tt.try(tx) })
		same(t, tt.name, got, tt.want)
	}
	view(t, s, func(tx lane.StoreTx) {
		same(t, "message", get[core.Message](t)(tx.Message(m.ID)).State, core.MessageSent)
		p := get[core.StoredPart](t)(tx.Part(m.ID, 1))
		same(t, "part", []any{p.State, p.PlatformID, p.SentAt}, []any{core.PartSent, "p", day})
	})
}

func ids(all []core.Message) []int64 {
	var ids []int64
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids
}

// outLane is the lane of what goes to an address.
func outLane(a core.ChatAddress) string { return fmt.Sprintf("out/%s/%d", a.Channel, a.ID) }

func openMessages(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		a := address(t, tx, "telegram", "1")
		var want []int64
		for _, state := range core.MessageStates {
			m := message(t, tx, a, state, "x")
			insertItem(t, tx, outLane(a), m.ID)
			if state.Open() {
				want = append(want, m.ID)
			}
		}
		message(t, tx, address(t, tx, "telegram", "2"), core.MessageQueued, "x")
		same(t, "open, oldest first", ids(get[[]core.Message](t)(tx.OpenMessages(a.ID))), want)
	})
}

func listMessages(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		e := fullEvent()
		e.RowID = get[int64](t)(tx.InsertEvent(e))
		a := address(t, tx, "telegram", "1")
		first := fullMessage(customer(t, tx, "ines"), e, a)
		first.ID = get[int64](t)(tx.InsertMessage(first, nil))
		second, third := message(t, tx, a, core.MessageSent, "x"), message(t, tx, address(t, tx, "slack", "1"), core.MessageQueued, "x")
		third.State, third.Class = core.MessageFailed, core.Rejected
		must(t, tx.SaveMessage(third))
		late := core.Message{Channel: "slack", State: core.MessageQueued, CreatedAt: later(time.Hour)}
		late.ID = get[int64](t)(tx.InsertMessage(late, nil))

		all := []int64{late.ID, third.ID, second.ID, first.ID}
		for name, c := range map[string]struct {
			filter core.MessageFilter
			want   []int64
		}{
			"all, newest first": {core.MessageFilter{}, all},
			"limit":             {core.MessageFilter{Limit: 2}, all[:2]},
			"next page":         {core.MessageFilter{Limit: 2, Before: third.ID}, all[2:]},
			"customer":          {core.MessageFilter{Customer: "ines"}, all[3:]},
			"order":             {core.MessageFilter{Order: "1"}, all[3:]},
			"event":             {core.MessageFilter{EventID: "e-1"}, all[3:]},
			"channel":           {core.MessageFilter{Channel: "slack"}, all[:2]},
			"state":             {core.MessageFilter{State: core.MessageFailed}, all[1:2]},
			"class":             {core.MessageFilter{Class: core.Rejected}, all[1:2]},
			"since":             {core.MessageFilter{Since: later(time.Hour)}, all[:1]},
			"until":             {core.MessageFilter{Until: later(time.Hour)}, all[1:]},
			"two at once":       {core.MessageFilter{Channel: "slack", Until: later(time.Hour)}, all[1:2]},
			"none":              {core.MessageFilter{Customer: "nobody"}, nil},
		} {
			same(t, name, ids(get[[]core.Message](t)(tx.ListMessages(c.filter))), c.want)
		}
	})
}

func lastOrder(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		var queued lane.Item
		a := address(t, tx, "telegram", "1")
		_, _, err := tx.LastOrder(7, a.ID)
		missing(t, "before any message", err)
		for _, m := range []core.Message{
			{OrderCode: "1", State: core.MessageRead}, {OrderCode: "2", State: core.MessageSent}, {State: core.MessageSent},
			{OrderCode: "3", State: core.MessageQueued}, {OrderCode: "4", State: core.MessageFailed},
			{OrderCode: "5", State: core.MessageSent, CustomerID: 8},
		} {
			m.Site, m.Channel, m.AddressID, m.CustomerID = "shop", a.Channel, a.ID, cmp.Or(m.CustomerID, 7)
			id := get[int64](t)(tx.InsertMessage(m, nil))
			if m.State == core.MessageQueued {
				queued = insertItem(t, tx, outLane(a), id)
			}
		}
		last := func() string {
			site, code, err := tx.LastOrder(7, a.ID)
			must(t, err)
			return site + "/" + code
		}
		same(t, "the last that the customer was told", last(), "shop/2")
		queued.Mark = queued.Step
		must(t, tx.SaveItem(queued))
		same(t, "and what may have been told", last(), "shop/3")
	})
}

func earlyReceipts(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		take := func(channel, id string, wantDelivered, wantRead time.Time) {
			t.Helper()
			delivered, read, err := tx.TakeReceipts(channel, id)
			must(t, err)
			same(t, "receipts of "+id, []time.Time{delivered, read}, []time.Time{wantDelivered, wantRead})
		}
		keep := func(id string, kind core.UpdateKind, at time.Time) {
			must(t, tx.KeepReceipt("messenger", id, kind, at))
		}
		keep("a", core.UpdateDelivered, later(2*time.Second))
		keep("a", core.UpdateDelivered, later(1*time.Second)) // late copies take nothing back
		keep("a", core.UpdateRead, later(3*time.Second))
		keep("b", core.UpdateRead, later(4*time.Second))
		keep("c", core.UpdateEcho, later(5*time.Second))
		take("telegram", "a", time.Time{}, time.Time{})
		take("messenger", "a", later(2*time.Second), later(3*time.Second))
		take("messenger", "a", time.Time{}, time.Time{})
		take("messenger", "b", time.Time{}, later(4*time.Second))
		take("messenger", "c", later(5*time.Second), time.Time{})
	})
}

func totals(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		for _, state := range []core.EventState{core.EventRouted, core.EventRouted, core.EventWaiting} {
			get[int64](t)(tx.InsertEvent(core.StoredEvent{State: state, AcceptedAt: day}))
		}
		a := address(t, tx, "telegram", "1")
		m := message(t, tx, a, core.MessageQueued, "x", "y")
		message(t, tx, a, core.MessageParked)
		m.State = core.MessageSent
		must(t, tx.SaveMessage(m))
	})
	sums(t, s, core.Totals{
		EventsAccepted: 3, Events: map[core.EventState]int64{core.EventRouted: 2, core.EventWaiting: 1},
		MessagesAccepted: 2, Messages: map[core.MessageState]int64{core.MessageSent: 1, core.MessageParked: 1},
	})
}

// sums checks the totals, and that nothing is missing from them.
func sums(t *testing.T, s lane.Store, want core.Totals) {
	t.Helper()
	view(t, s, func(tx lane.StoreTx) {
		got := get[core.Totals](t)(tx.Totals())
		same(t, "totals", got, want)
		same(t, "difference", got.Difference(), int64(0))
	})
}
