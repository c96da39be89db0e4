package hybris_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
)

func TestStates(t *testing.T) {
	tables := map[string]map[string]core.EventType{
		"OutboundOrder": {
			"CREATED": "order.placed", "OPEN": "order.placed", "READY": "order.placed",
			"ON_HOLD": "order.on_hold", "WAIT_FRAUD_MANUAL_CHECK": "order.on_hold",
			"PENDING_APPROVAL": "order.approval_needed", "PENDING_APPROVAL_FROM_MERCHANT": "order.approval_needed",
			"APPROVED": "order.approved", "APPROVED_BY_MERCHANT": "order.approved",
			"REJECTED": "order.rejected", "REJECTED_BY_MERCHANT": "order.rejected",
			"PAYMENT_NOT_AUTHORIZED": "order.payment_failed", "PAYMENT_AMOUNT_NOT_RESERVED": "order.payment_failed", "PAYMENT_NOT_CAPTURED": "order.payment_failed",
			"CANCELLED": "order.cancelled", "COMPLETED": "order.completed",
			"ON_VALIDATION": quietly, "CHECKED_VALID": quietly, "CHECKED_INVALID": quietly, "FRAUD_CHECKED": quietly, "ASSIGNED_TO_ADMIN": quietly,
			"PAYMENT_AUTHORIZED": quietly, "PAYMENT_AMOUNT_RESERVED": quietly, "PAYMENT_CAPTURED": quietly, "ORDER_SPLIT": quietly,
			"SUSPENDED": quietly, "CANCELLING": "order.cancel_requested", "PENDING_QUOTE": quietly, "APPROVED_QUOTE": quietly, "REJECTED_QUOTE": quietly,
			"PROCESSING_ERROR": quietly, "B2B_PROCESSING_ERROR": quietly, "PAYMENT_NOT_VOIDED": quietly,
			"TAX_NOT_VOIDED": quietly, "TAX_NOT_COMMITTED": quietly, "TAX_NOT_REQUOTED": quietly, "GIFT_WRAPPED": quietly,
		},
		"OutboundConsignment": {
			"SHIPPED": "order.shipped", "DELIVERING": "order.out_for_delivery", "DELIVERY_COMPLETED": "order.delivered", "DELIVERY_REJECTED": "order.delivery_failed",
			"READY_FOR_PICKUP": "order.ready_for_pickup", "PICKUP_COMPLETE": "order.picked_up", "PAYMENT_NOT_CAPTURED": "order.payment_failed",
			"WAITING": quietly, "PICKPACK": quietly, "READY": quietly, "READY_FOR_SHIPPING": quietly, "IN_PROCESS": quietly, "IN_TRANSIT": quietly,
			"CANCELLED": quietly, "TAX_NOT_COMMITTED": quietly, "GIFT_WRAPPED": quietly,
		},
		"OutboundReturn": {
			"APPROVAL_PENDING": "order.return_created", "WAIT": "order.return_created", "RECEIVED": "order.return_received", "PAYMENT_REVERSED": "order.refunded",
			"APPROVING": quietly, "RECEIVING": quietly, "REVERSING_PAYMENT": quietly, "REVERSING_TAX": quietly, "TAX_REVERSED": quietly, "COMPLETED": quietly,
			"CANCELLING": quietly, "CANCELED": "order.return_cancelled", "PAYMENT_REVERSAL_FAILED": quietly, "TAX_REVERSAL_FAILED": quietly, "GIFT_WRAPPED": quietly,
		},
	}
	for object, states := range tables {
		for state, want := range states {
			for _, status := range []string{`"` + state + `"`, `"` + strings.ToLower(state) + `"`, `{"code":"` + state + `"}`, `{"integrationKey":"` + state + `"}`} {
				for _, operation := range []string{"Created", "Updated"} {
					got, data, why := translate("sap.cx.commerce."+object+"."+operation+".v1", `{"code":"1","status":`+status+`}`)
					if got != want || data.State != state {
						t.Errorf("%s %s %s: got %q of state %q, want %q", object, operation, status, got, data.State, want)
					}
					if (got == quietly) != (why != "") {
						t.Errorf("%s %s: got %q with reason %q", object, state, got, why)
					}
				}
			}
		}
		if _, _, why := translate("sap.cx.commerce."+object+".Updated.v1", `{"code":"1","status":"GIFT_WRAPPED"}`); !strings.Contains(why, "GIFT_WRAPPED") {
			t.Errorf("%s: got reason %q, want it to name the state", object, why)
		}
		if got, _, why := translate("sap.cx.commerce."+object+".Updated.v1", `{"code":"1"}`); got != quietly || why == "" {
			t.Errorf("%s without a state: got %q %q, want it quiet with a reason", object, got, why)
		}
	}
}

