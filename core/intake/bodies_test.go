package intake_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/hybris"
	"tidings/core/intake"
)

// theirObjects are a shop's integration objects.
var theirObjects = []hybris.Object{
	{Name: "OutboundOrder", Is: "order"},
	{Name: "OutboundConsignment", Is: "consignment"},
	{Name: "OutboundReturnRequest", Is: "return"},
	{Name: "OutboundTicketMessage", Is: "ticket_message"},
}

// body is one of the ways in which a shop reports something. CODE stands for an
// order of its own in each variant.
type body struct {
	Name, Type string
	Needs      []string // what it cannot do without, by where a variant changes it
	Tells      core.EventType
	Body       json.RawMessage
}

func bodies(t testing.TB) []body {
	t.Helper()
	raw, err := os.ReadFile("testdata/bodies.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []body
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// variant is a body with one thing other than it should be.
type variant struct {
	at  string // where; empty: nowhere
	raw string
}

// variants takes each member away, adds one, and replaces each value by each of
// the odd ones.
func (b body) variants(t testing.TB) []variant {
	t.Helper()
	odd := []any{nil, true, "", 7, []any{nil, "x"}, map[string]any{}, map[string]any{"value": []any{}, "code": 1}}
	var whole any
	if err := json.Unmarshal(b.Body, &whole); err != nil {
		t.Fatal(err)
	}
	all := []variant{{"", string(b.Body)}}
	add := func(at string) {
		raw, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, variant{at, string(raw)})
	}
	var vary func(v any, at string)
	vary = func(v any, at string) {
		switch v := v.(type) {
		case map[string]any:
			v["addedLater"] = map[string]any{"code": "x", "deep": []any{map[string]any{}}}
			add(at + "/addedLater")
			delete(v, "addedLater")
			for name, was := range v {
				vary(was, at+"/"+name)
				delete(v, name)
				add(at + "/" + name)
				for _, o := range odd {
					v[name] = o
					add(at + "/" + name)
				}
				v[name] = was
			}
		case []any:
			for i, was := range v {
				vary(was, fmt.Sprint(at, "/", i))
			}
		}
	}
	vary(whole, "")
	if underRace {
		all = everyEighth(all)
	}
	for _, o := range odd {
		whole = o
		add("/")
	}
	return all
}

func everyEighth(all []variant) []variant {
	var some []variant
	for i := 0; i < len(all); i += 8 {
		some = append(some, all[i])
	}
	return some
}

// report accepts variants, each with an order code of its own.
func (r *rig) report(b body, all []variant) {
	r.t.Helper()
	var received []intake.Received
	for i, v := range all {
		h := http.Header{"Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"}, "Ce-Id": {fmt.Sprint("v", i)}, "Ce-Source": {"/shop"}, "Ce-Type": {b.Type}}
		got, faults, err := r.reader.Read(h, []byte(strings.ReplaceAll(v.raw, "CODE", fmt.Sprint("o", i))), time.Now())
		if err != nil || len(faults) > 0 || len(got) != 1 {
			r.t.Fatalf("%s, %s: refused: %v %v", b.Name, v.at, err, faults)
		}
		received = append(received, got...)
	}
	for chunk := range slices.Chunk(received, 200) {
		if _, err := r.in.Accept(context.Background(), chunk); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) everyOrder() {
	r.shop.every = func(code string) core.Order {
		return core.Order{
			Code: code, CustomerUID: "ada", Status: "COMPLETED",
			Consignments: []core.Consignment{{Code: "cons" + code + "_0", Status: "DELIVERY_COMPLETED"}},
		}
	}
}

// A body that lacks any one field, carries an unknown one, or has a wrong type
// anywhere is told all the same, or waits, or is recorded with the reason.
func TestNoBodyIsLost(t *testing.T) {
	for _, b := range bodies(t) {
		t.Run(strings.ReplaceAll(b.Name, " ", "_"), func(t *testing.T) {
			all := b.variants(t)
			inRig(t, func(r *rig) {
				r.link("ada", "a", "api")
				r.everyOrder()
				r.reader.Dialect = hybris.NewDialect(theirObjects)
				r.report(b, all)
				time.Sleep(5 * time.Minute)
				told := map[string]core.EventType{}
				for _, m := range r.out.messages() {
					told[m.EventID] = m.Type
				}
				waiting := 0
				for i, v := range all {
					id := fmt.Sprint("v", i)
					got := r.state(fields{"id": id})
					needed := v.at == "/" || slices.ContainsFunc(b.Needs, func(n string) bool { return strings.HasPrefix(v.at, n) })
					stated := strings.Contains(v.at, "tatus") || v.at == "/state" // another state is other news
					switch {
					case got.State != core.EventRouted && got.Reason == "":
						t.Errorf("%s: got %s without a reason", v.at, got.State)
					case !needed && !stated && (got.State != core.EventRouted || told[id] != b.Tells):
						t.Errorf("%s: got %s %q (%s), want %s told: %s", v.at, got.State, told[id], got.Reason, b.Tells, v.raw)
					case got.State == core.EventIgnored && b.Tells != core.TicketNoteAdded:
						t.Errorf("%s: ignored (%s), want it told or waiting: %s", v.at, got.Reason, v.raw)
					}
					if got.State == core.EventWaiting {
						waiting++
					}
				}
				t.Logf("%d variants, %d told, %d wait", len(all), len(told), waiting)
				if waiting == 0 && b.Tells != core.TicketNoteAdded {
					t.Error("got none that waits, want those without what they need")
				}
				r.conserved(len(all))
			})
		})
	}
}

func (r *rig) conserved(events int) {
	r.t.Helper()
	err := r.engine.View(context.Background(), func(tx core.Tx) error {
		sums, err := tx.Totals()
		if err == nil && (sums.Difference() != 0 || sums.EventsAccepted != int64(events)) {
			r.t.Errorf("got %d events, difference %d; want %d, difference 0", sums.EventsAccepted, sums.Difference(), events)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// What waits for want of a field is told when it comes whole, once.
func TestAHeldEventIsSentAgainWhole(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "ada")
		thin := fields{"specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.deliverysent.v1", "data": fields{"consignmentCode": "100_0"}}
		whole := fields{"specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.deliverysent.v1", "data": fields{"orderCode": "100", "consignmentCode": "100_0"}}
		st := r.post(thin)
		if st[0].Status != "accepted" || len(st[0].Warnings) != 1 || !strings.Contains(st[0].Warnings[0], "orderCode") {
			t.Errorf("got %+v, want it accepted with a warning that names orderCode", st[0])
		}
		time.Sleep(time.Hour)
		r.want(thin, core.EventWaiting, "the body names no orderCode")
		if st := r.post(thin); st[0].Status != "duplicate" {
			t.Errorf("as thin as before: got %+v, want a duplicate", st[0])
		}
		if st := r.post(whole); st[0].Status != "accepted" {
			t.Errorf("whole: got %+v, want it accepted", st[0])
		}
		if st := r.post(whole); st[0].Status != "duplicate" {
			t.Errorf("whole again: got %+v, want a duplicate", st[0])
		}
		time.Sleep(100 * time.Hour)
		if got := r.types(); len(got) != 1 || got[0] != "order.shipped" {
			t.Errorf("got %q, want order.shipped once", got)
		}
		r.conserved(2)
	})
}

func TestAHeldEventIsLetGoInTheEnd(t *testing.T) {
	inRig(t, func(r *rig) {
		e := r.event("customer.created.v1", fields{"storeUid": "shop"})
		r.post(e)
		time.Sleep(71 * time.Hour)
		r.want(e, core.EventWaiting, "the body names no customerUid")
		time.Sleep(2 * time.Hour)
		r.want(e, core.EventSuppressed, "the body names no customerUid; nobody has sent it again within 72 hours")
	})
}

// A shop that does not say whose an order is may do so later.
func TestAnOrderOfNobodyWaits(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.order("100", "")
		e := r.event("order.shipped", fields{"orderCode": "100"})
		r.post(e)
		time.Sleep(time.Hour)
		r.want(e, core.EventWaiting, "waiting for the shop: it does not tell whose order it is")
		r.order("100", "ada")
		time.Sleep(20 * time.Minute)
		r.want(e, core.EventRouted, "")
	})
}

