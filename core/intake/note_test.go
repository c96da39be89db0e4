package intake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// A shop that gives its tickets' entries no ids pushes a note under one id, and
// the poll finds it under another.
func TestNoteUnderAMadeIDIsToldOnce(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		note := func(id, text string) fields {
			e := r.event("ticket.note_added", fields{
				"ticketId": "t1", "customerUid": "ada", "note": fields{"id": id, "text": text, "public": true},
			})
			r.post(e)
			synctest.Wait()
			return e
		}
		const repeated = "the same has been told before"
		r.want(note("n1", "Sent."), core.EventRouted, "")
		r.want(note("made-1", "Sent. "), core.EventSuppressed, repeated)
		r.want(note("made-2", "Sent."), core.EventRouted, "") // a second one that says the same
		r.want(note("n3", "Sent."), core.EventRouted, "")     // and a third: the shop says so
		r.want(note("made-4", "Back."), core.EventRouted, "")
		r.want(note("n4", "Back."), core.EventSuppressed, repeated)
		r.want(note("n5", "Back."), core.EventRouted, "")
	})
}

func TestTicketOfAnotherCustomerIsNotToldOf(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.link("bob", "a", "api")
		err := r.engine.Do(context.Background(), func(tx *lane.Tx) error {
			ada, err := tx.CustomerByUID("ada")
			if err != nil {
				return err
			}
			v := core.Conversation{CustomerID: ada.ID, CustomerUID: "ada", CreatedAt: time.Now()}
			if v.ID, err = tx.InsertConversation(v); err != nil {
				return err
			}
			v.TicketID = "t1"
			return tx.SaveConversation(v)
		})
		if err != nil {
			t.Fatal(err)
		}
		note := fields{"id": "n1", "text": "for ada", "public": true}
		wrong := r.event("ticket.note_added", fields{"ticketId": "t1", "customerUid": "bob", "note": note})
		right := r.event("ticket.note_added", fields{"ticketId": "t1", "customerUid": "ada", "note": note})
		r.post(wrong, right)
		synctest.Wait()
		r.want(wrong, core.EventSuppressed, "the ticket belongs to another customer")
		r.want(right, core.EventRouted, "")
	})
}
