package hybris_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
)

var dialect = hybris.NewDialect([]hybris.Object{
	{Name: "OutboundOrder", Is: "order"},
	{Name: "OutboundConsignment", Is: "consignment"},
	{Name: "OutboundReturn", Is: "return"},
	{Name: "OutboundTicketMessage", Is: "ticket_message"},
	{Name: "OutboundTicket", Is: "ticket"},
})

// quietly stands for "known, and nobody is told".
const quietly core.EventType = "quiet"

func translate(foreign, body string) (core.EventType, core.EventData, string) {
	t, data, known, quiet, why := dialect.Translate(foreign, json.RawMessage(body))
	switch {
	case !known:
		return "", data, why
	case quiet:
		return quietly, data, why
	}
	return t, data, why
}

func TestNames(t *testing.T) {
	catalogue := map[string]core.EventType{
		"order.created":                      "order.placed",
		"order.placed":                       "order.placed",
		"order.processing":                   quietly,
		"order.completed":                    "order.completed",
		"order.cancelled":                    "order.cancelled",
		"order.cancelpending":                "order.cancel_requested",
		"order.partiallycanceled":            "order.partly_cancelled",
		"order.refund":                       "order.refunded",
		"order.partiallyrefunded":            "order.partly_refunded",
		"order.createreturn":                 "order.return_created",
		"order.fraud":                        quietly,
		"order.frauderror":                   quietly,
		"order.fraudcustomernotified":        "order.on_hold",
		"order.fraudemployeenotified":        quietly,
		"order.paymentfailed":                "order.payment_failed",
		"order.paymentauthfailed":            "order.payment_failed",
		"order.readyforpickup":               "order.ready_for_pickup",
		"order.deliverysent":                 "order.shipped",
		"order.pickedup":                     "order.picked_up",
		"order.pickupconfirmation":           "order.picked_up",
		"order.notpickedcancelconsignment":   "order.not_picked_up",
		"consigment.consignmentprocessing":   quietly,
		"consignment.consignmentprocessing":  quietly,
		"customer.created":                   "customer.registered",
		"password.forgotten":                 quietly,
		"quote.orderplaced":                  quietly,
		"quote.buyersubmit":                  quietly,
		"quote.salesrepsubmit":               quietly,
		"quote.sellerapproved":               quietly,
		"quote.expiresoonevent":              quietly,
		"quote.expired":                      quietly,
		"quote.cancelled":                    quietly,
		"cart.fileupload":                    quietly,
		"cronjob.beforestart":                quietly,
		"cronjob.finished":                   quietly,
		"cronjob.aborted":                    quietly,
		"cronjob.dataexport":                 quietly,
		"system.tenantrestart":               quietly,
		"system.initializationstart":         quietly,
		"system.initializationend":           quietly,
		"order.exploded":                     "",
		"order.shiped":                       "",
		"order":                              "",
		"link.confirmed":                     "",
		"chat.answer":                        "",
		"":                                   "",
		"v1":                                 "",
		"...":                                "",
		"sap.cx.commerce.Unheard.Created.v1": "",
		"sap.cx.commerce.Order.Created.v1":   "", // an object's name, not the event order.created
	}
	for _, info := range core.EventTypes {
		catalogue[string(info.Type)] = info.Type
	}
	for name, want := range catalogue {
		variants := []string{name}
		if strings.Count(name, ".") == 1 {
			variants = append(variants, name+".v1", name+".v12", "sap.kyma.custom.my-shop."+name+".v1",
				"SAP.Kyma.Custom.Shop."+strings.ToUpper(name)+".V2", "acme/"+strings.Replace(name, ".", "/", 1)+"/v1",
				strings.Replace(name, ".", "_", 1)+".v1")
		}
		for _, foreign := range variants {
			got, _, why := translate(foreign, `{"orderCode":"1"}`)
			if got != want {
				t.Errorf("%q: got %q, want %q", foreign, got, want)
			}
			if got == quietly && why == "" {
				t.Errorf("%q: quiet without a reason", foreign)
			}
		}
	}
}

