package storetest

import (
	"fmt"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

func claims(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		first, old, err := tx.Claim("k", "v", day)
		if !first || old != "" || err != nil {
			t.Errorf("first Claim: got %v, %q, %v, want true", first, old, err)
		}
		if first, old, err = tx.Claim("k", "w", later(time.Hour)); first || old != "v" || err != nil {
			t.Errorf("second Claim: got %v, %q, %v, want false, v", first, old, err)
		}
	})
	view(t, s, func(tx lane.StoreTx) {
		for key, want := range map[string]bool{"k": true, "K": false, "k ": false, "": false} {
			if got := get[bool](t)(tx.Claimed(key)); got != want {
				t.Errorf("Claimed(%q): got %v, want %v", key, got, want)
			}
		}
	})
}

func customers(t *testing.T, s Store) {
	var c core.Customer
	update(t, s, func(tx lane.StoreTx) {
		c = customer(t, tx, "ines@example.com")
		same(t, "new customer", c, core.Customer{ID: c.ID, UID: "ines@example.com", CreatedAt: day})
		again := get[core.Customer](t)(tx.EnsureCustomer("ines@example.com", later(time.Hour)))
		same(t, "the same customer", again, c)
		if same := customer(t, tx, "Ines@example.com"); same.ID != c.ID || same.UID != c.UID {
			t.Errorf("uid in other case: got %+v, want the same customer, named as at first", same)
		}
		c.UID, c.Name, c.Locale, c.Preferred, c.ClosedAt = "ines.vidal@example.com", "Ines", "de", []string{"slack", "telegram"}, later(time.Minute)
		must(t, tx.SaveCustomer(c))
	})
	view(t, s, func(tx lane.StoreTx) {
		same(t, "by id", get[core.Customer](t)(tx.Customer(c.ID)), c)
		same(t, "by uid", get[core.Customer](t)(tx.CustomerByUID(c.UID)), c)
		_, err := tx.CustomerByUID("ines@example.com")
		missing(t, "the uid of before", err)
	})
}

func orders(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		a, b := customer(t, tx, "a").ID, customer(t, tx, "b").ID
		for _, code := range []string{"1", "2", "3", "1"} { // again: keeps its place
			must(t, tx.RememberOrder("shop", code, a))
		}
		must(t, tx.RememberOrder("other", "1", a))
		same(t, "newest first", get[[]core.OrderQuery](t)(tx.OrdersOf(a, 10)),
			[]core.OrderQuery{{Site: "other", Code: "1"}, {Site: "shop", Code: "3"}, {Site: "shop", Code: "2"}, {Site: "shop", Code: "1"}})
		same(t, "limited", get[[]core.OrderQuery](t)(tx.OrdersOf(a, 1)), []core.OrderQuery{{Site: "other", Code: "1"}})

		must(t, tx.RememberOrder("shop", "9", b))
		must(t, tx.RememberOrder("shop", "1", b)) // handed over: the newest of its new owner
		same(t, "of the new owner", get[[]core.OrderQuery](t)(tx.OrdersOf(b, 10)),
			[]core.OrderQuery{{Site: "shop", Code: "1"}, {Site: "shop", Code: "9"}})
		same(t, "owner", get[int64](t)(tx.OrderOwner("shop", "1")), b)
		same(t, "owner on another site", get[int64](t)(tx.OrderOwner("other", "1")), a)
		_, err := tx.OrderOwner("shop", "4")
		missing(t, "owner of an unknown order", err)
	})
}

func ranks(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		same(t, "rank of the unknown", get[int](t)(tx.Rank("order/1")), 0)
		for _, step := range []struct{ set, want int }{{20, 20}, {50, 50}, {30, 50}, {50, 50}, {90, 90}} {
			must(t, tx.SetRank("order/1", step.set))
			same(t, fmt.Sprintf("rank after %d", step.set), get[int](t)(tx.Rank("order/1")), step.want)
		}
		same(t, "rank of another", get[int](t)(tx.Rank("order/2")), 0)
	})
}

