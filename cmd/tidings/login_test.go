package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tidings/channels/emulator"
)

// withLogins turns on the logins of all platforms.
func withLogins(c *conf) { c.Login = "openid" }

// visitor is a person with a browser: it keeps cookies, and follows nothing by itself.
type visitor struct {
	w       *world
	client  *http.Client
	cookies map[string]string
}

func (w *world) visitor() *visitor {
	return &visitor{w: w, cookies: map[string]string{}, client: &http.Client{
		Transport: w.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is what a visitor got.
type page struct {
	status   int
	location string
	text     string
}

// get opens an address of the gateway by its public name.
func (b *visitor) get(address string) page {
	b.w.Helper()
	path, ours := strings.CutPrefix(address, publicURL)
	if !ours {
		b.w.Fatalf("the visitor is sent to %q, want the gateway", address)
	}
	req, err := http.NewRequestWithContext(b.w.Context(), http.MethodGet, b.w.hook(path), nil)
	if err != nil {
		b.w.Fatal(err)
	}
	for name, value := range b.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.w.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	for _, c := range res.Cookies() {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || !strings.HasSuffix(c.Path, "/callback") {
			b.w.Errorf("cookie %+v: want it for the way back alone", c)
		}
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.Fatal(err)
	}
	return page{res.StatusCode, res.Header.Get("Location"), string(raw)}
}

// login is where the login of an offer begins.
func (o offer) login(channel string) string {
	for _, l := range o.Links {
		if l.Channel == channel {
			return l.Login
		}
	}
	return ""
}

// begin opens a login and returns where the platform sends the visitor back to.
func (b *visitor) begin(channel, login, chat string) (back string) {
	b.w.Helper()
	p := b.get(login)
	var err error
	switch {
	case p.status == http.StatusOK && channel == telegramName:
		back, err = b.w.telegram.Widget(chat, p.text, true)
	case p.status != http.StatusFound:
		b.w.Fatalf("%s: start: got status %d, want 302: %s", channel, p.status, p.text)
	case channel == messengerName:
		back, err = b.w.messenger.Login(chat, p.location)
	case channel == telegramName:
		back, err = b.w.telegram.Login(chat, p.location, true)
	case channel == slackName:
		back, err = b.w.slack.Login(chat, p.location)
	}
	if err != nil {
		b.w.Fatalf("%s: the platform: %v", channel, err)
	}
	return back
}

// login is a whole login of an account, by a new visitor.
func (w *world) login(channel, login, chat string) page {
	w.Helper()
	b := w.visitor()
	return b.get(b.begin(channel, login, chat))
}

// meet makes a customer somebody whom the platform lets us write to.
func (w *world) meet(channel string, p person) {
	w.Helper()
	switch channel {
	case messengerName:
		if err := w.messenger.GetStarted(w.Context(), p.chats[channel]); err != nil {
			w.Fatal(err)
		}
	case telegramName:
		w.telegram.Know(p.chats[channel])
	case slackName:
		w.slack.Know(p.chats[channel])
	}
	w.quiet()
}

// evidence is how the link of a customer's chat was proved, by the customer's page
// and by the export, which must agree.
func (w *world) evidence(channel string, p person) string {
	w.Helper()
	var got struct {
		Links []struct{ Channel, Evidence string }
	}
	var export struct {
		Consents []struct{ Channel, Evidence string }
	}
	at := "/v1/customers/" + url.PathEscape(p.uid)
	w.want(http.StatusOK, http.MethodGet, at, nil, &got)
	w.want(http.StatusOK, http.MethodGet, at+"/export", nil, &export)
	for i, l := range got.Links {
		if l.Channel == channel {
			if export.Consents[i].Evidence != l.Evidence {
				w.Errorf("the export says %q, the customer %q", export.Consents[i].Evidence, l.Evidence)
			}
			return l.Evidence
		}
	}
	return ""
}

// TestLogin: one press on the link page links the account that the platform
// proves, and the link says how it was proved.
func TestLogin(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"openid", "widget"} {
		w := start(t, func(c *conf) { c.Login = kind })
		proofs := map[string]string{
			messengerName: "Facebook Login: app-scoped id 10%s of app " + appID + ", page-scoped id %[1]s of Page " + pageID + " by ids_for_pages; login at 2",
			telegramName:  map[string]string{"openid": "Log In With Telegram: account %s by an id token for client 7000000001; login at 2", "widget": "Telegram Login Widget: account %s by the hash of bot @my_shop_bot at 2"}[kind],
			slackName:     "Sign in with Slack: member %s of workspace " + teamID + " by an id token for client 104.729; login at 2",
		}
		for i, channel := range allChannels {
			p := w.customer(i)
			w.meet(channel, p)
			before := len(w.shown(channel, p))
			o := w.offer(p)
			if _, _, raw := w.ask(http.MethodGet, w.hook(strings.TrimPrefix(o.Page, publicURL)), nil); !strings.Contains(string(raw), `href="`+strings.ReplaceAll(o.login(channel), "&", "&amp;")+`"`) {
				t.Errorf("%s: the link page has no login", channel)
			}
			got := w.login(channel, o.login(channel), p.chats[channel])
			if got.status != http.StatusOK || !strings.Contains(got.text, "Connected") || strings.Contains(got.text, p.uid) {
				t.Fatalf("%s: got status %d, want the page that says so: %s", channel, got.status, got.text)
			}
			w.awaitMore(channel, p, before+1)
			w.quiet()
			if n := thanked(w.shown(channel, p)); n != 1 {
				t.Errorf("%s: got %d thank-yous, want 1: %q", channel, n, w.texts(channel, p))
			}
			if got, want := w.linked(p), []string{channel + " " + p.chats[channel]}; !slices.Equal(got, want) {
				t.Errorf("%s: got links %q, want %q", channel, got, want)
			}
			if got, want := w.evidence(channel, p), fmt.Sprintf(proofs[channel], p.chats[channel]); !strings.HasPrefix(got, want) {
				t.Errorf("%s: got evidence %q, want %q and the rest", channel, got, want)
			}
			w.tell(p, "By login.")
			w.awaitText(channel, p, "By login.")
		}
	}
}

// TestLoginBeforeTheChat: where the platform does not let us write yet, the page
// leads to the chat, in which the same reference links.
func TestLoginBeforeTheChat(t *testing.T) {
	t.Parallel()
	w := start(t, withLogins)
	for i, channel := range []string{messengerName, telegramName} {
		p := w.customer(i)
		o, b := w.offer(p), w.visitor()
		var back string
		if channel == telegramName {
			var err error
			if back, err = w.telegram.Login(p.chats[channel], b.get(o.login(channel)).location, false); err != nil {
				t.Fatal(err)
			}
		} else {
			back = b.begin(channel, o.login(channel), p.chats[channel])
		}
		got := b.get(back)
		if got.status != http.StatusOK || !strings.Contains(got.text, "One more step") || !strings.Contains(got.text, o.ref(channel)) {
			t.Errorf("%s: got status %d, want the way into the chat: %s", channel, got.status, got.text)
		}
		if got := w.linked(p); len(got) != 0 {
			t.Errorf("%s: got links %q before the chat, want none", channel, got)
		}
		w.optIn(channel, p.chats[channel], o.ref(channel), "")
		w.quiet()
		if got, want := w.linked(p), []string{channel + " " + p.chats[channel]}; !slices.Equal(got, want) {
			t.Errorf("%s: got links %q, want %q", channel, got, want)
		}
	}
	// Who lets the bot write while logging in need not go to the chat.
	p := w.customer(9)
	if got := w.login(telegramName, w.offer(p).login(telegramName), p.chats[telegramName]); !strings.Contains(got.text, "Connected") {
		t.Errorf("with the right to write: got %s", got.text)
	}
	w.awaitMore(telegramName, p, 1)
}

// TestLoginDeclined: who cancels can try again; a platform that is away is told
// from one that says no.
func TestLoginDeclined(t *testing.T) {
	t.Parallel()
	w := start(t, withLogins)
	for i, channel := range allChannels {
		p := w.customer(i)
		w.meet(channel, p)
		login := w.offer(p).login(channel)
		if got := w.login(channel, login, emulator.Nobody); got.status != http.StatusOK || !strings.Contains(got.text, "cancelled") || !strings.Contains(got.text, "/start?token=") {
			t.Errorf("%s: got status %d: %s, want a second try", channel, got.status, got.text)
		}
		method := map[string]string{messengerName: "access_token", telegramName: "token", slackName: "openid.connect.token"}[channel]
		w.sims[channel].Faults().Add(emulator.Fault{Kind: emulator.ServerError, Method: method, Times: 1})
		if got := w.login(channel, login, p.chats[channel]); got.status != http.StatusBadGateway || !strings.Contains(got.text, "at the moment") {
			t.Errorf("%s: the platform away: got status %d: %s", channel, got.status, got.text)
		}
		if got := w.linked(p); len(got) != 0 {
			t.Errorf("%s: got links %q, want none", channel, got)
		}
		if got := w.login(channel, login, p.chats[channel]); !strings.Contains(got.text, "Connected") {
			t.Errorf("%s: tried again: got %s", channel, got.text)
		}
	}
}
