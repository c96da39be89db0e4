package messenger

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
	"tidings/core"
)

const back = "https://notify.example.com/auth/messenger/callback"

func loginWorld(t *testing.T, rt func(http.RoundTripper) http.RoundTripper) (*channel, *messengersim.Sim) {
	t.Helper()
	sim := messengersim.New(messengersim.Options{
		PageID: "1234567890", PageToken: testToken, AppID: "99", AppSecret: testSecret, NoRates: true, Redirects: []string{back}, RequireProof: true,
	})
	t.Cleanup(sim.Close)
	c := testConfig()
	c.Login = facebook
	transport := emulator.Transport(sim)
	if rt != nil {
		transport = rt(transport)
	}
	ch, err := c.Open(core.Env{HTTP: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return ch.(*channel), sim
}

func comeBack(t *testing.T, c *channel, sim *messengersim.Sim, at core.LoginAttempt, user string) map[string][]string {
	t.Helper()
	came, err := sim.Login(user, c.BeginLogin(at).URL)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(came)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func TestFacebookLogin(t *testing.T) {
	// Every call carries the proof of its token, but the one that has no token yet.
	calls := 0
	proved := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			calls++
			if q := r.URL.Query(); !strings.HasSuffix(r.URL.Path, "/oauth/access_token") && q.Get("appsecret_proof") != proof(testSecret, q.Get("access_token")) {
				t.Errorf("%s: no proof", r.URL.Path)
			}
			return next.RoundTrip(r)
		})
	}
	c, sim := loginWorld(t, proved)
	at := core.LoginAttempt{RedirectURI: back, State: "s-1", Now: time.Now()}
	id, err := c.FinishLogin(t.Context(), at, comeBack(t, c, sim, at, "7001"))
	if err != nil || id.Subject != "107001" || id.Address.Value != "" {
		t.Errorf("who never wrote: got %+v, %v, want the app-scoped id alone", id, err)
	}
	if _, err := sim.Say(t.Context(), "7001", "Hello"); err != nil {
		t.Fatal(err)
	}
	q := comeBack(t, c, sim, at, "7001")
	if id, err := c.FinishLogin(t.Context(), at, q); err != nil || id.Address.Value != "7001" {
		t.Errorf("got %+v, %v, want the page-scoped id", id, err)
	}
	if calls != 8 {
		t.Errorf("got %d calls, want four for each login", calls)
	}
	if _, err := c.FinishLogin(t.Context(), at, q); !errors.Is(err, core.ErrUnproven) {
		t.Errorf("the same code: got %v, want not proved", err)
	}
	other := at
	other.RedirectURI += "?x"
	if _, err := c.FinishLogin(t.Context(), other, comeBack(t, c, sim, at, "7001")); !errors.Is(err, core.ErrUnproven) {
		t.Errorf("another redirect URI: got %v, want not proved", err)
	}
	sim.TokensOf("666")
	if _, err := c.FinishLogin(t.Context(), at, comeBack(t, c, sim, at, "7001")); !errors.Is(err, core.ErrUnproven) {
		t.Errorf("a token of another app: got %v, want not proved", err)
	}
	sim.TokensOf("")
	if _, err := c.FinishLogin(t.Context(), at, comeBack(t, c, sim, at, emulator.Nobody)); !errors.Is(err, core.ErrDeclined) {
		t.Errorf("cancelled: got %v, want declined", err)
	}
	if _, err := sim.Login("7001", strings.Replace(c.BeginLogin(at).URL, "client_id=99", "client_id=98", 1)); err == nil {
		t.Error("the emulator takes another app")
	}
}

// Ids of another Page, though Meta should not give them, are nobody here.
func TestIDsOfAnotherPage(t *testing.T) {
	other := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/ids_for_pages") {
				return respond(200, `{"data":[{"id":"666","page":{"id":"555"}}]}`)(r)
			}
			return next.RoundTrip(r)
		})
	}
	c, sim := loginWorld(t, other)
	at := core.LoginAttempt{RedirectURI: back, State: "s-1", Now: time.Now()}
	if id, err := c.FinishLogin(t.Context(), at, comeBack(t, c, sim, at, "7001")); err != nil || id.Address.Value != "" {
		t.Errorf("got %+v, %v, want no address", id, err)
	}
}

// Whose account a chat is: nobody's before a login, then the app's own id alone,
// with the Page's token and its proof.
func TestAccountOfAChat(t *testing.T) {
	asked, answer := 0, http.RoundTripper(nil)
	watched := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(r.URL.Path, "/ids_for_apps") {
				return next.RoundTrip(r)
			}
			asked++
			if q := r.URL.Query(); q.Get("app") != "99" || q.Get("access_token") != testToken || q.Get("appsecret_proof") != proof(testSecret, testToken) {
				t.Error("the question has not the app, the Page's token or its proof")
			}
			if answer != nil {
				return answer.RoundTrip(r)
			}
			return next.RoundTrip(r)
		})
	}
	c, sim := loginWorld(t, watched)
	if _, err := sim.Say(t.Context(), "7001", "Hello"); err != nil {
		t.Fatal(err)
	}
	chat := core.Address{Value: "7001"}
	want := func(name, subject string) {
		t.Helper()
		id, err := c.IdentityOf(t.Context(), chat)
		if err != nil || id.Subject != subject || (id.Proof == "") != (subject == "") {
			t.Errorf("%s: got %+v, %v, want %q", name, id, err, subject)
		}
	}
	want("before a login", "")
	account := sim.ASID("7001")
	want("after one", account)
	answer = respond(200, `{"data":[{"id":"666","app":{"id":"98"}},{"app":{"id":"99"}}]}`)
	want("ids of another app", "")
	answer = respond(400, `{"error":{"code":100,"error_subcode":33,"message":"Object with ID '7001' does not exist"}}`)
	if id, err := c.IdentityOf(t.Context(), chat); err == nil || id.Subject != "" || strings.Contains(err.Error(), "7001") {
		t.Errorf("refused: got %+v, %v, want an error that names nobody", id, err)
	}
	answer, asked = nil, 0
	chat.Kind = userRef
	want("a checkbox", "")
	chat.Kind, c.config.Login = "", ""
	want("no login", "")
	if asked != 0 {
		t.Errorf("got %d questions, want none", asked)
	}
}

