package web

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
)

// APIKey lets a program in.
type APIKey struct {
	Name   string
	Key    core.Secret
	Scopes []string // none: all of them
	// Auth are the ways in which the program may show who it is; none: those that
	// carry a key.
	Auth []string
	// Certificate is the subject of the program's client certificate, as the proxy writes it.
	Certificate string
	// Sources are the CloudEvents sources it may report events of, a trailing *
	// standing for any rest; none: all.
	Sources []string
	// Site is the base site of its events that name none; empty: that of their source.
	Site string
}

// The ways of showing who one is.
const (
	byBearer      = "bearer"
	byBasic       = "basic"
	byOAuth       = "oauth"
	bySignature   = "hmac"
	byCertificate = "client_certificate"
)

// withKey are the ways that carry a key.
func withKey() []string { return []string{byBearer, byBasic, byOAuth} }

// tokenLife is how long a token of POST /oauth/token is good for.
const tokenLife = time.Hour

// keyring knows the API keys by what is derived from them.
type keyring []ringKey

type ringKey struct {
	name    string
	digest  [sha256.Size]byte // of the key: equal lengths, so that a compare tells nothing
	mac     []byte            // signs tokens
	secret  []byte            // of a key that signs requests; it is never sent
	subject [sha256.Size]byte // of the certificate
	auth    []string
	scopes  []string
	sources []string
	site    string
}

func newKeyring(keys []APIKey) keyring {
	ring := make(keyring, 0, len(keys))
	for _, k := range keys {
		one := ringKey{name: k.Name, auth: k.Auth, scopes: k.Scopes, sources: k.Sources, site: k.Site}
		if len(one.scopes) == 0 {
			one.scopes = allScopes()
		}
		if len(one.auth) == 0 {
			one.auth = withKey()
		}
		// Derived from the key alone: a token outlives a restart and is good on
		// every replica, but not beyond the key. It fails only for absurd lengths.
		mac, err := hkdf.Key(sha256.New, []byte(k.Key.Reveal()), nil, "tidings api token 1", sha256.Size)
		if err != nil {
			continue
		}
		one.mac, one.digest, one.subject = mac, sha256.Sum256([]byte(k.Key.Reveal())), sha256.Sum256([]byte(k.Certificate))
		one.auth = slices.DeleteFunc(slices.Clone(one.auth), func(way string) bool {
			return way != byCertificate && k.Key == "" || way == byCertificate && k.Certificate == ""
		})
		if slices.Contains(one.auth, bySignature) {
			one.secret = []byte(k.Key.Reveal())
		}
		if len(one.auth) > 0 {
			ring = append(ring, one)
		}
	}
	return ring
}

// may reports whether the program may show who it is in a way.
func (k ringKey) may(way string) bool { return slices.Contains(k.auth, way) }

// speaksFor reports whether the program may report events of a source.
func (k ringKey) speaksFor(source string) bool {
	return len(k.sources) == 0 || slices.ContainsFunc(k.sources, func(pattern string) bool {
		if start, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(source, start)
		}
		return pattern == source
	})
}

// byKey returns the key that was shown in a way. All keys are compared, whatever is found.
func (ring keyring) byKey(way, shown string) (ringKey, bool) {
	digest := sha256.Sum256([]byte(shown))
	var found ringKey
	ok := false
	for _, k := range ring {
		if subtle.ConstantTimeCompare(k.digest[:], digest[:]) == 1 && k.may(way) {
			found, ok = k, true
		}
	}
	return found, ok
}

// byName returns the key that was shown together with its name.
func (ring keyring) byName(way, name, shown string) (ringKey, bool) {
	k, ok := ring.byKey(way, shown)
	if !ok || k.name != name {
		return ringKey{}, false
	}
	return k, true
}

// A token is base64url of: expiry in seconds (8) | tag (32) | the key's name. The
// name only says whose key makes the tag.

// token returns a token that is good until expires.
func (k ringKey) token(expires time.Time) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	raw = append(raw, k.tag(raw)...)
	return base64.RawURLEncoding.EncodeToString(append(raw, k.name...))
}

func (k ringKey) tag(expiry []byte) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(expiry)
	return h.Sum(nil)
}

// byToken returns the key for which a token was made.
func (ring keyring) byToken(token string, now time.Time) (ringKey, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= 8+sha256.Size {
		return ringKey{}, false
	}
	expiry, tag, name := raw[:8], raw[8:8+sha256.Size], string(raw[8+sha256.Size:])
	i := slices.IndexFunc(ring, func(k ringKey) bool { return k.name == name })
	if i < 0 || !hmac.Equal(tag, ring[i].tag(expiry)) || !ring[i].may(byOAuth) {
		return ringKey{}, false
	}
	until := binary.BigEndian.Uint64(expiry)
	return ring[i], now.Unix() >= 0 && uint64(now.Unix()) < until
}

// identify returns the key that a request shows in its Authorization header.
func (ring keyring) identify(r *http.Request, now time.Time) (ringKey, bool) {
	if name, key, ok := r.BasicAuth(); ok {
		return ring.byName(byBasic, name, key)
	}
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	shown = strings.TrimSpace(shown)
	if !strings.EqualFold(scheme, "Bearer") || shown == "" {
		return ringKey{}, false
	}
	if k, ok := ring.byKey(byBearer, shown); ok {
		return k, true
	}
	return ring.byToken(shown, now)
}

// who finds out whose request it is. The error is that of a body that could not
// be read to check its signature, or of a request that says more than was signed.
func (s *Server) who(r *http.Request) (ringKey, bool, error) {
	x := s.settings.Load()
	switch {
	case r.Header.Get("Authorization") != "":
		k, ok := x.keys.identify(r, s.now())
		return k, ok, nil
	case r.Header.Get(signatureHeader) != "":
		k, ok, err := x.keys.signer(r, s.now())
		if err == nil && ok {
			err = beyondSignature(r)
		}
		return k, ok, err
	}
	k, ok := x.keys.bySubject(s.subjectOf(r, x.ClientCertificateHeader))
	return k, ok, nil
}

// whose is where the handlers find the key that was let in.
const whose = "key"

// need lets requests pass that show a key of a scope.
func (s *Server) need(scope string) gin.HandlerFunc {
	return func(c *gin.Context) {
		k, ok, err := s.who(c.Request)
		switch {
		case err != nil:
			s.failWith(c, err, 0)
		case !ok:
			unauthorized(c)
		case !slices.Contains(k.scopes, scope):
			c.Header("WWW-Authenticate", `Bearer realm="tidings", error="insufficient_scope", scope="`+scope+`"`)
			fail(c, problem{Status: http.StatusForbidden, Detail: "the key has not the scope " + scope})
		default:
			c.Set(whose, k)
		}
	}
}

// keyOf is the key that need has let in.
func keyOf(c *gin.Context) ringKey {
	k, _ := c.Value(whose).(ringKey)
	return k
}

func unauthorized(c *gin.Context) {
	c.Writer.Header().Add("WWW-Authenticate", `Bearer realm="tidings"`)
	c.Writer.Header().Add("WWW-Authenticate", `Basic realm="tidings", charset="UTF-8"`)
	fail(c, problem{Status: http.StatusUnauthorized})
}
