package emulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// codeLife is how long an authorization code is good for: at most ten minutes
// (RFC 6749, 4.1.2; read 2026-11-25).
const codeLife = 10 * time.Minute

// Grant is what an authorization code stands for.
type Grant struct {
	Person, ClientID, RedirectURI, Nonce string
	Challenge                            string // S256; empty: none
}

// Logins is the server of an authorization code login. A code is good once, for
// ten minutes, for the client and the redirect URI that it was given to, and,
// where it was asked for with a challenge, for whoever has the verifier.
type Logins struct {
	Now func() time.Time
	// Redirects are the redirect URIs that the application has registered.
	Redirects []string

	mu    sync.Mutex
	codes map[string]*grant
	key   *rsa.PrivateKey
}

type grant struct {
	Grant
	until time.Time
	used  bool
}

// Registered reports whether a redirect URI is one of the application's, letter by letter.
func (l *Logins) Registered(uri string) bool { return slices.Contains(l.Redirects, uri) }

// Give returns a new code.
func (l *Logins) Give(g Grant) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.codes == nil {
		l.codes = map[string]*grant{}
	}
	code := rand.Text()
	l.codes[code] = &grant{Grant: g, until: l.Now().Add(codeLife)}
	return code
}

// Problem is why a code was refused.
type Problem string

// The problems of codes.
const (
	CodeGood     Problem = ""
	CodeUnknown  Problem = "unknown"
	CodeUsed     Problem = "used"
	CodeExpired  Problem = "expired"
	CodeRedirect Problem = "redirect"
	CodeClient   Problem = "client"
	CodeVerifier Problem = "verifier"
)

// Take redeems a code. A try with the wrong redirect URI or verifier uses it up, too.
func (l *Logins) Take(code, clientID, redirectURI, verifier string) (Grant, Problem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.codes[code]
	if g == nil {
		return Grant{}, CodeUnknown
	}
	used := g.used
	g.used = true
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case used:
		return Grant{}, CodeUsed
	case !l.Now().Before(g.until):
		return Grant{}, CodeExpired
	case g.ClientID != clientID:
		return Grant{}, CodeClient
	case g.RedirectURI != redirectURI:
		return Grant{}, CodeRedirect
	case g.Challenge != "" && subtle.ConstantTimeCompare([]byte(g.Challenge), []byte(challenge)) != 1:
		return Grant{}, CodeVerifier
	}
	return g.Grant, CodeGood
}

// keyID names the key of the id tokens.
const keyID = "emulated-1"

func (l *Logins) signer() *rsa.PrivateKey {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic("emulator: no key for logins: " + err.Error())
		}
		l.key = key
	}
	return l.key
}

// Sign returns an id token with the claims, RS256.
func (l *Logins) Sign(claims map[string]any) string {
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(JSON(http.StatusOK, v).Body) }
	body := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": keyID}) + "." + part(claims)
	sum := sha256.Sum256([]byte(body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, l.signer(), crypto.SHA256, sum[:])
	if err != nil {
		panic("emulator: cannot sign: " + err.Error())
	}
	return body + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// Keys is the JSON Web Key Set of the id tokens.
func (l *Logins) Keys() map[string]any {
	public := l.signer().PublicKey
	number := base64.RawURLEncoding.EncodeToString
	return map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": number(public.N.Bytes()), "e": number(big.NewInt(int64(public.E)).Bytes()),
	}}}
}

// Back is a redirect URI with what the platform sends back, state included.
func Back(redirectURI string, answer url.Values) string {
	u, err := url.Parse(redirectURI)
	if err != nil {
		return redirectURI
	}
	q := u.Query()
	maps.Copy(q, answer)
	u.RawQuery = q.Encode()
	return u.String()
}

var consent = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}}</title><link rel="icon" href="data:,"></head>
<body><h1>{{.Title}}</h1><p>Who are you? This is an emulated login: nothing leaves this machine.</p>
<ul>{{range .Ways}}<li><a href="{{.URL}}">{{.Name}}</a></li>{{end}}</ul></body></html>
`))

// Consent is a login as a browser meets it. Without a person it asks who one is,
// with one it sends the browser on: login is the same as for Sim.Login of the platform.
func Consent(w http.ResponseWriter, r *http.Request, title string, people []string, login func(person string) (back string, err error)) {
	q := r.URL.Query()
	if person := q.Get("person"); person != "" {
		back, err := login(person)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, back, http.StatusFound)
		return
	}
	type way struct{ Name, URL string }
	var ways []way
	for _, p := range people {
		q.Set("person", p)
		ways = append(ways, way{p, "?" + q.Encode()})
	}
	q.Set("person", Nobody)
	ways = append(ways, way{"Cancel", "?" + q.Encode()})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = consent.Execute(w, map[string]any{"Title": title, "Ways": ways}) // who has gone does not see it
}

// Nobody is the person who cancels a login.
const Nobody = "nobody"

// Refused words a login that the platform does not even begin.
func Refused(format string, args ...any) error { return fmt.Errorf("login: "+format, args...) }

// Form reads a form of a request's body and nothing else.
func Form(r *http.Request) url.Values {
	if err := r.ParseForm(); err != nil {
		return url.Values{}
	}
	return r.PostForm
}
