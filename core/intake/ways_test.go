package intake_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
	"tidings/core/intake"
)

// way is a request as an installation of SAP Commerce sends it.
type way struct {
	name   string
	header map[string]string
	body   string
	want   core.Event
	quiet  bool // stored, and nobody is told
}

var plainJSON = map[string]string{"Content-Type": "application/json"}

// binaryMode are the headers of a CloudEvent whose data is the whole body.
func binaryMode(id, source, typ, when string) map[string]string {
	return map[string]string{
		"Content-Type": "application/json; charset=UTF-8", "Ce-Specversion": "1.0", "Ce-Id": id, "Ce-Source": source, "Ce-Type": typ, "Ce-Time": when,
	}
}

func webhookMode(object, key string) map[string]string {
	h := binaryMode("5c0c2f44-9a0e-4c5e-8d0b-6f3f7f1f1e11", "/emea/sap.cx.commerce/lampshop-p1", "sap.cx.commerce."+object+".v1", "2026-03-05T14:02:12Z")
	h["Ce-Subject"], h["Ce-Sappassport"], h["Sap-Passport"], h["X-Csrf-Token"] = key, "2A54482A0300E6", "2A54482A0300E6", "none"
	return h
}

var (
	march5  = time.Date(2026, 3, 5, 14, 2, 12, 0, time.UTC)
	shipped = core.EventData{OrderCode: "00520044", ConsignmentCode: "cons00520044_1", State: "SHIPPED"}
	ways    = []way{
		{
			name: "CloudEvents, structured", header: map[string]string{"Content-Type": "application/cloudevents+json; charset=UTF-8"},
			body: `{"specversion":"1.0","id":"a1","source":"/shop/lamps","type":"order.shipped","time":"2026-03-05T15:02:12+01:00","datacontenttype":"application/json","sappassport":"2A54",
				"data":{"orderCode":"00520044","consignmentCode":"cons00520044_1","state":"SHIPPED"}}`,
			want: core.Event{ID: "a1", Source: "/shop/lamps", Type: "order.shipped", Time: march5, Data: shipped},
		},
		{
			name: "CloudEvents, binary, our own type", header: binaryMode("a2", "/shop/lamps", "order.delivered", "2026-03-05T14:02:12+0000"),
			body: `{"orderCode":"00520044","consignmentCode":"cons00520044_1"}`,
			want: core.Event{ID: "a2", Source: "/shop/lamps", Type: "order.delivered", Time: march5, Data: core.EventData{OrderCode: "00520044", ConsignmentCode: "cons00520044_1"}},
		},
		{
			name: "webhookservices, an order", header: webhookMode("OutboundOrder.Updated", "00520044%7C"),
			body: `{"integrationKey":"00520044|","code":"00520044","versionID":null,"status":{"integrationKey":"CANCELLED","code":"CANCELLED"},
				"user":{"integrationKey":"odile.brandt@example.com","uid":"odile.brandt@example.com"},"site":{"integrationKey":"lamps","uid":"lamps"},
				"date":"/Date(1772719332000)/","totalPrice":129.9,"currency":{"integrationKey":"EUR","isocode":"EUR"},
				"consignments":[{"integrationKey":"cons00520044_1","code":"cons00520044_1","status":{"integrationKey":"CANCELLED","code":"CANCELLED"}}]}`,
			want: core.Event{Type: "order.cancelled", Data: core.EventData{OrderCode: "00520044", CustomerUID: "odile.brandt@example.com", Site: "lamps", State: "CANCELLED"}},
		},
		{
			name: "webhookservices, an order known by its key only", header: webhookMode("OutboundOrder.Created", "00520044|"),
			body: `{"integrationKey":"00520044|"}`,
			want: core.Event{Type: "order.placed", Data: core.EventData{OrderCode: "00520044"}},
		},
		{
			name: "webhookservices, a consignment", header: webhookMode("OutboundConsignment.Updated", "cons00520044_1"),
			body: `{"integrationKey":"cons00520044_1","code":"cons00520044_1","status":{"code":"SHIPPED"},"shippingDate":"/Date(1772719332000+0060)/",
				"order":{"integrationKey":"00520044|","code":"00520044","user":{"uid":"odile.brandt@example.com"}}}`,
			want: core.Event{Type: "order.shipped", Data: core.EventData{
				OrderCode: "00520044", ConsignmentCode: "cons00520044_1", CustomerUID: "odile.brandt@example.com", State: "SHIPPED",
			}},
		},
		{
			name: "webhookservices, a return", header: webhookMode("OutboundReturn.Updated", "00031000"),
			body: `{"integrationKey":"00031000","code":"00031000","RMA":"00031000","status":{"code":"RECEIVED"},"order":{"code":"00520044","user":{"uid":"odile.brandt@example.com"}}}`,
			want: core.Event{Type: "order.return_received", Data: core.EventData{
				OrderCode: "00520044", ReturnCode: "00031000", CustomerUID: "odile.brandt@example.com", State: "RECEIVED",
			}},
		},
		{
			name: "webhookservices, an agent's note", header: webhookMode("OutboundTicketMessage.Created", "0000B21M"),
			body: `{"integrationKey":"0000B21M","code":"0000B21M","text":"The shade leaves tomorrow.","creationtime":"/Date(1772719332000)/",
				"interventionType":{"code":"TicketMessage"},"commentType":{"code":"customerNote"},"author":{"uid":"agent.mira","name":"Mira"},
				"ticket":{"ticketID":"00000K07","state":{"code":"Open"},"customer":{"uid":"odile.brandt@example.com"},"order":{"code":"00520044"}}}`,
			want: core.Event{Type: "ticket.note_added", Data: core.EventData{
				TicketID: "00000K07", CustomerUID: "odile.brandt@example.com", OrderCode: "00520044", Status: "in_process",
				Note: &core.EventNote{ID: "0000B21M", Text: "The shade leaves tomorrow.", Author: "Mira", Public: new(true), CreatedAt: march5},
			}},
		},
		{
			name: "webhookservices, an agent's private note", header: webhookMode("OutboundTicketMessage.Created", "0000B21N"), quiet: true,
			body: `{"code":"0000B21N","text":"Careful with this one.","interventionType":{"code":"Private"},"commentType":{"code":"agentNote"},
				"author":{"uid":"agent.mira"},"ticket":{"ticketID":"00000K07","customer":{"uid":"odile.brandt@example.com"}}}`,
			want: core.Event{Type: "sap.cx.commerce.OutboundTicketMessage.Created.v1", Data: core.EventData{
				TicketID: "00000K07", CustomerUID: "odile.brandt@example.com", Note: &core.EventNote{ID: "0000B21N"},
			}},
		},
		{
			name: "Kyma, binary", header: binaryMode("k1", "kyma", "sap.kyma.custom.lampshop.order.deliverysent.v1", "2026-03-05T14:02:12.000Z"),
			body: `{"orderCode":"00520044","consignmentCode":"cons00520044_1","consignmentStatus":"SHIPPED"}`,
			want: core.Event{ID: "k1", Source: "kyma", Type: "order.shipped", Time: march5, Data: shipped},
		},
		{
			name: "Kyma, structured, cleaned prefix, version 2", header: map[string]string{"Content-Type": "application/cloudevents+json"},
			body: `{"specversion":"1.0","id":"k2","source":"lampshop","type":"prefix.lampshopprod.Order.Created.v2","data":{"orderCode":"00520044"}}`,
			want: core.Event{ID: "k2", Source: "lampshop", Type: "order.placed", Data: core.EventData{OrderCode: "00520044"}},
		},
		{
			name: "Event Mesh, slashes", header: map[string]string{"Content-Type": "application/cloudevents+json"},
			body: `{"specversion":"1.0","id":"k3","source":"/default/lampshop/1","type":"default/lampshop/1/ce/order/readyforpickup/v1","data":{"orderCode":"00520044","consignmentCode":"cons00520044_1"}}`,
			want: core.Event{ID: "k3", Source: "/default/lampshop/1", Type: "order.ready_for_pickup", Data: core.EventData{OrderCode: "00520044", ConsignmentCode: "cons00520044_1"}},
		},
		{
			name: "Kyma, the name the catalogue misspells", header: binaryMode("k4", "kyma", "sap.kyma.custom.lampshop.consigment.consignmentprocessing.v1", ""), quiet: true,
			body: `{"orderCode":"00520044","consignmentCode":"cons00520044_1","consignmentStatus":"PICKPACK"}`,
			want: core.Event{ID: "k4", Type: "sap.kyma.custom.lampshop.consigment.consignmentprocessing.v1", Source: "kyma", Data: core.EventData{
				OrderCode: "00520044", ConsignmentCode: "cons00520044_1", State: "PICKPACK",
			}},
		},
		{
			name: "the legacy export", header: plainJSON,
			body: `{"event-type":"order.deliverysent","event-type-version":"v1","event-id":"0b6f6a3e","event-time":"2026-03-05T14:02:12.000Z",
				"data":{"orderCode":"00520044","consignmentCode":"cons00520044_1","consignmentStatus":"SHIPPED"},"destinationTargetId":"tidings"}`,
			want: core.Event{ID: "0b6f6a3e", Source: "legacy-event-export/tidings", Type: "order.shipped", Time: march5, Data: shipped},
		},
		{
			name: "an action of the order process", header: plainJSON,
			body: `{"id":"7d0e","type":"order.status","site":"lamps","orderCode":"00520044","status":"READY","consignmentCode":null,
				"occurredAt":"2026-03-05T14:02:12+0000","customerUid":"odile.brandt@example.com"}`,
			want: core.Event{ID: "7d0e", Source: "process-action/lamps", Type: "order.placed", Time: march5, Data: core.EventData{
				OrderCode: "00520044", CustomerUID: "odile.brandt@example.com", Site: "lamps", State: "READY",
			}},
		},
		{
			name: "an action of the consignment process", header: plainJSON,
			body: `{"id":"7d0f","type":"order.status","orderCode":"00520044","status":"SHIPPED","consignmentCode":"cons00520044_1","occurredAt":1772719332000}`,
			want: core.Event{ID: "7d0f", Source: "process-action", Type: "order.shipped", Time: march5, Data: shipped},
		},
		{
			name: "an action of the return process", header: plainJSON,
			body: `{"id":"7d10","type":"return.status","orderCode":"00520044","status":"PAYMENT_REVERSED","returnCode":"00031000","occurredAt":"/Date(1772719332000)/"}`,
			want: core.Event{ID: "7d10", Source: "process-action", Type: "order.refunded", Time: march5, Data: core.EventData{
				OrderCode: "00520044", ReturnCode: "00031000", State: "PAYMENT_REVERSED",
			}},
		},
		{
			name: "an action that names our own type", header: plainJSON,
			body: `{"id":"7d11","type":"order.shipped","orderCode":"00520044","consignmentCode":"cons00520044_1","status":"SHIPPED"}`,
			want: core.Event{ID: "7d11", Source: "process-action", Type: "order.shipped", Data: shipped},
		},
		{
			name: "an action that reports a quiet state", header: plainJSON, quiet: true,
			body: `{"id":"7d12","type":"order.status","orderCode":"00520044","status":"FRAUD_CHECKED"}`,
			want: core.Event{ID: "7d12", Source: "process-action", Type: "order.status", Data: core.EventData{OrderCode: "00520044", State: "FRAUD_CHECKED"}},
		},
	}
)