func TestSpellings(t *testing.T) {
	for foreign, want := range map[string]core.EventType{
		"order.delivery_sent":                      "order.shipped",
		"Order.DeliverySent.v1":                    "order.shipped",
		"order.partially_cancelled":                "order.partly_cancelled",
		"order.canceled":                           "order.cancelled",
		"order.outForDelivery":                     "order.out_for_delivery",
		"order.out-for-delivery.v1":                "order.out_for_delivery",
		"sap.kyma.custom.shop.order_created.v1":    "order.placed",
		"sap.kyma.custom.shop.ticket.noteAdded.v1": "ticket.note_added",
		"acme.OutboundOrder.Updated":               "order.cancelled", // an object under another prefix
		"SAP.CX.Commerce.outboundorder.UPDATED.v1": "order.cancelled",
		"sap.cx.commerce.OutboundOrder.Unknown.v1": "order.cancelled",
		"sap.cx.commerce.OutboundOrder.Deleted.v1": quietly,
		"sap.cx.commerce.OutboundOrder.Exploded":   "",
	} {
		if got, _, _ := translate(foreign, `{"code":"1","status":"CANCELLED"}`); got != want {
			t.Errorf("%q: got %q, want %q", foreign, got, want)
		}
	}
}

func TestNamedEventsCarry(t *testing.T) {
	at := time.Date(2026, 2, 20, 10, 0, 0, 0, time.UTC)
	yes, no := true, false
	for _, test := range []struct {
		name, foreign, body string
		want                core.EventData
	}{
		{"codes", "order.deliverysent", `{"orderCode":"1","consignmentCode":"c1","consignmentStatus":"SHIPPED"}`,
			core.EventData{OrderCode: "1", ConsignmentCode: "c1", State: "SHIPPED"}},
		{"a state", "order.placed", `{"orderCode":"1","orderStatus":"CREATED"}`, core.EventData{OrderCode: "1", State: "CREATED"}},
		{"a return", "order.createreturn", `{"orderCode":"1","status":"APPROVAL_PENDING"}`, core.EventData{OrderCode: "1", State: "APPROVAL_PENDING"}},
		{"a modification", "order.partiallyrefunded", `{"orderCode":"1","modificationCode":"m1","modificationStatus":"SUCCESSFULL"}`,
			core.EventData{OrderCode: "1", ReturnCode: "m1", State: "SUCCESSFULL"}},
		{"a customer", "customer.created", `{"customerUid":"u","customerId":"9","storeUid":"s"}`, core.EventData{CustomerUID: "u"}},
		{"a new uid", "customer.changeuid", `{"customerUid":"new","previousUid":"old"}`, core.EventData{CustomerUID: "new", PreviousUID: "old"}},
		{"a new uid in other words", "customer.changeuid", `{"newUid":"new","oldUid":"old"}`, core.EventData{CustomerUID: "new", PreviousUID: "old"}},
		{"the legacy export", "order.deliverysent", `{"event-type":"order.deliverysent","event-type-version":"v1","event-id":"x","data":{"orderCode":"1","consignmentCode":"c1"}}`,
			core.EventData{OrderCode: "1", ConsignmentCode: "c1"}},
		{"the legacy export by itself", "", `{"event-type":"order.placed","data":{"orderCode":"1"}}`, core.EventData{OrderCode: "1"}},
		{"numbers", "order.placed", `{"orderCode":417003}`, core.EventData{OrderCode: "417003"}},
		{"objects", "order.placed", `{"order":{"code":"1","user":{"uid":"u"}},"site":{"uid":"tea"},"language":{"isocode":"de_AT"}}`,
			core.EventData{OrderCode: "1", CustomerUID: "u", Site: "tea", Locale: "de-AT"}},
		{"an order in OCC's shape", "order.placed", `{"orderCode":"1","order":{"code":"1","totalPrice":{"value":5.10}}}`,
			core.EventData{OrderCode: "1", Order: json.RawMessage(`{"code":"1","totalPrice":{"value":5.10}}`)}},
		{"no order", "order.placed", `{"orderCode":"1","order":null}`, core.EventData{OrderCode: "1"}},
		{"our own note", "x.ticket.note_added.v1", `{"ticketId":"t","customerUid":"u","orderCode":"1","note":{"id":"n","text":"Hi","author":"Lou","public":true,"createdAt":"2026-02-20T10:00:00Z"},"status":"closed"}`,
			core.EventData{TicketID: "t", CustomerUID: "u", OrderCode: "1", Status: "closed", Note: &core.EventNote{ID: "n", Text: "Hi", Author: "Lou", Public: &yes, CreatedAt: at}}},
		{"our own internal note", "x.ticket.note_added.v1", `{"note":{"id":"n","public":false}}`, core.EventData{Note: &core.EventNote{ID: "n", Public: &no}}},
		{"a note that does not say", "x.ticket.note_added.v1", `{"note":{"id":"n","public":"true"}}`, core.EventData{Note: &core.EventNote{ID: "n"}}},
		{"a ticket's state", "x.ticket.status_changed.v1", `{"ticketId":"t","status":"in_process"}`, core.EventData{TicketID: "t", Status: "in_process"}},
		{"a message", "x.message.requested.v1", `{"customerUid":"u","text":"<b>Hi</b>","purpose":"service","expiresAt":"2026-02-20T10:00:00Z"}`,
			core.EventData{CustomerUID: "u", Text: "<b>Hi</b>", Purpose: core.Service, ExpiresAt: &at}},
		{"what is ours alone", "x.message.requested.v1", `{"text":"t","answer":"help","linkId":7}`, core.EventData{Text: "t"}},
		{"nothing", "order.placed", ``, core.EventData{}},
		{"nonsense", "order.placed", `[{"orderCode":1}]`, core.EventData{}},
	} {
		got, data, why := translate(test.foreign, test.body)
		if got == "" || got == quietly {
			t.Errorf("%s: got %q (%s), want a type", test.name, got, why)
		}
		if diff := cmp.Diff(test.want, data); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestARenamedCustomerNeedsBothUids(t *testing.T) {
	event, data, known, quiet, why := dialect.Translate("customer.changeuid.v1", json.RawMessage(`{"customerUid":"new","storeUid":"s"}`))
	if event != core.CustomerRenamed || !known || !quiet || why == "" || data.CustomerUID != "new" {
		t.Errorf("got %q known=%t quiet=%t %q %+v, want a quiet customer.renamed with a reason", event, known, quiet, why, data)
	}
}

func TestAFailedModificationIsNotTold(t *testing.T) {
	if got, _, _ := translate("order.partiallycanceled", `{"orderCode":"1","modificationStatus":"FAILED"}`); got != quietly {
		t.Errorf("got %q, want it quiet", got)
	}
}

func TestTokensAreNeverRead(t *testing.T) {
	_, data, _ := translate("sap.kyma.custom.shop.password.forgotten.v1", `{"customerUid":"u","token":"reset-me","storeUid":"s"}`)
	raw, err := json.Marshal(data)
	if err != nil || strings.Contains(string(raw), "reset-me") {
		t.Errorf("got %s, %v, want no token", raw, err)
	}
}

// Whatever is in it, a body never panics, never makes a type that does not
// exist and never makes an unproven note public.
func FuzzTranslate(f *testing.F) {
	f.Add(messageType, []byte(message(nil)))
	f.Add(messageType, []byte(message(map[string]any{"interventionType": "Private"})))
	f.Add("sap.cx.commerce.OutboundReturn.Updated.v1", []byte(`{"code":"1","status":"RECEIVED","order":{"code":"1"}}`))
	f.Add("sap.kyma.custom.shop.order.created.v1", []byte(`{"orderCode":"1","order":{"code":"1","entries":[1e9]}}`))
	f.Add("", []byte(`{"event-type":"customer.changeuid","data":{"customerUid":"a"}}`))
	f.Add("x.message.requested.v1", []byte(`{"expiresAt":"/Date(253402300799999)/","text":"\u0000"}`))
	f.Fuzz(func(t *testing.T, foreign string, body []byte) {
		event, data, known, quiet, why := dialect.Translate(foreign, body)
		if _, exists := core.LookupType(event); known && !quiet && !exists {
			t.Fatalf("got type %q", event)
		}
		if quiet && (!known || why == "") {
			t.Fatalf("got quiet with known=%t why=%q", known, why)
		}
		if _, err := json.Marshal(data); err != nil {
			t.Fatalf("the data cannot be written again: %v", err)
		}
		public := data.Note != nil && data.Note.Public != nil && *data.Note.Public
		if foreign == messageType && public && !provenPublic(body) {
			t.Fatalf("got a public note from %s", body)
		}
	})
}

// provenPublic is the rule again in other words: an intervention that is named
// and not private, and no agent's note.
func provenPublic(body []byte) bool {
	var m map[string]any
	if err := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff")))).Decode(&m); err != nil {
		return false
	}
	word := func(v any) string {
		raw, _ := json.Marshal(v)
		return strings.ToLower(string(raw))
	}
	intervention, kind := word(m["interventionType"]), word(m["commentType"])
	if intervention == "null" || strings.Contains(kind, "agentnote") && !strings.Contains(kind, "{") {
		return false
	}
	return intervention != `"private"` && intervention != `{"code":"private"}`
}
