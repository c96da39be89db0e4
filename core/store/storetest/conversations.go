package storetest

import (
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

func fullConversation(c core.Customer) core.Conversation {
	return core.Conversation{
		CustomerID: c.ID, CustomerUID: c.UID, Site: "shop", OrderCode: "1", Reference: "R-1", TicketID: "t1", Closed: false,
		AddressID: 4, LastInAt: day, PolledAt: later(time.Second), CreatedAt: later(-time.Hour),
	}
}

func conversations(t *testing.T, s Store) {
	var v, w core.Conversation
	read := get[core.Conversation](t)
	update(t, s, func(tx lane.StoreTx) {
		c := customer(t, tx, "ines")
		v, w = fullConversation(c), fullConversation(c)
		w.OrderCode, w.TicketID, w.LastInAt = "", "", later(-time.Minute)
		v.ID = get[int64](t)(tx.InsertConversation(v))
		w.ID = get[int64](t)(tx.InsertConversation(w))
		same(t, "by id", read(tx.Conversation(v.ID)), v)
		same(t, "by ticket", read(tx.ConversationByTicket("t1")), v)
		_, err := tx.ConversationByTicket("")
		missing(t, "by no ticket", err)
		same(t, "where the customer last wrote", read(tx.LastConversation(c.ID)), v)

		same(t, "open, about the order", read(tx.OpenConversation(c.ID, "1", day, false)), v)
		same(t, "open, about none", read(tx.OpenConversation(c.ID, "", later(-time.Hour), false)), w)
		for name, err := range map[string]error{
			"rested too long":   second(tx.OpenConversation(c.ID, "1", day.Add(time.Millisecond), true)),
			"another order":     second(tx.OpenConversation(c.ID, "2", day, true)),
			"another customer":  second(tx.OpenConversation(c.ID+1, "1", day, true)),
			"none of another's": second(tx.LastConversation(c.ID + 1)),
		} {
			missing(t, name, err)
		}
		v.TicketID, v.Closed, v.AddressID, v.Reference = "t2", true, 5, "R-2"
		v.LastInAt, v.PolledAt = later(time.Hour), later(2*time.Hour)
		v.Status, v.LastEntry = "closed", "0000A13K"
		must(t, tx.SaveConversation(v))
	})
	view(t, s, func(tx lane.StoreTx) {
		same(t, "saved", read(tx.ConversationByTicket("t2")), v)
		missing(t, "closed", second(tx.OpenConversation(v.CustomerID, "1", day, false)))
		same(t, "closed ones too", read(tx.OpenConversation(v.CustomerID, "1", day, true)), v)
	})
}

func second[T any](_ T, err error) error { return err }

func conversationsToPoll(t *testing.T, s Store) {
	update(t, s, func(tx lane.StoreTx) {
		c := customer(t, tx, "ines")
		insert := func(ticket string, closed bool, polled time.Time) int64 {
			v := fullConversation(c)
			v.TicketID, v.Closed, v.PolledAt = ticket, closed, polled
			return get[int64](t)(tx.InsertConversation(v))
		}
		late := insert("a", false, later(-time.Second))
		never := insert("b", false, time.Time{})
		insert("c", false, day)
		closed := insert("d", true, time.Time{})
		insert("e", true, day)
		insert("", false, time.Time{})
		poll := func(limit int) (ids []int64) {
			for _, v := range get[[]core.Conversation](t)(tx.ConversationsToPoll(day, limit)) {
				ids = append(ids, v.ID)
			}
			return ids
		}
		same(t, "to poll, longest not polled first", poll(10), []int64{never, late})
		same(t, "limited", poll(1), []int64{never})
		last := fullConversation(c).LastInAt
		for since, want := range map[time.Time]int{last: 1, last.Add(time.Millisecond): 0} {
			all := get[[]core.Conversation](t)(tx.ClosedToPoll(since, day, 10))
			if len(all) != want || want == 1 && all[0].ID != closed {
				t.Errorf("closed ones since %v: got %+v, want %d", since, all, want)
			}
		}
	})
}

func ticketCalls(t *testing.T, s Store) {
	c := core.TicketCall{ConversationID: 1, UpdateID: 2, Text: "Where is it?", State: "waiting", CreatedAt: day}
	update(t, s, func(tx lane.StoreTx) {
		c.ID = get[int64](t)(tx.InsertTicketCall(c))
		same(t, "inserted", get[core.TicketCall](t)(tx.TicketCall(c.ID)), c)
		c.State, c.Uncertain, c.Why, c.TriedAt = "failed", true, "no answer", later(time.Second)
		must(t, tx.SaveTicketCall(c))
	})
	view(t, s, func(tx lane.StoreTx) { same(t, "saved", get[core.TicketCall](t)(tx.TicketCall(c.ID)), c) })
	update(t, s, func(tx lane.StoreTx) {
		held := func(before time.Time) (ids []int64) {
			for _, c := range get[[]core.TicketCall](t)(tx.HeldCalls(before, 10)) {
				ids = append(ids, c.ID)
			}
			return ids
		}
		same(t, "none held: it has failed", held(later(time.Hour)), []int64(nil))
		c.State = "waiting"
		must(t, tx.SaveTicketCall(c))
		same(t, "held", held(later(time.Hour)), []int64{c.ID})
		same(t, "held for too short", held(later(time.Second)), []int64(nil))
		file := core.TicketCall{ConversationID: 1, State: "waiting", CreatedAt: day, Media: &core.Media{Kind: "image", ID: "F1", Name: "cup.jpg"}}
		file.ID = get[int64](t)(tx.InsertTicketCall(file))
		same(t, "a file", get[core.TicketCall](t)(tx.TicketCall(file.ID)), file)
	})
}