func fullEvent() core.StoredEvent {
	public, expires := true, later(time.Hour)
	return core.StoredEvent{
		Event: core.Event{
			ID: "e-1", Source: "/shop", Type: core.TicketNoteAdded, Time: later(-time.Hour), Site: "electronics",
			Data: core.EventData{
				OrderCode: "0042", CustomerUID: "ines", ConsignmentCode: "c0", ReturnCode: "r0", Site: "electronics", Locale: "de",
				State: "SHIPPED", Order: []byte(`{"code":"0042","n":1.50}`), TicketID: "t1",
				Note:   &core.EventNote{ID: "n", Text: "hello", Author: "Ann", Public: &public, CreatedAt: later(-time.Minute)},
				Status: "open", PreviousUID: "old", Text: "words", Purpose: core.Service, ExpiresAt: &expires, Answer: "help", LinkID: 7,
			},
		},
		CustomerID: 3, State: core.EventWaiting, Route: "vip", Reason: "because", AcceptedAt: day,
		Reasons: []core.Reason{{Channel: "slack", Why: "not linked"}, {Why: "none"}},
	}
}

func events(t *testing.T, s Store) {
	e := fullEvent()
	twin := core.StoredEvent{Event: core.Event{ID: "e-1", Source: "/other"}, State: core.EventIgnored, AcceptedAt: day}
	update(t, s, func(tx lane.StoreTx) {
		e.RowID = get[int64](t)(tx.InsertEvent(e))
		twin.RowID = get[int64](t)(tx.InsertEvent(twin))
		same(t, "inserted", get[core.StoredEvent](t)(tx.Event(e.RowID)), e)
		e.CustomerID, e.State, e.Route, e.Reason, e.ShopTriedAt = 4, core.EventSuppressed, "all", "repeated", later(time.Second)
		e.Reasons = nil
		must(t, tx.SaveEvent(e))
	})
	view(t, s, func(tx lane.StoreTx) {
		same(t, "saved", get[core.StoredEvent](t)(tx.Event(e.RowID)), e)
		by := get[[]core.StoredEvent](t)
		same(t, "by id", by(tx.EventsByID("e-1", "")), []core.StoredEvent{e, twin})
		same(t, "by id and source", by(tx.EventsByID("e-1", "/other")), []core.StoredEvent{twin})
		same(t, "of an unknown source", len(by(tx.EventsByID("e-1", "/none"))), 0)
	})
}

func addresses(t *testing.T, s Store) {
	var a core.ChatAddress
	update(t, s, func(tx lane.StoreTx) {
		a = get[core.ChatAddress](t)(tx.EnsureAddress("messenger", core.Address{Value: "17", Kind: "user_ref", Locale: "de"}, day))
		same(t, "new", a, core.ChatAddress{
			ID: a.ID, Channel: "messenger", Address: core.Address{Value: "17", Kind: "user_ref", Locale: "de"}, CreatedAt: day,
		})
		same(t, "the same again", address(t, tx, "messenger", "17"), a)
		if other := address(t, tx, "telegram", "17"); other.ID == a.ID {
			t.Error("the same value on another channel: got the same address, want another")
		}
		a.Value, a.Kind, a.Locale, a.Name = "99", "", "en", "Ines"
		a.LastInAt, a.BlockedAt, a.InvitedAt = later(1*time.Second), later(2*time.Second), later(3*time.Second)
		must(t, tx.SaveAddress(a))
	})
	view(t, s, func(tx lane.StoreTx) {
		same(t, "by id", get[core.ChatAddress](t)(tx.Address(a.ID)), a)
		same(t, "by value", get[core.ChatAddress](t)(tx.AddressByValue("messenger", "99")), a)
		_, err := tx.AddressByValue("messenger", "17")
		missing(t, "the value of before", err)
	})
}

func fullLink(customerID, addressID int64) core.Link {
	return core.Link{
		CustomerID: customerID, AddressID: addressID, Channel: "slack", State: core.LinkActive, Purpose: core.OrderUpdates,
		Evidence: "opt-in 17", Subject: "asid-1", Consent: "I agree", ConsentVer: "2", Site: "shop", OrderCode: "1", CreatedAt: day, ChangedAt: day,
	}
}

