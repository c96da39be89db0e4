package store

import (
	"errors"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// What was fetched is read as the transaction has changed it since, and as it
// was again when that is undone.
func TestFetchKeepsUp(t *testing.T) {
	t.Parallel()
	s := openPG(t, PostgresURL(t))
	now := time.Unix(1, 0).UTC()
	var w core.Wants
	var a core.ChatAddress
	must(t, s.Update(t.Context(), func(tx lane.StoreTx) (err error) {
		e, err1 := tx.InsertEvent(core.StoredEvent{State: core.EventWaiting, AcceptedAt: now})
		c, err2 := tx.EnsureCustomer("c", now)
		a, err = tx.EnsureAddress("x", core.Address{Value: "1"}, now)
		m, err3 := tx.InsertMessage(core.Message{State: core.MessageQueued, CustomerID: c.ID, AddressID: a.ID, CreatedAt: now}, []core.Part{{N: 1}})
		w = core.Wants{
			Claims: []string{"k"}, UIDs: []string{"c", "new"}, Lanes: []string{"l"}, Messages: []int64{m}, Events: []int64{e},
			Addresses: []int64{a.ID}, Customers: []int64{c.ID}, LinksOfAddresses: []int64{a.ID},
		}
		return errors.Join(err, err1, err2, err3)
	}))
	refused := errors.New("refused")
	must(t, s.Update(t.Context(), func(tx lane.StoreTx) error {
		must(t, tx.Fetch(w))
		before := read(t, tx, w)
		same(t, "known before", before, read(t, tx, w))
		err, fatal := tx.Try(func() error {
			change(t, tx, w)
			same(t, "after the changes", read(t, tx, w), []string{
				"sent", "sent", "routed", "Bo", "C2", "active", "pending", "claimed", "new", "C2",
			})
			return refused
		})
		if errors.Is(fatal, lane.ErrAgain) {
			return fatal
		}
		if !errors.Is(err, refused) || fatal != nil {
			t.Errorf("Try: got %v, fatal %v", err, fatal)
		}
		same(t, "after they were undone", read(t, tx, w), before)
		return nil
	}))
}

// read tells what can be fetched.
func read(t *testing.T, tx lane.StoreTx, w core.Wants) []string {
	t.Helper()
	m, err1 := tx.Message(w.Messages[0])
	p, err2 := tx.Part(m.ID, 1)
	all, err3 := tx.Parts(m.ID)
	e, err4 := tx.Event(w.Events[0])
	a, err5 := tx.Address(w.Addresses[0])
	c, err6 := tx.Customer(w.Customers[0])
	pending, err7 := tx.Pending("l")
	claimed, err8 := tx.Claimed("k")
	must(t, errors.Join(err1, err2, err3, err4, err5, err6, err7, err8))
	if len(all) != 1 || all[0].State != p.State {
		t.Errorf("Parts: got %v, want the part %v", all, p)
	}
	got := []string{string(m.State), string(p.State), string(e.State), a.Name, c.UID}
	l, err := tx.LinkOf(a.ID)
	got = append(got, word(t, err, string(l.State)))
	got = append(got, map[bool]string{true: "pending"}[pending], map[bool]string{true: "claimed"}[claimed])
	n, err := tx.CustomerByUID("new")
	got = append(got, word(t, err, n.UID))
	return append(got, m.CustomerUID)
}

// word is a text, or nothing where nothing was found.
func word(t *testing.T, err error, text string) string {
	t.Helper()
	if errors.Is(err, core.ErrNotFound) {
		return ""
	}
	must(t, err)
	return text
}

func change(t *testing.T, tx lane.StoreTx, w core.Wants) {
	t.Helper()
	first, _, err := tx.Claim("k", "v", time.Unix(1, 0))
	again, old, err2 := tx.Claim("k", "w", time.Unix(1, 0))
	if !first || again || old != "v" {
		t.Errorf("Claim twice: got %v, then %v with %q, want true, then false with v", first, again, old)
	}
	m, err3 := tx.Message(w.Messages[0])
	m.State = core.MessageSent
	p, err4 := tx.Part(m.ID, 1)
	p.State = core.PartSent
	e, err5 := tx.Event(w.Events[0])
	e.State = core.EventRouted
	a, err6 := tx.Address(w.Addresses[0])
	a.Name = "Bo"
	c, err7 := tx.Customer(w.Customers[0])
	c.UID = "C2"
	_, err8 := tx.InsertLink(core.Link{AddressID: a.ID, State: core.LinkActive})
	_, err9 := tx.InsertItem(lane.Item{Lane: "l"})
	_, err10 := tx.EnsureCustomer("new", time.Unix(1, 0))
	must(t, errors.Join(err, err2, err3, err4, err5, err6, err7, err8, err9, err10,
		tx.SaveMessage(m), tx.SavePart(p), tx.SaveEvent(e), tx.SaveAddress(a), tx.SaveCustomer(c)))
}
