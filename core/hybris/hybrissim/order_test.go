package hybrissim_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core/hybris/hybrissim"
)

const orders = "/occ/v2/teashop/orders/"

func TestOrderByCodeAndGUID(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	o := s.AddOrder(hybrissim.SampleOrder("00417003", ines, site))
	byCode, byGUID := s.get(orders+"00417003"), s.get(orders+o.GUID)
	if byCode.status != 200 || byCode.body != byGUID.body {
		t.Fatalf("got %d %s and %d %s, want the same twice", byCode.status, byCode.body, byGUID.status, byGUID.body)
	}
	for path, want := range map[string]any{
		"type": "orderWsDTO", "code": "00417003", "guid": o.GUID, "status": "READY", "statusDisplay": "processing",
		"created": "2026-11-22T10:00:00+0000", "site": site, "totalItems": 3.0,
	} {
		if got := byCode.tree[path]; got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	price := at(byCode.tree, "totalPriceWithTax")
	want := map[string]any{"currencyIso": "EUR", "formattedValue": "€130.60", "priceType": "BUY", "value": 130.6}
	if diff := cmp.Diff(want, price); diff != "" {
		t.Errorf("total (-want +got):\n%s", diff)
	}
	if !strings.Contains(byCode.body, `"value":25.0`) {
		t.Error("a whole amount does not read 25.0")
	}
}

func TestFieldsLevels(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	tests := []struct {
		fields string
		has    []string
		lacks  []string
	}{
		{"BASIC", []string{"type", "code", "guid"}, []string{"status", "entries", "user"}},
		{"", []string{"status", "entries/0/product/name", "deliveryAddress/town"}, []string{"deliveryAddress/phone", "entries/0/basePrice"}},
		{"DEFAULT", []string{"consignments/0/entries/0/orderEntry/totalPrice"}, []string{"consignments/0/entries/0/orderEntry/basePrice"}},
		{"FULL", []string{"deliveryAddress/phone", "entries/0/basePrice", "deliveryOrderGroups/0/entries/0/product"}, nil},
		{"code,status,user(FULL),entries(DEFAULT)", []string{"code", "status", "user/uid", "entries/0/product/code"}, []string{"guid", "entries/0/basePrice"}},
		{"DEFAULT,deliveryAddress(FULL)", []string{"status", "deliveryAddress/phone"}, []string{"entries/0/basePrice"}},
		{"entries(quantity,product(name))", []string{"entries/0/quantity", "entries/0/product/name"}, []string{"entries/0/product/code", "code"}},
		{"consignments", []string{"consignments/0/code", "consignments/0/status"}, []string{"consignments/0/entries"}},
	}
	for _, tt := range tests {
		t.Run(tt.fields, func(t *testing.T) {
			got := s.get(orders + "1?fields=" + url.QueryEscape(tt.fields))
			for _, path := range tt.has {
				if find(got.tree, path) == nil {
					t.Errorf("no %s in %s", path, got.body)
				}
			}
			for _, path := range tt.lacks {
				if v := find(got.tree, path); v != nil {
					t.Errorf("%s: got %v, want nothing", path, v)
				}
			}
		})
	}
}

// find walks a path such as entries/0/product.
func find(tree any, path string) any {
	var steps []any
	for _, s := range strings.Split(path, "/") {
		if s == "0" {
			steps = append(steps, 0)
			continue
		}
		steps = append(steps, s)
	}
	return at(tree, steps...)
}

func TestPricesInTheLanguageOfTheRequest(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	o := hybrissim.SampleOrder("1", ines, site)
	o.Lines[0].Unit = 123450
	s.AddOrder(o)
	for lang, want := range map[string]string{"": "€1,234.50", "en": "€1,234.50", "de": "1.234,50\u00a0€", "fr": "1\u202f234,50\u00a0€"} {
		got := s.get(orders + "1?fields=FULL&lang=" + lang)
		if price := at(got.tree, "entries", 0, "basePrice", "formattedValue"); price != want {
			t.Errorf("lang %q: got %q, want %q", lang, price, want)
		}
	}
}

func TestOrderHistoryPages(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	for i := range 5 {
		o := hybrissim.SampleOrder(fmt.Sprintf("%d", 10-i), ines, site)
		o.Created = s.clock.Now().Add(time.Duration(i) * time.Minute)
		if i == 4 {
			o.Status = "COMPLETED"
		}
		s.AddOrder(o)
	}
	s.AddOrder(hybrissim.SampleOrder("77", boris, site))
	s.AddOrder(hybrissim.SampleOrder("78", ines, "coffeeshop"))
	list := "/occ/v2/teashop/users/ines.vidal@example.com/orders"
	tests := []struct {
		query string
		codes []string
		pages float64
		sort  string
	}{
		{"", []string{"6", "7", "8", "9", "10"}, 1, "byDate"},
		{"?pageSize=2", []string{"6", "7"}, 3, "byDate"},
		{"?pageSize=2&currentPage=2", []string{"10"}, 3, "byDate"},
		{"?pageSize=2&currentPage=9", nil, 3, "byDate"},
		{"?sort=byOrderNumber&pageSize=3", []string{"10", "6", "7"}, 2, "byOrderNumber"},
		{"?sort=byMood", []string{"6", "7", "8", "9", "10"}, 1, "byDate"},
		{"?statuses=COMPLETED,CANCELLED", []string{"6"}, 1, "byDate"},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			got := s.get(list + tt.query)
			var codes []string
			for i := range length(got.tree["orders"]) {
				codes = append(codes, at(got.tree, "orders", i, "code").(string))
			}
			if diff := cmp.Diff(tt.codes, codes); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			if at(got.tree, "pagination", "totalPages") != tt.pages || at(got.tree, "pagination", "sort") != tt.sort {
				t.Errorf("got %v, want %v pages %s", got.tree["pagination"], tt.pages, tt.sort)
			}
		})
	}
	head := s.do("HEAD", list, "", "")
	if head.header.Get("x-total-count") != "5" || head.body != "" {
		t.Errorf("HEAD: got count %q and body %q, want 5 and none", head.header.Get("x-total-count"), head.body)
	}
	row := at(s.get(list).tree, "orders", 0).(map[string]any)
	if got := slices.Sorted(maps.Keys(row)); !slices.Equal(got, []string{"code", "guid", "placed", "status", "statusDisplay", "total"}) {
		t.Errorf("row: got %v", got)
	}
	if got := s.get(list + "?pageSize=many"); got.status != 400 {
		t.Errorf("pageSize=many: got %d, want 400", got.status)
	}
}

