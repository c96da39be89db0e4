package main_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestSandboxLogin: in the sandbox, a browser with nothing but links and cookies
// gets from the link page through an emulated login, and back.
func TestSandboxLogin(t *testing.T) {
	t.Parallel()
	s := openSandbox(t)
	var around struct {
		People []struct {
			UID   string
			Chats map[string]string
		}
	}
	s.get("/_sandbox/world", &around)
	for channel, want := range map[string]string{messengerName: "One more step", telegramName: "Connected", slackName: "Connected"} {
		who := around.People[0]
		var o offer
		s.post("/_sandbox/optin", obj{"customer": who.UID, "order": "00417001"}, &o)
		b := s.clicker()
		b.open(o.Page)
		b.click("/auth/" + channel + "/start")
		b.click("person=" + who.Chats[channel])
		if !strings.Contains(b.page, want) {
			t.Errorf("%s: got %s, want %q", channel, b.page, want)
		}
		if want == "Connected" {
			s.await(channel, who.Chats[channel], "Thank you for choosing this chat")
		}
	}
}

// TestLoginInABrowser: a real browser at the link page, on a desktop and on a
// phone, and from there through each login: cancelled, tried again, finished, and
// led back to the address of before, which counts no more.
func TestLoginInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := openSandbox(t)
	var around struct {
		People []struct {
			UID   string
			Chats map[string]string
		}
	}
	s.get("/_sandbox/world", &around)
	who := around.People[0]
	var o offer
	s.post("/_sandbox/optin", obj{"customer": who.UID, "order": "00417001"}, &o)
	b.open(o.Page)
	b.sees("main", "Or scan with your phone")
	b.sees("main .consent", "Tell me about my orders")
	b.call("Emulation.setDeviceMetricsOverride", obj{"width": 390, "height": 844, "deviceScaleFactor": 3, "mobile": true}, nil)
	b.call("Emulation.setTouchEmulationEnabled", obj{"enabled": true}, nil)
	b.open(o.Page)
	b.sees("main", "Open: Telegram")
	if text := b.shows("main"); strings.Contains(text, "scan") {
		t.Errorf("a phone is shown what to scan: %s", text)
	}
	var used []string
	for channel, test := range map[string]struct{ button, end string }{
		messengerName: {"Log in with Messenger", "One more step"},
		telegramName:  {"Log in with Telegram", "Connected"},
		slackName:     {"Log in with Slack", "Connected"},
	} {
		b.open(o.Page)
		b.press("main", test.button)
		b.press("body", "Cancel")
		b.sees("main", "Nothing has been connected")
		b.press("main", "Try again")
		b.press("body", who.Chats[channel])
		b.sees("main", test.end)
		at, err := b.run("location.href")
		if err != nil {
			t.Fatal(err)
		}
		used = append(used, at)
	}
	b.clean(s.base)
	for _, at := range used {
		b.open(at)
		b.sees("main", "You can begin again in the shop")
	}
}

// clicker is a browser that follows links by what is in them.
type clicker struct {
	s      *sandbox
	client *http.Client
	at     *url.URL
	page   string
}

func (s *sandbox) clicker() *clicker {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.world.Fatal(err)
	}
	return &clicker{s: s, client: &http.Client{Jar: jar}}
}

func (c *clicker) open(address string) {
	c.s.world.Helper()
	res, err := c.client.Get(address)
	if err != nil {
		c.s.world.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		c.s.world.Fatalf("%s: got status %d, %v: %s", res.Request.URL.Path, res.StatusCode, err, raw)
	}
	c.at, c.page = res.Request.URL, string(raw)
}

var anyLink = regexp.MustCompile(`href="([^"]*)"`)

func (c *clicker) click(part string) {
	c.s.world.Helper()
	for _, m := range anyLink.FindAllStringSubmatch(c.page, -1) {
		if link := html.UnescapeString(m[1]); strings.Contains(link, part) {
			to, err := c.at.Parse(link)
			if err != nil {
				c.s.world.Fatal(err)
			}
			c.open(to.String())
			return
		}
	}
	c.s.world.Fatalf("no link with %q in %s", part, c.page)
}
