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
}

// tokenLife is how long a token of POST /oauth/token is good for.
const tokenLife = time.Hour

// keyring knows the API keys by what is derived from them.
type keyring []ringKey

type ringKey struct {
	name   string
	digest [sha256.Size]byte // of the key: equal lengths, so that a compare tells nothing
	mac    []byte            // signs tokens
	scopes []string
}

func newKeyring(keys []APIKey) keyring {
	ring := make(keyring, 0, len(keys))
	for _, k := range keys {
		// Derived from the key alone: a token outlives a restart and is good on
		// every replica, but not beyond the key. It fails only for absurd lengths.
		mac, err := hkdf.Key(sha256.New, []byte(k.Key.Reveal()), nil, "tidings api token 1", sha256.Size)
		if err != nil || k.Key == "" {
			continue
		}
		scopes := k.Scopes
		if len(scopes) == 0 {
			scopes = allScopes()
		}
		ring = append(ring, ringKey{name: k.Name, digest: sha256.Sum256([]byte(k.Key.Reveal())), mac: mac, scopes: scopes})
	}
	return ring
}

// byKey returns the key that was shown. All keys are compared, whatever is found.
func (ring keyring) byKey(shown string) (ringKey, bool) {
	digest := sha256.Sum256([]byte(shown))
	var found ringKey
	ok := false
	for _, k := range ring {
		if subtle.ConstantTimeCompare(k.digest[:], digest[:]) == 1 {
			found, ok = k, true
		}
	}
	return found, ok
}

// byName returns the key that was shown together with its name.
func (ring keyring) byName(name, shown string) (ringKey, bool) {
	k, ok := ring.byKey(shown)
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
	if i < 0 || !hmac.Equal(tag, ring[i].tag(expiry)) {
		return ringKey{}, false
	}
	until := binary.BigEndian.Uint64(expiry)
	return ring[i], now.Unix() >= 0 && uint64(now.Unix()) < until
}

// identify returns the key that a request shows, in any of the three ways.
func (ring keyring) identify(r *http.Request, now time.Time) (ringKey, bool) {
	if name, key, ok := r.BasicAuth(); ok {
		return ring.byName(name, key)
	}
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	shown = strings.TrimSpace(shown)
	if !strings.EqualFold(scheme, "Bearer") || shown == "" {
		return ringKey{}, false
	}
	if k, ok := ring.byKey(shown); ok {
		return k, true
	}
	return ring.byToken(shown, now)
}

// need lets requests pass that show a key of a scope.
func (s *Server) need(scope string) gin.HandlerFunc {
	return func(c *gin.Context) {
		k, ok := s.settings.Load().keys.identify(c.Request, s.now())
		switch {
		case !ok:
			unauthorized(c)
		case !slices.Contains(k.scopes, scope):
			c.Header("WWW-Authenticate", `Bearer realm="tidings", error="insufficient_scope", scope="`+scope+`"`)
			fail(c, problem{Status: http.StatusForbidden, Detail: "the key has not the scope " + scope})
		}
	}
}

func unauthorized(c *gin.Context) {
	c.Writer.Header().Add("WWW-Authenticate", `Bearer realm="tidings"`)
	c.Writer.Header().Add("WWW-Authenticate", `Basic realm="tidings", charset="UTF-8"`)
	fail(c, problem{Status: http.StatusUnauthorized})
}
