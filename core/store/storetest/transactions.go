package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

func insertItem(t *testing.T, tx lane.StoreTx, name string, ref int64) lane.Item {
	t.Helper()
	it := lane.Item{Lane: name, Ref: ref, Due: day, Step: 1}
	it.ID = get[int64](t)(tx.InsertItem(it))
	return it
}

func items(t *testing.T, s Store) {
	var it lane.Item
	update(t, s, func(tx lane.StoreTx) {
		it = lane.Item{Lane: "out/slack/1", Ref: 7, Due: later(time.Second), Step: 2, Mark: 2}
		it.ID = get[int64](t)(tx.InsertItem(it))
		same(t, "pending", get[bool](t)(tx.Pending("out/slack/1")), true)
		same(t, "another pending", get[bool](t)(tx.Pending("out/slack/10")), false)
	})
	heads := func(want ...lane.Item) {
		t.Helper()
		got, err := s.Head(t.Context(), "out/slack/1", 10)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "head", got, want)
	}
	heads(it)
	it.Due, it.Step, it.Mark, it.Tries, it.Since, it.LastTry = later(time.Hour), 3, 0, 4, day, later(time.Minute)
	it.Found = true
	update(t, s, func(tx lane.StoreTx) { must(t, tx.SaveItem(it)) })
	it.Found = false // never stored
	heads(it)
	update(t, s, func(tx lane.StoreTx) {
		must(t, tx.RemoveItem(it.ID))
		same(t, "pending at last", get[bool](t)(tx.Pending("out/slack/1")), false)
	})
	heads()
}

func lanes(t *testing.T, s Store) {
	want := []string{"A/1", "a/1", "a/10", "a/2", "a/B", "a/b", "b/\u00e9", "b/\U0001F600"} // by bytes
	update(t, s, func(tx lane.StoreTx) {
		for _, name := range []string{"b/\U0001F600", "a/2", "a/10", "a/b", "a/B", "A/1", "a/1", "b/\u00e9", "a/1"} {
			insertItem(t, tx, name, 1)
		}
	})
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			names, err := s.Lanes(t.Context(), 0, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, names...); len(names) < limit {
				break
			}
		}
		same(t, fmt.Sprintf("pages of %d", limit), got, want)
	}
}

func head(t *testing.T, s Store) {
	var want []lane.Item
	update(t, s, func(tx lane.StoreTx) {
		for i := range 50 {
			it := insertItem(t, tx, "a/1", int64(i))
			insertItem(t, tx, "a/2", int64(i))
			if i%3 != 0 {
				want = append(want, it)
			} else {
				must(t, tx.RemoveItem(it.ID))
			}
		}
	})
	for _, limit := range []int{1, 10, 100} {
		got, err := s.Head(t.Context(), "a/1", limit)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("first %d", limit), got, want[:min(limit, len(want))])
	}
}

func try(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		customer(t, tx, "before")
		err, fatal := attempt(tx, func() error {
			customer(t, tx, "refused")
			insertItem(t, tx, "a/1", 1)
			return errRefused
		})
		if !errors.Is(err, errRefused) || fatal != nil {
			t.Errorf("Try: got %v, fatal %v, want %v", err, fatal, errRefused)
		}
		if err, fatal := attempt(tx, func() error { customer(t, tx, "after"); return nil }); err != nil || fatal != nil {
			t.Errorf("Try: got %v, fatal %v", err, fatal)
		}
	})
	view(t, s, func(tx lane.StoreTx) {
		for uid, want := range map[string]bool{"before": true, "refused": false, "after": true} {
			if _, err := tx.CustomerByUID(uid); (err == nil) != want {
				t.Errorf("customer %s: got %v, want it there: %v", uid, err, want)
			}
		}
		same(t, "pending", get[bool](t)(tx.Pending("a/1")), false)
	})
}

