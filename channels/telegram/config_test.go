package telegram_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"tidings/channels/telegram"
	"tidings/core"
)

func TestDefaultsLackOnlyWhatNobodyCanGuess(t *testing.T) {
	c := telegram.Defaults()
	if want := "https://api.telegram.org"; c.APIURL != want {
		t.Errorf("api_url: got %q, want %q", c.APIURL, want)
	}
	if diff := cmp.Diff([]string{"token", "bot_username", "secret_token"}, keys(c.Validate())); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func keys(faults []core.Fault) []string {
	var all []string
	for _, f := range faults {
		all = append(all, f.Key)
	}
	return all
}

func TestValidateFindsEachFault(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*telegram.Config)
		want   []string
	}{
		{"none", func(*telegram.Config) {}, nil},
		{"a local server's", func(c *telegram.Config) { c.APIURL, c.Token = "http://127.0.0.1:8081/x/", "test-token" }, nil},
		{"slash in token", func(c *telegram.Config) { c.Token = "1:a/b" }, []string{"token"}},
		{"space in token", func(c *telegram.Config) { c.Token = "1:a b" }, []string{"token"}},
		{"percent in token", func(c *telegram.Config) { c.Token = "1:a%41" }, []string{"token"}},
		{"dots as token", func(c *telegram.Config) { c.Token = ".." }, []string{"token"}},
		{"name with @", func(c *telegram.Config) { c.BotUsername = "@my_shop_bot" }, []string{"bot_username"}},
		{"name as a link", func(c *telegram.Config) { c.BotUsername = "t.me/bot" }, []string{"bot_username"}},
		{"secret of 256", func(c *telegram.Config) { c.SecretToken = core.Secret(strings.Repeat("x", 256)) }, nil},
		{"secret of 257", func(c *telegram.Config) { c.SecretToken = core.Secret(strings.Repeat("x", 257)) }, []string{"secret_token"}},
		{"secret with dots", func(c *telegram.Config) { c.SecretToken = "a.b" }, []string{"secret_token"}},
		{"no URL", func(c *telegram.Config) { c.APIURL = "" }, []string{"api_url"}},
		{"no host", func(c *telegram.Config) { c.APIURL = "https:///x" }, []string{"api_url"}},
		{"other scheme", func(c *telegram.Config) { c.APIURL = "ftp://x" }, []string{"api_url"}},
		{"query", func(c *telegram.Config) { c.APIURL = "https://x?y=1" }, []string{"api_url"}},
		{"password", func(c *telegram.Config) { c.APIURL = "https://a:b@x" }, []string{"api_url"}},
		{"all", func(c *telegram.Config) {
			*c = telegram.Config{Token: "a b", BotUsername: "@", SecretToken: "ä", APIURL: "x"}
		},
			[]string{"token", "bot_username", "secret_token", "api_url"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := config()
			c.change(conf)
			faults := conf.Validate()
			if diff := cmp.Diff(c.want, keys(faults)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			for _, f := range faults {
				if v := conf.Token.Reveal(); v != "" && strings.Contains(f.Problem, v) {
					t.Errorf("%s: the problem holds the token: %s", f.Key, f.Problem)
				}
			}
		})
	}
}

// The keys of the stanza are those of the documentation.
func TestStanza(t *testing.T) {
	const stanza = `{token: "1:x", bot_username: my_shop_bot, secret_token: s, api_url: "https://tg.example"}`
	got := telegram.Defaults()
	d := yaml.NewDecoder(strings.NewReader(stanza))
	d.KnownFields(true)
	if err := d.Decode(got); err != nil {
		t.Fatal(err)
	}
	want := &telegram.Config{Token: "1:x", BotUsername: "my_shop_bot", SecretToken: "s", APIURL: "https://tg.example", LoginURL: "https://oauth.telegram.org"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stanza (-want +got):\n%s", diff)
	}
	if shown := fmt.Sprintf("%v %+v", got, *got); strings.Contains(shown, "1:x") {
		t.Errorf("the token is shown: %s", shown)
	}
}

func TestInviteIsADeepLink(t *testing.T) {
	inviter, ok := open(t, yes).(core.Inviter)
	if !ok {
		t.Fatal("the channel is no core.Inviter")
	}
	want := core.Invitation{URL: "https://t.me/my_shop_bot?start=abc_DEF-123"}
	if diff := cmp.Diff(want, inviter.Invite("abc_DEF-123")); diff != "" {
		t.Errorf("invitation (-want +got):\n%s", diff)
	}
}

func TestEveryLimitNamesItsSource(t *testing.T) {
	l := open(t, yes).Limits()
	sources := map[string]core.Source{"pace": l.Pace.Source}
	for name, limit := range map[string]core.Limit{
		"text": l.Text, "raw": l.Raw, "caption": l.Caption, "buttons": l.Buttons,
		"button title": l.ButtonTitle, "button value": l.ButtonValue, "button URL": l.ButtonURL,
	} {
		if limit.Max <= 0 {
			t.Errorf("%s: got %d, want a limit", name, limit.Max)
		}
		sources[name] = limit.Source
	}
	for name, s := range sources {
		if !strings.HasPrefix(s.URL, "https://") || s.Read == "" {
			t.Errorf("%s: got source %+v", name, s)
		}
	}
}

func TestOnlyOnePersonsChatIsAnAddress(t *testing.T) {
	c, ok := open(t, yes).(core.Addressed)
	if !ok {
		t.Fatal("the channel is no core.Addressed")
	}
	for _, good := range []string{"42", "7001234567890"} {
		if problem := c.CheckAddress(good); problem != "" {
			t.Errorf("%q: %s", good, problem)
		}
	}
	for _, bad := range []string{"", "0", "-100123", "@ines", "42 ", "+42", "042", "99999999999999999999"} {
		if c.CheckAddress(bad) == "" {
			t.Errorf("%q passed", bad)
		}
	}
}
