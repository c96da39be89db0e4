package hybris_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

// aReturn is a return as OCC shows it; order is what it says of its order.
func aReturn(code, order string) string {
	return `{"type":"returnRequestWsDTO","code":"` + code + `","rma":"` + code + `","status":"RECEIVED","creationTime":"2026-03-01T11:00:00+0000",` +
		`"order":` + order + `,"returnEntries":[{"expectedQuantity":1,"refundAmount":{"currencyIso":"SEK","value":99.5}}],` +
		`"totalPrice":{"currencyIso":"SEK","value":99.5,"formattedValue":"99,50 kr"},"returnLabelDownloadUrl":"https://shop.example.org/label/1","added":{"later":[1]}}`
}

func TestReturn(t *testing.T) {
	q := core.OrderQuery{Code: "77120345", CustomerUID: noor, Locale: "sv"}
	want := core.Return{
		Code: "R1", OrderCode: "77120345", Status: "RECEIVED", Refund: core.Money{Amount: "99.50", Currency: "SEK"},
		LabelURL: "https://shop.example.org/label/1",
	}
	mine, other := `{"code":"77120345"}`, `{"code":"77120346"}`
	bare := core.Return{Code: "R1"}
	for _, test := range []struct {
		name, code, body string
		status           int
		want             core.Return
		notFound         bool
		class            core.Class
	}{
		{"by its code", "R1", aReturn("R1", mine), 200, want, false, ""},
		{"of another order", "R1", aReturn("R1", other), 200, core.Return{}, true, core.Rejected},
		{"that says little", "R1", `{"totalPrice":"?","order":7,"status":[],"returnLabelDownloadUrl":"javascript:alert(1)"}`, 200, core.Return{Code: "R1", OrderCode: "7"}, true, core.Rejected},
		{"that says nothing", "R1", `{}`, 200, bare, false, ""},
		{"the order's only one", "", `{"returnRequests":[` + aReturn("R0", other) + `,` + aReturn("R1", mine) + `,null,3]}`, 200, want, false, ""},
		{"one of two", "", `{"returnRequests":[` + aReturn("R0", mine) + `,` + aReturn("R1", mine) + `]}`, 200, core.Return{}, true, core.Rejected},
		{"none", "", `{"returnRequests":{}}`, 200, core.Return{}, true, core.Rejected},
		{"not known", "R1", failure("UnknownIdentifierError"), 400, core.Return{}, true, core.Rejected},
		{"no extension", "R1", `<html>`, 404, core.Return{}, false, core.Rejected},
		{"away", "R1", ``, 503, core.Return{}, false, core.Temporary},
		{"not readable", "R1", `[]`, 200, core.Return{}, false, core.Temporary},
	} {
		s, c := newShop(t, script(with(test.status, test.body)))
		got, err := c.Return(t.Context(), q, test.code)
		if test.class != "" {
			if e := shopError(t, err); e.Class != test.class || e.NotFound != test.notFound {
				t.Errorf("%s: got %v NotFound=%t, want %v NotFound=%t", test.name, e.Class, e.NotFound, test.class, test.notFound)
			}
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", test.name, err, diff)
		}
		path := "GET /occ/v2/homeware/users/noor.haddad%40example.org/orderReturns/R1?fields=FULL&lang=sv"
		if test.code == "" {
			path = "GET /occ/v2/homeware/users/noor.haddad%40example.org/orderReturns?fields=FULL&lang=sv&pageSize=100"
		}
		if diff := cmp.Diff([]string{path}, s.seen()); diff != "" {
			t.Errorf("%s: requests (-want +got):\n%s", test.name, diff)
		}
	}
	s, c := newShop(t, script(with(500, ``)))
	if e := shopError(t, second(c.Return(t.Context(), byCode("1"), "R1"))); !e.NotFound || len(s.seen()) != 0 {
		t.Errorf("without a customer: got %v, want NotFound and no request", e)
	}
}

// A state shows what it tells, and all that comes before it.
func TestReachedStates(t *testing.T) {
	for _, test := range []struct {
		about core.EventType
		state string
		want  bool
	}{
		{core.OrderShipped, "SHIPPED", true},
		{core.OrderShipped, "IN_TRANSIT", true},
		{core.OrderShipped, "DELIVERY_COMPLETED", true},
		{core.OrderShipped, "PICKPACK", false},
		{core.OrderShipped, "READY_FOR_PICKUP", false},
		{core.OrderShipped, "", false},
		{core.OrderShipped, "GIFT_WRAPPED", false},
		{"order.delivered", "SHIPPED", false},
		{"order.pickup_reminder", "READY_FOR_PICKUP", false}, // no state is
		{"order.completed", "COMPLETED", true},
		{"order.refunded", "TAX_REVERSED", true},
		{"ticket.created", "CLOSED", false},
	} {
		if got := dialect.Reached(test.about, test.state); got != test.want {
			t.Errorf("%s, %s: got %t", test.about, test.state, got)
		}
	}
}

// Of two states the later one is known where both have a place in one life.
func TestLaterStates(t *testing.T) {
	for _, test := range []struct {
		about        core.EventType
		pushed, read string
		want         bool
	}{
		{"order.shipped", "SHIPPED", "PICKPACK", true},
		{"order.shipped", "SHIPPED", "SHIPPED", false},
		{"order.shipped", "SHIPPED", "DELIVERY_COMPLETED", false},
		{"order.delivered", "DELIVERY_COMPLETED", "IN_TRANSIT", true},
		{"order.shipped", "SHIPPED", "", false},
		{"order.shipped", "", "WAITING", false},
		{"order.shipped", "GIFT_WRAPPED", "WAITING", false},
		{"order.shipped", "SHIPPED", "GIFT_WRAPPED", false},
		{"order.completed", "COMPLETED", "READY", true},
		{"order.cancelled", "CANCELLED", "COMPLETED", true},
		{"order.on_hold", "WAIT_FRAUD_MANUAL_CHECK", "CREATED", false},
		{"order.return_received", "RECEIVED", "APPROVAL_PENDING", true},
		{"order.partly_cancelled", "CANCELLED", "WAITING", false},
		{"ticket.status_changed", "CLOSED", "OPEN", false},
	} {
		if got := dialect.Later(test.about, test.pushed, test.read); got != test.want {
			t.Errorf("%s: %s after %s: got %t, want %t", test.about, test.pushed, test.read, got, test.want)
		}
	}
}
