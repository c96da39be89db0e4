package intake_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"tidings/core"
)

// parcels gives an order these consignments, "code status" each.
func (r *rig) parcels(order string, all ...string) {
	r.shop.mu.Lock()
	defer r.shop.mu.Unlock()
	o := r.shop.orders[order]
	o.Consignments = nil
	for _, p := range all {
		code, status, _ := strings.Cut(p, " ")
		o.Consignments = append(o.Consignments, core.Consignment{Code: code, Status: status})
	}
	r.shop.orders[order] = o
}

// types are what was told, in order.
func (r *rig) types() []string {
	var all []string
	for _, m := range r.out.messages() {
		all = append(all, string(m.Type))
	}
	return all
}

const (
	told  = ""
	again = "the same has been told before"
)

func later(entity string) string { return "a later state of the same " + entity + " has been told" }

// Each event with what becomes of it, one after the other.
func TestNewsOfAnEntity(t *testing.T) {
	parcel := func(code string) fields { return fields{"orderCode": "100", "consignmentCode": code} }
	back := func(code string) fields { return fields{"orderCode": "100", "returnCode": code} }
	order := fields{"orderCode": "100"}
	type step struct {
		typ  string
		data fields
		why  string
	}
	for _, test := range []struct {
		name    string
		parcels []string
		steps   []step
	}{
		{"a payment that fails is no state an order stays in", nil, []step{
			{"order.payment_failed", order, told}, {"order.placed", order, told}, {"order.approved", order, told},
			{"order.payment_failed", order, again},
		}},
		{"nothing fails after the end", nil, []step{
			{"order.cancelled", order, told}, {"order.payment_failed", order, later("order")}, {"order.on_hold", order, later("order")},
			{"order.completed", order, later("order")}, {"order.placed", order, later("order")},
		}},
		{"a payment is the order's, whichever parcel it was for", []string{"c0 READY", "c1 READY"}, []step{
			{"order.payment_failed", parcel("c0"), told}, {"order.payment_failed", parcel("c1"), again}, {"order.payment_failed", order, again},
		}},
		{"an only parcel needs no name", []string{"c0 SHIPPED"}, []step{
			{"order.shipped", order, told}, {"order.shipped", parcel("c0"), again}, {"order.delivered", parcel("c0"), told},
			{"order.out_for_delivery", order, later("consignment")},
		}},
		{"nor does the only one that was not cancelled", []string{"c0 CANCELLED", "c1 SHIPPED"}, []step{
			{"order.shipped", parcel("c1"), told}, {"order.shipped", order, again},
		}},
		{"one of several by its name first", []string{"c0 SHIPPED", "c1 SHIPPED"}, []step{
			{"order.shipped", parcel("c0"), told}, {"order.shipped", order, again}, {"order.shipped", parcel("c1"), told},
		}},
		{"one of several without a name first", []string{"c0 SHIPPED", "c1 SHIPPED"}, []step{
			{"order.shipped", order, told}, {"order.shipped", parcel("c0"), again}, {"order.shipped", parcel("c1"), told}, {"order.shipped", order, again},
		}},
		{"several, none of them by its name", []string{"c0 SHIPPED", "c1 IN_TRANSIT"}, []step{
			{"order.shipped", order, told}, {"order.shipped", order, told}, {"order.shipped", order, again},
			{"order.shipped", parcel("c0"), again}, {"order.shipped", parcel("c1"), again}, {"order.delivered", order, told},
		}},
		{"the only one of several that has left", []string{"c0 PICKPACK", "c1 SHIPPED"}, []step{
			{"order.shipped", order, told}, {"order.shipped", parcel("c1"), again}, {"order.shipped", order, again}, {"order.shipped", parcel("c0"), told},
		}},
		{"one without a name ranks", []string{"c0 DELIVERY_COMPLETED", "c1 SHIPPED"}, []step{
			{"order.delivered", order, told}, {"order.shipped", parcel("c0"), later("consignment")}, {"order.delivered", parcel("c0"), again},
			{"order.shipped", order, told}, {"order.shipped", order, later("consignment")}, {"order.shipped", parcel("c1"), again},
		}},
		{"all of several are further", []string{"c0 DELIVERY_COMPLETED", "c1 DELIVERY_COMPLETED"}, []step{
			{"order.delivered", parcel("c0"), told}, {"order.delivered", parcel("c1"), told},
			{"order.shipped", order, later("consignment")}, {"order.delivered", order, again}, {"order.delivered", order, again},
		}},
		{"parcels rank by themselves", []string{"c0 SHIPPED", "c1 SHIPPED"}, []step{
			{"order.delivered", parcel("c0"), told}, {"order.shipped", parcel("c1"), told}, {"order.shipped", parcel("c0"), later("consignment")},
		}},
		{"returns rank by themselves", nil, []step{
			{"order.return_created", back("r0"), told}, {"order.refunded", back("r0"), told}, {"order.return_received", back("r0"), later("return")},
			{"order.return_created", back("r1"), told}, {"order.refunded", back("r1"), told}, {"order.refunded", back("r1"), again},
		}},
		{"a refund by two ways", nil, []step{
			{"sap.kyma.custom.shop.order.refund.v1", order, told}, {"order.refunded", back("r0"), again}, {"order.refunded", back("r1"), told},
		}},
		{"changes with and without a code", nil, []step{
			{"order.partly_cancelled", order, told}, {"order.partly_cancelled", back("m0"), again}, {"order.partly_cancelled", back("m0"), again},
			{"order.partly_cancelled", back("m1"), told}, {"order.partly_cancelled", order, again}, {"order.partly_cancelled", order, told},
		}},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			inRig(t, func(r *rig) {
				r.link("ada", "a", "api")
				r.order("100", "ada")
				r.parcels("100", test.parcels...)
				for i, s := range test.steps {
					e := r.event(s.typ, s.data)
					r.post(e)
					synctest.Wait()
					got := r.state(e)
					if s.why == told && got.State != core.EventRouted || s.why != told && (got.State != core.EventSuppressed || got.Reason != s.why) {
						t.Errorf("step %d, %s %v: got %s (%s), want %q", i, s.typ, s.data, got.State, got.Reason, s.why)
					}
				}
			})
		})
	}
}

