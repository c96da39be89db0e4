package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

// The order is shown as it was for a while; what was pushed is newer.
func TestAStaleOrderIsReadAgainAndThenThePushIsBelieved(t *testing.T) {
	shipped := func(r *rig) fields {
		return r.event("sap.kyma.custom.shop.order.deliverysent.v1", fields{"orderCode": "100", "consignmentCode": "c0", "consignmentStatus": "SHIPPED"})
	}
	for _, test := range []struct {
		stale int // reads
		after time.Duration
		text  string
	}{
		{0, 0, "NEW-TRACK"},
		{1, 0, "NEW-TRACK"}, // the one that told whose it is
		{2, 2 * time.Second, "NEW-TRACK"},
		{3, 7 * time.Second, "NEW-TRACK"},
		{4, 22 * time.Second, "NEW-TRACK"},
		{99, 22 * time.Second, "is on its way"},
	} {
		t.Run(fmt.Sprint(test.stale), func(t *testing.T) {
			inRig(t, func(r *rig) {
				r.link("ada", "a", "api")
				r.order("100", "ada")
				old, fresh := r.shop.orders["100"], r.shop.orders["100"]
				old.Consignments = []core.Consignment{{Code: "c0", Status: "PICKPACK"}}
				fresh.Consignments = []core.Consignment{{Code: "c0", Status: "SHIPPED", TrackingID: "NEW-TRACK"}}
				r.shop.orders["100"], r.shop.stale, r.shop.staleN = fresh, map[string]core.Order{"100": old}, test.stale
				e, behind := shipped(r), r.event("message.requested", fields{"customerUid": "ada", "text": "behind"})
				r.post(e)
				synctest.Wait()
				r.post(behind)
				synctest.Wait()
				if test.after > 0 {
					r.want(e, core.EventWaiting, "waiting for the shop: it still shows the state before this one")
					time.Sleep(test.after - time.Millisecond)
					if got := r.types(); len(got) != 0 {
						t.Errorf("before %v: got %q, want nothing", test.after, got)
					}
					time.Sleep(2 * time.Millisecond)
					synctest.Wait()
				}
				if diff := cmp.Diff([]string{"order.shipped", "message.requested"}, r.types()); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
				if text := r.texts()[0]; !strings.Contains(text, test.text) {
					t.Errorf("got %q, want %q in it", text, test.text)
				}
			})
		})
	}
}

// What is read may be ahead of what is pushed, and what came along is not read.
func TestOnlyAnOlderStateIsReadAgain(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		o := r.shop.orders["100"]
		o.Status = "COMPLETED"
		r.shop.orders["100"] = o
		r.post(
			r.event("order.placed", fields{"orderCode": "100", "customerUid": "ada", "state": "CREATED"}),
			r.event("order.approved", fields{"orderCode": "100", "customerUid": "ada", "state": "GIFT_WRAPPED"}),
			r.event("order.cancelled", fields{"orderCode": "100", "customerUid": "ada", "state": "CANCELLED", "order": fields{"code": "100", "status": "READY", "user": fields{"uid": "ada"}}}),
		)
		synctest.Wait()
		if diff := cmp.Diff([]string{"order.placed", "order.approved", "order.cancelled"}, r.types()); diff != "" {
			t.Errorf("at once (-want +got):\n%s", diff)
		}
	})
}

// A parcel that the shop does not show yet is one that has changed.
func TestAParcelThatIsNotShownYetIsReadAgain(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		fresh := r.shop.orders["100"]
		old := fresh
		old.Consignments = nil
		fresh.Consignments = []core.Consignment{{Code: "c0", Status: "SHIPPED", TrackingID: "NEW-TRACK"}}
		r.shop.orders["100"], r.shop.stale, r.shop.staleN = fresh, map[string]core.Order{"100": old}, 1
		r.post(r.event("order.shipped", fields{"orderCode": "100", "consignmentCode": "c0", "state": "SHIPPED", "customerUid": "ada"}))
		time.Sleep(3 * time.Second)
		if got := r.texts(); len(got) != 1 || !strings.Contains(got[0], "NEW-TRACK") {
			t.Errorf("got %q, want one text with the tracking number", got)
		}
		r.post(r.event("order.shipped", fields{"orderCode": "100", "consignmentCode": "never", "state": "SHIPPED", "customerUid": "ada"}))
		time.Sleep(23 * time.Second)
		if got := r.texts(); len(got) != 2 {
			t.Errorf("got %q, want what was pushed to be believed in the end", got)
		}
	})
}

// A repeat is no reason to wait for the shop, whatever it shows.
func TestARepeatIsNotReadAgain(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		r.parcels("100", "c0 PICKPACK")
		shipped := func() fields {
			return r.event("order.shipped", fields{"orderCode": "100", "consignmentCode": "c0", "state": "SHIPPED", "customerUid": "ada"})
		}
		first, second, behind := shipped(), shipped(), r.event("message.requested", fields{"customerUid": "ada", "text": "behind"})
		r.post(first)
		time.Sleep(23 * time.Second)
		r.want(first, core.EventRouted, "")
		r.post(second, behind)
		synctest.Wait()
		r.want(second, core.EventSuppressed, again)
		r.want(behind, core.EventRouted, "")
	})
}

// A shop that goes away between two reads is waited for as long as ever.
func TestRereadingAShopThatGoesAway(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		o := r.shop.orders["100"]
		o.Status = "CREATED"
		r.shop.orders["100"] = o
		e := r.event("order.completed", fields{"orderCode": "100", "customerUid": "ada", "state": "COMPLETED"})
		r.post(e)
		time.Sleep(time.Second)
		r.shop.set(&core.ShopError{Class: core.Temporary})
		time.Sleep(50 * time.Second)
		r.want(e, core.EventWaiting, "waiting for the shop: Temporary")
		time.Sleep(13 * time.Second)
		r.want(e, core.EventRouted, "")
		if m := r.out.messages(); len(m) != 1 || !strings.Contains(m[0].Reason, "degraded") {
			t.Errorf("got %+v, want one message that is degraded", m)
		}
	})
}
