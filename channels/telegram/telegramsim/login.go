package telegramsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/channels/emulator"
)

// idTokenLife is how long an id token is good for. Telegram names no number; one
// hour is this emulator's choice.
const idTokenLife = time.Hour

// maxState bounds state, which Telegram takes as letters, digits, - and _ only.
// It is not documented; seen refused in clients, hence the strict reading.
var maxState = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// serveLogin is Log In With Telegram (bots/telegram-login, read 2026-11-25):
// /auth, /token and /.well-known/jwks.json. ok is false for other paths.
func (s *Sim) serveLogin(w http.ResponseWriter, r *http.Request) (ok bool) {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/.well-known/jwks.json"):
		write(w, emulator.JSON(http.StatusOK, s.logins.Keys()))
	case strings.HasSuffix(path, "/auth") && r.Method == http.MethodGet:
		emulator.Consent(w, r, "Log in with Telegram", s.people(), func(person string) (string, error) {
			return s.Login(person, r.URL.String(), true)
		})
	case strings.HasSuffix(path, "/token") && r.Method == http.MethodPost:
		s.desk.Serve(w, r, emulator.Call{Method: "token", Do: func() emulator.Answer { return s.token(r) }})
	default:
		return false
	}
	return true
}

func write(w http.ResponseWriter, a emulator.Answer) {
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // who has gone does not hear it
}

func (s *Sim) people() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for id := range s.chats {
		all = append(all, strconv.FormatInt(id, 10))
	}
	slices.Sort(all)
	return all
}

// Login is a person at Telegram's login: the address to which their browser is
// sent back. letWrite says whether they let the bot write, if it asks. Who is
// emulator.Nobody cancels.
func (s *Sim) Login(person, authorizeURL string, letWrite bool) (back string, err error) {
	u, err := url.Parse(authorizeURL)
	if err != nil {
		return "", err
	}
	q := u.Query()
	scopes := strings.Fields(q.Get("scope"))
	switch {
	case q.Get("client_id") != strconv.FormatInt(s.self.ID, 10):
		return "", emulator.Refused("unknown client_id")
	case !s.logins.Registered(q.Get("redirect_uri")):
		return "", emulator.Refused("redirect_uri invalid")
	case q.Get("response_type") != "code":
		return "", emulator.Refused("response_type must be code")
	case !slices.Contains(scopes, "openid"):
		return "", emulator.Refused("scope must have openid")
	case !maxState.MatchString(q.Get("state")):
		return "", emulator.Refused("state must be 1 to 64 of A-Z, a-z, 0-9, - and _")
	case q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256":
		return "", emulator.Refused("code_challenge is required, of the method S256")
	}
	state := url.Values{"state": {q.Get("state")}}
	if person == emulator.Nobody {
		state.Set("error", "access_denied")
		return emulator.Back(q.Get("redirect_uri"), state), nil
	}
	if err := s.consents(person, letWrite && slices.Contains(scopes, "telegram:bot_access")); err != nil {
		return "", err
	}
	state.Set("code", s.logins.Give(emulator.Grant{
		Person: person, ClientID: q.Get("client_id"), RedirectURI: q.Get("redirect_uri"), Nonce: q.Get("nonce"), Challenge: q.Get("code_challenge"),
	}))
	return emulator.Back(q.Get("redirect_uri"), state), nil
}