func tryNested(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		err, fatal := attempt(tx, func() error {
			customer(t, tx, "outer")
			err, fatal := attempt(tx, func() error { customer(t, tx, "inner"); return errRefused })
			if !errors.Is(err, errRefused) {
				t.Errorf("inner Try: got %v, want %v", err, errRefused)
			}
			return fatal
		})
		if err != nil || fatal != nil {
			t.Errorf("outer Try: got %v, fatal %v", err, fatal)
		}
	})
	view(t, s, func(tx lane.StoreTx) {
		get[core.Customer](t)(tx.CustomerByUID("outer"))
		missing(t, "inner", second(tx.CustomerByUID("inner")))
	})
}

func tryTotals(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		past(t, tx, day, 2)
		_, fatal := attempt(tx, func() error {
			past(t, tx, later(time.Second), 3)
			get[int64](t)(tx.Purge(later(time.Second), day, day, 100))
			return errRefused
		})
		must(t, fatal)
	})
	sums(t, s, core.Totals{
		EventsAccepted: 2, Events: map[core.EventState]int64{core.EventRouted: 2},
		MessagesAccepted: 2, Messages: map[core.MessageState]int64{core.MessageSent: 2},
	})
}

func failedUpdate(t *testing.T, s Store) {
	err := s.Update(t.Context(), func(tx lane.StoreTx) error {
		past(t, tx, day, 1)
		insertItem(t, tx, "a/1", 1)
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Errorf("Update: got %v, want %v", err, errRefused)
	}
	empty(t, s)
	update(t, s, func(tx lane.StoreTx) { customer(t, tx, "works again") })
}

func empty(t *testing.T, s lane.Store) {
	t.Helper()
	sums(t, s, core.Totals{Events: map[core.EventState]int64{}, Messages: map[core.MessageState]int64{}})
	names, err := s.Lanes(t.Context(), 0, "", 10)
	if err != nil || len(names) > 0 {
		t.Errorf("lanes: got %v, %v, want none", names, err)
	}
}

func cancelled(t *testing.T, s Store) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	never := func(lane.StoreTx) error {
		t.Error("called with a ctx that has ended")
		return nil
	}
	for name, err := range map[string]error{
		"Update": s.Update(gone, never), "View": s.View(gone, never),
		"Lanes": second(s.Lanes(gone, 0, "", 1)), "Head": second(s.Head(gone, "a", 1)),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %v", name, err, context.Canceled)
		}
	}

	amid, cancel := context.WithCancel(t.Context())
	err := s.Update(amid, func(tx lane.StoreTx) error {
		past(t, tx, day, 1)
		cancel()
		return nil
	})
	if err == nil {
		t.Error("Update cancelled amid: got no error")
	}
	empty(t, s)

	amid, cancel = context.WithCancel(t.Context())
	if err := s.View(amid, func(tx lane.StoreTx) error { cancel(); return second(tx.Totals()) }); err == nil {
		t.Error("View cancelled amid: got no error")
	}
	for range 20 { // no connection was lost on the way
		view(t, s, func(tx lane.StoreTx) { get[core.Totals](t)(tx.Totals()) })
	}
}

func ownWrites(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		c := customer(t, tx, "ines")
		same(t, "read in the same transaction", get[core.Customer](t)(tx.Customer(c.ID)), c)
		view(t, s, func(other lane.StoreTx) {
			missing(t, "read by another before the commit", second(other.Customer(c.ID)))
		})
	})
}

func viewCannotWrite(t *testing.T, s Store) {
	for name, write := range map[string]func(tx lane.StoreTx) error{
		"InsertItem":     func(tx lane.StoreTx) error { return second(tx.InsertItem(lane.Item{Lane: "a"})) },
		"EnsureCustomer": func(tx lane.StoreTx) error { return second(tx.EnsureCustomer("c", day)) },
		"SetPause":       func(tx lane.StoreTx) error { return tx.SetPause("c", day, "") },
		"RemoveItem":     func(tx lane.StoreTx) error { return tx.RemoveItem(1) },
	} {
		if err := s.View(t.Context(), write); err == nil {
			t.Errorf("%s in a View: got no error", name)
		}
	}
	empty(t, s)
}

