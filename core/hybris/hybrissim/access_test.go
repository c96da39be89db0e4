package hybrissim_test

import (
	"net/http"
	"strings"
	"testing"

	"tidings/core/hybris/hybrissim"
)

// TestRolesMatrix asks every resource as everybody.
func TestRolesMatrix(t *testing.T) {
	const base = "/occ/v2/teashop"
	user := base + "/users/ines.vidal%40example.com"
	create := `{"subject":"Cup","message":"One is missing","ticketCategory":{"id":"PROBLEM"}}`
	const (
		ok        = ""
		nobody    = "UnauthorizedError"
		norole    = "AccessDeniedError"
		notyours  = "ForbiddenError"
		wrongForm = "HttpMediaTypeNotSupportedError" // let in, and then asked for a form
	)
	tests := []struct {
		name, method, path, body                         string
		none, application, trusted, owner, other, agents string
	}{
		{"order", "GET", base + "/orders/00417003", "", nobody, norole, ok, norole, norole, norole},
		{"status feed", "GET", base + "/feeds/orders/statusfeed?timestamp=2026-11-22T09:00:00%2B0000", "", nobody, norole, ok, norole, norole, norole},
		{"user's order", "GET", user + "/orders/00417003", "", nobody, notyours, ok, ok, notyours, ok},
		{"user's orders", "GET", user + "/orders", "", nobody, notyours, ok, ok, notyours, ok},
		{"tracking", "GET", user + "/orders/00417003/consignments/cons00417003_0/tracking", "", nobody, notyours, ok, ok, notyours, ok},
		{"returns", "GET", user + "/orderReturns", "", nobody, notyours, ok, ok, notyours, ok},
		{"tickets", "GET", user + "/tickets", "", nobody, notyours, norole, ok, notyours, ok},
		{"ticket", "GET", user + "/tickets/00000F21", "", nobody, notyours, norole, ok, notyours, ok},
		{"new ticket", "POST", user + "/tickets", create, nobody, notyours, norole, ok, notyours, norole},
		{"new entry", "POST", user + "/tickets/00000F21/events", `{"message":"Hello"}`, nobody, notyours, norole, ok, notyours, norole},
		{"associated objects", "GET", user + "/ticketAssociatedObjects", "", nobody, notyours, norole, ok, notyours, norole},
		{"attachment", "POST", user + "/tickets/00000F21/events/0000A130/attachments", "", nobody, notyours, norole, wrongForm, notyours, norole},
		{"consent templates", "GET", user + "/consenttemplates", "", nobody, notyours, ok, ok, notyours, ok},
		{"preferences", "GET", user + "/notificationpreferences", "", nobody, notyours, ok, ok, notyours, ok},
		{"site messages", "GET", user + "/notifications/sitemessages", "", nobody, notyours, ok, ok, notyours, ok},
		{"categories", "GET", base + "/ticketCategories", "", ok, ok, ok, ok, ok, ok},
		{"base sites", "GET", "/occ/v2/basesites", "", ok, ok, ok, ok, ok, ok},
	}
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("00417003", ines, site))
	if got := s.as(s.CustomerToken(ines)).post(user+"/tickets", create); at(got.tree, "id") != "00000F21" {
		t.Fatalf("first ticket: got %d %s", got.status, got.body)
	}
	for _, tt := range tests {
		for _, who := range []struct{ name, token, want string }{
			{"nobody", "", tt.none},
			{"application", s.ApplicationToken(), tt.application},
			{"trusted client", s.token, tt.trusted},
			{"owner", s.CustomerToken(ines), tt.owner},
			{"other customer", s.CustomerToken(boris), tt.other},
			{"manager", s.ManagerToken("agent.lou"), tt.agents},
		} {
			got := s.as(who.token).do(tt.method, tt.path, "application/json", tt.body)
			if got.errorType() != who.want {
				t.Errorf("%s as %s: got %d %s, want %q", tt.name, who.name, got.status, got.body, who.want)
			}
			if want := map[string]int{nobody: 401, norole: 401, notyours: 403}[who.want]; want != 0 && got.status != want {
				t.Errorf("%s as %s: got status %d, want %d", tt.name, who.name, got.status, want)
			}
		}
	}
}

func TestTrustedTicketsWhereTheShopOpensThem(t *testing.T) {
	s := newShop(t, hybrissim.Options{AllowTrustedTickets: true})
	const user = "/occ/v2/teashop/users/ines.vidal@example.com"
	got := s.post(user+"/tickets", `{"subject":"Cup","message":"One is missing","ticketCategory":{"id":"PROBLEM"}}`)
	if got.status != http.StatusCreated {
		t.Fatalf("create: got %d %s, want 201", got.status, got.body)
	}
	if got := s.get(user + "/tickets"); got.status != http.StatusOK {
		t.Errorf("list: got %d %s, want 200", got.status, got.body)
	}
}