// consents lets the bot write to a person who allows it, and tells it so.
func (s *Sim) consents(person string, letWrite bool) error {
	id, err := strconv.ParseInt(person, 10, 64)
	if err != nil || id <= 0 {
		return errPerson
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.chat(id)
	if !letWrite || ch.blocked || ch.started {
		return nil
	}
	ch.started = true
	m := s.next(ch, ch.person())
	m.WriteAccess = &struct{}{}
	s.tell("message", ch.id, m)
	return nil
}

// token is the token endpoint: id and secret of the client in the Authorization header.
func (s *Sim) token(r *http.Request) emulator.Answer {
	refuse := func(status int, code string) emulator.Answer {
		return emulator.JSON(status, map[string]string{"error": code})
	}
	form := emulator.Form(r)
	id, secret, ok := r.BasicAuth()
	if !ok || id != strconv.FormatInt(s.self.ID, 10) || s.opt.LoginSecret == "" || !hmac.Equal([]byte(secret), []byte(s.opt.LoginSecret)) {
		return refuse(http.StatusUnauthorized, "invalid_client")
	}
	if form.Get("grant_type") != "authorization_code" {
		return refuse(http.StatusBadRequest, "unsupported_grant_type")
	}
	g, problem := s.logins.Take(form.Get("code"), id, form.Get("redirect_uri"), form.Get("code_verifier"))
	if problem != emulator.CodeGood {
		return refuse(http.StatusBadRequest, "invalid_grant")
	}
	account, _ := strconv.ParseInt(g.Person, 10, 64) // a grant's person is a number
	now := s.opt.Now()
	claims := map[string]any{
		"iss": s.opt.LoginURL, "aud": id, "iat": now.Unix(), "exp": now.Add(idTokenLife).Unix(),
		"sub": "9" + g.Person + "77", // a number of the login's own
		"id":  account, "name": "Person " + g.Person, "preferred_username": "person" + g.Person,
	}
	if g.Nonce != "" {
		claims["nonce"] = g.Nonce
	}
	s.change(claims)
	return emulator.JSON(http.StatusOK, map[string]any{
		"access_token": "tg-" + g.Person, "token_type": "Bearer", "expires_in": int(idTokenLife.Seconds()), "id_token": s.logins.Sign(claims),
	})
}

// ForgeTokens changes the claims of all id tokens from now on; nil ends that.
func (s *Sim) ForgeTokens(change func(claims map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forge = change
}

func (s *Sim) change(claims map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forge != nil {
		s.forge(claims)
	}
}

// Logins returns the server side of the login.
func (s *Sim) Logins() *emulator.Logins { return &s.logins }

var (
	widgetScript = regexp.MustCompile(`<script async src="https://telegram\.org/js/telegram-widget\.js\?\d+"([^>]*)>`)
	attribute    = regexp.MustCompile(`(data-[a-z-]+)="([^"]*)"`)
)

// Widget is a person who presses the Login Widget on a page (widgets/login-legacy,
// read 2026-11-25): the address to which their browser is sent, signed with the
// digest of the bot's token. The page must be on the bot's domain.
func (s *Sim) Widget(person, page string, letWrite bool) (back string, err error) {
	tag := widgetScript.FindStringSubmatch(page)
	if tag == nil {
		return "", errors.New("the page has no Login Widget")
	}
	attributes := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag[1], -1) {
		attributes[m[1]] = html.UnescapeString(m[2])
	}
	target, err := url.Parse(attributes["data-auth-url"])
	switch {
	case err != nil || attributes["data-telegram-login"] != s.self.Username:
		return "", errors.New("bot username invalid")
	case s.opt.Domain == "" || target.Hostname() != s.opt.Domain:
		return "", errors.New("bot domain invalid")
	}
	if err := s.consents(person, letWrite && attributes["data-request-access"] == "write"); err != nil {
		return "", err
	}
	return emulator.Back(target.String(), s.WidgetFields(person, s.opt.Now())), nil
}

// WidgetFields are the fields of the Login Widget for a person at a time, signed.
func (s *Sim) WidgetFields(person string, at time.Time) url.Values {
	fields := url.Values{
		"id": {person}, "first_name": {"Person " + person}, "username": {"person" + person},
		"photo_url": {"https://t.me/i/userpic/320/" + person + ".jpg"}, "auth_date": {strconv.FormatInt(at.Unix(), 10)},
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		lines = append(lines, key+"="+fields.Get(key))
	}
	secret := sha256.Sum256([]byte(s.opt.Token))
	mac := hmac.New(sha256.New, secret[:])
	mac.Write([]byte(strings.Join(lines, "\n")))
	fields.Set("hash", hex.EncodeToString(mac.Sum(nil)))
	return fields
}
