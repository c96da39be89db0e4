package storetest

import (
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

func readings(t *testing.T, s Store) {
	read := get[core.Reading](t)
	due := func(tx lane.StoreTx, kind string, limit int) (names []string) {
		for _, x := range get[[]core.Reading](t)(tx.ReadingsDue(kind, day, limit)) {
			names = append(names, x.Name)
		}
		return names
	}
	order := core.Reading{Kind: "order", Name: "shop/1", At: day, Seen: map[string]string{"order": "READY", "consignment c\x00": "SHIPPED"}}
	update(t, s, func(tx lane.StoreTx) {
		missing(t, "not read yet", second(tx.Reading("order", "shop/1")))
		must(t, tx.SaveReading(order))
		same(t, "kept", read(tx.Reading("order", "shop/1")), order)
		missing(t, "of another kind", second(tx.Reading("customer", "shop/1")))
		order.At, order.Seen = later(-time.Second), nil
		must(t, tx.SaveReading(order))
		for name, x := range map[string]core.Reading{"b": {At: day}, "a": {At: later(-time.Hour)}, "later": {At: later(time.Millisecond)}, "done": {At: later(-time.Hour), Done: true}} {
			x.Kind, x.Name = "customer", name
			must(t, tx.SaveReading(x))
		}
		must(t, tx.SaveReading(core.Reading{Kind: "feed", Name: "shop", At: later(-time.Hour)}))
	})
	view(t, s, func(tx lane.StoreTx) {
		same(t, "kept anew", read(tx.Reading("order", "shop/1")), order)
		same(t, "due, the longest first", due(tx, "customer", 10), []string{"a", "b"})
		same(t, "limited", due(tx, "customer", 1), []string{"a"})
	})
	update(t, s, func(tx lane.StoreTx) {
		if _, err := tx.Purge(day, day, day, 10); err != nil {
			t.Fatal(err)
		}
		missing(t, "an old order", second(tx.Reading("order", "shop/1")))
		missing(t, "what is done", second(tx.Reading("customer", "done")))
		same(t, "whoever is to be read", due(tx, "customer", 10), []string{"a", "b"})
		same(t, "the feed", due(tx, "feed", 10), []string{"shop"})
	})
}

func linkedSince(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		c := customer(t, tx, "ines")
		var ids []int64
		for _, channel := range []string{"a", "b", "c"} {
			a := get[core.ChatAddress](t)(tx.EnsureAddress(channel, core.Address{Value: "1"}, day))
			ids = append(ids, get[int64](t)(tx.InsertLink(core.Link{CustomerID: c.ID, AddressID: a.ID, Channel: channel, State: core.LinkActive, CreatedAt: day, ChangedAt: day})))
		}
		since := func(id int64, limit int) (found []int64) {
			for _, l := range get[[]core.Link](t)(tx.LinkedSince(id, limit)) {
				found = append(found, l.ID)
			}
			return found
		}
		same(t, "after the first", since(ids[0], 10), ids[1:])
		same(t, "limited", since(0, 2), ids[:2])
	})
}
