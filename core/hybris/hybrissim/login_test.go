package hybrissim_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
)

const askStorefront = "&client_id=storefront&client_secret=storefront"

func (s *shop) passwordLogin(uid string) reply {
	s.t.Helper()
	return s.askToken("grant_type=password&username=" + url.QueryEscape(uid) + "&password=" + hybrissim.DefaultPassword + askStorefront)
}

func text(r reply, field string) string { s, _ := r.tree[field].(string); return s }

func TestCustomersLogInByPassword(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	got := s.passwordLogin(ines)
	if got.status != 200 || got.tree["expires_in"] != 43200.0 || got.tree["scope"] != "basic" || text(got, "refresh_token") == "" {
		t.Fatalf("got %d %s, want a token of 43200 s with one to refresh it", got.status, got.body)
	}
	mine := s.as(text(got, "access_token"))
	if got := mine.get("/occ/v2/teashop/users/current/orders/1"); got.status != 200 {
		t.Errorf("own order: got %d %s, want 200", got.status, got.body)
	}
	if got := mine.get("/occ/v2/teashop/orders/1"); got.errorType() != "AccessDeniedError" {
		t.Errorf("any order: got %d %s, want AccessDeniedError", got.status, got.body)
	}
	s.ExpireTokens()
	again := s.askToken("grant_type=refresh_token&refresh_token=" + text(got, "refresh_token") + askStorefront)
	if again.status != 200 || text(again, "access_token") == mine.token || text(again, "refresh_token") != text(got, "refresh_token") {
		t.Errorf("refreshed: got %d %s, want another token and the same to refresh it", again.status, again.body)
	}
	for name, form := range map[string]string{
		"wrong password":      "grant_type=password&username=" + ines + "&password=no" + askStorefront,
		"nobody":              "grant_type=password&username=x&password=" + hybrissim.DefaultPassword + askStorefront,
		"unknown refresh":     "grant_type=refresh_token&refresh_token=x" + askStorefront,
		"code of nobody":      "grant_type=authorization_code&code=x" + askStorefront,
		"another's refresh":   "grant_type=refresh_token&refresh_token=" + text(got, "refresh_token") + "&client_id=tidings&client_secret=s3cret",
		"trusted by password": "grant_type=password&username=" + ines + "&password=" + hybrissim.DefaultPassword + "&client_id=tidings&client_secret=s3cret",
	} {
		if got := s.askToken(form); got.status != 400 || got.tree["error"] != "invalid_grant" {
			t.Errorf("%s: got %d %s, want 400 invalid_grant", name, got.status, got.body)
		}
	}
}

func TestTheNewServerHasNoPasswords(t *testing.T) {
	s := newShop(t, hybrissim.Options{TokenTTL: 300 * time.Second})
	if got := s.passwordLogin(ines); got.status != 400 || got.tree["error"] != "unsupported_grant_type" {
		t.Errorf("got %d %s, want 400 unsupported_grant_type", got.status, got.body)
	}
}

