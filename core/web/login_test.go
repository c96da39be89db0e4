package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"tidings/core"
)

// fakeLogin is a platform's login that proves what it is told to.
type fakeLogin struct {
	begun    []core.LoginAttempt
	finished []core.LoginAttempt
	widget   *core.Widget
	id       core.Identity
	err      error
}

func (c linkChannel) HasLogin() bool { return c.login != nil }

func (c linkChannel) BeginLogin(a core.LoginAttempt) core.LoginStep {
	c.login.begun = append(c.login.begun, a)
	if c.login.widget != nil {
		return core.LoginStep{Widget: c.login.widget}
	}
	return core.LoginStep{URL: "https://chat.example/login?state=" + a.State}
}

func (c linkChannel) FinishLogin(_ context.Context, a core.LoginAttempt, _ map[string][]string) (core.Identity, error) {
	c.login.finished = append(c.login.finished, a)
	return c.login.id, c.login.err
}

// Revocation takes a form whose proof is "yes".
func (linkChannel) Revocation(form map[string][]string) (string, error) {
	if f := url.Values(form); f.Get("proof") == "yes" {
		return f.Get("who"), nil
	}
	return "", core.ErrUnauthorized
}

var ines = core.Identity{Address: core.Address{Value: "42"}, Subject: "s42", Name: "Ines", Proof: "shown a passport, number 42"}

// begin begins a login, and returns where it comes back to and the cookie.
func (r *rig) begin() (back, cookie string) {
	r.t.Helper()
	login := r.call("POST", "/v1/opt-ins", wish).want(201).at("links", 0, "login").(string)
	a := r.on(r.public, "GET", strings.TrimPrefix(login, "https://notify.example.com"), "", "Host", "evil.example").want(302)
	begun := r.chat.login.begun
	state := begun[len(begun)-1].State
	if got, want := a.header.Get("Location"), "https://chat.example/login?state="+state; got != want {
		r.t.Errorf("sent to %q, want %q", got, want)
	}
	c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil {
		r.t.Fatal(err)
	}
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/auth/chat/callback" || c.MaxAge != 600 || len(c.Value) < 26 {
		r.t.Errorf("cookie: got %+v, want a secret that only the way back sees, for ten minutes", c)
	}
	return "/auth/chat/callback?state=" + state, c.Name + "=" + c.Value
}

func TestLogin(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.chat.login = &fakeLogin{id: ines}
		back, cookie := r.begin()
		<-time.After(9 * time.Minute) // in virtual time
		a := r.on(r.public, "GET", back, "", "Cookie", cookie).want(200)
		checkStrictPage(t, a)
		if !strings.Contains(string(a.body), `<html lang="de">`) || !strings.Contains(string(a.body), "Verbunden") {
			t.Errorf("got %s, want the page in the offer's language", a.body)
		}
		if c, err := http.ParseSetCookie(a.header.Get("Set-Cookie")); err != nil || c.MaxAge >= 0 {
			t.Errorf("cookie: got %+v, %v, want it to end", c, err)
		}
		begun, finished := r.chat.login.begun[0], r.chat.login.finished[0]
		finished.Now = begun.Now
		if begun != finished || begun.RedirectURI != "https://notify.example.com/auth/chat/callback" || len(begun.State) > 64 || len(begun.Verifier) < 43 || begun.Nonce == begun.Verifier {
			t.Errorf("attempt: begun %+v, finished %+v", begun, finished)
		}
		r.call("GET", "/v1/customers/ines", "").want(200).is("42", "links", 0, "address").is("active", "links", 0, "state").
			is("shown a passport, number 42; login at 2000-01-01T00:09:00Z; opt-in 1, asked for by the shop", "links", 0, "evidence")
		r.call("GET", "/v1/customers/ines/export", "").want(200).is("yes, please", "consents", 0, "text").is("Ines", "consents", 0, "name").
			is("shown a passport, number 42; login at 2000-01-01T00:09:00Z; opt-in 1, asked for by the shop", "consents", 0, "evidence")
		for _, secret := range []string{begun.State, begun.Verifier, begun.Nonce, cookie, "passport"} {
			if strings.Contains(r.log.String(), secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
}

// What counts is one state, in one browser, for ten minutes, once.
func TestLoginRefused(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.chat.login = &fakeLogin{id: ines}
		pages := map[string]bool{}
		nonce := regexp.MustCompile(`nonce="[A-Z0-9]+"`)
		refused := func(name, back, cookie string) {
			t.Helper()
			a := r.on(r.public, "GET", back, "", "Cookie", cookie)
			if a.status != 403 {
				t.Errorf("%s: got %d, want 403", name, a.status)
			}
			pages[nonce.ReplaceAllString(string(a.body), "")] = true
		}
		back, cookie := r.begin()
		other, otherCookie := r.begin()
		refused("no cookie", back, "")
		refused("another browser's cookie", back, otherCookie)
		refused("another browser's state", other, cookie)
		refused("no state", "/auth/chat/callback", cookie)
		name, _, _ := strings.Cut(cookie, "=")
		refused("another secret", back, name+"=AAAAAAAAAAAAAAAAAAAAAAAAAA")
		if len(r.chat.login.finished) != 0 {
			t.Errorf("the platform was asked %d times, want not at all", len(r.chat.login.finished))
		}
		<-time.After(10 * time.Minute)
		refused("too late", back, cookie)
		back, cookie = r.begin()
		r.chat.login.err = core.ErrUnproven
		refused("not proved", back, cookie)
		r.chat.login.err = nil
		refused("a state that was used", back, cookie)
		if len(pages) != 1 {
			t.Errorf("got %d different pages, want 1", len(pages))
		}
		r.call("GET", "/v1/customers/ines", "").want(404)
	})
}