func links(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		c := customer(t, tx, "c")
		a, b := address(t, tx, "slack", "U1"), address(t, tx, "slack", "U2")
		first, second := fullLink(c.ID, a.ID), fullLink(c.ID, b.ID)
		first.ID = get[int64](t)(tx.InsertLink(first))
		second.ID = get[int64](t)(tx.InsertLink(second))
		same(t, "by id", get[core.Link](t)(tx.Link(first.ID)), first)
		same(t, "by address", get[core.Link](t)(tx.LinkOf(b.ID)), second)
		all := get[[]core.LinkedAddress](t)
		same(t, "of the customer, newest first", all(tx.LinksOf(c.ID)),
			[]core.LinkedAddress{{Link: second, Address: b}, {Link: first, Address: a}})

		first.State, first.ChangedAt = core.LinkOptedOut, later(time.Minute)
		must(t, tx.SaveLink(first))
		same(t, "opted out is still a link", get[core.Link](t)(tx.LinkOf(a.ID)), first)
		second.State, second.ChangedAt = core.LinkEnded, later(time.Hour)
		must(t, tx.SaveLink(second))
		_, err := tx.LinkOf(b.ID)
		missing(t, "a link that has ended", err)
		same(t, "those that have not ended", all(tx.LinksOf(c.ID)), []core.LinkedAddress{{Link: first, Address: a}})
		same(t, "an ended one by id", get[core.Link](t)(tx.Link(second.ID)), second)

		first.AddressID = b.ID
		must(t, tx.SaveLink(first))
		same(t, "moved", get[core.Link](t)(tx.LinkOf(b.ID)), first)

		by := get[[]core.Link](t)
		same(t, "by what the login calls it, the ended too", by(tx.LinksBySubject("slack", "asid-1")), []core.Link{first, second})
		same(t, "on another channel", len(by(tx.LinksBySubject("telegram", "asid-1"))), 0)
		first.Evidence, first.Subject = "what is left of it", ""
		must(t, tx.SaveLink(first))
		same(t, "forgotten", get[core.Link](t)(tx.Link(first.ID)), first)
		same(t, "without what has been forgotten", by(tx.LinksBySubject("slack", "asid-1")), []core.Link{second})
		same(t, "by nothing", len(by(tx.LinksBySubject("slack", ""))), 0)
	})
}

func oneLink(t *testing.T, s Store) {
	var a core.ChatAddress
	var first core.Link
	update(t, s, func(tx lane.StoreTx) {
		a = address(t, tx, "slack", "U1")
		first = fullLink(customer(t, tx, "c").ID, a.ID)
		first.ID = get[int64](t)(tx.InsertLink(first))
		err, fatal := attempt(tx, func() error {
			_, err := tx.InsertLink(fullLink(customer(t, tx, "d").ID, a.ID))
			return err
		})
		if err == nil || fatal != nil {
			t.Errorf("second live link of an address: got %v, fatal %v, want an error of its own", err, fatal)
		}
		first.State = core.LinkEnded
		must(t, tx.SaveLink(first))
		get[int64](t)(tx.InsertLink(fullLink(customer(t, tx, "d").ID, a.ID)))
	})
}

func fullOptIn() core.OptIn {
	return core.OptIn{
		CustomerUID: "ines", Site: "shop", OrderCode: "1", Locale: "de", Purpose: core.OrderUpdates, Consent: "yes", ConsentVer: "3",
		Channels: []string{"messenger", "slack"}, CreatedAt: day, ExpiresAt: later(24 * time.Hour),
	}
}

func optIns(t *testing.T, s Store) {
	o, bare := fullOptIn(), core.OptIn{CustomerUID: "bo", Channels: []string{}, CreatedAt: day, ExpiresAt: later(time.Hour)}
	update(t, s, func(tx lane.StoreTx) {
		o.ID = get[int64](t)(tx.InsertOptIn(o))
		bare.ID = get[int64](t)(tx.InsertOptIn(core.OptIn{CustomerUID: "bo", CreatedAt: day, ExpiresAt: later(time.Hour)}))
	})
	view(t, s, func(tx lane.StoreTx) {
		same(t, "all fields", get[core.OptIn](t)(tx.OptIn(o.ID)), o)
		same(t, "hardly a field", get[core.OptIn](t)(tx.OptIn(bare.ID)), bare)
		same(t, "hardly a field, live", get[core.OptIn](t)(tx.LiveOptIn(core.OptIn{CustomerUID: "bo"}, day)), bare)
	})
}