// authorize logs a customer in as a browser does and returns where it is sent.
func (s *shop) authorize(t *testing.T, query, form string) (reply, url.Values) {
	t.Helper()
	got := s.as("").do("POST", "/authorizationserver/oauth/authorize?"+query, "application/x-www-form-urlencoded", form)
	to, err := url.Parse(got.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return got, to.Query()
}

func TestCustomersLogInByCode(t *testing.T) {
	for _, ttl := range []time.Duration{0, 300 * time.Second} {
		s := newShop(t, hybrissim.Options{TokenTTL: ttl})
		verifier := strings.Repeat("proof-", 9)
		sum := sha256.Sum256([]byte(verifier))
		query := "response_type=code&client_id=storefront&state=s7&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fback&code_challenge_method=S256&code_challenge=" +
			base64.RawURLEncoding.EncodeToString(sum[:])
		credentials := "username=" + ines + "&password=" + hybrissim.DefaultPassword
		if got := s.get("/authorizationserver/oauth/authorize?" + query); got.status != 200 || !strings.Contains(got.body, "<form") {
			t.Fatalf("page: got %d %s, want a form", got.status, got.body)
		}
		got, back := s.authorize(t, query, credentials)
		if got.status != http.StatusFound || back.Get("state") != "s7" || back.Get("code") == "" {
			t.Fatalf("got %d to %v, want a code and the state", got.status, back)
		}
		exchange := "grant_type=authorization_code&redirect_uri=http://127.0.0.1:1/back&code=" + back.Get("code") + askStorefront
		if got := s.askToken(exchange); got.tree["error"] != "invalid_grant" {
			t.Errorf("without the proof: got %d %s, want invalid_grant", got.status, got.body)
		}
		_, back = s.authorize(t, query, credentials)
		exchange = "grant_type=authorization_code&redirect_uri=http://127.0.0.1:1/back&code=" + back.Get("code") + askStorefront + "&code_verifier=" + verifier
		token := s.askToken(exchange)
		if token.status != 200 || s.as(text(token, "access_token")).get("/occ/v2/teashop/users/current/orders").status != 200 {
			t.Errorf("got %d %s, want a token that reads one's own orders", token.status, token.body)
		}
		if got := s.askToken(exchange); got.tree["error"] != "invalid_grant" {
			t.Errorf("the code again: got %d %s, want invalid_grant", got.status, got.body)
		}
		s.as("").do("POST", "/authorizationserver/oauth/revoke", "application/x-www-form-urlencoded", "token="+text(token, "access_token"))
		if got := s.as(text(token, "access_token")).get("/occ/v2/teashop/users/current/orders"); got.errorType() != "InvalidTokenError" {
			t.Errorf("revoked: got %d %s, want InvalidTokenError", got.status, got.body)
		}
	}
}

func TestAuthorizationRefusals(t *testing.T) {
	s := newShop(t, hybrissim.Options{Clients: []hybrissim.Client{
		{ID: "app", Scope: "basic", Grants: []string{"authorization_code"}, Redirects: []string{"https://shop.example/back"}},
	}})
	const good = "response_type=code&client_id=app&redirect_uri=https://shop.example/back&code_challenge=x&code_challenge_method=S256"
	tests := []struct {
		name, query string
		status      int
		fault       string
	}{
		{"good", good, 200, ""},
		{"unknown client", strings.Replace(good, "=app", "=other", 1), 400, ""},
		{"another place", strings.Replace(good, "/back", "/back2", 1), 400, ""},
		{"implicit", strings.Replace(good, "=code", "=token", 1), 302, "unsupported_response_type"},
		{"plain proof", strings.Replace(good, "S256", "plain", 1), 302, "invalid_request"},
		{"public client without a proof", strings.Replace(good, "&code_challenge=x", "", 1), 302, "invalid_request"},
		{"scope", good + "&scope=extended", 302, "invalid_scope"},
	}
	for _, tt := range tests {
		got := s.get("/authorizationserver/oauth/authorize?" + tt.query)
		to, _ := url.Parse(got.header.Get("Location"))
		if got.status != tt.status || to.Query().Get("error") != tt.fault {
			t.Errorf("%s: got %d to %s, want %d %s", tt.name, got.status, to, tt.status, tt.fault)
		}
	}
	got, _ := s.authorize(t, good, "username="+ines+"&password=no")
	if got.status != http.StatusUnauthorized {
		t.Errorf("wrong password: got %d, want 401", got.status)
	}
}

func TestCustomersChange(t *testing.T) {
	ctx := context.Background()
	s, g, _ := reporting(t, hybrissim.Options{})
	const next = "ines.lang@example.com"
	token := s.CustomerToken(ines)
	id := s.as(token).open(t)
	if err := s.Rename(ctx, ines, next); err != nil {
		t.Fatal(err)
	}
	if got := s.as(token).get(tickets); got.errorType() != "InvalidTokenError" {
		t.Errorf("old token: got %d %s, want InvalidTokenError", got.status, got.body)
	}
	mine := s.as(s.CustomerToken(next))
	if got := mine.get(tickets + "/" + id); got.status != 200 {
		t.Errorf("ticket: got %d %s, want 200", got.status, got.body)
	}
	if got := mine.get("/occ/v2/teashop/users/current/orders/1"); at(got.tree, "user", "uid") != next {
		t.Errorf("order: got %d %s, want it to be theirs", got.status, got.body)
	}
	if _, err := s.Register(ctx, next, "Somebody"); err == nil {
		t.Error("registered a uid twice, want an error")
	}
	if err := s.ChangeCustomer(ctx, next, "closed"); err != nil {
		t.Fatal(err)
	}
	if got := s.passwordLogin(next); got.tree["error"] != "invalid_grant" {
		t.Errorf("closed: got %d %s, want invalid_grant", got.status, got.body)
	}
	var told []any
	for _, r := range g.requests {
		told = append(told, r.body["type"], at(r.body, "data", "customerUid"), at(r.body, "data", "previousUid"))
	}
	want := []any{"customer.renamed", next, ines, "customer.closed", next, nil}
	for i := range want {
		if len(told) != len(want) || told[i] != want[i] {
			t.Fatalf("events: got %v, want %v", told, want)
		}
	}
}

func TestRestartLosesTheStatusFeed(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	const feed = "/occ/v2/teashop/feeds/orders/statusfeed?timestamp=2026-11-22T09:00:00%2B0000"
	if n := length(s.get(feed).tree["orderStatusUpdateElements"]); n != 1 {
		t.Fatalf("before: got %d elements, want 1", n)
	}
	s.Restart()
	if n := length(s.get(feed).tree["orderStatusUpdateElements"]); n != 0 {
		t.Errorf("after: got %d elements, want none", n)
	}
	if got := s.get(orders + "1"); got.status != 200 {
		t.Errorf("order: got %d %s, want 200, with the token of before", got.status, got.body)
	}
}