var wayReader = intake.Reader{Dialect: hybris.NewDialect([]hybris.Object{
	{Name: "OutboundOrder", Is: "order"},
	{Name: "OutboundConsignment", Is: "consignment"},
	{Name: "OutboundReturn", Is: "return"},
	{Name: "OutboundTicketMessage", Is: "ticket_message"},
})}

func (w way) read(body []byte) ([]intake.Received, []intake.Fault, error) {
	h := http.Header{}
	for name, value := range w.header {
		h.Set(name, value)
	}
	return wayReader.Read(h, body, march5.Add(time.Hour))
}

// TestWaysIn: what each way of an installation sends means what it should.
func TestWaysIn(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			all, faults, err := w.read([]byte(w.body))
			if err != nil || len(faults) > 0 || len(all) != 1 {
				t.Fatalf("got %d events, faults %v, error %v", len(all), faults, err)
			}
			got, want := all[0], w.want
			if strings.HasPrefix(w.header["Ce-Type"], "sap.cx.commerce.") {
				want.ID, want.Source, want.Time = w.header["Ce-Id"], w.header["Ce-Source"], march5
			}
			if want.Time.IsZero() {
				want.Time = march5.Add(time.Hour) // the body tells none
			}
			want.Site, got.Event.Time = want.Data.Site, got.Event.Time.UTC()
			if diff := cmp.Diff(want, got.Event); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Ignored != w.quiet || w.quiet && got.Why == "" {
				t.Errorf("got ignored %t (%s), want %t", got.Ignored, got.Why, w.quiet)
			}
			if len(got.Warnings) > 0 {
				t.Errorf("got warnings %q, want none", got.Warnings)
			}
		})
	}
}

