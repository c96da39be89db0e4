package hybrissim_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"tidings/core/hybris/hybrissim"
)

// press sends a wish to the control surface.
func press(t *testing.T, s *shop, method, path, body string) reply {
	t.Helper()
	return serve(t, s.Control(), httptest.NewRequest(method, path, strings.NewReader(body)))
}

func TestControlOrders(t *testing.T) {
	s, g, _ := reporting(t, hybrissim.Options{})
	made := press(t, s, "POST", "/orders", `{"uid":"ada.lind@example.com","code":"7"}`)
	if made.status != http.StatusCreated || at(made.tree, "customer", "name") != "Ada Lind" {
		t.Fatalf("got %d %s, want 201", made.status, made.body)
	}
	if got := press(t, s, "POST", "/orders", `{"uid":"ada.lind@example.com"}`); got.tree["code"] != "00417100" {
		t.Errorf("got code %v, want one of the series", got.tree["code"])
	}
	actions := []struct{ action, body, event, parcel, order string }{
		{"ship", `{"trackingId":"T1"}`, "order.shipped", "SHIPPED", "READY"},
		{"out_for_delivery", "", "order.out_for_delivery", "DELIVERING", "READY"},
		{"delivery_failed", "", "order.delivery_failed", "DELIVERY_REJECTED", "READY"},
		{"deliver", `{"consignment":"cons7_0"}`, "order.delivered", "DELIVERY_COMPLETED", "READY"},
		{"hold", "", "order.on_hold", "DELIVERY_COMPLETED", "ON_HOLD"},
		{"payment_failed", "", "order.payment_failed", "DELIVERY_COMPLETED", "PAYMENT_NOT_CAPTURED"},
		{"approval_needed", "", "order.approval_needed", "DELIVERY_COMPLETED", "PENDING_APPROVAL"},
		{"approve", "", "order.approved", "DELIVERY_COMPLETED", "APPROVED"},
		{"reject", "", "order.rejected", "DELIVERY_COMPLETED", "REJECTED"},
		{"complete", "", "order.completed", "DELIVERY_COMPLETED", "COMPLETED"},
		{"refund", "", "order.refunded", "DELIVERY_COMPLETED", "COMPLETED"},
		{"return", "", "order.return_created", "DELIVERY_COMPLETED", "COMPLETED"},
		{"receive_return", "", "order.return_received", "DELIVERY_COMPLETED", "COMPLETED"},
		{"refund", "", "order.refunded", "DELIVERY_COMPLETED", "COMPLETED"},
		{"part_refund", "", "order.partly_refunded", "DELIVERY_COMPLETED", "COMPLETED"},
		{"part_cancel", "", "order.partly_cancelled", "DELIVERY_COMPLETED", "COMPLETED"},
		{"ready_for_pickup", "", "order.ready_for_pickup", "READY_FOR_PICKUP", "COMPLETED"},
		{"pick_up", "", "order.picked_up", "PICKUP_COMPLETE", "COMPLETED"},
		{"report", `{"type":"order.shipped"}`, "order.shipped", "PICKUP_COMPLETE", "COMPLETED"},
		{"cancel", "", "order.cancelled", "CANCELLED", "CANCELLED"},
	}
	for _, tt := range actions {
		got := press(t, s, "POST", "/orders/7/"+tt.action, tt.body)
		last := g.requests[len(g.requests)-1]
		if got.status != 200 || last.body["type"] != tt.event || at(got.tree, "consignments", 0, "status") != tt.parcel || got.tree["status"] != tt.order {
			t.Errorf("%s: got %d %s and event %v, want %s, parcel %s, order %s", tt.action, got.status, got.body, last.body["type"], tt.event, tt.parcel, tt.order)
		}
	}
	if got := press(t, s, "GET", "/orders", ""); length(got.tree["items"]) != 3 {
		t.Errorf("list: got %s, want 3", got.body)
	}
	if got := at(press(t, s, "GET", "/orders/7", "").tree, "returns", 0, "status"); got != "PAYMENT_REVERSED" {
		t.Errorf("return: got %v", got)
	}
	if got := press(t, s, "GET", "/pushes", ""); at(got.tree, "items", 0, "type") != "order.placed" || at(got.tree, "items", 0, "statuses", 0) != 202.0 {
		t.Errorf("pushes: got %s", got.body)
	}
}

