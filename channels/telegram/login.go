package telegram

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"tidings/channels/openid"
	"tidings/core"
)

// The two logins that Telegram has.
const (
	// openID is Log In With Telegram: authorization code with PKCE and a signed id token.
	// https://core.telegram.org/bots/telegram-login, read 2026-11-25.
	openID = "openid"
	// widget is the Login Widget before it, signed with the bot's token.
	// https://core.telegram.org/widgets/login-legacy, read 2026-11-25.
	widget = "widget"
)

const (
	widgetScript = "https://telegram.org/js/telegram-widget.js?22"
	widgetFrame  = "https://oauth.telegram.org"
	// widgetAge is how old a widget's answer may be. Telegram names no number
	// and gives the answer as the person presses; this is as long as an attempt lasts.
	widgetAge  = 10 * time.Minute
	widgetSkew = time.Minute // how far Telegram's clock may be ahead of ours
)

// login is the bot's login; zero where there is none.
type login struct {
	kind     string
	authURL  string
	provider *openid.Provider
}

func (c *Config) openLogin(own *Channel) login {
	l := login{kind: c.Login}
	if c.Login != openID {
		return l
	}
	base := strings.TrimRight(c.LoginURL, "/")
	l.authURL = base + "/auth"
	l.provider = openid.Provider{
		Issuer: base, TokenURL: base + "/token", KeysURL: base + "/.well-known/jwks.json",
		ClientID: c.clientID(), Secret: c.LoginClientSecret, Basic: true, HTTP: own.client,
	}.Open()
	return l
}

// clientID is the bot's id, which a token begins with, unless BotFather gave another.
func (c *Config) clientID() string {
	if c.LoginClientID != "" {
		return c.LoginClientID
	}
	id, _, _ := strings.Cut(c.Token.Reveal(), ":")
	return id
}

func (c *Config) loginFaults() []core.Fault {
	var faults []core.Fault
	fault := func(key, problem string) { faults = append(faults, core.Fault{Key: key, Problem: problem}) }
	switch c.Login {
	case "", widget:
		if c.LoginClientSecret != "" {
			fault("login_client_secret", "is for login: openid only")
		}
	case openID:
		if c.LoginClientSecret == "" {
			fault("login_client_secret", "is missing; BotFather gives it (Bot Settings, Web Login)")
		}
		if problem := urlProblem(c.LoginURL); problem != "" {
			fault("login_url", "is not an absolute http(s) URL like https://oauth.telegram.org")
		}
	default:
		fault("login", "is neither openid nor widget; leave it out for no login")
	}
	if _, err := strconv.ParseInt(c.clientID(), 10, 64); c.Login == openID && err != nil {
		fault("login_client_id", "is missing or no number; it is the bot's id, as BotFather shows it")
	}
	return faults
}

// HasLogin reports whether the stanza asks for one.
func (c *Channel) HasLogin() bool { return c.login.kind != "" }

// BeginLogin leads to Telegram's login, or to the page with its button. Either
// asks for the right to write, without which a bot can say nothing.
func (c *Channel) BeginLogin(a core.LoginAttempt) core.LoginStep {
	if c.login.kind == widget {
		return core.LoginStep{Widget: &core.Widget{
			Script: widgetScript, Frame: widgetFrame,
			Attributes: map[string]string{
				"data-telegram-login": c.username, "data-size": "large", "data-request-access": "write",
				"data-auth-url": a.RedirectURI + "?state=" + url.QueryEscape(a.State),
			},
		}}
	}
	q := url.Values{
		"client_id": {c.login.provider.ClientID}, "redirect_uri": {a.RedirectURI}, "response_type": {"code"},
		"scope": {"openid profile telegram:bot_access"}, "state": {a.State}, "nonce": {a.Nonce},
		"code_challenge": {openid.Challenge(a.Verifier)}, "code_challenge_method": {"S256"},
	}
	return core.LoginStep{URL: c.login.authURL + "?" + q.Encode()}
}

