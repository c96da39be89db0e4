package telegram

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tidings/core"
)

// Config is the stanza of a channel of type telegram.
type Config struct {
	// Token is the bot's token, as BotFather gave it.
	Token core.Secret `yaml:"token"`
	// BotUsername is the bot's name without the @: invitations lead to it.
	BotUsername string `yaml:"bot_username"`
	// SecretToken is what Telegram shows us with every callback (setWebhook's
	// secret_token). It is required: the body carries no signature.
	SecretToken core.Secret `yaml:"secret_token"`
	// APIURL is where the Bot API lives; requests go to {api_url}/bot{token}/{method}.
	APIURL string `yaml:"api_url"`
	// Login is openid (Log In With Telegram), widget (the Login Widget before
	// it), or empty for none.
	Login string `yaml:"login"`
	// LoginClientID is the client's id, if it is not the bot's.
	LoginClientID string `yaml:"login_client_id"`
	// LoginClientSecret is the client's secret, from BotFather; openid only.
	LoginClientSecret core.Secret `yaml:"login_client_secret"`
	// LoginURL is where the login lives, and how its id tokens name their issuer.
	LoginURL string `yaml:"login_url"`
}

// Defaults returns the stanza before the configuration has had its say.
func Defaults() *Config {
	return &Config{APIURL: "https://api.telegram.org", LoginURL: "https://oauth.telegram.org"}
}

var (
	usernamePattern = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)
	secretPattern   = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// Validate returns everything that is wrong with the stanza.
func (c *Config) Validate() []core.Fault {
	checks := []struct{ key, problem string }{
		{"token", tokenProblem(c.Token.Reveal())},
		{"bot_username", usernameProblem(c.BotUsername)},
		{"secret_token", secretProblem(c.SecretToken.Reveal())},
		{"api_url", urlProblem(c.APIURL)},
	}
	var faults []core.Fault
	for _, check := range checks {
		if check.problem != "" {
			faults = append(faults, core.Fault{Key: check.key, Problem: check.problem})
		}
	}
	return append(faults, c.loginFaults()...)
}

// tokenProblem accepts whatever is one segment of a path as it stands. Local
// Bot API servers and emulators have tokens of their own making, and a token in
// the URL that differs from the one we hold could not be redacted.
func tokenProblem(token string) string {
	if token == "" {
		return "missing; it is the token that BotFather gave, like 123456:ABC-DEF"
	}
	if url.PathEscape(token) != token || token == "." || token == ".." {
		return "has characters that no bot token has; it looks like 123456:ABC-DEF"
	}
	return ""
}

func usernameProblem(name string) string {
	if name == "" {
		return "missing; it is the bot's name without @, like my_shop_bot"
	}
	if strings.HasPrefix(name, "@") {
		return "starts with @; write the name without it"
	}
	if !usernamePattern.MatchString(name) {
		return "is not a bot's name; it has at most 32 of A-Z, a-z, 0-9 and _"
	}
	return ""
}

func secretProblem(secret string) string {
	if secret == "" {
		return "missing; without it anybody could post updates: choose 1 to 256 of A-Z, a-z, 0-9, _ and -, and give it to setWebhook too"
	}
	if !secretPattern.MatchString(secret) || len(secret) > 256 {
		return "has other characters than A-Z, a-z, 0-9, _ and -, or more than 256 of them"
	}
	return ""
}

func urlProblem(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "is not an absolute http(s) URL like https://api.telegram.org"
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "has more than scheme, host and path; the method is appended to it"
	}
	return ""
}

// Open returns the channel. It makes no request.
func (c *Config) Open(env core.Env) (core.Channel, error) {
	client := env.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	own := &Channel{
		token:    c.Token.Reveal(),
		secret:   c.SecretToken.Reveal(),
		username: c.BotUsername,
		endpoint: endpoint(c.APIURL),
		api:      strings.TrimRight(c.APIURL, "/"),
		client:   withoutRedirects(client),
		limits:   limits(),
	}
	own.login = c.openLogin(own)
	return own, nil
}

// endpoint is the client library's format for a URL: token first, method second.
func endpoint(apiURL string) string {
	base := strings.TrimRight(apiURL, "/")
	return strings.ReplaceAll(base, "%", "%%") + "/bot%s/%s"
}

// withoutRedirects copies the client so that it hands a redirect back. The Bot
// API has none, and following one would repeat the request elsewhere, with the
// token in the Referer.
func withoutRedirects(client *http.Client) *http.Client {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