func viewSnapshot(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) { insertItem(t, tx, "a/1", 1) })
	view(t, s, func(before lane.StoreTx) {
		same(t, "at first", get[bool](t)(before.Pending("a/2")), false)
		update(t, s, func(tx lane.StoreTx) { insertItem(t, tx, "a/2", 1) })
		same(t, "later in the same view", get[bool](t)(before.Pending("a/2")), false)
	})
	view(t, s, func(tx lane.StoreTx) { same(t, "in a new view", get[bool](t)(tx.Pending("a/2")), true) })
}

// concurrent has many writers take the same claims while readers look on.
func concurrent(t *testing.T, s Store) {
	const writers, keys = 8, 20
	var wg sync.WaitGroup
	var mu sync.Mutex
	takers := map[string]int{}
	for range writers {
		wg.Go(func() {
			for k := range keys {
				key := fmt.Sprint(k)
				err := s.Update(context.Background(), func(tx lane.StoreTx) error {
					first, _, err := tx.Claim(key, "", day)
					if err != nil || !first {
						return err
					}
					mu.Lock()
					takers[key]++
					mu.Unlock()
					_, err = tx.InsertItem(lane.Item{Lane: "a/" + key})
					return err
				})
				if err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range keys {
				err := s.View(context.Background(), func(tx lane.StoreTx) error {
					for k := range keys { // a claim and its item are seen together or not at all
						claimed, err := tx.Claimed(fmt.Sprint(k))
						if err != nil {
							return err
						}
						if pending, err := tx.Pending("a/" + fmt.Sprint(k)); err != nil || pending != claimed {
							return fmt.Errorf("claimed %v, pending %v: %w", claimed, pending, err)
						}
					}
					return nil
				})
				if err != nil {
					t.Errorf("View: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for k := range keys {
		same(t, "takers of a claim", takers[fmt.Sprint(k)], 1)
	}
}

func reopened(t *testing.T, s Store) {
	var e core.StoredEvent
	var it lane.Item
	update(t, s, func(tx lane.StoreTx) {
		e = fullEvent()
		e.RowID = get[int64](t)(tx.InsertEvent(e))
		it = insertItem(t, tx, "a/1", e.RowID)
	})
	s = s.Reopen(t)
	t.Cleanup(func() { must(t, s.Close()) })
	view(t, s, func(tx lane.StoreTx) { same(t, "event", get[core.StoredEvent](t)(tx.Event(e.RowID)), e) })
	got, err := s.Head(t.Context(), "a/1", 10)
	must(t, err)
	same(t, "items", got, []lane.Item{it})
	update(t, s, func(tx lane.StoreTx) {
		must(t, tx.RemoveItem(it.ID))
		if next := insertItem(t, tx, "a/1", 1); next.ID <= it.ID {
			t.Errorf("id after %d was removed: got %d, want a higher one", it.ID, next.ID)
		}
	})
}

func closed(t *testing.T, s Store) {
	must(t, s.Close())
	nothing := func(lane.StoreTx) error { return nil }
	for name, err := range map[string]error{
		"Update": s.Update(t.Context(), nothing), "View": s.View(t.Context(), nothing),
		"Lanes": second(s.Lanes(t.Context(), 0, "", 1)), "Head": second(s.Head(t.Context(), "a", 1)),
	} {
		if err == nil {
			t.Errorf("%s of a closed store: got no error", name)
		}
	}
}

// oddTexts brings through what people and platforms really send.
func oddTexts(t *testing.T, s Store) {
	for name, text := range map[string]string{
		"empty": "", "NUL": "a\x00b", "quotes": `'"; DROP TABLE item; --`, "controls": "\x01\x1b[31m\r\n\u2028", "astral": "👩‍👩‍👧‍👦 \U0010FFFF",
		"combining": "e" + strings.Repeat("\u0301", 5000), "huge": strings.Repeat("あ", 100_000), "markup": "1 < 2 & <b>", "escapes": `\u0000 \' \\`,
	} {
		update(t, s, func(tx lane.StoreTx) {
			o := core.OptIn{CustomerUID: name, Consent: text, Channels: []string{}, CreatedAt: day, ExpiresAt: day}
			o.ID = get[int64](t)(tx.InsertOptIn(o))
			same(t, name+" in a consent", get[core.OptIn](t)(tx.OptIn(o.ID)), o)

			c := core.TicketCall{Text: text, CreatedAt: day}
			c.ID = get[int64](t)(tx.InsertTicketCall(c))
			same(t, name+" in a ticket call", get[core.TicketCall](t)(tx.TicketCall(c.ID)), c)

			u := core.StoredUpdate{Channel: "c", Update: core.Update{ID: name, Text: text, Raw: []byte(text[:min(len(text), 100)] + "\xff")}, ReceivedAt: day}
			u.ID, _, _ = tx.InsertUpdate(u)
			same(t, name+" in an update", get[core.StoredUpdate](t)(tx.Update(u.ID)), u)

			m := message(t, tx, address(t, tx, "c", name), core.MessageQueued, text)
			same(t, name+" in a part", get[core.StoredPart](t)(tx.Part(m.ID, 1)).Part.Text.Plain(), text)

			e := core.StoredEvent{Event: core.Event{Data: core.EventData{Text: text}}, AcceptedAt: day}
			e.RowID = get[int64](t)(tx.InsertEvent(e))
			same(t, name+" in an event", get[core.StoredEvent](t)(tx.Event(e.RowID)), e)
		})
	}
	update(t, s, func(tx lane.StoreTx) {
		c := core.TicketCall{Text: "a\xff\xfeb", CreatedAt: day}
		c.ID = get[int64](t)(tx.InsertTicketCall(c))
		same(t, "bytes that are no UTF-8", get[core.TicketCall](t)(tx.TicketCall(c.ID)), c)
	})
}

func milliseconds(t *testing.T, s Store) {
	berlin := time.FixedZone("CET", 3600)
	for _, c := range []struct{ in, want time.Time }{
		{day.Add(999_999), day}, {day.In(berlin), day}, {time.Time{}, time.Time{}},
		{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC)},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
	} {
		update(t, s, func(tx lane.StoreTx) {
			m := core.Message{Channel: "c", State: core.MessageSent, CreatedAt: day, ExpiresAt: c.in}
			m.ID = get[int64](t)(tx.InsertMessage(m, nil))
			same(t, "time", get[core.Message](t)(tx.Message(m.ID)).ExpiresAt, c.want)
		})
	}
}

func notFound(t *testing.T, s Store) {
	view(t, s, func(tx lane.StoreTx) {
		for name, err := range map[string]error{
			"Customer": second(tx.Customer(1)), "CustomerByUID": second(tx.CustomerByUID("x")), "Event": second(tx.Event(1)),
			"Message": second(tx.Message(1)), "Part": second(tx.Part(1, 1)), "Address": second(tx.Address(1)),
			"AddressByValue": second(tx.AddressByValue("c", "x")), "LinkOf": second(tx.LinkOf(1)), "Link": second(tx.Link(1)),
			"OptIn": second(tx.OptIn(1)), "LiveOptIn": second(tx.LiveOptIn(core.OptIn{}, day)), "Update": second(tx.Update(1)),
			"Conversation": second(tx.Conversation(1)), "ConversationByTicket": second(tx.ConversationByTicket("t")),
			"LastConversation": second(tx.LastConversation(1)), "TicketCall": second(tx.TicketCall(1)),
		} {
			missing(t, name, err)
		}
	})
	update(t, s, func(tx lane.StoreTx) { missing(t, "ReplaceParts", tx.ReplaceParts(1, nil)) })
}