// TestNoOddBodyIsRefused: those who send these bodies do not try again after a
// refusal. Whatever is missing, unknown or of another type, the event is taken, and
// told or stored with the reason why not.
func TestNoOddBodyIsRefused(t *testing.T) {
	for _, w := range ways {
		if strings.HasPrefix(w.name, "CloudEvents") || w.header["Content-Type"] == "application/cloudevents+json" {
			continue // an envelope that a project writes itself is told what is wrong
		}
		var body map[string]any
		if err := json.Unmarshal([]byte(w.body), &body); err != nil {
			t.Fatal(err)
		}
		for odd := range twisted(body) {
			raw, err := json.Marshal(odd)
			if err != nil {
				t.Fatal(err)
			}
			if m, _ := odd.(map[string]any); w.header["Ce-Type"] == "" && m == nil {
				continue // no object at all
			}
			all, faults, err := w.read(raw)
			if err != nil || len(faults) > 0 || len(all) != 1 {
				t.Errorf("%s: %s: got %d events, faults %v, error %v", w.name, raw, len(all), faults, err)
				continue
			}
			got := all[0]
			if got.Event.ID == "" || got.Event.Source == "" || got.Event.Type == "" || got.Event.Time.IsZero() {
				t.Errorf("%s: %s: got an event that cannot be found again: %+v", w.name, raw, got.Event)
			}
			if got.Ignored && got.Why == "" {
				t.Errorf("%s: %s: ignored without a reason", w.name, raw)
			}
		}
	}
}

