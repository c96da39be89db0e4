package slack

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/slack/slacksim"
	"tidings/core"
)

const back = "https://notify.example.com/auth/slack/callback"

func loginWorld(t *testing.T, change func(*slacksim.Options)) (core.Authenticator, *slacksim.Sim) {
	t.Helper()
	o := slacksim.Options{TeamID: "T1", ClientID: "104.729", ClientSecret: "hush-client", Redirects: []string{back}}
	if change != nil {
		change(&o)
	}
	sim := slacksim.New(o)
	t.Cleanup(sim.Close)
	c := Defaults()
	c.BotToken, c.SigningSecret, c.TeamID, c.ClientID, c.ClientSecret = testToken, testSecret, "T1", "104.729", "hush-client"
	if faults := c.Validate(); len(faults) > 0 {
		t.Fatal(faults)
	}
	ch, err := c.Open(core.Env{HTTP: &http.Client{Transport: emulator.Transport(sim)}})
	if err != nil {
		t.Fatal(err)
	}
	return ch.(core.Authenticator), sim
}

func TestSignInWithSlack(t *testing.T) {
	a, sim := loginWorld(t, nil)
	at := core.LoginAttempt{RedirectURI: back, State: "s-1", Nonce: "n-1", Verifier: "v-1", Now: time.Now()}
	step := a.BeginLogin(at)
	if !strings.HasPrefix(step.URL, "https://slack.com/openid/connect/authorize?") || !strings.Contains(step.URL, "team=T1") {
		t.Fatalf("got %q, want Slack's login, of our workspace", step.URL)
	}
	login := func() map[string][]string {
		t.Helper()
		came, err := sim.Login("U1", step.URL)
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(came)
		return u.Query()
	}
	q := login()
	if id, err := a.FinishLogin(t.Context(), at, q); err != nil || id.Address.Value != "U1" || id.Subject != "U1" {
		t.Errorf("got %+v, %v, want the member", id, err)
	}
	if _, err := a.FinishLogin(t.Context(), at, q); !errors.Is(err, core.ErrUnproven) {
		t.Errorf("the same code: got %v, want not proved", err)
	}
	other := at
	other.RedirectURI += "/"
	if _, err := a.FinishLogin(t.Context(), other, login()); !errors.Is(err, core.ErrUnproven) {
		t.Errorf("another redirect URI: got %v, want not proved", err)
	}
	for name, value := range map[string]string{"https://slack.com/team_id": "T2", "https://slack.com/user_id": "B1"} {
		sim.ForgeTokens(func(c map[string]any) { c[name] = value })
		if _, err := a.FinishLogin(t.Context(), at, login()); !errors.Is(err, core.ErrUnproven) {
			t.Errorf("%s %s: got %v, want not proved", name, value, err)
		}
	}
}

// What is wrong with our own client is an operator's to see.
func TestSignInWithAnotherSecret(t *testing.T) {
	a, sim := loginWorld(t, func(o *slacksim.Options) { o.ClientSecret = "another" })
	at := core.LoginAttempt{RedirectURI: back, State: "s-1", Nonce: "n-1", Now: time.Now()}
	came, err := sim.Login("U1", a.BeginLogin(at).URL)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(came)
	_, err = a.FinishLogin(t.Context(), at, u.Query())
	if err == nil || errors.Is(err, core.ErrUnproven) || !strings.Contains(err.Error(), "bad_client_secret") || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v, want what Slack says, without the secret", err)
	}
}

func TestLoginFaults(t *testing.T) {
	c := Defaults()
	c.BotToken, c.SigningSecret, c.ClientSecret, c.LoginURL = testToken, testSecret, "x", "slack"
	var got []string
	for _, f := range c.Validate() {
		got = append(got, f.Key)
	}
	if want := "client_id team_id login_url"; strings.Join(got, " ") != want {
		t.Errorf("got faults %q, want %q", got, want)
	}
}
