// Package openid is the part of a login that platforms with OpenID Connect have
// in common: an authorization code becomes an id token, and the token's
// signature, issuer, audience, expiry and nonce are checked.
//
// It knows no platform: where the endpoints are and what the claims mean is
// their adapters' business. It keeps no token.
//
// Sources: https://openid.net/specs/openid-connect-core-1_0.html (3.1.3) and
// https://www.rfc-editor.org/rfc/rfc7636, read 2026-11-25.
package openid

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"tidings/core"
)

// maxAnswer bounds what is read of an answer; a token has a few kilobytes.
const maxAnswer = 1 << 20

// Provider is a platform's login as one application sees it.
type Provider struct {
	Issuer   string // as id tokens name it
	TokenURL string
	KeysURL  string // the JSON Web Key Set
	ClientID string
	Secret   core.Secret
	// Basic sends id and secret in the Authorization header, not in the form.
	Basic bool
	HTTP  *http.Client

	keys oidc.KeySet
}

// Open makes a provider ready for use. It makes no request.
func (p Provider) Open() *Provider {
	p.keys = oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), p.HTTP), p.KeysURL)
	return &p
}

// Challenge is what a verifier looks like in an authorization request (S256).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Code returns the authorization code of a callback: core.ErrDeclined where the
// person has said no, core.ErrUnproven where there is none.
func Code(query map[string][]string) (string, error) {
	if q := url.Values(query); q.Get("error") == "access_denied" {
		return "", core.ErrDeclined
	}
	if codes := query["code"]; len(codes) == 1 && codes[0] != "" {
		return codes[0], nil
	}
	return "", core.ErrUnproven
}

// refusals are the answers that are about the code (RFC 6749, 5.2, and the names
// that platforms have for them); all others are about the configuration or the
// platform.
var refusals = map[string]bool{
	"invalid_grant": true, "invalid_code": true, "code_already_used": true, "bad_redirect_uri": true, "invalid_grant_type": true,
}

// Exchange turns a code into an id token and reads its claims into claims.
func (p *Provider) Exchange(ctx context.Context, code string, a core.LoginAttempt, claims any) error {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.RedirectURI},
		"client_id": {p.ClientID}, "code_verifier": {a.Verifier},
	}
	if !p.Basic {
		form.Set("client_secret", p.Secret.Reveal())
	}
	raw, err := p.post(ctx, form)
	if err != nil {
		return err
	}
	return p.verify(ctx, raw, a, claims)
}

// post asks the token endpoint. Its errors hold neither code nor secret.
func (p *Provider) post(ctx context.Context, form url.Values) (idToken string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", errors.New("login: the token URL is no URL")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.Basic {
		req.SetBasicAuth(p.ClientID, p.Secret.Reveal())
	}
	res, err := p.HTTP.Do(req)
	if err != nil {
		return "", errors.New("login: the token endpoint does not answer")
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		IDToken string `json:"id_token"`
		Error   string `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil {
		return "", fmt.Errorf("login: the token endpoint's answer cannot be read (HTTP status %d)", res.StatusCode)
	}
	switch {
	case refusals[answer.Error]:
		return "", core.ErrUnproven
	case answer.Error != "" || res.StatusCode != http.StatusOK:
		return "", fmt.Errorf("login: the token endpoint refuses us: %q (HTTP status %d); look at client id and secret", name(answer.Error), res.StatusCode)
	case answer.IDToken == "":
		return "", errors.New("login: the token endpoint gave no id token; is the scope openid allowed?")
	}
	return answer.IDToken, nil
}

// name is an error's name, or that it is none: what is not a plain word stays out of logs.
func name(s string) string {
	if len(s) > 60 || strings.ContainsFunc(s, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		return "another error"
	}
	return s
}

// verify checks an id token. The time is the attempt's.
func (p *Provider) verify(ctx context.Context, raw string, a core.LoginAttempt, claims any) error {
	verifier := oidc.NewVerifier(p.Issuer, p.keys, &oidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: []string{oidc.RS256}, Now: func() time.Time { return a.Now },
	})
	token, err := verifier.Verify(ctx, raw)
	switch {
	case err != nil && strings.Contains(err.Error(), "fetching keys"):
		return errors.New("login: the keys of the login cannot be had")
	case err != nil:
		return core.ErrUnproven // its words hold what the token says
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(a.Nonce)) != 1:
		return core.ErrUnproven
	}
	if err := token.Claims(claims); err != nil {
		return core.ErrUnproven
	}
	return nil
}