func liveOptIns(t *testing.T, s Store) {
	o := fullOptIn()
	update(t, s, func(tx lane.StoreTx) {
		get[int64](t)(tx.InsertOptIn(o))
		o.ID = get[int64](t)(tx.InsertOptIn(o))
		live := get[core.OptIn](t)
		same(t, "the newest", live(tx.LiveOptIn(fullOptIn(), day)), o)
		same(t, "lasts long enough", live(tx.LiveOptIn(fullOptIn(), o.ExpiresAt.Add(-time.Millisecond))), o)
		_, err := tx.LiveOptIn(fullOptIn(), o.ExpiresAt)
		missing(t, "one that does not last beyond", err)
		for name, change := range map[string]func(*core.OptIn){
			"customer": func(o *core.OptIn) { o.CustomerUID = "x" }, "order": func(o *core.OptIn) { o.OrderCode = "x" },
			"site": func(o *core.OptIn) { o.Site = "x" }, "purpose": func(o *core.OptIn) { o.Purpose = core.Marketing },
			"locale": func(o *core.OptIn) { o.Locale = "x" }, "consent": func(o *core.OptIn) { o.Consent = "x" },
			"version": func(o *core.OptIn) { o.ConsentVer = "x" }, "channels": func(o *core.OptIn) { o.Channels = []string{"slack"} },
		} {
			unlike := fullOptIn()
			change(&unlike)
			_, err := tx.LiveOptIn(unlike, day)
			missing(t, "of another "+name, err)
		}
		_, _, err = tx.UseOptIn(o.ID, "slack", 1, day)
		must(t, err)
		older := live(tx.LiveOptIn(fullOptIn(), day))
		same(t, "the one before, once the newest is used", older.ID < o.ID, true)
	})
}

func optInCodes(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		o := fullOptIn()
		o.ID = get[int64](t)(tx.InsertOptIn(o))
		must(t, tx.InsertCode(o.ID, "slack", "h1"))
		must(t, tx.InsertCode(o.ID, "slack", "h1")) // asked again
		by := get[core.OptIn](t)
		same(t, "by code", by(tx.OptInByCode("slack", []string{"h1"})), o)
		same(t, "by the hash of an older key", by(tx.OptInByCode("slack", []string{"h0", "h1"})), o)
		for _, wrong := range []struct {
			channel string
			hashes  []string
		}{{"telegram", []string{"h1"}}, {"slack", []string{"h2"}}, {"slack", nil}} {
			_, err := tx.OptInByCode(wrong.channel, wrong.hashes)
			missing(t, fmt.Sprintf("code %v on %s", wrong.hashes, wrong.channel), err)
		}
	})
}

func useOptIn(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		id := get[int64](t)(tx.InsertOptIn(fullOptIn()))
		for _, use := range []struct {
			channel string
			address int64
			first   bool
			by      int64
		}{{"slack", 7, true, 7}, {"slack", 7, false, 7}, {"slack", 8, false, 7}, {"messenger", 9, true, 9}} {
			first, by, err := tx.UseOptIn(id, use.channel, use.address, day)
			if first != use.first || by != use.by || err != nil {
				t.Errorf("UseOptIn(%s, %d): got %v, %d, %v, want %v, %d", use.channel, use.address, first, by, err, use.first, use.by)
			}
		}
	})
}

func fullUpdate() core.Update {
	return core.Update{
		ID: "mid.1", Kind: core.UpdateText, From: core.Address{Value: "17", Locale: "de"}, Was: &core.Address{Value: "ref", Kind: "user_ref"},
		Account: "page", At: day, PlatformID: "m1", Text: "hi", Media: []core.Media{{Kind: "image", ID: "f", URL: "https://x.example", Name: "n", Text: "t"}},
		ReplyTo: "m0", Payload: "stop", Ref: "r", PlatformIDs: []string{"a", "b"}, Watermark: later(time.Second), Key: "m1-1",
		Name: "Ines", Locale: "de", OpensWindow: true, Raw: []byte{0, 255, 'x'}, Problem: "none",
	}
}

