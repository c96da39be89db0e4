package telegram_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/telegram"
	"tidings/channels/telegram/telegramsim"
	"tidings/core"
)

const (
	loginSecret = "hush-login-secret"
	back        = "https://notify.example.com/auth/telegram/callback"
)

// loginWorld is a bot with a login on an emulated Telegram.
func loginWorld(t *testing.T, kind string) (core.Authenticator, *telegramsim.Sim) {
	t.Helper()
	sim := telegramsim.New(telegramsim.Options{
		Token: testToken, Username: "my_shop_bot", NoRates: true, LoginSecret: loginSecret, Redirects: []string{back}, Domain: "notify.example.com",
	})
	t.Cleanup(sim.Close)
	c := config()
	c.Login = kind
	if kind == "openid" {
		c.LoginClientSecret = loginSecret
	}
	a, ok := openWith(t, c, emulator.Transport(sim)).(core.Authenticator)
	if !ok || !a.HasLogin() {
		t.Fatal("want a login")
	}
	return a, sim
}

func attempt() core.LoginAttempt {
	return core.LoginAttempt{RedirectURI: back, State: "st_ate-1", Nonce: "nonce-1", Verifier: strings.Repeat("v", 43), Now: time.Now()}
}

func query(t *testing.T, address string) map[string][]string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func TestLoginByToken(t *testing.T) {
	a, sim := loginWorld(t, "openid")
	at := attempt()
	step := a.BeginLogin(at)
	if step.Widget != nil || !strings.HasPrefix(step.URL, "https://oauth.telegram.org/auth?") || strings.Contains(step.URL, at.Verifier) {
		t.Fatalf("got %+v, want Telegram's login, and the verifier kept", step)
	}
	came, err := sim.Login("42", step.URL, false)
	if err != nil {
		t.Fatal(err)
	}
	id, err := a.FinishLogin(t.Context(), at, query(t, came))
	if err != nil || id.Subject != "42" || id.Address.Value != "" || id.Name != "Person 42" {
		t.Errorf("before the bot may write: got %+v, %v, want the account and no address", id, err)
	}
	if _, err := a.FinishLogin(t.Context(), at, query(t, came)); !errors.Is(err, core.ErrUnproven) {
		t.Errorf("the same code: got %v, want not proved", err)
	}
	came, _ = sim.Login("42", step.URL, true)
	if id, err := a.FinishLogin(t.Context(), at, query(t, came)); err != nil || id.Address.Value != "42" {
		t.Errorf("when it may: got %+v, %v, want the address", id, err)
	}
	sim.Block("42")
	came, _ = sim.Login("42", step.URL, true)
	if id, err := a.FinishLogin(t.Context(), at, query(t, came)); err != nil || id.Address.Value != "" {
		t.Errorf("who blocks the bot: got %+v, %v, want no address", id, err)
	}
	came, _ = sim.Login("42", step.URL, true)
	other := at
	other.Verifier = strings.Repeat("w", 43)
	if _, err := a.FinishLogin(t.Context(), other, query(t, came)); !errors.Is(err, core.ErrUnproven) {
		t.Errorf("another verifier: got %v, want not proved", err)
	}
}

// The platform is as strict as its documents: each fault of a request is refused.
func TestLoginRequestIsWhole(t *testing.T) {
	a, sim := loginWorld(t, "openid")
	whole := a.BeginLogin(attempt()).URL
	for name, change := range map[string][2]string{
		"another client": {"client_id", "1"}, "another redirect URI": {"redirect_uri", back + "/"}, "no code": {"response_type", "token"},
		"no openid": {"scope", "profile"}, "a long state": {"state", strings.Repeat("x", 65)}, "no challenge": {"code_challenge", ""},
		"a plain challenge": {"code_challenge_method", "plain"},
	} {
		u, _ := url.Parse(whole)
		q := u.Query()
		q.Set(change[0], change[1])
		u.RawQuery = q.Encode()
		if _, err := sim.Login("42", u.String(), true); err == nil {
			t.Errorf("%s: the emulator takes it", name)
		}
	}
}

// The hash is checked as Telegram documents it, over every field but the hash;
// fields that are added in the future count too.
func TestLoginByHash(t *testing.T) {
	a, sim := loginWorld(t, "widget")
	sim.Know("42")
	at := attempt()
	step := a.BeginLogin(at)
	if step.Widget == nil || step.Widget.Attributes["data-auth-url"] != back+"?state=st_ate-1" || step.Widget.Attributes["data-request-access"] != "write" {
		t.Fatalf("got %+v, want the widget, which asks for the right to write", step)
	}
	finish := func(fields url.Values) (core.Identity, error) {
		fields.Set("state", at.State)
		return a.FinishLogin(t.Context(), at, fields)
	}
	id, err := finish(sim.WidgetFields("42", at.Now))
	if err != nil || id.Address.Value != "42" || id.Once == "" || strings.Contains(id.Proof, id.Once) {
		t.Errorf("got %+v, %v, want the account, once", id, err)
	}
	for name, fields := range map[string]url.Values{
		"old": sim.WidgetFields("42", at.Now.Add(-10*time.Minute-time.Second)), "to come": sim.WidgetFields("42", at.Now.Add(time.Minute+time.Second)),
		"a group": sim.WidgetFields("-42", at.Now), "nobody": sim.WidgetFields("", at.Now), "no hash": without(sim.WidgetFields("42", at.Now), "hash"),
		"a field less": without(sim.WidgetFields("42", at.Now), "username"), "nothing": {},
	} {
		if _, err := finish(fields); !errors.Is(err, core.ErrUnproven) {
			t.Errorf("%s: got %v, want not proved", name, err)
		}
	}
}

func without(fields url.Values, key string) url.Values {
	fields.Del(key)
	return fields
}

func TestLoginFaults(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*telegram.Config)
		want   string
	}{
		"no secret":          {func(c *telegram.Config) { c.Login = "openid" }, "login_client_secret"},
		"a strange login":    {func(c *telegram.Config) { c.Login = "magic" }, "login"},
		"a secret too much":  {func(c *telegram.Config) { c.Login, c.LoginClientSecret = "widget", "x" }, "login_client_secret"},
		"a strange address":  {func(c *telegram.Config) { c.Login, c.LoginClientSecret, c.LoginURL = "openid", "x", "oauth" }, "login_url"},
		"a client of a name": {func(c *telegram.Config) { c.Login, c.LoginClientSecret, c.LoginClientID = "openid", "x", "shop" }, "login_client_id"},
	} {
		c := config()
		test.change(c)
		if faults := c.Validate(); len(faults) != 1 || faults[0].Key != test.want {
			t.Errorf("%s: got %v, want a fault of %s", name, faults, test.want)
		}
	}
}

// Neither the token nor the secret is in an error, whatever Telegram answers.
func TestLoginErrorsHoldNoSecret(t *testing.T) {
	c := config()
	c.Login, c.LoginClientSecret = "openid", loginSecret
	for name, platform := range map[string]http.RoundTripper{
		"nothing": roundTrip(func(r *http.Request) (*http.Response, error) { return nil, errors.New("to " + r.URL.String()) }),
		"refused": answer(401, `{"error":"`+loginSecret+`"}`), "no JSON": answer(200, loginSecret),
	} {
		a := openWith(t, c, platform).(core.Authenticator)
		_, err := a.FinishLogin(t.Context(), attempt(), map[string][]string{"code": {"hush-code"}})
		if err == nil || errors.Is(err, core.ErrUnproven) || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), testToken) {
			t.Errorf("%s: got %v, want an error about the platform, without secrets", name, err)
		}
	}
}