// FinishLogin proves who came back, and asks whether the bot may write to them.
func (c *Channel) FinishLogin(ctx context.Context, a core.LoginAttempt, query map[string][]string) (core.Identity, error) {
	prove := c.proveByToken
	if c.login.kind == widget {
		prove = c.proveByHash
	}
	id, err := prove(ctx, a, query)
	if err != nil {
		return core.Identity{}, err
	}
	mayWrite, err := c.mayWrite(ctx, id.Subject)
	if err != nil {
		return core.Identity{}, err
	}
	if mayWrite {
		id.Address = core.Address{Value: id.Subject}
	}
	return id, nil
}

// proveByToken is the way of OpenID Connect. The claim id is the account, and the
// private chat with it; sub is a number of the login's own.
func (c *Channel) proveByToken(ctx context.Context, a core.LoginAttempt, query map[string][]string) (core.Identity, error) {
	code, err := openid.Code(query)
	if err != nil {
		return core.Identity{}, err
	}
	var claims struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	if err := c.login.provider.Exchange(ctx, code, a, &claims); err != nil {
		return core.Identity{}, err
	}
	if claims.ID <= 0 {
		return core.Identity{}, errors.New("telegram: login: the id token names no account; is the scope profile allowed?")
	}
	account := strconv.FormatInt(claims.ID, 10)
	return core.Identity{
		Subject: account, Name: claims.Name,
		Proof: "Log In With Telegram: account " + account + " by an id token for client " + c.login.provider.ClientID,
	}, nil
}

// proveByHash is the way of the Login Widget: all fields but the hash, sorted, are
// signed with the digest of the bot's token.
func (c *Channel) proveByHash(_ context.Context, a core.LoginAttempt, query map[string][]string) (core.Identity, error) {
	fields := map[string]string{}
	for key, values := range query {
		if key == "state" {
			continue // ours, in the URL that Telegram added its fields to
		}
		if len(values) != 1 {
			return core.Identity{}, core.ErrUnproven
		}
		fields[key] = values[0]
	}
	given, err := hex.DecodeString(fields["hash"])
	delete(fields, "hash")
	if err != nil || !hmac.Equal(given, c.widgetHash(fields)) {
		return core.Identity{}, core.ErrUnproven
	}
	seconds, err := strconv.ParseInt(fields["auth_date"], 10, 64)
	age := a.Now.Sub(time.Unix(seconds, 0))
	if err != nil || age > widgetAge || age < -widgetSkew {
		return core.Identity{}, core.ErrUnproven
	}
	if c.CheckAddress(fields["id"]) != "" {
		return core.Identity{}, core.ErrUnproven
	}
	return core.Identity{
		Subject: fields["id"], Name: strings.TrimSpace(fields["first_name"] + " " + fields["last_name"]),
		Proof: "Telegram Login Widget: account " + fields["id"] + " by the hash of bot @" + c.username +
			" at " + time.Unix(seconds, 0).UTC().Format(time.RFC3339),
		Once: hex.EncodeToString(given),
	}, nil
}

func (c *Channel) widgetHash(fields map[string]string) []byte {
	lines := make([]string, 0, len(fields))
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		lines = append(lines, key+"="+fields[key])
	}
	key := sha256.Sum256([]byte(c.token))
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(strings.Join(lines, "\n")))
	return mac.Sum(nil)
}

// mayWrite reports whether the person has started the bot or let it write, and
// does not block it: only then does Telegram let it show that it is typing.
func (c *Channel) mayWrite(ctx context.Context, account string) (bool, error) {
	const method = "sendChatAction"
	x := &exchange{ctx: ctx, client: c.client}
	bot := &tgbotapi.BotAPI{Token: c.token, Client: x}
	bot.SetAPIEndpoint(c.endpoint)
	_, err := bot.MakeRequest(method, tgbotapi.Params{"chat_id": account, "action": "typing"})
	if err == nil {
		return true, nil
	}
	failure := c.failure(method, core.Part{}, x, err)
	if core.ClassOf(failure) == core.Unreachable {
		return false, nil
	}
	return false, failure
}