func TestTracking(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	path := "/occ/v2/teashop/users/ines.vidal@example.com/orders/1/consignments/cons1_0/tracking"
	if got := s.get(path); got.status != 200 || got.tree["trackingID"] != nil {
		t.Errorf("before it left: got %d %s, want no trackingID", got.status, got.body)
	}
	if err := s.Ship(context.Background(), "1", "", "1Z-TEST-1", "Colix Express", "https://track.example.com/1Z-TEST-1"); err != nil {
		t.Fatal(err)
	}
	got := s.get(path)
	want := map[string]any{
		"statusDisplay": "shipped", "trackingID": "1Z-TEST-1", "trackingUrl": "https://track.example.com/1Z-TEST-1",
		"carrierDetails":    map[string]any{"code": "COLIXEXPRESS", "name": "Colix Express"},
		"targetArrivalDate": "2026-11-24T10:00:00+0000",
		"trackingEvents": []any{map[string]any{
			"eventDate": "2026-11-22T10:00:00+0000", "detail": "Parcel handed to the carrier", "location": "Köln, DE", "referenceCode": "SHIPPED",
		}},
	}
	if diff := cmp.Diff(want, any(got.tree)); diff != "" {
		t.Errorf("tracking (-want +got):\n%s", diff)
	}
	if got := s.get(strings.Replace(path, "cons1_0", "cons1_9", 1)); got.errorType() != "NotFoundError" {
		t.Errorf("unknown parcel: got %d %s", got.status, got.body)
	}
	without := newShop(t, hybrissim.Options{NoTracking: true})
	if got := without.get(path); got.status != 404 || got.errorType() != "UnknownResourceError" {
		t.Errorf("without the extension: got %d %s, want 404", got.status, got.body)
	}
}

