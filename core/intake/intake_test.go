package intake_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/lane"
)

func TestAnEventBecomesOneMessage(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		e := r.event("order.shipped", fields{"orderCode": "100", "customerUid": "ada", "consignmentCode": "100_0"})
		if st := r.post(e); st[0].Status != "accepted" {
			t.Errorf("got %+v, want accepted", st[0])
		}
		synctest.Wait()
		r.want(e, core.EventRouted, "")
		if st := r.post(e); st[0].Status != "duplicate" || st[0].Differs {
			t.Errorf("again: got %+v, want a duplicate that does not differ", st[0])
		}
		e["data"].(fields)["consignmentCode"] = "100_1"
		if st := r.post(e); st[0].Status != "duplicate" || !st[0].Differs {
			t.Errorf("again with other data: got %+v, want a duplicate that differs", st[0])
		}
		synctest.Wait()
		got := r.out.messages()
		if len(got) != 1 {
			t.Fatalf("got %d messages, want 1", len(got))
		}
		text := plain(got[0].Body)
		for _, want := range []string{"100", "TRACK-100"} {
			if !strings.Contains(text, want) {
				t.Errorf("got text %q, want %q in it", text, want)
			}
		}
	})
}

func TestEventsOfACustomerKeepTheirOrderBehindASlowRead(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		r.shop.delay["100"] = 3 * time.Second
		r.post(
			r.event("order.shipped", fields{"orderCode": "100", "consignmentCode": "100_0"}), // whose it is, only the shop knows
			r.event("order.delivered", fields{"orderCode": "100", "customerUid": "ada", "consignmentCode": "100_0"}),
		)
		time.Sleep(time.Minute)
		r.post(
			r.event("order.completed", fields{"orderCode": "100", "customerUid": "ada"}),
			r.event("message.requested", fields{"customerUid": "ada", "text": "last"}),
		)
		time.Sleep(time.Minute)
		var types []core.EventType
		for _, m := range r.out.messages() {
			types = append(types, m.Type)
		}
		want := []core.EventType{"order.shipped", "order.delivered", "order.completed", "message.requested"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASlowShopHoldsNobodyElse(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.link("bob", "a", "api")
		r.shop.set(&core.ShopError{Class: core.Temporary})
		held := r.event("order.shipped", fields{"orderCode": "100", "customerUid": "ada"})
		r.post(held, r.event("message.requested", fields{"customerUid": "ada", "text": "behind"}),
			r.event("message.requested", fields{"customerUid": "bob", "text": "free"}))
		time.Sleep(10 * time.Second)
		if diff := cmp.Diff([]string{"a: free"}, r.texts()); diff != "" {
			t.Error(diff)
		}
		r.want(held, core.EventWaiting, "waiting for the shop: Temporary")
		time.Sleep(51 * time.Second)
		got := r.texts()
		if len(got) != 3 || !strings.Contains(got[1], "100") || got[2] != "a: behind" {
			t.Errorf("after commerce.wait: got %q, want the event told from what it holds, then the one behind", got)
		}
		if m := r.out.messages()[1]; !strings.Contains(m.Reason, "degraded") {
			t.Errorf("got reason %q, want it to say degraded", m.Reason)
		}
	})
}

func TestNobodySeesSomebodyElsesOrder(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("eve", "a", "api")
		r.order("100", "ada")
		e := r.event("order.shipped", fields{"orderCode": "100", "customerUid": "eve"})
		r.post(e)
		synctest.Wait()
		r.want(e, core.EventSuppressed, "the order belongs to another customer")
		if got := r.texts(); len(got) != 0 {
			t.Errorf("got %q, want nothing", got)
		}
	})
}