func TestControlRefusals(t *testing.T) {
	s := desk(t, hybrissim.Options{})
	id := s.open(t)
	tests := []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/orders", `{"uid":""}`, 400},
		{"POST", "/orders", `{"uid":"a@example.com","code":"1"}`, 400},
		{"POST", "/orders", `{"uid":"a@example.com","colour":"red"}`, 400},
		{"POST", "/orders/1/explode", ``, 400},
		{"POST", "/orders/1/status", ``, 400},
		{"POST", "/orders/1/report", ``, 400},
		{"POST", "/orders/404/ship", ``, 404},
		{"POST", "/orders/1/ship", `{"consignment":"cons9"}`, 404},
		{"GET", "/orders/404", ``, 404},
		{"GET", "/tickets/404", ``, 404},
		{"POST", "/tickets/404/notes", `{"text":"x"}`, 404},
		{"POST", "/tickets/" + id + "/notes", `{"text":" "}`, 400},
		{"POST", "/tickets/" + id + "/status", `{"status":"OPEN"}`, 409},
		{"POST", "/faults", `{"fail":{"status":200}}`, 400},
		{"POST", "/faults", `{"delay":"soon"}`, 400},
		{"GET", "/nothing", ``, 404},
	}
	for _, tt := range tests {
		if got := press(t, s, tt.method, tt.path, tt.body); got.status != tt.status || got.tree["error"] == nil {
			t.Errorf("%s %s %s: got %d %s, want %d with an error", tt.method, tt.path, tt.body, got.status, got.body, tt.status)
		}
	}
}

func TestControlTickets(t *testing.T) {
	s := desk(t, hybrissim.Options{})
	id := s.open(t)
	internal := press(t, s, "POST", "/tickets/"+id+"/notes", `{"text":"Check stock"}`)
	if internal.status != 201 || at(internal.tree, "entries", 1, "public") != false {
		t.Errorf("internal: got %d %s", internal.status, internal.body)
	}
	public := press(t, s, "POST", "/tickets/"+id+"/notes", `{"text":"On its way","public":true,"agent":"agent.kim"}`)
	if at(public.tree, "entries", 2, "public") != true || at(public.tree, "entries", 2, "author") != "agent.kim" {
		t.Errorf("public: got %s", public.body)
	}
	closed := press(t, s, "POST", "/tickets/"+id+"/status", `{"status":"CLOSED","text":"Done"}`)
	if closed.tree["status"] != "CLOSED" || closed.tree["order"] != "1" {
		t.Errorf("closed: got %s", closed.body)
	}
	if got := press(t, s, "GET", "/tickets", ""); at(got.tree, "items", 0, "id") != id {
		t.Errorf("list: got %s", got.body)
	}
	if seen := length(s.get(tickets + "/" + id).tree["ticketEvents"]); seen != 3 {
		t.Errorf("the customer sees %d entries, want 3", seen)
	}
}

func TestControlFaultsAndCounts(t *testing.T) {
	s := desk(t, hybrissim.Options{})
	wishes := []struct{ body, want string }{
		{`{"down":true}`, "dropped"},
		{`{"down":false,"unavailable":true}`, "503"},
		{`{"clear":true,"fail":{"times":1,"status":500,"type":"OopsError","path":"/tickets"}}`, "500 OopsError"},
		{`{"delay":"0s","staleReads":"2s","unknownOutcome":0,"rejectTickets":false,"duplicatePushes":0}`, "200"},
	}
	for _, tt := range wishes {
		if got := press(t, s, "POST", "/faults", tt.body); got.status != 200 {
			t.Fatalf("%s: got %d %s", tt.body, got.status, got.body)
		}
		if got := met(s.get(tickets)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.body, got, tt.want)
		}
	}
	press(t, s, "POST", "/faults", `{"expireTokens":true}`)
	if got := s.get(tickets); got.errorType() != "InvalidTokenError" {
		t.Errorf("expired: got %s", got.body)
	}
	if got := press(t, s, "GET", "/requests", ""); at(got.tree, "counts", "GET /users/{userId}/tickets") != 5.0 || got.tree["total"] != 6.0 {
		t.Errorf("requests: got %s", got.body)
	}
	if got := press(t, s, "POST", "/customers", `{"uid":"c@example.com","name":"C"}`); got.status != 201 || got.tree["customerId"] == "" {
		t.Errorf("customer: got %d %s", got.status, got.body)
	}
}

// TestControlHelp: what can be done is written down, and served.
func TestControlHelp(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	help := press(t, s, "GET", "/", "").body
	for _, m := range regexp.MustCompile(`"((?:GET|POST) /[a-z][^"]*)"`).FindAllStringSubmatch(source(t, "control.go"), -1) {
		method, path, _ := strings.Cut(m[1], " ")
		if !regexp.MustCompile(`(?m)^` + method + ` +` + regexp.QuoteMeta(path) + ` `).MatchString(help) {
			t.Errorf("%s is not in control.txt", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`json:"([a-zA-Z]+)"`).FindAllStringSubmatch(source(t, "control.go")+source(t, "controldesk.go"), -1) {
		if !strings.Contains(help, `"`+m[1]+`"`) {
			t.Errorf("the field %s is not in control.txt", m[1])
		}
	}
}

func source(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
