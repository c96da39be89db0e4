package hybris_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/hybris"
)

func TestOrderIsReadWhole(t *testing.T) {
	s, c := newShop(t, script(with(200, sample(t, "order.json"))))
	o, err := c.Order(t.Context(), core.OrderQuery{Code: "77120345", CustomerUID: noor, Locale: "sv-SE"})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "order.golden.json", o)
	want := []string{"GET /occ/v2/homeware/orders/77120345?fields=FULL&lang=sv"}
	if diff := cmp.Diff(want, s.seen()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestNoCacheOnTheWayIsAsked(t *testing.T) {
	s, c := newShop(t, nil)
	s.occ = func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("got Cache-Control %q, want no-cache", got)
		}
		reply(w, 200, `{"code":"1"}`)
	}
	mustRead(t, c)
}

func TestOrderThatCameAlongReadsTheSame(t *testing.T) {
	_, c := newShop(t, script(with(200, sample(t, "order.json"))))
	want, err := c.Order(t.Context(), byCode("77120345"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Dialect().Order(json.RawMessage(sample(t, "order.json")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-read +came along):\n%s", diff)
	}
}

func TestOrderIsHandedToItsOwnerOnly(t *testing.T) {
	order := func(uid string) string { return `{"code":"1","user":{"uid":"` + uid + `"}}` }
	for _, test := range []struct {
		owner, asks string
		ok          bool
	}{
		{noor, noor, true},
		{noor, "", true},
		{noor, "Noor.Haddad@Example.org", true},
		{noor, "lea@example.org", false},
		{"kim@example.org", "\u212Aim@example.org", false}, // the Kelvin sign is no K
		{"c0ffee|" + noor, "c0ffee|" + noor, true},
		{"c0ffee|" + noor, noor, false}, // a guest with the same mail address
		{noor, "c0ffee|" + noor, false},
	} {
		_, c := newShop(t, script(with(200, order(test.owner))))
		o, err := c.Order(t.Context(), core.OrderQuery{Code: "1", CustomerUID: test.asks})
		if test.ok {
			if err != nil || o.CustomerUID != test.owner {
				t.Errorf("%q asks for an order of %q: got %q, %v", test.asks, test.owner, o.CustomerUID, err)
			}
			continue
		}
		if e := shopError(t, err); !e.NotFound || e.Class != core.Rejected || o.Code != "" {
			t.Errorf("%q asks for an order of %q: got %v %+v, want NotFound", test.asks, test.owner, e, o)
		}
	}
}

// An answer that names no owner proves nothing: the shop itself has to compare.
func TestOrderWithoutOwnerIsAskedForInTheCustomersName(t *testing.T) {
	s, c := newShop(t, script(with(200, `{"code":"1","user":"?"}`), with(200, `{"code":"1"}`)))
	o, err := c.Order(t.Context(), core.OrderQuery{Code: "1", CustomerUID: noor})
	if err != nil || o.CustomerUID != noor {
		t.Errorf("got %q, %v, want the customer's order", o.CustomerUID, err)
	}
	want := []string{
		"GET /occ/v2/homeware/orders/1?fields=FULL",
		"GET /occ/v2/homeware/users/noor.haddad%40example.org/orders/1?fields=FULL",
	}
	if diff := cmp.Diff(want, s.seen()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	_, c = newShop(t, script(with(200, `{"code":"1"}`), with(400, failure("UnknownIdentifierError"))))
	_, err = c.Order(t.Context(), core.OrderQuery{Code: "1", CustomerUID: noor})
	if e := shopError(t, err); !e.NotFound {
		t.Errorf("got %v, want NotFound", e)
	}
}

func TestALanguageTheShopDoesNotSpeakCostsTheLanguageOnly(t *testing.T) {
	s, c := newShop(t, script(with(400, failure("UnsupportedLanguageError")), with(200, `{"code":"1"}`)))
	_, err := c.Order(t.Context(), core.OrderQuery{Site: "toys", Code: "1", Locale: "pt_BR"})
	want := []string{"GET /occ/v2/toys/orders/1?fields=FULL&lang=pt", "GET /occ/v2/toys/orders/1?fields=FULL"}
	if diff := cmp.Diff(want, s.seen()); diff != "" || err != nil {
		t.Errorf("%v, requests (-want +got):\n%s", err, diff)
	}
}

func TestTracking(t *testing.T) {
	q := core.OrderQuery{Code: "77120345", CustomerUID: noor, Locale: "en"}
	parcel := core.Consignment{Code: "cons77120345_0", Status: "SHIPPED", TrackingID: "old"}
	done := parcel
	done.TrackingID, done.TrackingURL, done.Carrier = "PN-000-77", "https://track.example.org/PN-000-77", "Nordpost"
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   core.Consignment
		class  core.Class
	}{
		{"all of it", 200, sample(t, "tracking.json"), done, ""},
		{"nothing in it", 200, `{}`, parcel, ""},
		{"an address that is none", 200, `{"trackingUrl":"javascript:alert(1)"}`, parcel, ""},
		{"not readable", 200, `<html>`, parcel, ""},
		{"no extension", 404, `<html>`, parcel, ""},
		{"not known", 400, failure("UnknownIdentifierError"), parcel, ""},
		{"no role", 401, failure("AccessDeniedError"), parcel, ""},
		{"away", 503, ``, parcel, core.Temporary},
		{"no login", 401, failure("UnauthorizedError"), parcel, core.Misconfigured},
	} {
		s, c := newShop(t, script(with(test.status, test.body)))
		got, err := c.Tracking(t.Context(), q, parcel)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if test.class == "" && err != nil || test.class != "" && core.ClassOf(err) != test.class {
			t.Errorf("%s: got %v, want class %q", test.name, err, test.class)
		}
		want := "GET /occ/v2/homeware/users/noor.haddad%40example.org/orders/77120345/consignments/cons77120345_0/tracking?fields=FULL&lang=en"
		if got := s.seen()[0]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	s, c := newShop(t, script(with(500, ``)))
	if got, err := c.Tracking(t.Context(), byCode("1"), parcel); err != nil || got.Code != parcel.Code || len(s.seen()) != 0 {
		t.Errorf("without a customer: got %v, %v, want the parcel and no request", got, err)
	}
}

func readOrder(t *testing.T, body string) core.Order {
	t.Helper()
	o, err := hybris.NewDialect(nil).Order(json.RawMessage(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return o
}

func TestPayment(t *testing.T) {
	for paid, want := range map[string]string{
		`"paymentInfo":{"cardNumber":"************4242","cardType":{"name":"Visa"}}`:          "Visa ••4242",
		`"paymentInfo":{"cardNumber":"4111111111111111","cardType":{"name":"Visa"}}`:          "Visa ••1111",
		`"paymentInfo":{"cardNumber":"****","cardType":{"code":"visa"}}`:                      "visa",
		`"paymentInfo":{"cardNumber":"**42"}`:                                                 "••42",
		`"paymentInfo":{"cardNumber":["x"],"cardType":"Visa"}`:                                "",
		`"paymentType":{"code":"ACCOUNT","displayName":"Account Payment"},"paymentInfo":null`: "Account Payment",
		`"x":1`: "",
	} {
		if got := readOrder(t, `{"code":"1",`+paid+`}`).Payment; got != want {
			t.Errorf("%s: got %q, want %q", paid, got, want)
		}
	}
}

func TestOrderDates(t *testing.T) {
	want := time.Date(2025, 3, 4, 8, 15, 30, 0, time.UTC)
	for _, written := range []string{
		`"2025-03-04T08:15:30+0000"`, `"2025-03-04T09:15:30+0100"`, `"2025-03-04T08:15:30Z"`, `"2025-03-04T10:15:30.000+02:00"`,
		`"/Date(1741076130000)/"`, `"/Date(1741076130000+0060)/"`, `1741076130000`, `"1741076130000"`, `"2025-03-04T08:15:30"`,
	} {
		if got := readOrder(t, `{"code":"1","created":`+written+`}`).Placed; !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", written, got, want)
		}
	}
	for _, written := range []string{`"yesterday"`, `"/Date()/"`, `true`, `{}`, `-1`, `99999999999999999999`, `"9999-12-31T23:59:59-0500"`} {
		if got := readOrder(t, `{"code":"1","created":`+written+`}`).Placed; !got.IsZero() {
			t.Errorf("%s: got %v, want no time", written, got)
		}
	}
	if got := readOrder(t, `{"code":"1","placed":"2025-03-04T08:15:30+0000"}`).Placed; !got.Equal(want) {
		t.Errorf("a row of the order history: got %v, want %v", got, want)
	}
}

func TestOrderOddities(t *testing.T) {
	for _, test := range []struct {
		name, body string
		get        func(core.Order) any
		want       any
	}{
		{"code as a number", `{"code":417003}`, func(o core.Order) any { return o.Code }, "417003"},
		{"status as an object", `{"code":"1","status":{"code":"READY"}}`, func(o core.Order) any { return o.Status }, "READY"},
		{"a guest's name is the addressee's", `{"code":"1","guestCustomer":true,"user":{"uid":"g|m","name":"Guest"},"deliveryAddress":{"firstName":"Lea","lastName":"Roth"}}`, func(o core.Order) any { return o.CustomerName }, "Lea Roth"},
		{"a company's buyer", `{"code":"1","orgCustomer":{"uid":"b@firm.example","name":"Bo"}}`, func(o core.Order) any { return o.CustomerUID }, "b@firm.example"},
		{"total without tax", `{"code":"1","totalPrice":{"value":5,"currencyIso":"EUR"}}`, func(o core.Order) any { return o.Total }, core.Money{Amount: "5.00", Currency: "EUR"}},
		{"total of the wrong type", `{"code":"1","totalPriceWithTax":"5","totalPrice":{"value":"5.5","currencyIso":"EUR"}}`, func(o core.Order) any { return o.Total }, core.Money{Amount: "5.50", Currency: "EUR"}},
		{"a line's price takes the order's currency", `{"code":"1","totalPrice":{"value":5,"currencyIso":"EUR"},"entries":[{"totalPrice":{"value":5}}]}`, func(o core.Order) any { return o.Lines[0].Total }, core.Money{Amount: "5.00", Currency: "EUR"}},
		{"a product without a name", `{"code":"1","entries":[{"product":{"code":"P-1"}}]}`, func(o core.Order) any { return o.Lines[0].Name }, "P-1"},
		{"entries with a hole", `{"code":"1","entries":[null,7,{"quantity":2}]}`, func(o core.Order) any { return len(o.Lines) }, 1},
		{"NUL", `{"code":"1","statusDisplay":"a\u0000b"}`, func(o core.Order) any { return o.StatusDisplay }, "ab"},
		{"half a quantity", `{"code":"1","entries":[{"quantity":0.5}]}`, func(o core.Order) any { return o.Lines[0].Quantity }, 0},
		{"byte order mark", "\ufeff" + `{"code":"1"}`, func(o core.Order) any { return o.Code }, "1"},
	} {
		if diff := cmp.Diff(test.want, test.get(readOrder(t, test.body))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	for _, body := range []string{``, `null`, `[]`, `{}`, `{"code":{}}`, `{"code":""}`, `{"code":tru`} {
		if _, err := hybris.NewDialect(nil).Order(json.RawMessage(body)); err == nil {
			t.Errorf("%s: got no error, want one: the code is not readable", body)
		}
	}
}

// Whatever one field of an order is replaced by or taken away, the others stay.
func TestAnyOneFieldMayBeMissingOrOdd(t *testing.T) {
	odd := []any{nil, true, "", "odd", json.Number("-1e400"), json.Number("7"), []any{}, []any{nil, "x"}, map[string]any{}, map[string]any{"value": []any{}, "code": 1}}
	var whole any
	dec := json.NewDecoder(bytes.NewReader([]byte(sample(t, "order.json"))))
	dec.UseNumber()
	if err := dec.Decode(&whole); err != nil {
		t.Fatal(err)
	}
	tried := 0
	vary(whole, "", odd, func(path string) {
		tried++
		raw, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		o, err := hybris.NewDialect(nil).Order(raw)
		if path == "/code" {
			return // the one field that must be there
		}
		if err != nil || o.Code != "77120345" {
			t.Errorf("%s: got %q, %v", path, o.Code, err)
		}
		if !strings.HasPrefix(path, "/user") && o.CustomerUID != noor {
			t.Errorf("%s costs the customer", path)
		}
		if !strings.HasPrefix(path, "/totalPriceWithTax") && o.Total != (core.Money{Amount: "1847.50", Currency: "SEK"}) {
			t.Errorf("%s costs the total: %v", path, o.Total)
		}
		if !strings.HasPrefix(path, "/entries") && (len(o.Lines) != 2 || o.Lines[1].Name != "Wool rug 140×200") {
			t.Errorf("%s costs the lines", path)
		}
		if !strings.HasPrefix(path, "/consignments") && (len(o.Consignments) != 2 || o.Consignments[0].TrackingID != "PN-000-77") {
			t.Errorf("%s costs the consignments", path)
		}
		if _, err := json.Marshal(o); err != nil {
			t.Errorf("%s: the order cannot be written again: %v", path, err)
		}
	})
	if tried < 1000 {
		t.Errorf("got %d variants, want all fields tried", tried)
	}
}

// vary takes each member below v away and replaces it by each odd value in turn,
// calling try for every variant.
func vary(v any, path string, odd []any, try func(path string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, was := range v {
			at := path + "/" + name
			vary(was, at, odd, try)
			delete(v, name)
			try(at)
			for _, o := range odd {
				v[name] = o
				try(at)
			}
			v[name] = was
		}
	case []any:
		for i, was := range v {
			at := fmt.Sprintf("%s/%d", path, i)
			vary(was, at, odd, try)
			for _, o := range odd {
				v[i] = o
				try(at)
			}
			v[i] = was
		}
	}
}

func FuzzOrder(f *testing.F) {
	f.Add([]byte(sample(f, "order.json")))
	f.Add([]byte(`{"code":"1","entries":[{"totalPrice":{"value":1E7}}],"created":"/Date(1)/"}`))
	f.Add([]byte(`{"code":1,"totalPrice":{"value":-0.0e-3,"currencyIso":"JPY"}}`))
	d := hybris.NewDialect(nil)
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := d.Order(raw)
		if (err == nil) != (o.Code != "") {
			t.Fatalf("got code %q with error %v", o.Code, err)
		}
		if _, err := json.Marshal(o); err != nil {
			t.Fatalf("the order cannot be written again: %v", err)
		}
		for _, l := range o.Lines {
			if l.ImageURL != "" && !strings.HasPrefix(strings.ToLower(l.ImageURL), "https://") {
				t.Fatalf("got picture %q", l.ImageURL)
			}
		}
	})
}

// Installations differ in whether "orders" takes codes, GUIDs or both. Whoever
// knows the customer gets the order all the same, and a guest's GUID is enough.
func TestAnOrderIsFoundByWhateverTheShopTakes(t *testing.T) {
	guest := guestGUID + "|" + noor
	for _, test := range []struct {
		key, code, asks string
		owner           string // empty: NotFound
	}{
		{"guid", "77120345", noor, noor},
		{"guid", "77120345", "", ""},
		{"guid", "77120345", lea, ""},
		{"guid", "77120347", guest, guest},
		{"guid", guestGUID, "", guest},
		{"code", guestGUID, "", guest},
		{"code", guestGUID, guest, guest},
		{"code", guestGUID, noor, ""},
		{"code", otherGUID, noor, ""},
		{"code", guestGUID, "anonymous", ""},
		{"code", "77120345", noor, noor},
		{"both", "77120346", noor, ""},
	} {
		sim, c := emulated(t)
		if err := sim.Answer(map[string]string{"order-key": test.key}); err != nil {
			t.Fatal(err)
		}
		o, err := c.Order(t.Context(), core.OrderQuery{Code: test.code, CustomerUID: test.asks})
		if test.owner != "" {
			if err != nil || o.CustomerUID != test.owner {
				t.Errorf("%+v: got an order of %q, %v", test, o.CustomerUID, err)
			}
			continue
		}
		if e := shopError(t, err); !e.NotFound || o.Code != "" {
			t.Errorf("%+v: got %v %+v, want NotFound", test, e, o)
		}
	}
}
