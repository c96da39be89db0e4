package slack

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tidings/core"
)

// Config is the stanza of a Slack channel.
type Config struct {
	// BotToken is the app's bot token ("xoxb-…").
	BotToken core.Secret `yaml:"bot_token"`
	// SigningSecret proves that callbacks come from Slack.
	SigningSecret core.Secret `yaml:"signing_secret"`
	// APIURL is where the methods are: {api_url}/{method}.
	APIURL string `yaml:"api_url"`
	// TeamID is the workspace ("T…"). It is needed only for Sign in with Slack,
	// and where several channels share one callback URL.
	TeamID string `yaml:"team_id"`
	// ClientID and ClientSecret are the app's, for Sign in with Slack; empty:
	// none is offered.
	ClientID     string      `yaml:"client_id"`
	ClientSecret core.Secret `yaml:"client_secret"`
	// LoginURL is where Sign in with Slack is, and how its id tokens name their issuer.
	LoginURL string `yaml:"login_url"`
}

// Defaults returns the stanza with what need not be written.
func Defaults() *Config {
	return &Config{APIURL: "https://slack.com/api", LoginURL: "https://slack.com"}
}

var teamID = regexp.MustCompile(`^[TE][A-Z0-9]+$`)

// Validate returns all faults.
func (c *Config) Validate() []core.Fault {
	var faults []core.Fault
	check := func(key, problem string) {
		if problem != "" {
			faults = append(faults, core.Fault{Key: key, Problem: problem})
		}
	}
	check("bot_token", secretProblem(c.BotToken, `the app's bot token ("xoxb-…")`))
	check("signing_secret", secretProblem(c.SigningSecret, "the signing secret from the app's page Basic Information"))
	check("api_url", urlProblem(c.APIURL))
	if c.TeamID != "" && !teamID.MatchString(c.TeamID) {
		check("team_id", "is not the id of a workspace, such as T012AB3C4")
	}
	return append(faults, c.loginFaults()...)
}

func secretProblem(s core.Secret, what string) string {
	if s == "" {
		return "is missing; it is " + what
	}
	if strings.ContainsFunc(s.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "holds a space, a line break or a character outside ASCII; it is " + what
	}
	return ""
}

func urlProblem(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "is not an absolute http(s) URL such as https://slack.com/api"
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "must have no user, query or fragment; the method's name is added to it"
	}
	return ""
}

// Open returns the channel without asking Slack anything.
func (c *Config) Open(env core.Env) (core.Channel, error) {
	own := &Channel{
		http:    withoutRedirects(env.HTTP),
		url:     strings.TrimRight(c.APIURL, "/") + "/", // the library appends the method's name
		token:   c.BotToken,
		signing: c.SigningSecret,
		team:    c.TeamID,
	}
	own.login = c.openLogin(own)
	return own, nil
}

// withoutRedirects returns a client that takes a redirect for an answer. One
// Send is one request, and the token is for nobody else.
func withoutRedirects(client *http.Client) *http.Client {
	own := http.Client{}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