// twisted yields a value without any one of its parts, with any one of them
// replaced by something of another type, and with more than it should have.
func twisted(v any) func(yield func(any) bool) {
	strange := []any{nil, true, 7.5, "", "strange", []any{}, []any{map[string]any{"code": 1}}, map[string]any{}, map[string]any{"code": map[string]any{}}}
	return func(yield func(any) bool) {
		m, ok := v.(map[string]any)
		if !ok {
			for _, s := range strange {
				if !yield(s) {
					return
				}
			}
			return
		}
		more := maps.Clone(m)
		more["unheardOf"], more["strangeList"] = map[string]any{"deep": []any{1, nil}}, []any{"x"}
		if !yield(more) {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			without := maps.Clone(m)
			delete(without, name)
			if !yield(without) {
				return
			}
			for _, s := range strange {
				other := maps.Clone(m)
				other[name] = s
				if !yield(other) {
					return
				}
			}
			for below := range twisted(m[name]) {
				other := maps.Clone(m)
				other[name] = below
				if !yield(other) {
					return
				}
			}
		}
	}
}

// An action that gives its events no id is heard once for each thing that it says.
func TestEventsWithoutAnIDAreKnownByWhatTheySay(t *testing.T) {
	w := way{header: plainJSON}
	ids := map[string]bool{}
	for _, body := range []string{
		`{"type":"order.status","orderCode":"1","status":"READY"}`,
		`{ "status":"READY", "orderCode":"1", "type":"order.status" }`,
		`{"type":"order.status","orderCode":"1","status":"COMPLETED"}`,
	} {
		all, faults, err := w.read([]byte(body))
		if err != nil || len(faults) > 0 {
			t.Fatal(err, faults)
		}
		ids[all[0].Event.ID] = true
		if len(all[0].Warnings) != 1 {
			t.Errorf("got warnings %q, want one about the id", all[0].Warnings)
		}
	}
	if len(ids) != 2 {
		t.Errorf("got the ids %v, want two", ids)
	}
}

// A body whose type is missing is heard by the state that it names.
func TestBodiesWithoutATypeAreKnownByTheirState(t *testing.T) {
	for _, body := range []string{
		`{"id":"n1","orderCode":"00520044","consignmentCode":"cons00520044_1","status":"SHIPPED"}`,
		`{"event-id":"n2","event-type-version":"v1","data":{"orderCode":"00520044","consignmentCode":"cons00520044_1","consignmentStatus":"SHIPPED"}}`,
		`{"event-type":{},"event-time":"2026-03-05T14:02:12Z","event-id":"n3","data":{"orderCode":"00520044","consignmentCode":"cons00520044_1","consignmentStatus":"SHIPPED"}}`,
	} {
		all, faults, err := way{header: plainJSON}.read([]byte(body))
		if err != nil || len(faults) > 0 || len(all) != 1 {
			t.Fatalf("%s: got %d events, faults %v, error %v", body, len(all), faults, err)
		}
		if diff := cmp.Diff(shipped, all[0].Event.Data); diff != "" || all[0].Event.Type != "order.shipped" {
			t.Errorf("%s: got %s; data -want +got:\n%s", body, all[0].Event.Type, diff)
		}
		if len(all[0].Warnings) != 1 || !strings.Contains(all[0].Warnings[0], "type cannot be read: order.status is taken for it") {
			t.Errorf("%s: got warnings %q, want one about the type", body, all[0].Warnings)
		}
	}
}