func TestStaleReads(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	s.StaleReads(10 * time.Second)
	s.clock.Advance(time.Minute)
	if err := s.SetStatus(context.Background(), "1", "COMPLETED"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{{0, "READY"}, {9 * time.Second, "READY"}, {time.Second, "COMPLETED"}} {
		s.clock.Advance(tt.after)
		if got := s.get(orders + "1").tree["status"]; got != tt.want {
			t.Errorf("after another %v: got %v, want %s", tt.after, got, tt.want)
		}
	}
}

func TestReturns(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	ret, err := s.AddReturn(context.Background(), "1", hybrissim.Packed{Line: 1, Quantity: 2})
	if err != nil {
		t.Fatal(err)
	}
	got := s.get("/occ/v2/teashop/users/ines.vidal@example.com/orderReturns/" + ret.Code)
	if at(got.tree, "status") != "APPROVAL_PENDING" || at(got.tree, "order", "code") != "1" ||
		at(got.tree, "returnEntries", 0, "refundAmount", "value") != 17.9 {
		t.Errorf("got %s", got.body)
	}
	list := s.get("/occ/v2/teashop/users/ines.vidal@example.com/orderReturns")
	if at(list.tree, "returnRequests", 0, "rma") != ret.Code {
		t.Errorf("list: got %s", list.body)
	}
	if got := s.get("/occ/v2/teashop/users/boris.kern@example.com/orderReturns/" + ret.Code); got.errorType() != "UnknownIdentifierError" {
		t.Errorf("somebody else's: got %d %s", got.status, got.body)
	}
	if _, err := s.AddReturn(context.Background(), "1", hybrissim.Packed{Line: 1, Quantity: 99}); err == nil {
		t.Error("99 of 4 sent back: got no error")
	}
}

func TestStatusFeed(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	s.clock.Advance(time.Hour)
	if err := s.Cancel(context.Background(), "1"); err != nil {
		t.Fatal(err)
	}
	got := s.get("/occ/v2/teashop/feeds/orders/statusfeed?timestamp=2026-11-22T10:30:00%2B0000")
	want := []any{map[string]any{"code": "1", "status": "CANCELLED", "baseSiteId": site}}
	if diff := cmp.Diff(any(want), got.tree["orderStatusUpdateElements"]); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}
	if got := s.get("/occ/v2/teashop/feeds/orders/statusfeed"); got.errorType() != "ValidationError" || got.firstError()["reason"] != "missing" {
		t.Errorf("no timestamp: got %d %s", got.status, got.body)
	}
}

func TestChangesAndReadsAtOnce(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if got := s.get(orders + "1?fields=FULL"); got.status != 200 {
				t.Errorf("got %d %s, want 200", got.status, got.body)
			}
		})
		wg.Go(func() {
			if err := s.SetStatus(context.Background(), "1", fmt.Sprintf("STATUS_%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := s.get("/occ/v2/teashop/feeds/orders/statusfeed?timestamp=2026-11-22T10:00:00%2B0000"); length(got.tree["orderStatusUpdateElements"]) != 9 {
		t.Errorf("feed: got %s, want 9 changes", got.body)
	}
}

func FuzzFields(f *testing.F) {
	for _, seed := range []string{"BASIC", "code,entries(FULL)", "entries(product(name),quantity)", "a(b", "((", "DEFAULT,,", "user()"} {
		f.Add(seed)
	}
	clock := newClock()
	sim := hybrissim.New(hybrissim.Options{ClientID: "tidings", ClientSecret: "s3cret", BaseSites: []string{site}, Now: clock.Now})
	sim.AddOrder(hybrissim.SampleOrder("1", ines, site))
	f.Fuzz(func(t *testing.T, fields string) {
		s := &shop{Sim: sim, t: t, clock: clock}
		s.token = s.clientToken()
		got := s.get(orders + "1?fields=" + url.QueryEscape(fields))
		if got.status != 200 && got.errorType() != "ConversionError" {
			t.Errorf("fields %q: got %d %s, want an order or a ConversionError", fields, got.status, got.body)
		}
	})
}
