package web_test

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/core/web"
)

func basic(name, key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+key))
}

func TestAuthorization(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		tests := []struct {
			name, header, target string
			want                 int
		}{
			{"bearer", "Bearer " + fullKey, "/v1/messages", 200},
			{"bearer in lower case", "bearer " + fullKey, "/v1/messages", 200},
			{"basic", basic("shop", fullKey), "/v1/messages", 200},
			{"nothing", "", "/v1/messages", 401},
			{"empty bearer", "Bearer ", "/v1/messages", 401},
			{"wrong key", "Bearer " + fullKey + "x", "/v1/messages", 401},
			{"beginning of a key", "Bearer " + fullKey[:10], "/v1/messages", 401},
			{"key of another name", basic("feed", fullKey), "/v1/messages", 401},
			{"unknown name", basic("nobody", fullKey), "/v1/messages", 401},
			{"name without a key", basic("shop", ""), "/v1/messages", 401},
			{"unreadable basic", "Basic !!!", "/v1/messages", 401},
			{"other scheme", "Digest " + fullKey, "/v1/messages", 401},
			{"the key alone", fullKey, "/v1/messages", 401},
			{"no such token", "Bearer " + base64.RawURLEncoding.EncodeToString(make([]byte, 60)), "/v1/messages", 401},
			{"out of scope", "Bearer " + eventsKey, "/v1/messages", 403},
			{"in scope", "Bearer " + eventsKey, "/v1/events/none", 404},
		}
		for _, test := range tests {
			a := r.on(r.internal, "GET", test.target, "", "Authorization", test.header)
			if a.status != test.want {
				t.Errorf("%s: got %d, want %d", test.name, a.status, test.want)
			}
			if test.want == 401 && len(a.header.Values("WWW-Authenticate")) != 2 {
				t.Errorf("%s: WWW-Authenticate: got %q, want both ways", test.name, a.header.Values("WWW-Authenticate"))
			}
			for _, secret := range []string{fullKey, eventsKey} {
				if strings.Contains(string(a.body)+r.log.String(), secret) {
					t.Errorf("%s: a key is told", test.name)
				}
			}
		}
	})
}

// Without keys nobody gets in, not even with an empty one.
func TestNoKeys(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		for _, keys := range [][]web.APIKey{nil, {{Name: "shop", Key: ""}}} {
			r.settings.APIKeys = keys
			r.server.Set(r.settings)
			for _, header := range []string{"", "Bearer ", basic("shop", ""), basic("", "")} {
				r.on(r.internal, "GET", "/v1/messages", "", "Authorization", header).want(401)
			}
		}
	})
}

func (r *rig) token(headers []string, form ...string) answer {
	r.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	return r.on(r.public, "POST", "/oauth/token", values.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

func TestToken(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		grant := []string{"grant_type", "client_credentials"}
		byForm := r.token(nil, append(grant, "client_id", "shop", "client_secret", fullKey)...).want(200)
		byForm.is("Bearer", "token_type").is(3600, "expires_in").is("events optins messages customers admin", "scope")
		token := byForm.at("access_token").(string)
		for _, secret := range []string{fullKey, base64.RawURLEncoding.EncodeToString([]byte(fullKey))} {
			if strings.Contains(token, secret) {
				t.Error("the token holds the key")
			}
		}
		r.on(r.internal, "GET", "/v1/messages", "", "Authorization", "Bearer "+token).want(200)

		byBasic := r.token([]string{"Authorization", basic("feed", eventsKey)}, grant...).want(200).is("events", "scope")
		r.on(r.internal, "GET", "/v1/messages", "", "Authorization", "Bearer "+byBasic.at("access_token").(string)).want(403)

		// Some clients encode both halves as a form, as RFC 6749 has it.
		r.settings.APIKeys = append(r.settings.APIKeys, web.APIKey{Name: "a shop", Key: "k+/%41"})
		r.server.Set(r.settings)
		r.token([]string{"Authorization", basic("a+shop", "k%2B%2F%2541")}, grant...).want(200)
		r.token([]string{"Authorization", basic("a shop", "k+/%41")}, grant...).want(200)
		r.token([]string{"Authorization", basic("a+shop", "k%zz")}, grant...).want(401)

		r.token([]string{"Authorization", basic("feed", "wrong")}, grant...).want(401).is("invalid_client", "error")
		r.token(nil, grant...).want(401)
		r.token(nil, append(grant, "client_id", "feed", "client_secret", fullKey)...).want(401)
		r.token(nil, "grant_type", "password", "client_id", "shop", "client_secret", fullKey).want(400).is("unsupported_grant_type", "error")
		r.on(r.public, "POST", "/oauth/token", `{}`).want(415)
		r.on(r.public, "POST", "/oauth/token", strings.Repeat("x", 1<<17), "Content-Type", "application/x-www-form-urlencoded").want(413)
	})
}

// A token that was changed, has run out, or whose key is gone is none.
func TestTokenEnds(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		token := r.token(nil, "grant_type", "client_credentials", "client_id", "feed", "client_secret", eventsKey).want(200).at("access_token").(string)
		status := func(token string) int {
			return r.on(r.internal, "GET", "/v1/events/none", "", "Authorization", "Bearer "+token).status
		}
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		for i := range raw {
			changed := []byte(string(raw))
			changed[i] ^= 1
			if got := status(base64.RawURLEncoding.EncodeToString(changed)); got != 401 {
				t.Fatalf("byte %d changed: got %d, want 401", i, got)
			}
		}
		// Another client's name under the same tag.
		if got := status(base64.RawURLEncoding.EncodeToString(append(raw[:40:40], "shop"...))); got != 401 {
			t.Errorf("another name: got %d, want 401", got)
		}
		<-time.After(time.Hour - time.Second) // in virtual time
		if got := status(token); got != 404 {
			t.Errorf("before its end: got %d, want 404", got)
		}
		<-time.After(time.Second)
		if got := status(token); got != 401 {
			t.Errorf("after its end: got %d, want 401", got)
		}
		token = r.token(nil, "grant_type", "client_credentials", "client_id", "feed", "client_secret", eventsKey).want(200).at("access_token").(string)
		r.settings.APIKeys[1].Key = "another-key-of-the-feed"
		r.server.Set(r.settings)
		if got := status(token); got != 401 {
			t.Errorf("with another key: got %d, want 401", got)
		}
	})
}

func TestMetricsKey(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.on(r.internal, "GET", "/metrics", "").want(200)
		r.on(r.both, "GET", "/metrics", "").want(401)
		r.on(r.both, "GET", "/metrics", "", "Authorization", "Bearer "+eventsKey).want(403)
		r.on(r.both, "GET", "/metrics", "", "Authorization", basic("shop", fullKey)).want(200)
	})
}

// A client that sends its body before it listens gets to see why it is refused;
// one that waits for our word is not made to send.
func TestARefusedBodyIsReadToItsEnd(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		for expect, want := range map[string]int{"": 0, "100-continue": 9 << 20} {
			body := strings.NewReader(strings.Repeat("x", 9<<20))
			req := httptest.NewRequest("POST", "/v1/events", body)
			req.Header.Set("Expect", expect)
			a := httptest.NewRecorder()
			r.internal.ServeHTTP(a, req)
			if a.Code != 401 || body.Len() != want {
				t.Errorf("Expect %q: got %d with %d bytes unread, want 401 with %d", expect, a.Code, body.Len(), want)
			}
		}
	})
}
