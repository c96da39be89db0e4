package hybrissim

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"time"
)

// codeLife is the longest that RFC 6749 section 4.1.2 recommends.
const codeLife = 10 * time.Minute

// code is a customer's consent on its way to the client, good once.
type code struct {
	grant
	redirect, challenge string
	expires             time.Time
}

// DefaultPassword is every customer's where Options name none.
const DefaultPassword = "welcome"

// login returns who a name and a password are, or nil. Guests have no login.
func (s *Sim) login(uid, password string) *principal {
	c, ok := s.customers[uid]
	if !ok || c.guest() || c.Closed || !same(password, s.opt.CustomerPassword) {
		return nil
	}
	return &principal{role: customer, uid: c.UID}
}

// authorize asks a customer to log in, and sends the browser back with a code
// (authorization code grant, with PKCE where the client asks it).
func (s *Sim) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	c, ok := s.auth.clients[q.Get("client_id")]
	s.mu.Unlock()
	back, err := url.Parse(q.Get("redirect_uri"))
	if !ok || err != nil || !c.redirects(q.Get("redirect_uri")) {
		loginPage(w, http.StatusBadRequest, "The client, or where it wants to be called back, is not known here.")
		return
	}
	if fault := wrongAuthorization(c, q); fault != "" {
		sendBack(w, r, back, url.Values{"error": {fault}, "state": {q.Get("state")}})
		return
	}
	if r.Method != http.MethodPost {
		loginPage(w, http.StatusOK, "")
		return
	}
	form, err := readForm(w, r)
	if err != nil {
		loginPage(w, http.StatusBadRequest, "The form cannot be read.")
		return
	}
	s.mu.Lock()
	given := s.authorized(c, q, form)
	s.mu.Unlock()
	if given == "" {
		loginPage(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	sendBack(w, r, back, url.Values{"code": {given}, "state": {q.Get("state")}})
}

// wrongAuthorization returns the error of a request that names a good client.
func wrongAuthorization(c *oauthClient, q url.Values) string {
	if q.Get("response_type") != "code" {
		return "unsupported_response_type"
	}
	if _, ok := c.scopeOf(q.Get("scope")); !ok {
		return "invalid_scope"
	}
	proves, method := q.Get("code_challenge") != "", q.Get("code_challenge_method")
	if proves && method != "S256" || !proves && c.Secret == "" {
		return "invalid_request"
	}
	return ""
}

// authorized returns a code for whoever logs in, or "".
func (s *Sim) authorized(c *oauthClient, q, form url.Values) string {
	who := s.login(form.Get("username"), form.Get("password"))
	if who == nil {
		return ""
	}
	given := uuid()
	s.auth.codes[given] = code{
		grant:    grant{principal: *who, client: c.ID, scope: c.Scope},
		redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), expires: s.opt.Now().Add(codeLife),
	}
	return given
}

// giveForCode exchanges a code, which is spent by the first try.
func (s *Sim) giveForCode(c *oauthClient, form url.Values, _ grant) (object, *failure) {
	now, text := s.opt.Now(), form.Get("code")
	known, ok := s.auth.codes[text]
	delete(s.auth.codes, text)
	proof := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !ok || known.client != c.ID || !now.Before(known.expires),
		known.redirect != form.Get("redirect_uri"),
		known.challenge != "" && !same(known.challenge, base64.RawURLEncoding.EncodeToString(proof[:])):
		return nil, refuseToken(http.StatusBadRequest, "invalid_grant", "Invalid authorization code: "+text)
	}
	return s.issueBoth(known.grant, now), nil
}

// revoke ends a token. An unknown one is no error (RFC 7009 section 2.2).
func (s *Sim) revoke(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err != nil {
		refuseToken(http.StatusBadRequest, "invalid_request", "The body is not a form").write(w)
		return
	}
	s.mu.Lock()
	delete(s.auth.grants, form.Get("token"))
	delete(s.auth.refreshes, form.Get("token"))
	s.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

// sendBack redirects to a client.
func sendBack(w http.ResponseWriter, r *http.Request, to *url.URL, add url.Values) {
	q := to.Query()
	for name, values := range add {
		if values[0] != "" {
			q.Set(name, values[0])
		}
	}
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

var login = template.Must(template.New("login").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Log in to the emulated shop</title>
<h1>Log in to the emulated shop</h1>
{{with .}}<p role="alert">{{.}}</p>
{{end}}<form method="post">
<label>E-mail <input name="username" type="email" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form></html>
`))

func loginPage(w http.ResponseWriter, status int, fault string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = login.Execute(w, fault) // who has gone does not see it
}