// How a login can end, and what the customer sees of it.
func TestLoginEnds(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.chat.login = &fakeLogin{}
		for _, test := range []struct {
			name, want string
			id         core.Identity
			err        error
			status     int
		}{
			{"declined", `/auth/chat/start\?token=`, core.Identity{}, core.ErrDeclined, 200},
			{"away", `https://chat\.example/start\?ref=.*<svg.*/auth/chat/start\?token=`, core.Identity{}, errors.New("the platform does not answer"), 502},
			{"known, but not in the chat", `https://chat\.example/start\?ref=.*<svg`, core.Identity{Subject: "s42"}, nil, 200},
		} {
			r.chat.login.id, r.chat.login.err = test.id, test.err
			back, cookie := r.begin()
			a := r.on(r.public, "GET", back, "", "Cookie", cookie).want(test.status)
			checkStrictPage(t, a)
			if !regexp.MustCompile("(?s)" + test.want).Match(a.body) {
				t.Errorf("%s: got %s, want %s in it", test.name, a.body, test.want)
			}
		}
		r.call("GET", "/v1/customers/ines", "").want(404)
	})
}

// A proof that must not count twice does not; a chat that was somebody else's moves.
func TestLoginOnceAndMove(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.call("PUT", "/v1/customers/mara/addresses/chat", `{"address":"42"}`).want(201)
		once := ines
		once.Once = "hash"
		r.chat.login = &fakeLogin{id: once}
		back, cookie := r.begin()
		r.on(r.public, "GET", back, "", "Cookie", cookie).want(200)
		r.call("GET", "/v1/customers/mara", "").want(200).is("[]", "links")
		r.call("GET", "/v1/customers/ines", "").want(200).is("42", "links", 0, "address")
		back, cookie = r.begin()
		r.on(r.public, "GET", back, "", "Cookie", cookie).want(403)
	})
}