// An offer made for the wrong customer must not keep the news from the right one.
func TestAnOrderTakenForSomebodyElsesFindsItsOwner(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.link("eve", "b", "api")
		r.order("100", "ada")
		err := r.engine.Do(context.Background(), func(tx *lane.Tx) error {
			eve, err := tx.CustomerByUID("eve")
			if err != nil {
				return err
			}
			links, err := tx.LinksOf(eve.ID)
			if err != nil {
				return err
			}
			if err := tx.RememberOrder("shop", "100", eve.ID); err != nil {
				return err
			}
			return r.in.Place(tx, core.Event{
				ID: "link-1", Source: "/tidings/links", Type: core.ThankYou, Time: time.Now(), Site: "shop",
				Data: core.EventData{OrderCode: "100", CustomerUID: "eve", LinkID: links[0].Link.ID},
			}, eve.ID, time.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		r.post(r.event("order.shipped", fields{"orderCode": "100"}), r.event("order.delivered", fields{"orderCode": "100"}))
		synctest.Wait()
		got := r.texts()
		if len(got) != 3 || !strings.HasPrefix(got[0], "b: ") || strings.Contains(got[0], "100") {
			t.Fatalf("got %q, want a thank-you that names no order, then Ada's news", got)
		}
		for _, text := range got[1:] {
			if !strings.HasPrefix(text, "a: ") || !strings.Contains(text, "100") {
				t.Errorf("got %q, want Ada's news of order 100", text)
			}
		}
	})
}

func TestTheSameNewsIsToldOnceAndNeverBackwards(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		first := r.event("order.delivered", fields{"orderCode": "100", "customerUid": "ada", "consignmentCode": "100_0"})
		again := r.event("sap.kyma.custom.shop.order.deliverysent.v1", fields{"orderCode": "100", "consignmentCode": "100_0"})
		twice := r.event("order.delivered", fields{"orderCode": "100", "customerUid": "ada", "consignmentCode": "100_0"})
		other := r.event("order.shipped", fields{"orderCode": "100", "customerUid": "ada", "consignmentCode": "100_1"})
		r.post(first)
		synctest.Wait()
		r.post(again, twice, other)
		synctest.Wait()
		r.want(first, core.EventRouted, "")
		r.want(again, core.EventSuppressed, "a later state of the same consignment has been told")
		r.want(twice, core.EventSuppressed, "the same has been told before")
		r.want(other, core.EventRouted, "")
	})
}

func TestInternalNotesNeverLeave(t *testing.T) {
	for name, note := range map[string]fields{
		"absent": {"id": "n1", "text": "secret"},
		"false":  {"id": "n1", "text": "secret", "public": false},
		"null":   {"id": "n1", "text": "secret", "public": nil},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				r.link("ada", "a", "api")
				e := r.event("ticket.note_added", fields{"ticketId": "t1", "customerUid": "ada", "note": note})
				r.post(e)
				synctest.Wait()
				r.want(e, core.EventSuppressed, "the note is internal")
				if got := r.state(e).Event.Data.Note.Text; got != "" {
					t.Errorf("kept %q of an internal note", got)
				}
				if got := r.texts(); len(got) != 0 {
					t.Errorf("got %q, want nothing", got)
				}
			})
		})
	}
}

func TestUnknownTypesAreIgnoredWithTheNearestName(t *testing.T) {
	inRig(t, func(r *rig) {
		e := r.event("order.shiped", fields{"orderCode": "100"})
		st := r.post(e, r.event("cronjob.finished.v1", fields{}))
		want := []string{"unknown type order.shiped; did you mean order.shipped"}
		if diff := cmp.Diff(want, st[0].Warnings); diff != "" || st[0].Status != "ignored" {
			t.Errorf("got %+v: %s", st[0], diff)
		}
		if st[1].Status != "ignored" {
			t.Errorf("got %+v, want ignored", st[1])
		}
		r.want(e, core.EventIgnored, "")
	})
}