// A GUID and a code are one order.
func TestAnOrderNamedByItsGUIDIsTheSame(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		r.shop.orders["5b2d9c1e-77d0"] = r.shop.orders["100"]
		byGUID, byCode := r.event("order.placed", fields{"orderCode": "5b2d9c1e-77d0"}), r.event("order.placed", fields{"orderCode": "100"})
		r.post(byGUID)
		synctest.Wait()
		r.post(byCode)
		synctest.Wait()
		r.want(byGUID, core.EventRouted, "")
		r.want(byCode, core.EventSuppressed, again)
		if m := r.out.messages(); len(m) != 1 || m[0].OrderCode != "100" || strings.Contains(plain(m[0].Body), "5b2d9c1e") {
			t.Errorf("got %+v, want one message of order 100", m)
		}
	})
}

func TestPartOfSeveral(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		r.order("200", "ada")
		r.parcels("100", "c0 CANCELLED", "c1 SHIPPED", "c2 WAITING")
		r.parcels("200", "d0 CANCELLED", "d1 SHIPPED")
		r.post(r.event("order.shipped", fields{"orderCode": "100", "consignmentCode": "c1", "customerUid": "ada"}),
			r.event("order.shipped", fields{"orderCode": "100", "consignmentCode": "c2", "customerUid": "ada"}),
			r.event("order.shipped", fields{"orderCode": "200", "consignmentCode": "d1", "customerUid": "ada"}))
		synctest.Wait()
		got := r.texts()
		if len(got) != 3 || !strings.Contains(got[0], "parcel 1 of 2") || !strings.Contains(got[1], "parcel 2 of 2") || strings.Contains(got[2], "parcel") {
			t.Errorf("got %q, want parcel 1 of 2, parcel 2 of 2, and the only one left without a number", got)
		}
	})
}