// The shop's own events are sent once, so that an odd time loses none of them; our
// own types are told.
func TestTimesOfForeignEventsAreNeverRefused(t *testing.T) {
	for when, want := range map[string]time.Time{"yesterday": march5.Add(time.Hour), "/Date(1772719332000)/": march5, "1772719332000": march5, "2026-03-05T14:02:12+0000": march5} {
		w := way{header: webhookMode("OutboundOrder.Updated", "00520044|")}
		w.header["Ce-Time"] = when
		all, faults, err := w.read([]byte(`{"code":"00520044","status":{"code":"CANCELLED"}}`))
		if err != nil || len(faults) > 0 || len(all) != 1 || !all[0].Event.Time.Equal(want) {
			t.Errorf("%s: got %+v, faults %v, error %v; want the time %s", when, all, faults, err, want)
		}
	}
	own := way{header: binaryMode("t1", "/shop/lamps", "order.cancelled", "yesterday")}
	if _, faults, _ := own.read([]byte(`{"orderCode":"00520044"}`)); len(faults) != 1 || faults[0].Pointer != "/time" {
		t.Errorf("one of our own types: got faults %v, want one of its time", faults)
	}
}

// A change of a uid that does not say from which is stored and told to nobody, and its
// sender hears what it lacks.
func TestChangedUIDWithoutThePreviousOneIsWarnedOf(t *testing.T) {
	w := way{header: binaryMode("u1", "kyma", "sap.kyma.custom.lampshop.customer.changeuid.v1", "")}
	all, faults, err := w.read([]byte(`{"customerUid":"odile.brandt@example.com","storeUid":"lamps"}`))
	if err != nil || len(faults) > 0 || len(all) != 1 {
		t.Fatalf("got %d events, faults %v, error %v", len(all), faults, err)
	}
	if got := all[0]; !got.Ignored || got.Event.Type != core.CustomerRenamed || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "previousUid") {
		t.Errorf("got %+v, want it ignored, with one warning of previousUid", got)
	}
}

// A body that does not say of which type it is tells it by its state, else the
// shop does.
func TestBodiesWithoutAType(t *testing.T) {
	for _, test := range []struct {
		body string
		want core.EventType
		warn string
	}{
		{`{"id":"1","orderCode":"1","status":"READY"}`, "order.placed", "type cannot be read"},
		{`{"id":"1","type":7,"orderCode":"1","status":"CANCELLED"}`, "order.cancelled", "type cannot be read"},
		{`{"id":"1","type":null,"orderCode":"1","consignmentCode":"c","status":"SHIPPED"}`, "order.shipped", "type cannot be read"},
		{`{"id":"1","orderCode":"1"}`, core.OrderChanged, "type cannot be read"},
		{`{"event-id":"1","data":{"orderCode":"1","consignmentCode":"c","consignmentStatus":"SHIPPED"}}`, "order.shipped", "event-type cannot be read"},
		{`{"event-type":{},"event-type-version":"v1","event-id":"1","data":{"orderCode":"1"}}`, core.OrderChanged, "event-type cannot be read"},
		{`{"id":"1","source":"kyma","type":"order.created.v1","data":{"orderCode":"1"}}`, "order.placed", "specversion is missing"},
	} {
		all, faults, err := way{header: plainJSON}.read([]byte(test.body))
		if err != nil || len(faults) > 0 || len(all) != 1 {
			t.Errorf("%s: got faults %v, error %v", test.body, faults, err)
			continue
		}
		if got := all[0]; got.Event.Type != test.want || got.Event.ID != "1" || got.Event.Data.OrderCode != "1" || len(got.Warnings) == 0 || !strings.HasPrefix(got.Warnings[0], test.warn) {
			t.Errorf("%s: got %+v, want %s and the warning %q", test.body, got, test.want, test.warn)
		}
	}
}
