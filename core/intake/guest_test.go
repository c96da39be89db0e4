package intake_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// carriedOrder is an event's order as the shop has it after a guest has registered.
func carriedOrder(code, uid string) fields { return fields{"code": code, "user": fields{"uid": uid}} }

// What is settled at the door, because its order came along, finds the guest's
// chat as what waits for the shop does.
func TestAGuestWhoRegisteredHearsOfACarriedOrder(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(guest, "a", "api")
		r.link("ada", "b", "api") // the account has been there all along, with a chat of its own
		r.order("1", guest)
		r.post(r.event("order.placed", fields{"orderCode": "1"}))
		synctest.Wait()
		delivered := r.event("order.completed", fields{"orderCode": "1", "customerUid": "ada", "order": carriedOrder("1", "ada")})
		other := r.event("order.completed", fields{"orderCode": "2", "customerUid": "ada", "order": carriedOrder("2", "ada")})
		r.post(delivered, other)
		synctest.Wait()
		var to []string
		for _, m := range r.out.messages() {
			to = append(to, m.Channel+" "+m.OrderCode)
		}
		if want := []string{"a 1", "a 1", "b 2"}; !slices.Equal(to, want) {
			t.Errorf("got %q, want %q: each order's news in the chat that was linked for it", to, want)
		}
	})
}

// The shop calls a guest's ticket the account's: the answer goes to whoever asked.
func TestAGuestWhoRegisteredHearsTheAnswer(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link(guest, "a", "api")
		r.link("ada", "b", "api")
		err := r.engine.Do(context.Background(), func(tx *lane.Tx) error {
			for uid, ticket := range map[string]string{guest: "T1", "ada": "T2"} {
				c, err := tx.CustomerByUID(uid)
				if err != nil {
					return err
				}
				links, err := tx.LinksOf(c.ID)
				if err != nil {
					return err
				}
				v := core.Conversation{CustomerID: c.ID, Site: "shop", TicketID: ticket, Reference: ticket, AddressID: links[0].Address.ID, LastInAt: time.Now(), CreatedAt: time.Now()}
				if v.ID, err = tx.InsertConversation(v); err != nil {
					return err
				}
				if err := tx.SaveConversation(v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		answer := func(ticket string) fields {
			return r.event("ticket.note_added", fields{"ticketId": ticket, "customerUid": "ada", "note": fields{"id": ticket, "text": "answer to " + ticket, "public": true}})
		}
		r.post(answer("T1"), answer("T2"))
		synctest.Wait()
		var to []string
		for _, m := range r.out.messages() {
			to = append(to, m.Channel)
		}
		if slices.Sort(to); !slices.Equal(to, []string{"a", "b"}) {
			t.Errorf("got %q, want each answer where it was asked for", r.texts())
		}
	})
}

// The next owner of a uid hears nothing of the orders of the account that was closed.
func TestTheNextOwnerHearsNothingOfTheOrdersBefore(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("1", "ada")
		r.post(r.event("order.placed", fields{"orderCode": "1"}))
		synctest.Wait()
		time.Sleep(time.Hour)
		r.post(r.event("customer.closed", fields{"customerUid": "ada"}))
		synctest.Wait()
		time.Sleep(time.Hour)
		r.post(r.event("customer.registered", fields{"customerUid": "ada"}))
		synctest.Wait()
		r.link("ada", "b", "api")
		before := len(r.texts())
		r.post(
			r.event("order.completed", fields{"orderCode": "1", "customerUid": "ada"}),
			r.event("order.cancelled", fields{"orderCode": "1", "customerUid": "ADA", "order": carriedOrder("1", "ada")}),
		)
		synctest.Wait()
		if got := r.texts()[before:]; len(got) > 0 {
			t.Errorf("got %q, want nothing said", got)
		}
		r.order("2", "ada")
		r.post(r.event("order.placed", fields{"orderCode": "2", "customerUid": "ada"}))
		synctest.Wait()
		if got := r.texts()[before:]; len(got) != 1 {
			t.Errorf("got %q, want the new order told", got)
		}
	})
}

// A customer is merged into another while a message to them is being made: it is
// the other's.
func TestAMessageMadeDuringAMergeIsTheLivingCustomers(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("old", "a", "opt-in 1")
		time.Sleep(time.Hour)
		since := time.Now()
		r.link("new", "b", "opt-in 2")
		r.order("1", "new")
		r.shop.delay["1"] = 2 * time.Second
		shipped := r.event("order.shipped", fields{"orderCode": "1", "customerUid": "new", "consignmentCode": "1_0"})
		r.post(shipped)
		time.Sleep(time.Second) // the shop is being asked
		r.post(at(r.event("customer.renamed", fields{"customerUid": "new", "previousUid": "old"}), since))
		time.Sleep(time.Minute)
		r.want(shipped, core.EventRouted, "")
		err := r.engine.View(context.Background(), func(tx core.Tx) error {
			all, err := tx.ListMessages(core.MessageFilter{Customer: "new", Order: "1", Limit: 10})
			if len(all) != 1 {
				t.Errorf("got %d messages of the order under the customer's uid, want 1", len(all))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
