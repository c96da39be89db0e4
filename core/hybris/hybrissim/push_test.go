package hybrissim_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core/hybris/hybrissim"
)

// reporting returns a shop that reports to a recording gateway; the waits
// between its tries are recorded instead of waited.
func reporting(t *testing.T, opt hybrissim.Options) (*shop, *gateway, *[]time.Duration) {
	t.Helper()
	g, waits := &gateway{}, &[]time.Duration{}
	opt.AutoPush, opt.Client, opt.EventsURL, opt.EventsKey = true, g.client(), "http://gateway.example/v1/events", "k3y"
	opt.Wait = func(_ context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return nil
	}
	s := newShop(t, opt)
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	return s, g, waits
}

func ship(t *testing.T, s *shop) {
	t.Helper()
	if err := s.Ship(context.Background(), "1", "", "1Z-TEST-1", "Colix Express", ""); err != nil {
		t.Fatal(err)
	}
}

// only returns the one request, and that it had the headers.
func (g *gateway) only(t *testing.T, headers map[string]string) recorded {
	t.Helper()
	if len(g.requests) != 1 {
		t.Fatalf("requests: got %d, want 1", len(g.requests))
	}
	r := g.requests[0]
	for name, want := range headers {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	return r
}

func TestNativePush(t *testing.T) {
	s, g, _ := reporting(t, hybrissim.Options{BaseSites: []string{site}})
	ship(t, s)
	r := g.only(t, map[string]string{"Content-Type": "application/cloudevents+json", "Authorization": "Bearer k3y"})
	delete(r.body, "id")
	want := map[string]any{
		"specversion": "1.0", "source": "/shop/teashop", "type": "order.shipped", "time": "2026-11-22T10:00:00Z", "datacontenttype": "application/json",
		"data": map[string]any{"orderCode": "1", "customerUid": ines, "consignmentCode": "cons1_0", "state": "SHIPPED"},
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestKymaPush(t *testing.T) {
	s, g, _ := reporting(t, hybrissim.Options{Style: hybrissim.Kyma})
	ship(t, s)
	r := g.only(t, map[string]string{
		"Content-Type": "application/json", "ce-specversion": "1.0", "ce-type": "sap.kyma.custom.shop.order.deliverysent.v1",
		"ce-source": "kyma", "ce-time": "2026-11-22T10:00:00Z",
	})
	want := map[string]any{"orderCode": "1", "consignmentCode": "cons1_0", "consignmentStatus": "SHIPPED"}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	// A stock shop has no event for these, so nothing more arrives.
	if err := s.Deliver(context.Background(), "1", ""); err != nil {
		t.Fatal(err)
	}
	g.only(t, nil)
	if err := s.Push(context.Background(), hybrissim.Event{Type: "order.delivered", OrderCode: "1"}); !errors.Is(err, hybrissim.ErrNoEvent) {
		t.Errorf("order.delivered: got %v, want ErrNoEvent", err)
	}
}

func TestKymaStructuredPushOfAMisspeltEvent(t *testing.T) {
	s, g, _ := reporting(t, hybrissim.Options{Style: hybrissim.KymaStructured})
	err := s.Push(context.Background(), hybrissim.Event{Name: "consigment.consignmentprocessing", OrderCode: "1", ConsignmentCode: "cons1_0"})
	if err != nil {
		t.Fatal(err)
	}
	r := g.only(t, map[string]string{"Content-Type": "application/cloudevents+json"})
	if r.body["type"] != "sap.kyma.custom.shop.consigment.consignmentprocessing.v1" || at(r.body, "data", "consignmentStatus") != "READY" {
		t.Errorf("got %v", r.body)
	}
}

func TestLegacyPush(t *testing.T) {
	s, g, _ := reporting(t, hybrissim.Options{Style: hybrissim.Legacy})
	if err := s.Cancel(context.Background(), "1"); err != nil {
		t.Fatal(err)
	}
	r := g.only(t, nil)
	delete(r.body, "event-id")
	want := map[string]any{
		"event-type": "order.cancelled", "event-type-version": "v1", "event-time": "2026-11-22T10:00:00.000Z",
		"destinationTargetId": "notification-gateway", "data": map[string]any{"orderCode": "1", "orderStatus": "CANCELLED"},
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if r.user != "shop" || r.key != "k3y" {
		t.Errorf("got Basic %q %q, want shop and the key", r.user, r.key)
	}
}

func TestWebhookPush(t *testing.T) {
	s, g, _ := reporting(t, hybrissim.Options{Style: hybrissim.Webhook})
	ship(t, s)
	r := g.only(t, map[string]string{
		"ce-type": "sap.cx.commerce.OutboundConsignment.Updated.v1", "ce-source": "/emea/sap.cx.commerce/shop-d1",
		"ce-subject": "cons1_0", "ce-time": "2026-11-22T10:00:00Z", "ce-specversion": "1.0",
	})
	if r.user != "shop" || r.key != "k3y" || r.header.Get("SAP-PASSPORT") == "" {
		t.Errorf("got Basic %q, passport %q", r.user, r.header.Get("SAP-PASSPORT"))
	}
	want := map[string]any{
		"integrationKey": "cons1_0", "code": "cons1_0", "trackingID": "1Z-TEST-1",
		"status": map[string]any{"integrationKey": "SHIPPED", "code": "SHIPPED"},
		"order": map[string]any{
			"integrationKey": "1|", "code": "1", "guid": hybrissim.SampleOrder("1", ines, site).GUID,
			"user": map[string]any{"integrationKey": ines, "uid": ines}, "site": map[string]any{"integrationKey": site, "uid": site},
		},
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	// A state that nobody is told about is saved, and so it is pushed.
	if err := s.SetStatus(context.Background(), "1", "PAYMENT_CAPTURED"); err != nil {
		t.Fatal(err)
	}
	order := g.requests[1]
	if order.header.Get("ce-type") != "sap.cx.commerce.OutboundOrder.Updated.v1" || at(order.body, "status", "code") != "PAYMENT_CAPTURED" ||
		order.body["date"] != "/Date(1795341600000)/" || at(order.body, "consignments", 0, "status", "code") != "SHIPPED" {
		t.Errorf("order: got %v %v", order.header, order.body)
	}
}

func TestWebhookTries(t *testing.T) {
	tests := []struct {
		name     string
		statuses []int
		want     []int
		waits    int
		fails    bool
	}{
		{"5xx once", []int{503}, []int{503, 202}, 1, false},
		{"5xx twice", []int{500, 502}, []int{500, 502}, 1, true},
		{"4xx", []int{429}, []int{429}, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, g, waits := reporting(t, hybrissim.Options{Style: hybrissim.Webhook})
			g.statuses = tt.statuses
			err := s.Push(context.Background(), hybrissim.Event{OrderCode: "1"})
			if (err != nil) != tt.fails {
				t.Errorf("got error %v, want one: %v", err, tt.fails)
			}
			if got := s.Pushes()[0].Statuses; !slices.Equal(got, tt.want) {
				t.Errorf("tries: got %v, want %v", got, tt.want)
			}
			if len(*waits) != tt.waits || tt.waits > 0 && (*waits)[0] != 10*time.Second {
				t.Errorf("waits: got %v, want %d of 10s", *waits, tt.waits)
			}
			if len(g.requests) == 2 && g.requests[0].header.Get("ce-id") == g.requests[1].header.Get("ce-id") {
				t.Error("both tries have the same ce-id, want a new one")
			}
		})
	}
}

func TestTicketPushes(t *testing.T) {
	ctx := context.Background()
	note := func(t *testing.T, opt hybrissim.Options) *gateway {
		s, g, _ := reporting(t, opt)
		mine := s.as(s.CustomerToken(ines))
		id := mine.open(t)
		if _, err := s.AddNote(ctx, id, "Refund him nothing", false, "agent.lou"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddNote(ctx, id, "A new cup is on its way.", true, "agent.lou"); err != nil {
			t.Fatal(err)
		}
		s.Settle()
		return g
	}
	t.Run("a stock shop has none", func(t *testing.T) {
		if g := note(t, hybrissim.Options{}); len(g.requests) != 0 {
			t.Errorf("got %d requests, want none", len(g.requests))
		}
	})
	t.Run("a listener of its own says which note is public", func(t *testing.T) {
		g := note(t, hybrissim.Options{TicketPushes: true})
		var got []any
		for _, r := range g.requests {
			got = append(got, r.body["type"], at(r.body, "data", "note", "public"), at(r.body, "data", "orderCode"))
		}
		want := []any{"ticket.note_added", false, "1", "ticket.note_added", true, "1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("a webhook fires for every entry, the customer's too", func(t *testing.T) {
		g := note(t, hybrissim.Options{TicketPushes: true, Style: hybrissim.Webhook})
		var got []string
		for _, r := range g.requests {
			if r.header.Get("ce-type") != "sap.cx.commerce.OutboundTicketMessage.Created.v1" {
				t.Errorf("got %s", r.header.Get("ce-type"))
			}
			got = append(got, strings.Join([]string{
				at(r.body, "author", "uid").(string), at(r.body, "interventionType", "code").(string), at(r.body, "commentType", "code").(string),
			}, " "))
		}
		slices.Sort(got)
		want := []string{"agent.lou IM customerNote", "agent.lou Private agentNote", ines + " TicketMessage customerNote"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entries (-want +got):\n%s", diff)
		}
	})
}

func TestHeldAndDuplicatePushes(t *testing.T) {
	ctx := context.Background()
	s, g, _ := reporting(t, hybrissim.Options{})
	s.HoldPushes()
	ship(t, s)
	if err := s.Deliver(ctx, "1", ""); err != nil {
		t.Fatal(err)
	}
	if len(g.requests) != 0 {
		t.Fatalf("held: got %d requests, want none", len(g.requests))
	}
	if err := s.ReleasePushes(ctx); err != nil {
		t.Fatal(err)
	}
	if g.requests[0].body["type"] != "order.delivered" || g.requests[1].body["type"] != "order.shipped" {
		t.Errorf("got %v then %v, want the newest first", g.requests[0].body["type"], g.requests[1].body["type"])
	}
	s.DuplicatePushes(1)
	if err := s.SetStatus(ctx, "1", "COMPLETED"); err != nil {
		t.Fatal(err)
	}
	if len(g.requests) != 4 || g.requests[2].body["id"] != g.requests[3].body["id"] {
		t.Errorf("got %d requests, want 4, the last two the same", len(g.requests))
	}
}

func TestOrderComesAlong(t *testing.T) {
	s, g, _ := reporting(t, hybrissim.Options{SendOrder: true})
	s.Place(context.Background(), hybrissim.SampleOrder("5", ines, site))
	r := g.only(t, nil)
	if at(r.body, "data", "order", "code") != "5" || at(r.body, "data", "site") != site {
		t.Errorf("got %v", r.body)
	}
}
