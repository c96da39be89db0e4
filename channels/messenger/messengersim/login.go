package messengersim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/channels/emulator"
)

// Facebook Login (facebook-login/guides/advanced/manual-flow), account linking
// (messenger-platform/identity/account-linking) and the signed requests about
// apps that people remove; read 2026-11-25.

const (
	userTokenLife = 60 * 24 * time.Hour // a long-lived one; the number is not promised
	linkingLife   = 5 * time.Minute     // of an account_linking_token
)

// userToken is an access token of a person who has logged in.
type userToken struct {
	app, asid string
	until     time.Time
}

// linking is an account_linking_token.
type linking struct {
	psid  string
	until time.Time
	used  bool
}

// serveBrowser is what browsers meet: the login's dialog, and the way back from a
// shop's login. ok is false for other paths.
func (s *Sim) serveBrowser(w http.ResponseWriter, r *http.Request) (ok bool) {
	switch path := strings.TrimRight(r.URL.Path, "/"); {
	case r.Method == http.MethodGet && strings.HasSuffix(path, "/dialog/oauth"):
		emulator.Consent(w, r, "Log in with Facebook", s.people(), func(person string) (string, error) {
			return s.Login(person, r.URL.String())
		})
	case r.Method == http.MethodGet && strings.HasSuffix(path, "/messenger_platform/account_linking"):
		q := r.URL.Query()
		if err := s.endLinking(q.Get("account_linking_token"), q.Get("authorization_code")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	default:
		return false
	}
	return true
}

func (s *Sim) people() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for psid := range s.users {
		all = append(all, psid)
	}
	slices.Sort(all)
	return all
}

// Login is a person, named by who they are in the Page's chats, at the login's
// dialog: the address to which their browser is sent back. Who is
// emulator.Nobody cancels.
func (s *Sim) Login(user, dialogURL string) (back string, err error) {
	u, err := url.Parse(dialogURL)
	if err != nil {
		return "", err
	}
	q := u.Query()
	switch {
	case q.Get("client_id") != s.opt.AppID:
		return "", emulator.Refused("Invalid App ID: The provided app ID does not look like a valid app ID.")
	case !s.logins.Registered(q.Get("redirect_uri")):
		return "", emulator.Refused("URL Blocked: This redirect failed because the redirect URI is not whitelisted in the app's Client OAuth Settings.")
	case q.Get("response_type") != "" && q.Get("response_type") != "code":
		return "", emulator.Refused("only response_type code is emulated")
	}
	answer := url.Values{"state": {q.Get("state")}}
	if user == emulator.Nobody {
		answer["error"], answer["error_reason"], answer["error_description"] = []string{"access_denied"}, []string{"user_denied"}, []string{"Permissions error"}
		return emulator.Back(q.Get("redirect_uri"), answer), nil
	}
	answer.Set("code", s.logins.Give(emulator.Grant{Person: s.ASID(user), ClientID: q.Get("client_id"), RedirectURI: q.Get("redirect_uri")}))
	return emulator.Back(q.Get("redirect_uri"), answer), nil
}

// ASID is who a person is for the app.
func (s *Sim) ASID(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.person(user)
	if c.ASID == "" {
		c.ASID = "10" + c.PSID
	}
	return c.ASID
}

// TokensOf makes the login give tokens of another app from now on, as if the code
// had been that app's; "" ends that.
func (s *Sim) TokensOf(app string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokenApp = app
}

// Logins returns the server side of the login.
func (s *Sim) Logins() *emulator.Logins { return &s.logins }

// loginCall are the calls of the Graph API that a login and account linking make.
func (s *Sim) loginCall(method, node, edge string, p params) (emulator.Call, bool) {
	call := func(name string, do func() (any, *graphError)) (emulator.Call, bool) {
		return emulator.Call{Method: name, Do: func() emulator.Answer { return result(do()) }}, true
	}
	switch {
	case node == "oauth" && edge == "access_token":
		return call("access_token", func() (any, *graphError) { return s.accessToken(p) })
	case method == http.MethodGet && node == "debug_token":
		return call(node, func() (any, *graphError) { return s.debugToken(p) })
	case method == http.MethodGet && node == "me" && edge == "" && s.isUserToken(p):
		return call("me", func() (any, *graphError) { return s.me(p) })
	case method == http.MethodGet && node == "me" && p.has("account_linking_token"):
		return s.plain("recipient", p, func() (any, *graphError) { return s.recipientOf(p) }), true
	case method == http.MethodPost && edge == "unlink_accounts":
		return s.plain(edge, p, func() (any, *graphError) { return s.unlinkAccounts(p) }), true
	}
	return emulator.Call{}, false
}

