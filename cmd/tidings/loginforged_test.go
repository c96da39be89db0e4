package main_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// with is an address with other values in its query; "" takes one away.
func with(t *testing.T, address string, values ...string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for i := 0; i+1 < len(values); i += 2 {
		q.Set(values[i], values[i+1])
		if values[i+1] == "" {
			q.Del(values[i])
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// queried is a value of an address's query.
func queried(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}

// flip changes one character of a text that is neither its first nor its last.
func flip(s string) string {
	b := []byte(s)
	b[len(b)/2] = "01"[min(1, strings.Count(s[len(b)/2:len(b)/2+1], "0"))]
	return string(b)
}

// TestLoginForged: whatever is made up, changed, repeated, of another browser,
// customer, application or workspace links nothing, tells nothing, and gets the same page.
func TestLoginForged(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"openid", "widget"} {
		w := start(t, atFullSpeed, func(c *conf) { c.Login = kind })
		for i, channel := range allChannels {
			f := forger{w: w, channel: channel, victim: w.customer(10 * i), thief: w.customer(10*i + 1), pages: map[string]bool{}}
			w.meet(channel, f.victim)
			w.meet(channel, f.thief)
			f.ofTheBrowser(t)
			switch {
			case channel == messengerName:
				f.ofMessenger(t)
			case channel == telegramName && kind == "widget":
				f.ofTheWidget(t)
			default:
				f.ofTokens(t)
			}
			if len(f.pages) != 1 {
				t.Errorf("%s: got %d different pages, want 1: %v", channel, len(f.pages), f.pages)
			}
			if got := w.login(channel, w.offer(f.victim).login(channel), f.victim.chats[channel]); !strings.Contains(got.text, "Connected") {
				t.Errorf("%s: after all: got %s, want what was refused to use nothing up", channel, got.text)
			}
		}
	}
}

// forger tries to link a thief's account to a victim's order.
type forger struct {
	w             *world
	channel       string
	victim, thief person
	pages         map[string]bool
}

// refused opens an address that must be refused.
func (f *forger) refused(name string, b *visitor, address string) {
	f.w.Helper()
	got := b.get(address)
	if got.status != http.StatusForbidden {
		f.w.Errorf("%s: %s: got status %d, want 403: %s", f.channel, name, got.status, got.text)
	}
	_, text, _ := strings.Cut(got.text, "</style>")
	f.pages[text] = true
	for _, p := range []person{f.victim, f.thief} {
		if all := f.w.linked(p); len(all) != 0 {
			f.w.Fatalf("%s: %s: got links %q, want none", f.channel, name, all)
		}
	}
}

// attempt is a login of the victim's offer by an account, up to the way back.
func (f *forger) attempt(who person) (*visitor, string) {
	f.w.Helper()
	b := f.w.visitor()
	return b, b.begin(f.channel, f.w.offer(f.victim).login(f.channel), who.chats[f.channel])
}

func (f *forger) ofTheBrowser(t *testing.T) {
	_, back := f.attempt(f.thief)
	f.refused("a browser that has not begun", f.w.visitor(), back)

	b, back := f.attempt(f.thief)
	f.refused("a changed state", b, with(t, back, "state", flip(queried(t, back, "state"))))
	f.refused("no state", b, with(t, back, "state", ""))
	f.refused("two states", b, back+"&state=x")

	other, otherBack := f.attempt(f.thief)
	f.refused("the state of another browser", b, with(t, back, "state", queried(t, otherBack, "state")))
	for name := range other.cookies {
		other.cookies[name] = flip(other.cookies[name])
	}
	f.refused("a changed cookie", other, otherBack)

	// A state counts once, whatever came of it.
	b, back = f.attempt(f.thief)
	cookies := b.cookies
	broken := with(t, back, "code", "", "hash", "00")
	f.refused("nothing to prove it", b, broken)
	b.cookies = cookies
	for name := range cookies {
		b.cookies[name] = cookies[name]
	}
	f.refused("a state that was used", b, back)

	for name, token := range map[string]string{
		"made up": strings.Repeat("A", 60), "none": "", "of another channel": f.w.offer(f.victim).ref(allChannels[(slices.Index(allChannels, f.channel)+1)%2]),
	} {
		if f.channel == slackName && name == "of another channel" {
			token = f.w.offer(f.victim).ref(messengerName)
		}
		if got := f.w.visitor().get(publicURL + "/auth/" + f.channel + "/start?token=" + token); got.status != http.StatusNotFound || got.location != "" {
			t.Errorf("%s: start with a token %s: got status %d, want 404", f.channel, name, got.status)
		}
	}
}

func (f *forger) ofMessenger(t *testing.T) {
	b, back := f.attempt(f.thief)
	f.refused("a made-up code", b, with(t, back, "code", "AAAA"))
	b, back = f.attempt(f.thief)
	f.w.messenger.Logins().Take(queried(t, back, "code"), "", "", "")
	f.refused("a code that was used", b, back)
	b, back = f.attempt(f.thief)
	f.w.messenger.TokensOf("666")
	f.refused("a token of another app", b, back)
	f.w.messenger.TokensOf("")
}

func (f *forger) ofTokens(t *testing.T) {
	forge := f.w.slack.ForgeTokens
	logins := f.w.slack.Logins()
	if f.channel == telegramName {
		forge, logins = f.w.telegram.ForgeTokens, f.w.telegram.Logins()
	}
	for name, change := range map[string]func(map[string]any){
		"another issuer":    func(c map[string]any) { c["iss"] = "https://evil.example" },
		"another audience":  func(c map[string]any) { c["aud"] = "666" },
		"an old token":      func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() },
		"another nonce":     func(c map[string]any) { c["nonce"] = "x" },
		"no nonce":          func(c map[string]any) { delete(c, "nonce") },
		"another workspace": func(c map[string]any) { c["https://slack.com/team_id"] = "T0EVIL" },
	} {
		if f.channel == telegramName && name == "another workspace" {
			continue
		}
		forge(change)
		b, back := f.attempt(f.thief)
		f.refused(name, b, back)
		forge(nil)
	}
	b, back := f.attempt(f.thief)
	f.refused("a made-up code", b, with(t, back, "code", "AAAA"))
	b, back = f.attempt(f.thief)
	logins.Take(queried(t, back, "code"), "", "", "")
	f.refused("a code that was used", b, back)
	b, back = f.attempt(f.thief)
	_, theirs := f.attempt(f.victim)
	f.refused("the code of another browser", b, with(t, back, "code", queried(t, theirs, "code")))
}

func (f *forger) ofTheWidget(t *testing.T) {
	signed := func(at time.Time) url.Values { return f.w.telegram.WidgetFields(f.thief.chats[telegramName], at) }
	try := func(name string, fields url.Values) {
		b, back := f.attempt(f.thief)
		f.refused(name, b, publicURL+"/auth/telegram/callback?state="+queried(t, back, "state")+"&"+fields.Encode())
	}
	change := func(key, value string) url.Values {
		fields := signed(time.Now())
		fields.Set(key, value)
		return fields
	}
	try("an old auth_date", signed(time.Now().Add(-11*time.Minute)))
	try("an auth_date to come", signed(time.Now().Add(2*time.Minute)))
	try("another account", change("id", f.victim.chats[telegramName]))
	try("a newer auth_date", change("auth_date", "9999999999"))
	try("a field more", change("premium", "1"))
	try("another hash", change("hash", strings.Repeat("0", 64)))
	try("an empty hash", change("hash", ""))
	twice := signed(time.Now())
	twice.Add("id", f.victim.chats[telegramName])
	try("two accounts", twice)
}

// TestLoginProofCountsOnce: what the widget signed once links once.
func TestLoginProofCountsOnce(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *conf) { c.Login = "widget" })
	p, thief := w.customer(1), w.customer(2)
	w.meet(telegramName, p)
	b := w.visitor()
	back := b.begin(telegramName, w.offer(p).login(telegramName), p.chats[telegramName])
	if got := b.get(back); !strings.Contains(got.text, "Connected") {
		t.Fatalf("got %s", got.text)
	}
	other := w.visitor()
	state := queried(t, other.begin(telegramName, w.offer(thief).login(telegramName), thief.chats[telegramName]), "state")
	if got := other.get(with(t, back, "state", state)); got.status != http.StatusForbidden {
		t.Errorf("what somebody else's browser was given: got status %d, want 403", got.status)
	}
	if got := w.linked(p); len(got) != 1 {
		t.Errorf("got links %q, want the first", got)
	}
	if got := w.linked(thief); len(got) != 0 {
		t.Errorf("got links %q of whoever repeated it, want none", got)
	}
}