func TestErrorBodies(t *testing.T) {
	s := newShop(t, hybrissim.Options{Languages: []string{"en", "de"}})
	s.AddOrder(hybrissim.SampleOrder("00417003", ines, site))
	const base = "/occ/v2/teashop"
	tests := []struct {
		name, token, path  string
		status             int
		errorType, message string
	}{
		{"no token", "", base + "/orders/00417003", 401, "UnauthorizedError", "Full authentication is required to access this resource"},
		{"unknown token", "00000000-0000", base + "/orders/00417003", 401, "InvalidTokenError", "Invalid access token: 00000000-0000"},
		{"unknown token where none is needed", "nonsense", base + "/ticketCategories", 401, "InvalidTokenError", "Invalid access token: nonsense"},
		{"unknown order", s.token, base + "/orders/99999999", 400, "UnknownIdentifierError", "Order with guid 99999999 not found for current user in current BaseStore"},
		{"order of another site", s.token, "/occ/v2/coffeeshop/orders/00417003", 400, "UnknownIdentifierError", "Order with guid 00417003 not found for current user in current BaseStore"},
		{"order of another user", s.token, base + "/users/boris.kern@example.com/orders/00417003", 400, "UnknownIdentifierError", "Order with guid 00417003 not found for current user in current BaseStore"},
		{"unknown site", s.token, "/occ/v2/nosuch/orders/1", 400, "InvalidResourceError", "Base site nosuch doesn't exist"},
		{"unknown user", s.token, base + "/users/nobody@example.com/orders", 400, "UnknownIdentifierError", "Cannot find user with propertyValue 'nobody@example.com'"},
		{"trusted client as current", s.token, base + "/users/current/orders", 400, "UnknownIdentifierError", "Cannot find user with propertyValue 'current'"},
		{"unknown user before the missing role", s.token, base + "/users/current/tickets", 400, "UnknownIdentifierError", "Cannot find user with propertyValue 'current'"},
		{"unknown field", s.token, base + "/orders/00417003?fields=code,colour", 400, "ConversionError", "Incorrect field:'colour'"},
		{"half a field list", s.token, base + "/orders/00417003?fields=entries(", 400, "ConversionError", "Incorrect field:'entries('"},
		{"unsupported language", s.token, base + "/orders/00417003?lang=fr", 400, "UnsupportedLanguageError", "Language fr is not supported"},
		{"unknown path", s.token, base + "/nothing", 404, "UnknownResourceError", "There is no resource for path /v2/teashop/nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.as(tt.token).get(tt.path)
			if got.status != tt.status || got.errorType() != tt.errorType || got.firstError()["message"] != tt.message {
				t.Errorf("got %d %s, want %d %s: %s", got.status, got.body, tt.status, tt.errorType, tt.message)
			}
			if got.status == 401 && !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("got WWW-Authenticate %q, want a Bearer challenge", got.header.Get("WWW-Authenticate"))
			}
		})
	}
	if got := s.do("DELETE", base+"/orders/00417003", "", ""); got.status != 405 {
		t.Errorf("DELETE: got %d, want 405", got.status)
	}
}

func TestUserIDRules(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("00417003", ines, site))
	guest := hybrissim.SampleOrder("00417004", "6a1d|walk.in@example.com", site)
	guest.Guest = true
	guest = s.AddOrder(guest)
	id := s.AddCustomer(ines, "").ID
	const users = "/occ/v2/teashop/users/"
	mine, app := s.CustomerToken(ines), s.ApplicationToken()
	tests := []struct {
		name, token, path string
		status            int
	}{
		{"customer as current", mine, users + "current/orders/00417003", 200},
		{"customer by own uid", mine, users + "ines.vidal%40example.com/orders/00417003", 200},
		{"customer by customerId", mine, users + id + "/orders/00417003", 200},
		{"trusted client by customerId", s.token, users + id + "/orders/00417003", 200},
		{"guest by GUID", app, users + "anonymous/orders/" + guest.GUID, 200},
		{"guest by code", app, users + "anonymous/orders/00417004", 400},
		{"guest's uid by the trusted client", s.token, users + "6a1d%7Cwalk.in@example.com/orders/00417004", 200},
		{"a customer's order as anonymous", s.token, users + "anonymous/orders/00417003", 400},
		{"a customer's order by GUID, toggle off", mine, users + "current/orders/" + hybrissim.SampleOrder("00417003", ines, site).GUID, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.as(tt.token).get(tt.path); got.status != tt.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, tt.status)
			}
		})
	}
	toggled := newShop(t, hybrissim.Options{OrderByGUID: true})
	o := toggled.AddOrder(hybrissim.SampleOrder("00417003", ines, site))
	if got := toggled.as(toggled.CustomerToken(ines)).get(users + "current/orders/" + o.GUID); got.status != 200 {
		t.Errorf("by GUID, toggle on: got %d %s, want 200", got.status, got.body)
	}
	old := newShop(t, hybrissim.Options{Mode2105: true})
	got := old.get(users + "x/orders")
	if want := "Cannot find user with uid 'x'"; got.firstError()["message"] != want {
		t.Errorf("2105: got %s, want %q", got.body, want)
	}
}