// News that do not name their parcel are of the one that has come so far, even
// when the order came along and several stand in one batch.
func TestPartOfSeveralWithoutAName(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		r.parcels("100", "c0 PICKPACK", "c1 DELIVERY_COMPLETED", "c2 DELIVERY_COMPLETED")
		along := func(id string) fields {
			e := r.event("order.delivered", fields{"orderCode": "200", "customerUid": "ada", "order": fields{
				"code": "200", "user": fields{"uid": "ada"}, "consignments": []fields{
					{"code": "d0", "status": "WAITING"}, {"code": "d1", "status": "DELIVERY_COMPLETED"}, {"code": "d2", "status": "DELIVERY_COMPLETED"},
				},
			}})
			e["id"] = id
			return e
		}
		r.post(r.event("order.delivered", fields{"orderCode": "100", "customerUid": "ada"}))
		synctest.Wait()
		r.post(along("x"), along("y"), along("z"))
		synctest.Wait()
		got := r.texts()
		if len(got) != 3 {
			t.Fatalf("got %q, want three", got)
		}
		for i, want := range []string{"parcel 2 of 3", "parcel 2 of 3", "parcel 3 of 3"} {
			if !strings.Contains(got[i], want) {
				t.Errorf("got %q, want %s in it", got[i], want)
			}
		}
	})
}

// The language of the customer's texts is asked for, and the carrier's data and
// the return in the customer's name, whom the event did not name.
func TestTheShopIsAskedInTheCustomersNameAndLanguage(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		r.shop.returns = map[string]core.Return{"r0": {Code: "r0", OrderCode: "100", Refund: core.Money{Amount: "7.25", Currency: "EUR"}}}
		r.post(r.event("order.refunded", fields{"orderCode": "100", "returnCode": "r0", "locale": "de-AT"}),
			r.event("order.shipped", fields{"orderCode": "100"}))
		synctest.Wait()
		got := r.texts()
		if len(got) != 2 || !strings.Contains(got[0], "7,25") {
			t.Errorf("got %q, want the refund's amount", got)
		}
		r.shop.mu.Lock()
		defer r.shop.mu.Unlock()
		last := r.shop.tracked
		if len(last) != 1 || last[0].CustomerUID != "ada" {
			t.Errorf("got tracking asked for %+v, want once, for ada", last)
		}
		locales := map[string]bool{}
		for _, q := range r.shop.queries {
			locales[q.Locale] = true
		}
		if !locales["de"] {
			t.Errorf("got locales %v, want de asked for", locales)
		}
	})
}

// An order that names no owner is told to whom the shop calls its owner.
func TestAnOrderWithoutAnOwnerIsAskedForInTheCustomersName(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.link("eve", "b", "api")
		r.order("100", "")
		r.shop.owners = map[string]string{"100": "ada"}
		ada := r.event("order.placed", fields{"orderCode": "100", "customerUid": "ada"})
		eve := r.event("order.placed", fields{"orderCode": "100", "customerUid": "eve"})
		r.post(eve, ada)
		synctest.Wait()
		r.want(eve, core.EventSuppressed, "the order belongs to another customer")
		r.want(ada, core.EventRouted, "")
		if got := r.texts(); len(got) != 1 || !strings.HasPrefix(got[0], "a: ") {
			t.Errorf("got %q, want one text, to Ada", got)
		}
	})
}

// A shop may find an order by its GUID only, or by its code; among the orders of
// its customer it finds it by either.
func TestAnOrderThatIsNotFoundIsAskedForInTheCustomersName(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.link("eve", "b", "api")
		r.order("100", "ada")
		r.shop.own = map[string]core.Order{"100": r.shop.orders["100"]}
		delete(r.shop.orders, "100")
		ada := r.event("order.placed", fields{"orderCode": "100", "customerUid": "ada"})
		thin := r.event("order.approved", fields{"orderCode": "100"})
		r.post(ada)
		synctest.Wait()
		r.post(thin)
		synctest.Wait()
		r.want(ada, core.EventRouted, "")
		r.want(thin, core.EventRouted, "")
		if got := r.texts(); len(got) != 2 || !strings.Contains(got[0], "Mug") {
			t.Errorf("got %q, want both, and the order's lines in the first", got)
		}
	})
}