// What the shop answers in place of an order is told in its own words.
func TestAnEventThatWaitsSaysWhatTheShopSaid(t *testing.T) {
	inRig(t, func(r *rig) {
		for i, test := range []struct {
			err  *core.ShopError
			want string
		}{
			{&core.ShopError{Class: core.Rejected, NotFound: true, Type: "UnknownIdentifierError"}, "it does not know the order"},
			{&core.ShopError{Class: core.Rejected, Type: "InvalidResourceError"}, "Rejected (InvalidResourceError)"},
			{&core.ShopError{Class: core.Misconfigured, Type: "invalid_client"}, "Misconfigured (invalid_client)"},
		} {
			r.shop.set(test.err)
			e := r.event("order.created.v1", fields{"orderCode": fmt.Sprint(i)})
			r.post(e)
			time.Sleep(time.Second)
			r.want(e, core.EventWaiting, "waiting for the shop: "+test.want)
		}
	})
}

// A body without a state has the shop say it; the shop may be slow to know.
func TestAStateThatIsLeftOutIsRead(t *testing.T) {
	inRig(t, func(r *rig) {
		r.reader.Dialect = hybris.NewDialect(theirObjects)
		r.link("ada", "a", "api")
		r.order("100", "ada")
		r.parcels("100", "c0 PICKPACK", "c1 SHIPPED")
		r.shop.returns = map[string]core.Return{"r0": {Code: "r0", OrderCode: "100", Status: "RECEIVED"}}
		order := fields{"code": "100"}
		parcel := r.event("sap.cx.commerce.OutboundConsignment.Updated.v1", fields{"code": "c1", "order": order})
		back := r.event("sap.cx.commerce.OutboundReturnRequest.Updated.v1", fields{"code": "r0", "order": order})
		slow := r.event("sap.cx.commerce.OutboundConsignment.Updated.v1", fields{"code": "c0", "order": order})
		never := r.event("sap.cx.commerce.OutboundOrder.Updated.v1", fields{"code": "100", "user": fields{"uid": "eve"}})
		r.post(parcel, back, slow)
		time.Sleep(3 * time.Second)
		r.want(parcel, core.EventRouted, "")
		r.want(back, core.EventRouted, "")
		r.want(slow, core.EventWaiting, "waiting for the shop: the body names no state, and it may show an old one")
		r.parcels("100", "c0 SHIPPED", "c1 SHIPPED")
		time.Sleep(time.Minute)
		r.want(slow, core.EventRouted, "")
		if got := strings.Join(r.types(), " "); got != "order.shipped order.return_received order.shipped" {
			t.Errorf("got %q", got)
		}
		r.post(never)
		time.Sleep(time.Minute)
		r.want(never, core.EventSuppressed, "the body names no state")
		r.shop.set(&core.ShopError{Class: core.Temporary})
		away := r.event("sap.cx.commerce.OutboundOrder.Updated.v1", fields{"code": "100", "user": fields{"uid": "ada"}})
		r.post(away)
		time.Sleep(10 * time.Minute)
		r.want(away, core.EventWaiting, "waiting for the shop: Temporary")
	})
}

