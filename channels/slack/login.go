package slack

import (
	"context"
	"net/url"
	"strings"

	"tidings/channels/openid"
	"tidings/core"
)

// login is Sign in with Slack; nil where there is none.
// https://docs.slack.dev/authentication/sign-in-with-slack, read 2026-11-25.
type login struct {
	authURL  string
	provider *openid.Provider
}

func (c *Config) openLogin(own *Channel) *login {
	if c.ClientID == "" {
		return nil
	}
	base := strings.TrimRight(c.LoginURL, "/")
	return &login{
		authURL: base + "/openid/connect/authorize",
		provider: openid.Provider{
			Issuer: base, TokenURL: own.url + "openid.connect.token", KeysURL: base + "/openid/connect/keys",
			ClientID: c.ClientID, Secret: c.ClientSecret, HTTP: own.http,
		}.Open(),
	}
}

func (c *Config) loginFaults() []core.Fault {
	var faults []core.Fault
	fault := func(key, problem string) { faults = append(faults, core.Fault{Key: key, Problem: problem}) }
	if c.ClientID == "" && c.ClientSecret == "" {
		return nil
	}
	if c.ClientID == "" {
		fault("client_id", "is missing, or client_secret is too much; both are on the app's page Basic Information")
	}
	if c.ClientSecret == "" {
		fault("client_secret", "is missing; it is on the app's page Basic Information")
	}
	if c.TeamID == "" {
		fault("team_id", "is missing; whoever signs in must be of this workspace, so a login needs its id, such as T012AB3C4")
	}
	if urlProblem(c.LoginURL) != "" {
		fault("login_url", "is not an absolute http(s) URL such as https://slack.com")
	}
	return faults
}

// HasLogin reports whether the stanza has a client id.
func (c *Channel) HasLogin() bool { return c.login != nil }

// BeginLogin leads to Slack, to our workspace.
func (c *Channel) BeginLogin(a core.LoginAttempt) core.LoginStep {
	q := url.Values{
		"response_type": {"code"}, "scope": {"openid profile"}, "client_id": {c.login.provider.ClientID}, "state": {a.State},
		"team": {c.team}, "nonce": {a.Nonce}, "redirect_uri": {a.RedirectURI},
	}
	return core.LoginStep{URL: c.login.authURL + "?" + q.Encode()}
}

// FinishLogin proves which member came back. A member of our workspace can be
// written to; one of another is nobody here.
func (c *Channel) FinishLogin(ctx context.Context, a core.LoginAttempt, query map[string][]string) (core.Identity, error) {
	code, err := openid.Code(query)
	if err != nil {
		return core.Identity{}, err
	}
	var claims struct {
		User string `json:"https://slack.com/user_id"`
		Team string `json:"https://slack.com/team_id"`
		Name string `json:"name"`
	}
	if err := c.login.provider.Exchange(ctx, code, a, &claims); err != nil {
		return core.Identity{}, err
	}
	if claims.Team != c.team || c.CheckAddress(claims.User) != "" {
		return core.Identity{}, core.ErrUnproven
	}
	return core.Identity{
		Address: core.Address{Value: claims.User}, Subject: claims.User, Name: claims.Name,
		Proof: "Sign in with Slack: member " + claims.User + " of workspace " + claims.Team + " by an id token for client " + c.login.provider.ClientID,
	}, nil
}