func updates(t *testing.T, s Store) {
	u := core.StoredUpdate{Channel: "messenger", AddressID: 4, Update: fullUpdate(), ReceivedAt: day, State: "waiting", Why: "new"}
	update(t, s, func(tx lane.StoreTx) {
		var first bool
		var err error
		if u.ID, first, err = tx.InsertUpdate(u); !first || err != nil {
			t.Errorf("first copy: got %v, %v, want true", first, err)
		}
		if _, first, err = tx.InsertUpdate(u); first || err != nil {
			t.Errorf("second copy: got %v, %v, want false", first, err)
		}
		other := u
		other.Channel = "telegram"
		if _, first, err = tx.InsertUpdate(other); !first || err != nil {
			t.Errorf("the same id on another channel: got %v, %v, want true", first, err)
		}
		same(t, "all fields", get[core.StoredUpdate](t)(tx.Update(u.ID)), u)
		must(t, tx.SaveUpdate(u.ID, "done", "a question"))
	})
	view(t, s, func(tx lane.StoreTx) {
		u.State, u.Why = "done", "a question"
		same(t, "saved", get[core.StoredUpdate](t)(tx.Update(u.ID)), u)
	})
}

func heldUpdates(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		insert := func(id string, address int64, at time.Time, state string) {
			_, _, err := tx.InsertUpdate(core.StoredUpdate{
				Channel: "c", AddressID: address, Update: core.Update{ID: id}, ReceivedAt: at, State: state,
			})
			must(t, err)
		}
		insert("old", 1, later(-25*time.Hour), "held")
		insert("first", 1, later(-24*time.Hour), "held")
		insert("done", 1, day, "done")
		insert("other", 2, day, "held")
		insert("second", 1, later(-25*time.Hour+time.Minute+24*time.Hour), "held")
		var ids []string
		for _, u := range get[[]core.StoredUpdate](t)(tx.HeldUpdates(1, later(-24*time.Hour))) {
			ids = append(ids, u.Update.ID)
		}
		same(t, "held since, oldest first", ids, []string{"first", "second"})
	})
}

func pauses(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		must(t, tx.SetPause("a", later(time.Hour), "throttled"))
		must(t, tx.SetPause("b", later(time.Second), "throttled"))
		must(t, tx.SetPause("a", later(time.Minute), "again"))
	})
	view(t, s, func(tx lane.StoreTx) {
		same(t, "pauses", get[map[string]time.Time](t)(tx.Pauses()),
			map[string]time.Time{"a": later(time.Minute), "b": later(time.Second)})
	})
}

// mergedCustomers: what one has becomes the other's, and the uid is free.
func mergedCustomers(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		from, into := customer(t, tx, "new"), customer(t, tx, "old")
		a := address(t, tx, "slack", "U1")
		l := fullLink(from.ID, a.ID)
		l.ID = get[int64](t)(tx.InsertLink(l))
		must(t, tx.RememberOrder("shop", "1", into.ID))
		must(t, tx.RememberOrder("shop", "2", from.ID))
		must(t, tx.MergeCustomer(from.ID, into.ID))
		must(t, tx.MoveOptIns("old", "new"))
		_, err := tx.CustomerByUID("new")
		missing(t, "the merged customer's uid", err)
		into.UID = "new"
		must(t, tx.SaveCustomer(into))
		l.CustomerID = into.ID
		same(t, "links", get[[]core.LinkedAddress](t)(tx.LinksOf(into.ID)), []core.LinkedAddress{{Link: l, Address: a}})
		same(t, "all links", get[[]core.LinkedAddress](t)(tx.LinkHistory(into.ID)), []core.LinkedAddress{{Link: l, Address: a}})
		same(t, "orders", get[[]core.OrderQuery](t)(tx.OrdersOf(into.ID, 9)), []core.OrderQuery{{Site: "shop", Code: "2"}, {Site: "shop", Code: "1"}})
		same(t, "who has it all", get[core.Customer](t)(tx.Customer(from.ID)).MergedInto, into.ID)
	})
}
