package core

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Address is a customer on one channel, in the platform's own words.
type Address struct {
	// Value is the platform's id of the recipient: a PSID, a chat id, a user id.
	Value string `json:"value"`
	// Kind is empty for an ordinary address. A provisional one, which the
	// platform replaces on first use, names what it is (Messenger: "user_ref").
	Kind string `json:"kind,omitempty"`
	// Locale is the customer's language (BCP 47), where an adapter has words of
	// its own to write (a receipt's labels).
	Locale string `json:"locale,omitempty"`
}

// Channel is one configured account on one platform. Methods may be called
// concurrently, but the core never has two Sends to one address under way.
//
// It does not queue, split, pace, sleep or retry: the core does.
type Channel interface {
	// Limits returns the platform's facts, constant while the channel is open.
	Limits() Limits
	// Send makes one request for one part and returns what the platform
	// answered, or one *SendError. It obeys ctx and owns nothing of p.
	Send(ctx context.Context, to Address, p Part) (Sent, error)
	Close() error
}

// Sent is a platform's "yes".
type Sent struct {
	// ID is the platform's id of what was sent, as receipts and echoes name it.
	ID string
	// Moved is the recipient's new address when the platform told one.
	Moved *Address
	// SlowDown asks the core to leave the channel alone for a while although
	// this request was accepted (usage headers near their limit). 0: no wish.
	SlowDown time.Duration
}

// Listener is a channel whose platform calls back. Decode authenticates first,
// has no side effects and answers within milliseconds: it makes no requests.
//
// It returns every entry of a batch; an entry it cannot understand becomes an
// Update of kind Unreadable with Raw set, never an error. Errors are
// ErrUnauthorized (missing or wrong proof) and ErrForbidden (a failed handshake);
// the reply is then ignored.
type Listener interface {
	Decode(ctx context.Context, cb Callback) (Reply, []Update, error)
}

// Callback is a platform's HTTP request to our webhook. Body is complete and
// raw: signatures are checked on it before anything is parsed.
type Callback struct {
	Method string
	Query  map[string][]string
	Header http.Header
	Body   []byte
	Now    time.Time
}

// Reply is what the platform gets to see once the updates are on disk. The
// zero Reply is 200 with an empty body.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Identified is a channel whose callbacks may carry entries for a sibling: all
// pages of one Meta app share one callback URL.
type Identified interface {
	// Identity names the platform application and the account in it
	// (Update.Account) that this channel stands for.
	Identity() (app, account string)
}

// Inviter is a channel to which a customer can be led by a link or a code.
type Inviter interface {
	// Invite describes how to come to this channel with the token, which has at
	// most 64 characters of [A-Za-z0-9_-].
	Invite(token string) Invitation
}

// Addressed is a channel that knows what an address of its platform looks like.
type Addressed interface {
	// CheckAddress says what is wrong with an address that somebody names, and
	// what would be right, without repeating it; "" for one that can be used.
	CheckAddress(value string) string
}

// Invitation is one entry of an opt-in's links, without channel and type.
type Invitation struct {
	// URL opens the messenger with the token, where the platform has such links.
	URL string
	// TakesCode says that the customer types a short code instead; How tells where,
	// with %s in place of the code, and HowIn the same in other languages than
	// English, by the language ("de").
	TakesCode bool
	How       string
	HowIn     map[string]string
	// Extra are further fields for a web page (dataRef, appId, pageId).
	Extra map[string]string
}

// Config is an adapter's stanza of the configuration, decoded strictly into
// its fields (tags `yaml:"name"`; Secret for secrets, which also get a _file twin).
type Config interface {
	// Validate returns all faults at once and does no I/O.
	Validate() []Fault
	// Open returns the channel. It makes no request either: a platform that is
	// down must not keep the gateway from starting.
	Open(env Env) (Channel, error)
}

// Fault is one thing wrong with a configuration.
type Fault struct {
	Key     string // path within the stanza, e.g. "page_token"
	Problem string // what is wrong and what would be right; never the value of a secret
}

// Env is what an adapter gets from its surroundings.
type Env struct {
	Name string       // the channel's name in the configuration
	HTTP *http.Client // to be used for every request
	Log  *slog.Logger
}

// Secret is a value that must not be seen. It prints as "[secret]" everywhere;
// Reveal gives it to the one who needs it.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// Format hides the secret from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
