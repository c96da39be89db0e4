package slack

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckAddress(t *testing.T) {
	ch := open(t, nil, nil)
	for value, right := range map[string]bool{
		"U1": true, "U012AB3CD": true, "W012AB3CD": true,
		"": false, "U": false, "C012AB3CD": false, "@ines": false, "ines": false, "U1 ": false,
	} {
		if got := ch.CheckAddress(value); (got == "") != right {
			t.Errorf("%q: got %q, want right: %v", value, got, right)
		}
	}
}

func TestValidateReturnsAllFaults(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"complete", func(*Config) {}, nil},
		{"with a team", func(c *Config) { c.TeamID = "T012AB3C4" }, nil},
		{"nothing at all", func(c *Config) { *c = Config{} }, []string{"bot_token", "signing_secret", "api_url"}},
		{"line break after the token", func(c *Config) { c.BotToken += "\n" }, []string{"bot_token"}},
		{"not a URL", func(c *Config) { c.APIURL = "slack.com/api" }, []string{"api_url"}},
		{"password in the URL", func(c *Config) { c.APIURL = "https://a:b@slack.com/api" }, []string{"api_url"}},
		{"query in the URL", func(c *Config) { c.APIURL = "https://slack.com/api?x=1" }, []string{"api_url"}},
		{"a name for a team", func(c *Config) { c.TeamID = "my shop" }, []string{"team_id"}},
	}
	for _, tt := range tests {
		c := Defaults()
		c.BotToken, c.SigningSecret = testToken, testSecret
		tt.change(c)
		var got []string
		for _, fault := range c.Validate() {
			got = append(got, fault.Key)
			if strings.Contains(fault.Problem, testToken) || strings.Contains(fault.Problem, "a:b") {
				t.Errorf("%s: the fault repeats a secret: %s", tt.name, fault.Problem)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: faults (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestTheStanzaPrintsNoSecret(t *testing.T) {
	c := Defaults()
	c.BotToken, c.SigningSecret = testToken, testSecret
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		got := fmt.Sprintf(format, *c)
		if strings.Contains(got, testToken) || strings.Contains(got, testSecret) {
			t.Errorf("%s: got %s, want no secret", format, got)
		}
	}
}
