package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tidings/core"
)

// Decode reads one callback: an event, an interaction or a slash command. The
// reply is always empty but for the handshake; what the customer is told comes
// as a message, in order with everything else.
//
// X-Slack-Retry-Num is not looked at: a repeated delivery has the event's id.
func (c *Channel) Decode(_ context.Context, cb core.Callback) (core.Reply, []core.Update, error) {
	if !c.authentic(cb) {
		return core.Reply{}, nil, core.ErrUnauthorized
	}
	if !bytes.HasPrefix(bytes.TrimSpace(cb.Body), []byte("{")) {
		return core.Reply{}, c.keepable(cb.Body, c.decodeForm(cb)), nil
	}
	reply, updates := c.decodeJSON(cb.Body)
	return reply, c.keepable(cb.Body, updates), nil
}

// keepable returns the updates, or the callback as unreadable when a name in one
// of them would not fit into a key of a database.
func (c *Channel) keepable(body []byte, updates []core.Update) []core.Update {
	for _, u := range updates {
		if !isName(u.ID) || !isName(u.From.Value) || !isName(u.Account) || !isName(u.PlatformID) || !isName(u.ReplyTo) {
			return []core.Update{c.unreadable(body, "a name is too long or has control characters")}
		}
	}
	return updates
}

// isName reports whether s can be a name of Slack's, or no name at all.
func isName(s string) bool {
	const maxBytes = 200 // ours: Slack's longest have some 60
	return len(s) <= maxBytes && !strings.ContainsFunc(s, unicode.IsControl)
}

const timestampHeader = "X-Slack-Request-Timestamp"

// maxSkew is how far a request's time may be off, either way
// (https://docs.slack.dev/authentication/verifying-requests-from-slack, read 2026-11-22).
const maxSkew = 5 * time.Minute

// authentic checks the signature over the raw body. The library's own check
// reads the wall clock, which would leave callbacks in virtual time unchecked.
func (c *Channel) authentic(cb core.Callback) bool {
	stamp := cb.Header.Get(timestampHeader)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || c.signing == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(c.signing.Reveal()))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(cb.Body)
	want := "v0=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(cb.Header.Get("X-Slack-Signature"))) {
		return false
	}
	return cb.Now.Sub(time.Unix(seconds, 0)).Abs() <= maxSkew
}

// envelope is what every JSON callback has around it.
type envelope struct {
	Type      string          `json:"type"`
	Challenge string          `json:"challenge"`
	TeamID    string          `json:"team_id"`
	EventID   string          `json:"event_id"`
	EventTime int64           `json:"event_time"`
	Event     json.RawMessage `json:"event"`
}

func (c *Channel) decodeJSON(body []byte) (core.Reply, []core.Update) {
	var env envelope
	if err := json.Unmarshal(body, &env); err != nil {
		return core.Reply{}, []core.Update{c.unreadable(body, "the envelope is not as documented")}
	}
	if env.Type == "url_verification" {
		return handshake(env.Challenge), nil
	}
	u, problem := decodeEnvelope(env)
	if problem != "" {
		u = c.unreadable(body, problem)
	}
	if u.ID == "" {
		u.ID = firstOf(env.EventID, hashID(body))
	}
	if u.Account == "" {
		u.Account = c.account(env.TeamID)
	}
	return core.Reply{}, []core.Update{u}
}

func handshake(challenge string) core.Reply {
	return core.Reply{
		Status: http.StatusOK,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		Body:   []byte(challenge),
	}
}

// decodeEnvelope returns an update without id, or what is wrong with it.
func decodeEnvelope(env envelope) (core.Update, string) {
	switch env.Type {
	case "event_callback":
		return decodeEvent(env)
	case "app_rate_limited":
		return core.Update{Kind: core.UpdateOther,
			Problem: "Slack holds back events: this workspace had more than 30,000 in an hour"}, ""
	}
	return core.Update{}, "the callback is of an unknown type"
}

func (c *Channel) decodeForm(cb core.Callback) []core.Update {
	body := cb.Body
	form, err := url.ParseQuery(string(body))
	for _, values := range form {
		for i, v := range values {
			values[i] = strings.ToValidUTF8(v, "\uFFFD") // as reading JSON does
		}
	}
	switch {
	case err != nil:
		return []core.Update{c.unreadable(body, "the body is neither JSON nor a form")}
	case form.Get("ssl_check") == "1":
		return nil
	case form.Has("payload"):
		return c.decodeInteraction(body, []byte(form.Get("payload")))
	case form.Has("command"):
		u := c.decodeCommand(body, form)
		u.At = stampTime(cb.Header.Get(timestampHeader)) // a command tells no time of its own
		return []core.Update{u}
	}
	return []core.Update{c.unreadable(body, "the body is neither an event, an interaction nor a command")}
}

// account names the workspace of an update where channels are told apart by it.
func (c *Channel) account(team string) string {
	if c.team == "" {
		return ""
	}
	return team
}

// unreadable keeps a callback that could not be understood. It takes what can
// still be had of its id and its workspace.
func (c *Channel) unreadable(body []byte, problem string) core.Update {
	return core.Update{
		ID:      firstOf(nameIn(body, "event_id"), hashID(body)),
		Kind:    core.UpdateUnreadable,
		Account: c.account(nameIn(body, "team_id")),
		Raw:     bytes.Clone(body),
		Problem: problem,
	}
}

// stringIn returns one field of a JSON object whose other fields may be wrong.
func stringIn(object []byte, field string) string {
	var fields map[string]json.RawMessage
	var s string
	if json.Unmarshal(object, &fields) != nil || json.Unmarshal(fields[field], &s) != nil {
		return ""
	}
	return s
}

// nameIn is stringIn for names: what can be none is none.
func nameIn(object []byte, field string) string {
	s := stringIn(object, field)
	if !isName(s) {
		return ""
	}
	return s
}

// hashID identifies a callback that has no id: the same bytes are the same callback.
func hashID(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:16])
}
