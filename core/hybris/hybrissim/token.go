package hybrissim

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"time"
)

const tokenPath = "/authorizationserver/oauth/token"

// legacyTTL is oauth2.accessTokenValiditySeconds of the legacy server.
const legacyTTL = 43200 * time.Second

// authority is the authorization server.
type authority struct {
	clientID, secret string
	ttl              time.Duration // 0: legacy
	maxAttempts      int
	badSecrets       int
	current          string // the legacy server's one token for the client
	grants           map[string]grant
}

// grant is what a token stands for.
type grant struct {
	principal
	expires time.Time
}

func newAuthority(opt Options) authority {
	return authority{
		clientID: opt.ClientID, secret: opt.ClientSecret, ttl: opt.TokenTTL,
		maxAttempts: opt.MaxSecretAttempts, grants: map[string]grant{},
	}
}

// token answers the token endpoint.
func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err != nil {
		refuseToken(http.StatusBadRequest, "invalid_request", "The body is not a form").write(w)
		return
	}
	s.mu.Lock()
	answer, refusal := s.auth.grant(r, form, s.opt.Now())
	s.mu.Unlock()
	if refusal != nil {
		refusal.write(w)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, http.StatusOK, answer)
}

// readForm returns the parameters of a form body; another media type has none.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/x-www-form-urlencoded" {
		return url.Values{}, nil
	}
	return url.ParseQuery(string(body))
}

func (a *authority) grant(r *http.Request, form url.Values, now time.Time) (map[string]any, *failure) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if !a.known(id, secret) {
		return nil, badClient()
	}
	switch form.Get("grant_type") {
	case "client_credentials":
	case "":
		return nil, refuseToken(http.StatusBadRequest, "invalid_request", "Missing grant type")
	case "password", "refresh_token", "authorization_code":
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Bad credentials")
	default:
		return nil, refuseToken(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type")
	}
	if scope := form.Get("scope"); scope != "" && scope != "extended" {
		return nil, refuseToken(http.StatusBadRequest, "invalid_scope", "Invalid scope")
	}
	token := a.clientToken(now)
	return map[string]any{
		"access_token": token, "token_type": "bearer", "scope": "extended",
		"expires_in": int(a.grants[token].expires.Sub(now) / time.Second),
	}, nil
}

// known checks the client and, where wanted, gives up on one that guesses.
func (a *authority) known(id, secret string) bool {
	if a.maxAttempts > 0 && a.badSecrets >= a.maxAttempts {
		return false
	}
	if !same(id, a.clientID) || !same(secret, a.secret) {
		a.badSecrets++
		return false
	}
	a.badSecrets = 0
	return true
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// clientToken returns the trusted client's token: the legacy server's one as
// long as it lives, the new server's a fresh one each time.
func (a *authority) clientToken(now time.Time) string {
	who := principal{role: trusted}
	if a.ttl > 0 {
		return a.issue(who, a.ttl, now)
	}
	if g, ok := a.grants[a.current]; !ok || !now.Before(g.expires) {
		a.current = a.issue(who, legacyTTL, now)
	}
	return a.current
}

func (a *authority) issue(who principal, ttl time.Duration, now time.Time) string {
	token := uuid()
	if a.ttl > 0 {
		token = jwt(who, now.Add(ttl))
	}
	a.grants[token] = grant{principal: who, expires: now.Add(ttl)}
	return token
}

// lookup returns what a token stands for; ok is false for unknown and expired ones.
func (a *authority) lookup(token string, now time.Time) (principal, bool) {
	g, ok := a.grants[token]
	if ok && !now.Before(g.expires) {
		delete(a.grants, token)
		return principal{}, false
	}
	return g.principal, ok
}

// CustomerToken returns a token as the storefront gets it for a customer who
// has logged in.
func (s *Sim) CustomerToken(uid string) string {
	return s.userToken(principal{role: customer, uid: uid})
}

// ManagerToken returns a token of an employee who has logged in.
func (s *Sim) ManagerToken(uid string) string { return s.userToken(principal{role: manager, uid: uid}) }

// ApplicationToken returns a token of an application with no more than ROLE_CLIENT.
func (s *Sim) ApplicationToken() string { return s.userToken(principal{role: application}) }

func (s *Sim) userToken(who principal) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ttl := s.auth.ttl
	if ttl == 0 {
		ttl = legacyTTL
	}
	return s.auth.issue(who, ttl, s.opt.Now())
}

// ExpireTokens makes every token invalid at once.
func (s *Sim) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.auth.grants)
}

func refuseToken(status int, code, description string) *failure {
	return &failure{status: status, body: map[string]string{"error": code, "error_description": description}}
}

func badClient() *failure {
	f := refuseToken(http.StatusUnauthorized, "invalid_client", "Bad client credentials")
	f.challenge = `Basic realm="hybris", error="invalid_client", error_description="Bad client credentials"`
	return f
}

// uuid returns a random UUID.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return formatUUID(b)
}

// formatUUID writes the bytes as a UUID of version 4.
func formatUUID(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// jwt returns a token that looks like the new server's. Its signature is noise:
// nobody but this emulator reads it.
func jwt(who principal, expires time.Time) string {
	encode := func(v any) string {
		b, _ := json.Marshal(v) // a map of strings and numbers
		return base64.RawURLEncoding.EncodeToString(b)
	}
	head := encode(map[string]any{"alg": "RS256", "typ": "JWT"})
	claims := encode(map[string]any{"exp": expires.Unix(), "jti": uuid(), "authorities": []string{string(who.role)}})
	noise := make([]byte, 32)
	_, _ = rand.Read(noise)
	return head + "." + claims + "." + base64.RawURLEncoding.EncodeToString(noise)
}