func TestWebhookBodies(t *testing.T) {
	order := `{"integrationKey":"77120345|","code":"77120345","status":{"code":"COMPLETED"},"user":{"integrationKey":"x","uid":"noor.haddad@example.org"},` +
		`"site":{"uid":"homeware"},"language":{"isocode":"sv"},"totalPrice":1847.5,"date":"/Date(1770833000000)/",` +
		`"consignments":[{"code":"cons77120345_0","status":{"code":"SHIPPED"}}]}`
	owned := core.EventData{OrderCode: "77120345", CustomerUID: noor, Site: "homeware", Locale: "sv"}
	of := func(change func(*core.EventData)) core.EventData { d := owned; change(&d); return d }
	for _, test := range []struct {
		name, object, body string
		event              core.EventType
		want               core.EventData
	}{
		{"an order speaks for itself, not for its consignments", "OutboundOrder", order, "order.completed", of(func(d *core.EventData) { d.State = "COMPLETED" })},
		{"an order by its key", "OutboundOrder", `{"integrationKey":"77120345|","status":"CANCELLED"}`, "order.cancelled", core.EventData{OrderCode: "77120345", State: "CANCELLED"}},
		{"a consignment", "OutboundConsignment", `{"code":"cons77120345_0","status":{"code":"SHIPPED"},"order":` + order + `}`, "order.shipped",
			of(func(d *core.EventData) { d.State = "SHIPPED"; d.ConsignmentCode = "cons77120345_0" })},
		{"a consignment with a bare order", "OutboundConsignment", `{"code":"c","status":"SHIPPED","order":"77120345","customer":{"uid":"u"},"site":"tea"}`, "order.shipped",
			core.EventData{OrderCode: "77120345", CustomerUID: "u", Site: "tea", State: "SHIPPED", ConsignmentCode: "c"}},
		{"a return", "OutboundReturn", `{"code":"00002001","RMA":"00002001x","status":{"code":"RECEIVED"},"order":` + order + `}`, "order.return_received",
			of(func(d *core.EventData) { d.State = "RECEIVED"; d.ReturnCode = "00002001" })},
		{"a return by its number", "OutboundReturn", `{"RMA":"R7","integrationKey":"k","status":"RECEIVED","orderCode":"1"}`, "order.return_received",
			core.EventData{OrderCode: "1", ReturnCode: "R7", State: "RECEIVED"}},
	} {
		got, data, _ := translate("sap.cx.commerce."+test.object+".Updated.v1", test.body)
		if got != test.event {
			t.Errorf("%s: got %q, want %q", test.name, got, test.event)
		}
		if diff := cmp.Diff(test.want, data); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// An object may leave the state out. That an item is new is news all the same;
// that it was saved once more is not.
func TestWebhooksWithoutAState(t *testing.T) {
	for _, test := range []struct {
		typ, body string
		want      core.EventType
	}{
		{"OutboundOrder.Created", `{"code":"1","user":{"uid":"u"}}`, "order.placed"},
		{"OutboundOrder.Updated", `{"code":"1","user":{"uid":"u"}}`, "quiet"},
		{"OutboundOrder.Created", `{"code":"1","status":"CANCELLED"}`, "order.cancelled"},
		{"OutboundReturn.Created", `{"code":"2","orderCode":"1"}`, "order.return_created"},
		{"OutboundConsignment.Created", `{"code":"c","order":"1"}`, "quiet"},
	} {
		if got, _, _ := translate("sap.cx.commerce."+test.typ+".v1", test.body); got != test.want {
			t.Errorf("%s %s: got %q, want %q", test.typ, test.body, got, test.want)
		}
	}
}

func TestTicketWebhooks(t *testing.T) {
	for _, test := range []struct {
		operation, state string
		want             core.EventType
		status           string
	}{
		{"Created", "New", "ticket.created", "open"},
		{"Updated", "New", quietly, "open"},
		{"Updated", "Open", "ticket.status_changed", "in_process"},
		{"Updated", "Closed", "ticket.status_changed", "closed"},
		{"Updated", "Snoozed", quietly, ""},
	} {
		body := `{"ticketID":"0000B7Q2","state":{"code":"` + test.state + `"},"customer":{"uid":"u"},"order":{"code":"1"},"baseSite":{"uid":"tea"}}`
		got, data, _ := translate("sap.cx.commerce.OutboundTicket."+test.operation+".v1", body)
		want := core.EventData{TicketID: "0000B7Q2", CustomerUID: "u", OrderCode: "1", Site: "tea", State: test.state, Status: test.status}
		if diff := cmp.Diff(want, data); got != test.want || diff != "" {
			t.Errorf("%s %s: got %q, want %q (-want +got):\n%s", test.operation, test.state, got, test.want, diff)
		}
	}
}

// message is an entry as a webhook sends it; changes replace its parts.
func message(changes map[string]any) string {
	m := map[string]any{
		"code":             "00001ZZ4",
		"text":             "Please try another bulb.",
		"creationtime":     "/Date(1771581600000)/",
		"interventionType": map[string]any{"code": "IM"},
		"commentType":      map[string]any{"code": "customerNote"},
		"author":           map[string]any{"uid": "agent.kim", "name": "Kim"},
		"ticket": map[string]any{
			"ticketID": "0000B7Q2",
			"state":    map[string]any{"code": "Open"},
			"customer": map[string]any{"uid": "u"},
			"order":    map[string]any{"code": "1"},
		},
	}
	for name, v := range changes {
		if m[name] = v; v == nil {
			delete(m, name)
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

const messageType = "sap.cx.commerce.OutboundTicketMessage.Created.v1"

func TestAPublicNoteIsPushed(t *testing.T) {
	yes := true
	want := core.EventData{
		TicketID: "0000B7Q2", CustomerUID: "u", OrderCode: "1", Status: "in_process",
		Note: &core.EventNote{ID: "00001ZZ4", Text: "Please try another bulb.", Author: "Kim", Public: &yes, CreatedAt: time.UnixMilli(1771581600000).UTC()},
	}
	for name, body := range map[string]string{
		"as it is":        message(nil),
		"no comment type": message(map[string]any{"commentType": nil}),
		"an e-mail":       message(map[string]any{"commentType": "customerEmail"}),
		"a resolution":    message(map[string]any{"commentType": map[string]any{"code": "ticketResolutionEvent"}}),
	} {
		got, data, why := translate(messageType, body)
		if diff := cmp.Diff(want, data); got != core.TicketNoteAdded || diff != "" {
			t.Errorf("%s: got %q (%s), want ticket.note_added (-want +got):\n%s", name, got, why, diff)
		}
	}
}

// Promise 8: what does not prove that it is public never leaves, and its words
// are not even read.
func TestAnInternalNoteIsNotPushed(t *testing.T) {
	for name, changes := range map[string]map[string]any{
		"private":                   {"interventionType": map[string]any{"code": "Private"}},
		"private in small letters":  {"interventionType": "private"},
		"no intervention type":      {"interventionType": nil},
		"an odd intervention type":  {"interventionType": []any{"IM"}},
		"a number in its place":     {"interventionType": 7},
		"an odd kind of comment":    {"commentType": []any{"customerNote"}},
		"an agent's note":           {"commentType": map[string]any{"code": "agentNote"}},
		"an assignment":             {"commentType": "ticketAssignedEvent"},
		"a project's own kind":      {"commentType": "shiftHandover"},
		"no author":                 {"author": nil},
		"no ticket":                 {"ticket": nil},
		"no customer":               {"ticket": map[string]any{"ticketID": "1"}},
		"the customer's own":        {"author": map[string]any{"uid": "u"}},
		"the customer's own, upper": {"author": map[string]any{"uid": "U"}},
		"no text":                   {"text": " "},
	} {
		got, data, why := translate(messageType, message(changes))
		if got != quietly || why == "" {
			t.Errorf("%s: got %q, want it quiet with a reason", name, got)
		}
		if data.Note == nil || data.Note.Public != nil || strings.TrimSpace(data.Note.Text) != "" || data.Note.ID != "00001ZZ4" {
			t.Errorf("%s: got note %+v, want its id only", name, data.Note)
		}
	}
}

func TestAnObjectThatIsNotConfigured(t *testing.T) {
	event, _, known, quiet, why := hybris.NewDialect(nil).Translate(messageType, json.RawMessage(message(nil)))
	if event != "" || known || quiet || !strings.Contains(why, "commerce.objects") {
		t.Errorf("got %q known=%t quiet=%t %q, want unknown, with the key to set", event, known, quiet, why)
	}
}
