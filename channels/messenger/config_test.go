package messenger

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"tidings/core"
)

func TestValidateReturnsAllFaults(t *testing.T) {
	if faults := testConfig().Validate(); len(faults) != 0 {
		t.Errorf("a whole stanza: got %v", faults)
	}
	keys := func(c *Config) []string {
		var out []string
		for _, f := range c.Validate() {
			out = append(out, f.Key)
		}
		return out
	}
	want := []string{"page_id", "page_token", "app_id", "app_secret", "verify_token"}
	if diff := cmp.Diff(want, keys(Defaults())); diff != "" {
		t.Errorf("an empty stanza (-want +got):\n%s", diff)
	}
	wrong := &Config{PageID: "a/b", PageToken: "tok\nen", AppID: "9 9", AppSecret: "a b", VerifyToken: "\t", APIURL: "graph.facebook.com"}
	if diff := cmp.Diff(append(want, "api_url"), keys(wrong)); diff != "" {
		t.Errorf("a wrong stanza (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "ftp://x/", "https://", "https://u:p@x/v1", "https://x/?a=b", "https://x/#f", "://", "/v25.0"} {
		c := testConfig()
		c.APIURL = bad
		if len(c.Validate()) != 1 {
			t.Errorf("api_url %q: got %v, want one fault", bad, c.Validate())
		}
	}
}

func TestFaultsAndPrintsShowNoSecret(t *testing.T) {
	c := &Config{PageToken: "hush one", AppSecret: "hush two", VerifyToken: "hush three"}
	for _, text := range []string{fmt.Sprint(c.Validate()), fmt.Sprintf("%v %+v %#v %s", c, c, c, c)} {
		if strings.Contains(text, "hush") {
			t.Errorf("a secret is in %q", text)
		}
	}
}

func TestConfigReadsItsYAML(t *testing.T) {
	got := Defaults()
	stanza := `{page_id: "1234567890", page_token: "EAAtoken+/=x|y", app_id: "99", app_secret: "app-secret", verify_token: "verify-me"}`
	if err := yaml.Unmarshal([]byte(stanza), got); err != nil {
		t.Fatal(err)
	}
	if *got != *testConfig() {
		t.Errorf("got %+v, want %+v", got, testConfig())
	}
}

func TestOpenLeavesTheClientAlone(t *testing.T) {
	client := &http.Client{}
	ch, err := testConfig().Open(core.Env{HTTP: client})
	if err != nil {
		t.Fatal(err)
	}
	if client.CheckRedirect != nil {
		t.Error("the caller's client was changed")
	}
	if err := ch.Close(); err != nil {
		t.Error(err)
	}
}

func TestIdentityAndInvite(t *testing.T) {
	c := open(t, nil)
	if app, account := c.Identity(); app != "99" || account != "1234567890" {
		t.Errorf("identity: got %s, %s", app, account)
	}
	want := core.Invitation{
		URL:   "https://m.me/1234567890?ref=tok_EN-1",
		Extra: map[string]string{"dataRef": "tok_EN-1", "appId": "99", "pageId": "1234567890"},
	}
	if diff := cmp.Diff(want, c.Invite("tok_EN-1")); diff != "" {
		t.Errorf("invitation (-want +got):\n%s", diff)
	}
}

func TestLimitsNameTheirSources(t *testing.T) {
	l := open(t, nil).Limits()
	sources := map[string]core.Source{
		"text": l.Text.Source, "caption": l.Caption.Source, "buttons": l.Buttons.Source, "button text": l.ButtonText.Source,
		"button title": l.ButtonTitle.Source, "button value": l.ButtonValue.Source, "button URL": l.ButtonURL.Source,
		"lines": l.Order.Lines.Source, "window": l.Window.Source, "pace": l.Pace.Source,
	}
	for name, s := range sources {
		if !strings.HasPrefix(s.URL, "https://") || len(s.Read) != len("2006-01-02") {
			t.Errorf("%s: got source %+v", name, s)
		}
	}
	// No second may see more than the documented 300 requests.
	if most := l.Pace.PerSecond; most >= 300 {
		t.Errorf("pace: got up to %v in a second, want less than 300", most)
	}
}
