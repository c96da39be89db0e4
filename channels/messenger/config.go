package messenger

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"unicode"

	"tidings/core"
)

// Config is the stanza of a channel of type messenger.
type Config struct {
	PageID      string      `yaml:"page_id"`
	PageToken   core.Secret `yaml:"page_token"`
	AppID       string      `yaml:"app_id"`
	AppSecret   core.Secret `yaml:"app_secret"`
	VerifyToken core.Secret `yaml:"verify_token"`
	APIURL      string      `yaml:"api_url"`
	// Login is facebook, which offers Facebook Login on the link page, or empty. It
	// needs nothing else: the app is the one that the Page's chats belong to.
	Login string `yaml:"login"`
	// LoginURL is where the login's dialog is: {login_url}/dialog/oauth.
	LoginURL string `yaml:"login_url"`
	// AccountLinkingURL is the shop's page to which Messenger leads an unlinked
	// customer who presses Log In in the chat. Empty: no such button.
	AccountLinkingURL string `yaml:"account_linking_url"`
}

// Defaults returns a stanza in which only the account is missing.
func Defaults() *Config {
	return &Config{APIURL: "https://graph.facebook.com/v25.0", LoginURL: "https://www.facebook.com/v25.0"}
}

// graphID is the form of an id of a Page or an app: it goes into links and is
// compared with what callbacks name.
var graphID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// Validate returns all faults at once.
func (c *Config) Validate() []core.Fault {
	var faults []core.Fault
	check := func(key, problem string) {
		if problem != "" {
			faults = append(faults, core.Fault{Key: key, Problem: problem})
		}
	}
	check("page_id", idProblem(c.PageID, "the Page's id, from the Page's About tab"))
	check("page_token", secretProblem(c.PageToken, "the Page access token of the app"))
	check("app_id", idProblem(c.AppID, "the app's id, from the App Dashboard"))
	check("app_secret", secretProblem(c.AppSecret, "the app secret, with which Meta signs callbacks"))
	check("verify_token", secretProblem(c.VerifyToken, "a text of your own, typed into the App Dashboard too"))
	check("api_url", urlProblem(c.APIURL))
	if c.Login != "" && c.Login != facebook {
		check("login", "is not facebook; leave it out for no login")
	}
	if c.Login != "" && urlProblem(c.LoginURL) != "" {
		check("login_url", "is not an absolute http(s) URL such as https://www.facebook.com/v25.0")
	}
	if c.AccountLinkingURL != "" && !strings.HasPrefix(c.AccountLinkingURL, "https://") {
		check("account_linking_url", "is not an https URL, which is all that Messenger opens")
	}
	return faults
}

func idProblem(id, want string) string {
	switch {
	case id == "":
		return "is missing: " + want
	case !graphID.MatchString(id):
		return "is not an id: " + want
	}
	return ""
}

func secretProblem(s core.Secret, want string) string {
	switch {
	case s == "":
		return "is missing: " + want
	case strings.ContainsFunc(s.Reveal(), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "contains white space or a line break, which none of Meta's secrets does"
	}
	return ""
}

func urlProblem(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return "is not an absolute http(s) URL such as https://graph.facebook.com/v25.0"
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "must be a plain base URL, without user, query or fragment"
	}
	return ""
}

// Open returns the channel. It makes no request.
func (c *Config) Open(env core.Env) (core.Channel, error) {
	client := http.Client{}
	if env.HTTP != nil {
		client = *env.HTTP
	}
	// A redirect would carry the token, and the message, to another address.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &channel{
		config:   *c,
		endpoint: strings.TrimRight(c.APIURL, "/") + "/me/messages",
		client:   &client,
	}, nil
}

// channel is one Page.
type channel struct {
	config   Config
	endpoint string
	client   *http.Client
	refused  refusedReceipts
	closed   atomic.Bool
}

var (
	_ core.Config     = (*Config)(nil)
	_ core.Channel    = (*channel)(nil)
	_ core.Listener   = (*channel)(nil)
	_ core.Identified = (*channel)(nil)
	_ core.Inviter    = (*channel)(nil)

	_ core.Authenticator = (*channel)(nil)
	_ core.Revoker       = (*channel)(nil)
	_ core.AccountLinker = (*channel)(nil)
	_ core.Matcher       = (*channel)(nil)
)

// Close ends sending. It has nothing to give back: the HTTP client belongs to
// the caller. Requests under way go on.
func (c *channel) Close() error {
	c.closed.Store(true)
	return nil
}

// Identity names the app and the Page.
func (c *channel) Identity() (app, account string) { return c.config.AppID, c.config.PageID }

// Invite leads to the chat by an m.me link; a web page may show Meta's plugin
// instead, with the token as its data-ref.
func (c *channel) Invite(token string) core.Invitation {
	return core.Invitation{
		URL: "https://m.me/" + url.PathEscape(c.config.PageID) + "?ref=" + url.QueryEscape(token),
		Extra: map[string]string{
			"dataRef": token,
			"appId":   c.config.AppID,
			"pageId":  c.config.PageID,
		},
	}
}
