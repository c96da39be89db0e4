package slack

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"sync/atomic"

	api "github.com/slack-go/slack"

	"tidings/core"
)

// Channel is one Slack app in one workspace.
type Channel struct {
	closed  atomic.Bool
	http    *http.Client
	url     string // of the methods, ends in "/"
	token   core.Secret
	signing core.Secret
	team    string // "" when not configured
	login   *login
}

var (
	_ core.Config     = (*Config)(nil)
	_ core.Channel    = (*Channel)(nil)
	_ core.Listener   = (*Channel)(nil)
	_ core.Inviter    = (*Channel)(nil)
	_ core.Identified = (*Channel)(nil)

	_ core.Authenticator = (*Channel)(nil)
	_ core.Addressed     = (*Channel)(nil)
)

// Limits returns Slack's facts.
func (c *Channel) Limits() core.Limits { return limits() }

// Close ends sending. The HTTP client belongs to whoever lent it, and requests
// under way go on.
func (c *Channel) Close() error {
	c.closed.Store(true)
	return nil
}

// Identity names the workspace. The app stays unnamed: one token belongs to one
// app in one workspace, and callbacks are told apart by the workspace.
func (c *Channel) Identity() (app, account string) { return "", c.team }

// Invite tells how to link: Slack has no links that carry a reference, so the
// customer types a code. How is a format for fmt that names its one argument
// twice.
func (c *Channel) Invite(string) core.Invitation {
	return core.Invitation{
		TakesCode: true, How: "/link %[1]s, or send %[1]s to the app",
		HowIn: map[string]string{"de": "/link %[1]s, oder %[1]s an die App schicken"},
	}
}

// userID is what the id of a user looks like: W is one of an Enterprise Grid.
var userID = regexp.MustCompile(`^[UW][A-Za-z0-9_-]{1,63}$`)

// CheckAddress takes the id of a user. A channel is read by more than one person:
// what is told there is told to strangers.
func (c *Channel) CheckAddress(value string) string {
	if !userID.MatchString(value) {
		return "must be the id of a user, which begins with U or W"
	}
	return ""
}

// Send posts one part. Slack has no idempotency key, so Part.Key is not used.
func (c *Channel) Send(ctx context.Context, to core.Address, p core.Part) (core.Sent, error) {
	if c.closed.Load() {
		return core.Sent{}, &core.SendError{Class: core.Temporary, Code: "closed", Err: errors.New("slack: post message: the channel is closed")}
	}
	m, err := encode(p)
	if err != nil {
		return core.Sent{}, err
	}
	if err := ctx.Err(); err != nil {
		return core.Sent{}, &core.SendError{Class: core.Temporary, Code: "not_sent", Err: err}
	}
	// One exchange per request, hence one client: the library's has no state
	// but its options, and what this request met must not meet another.
	x := &exchange{http: c.http, token: c.token}
	client := api.New(c.token.Reveal(), api.OptionAPIURL(c.url), api.OptionHTTPClient(x))
	channel, ts, err := client.PostMessageContext(x.watch(ctx), to.Value, m.options()...)
	if err != nil {
		return core.Sent{}, classify(err, x, c.token)
	}
	if ts == "" {
		return core.Sent{}, x.withoutTimestamp()
	}
	if channel == "" {
		channel = to.Value
	}
	return core.Sent{ID: platformID(channel, ts)}, nil
}

// options are the message as arguments of chat.postMessage.
//
// parse is left alone: unset, Slack links bare URLs, which are then shown as
// typed, and links no names. Unfurling is off, as a preview of a tracking page
// is nothing the shop has said.
func (m message) options() []api.MsgOption {
	options := []api.MsgOption{
		api.MsgOptionText(m.text, false), // escaped here, together with the markup
		api.MsgOptionLinkNames(false),
		api.MsgOptionDisableLinkUnfurl(),
		api.MsgOptionDisableMediaUnfurl(),
	}
	if !m.marked {
		options = append(options, api.MsgOptionDisableMarkdown())
	}
	if len(m.blocks) > 0 {
		options = append(options, api.MsgOptionBlocks(m.blocks...))
	}
	return options
}

// platformID is how this package names a message everywhere. A timestamp alone
// is unique in its conversation only.
func platformID(channel, ts string) string { return channel + "/" + ts }
