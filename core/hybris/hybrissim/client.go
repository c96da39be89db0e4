package hybrissim

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
)

// Client is an OAuth client of the shop, a row of its OAuthClientDetails.
type Client struct {
	ID     string
	Secret string // empty: a public client, which has to prove its codes (PKCE)
	// Trusted gives it ROLE_TRUSTED_CLIENT, without it is ROLE_CLIENT.
	Trusted bool
	Grants  []string
	Scope   string // what it gets; asking for another is refused
	// Redirects are where its customers may be sent back to with a code. None:
	// to this machine only.
	Redirects []string
}

// Grants of OAuth 2.0 (RFC 6749 sections 4 and 6).
const (
	byClient   = "client_credentials"
	byCode     = "authorization_code"
	byRefresh  = "refresh_token"
	byPassword = "password"
)

// Storefront is the client that an emulator has for its storefront when Options
// name none: a customer logs in through it.
func Storefront() Client {
	return Client{ID: "storefront", Secret: "storefront", Scope: "basic", Grants: []string{byCode, byRefresh, byPassword, byClient}}
}

// clientsOf are the clients of an installation: the trusted one first.
func clientsOf(opt Options) map[string]*oauthClient {
	out := map[string]*oauthClient{}
	all := append([]Client{{ID: opt.ClientID, Secret: opt.ClientSecret, Trusted: true, Scope: "extended", Grants: []string{byClient}}}, opt.Clients...)
	for _, c := range all {
		out[c.ID] = &oauthClient{Client: c}
	}
	return out
}

// oauthClient is a client with what the server remembers of it.
type oauthClient struct {
	Client
	badSecrets int
	current    string // the legacy server's one token for the client itself
}

func (c *oauthClient) role() role {
	if c.Trusted {
		return trusted
	}
	return application
}

// redirects reports whether customers may be sent there.
func (c *oauthClient) redirects(to string) bool {
	if len(c.Redirects) > 0 {
		return slices.Contains(c.Redirects, to)
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// identify finds the client of a request by its secret and, where wanted, gives
// up on one that guesses. A public client has none to show.
func (a *authority) identify(r *http.Request, form url.Values) *oauthClient {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	c := a.clients[id]
	if c == nil || id == "" || a.maxAttempts > 0 && c.badSecrets >= a.maxAttempts {
		return nil
	}
	if !same(secret, c.Secret) {
		c.badSecrets++
		return nil
	}
	c.badSecrets = 0
	return c
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// scopeOf returns the scope that a client gets when it asks for one; ok is
// false for one that is not its own.
func (c *oauthClient) scopeOf(asked string) (scope string, ok bool) {
	return c.Scope, cmp.Or(asked, c.Scope) == c.Scope
}