// Whatever a shop sends, it is understood or refused, and never panics.
func FuzzRead(f *testing.F) {
	for _, b := range bodies(f) {
		f.Add(b.Type, []byte(b.Body))
	}
	f.Add("", []byte(`{"event-type":"order.placed","event-type-version":"v1","event-id":"x","event-time":"2026-02-11T18:03:20.1Z","data":{"orderCode":"1"}}`))
	f.Add("", []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"order.placed","data":{"orderCode":"1","order":[]}}`))
	reader := intake.Reader{Dialect: hybris.NewDialect(theirObjects), Site: func(string) string { return "shop" }}
	f.Fuzz(func(t *testing.T, typ string, raw []byte) {
		h := http.Header{"Content-Type": {"application/json"}}
		if typ != "" {
			h = http.Header{"Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"/s"}, "Ce-Type": {typ}}
		}
		got, faults, err := reader.Read(h, raw, time.Unix(1_770_000_000, 0))
		if err == nil && len(faults) == 0 && len(got) == 0 && json.Valid(raw) && strings.TrimSpace(string(raw)) != "[]" {
			t.Fatalf("got neither events nor faults of %s", raw)
		}
		for _, r := range got {
			if (r.Ignored || r.Held) && r.Why == "" {
				t.Fatalf("got %+v, want a reason", r)
			}
			if _, err := json.Marshal(r.Event.Data); err != nil {
				t.Fatalf("the data cannot be written again: %v", err)
			}
		}
	})
}