func TestLoginWidget(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.chat.login = &fakeLogin{widget: &core.Widget{
			Script: "https://chat.example/widget.js?22", Frame: "https://login.chat.example",
			Attributes: map[string]string{"data-auth-url": `https://x/?a="b"&c`, "onload": "alert(1)"},
		}}
		login := r.call("POST", "/v1/opt-ins", wish).want(201).at("links", 0, "login").(string)
		a := r.on(r.public, "GET", strings.TrimPrefix(login, "https://notify.example.com"), "").want(200)
		if !strings.Contains(string(a.body), `<script async src="https://chat.example/widget.js?22" data-auth-url="https://x/?a=&#34;b&#34;&amp;c"></script>`) {
			t.Errorf("got %s, want the script with its attributes, escaped, and no others", a.body)
		}
		policy := a.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src https://chat.example/widget.js; frame-src https://login.chat.example") || a.header.Get("Referrer-Policy") != "strict-origin" {
			t.Errorf("got policy %q and %q", policy, a.header.Get("Referrer-Policy"))
		}
	})
}

// Where there is no login there is no way to one, and nobody acts by HEAD.
func TestNoLogin(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		a := r.call("POST", "/v1/opt-ins", wish).want(201).is(nil, "links", 0, "login")
		token := a.at("links", 0, "token").(string)
		for _, target := range []string{"/auth/chat/start?token=" + token, "/auth/code/start?token=" + token, "/auth/nowhere/start", "/auth/chat/callback?state=x", "/auth/mute/callback"} {
			r.on(r.public, "GET", target, "").want(404)
		}
		r.chat.login = &fakeLogin{}
		r.on(r.public, "GET", "/auth/chat/start?token="+token+"x", "").want(404)
		r.on(r.public, "GET", "/auth/chat/start", "").want(404)
		for _, target := range []string{"/auth/chat/start?token=" + token, "/auth/chat/callback?state=x"} {
			r.raw(r.public, "HEAD", target, "").want(405)
		}
		if len(r.chat.login.begun) != 0 {
			t.Error("a login was begun")
		}
	})
}

// A shop that knows what the platform's login calls an account need not know the chat.
func TestMatchedAddress(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		const at = "/v1/customers/ines/addresses/code"
		r.call("PUT", at, `{"address":{"asid":"7"}}`).want(201).is("43", "address").is("the shop's word for the login's id 7, matched by the platform", "evidence")
		if got := r.call("PUT", at, `{"address":{"asid":"8"}}`).want(422).pointers(); got != "/address/asid" {
			t.Errorf("no chat: got faults at %q", got)
		}
		r.call("PUT", at, `{"address":{"asid":"away"}}`).want(503)
		r.call("PUT", "/v1/customers/mara/addresses/code", `{"address":{"asid":"7"}}`).want(409)
	})
}

// A login that was taken back ends the link, and its proof is forgotten.
func TestLoginRevoked(t *testing.T) {
	gateway(t, func(t *testing.T, r *rig) {
		r.chat.login = &fakeLogin{id: ines}
		back, cookie := r.begin()
		r.on(r.public, "GET", back, "", "Cookie", cookie).want(200)
		form := []string{"Content-Type", "application/x-www-form-urlencoded"}
		r.on(r.public, "POST", "/auth/chat/deauthorize", "proof=no&who=s42", form...).want(401)
		r.on(r.public, "POST", "/auth/chat/deauthorize", "proof=yes&who=s43", form...).want(200)
		r.on(r.public, "POST", "/auth/code/deauthorize", "proof=yes&who=s42", form...).want(404)
		r.call("GET", "/v1/customers/ines", "").want(200).is("active", "links", 0, "state")
		a := r.on(r.public, "POST", "/auth/chat/deletion", "proof=yes&who=s42", form...).want(200)
		r.call("GET", "/v1/customers/ines", "").want(200).is("[]", "links")
		code := a.at("confirmation_code").(string)
		if !regexp.MustCompile(`^[A-Z0-9]{20}$`).MatchString(code) {
			t.Errorf("code: got %q, want letters and digits", code)
		}
		if again := r.on(r.public, "POST", "/auth/chat/deletion", "proof=yes&who=s42", form...).want(200); string(again.body) != string(a.body) {
			t.Errorf("asked again: got %s, want %s", again.body, a.body)
		}
		checkStrictPage(t, r.on(r.public, "GET", strings.TrimPrefix(a.at("url").(string), "https://notify.example.com"), "").want(200))
		r.on(r.public, "GET", "/auth/chat/deletion/00000000000000000000", "").want(404)
	})
}
