package web

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// maxForm is how long the body of a token request may be.
const maxForm = 64 << 10

// tokenAnswer is RFC 6749, section 5.1.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
}

// postToken changes a name and its key for a token (RFC 6749, section 4.4).
// Its errors are problems that carry the member "error" of that RFC too.
func (s *Server) postToken(c *gin.Context) {
	media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		failToken(c, http.StatusUnsupportedMediaType, "invalid_request", "send application/x-www-form-urlencoded")
		return
	}
	body, err := readBody(c.Request, maxForm)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		failToken(c, http.StatusBadRequest, "invalid_request", "the form cannot be read")
		return
	}
	if form.Get("grant_type") != "client_credentials" {
		failToken(c, http.StatusBadRequest, "unsupported_grant_type", "grant_type must be client_credentials")
		return
	}
	k, ok := s.client(c.Request, form)
	if !ok {
		c.Header("WWW-Authenticate", `Basic realm="tidings", charset="UTF-8"`)
		failToken(c, http.StatusUnauthorized, "invalid_client", "")
		return
	}
	c.Header("Pragma", "no-cache")
	c.JSON(http.StatusOK, tokenAnswer{
		AccessToken: k.token(s.now().Add(tokenLife)), TokenType: "Bearer",
		ExpiresIn: int(tokenLife.Seconds()), Scope: strings.Join(k.scopes, " "),
	})
}

// client returns the key of the client that asks: from the header, where both
// halves may be form-encoded (RFC 6749, section 2.3.1), or from the form.
func (s *Server) client(r *http.Request, form url.Values) (ringKey, bool) {
	ring := s.settings.Load().keys
	name, key, ok := r.BasicAuth()
	if !ok {
		return ring.byName(byOAuth, form.Get("client_id"), form.Get("client_secret"))
	}
	if k, ok := ring.byName(byOAuth, name, key); ok {
		return k, true
	}
	plainName, err1 := url.QueryUnescape(name)
	plainKey, err2 := url.QueryUnescape(key)
	if err1 != nil || err2 != nil {
		return ringKey{}, false
	}
	return ring.byName(byOAuth, plainName, plainKey)
}

func failToken(c *gin.Context, status int, code, detail string) {
	fail(c, problem{Status: status, Detail: detail, More: map[string]any{"error": code}})
}
