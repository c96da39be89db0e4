package hybrissim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Paths of the authorization server.
const (
	authPath      = "/authorizationserver/oauth"
	tokenPath     = authPath + "/token"
	authorizePath = authPath + "/authorize"
	revokePath    = authPath + "/revoke"
)

// Lives of tokens. The legacy server's are oauth2.accessTokenValiditySeconds and
// oauth2.refreshTokenValiditySeconds, the new one's refresh token lives for
// authserver.refreshToken.timeToLive.seconds.
const (
	legacyTTL        = 43200 * time.Second
	legacyRefreshTTL = 2592000 * time.Second
	refreshTTL       = 3600 * time.Second
)

// authority is the authorization server. It is guarded by Sim.mu.
type authority struct {
	ttl         time.Duration // 0: legacy
	maxAttempts int
	clients     map[string]*oauthClient
	grants      map[string]grant // by access token
	refreshes   map[string]grant // by refresh token
	codes       map[string]code
}

// grant is what a token stands for.
type grant struct {
	principal
	client  string
	scope   string
	expires time.Time
}

func newAuthority(opt Options) authority {
	return authority{
		ttl: opt.TokenTTL, maxAttempts: opt.MaxSecretAttempts, clients: clientsOf(opt),
		grants: map[string]grant{}, refreshes: map[string]grant{}, codes: map[string]code{},
	}
}

// legacy reports whether this is the server before the one with JWTs.
func (a *authority) legacy() bool { return a.ttl == 0 }

// token answers the token endpoint.
func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err != nil {
		refuseToken(http.StatusBadRequest, "invalid_request", "The body is not a form").write(w)
		return
	}
	s.mu.Lock()
	answer, refusal := s.grant(r, form)
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

// grant checks the client, then what it asks for, in this order.
func (s *Sim) grant(r *http.Request, form url.Values) (object, *failure) {
	a := &s.auth
	c := a.identify(r, form)
	if c == nil {
		return nil, badClient()
	}
	kind := form.Get("grant_type")
	give, known := s.giving()[kind]
	switch {
	case kind == "":
		return nil, refuseToken(http.StatusBadRequest, "invalid_request", "Missing grant type")
	case !known:
		return nil, refuseToken(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type")
	case !slices.Contains(c.Grants, kind):
		return nil, s.grantOfOthers(kind)
	}
	scope, ok := c.scopeOf(form.Get("scope"))
	if !ok {
		return nil, refuseToken(http.StatusBadRequest, "invalid_scope", "Invalid scope")
	}
	return give(c, form, grant{client: c.ID, scope: scope})
}

// giving are the grants of this server; the new one has no passwords any more.
func (s *Sim) giving() map[string]func(*oauthClient, url.Values, grant) (object, *failure) {
	out := map[string]func(*oauthClient, url.Values, grant) (object, *failure){
		byClient: s.giveClient, byCode: s.giveForCode, byRefresh: s.giveAgain,
	}
	if s.auth.legacy() {
		out[byPassword] = s.giveForPassword
	}
	return out
}

// grantOfOthers refuses a grant that the client does not have.
func (s *Sim) grantOfOthers(kind string) *failure {
	switch s.answer("grant-not-allowed") {
	case "unauthorized_client":
		return refuseToken(http.StatusBadRequest, "unauthorized_client", "Unauthorized grant type: "+kind)
	case "invalid_client":
		return badClient()
	}
	return refuseToken(http.StatusBadRequest, "invalid_grant", "Bad credentials")
}

// giveClient gives the client's own token: the legacy server's one as long as
// it lives, the new server's a fresh one each time.
func (s *Sim) giveClient(c *oauthClient, _ url.Values, g grant) (object, *failure) {
	a, now := &s.auth, s.opt.Now()
	g.principal = principal{role: c.role()}
	if known, ok := a.grants[c.current]; a.legacy() && ok && now.Before(known.expires) {
		return s.described(c.current, now), nil
	}
	c.current = a.issue(g, now)
	return s.described(c.current, now), nil
}

// giveForPassword logs a customer in.
func (s *Sim) giveForPassword(_ *oauthClient, form url.Values, g grant) (object, *failure) {
	who := s.login(form.Get("username"), form.Get("password"))
	if who == nil {
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Bad credentials")
	}
	g.principal = *who
	return s.issueBoth(g, s.opt.Now()), nil
}

// giveAgain takes a refresh token, which stays good until its own end.
func (s *Sim) giveAgain(c *oauthClient, form url.Values, _ grant) (object, *failure) {
	a, now, token := &s.auth, s.opt.Now(), form.Get("refresh_token")
	g, ok := a.refreshes[token]
	if !ok || g.client != c.ID || !now.Before(g.expires) {
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Invalid refresh token: "+token)
	}
	out := s.described(a.issue(g, now), now)
	out["refresh_token"] = token
	return out, nil
}

// issueBoth gives a customer's client an access token and one to renew it with.
func (s *Sim) issueBoth(g grant, now time.Time) object {
	a := &s.auth
	out := s.described(a.issue(g, now), now)
	refresh := uuid()
	g.expires = now.Add(refreshTTL)
	if a.legacy() {
		g.expires = now.Add(legacyRefreshTTL)
	}
	a.refreshes[refresh] = g
	out["refresh_token"] = refresh
	return out
}

func (a *authority) issue(g grant, now time.Time) string {
	token := uuid()
	g.expires = now.Add(legacyTTL)
	if !a.legacy() {
		g.expires = now.Add(a.ttl)
		token = jwt(g.principal, g.expires)
	}
	a.grants[token] = g
	return token
}

// described is an answer with a token and what is left of its life.
func (s *Sim) described(token string, now time.Time) object {
	g := s.auth.grants[token]
	return object{
		"access_token": token, "token_type": s.answer("token-type"), "scope": g.scope,
		"expires_in": int(g.expires.Sub(now) / time.Second),
	}
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

// forget ends every token of a user.
func (a *authority) forget(uid string) {
	for _, all := range []map[string]grant{a.grants, a.refreshes} {
		maps.DeleteFunc(all, func(_ string, g grant) bool { return g.uid == uid })
	}
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
	return s.auth.issue(grant{principal: who, scope: "basic"}, s.opt.Now())
}

// ExpireTokens makes every access token invalid at once. Refresh tokens stay.
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
	claims := map[string]any{"exp": expires.Unix(), "jti": uuid(), "authorities": []string{string(who.role)}}
	if who.uid != "" {
		claims["sub"] = who.uid
	}
	noise := make([]byte, 32)
	_, _ = rand.Read(noise)
	return head + "." + encode(claims) + "." + base64.RawURLEncoding.EncodeToString(noise)
}
