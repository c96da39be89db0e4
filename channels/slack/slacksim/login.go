package slacksim

import (
	"crypto/hmac"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/channels/emulator"
)

// idTokenLife is how long an id token is good for: five minutes
// (openid.connect.token, exp - iat of its example; read 2026-11-25).
const idTokenLife = 5 * time.Minute

// serveLogin is Sign in with Slack: /openid/connect/authorize,
// /openid/connect/keys and the method openid.connect.token, which takes the
// app's client instead of a token. ok is false for other paths.
func (s *Sim) serveLogin(w http.ResponseWriter, r *http.Request, last string) (ok bool) {
	connect := strings.Contains(r.URL.Path, "/openid/connect/")
	switch {
	case connect && last == "keys":
		a := emulator.JSON(http.StatusOK, s.logins.Keys())
		maps.Copy(w.Header(), a.Header)
		_, _ = w.Write(a.Body) // who has gone does not hear it
	case connect && last == "authorize":
		emulator.Consent(w, r, "Sign in with Slack", s.members(), func(person string) (string, error) {
			return s.Login(person, r.URL.String())
		})
	case last == "openid.connect.token":
		args, problem := readArgs(r)
		s.desk.Serve(w, r, emulator.Call{Method: last, Do: func() emulator.Answer {
			if problem != nil {
				return refusal(problem)
			}
			return s.token(args)
		}})
	default:
		return false
	}
	return true
}

func (s *Sim) members() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for id, m := range s.users {
		if !m.Bot && !m.disabled {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// Login is a member at Sign in with Slack: the address to which their browser is
// sent back. Who is emulator.Nobody cancels.
func (s *Sim) Login(user, authorizeURL string) (back string, err error) {
	u, err := url.Parse(authorizeURL)
	if err != nil {
		return "", err
	}
	q := u.Query()
	switch {
	case s.opt.ClientID == "" || q.Get("client_id") != s.opt.ClientID:
		return "", emulator.Refused("invalid_client_id")
	case !s.logins.Registered(q.Get("redirect_uri")):
		return "", emulator.Refused("redirect_uri did not match any configured URIs")
	case q.Get("response_type") != "code":
		return "", emulator.Refused("invalid response_type")
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		return "", emulator.Refused("invalid_scope: openid is missing")
	}
	answer := url.Values{"state": {q.Get("state")}}
	if user == emulator.Nobody {
		answer.Set("error", "access_denied")
		return emulator.Back(q.Get("redirect_uri"), answer), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.enter(user); err != nil {
		return "", err
	}
	answer.Set("code", s.logins.Give(emulator.Grant{
		Person: user, ClientID: q.Get("client_id"), RedirectURI: q.Get("redirect_uri"), Nonce: q.Get("nonce"),
	}))
	return emulator.Back(q.Get("redirect_uri"), answer), nil
}

// token is openid.connect.token.
func (s *Sim) token(a args) emulator.Answer {
	switch {
	case a["client_id"] == "" || a["client_id"] != s.opt.ClientID:
		return refusal(&apiError{code: "invalid_client_id"})
	case s.opt.ClientSecret == "" || !hmac.Equal([]byte(a["client_secret"]), []byte(s.opt.ClientSecret)):
		return refusal(&apiError{code: "bad_client_secret"})
	case a["grant_type"] != "authorization_code":
		return refusal(&apiError{code: "invalid_grant_type"})
	}
	g, problem := s.logins.Take(a["code"], a["client_id"], a["redirect_uri"], a["code_verifier"])
	switch problem {
	case emulator.CodeGood:
	case emulator.CodeRedirect:
		return refusal(&apiError{code: "bad_redirect_uri"})
	case emulator.CodeUsed:
		return refusal(&apiError{code: "code_already_used"})
	default:
		return refusal(&apiError{code: "invalid_code"})
	}
	return emulator.JSON(http.StatusOK, map[string]any{
		"ok": true, "access_token": "xoxp-" + g.Person, "token_type": "Bearer", "id_token": s.logins.Sign(s.claims(g)),
	})
}

func (s *Sim) claims(g emulator.Grant) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opt.Now()
	claims := map[string]any{
		"iss": s.opt.LoginURL, "sub": g.Person, "aud": g.ClientID, "iat": now.Unix(), "auth_time": now.Unix(),
		"exp": now.Add(idTokenLife).Unix(), "https://slack.com/user_id": g.Person, "https://slack.com/team_id": s.opt.TeamID,
	}
	if g.Nonce != "" {
		claims["nonce"] = g.Nonce
	}
	if m := s.users[g.Person]; m != nil {
		claims["name"], claims["locale"] = m.RealName, m.Locale
	}
	if s.forge != nil {
		s.forge(claims)
	}
	return claims
}

// ForgeTokens changes the claims of all id tokens from now on; nil ends that.
func (s *Sim) ForgeTokens(change func(claims map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forge = change
}

// Logins returns the server side of the login.
func (s *Sim) Logins() *emulator.Logins { return &s.logins }