func (s *Sim) accessToken(p params) (any, *graphError) {
	secret := p.text("client_secret")
	switch {
	case p.text("client_id") != s.opt.AppID:
		return nil, errorf(101, 0, "Error validating application. Cannot get application info due to a system error.")
	case !hmac.Equal([]byte(secret), []byte(s.opt.AppSecret)):
		return nil, errorf(1, 0, "Error validating client secret.")
	}
	g, problem := s.logins.Take(p.text("code"), p.text("client_id"), p.text("redirect_uri"), "")
	switch problem {
	case emulator.CodeGood:
	case emulator.CodeRedirect:
		return nil, errorf(100, 36008, "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request")
	case emulator.CodeUsed:
		return nil, errorf(100, 36009, "This authorization code has been used.")
	case emulator.CodeExpired:
		return nil, errorf(100, 36007, "This authorization code has expired.")
	default:
		return nil, errorf(100, 36009, "Invalid verification code format.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := userToken{app: s.opt.AppID, asid: g.Person, until: s.opt.Now().Add(userTokenLife)}
	if s.tokenApp != "" {
		token.app = s.tokenApp
	}
	name := "EAAU" + rand.Text()
	s.tokens[name] = token
	return map[string]any{"access_token": name, "token_type": "bearer", "expires_in": int(userTokenLife.Seconds())}, nil
}

func (s *Sim) debugToken(p params) (any, *graphError) {
	if err := s.authorizeApp(p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, known := s.tokens[p.text("input_token")]
	if !known {
		return map[string]any{"data": map[string]any{"is_valid": false, "error": map[string]any{"code": 190, "message": "Malformed access token"}}}, nil
	}
	return map[string]any{"data": map[string]any{
		"app_id": t.app, "type": "USER", "application": "Emulated app", "is_valid": s.opt.Now().Before(t.until),
		"expires_at": t.until.Unix(), "user_id": t.asid, "scopes": []string{"public_profile"},
	}}, nil
}

func (s *Sim) isUserToken(p params) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.tokens[p.text("access_token")]
	return known
}

func (s *Sim) me(p params) (any, *graphError) {
	if err := s.checkProof(p, p.text("access_token")); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[p.text("access_token")]
	if !s.opt.Now().Before(t.until) {
		return nil, errorf(190, 463, "Error validating access token: Session has expired")
	}
	return map[string]string{"id": t.asid}, nil
}

// LinkAccount presses the log in button of a message: the address of the shop's
// page, as the browser opens it. Only apps for iOS and Android do.
func (s *Sim) LinkAccount(_ context.Context, user string) (page string, err error) {
	link := ""
	for _, m := range slices.Backward(s.log.Shown(user)) {
		if link = accountLink(m.Raw); link != "" {
			break
		}
	}
	target, err := url.Parse(link)
	if err != nil || link == "" {
		return "", errNoButton
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := "AL" + rand.Text()
	s.linkings[token] = linking{psid: user, until: s.opt.Now().Add(linkingLife)}
	q := target.Query()
	q.Set("account_linking_token", token)
	q.Set("redirect_uri", "https://facebook.com/messenger_platform/account_linking/?account_linking_token="+token)
	target.RawQuery = q.Encode()
	return target.String(), nil
}

func accountLink(raw json.RawMessage) string {
	var m struct {
		Attachment struct {
			Payload struct {
				Buttons []struct {
					Type string `json:"type"`
					URL  string `json:"url"`
				} `json:"buttons"`
			} `json:"payload"`
		} `json:"attachment"`
	}
	_ = json.Unmarshal(raw, &m) // it was accepted as a message
	for _, b := range m.Attachment.Payload.Buttons {
		if b.Type == "account_link" {
			return b.URL
		}
	}
	return ""
}

// endLinking is the browser back from the shop's page.
func (s *Sim) endLinking(token, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, known := s.linkings[token]
	if !known || l.used || !s.opt.Now().Before(l.until) {
		return errors.New("account_linking_token: unknown, used or too old")
	}
	l.used = true
	s.linkings[token] = l
	if code == "" { // the shop did not let them in
		return nil
	}
	s.linked(l.psid, map[string]string{"status": "linked", "authorization_code": code})
	return nil
}

// linked tells of an account that was linked or unlinked. The caller holds the lock.
func (s *Sim) linked(psid string, what map[string]string) {
	s.post(psid, event{field: "messaging_account_linking", what: "account_linking", psid: psid, at: s.opt.Now(),
		body: map[string]any{"account_linking": what}})
}

// UnlinkAccount presses a log out button.
func (s *Sim) UnlinkAccount(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.linked(user, map[string]string{"status": "unlinked"})
}

func (s *Sim) recipientOf(p params) (any, *graphError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, known := s.linkings[p.text("account_linking_token")]
	if !known || !s.opt.Now().Before(l.until) {
		return nil, errorf(10303, 0, "Invalid account_linking_token")
	}
	return map[string]string{"id": s.opt.PageID, "recipient": l.psid}, nil
}

func (s *Sim) unlinkAccounts(p params) (any, *graphError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	psid := p.text("psid")
	if s.users[psid] == nil {
		return nil, noObject("post", psid)
	}
	s.unlinks[psid]++
	s.linked(psid, map[string]string{"status": "unlinked"})
	return map[string]string{"result": "unlink account success"}, nil
}

// Unlinked is how often the app has unlinked a person's account.
func (s *Sim) Unlinked(user string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unlinks[user]
}

// SignedRequest is what Meta posts about a person to an app's callbacks.
func (s *Sim) SignedRequest(user string) string {
	payload, _ := json.Marshal(map[string]any{ // of plain data
		"algorithm": "HMAC-SHA256", "issued_at": s.opt.Now().Unix(), "expires": 0, "user_id": s.ASID(user),
	})
	body := base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, []byte(s.opt.AppSecret))
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + "." + body
}

// Callback posts a signed request about a person to one of the app's callbacks
// (Deauthorize, Data Deletion Request) and returns what it answered.
func (s *Sim) Callback(ctx context.Context, callback, user string) (status int, body []byte, err error) {
	form := url.Values{"signed_request": {s.SignedRequest(user)}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, callback, bytes.NewReader([]byte(form)))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := s.opt.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("callback: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(res.Body, 1<<16))
	return res.StatusCode, body, err
}