// The shop's end of a link is Messenger's, where it has logins at the shop.
func TestUnlinkAccount(t *testing.T) {
	c, sim := loginWorld(t, nil)
	if _, err := sim.Say(t.Context(), "7001", "Hello"); err != nil {
		t.Fatal(err)
	}
	for page, want := range map[string]int{"": 0, "https://shop.example.com/login": 1} {
		sim.Reset()
		if _, err := sim.Say(t.Context(), "7001", "Hello"); err != nil {
			t.Fatal(err)
		}
		c.config.AccountLinkingURL = page
		if err := c.UnlinkAccount(t.Context(), core.Address{Value: "7001"}); err != nil || sim.Unlinked("7001") != want {
			t.Errorf("with the page %q: got %v and %d times, want %d", page, err, sim.Unlinked("7001"), want)
		}
	}
	if err := c.UnlinkAccount(t.Context(), core.Address{Value: "7002"}); err == nil || strings.Contains(err.Error(), "7002") {
		t.Errorf("nobody: got %v, want an error that names nobody", err)
	}
}

func TestLoginErrorsHoldNoSecret(t *testing.T) {
	c := testConfig()
	c.Login = facebook
	for name, platform := range map[string]http.RoundTripper{
		"nothing":    roundTripper(func(r *http.Request) (*http.Response, error) { return nil, errors.New("to " + r.URL.String()) }),
		"our secret": respond(400, `{"error":{"code":1,"message":"Error validating client secret `+testSecret+`"}}`),
		"no JSON":    respond(200, testSecret),
		"no token":   respond(200, `{}`),
		"broken off": roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(brokenOff{}), Request: r}, nil
		}),
		"a bad proxy": respond(502, "<html>"),
	} {
		ch, err := c.Open(core.Env{HTTP: &http.Client{Transport: platform}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = ch.(core.Authenticator).FinishLogin(t.Context(), core.LoginAttempt{RedirectURI: back}, map[string][]string{"code": {"hush-code"}})
		if err == nil || errors.Is(err, core.ErrUnproven) || strings.Contains(err.Error(), testSecret) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v, want an error about the platform, without secrets", name, err)
		}
	}
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRevocation(t *testing.T) {
	c := open(t, nil)
	// An example that Meta's documents had, signed with the secret "secret".
	c.config.AppSecret = "secret"
	const sample = "vlXgu64BQGFSQrY0ZcJBZASMvYvTHu9GQ0YM9rjPSso.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsIjAiOiJwYXlsb2FkIn0"
	if payload, ok := signedPayload("secret", sample); !ok || string(payload) != `{"algorithm":"HMAC-SHA256","0":"payload"}` {
		t.Errorf("got %s, %t, want the payload", payload, ok)
	}
	if _, err := c.Revocation(map[string][]string{"signed_request": {sample}}); !errors.Is(err, core.ErrUnauthorized) {
		t.Errorf("about nobody: got %v, want it refused", err)
	}
	_, sim := loginWorld(t, nil)
	c.config.AppSecret = testSecret
	signed := sim.SignedRequest("7001")
	if who, err := c.Revocation(map[string][]string{"signed_request": {signed}}); who != "107001" || err != nil {
		t.Errorf("got %q, %v, want the app-scoped id", who, err)
	}
	for name, form := range map[string][]string{"none": nil, "two": {signed, signed}, "empty": {""}, "no body": {signed[:44]}, "another": {strings.Replace(signed, ".", ".e", 1)}} {
		if who, err := c.Revocation(map[string][]string{"signed_request": form}); who != "" || !errors.Is(err, core.ErrUnauthorized) {
			t.Errorf("%s: got %q, %v, want it refused", name, who, err)
		}
	}
}

// The button of a shop's login is Messenger's own.
func TestLoginButton(t *testing.T) {
	part := core.Part{Key: "k-1", N: 1, Of: 1, Text: core.PlainText("Not connected."), Buttons: []core.Button{{Title: "Log in", URL: "https://shop.example.com/login", Login: true}}}
	req, err := encode(core.Address{Value: "7001"}, part, false)
	if err != nil {
		t.Fatal(err)
	}
	payload, ok := req.Message.Attachment.Payload.(buttonPayload)
	if !ok || len(payload.Buttons) != 1 || payload.Buttons[0] != (button{Type: "account_link", URL: "https://shop.example.com/login"}) {
		t.Errorf("got %+v, want an account_link button", req.Message.Attachment)
	}
}
