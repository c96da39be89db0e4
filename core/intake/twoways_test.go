package intake_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
)

// happening is something that happened to an order, a parcel or a return.
type happening struct {
	typ  core.EventType
	code string // of the parcel or the return
	rank int
	// How a webhook and a Commerce event of the shop say it.
	object, state string
	sap           string
}

// entity is what a happening ranks within.
func (h happening) entity() string { return string(h.object) + h.code }

// life is everything that happens to one order: ten things.
func life(order string) []happening {
	all := []happening{{"order.placed", "", 1, "Order", "CREATED", "order.created"}}
	for _, parcel := range []string{"cons" + order + "_0", "cons" + order + "_1"} {
		all = append(all,
			happening{"order.shipped", parcel, 1, "Consignment", "SHIPPED", "order.deliverysent"},
			happening{"order.out_for_delivery", parcel, 2, "Consignment", "DELIVERING", ""},
			happening{"order.delivered", parcel, 3, "Consignment", "DELIVERY_COMPLETED", ""})
	}
	back := "R-" + order
	return append(all,
		happening{"order.completed", "", 2, "Order", "COMPLETED", "order.completed"},
		happening{"order.return_created", back, 1, "ReturnRequest", "APPROVAL_PENDING", ""},
		happening{"order.refunded", back, 3, "ReturnRequest", "PAYMENT_REVERSED", "order.refund"})
}

// push is one way of reporting a happening.
type push struct {
	order, customer string
	happening
	event fields
}

// pushesOf reports each thing twice: as our own event, and as a webhook or a
// Commerce event says it, which has codes only.
func pushesOf(order, customer string, random *rand.Rand) []push {
	var all []push
	for i, h := range life(order) {
		ours := fields{"orderCode": order}
		if random.IntN(2) == 0 {
			ours["customerUid"] = customer
		}
		theirs := fields{"orderCode": order}
		switch h.object {
		case "Consignment":
			ours["consignmentCode"], theirs["consignmentCode"] = h.code, h.code
		case "ReturnRequest":
			ours["returnCode"] = h.code
		}
		typ := "sap.kyma.custom.shop." + h.sap + ".v1"
		if h.sap == "" || random.IntN(2) == 0 {
			typ, theirs = "sap.cx.commerce.Outbound"+h.object+".Updated.v1", webhookBody(h, order, customer)
		}
		event := func(way, typ string, data fields) push {
			id := fmt.Sprintf("%s-%d-%s", order, i, way)
			return push{order, customer, h, fields{"specversion": "1.0", "id": id, "source": "/" + way, "type": typ, "data": data}}
		}
		all = append(all, event("ours", string(h.typ), ours), event("theirs", typ, theirs))
	}
	return all
}

func webhookBody(h happening, order, customer string) fields {
	head := fields{"integrationKey": order + "|", "code": order, "user": fields{"uid": customer}, "site": fields{"uid": "shop"}}
	if h.object == "Order" {
		head["status"] = fields{"code": h.state}
		return head
	}
	return fields{"integrationKey": h.code, "code": h.code, "status": fields{"code": h.state}, "order": head}
}

// expected is the rule in other words: within each entity, only what goes further.
func expected(pushes []push) map[string][]string {
	told, highest := map[string][]string{}, map[string]int{}
	for _, p := range pushes {
		if e := p.order + p.entity(); p.rank > highest[e] {
			highest[e] = p.rank
			told[p.order] = append(told[p.order], string(p.typ)+" "+p.code)
		}
	}
	return told
}

// TestTenThousandEventsByTwoWays: 10 000 events for 1 000 orders, each pushed by
// two ways and all of them shuffled: exactly the right news, in order, none twice.
func TestTenThousandEventsByTwoWays(t *testing.T) {
	orders, customers := 1000, 250
	if underRace {
		orders, customers = 100, 50
	}
	random := rand.New(rand.NewPCG(4, 10_000)) //nolint:gosec // a test that is the same each time
	var pushes []push
	owner := map[string]string{}
	for i := range orders {
		order, customer := fmt.Sprint(10_000+i), fmt.Sprint("c", i%customers)
		owner[order] = customer
		pushes = append(pushes, pushesOf(order, customer, random)...)
	}
	random.Shuffle(len(pushes), func(i, j int) { pushes[i], pushes[j] = pushes[j], pushes[i] })
	inRig(t, func(r *rig) {
		r.reader.Dialect = hybris.NewDialect(theirObjects)
		r.shop.every = func(code string) core.Order {
			return core.Order{Code: code, CustomerUID: owner[code], Status: "COMPLETED", Consignments: []core.Consignment{
				{Code: "cons" + code + "_0", Status: "DELIVERY_COMPLETED"}, {Code: "cons" + code + "_1", Status: "DELIVERY_COMPLETED"},
			}}
		}
		r.shop.onlyReturn = func(order string) core.Return {
			return core.Return{Code: "R-" + order, OrderCode: order, Status: "COMPLETED"}
		}
		for i := range customers {
			r.link(fmt.Sprint("c", i), "a", "api")
		}
		for chunk := range slices.Chunk(pushes, 500) {
			batch := make([]fields, 0, len(chunk))
			for _, p := range chunk {
				batch = append(batch, p.event)
			}
			r.post(batch...)
		}
		time.Sleep(time.Minute)
		got := r.toldByOrder(pushes)
		want := expected(pushes)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff[:min(len(diff), 4000)])
		}
		n := 0
		for _, all := range want {
			n += len(all)
		}
		t.Logf("%d pushes, %d told", len(pushes), n)
		r.conserved(len(pushes))
		r.allSettled()
	})
}

// toldByOrder is what was told of each order, in the order in which it was.
func (r *rig) toldByOrder(pushes []push) map[string][]string {
	by := map[string]push{}
	for _, p := range pushes {
		by[p.event["id"].(string)] = p
	}
	got := map[string][]string{}
	for _, m := range r.out.messages() {
		p := by[m.EventID]
		if m.CustomerUID != p.customer {
			r.t.Errorf("order %s of %s was told to %s", p.order, p.customer, m.CustomerUID)
		}
		got[p.order] = append(got[p.order], string(m.Type)+" "+p.code)
	}
	return got
}

// allSettled checks that each event that was not told says why.
func (r *rig) allSettled() {
	r.t.Helper()
	err := r.engine.View(context.Background(), func(tx core.Tx) error {
		sums, err := tx.Totals()
		if err == nil && sums.Events[core.EventRouted]+sums.Events[core.EventSuppressed] != sums.EventsAccepted {
			r.t.Errorf("got %+v, want all of them told or suppressed", sums.Events)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
}