func TestOneBadEventSpoilsItsBatch(t *testing.T) {
	inRig(t, func(r *rig) {
		_, faults, err := r.read([]fields{
			r.event("order.shipped", fields{"orderCode": "1", "customerUid": "ada"}),
			r.event("order.shipped", fields{"customerUid": "ada"}),
			{"specversion": "1.0", "id": "x", "type": "order.shipped", "time": "yesterday", "data": fields{"orderCode": 7}},
			r.event("message.requested", fields{"customerUid": "ada", "text": "x", "purpose": "spam"}),
		})
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, f := range faults {
			got = append(got, f.Pointer)
		}
		want := []string{"/1/data/orderCode", "/2/source", "/2/time", "/2/data/orderCode", "/3/data/purpose"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		_, _, err = r.read(r.event("message.requested", fields{"customerUid": "ada", "text": "a\x00b"}))
		if err == nil {
			t.Error("a NUL character: got no error")
		}
	})
}

func TestNewsOlderThanTheOptInIsNotReplayed(t *testing.T) {
	inRig(t, func(r *rig) {
		r.order("100", "ada")
		early := r.event("order.placed", fields{"orderCode": "100", "customerUid": "ada"})
		r.post(early)
		synctest.Wait()
		r.want(early, core.EventSuppressed, "")
		then := time.Now()
		time.Sleep(time.Hour)
		r.link("ada", "a", "opt-in 1")
		late := r.event("order.shipped", fields{"orderCode": "100", "customerUid": "ada"})
		late["time"] = then.Format(time.RFC3339)
		fresh := r.event("order.delivered", fields{"orderCode": "100", "customerUid": "ada"})
		r.post(late, fresh)
		synctest.Wait()
		r.want(late, core.EventSuppressed, "older than the link: it is not told again")
		r.want(fresh, core.EventRouted, "")
	})
}

func TestWithoutTemplateAClosedWindowFailsVisibly(t *testing.T) {
	inRig(t, func(r *rig) {
		r.out.window = core.Window{Reply: 24 * time.Hour}
		r.link("ada", "a", "api")
		time.Sleep(25 * time.Hour)
		e := r.event("message.requested", fields{"customerUid": "ada", "text": "late"})
		r.post(e)
		synctest.Wait()
		r.want(e, core.EventRouted, "")
		err := r.engine.View(context.Background(), func(tx core.Tx) error {
			all, err := tx.ListMessages(core.MessageFilter{Limit: 5})
			if err == nil && (len(all) != 1 || all[0].State != core.MessageFailed || all[0].Class != core.WindowClosed) {
				t.Errorf("got %+v, want one message, failed with WindowClosed", all)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestARenamedCustomerKeepsTheirLinks(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("old", "a", "api")
		r.post(r.event("customer.renamed", fields{"customerUid": "new", "previousUid": "old"}),
			r.event("message.requested", fields{"customerUid": "new", "text": "hello"}))
		synctest.Wait()
		got := r.texts()
		if len(got) == 0 || got[len(got)-1] != "a: hello" {
			t.Errorf("got %q, want the message for the new uid", got)
		}
	})
}

func TestAClosedAccountIsNotWrittenTo(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		after := r.event("message.requested", fields{"customerUid": "ada", "text": "hello"})
		r.post(r.event("customer.closed", fields{"customerUid": "ada"}), after)
		synctest.Wait()
		r.want(after, core.EventSuppressed, "the customer's account is closed")
		if got := r.texts(); len(got) != 1 || !strings.HasPrefix(got[0], "a: Your account with us has been closed") {
			t.Errorf("got %q, want that it is closed, and nothing afterwards", got)
		}
	})
}

func TestExplainSendsNothing(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.out.broken["b"] = "paused"
		got, _, err := r.read(r.event("message.requested", fields{"customerUid": "ada", "text": "hello"}))
		if err != nil {
			t.Fatal(err)
		}
		x, err := r.in.Explain(context.Background(), got[0], "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if x.Route != "all" || len(x.Channels) != 2 || x.Channels[0].Chosen != "now" || x.Channels[1].Why != "not linked" {
			t.Errorf("got %+v, want a now, b not linked", x)
		}
		synctest.Wait()
		if n := len(r.texts()); n != 0 {
			t.Errorf("got %d messages, want 0", n)
		}
	})
}

func TestConservation(t *testing.T) {
	inRig(t, func(r *rig) {
		for i := range 10 {
			r.link(fmt.Sprint("c", i), "a", "api")
			r.order(fmt.Sprint(i), fmt.Sprint("c", i%7))
		}
		var batch []fields
		for i := range 100 {
			batch = append(batch, r.event([]string{"order.shipped", "order.placed", "nonsense", "message.requested"}[i%4],
				fields{"orderCode": fmt.Sprint(i % 12), "customerUid": fmt.Sprint("c", i%11), "text": "x"}))
		}
		r.post(batch...)
		r.post(batch...)
		time.Sleep(time.Hour)
		err := r.engine.View(context.Background(), func(tx core.Tx) error {
			sums, err := tx.Totals()
			if err == nil && (sums.Difference() != 0 || sums.EventsAccepted != 100 || sums.Events[core.EventWaiting] != 0) {
				t.Errorf("got %+v, difference %d; want 100 events, none waiting, difference 0", sums, sums.Difference())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
