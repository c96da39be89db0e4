package openid_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/openid"
	"tidings/core"
)

const (
	issuer      = "https://login.example"
	client      = "client-1"
	secret      = "hush-secret"
	redirectURI = "https://notify.example.com/auth/chat/callback"
)

// platform is a login whose answers a test can change.
type platform struct {
	logins emulator.Logins
	claims map[string]any
	status int
	answer string // instead of a token; empty: none
	token  func(token string) string
	keys   bool
	asked  http.Header
}

func newPlatform() *platform {
	p := &platform{status: http.StatusOK, keys: true, claims: map[string]any{
		"iss": issuer, "aud": client, "sub": "7", "exp": time.Now().Add(time.Minute).Unix(), "nonce": "n-1", "id": 42,
	}}
	p.logins.Now = time.Now
	return p
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/keys" && p.keys:
		_ = json.NewEncoder(w).Encode(p.logins.Keys())
	case r.URL.Path == "/token":
		p.asked = r.Header
		body := p.answer
		if body == "" {
			token := p.logins.Sign(p.claims)
			if p.token != nil {
				token = p.token(token)
			}
			body = `{"id_token":"` + token + `"}`
		}
		w.WriteHeader(p.status)
		_, _ = w.Write([]byte(body))
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (p *platform) exchange() (id int, err error) {
	provider := openid.Provider{
		Issuer: issuer, TokenURL: issuer + "/token", KeysURL: issuer + "/keys", ClientID: client, Secret: secret, Basic: true,
		HTTP: &http.Client{Transport: emulator.Transport(p)},
	}.Open()
	var claims struct {
		ID int `json:"id"`
	}
	err = provider.Exchange(context.Background(), "code-1", core.LoginAttempt{RedirectURI: redirectURI, Nonce: "n-1", Verifier: "v-1", Now: time.Now()}, &claims)
	return claims.ID, err
}

func TestExchange(t *testing.T) {
	p := newPlatform()
	id, err := p.exchange()
	if id != 42 || err != nil {
		t.Errorf("got %d, %v, want the claim", id, err)
	}
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte(client+":"+secret)); p.asked.Get("Authorization") != want {
		t.Errorf("got Authorization %q, want %q", p.asked.Get("Authorization"), want)
	}
}

// unsigned is a token with another head and signature over the same claims.
func unsigned(head, key string) func(string) string {
	return func(token string) string {
		parts := strings.Split(token, ".")
		body := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + parts[1]
		if key == "" {
			return body + "."
		}
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(body))
		return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
}

// What is wrong with a token proves nothing; what is wrong with the platform or
// with us is another error, which an operator reads.
func TestWhatDoesNotCount(t *testing.T) {
	claim := func(name string, value any) func(*platform) { return func(p *platform) { p.claims[name] = value } }
	answer := func(status int, body string) func(*platform) {
		return func(p *platform) { p.status, p.answer = status, body }
	}
	forged := func(f func(string) string) func(*platform) { return func(p *platform) { p.token = f } }
	for _, test := range []struct {
		name     string
		change   func(*platform)
		unproven bool
	}{
		{"another issuer", claim("iss", "https://evil.example"), true},
		{"another audience", claim("aud", "client-2"), true},
		{"an old token", claim("exp", time.Now().Add(-time.Second).Unix()), true},
		{"a token without an end", claim("exp", nil), true},
		{"another nonce", claim("nonce", "n-2"), true},
		{"no nonce", claim("nonce", nil), true},
		{"a claim of another type", claim("id", "forty-two"), true},
		{"no signature", forged(unsigned(`{"alg":"none"}`, "")), true},
		{"signed with the client's secret", forged(unsigned(`{"alg":"HS256","kid":"emulated-1"}`, secret)), true},
		{"signed with a public key's name", forged(unsigned(`{"alg":"RS256","kid":"emulated-1"}`, "x")), true},
		{"no token at all", forged(func(string) string { return "hush" }), true},
		{"a code that does not count", answer(400, `{"error":"invalid_grant"}`), true},
		{"a code that was used", answer(200, `{"ok":false,"error":"code_already_used"}`), true},
		{"our secret", answer(401, `{"error":"invalid_client"}`), false},
		{"an error that is no word", answer(400, `{"error":"hush! <b>"}`), false},
		{"no JSON", answer(200, `hush`), false},
		{"no id token", answer(200, `{"access_token":"hush"}`), false},
		{"a server error", answer(500, `{}`), false},
		{"no keys", func(p *platform) { p.keys = false }, false},
	} {
		p := newPlatform()
		test.change(p)
		id, err := p.exchange()
		if id != 0 && err == nil || err == nil || errors.Is(err, core.ErrUnproven) != test.unproven {
			t.Errorf("%s: got %d, %v, want not proved: %t", test.name, id, err, test.unproven)
			continue
		}
		for _, hidden := range []string{"hush", "code-1", "v-1", "n-1"} {
			if strings.Contains(err.Error(), hidden) {
				t.Errorf("%s: the error says %q: %v", test.name, hidden, err)
			}
		}
	}
}

func TestCode(t *testing.T) {
	for name, test := range map[string]struct {
		query map[string][]string
		code  string
		err   error
	}{
		"a code":    {map[string][]string{"code": {"c"}}, "c", nil},
		"two codes": {map[string][]string{"code": {"c", "d"}}, "", core.ErrUnproven},
		"nothing":   {nil, "", core.ErrUnproven},
		"a refusal": {map[string][]string{"error": {"access_denied"}, "code": {"c"}}, "", core.ErrDeclined},
		"an error":  {map[string][]string{"error": {"invalid_scope"}}, "", core.ErrUnproven},
	} {
		if code, err := openid.Code(test.query); code != test.code || !errors.Is(err, test.err) {
			t.Errorf("%s: got %q, %v, want %q, %v", name, code, err, test.code, test.err)
		}
	}
}

// The example of RFC 7636, appendix B.
func TestChallenge(t *testing.T) {
	const want = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	if got := openid.Challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
