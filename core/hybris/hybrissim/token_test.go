package hybrissim_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tidings/core/hybris/hybrissim"
)

const askClient = "grant_type=client_credentials&client_id=tidings&client_secret=s3cret"

func TestLegacyTokenStaysTheSameAndRunsOut(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	first := s.askToken(askClient)
	s.clock.Advance(79 * time.Second)
	second := s.askToken(askClient)
	if first.tree["access_token"] != second.tree["access_token"] {
		t.Errorf("got another token %v, want %v", second.tree["access_token"], first.tree["access_token"])
	}
	if got, want := second.tree["expires_in"], 43200.0-79; got != want {
		t.Errorf("expires_in: got %v, want %v", got, want)
	}
	if second.tree["token_type"] != "bearer" || second.tree["scope"] != "extended" {
		t.Errorf("got %s, want bearer and extended", second.body)
	}
	s.clock.Advance(12 * time.Hour)
	if got := s.get("/occ/v2/teashop/orders/1"); got.errorType() != "InvalidTokenError" || got.status != 401 {
		t.Errorf("expired: got %d %s, want 401 InvalidTokenError", got.status, got.body)
	}
	if third := s.askToken(askClient); third.tree["access_token"] == first.tree["access_token"] || third.tree["expires_in"] != 43200.0 {
		t.Errorf("after its end: got %s, want a new token of 43200 s", third.body)
	}
}

func TestShortTokensAreNewEachTime(t *testing.T) {
	s := newShop(t, hybrissim.Options{TokenTTL: 300 * time.Second})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	got := s.askToken(askClient)
	token, _ := got.tree["access_token"].(string)
	if got.tree["expires_in"] != 300.0 || strings.Count(token, ".") != 2 {
		t.Errorf("got %s, want a JWT of 300 s", got.body)
	}
	if again := s.clientToken(); again == token {
		t.Error("got the same token twice, want a new one")
	}
	if got := s.as(token).get("/occ/v2/teashop/orders/1"); got.status != 200 {
		t.Errorf("first of two tokens: got %d %s, want 200", got.status, got.body)
	}
	s.clock.Advance(300 * time.Second)
	if got := s.as(token).get("/occ/v2/teashop/orders/1"); got.errorType() != "InvalidTokenError" {
		t.Errorf("at its end: got %s, want InvalidTokenError", got.body)
	}
}

func TestTokenRefusals(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	tests := []struct {
		name, form string
		status     int
		code       string
	}{
		{"wrong secret", "grant_type=client_credentials&client_id=tidings&client_secret=no", 401, "invalid_client"},
		{"unknown client", "grant_type=client_credentials&client_id=x&client_secret=s3cret", 401, "invalid_client"},
		{"nobody", "grant_type=client_credentials", 401, "invalid_client"},
		{"password", strings.Replace(askClient, "client_credentials", "password", 1) + "&username=a&password=b", 400, "invalid_grant"},
		{"stale refresh token", strings.Replace(askClient, "client_credentials", "refresh_token", 1), 400, "invalid_grant"},
		{"unheard of", strings.Replace(askClient, "client_credentials", "device", 1), 400, "unsupported_grant_type"},
		{"no grant", "client_id=tidings&client_secret=s3cret", 400, "invalid_request"},
		{"scope", askClient + "&scope=basic", 400, "invalid_scope"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.askToken(tt.form)
			if got.status != tt.status || got.tree["error"] != tt.code {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tt.status, tt.code)
			}
			if challenge := got.header.Get("WWW-Authenticate"); tt.status == 401 && !strings.Contains(challenge, `Basic realm="hybris", error="invalid_client"`) {
				t.Errorf("got challenge %q", challenge)
			}
		})
	}
	if got := s.as("").do("POST", "/authorizationserver/oauth/token", "application/json", `{"grant_type":"client_credentials"}`); got.status != 401 {
		t.Errorf("JSON: got %d, want 401", got.status)
	}
	if got := s.as("").get("/authorizationserver/oauth/token?" + askClient); got.status != 405 {
		t.Errorf("GET: got %d, want 405", got.status)
	}
}

func TestTokenByBasic(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	r := httptest.NewRequest(http.MethodPost, "/authorizationserver/oauth/token", strings.NewReader("grant_type=client_credentials&scope=extended"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("tidings", "s3cret")
	if got := serve(t, s.Sim, r); got.status != 200 || got.tree["access_token"] != s.token {
		t.Errorf("got %d %s, want the client's token", got.status, got.body)
	}
}

func TestTooManyWrongSecretsDisableTheClient(t *testing.T) {
	s := newShop(t, hybrissim.Options{MaxSecretAttempts: 3})
	for range 3 {
		s.askToken("grant_type=client_credentials&client_id=tidings&client_secret=no")
	}
	if got := s.askToken(askClient); got.status != 401 {
		t.Errorf("got %d %s, want 401", got.status, got.body)
	}
}

func TestExpireTokens(t *testing.T) {
	s := newShop(t, hybrissim.Options{})
	s.AddOrder(hybrissim.SampleOrder("1", ines, site))
	s.ExpireTokens()
	if got := s.get("/occ/v2/teashop/orders/1"); got.errorType() != "InvalidTokenError" {
		t.Errorf("got %s, want InvalidTokenError", got.body)
	}
	if fresh := s.clientToken(); fresh == s.token {
		t.Error("got the dead token again")
	}
}
