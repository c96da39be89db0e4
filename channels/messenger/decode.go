package messenger

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"tidings/core"
)

// Decode authenticates a callback and returns everything in it.
func (c *channel) Decode(_ context.Context, cb core.Callback) (core.Reply, []core.Update, error) {
	switch cb.Method {
	case http.MethodGet:
		reply, err := c.handshake(cb.Query)
		return reply, nil, err
	case http.MethodPost:
		if !c.signed(cb.Header, cb.Body) {
			return core.Reply{}, nil, core.ErrUnauthorized
		}
		return core.Reply{}, c.decodeBody(cb.Body), nil
	}
	return core.Reply{}, nil, core.ErrForbidden
}

// handshake answers the request with which Meta tests the callback's URL.
func (c *channel) handshake(query map[string][]string) (core.Reply, error) {
	mode, token := first(query["hub.mode"]), first(query["hub.verify_token"])
	if mode != "subscribe" || !equalSecret(token, c.config.VerifyToken.Reveal()) {
		return core.Reply{}, core.ErrForbidden
	}
	return core.Reply{
		Status: http.StatusOK,
		// The challenge comes from outside: a browser must not take it for a page.
		Header: http.Header{
			"Content-Type":           {"text/plain; charset=utf-8"},
			"X-Content-Type-Options": {"nosniff"},
		},
		Body: []byte(first(query["hub.challenge"])),
	}, nil
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// equalSecret compares in constant time, whatever the lengths. Nothing equals an
// empty secret.
func equalSecret(got, want string) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return want != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// signed checks Meta's signature over the bytes as they came: Meta signs its own
// escaped form of the JSON, which parsing would lose.
func (c *channel) signed(header http.Header, body []byte) bool {
	secret := c.config.AppSecret.Reveal()
	digits, found := strings.CutPrefix(header.Get("X-Hub-Signature-256"), "sha256=")
	got, err := hex.DecodeString(digits)
	if !found || err != nil || secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(got, mac.Sum(nil))
}

// decodeBody returns the updates of a callback whose sender is proven.
func (c *channel) decodeBody(body []byte) []core.Update {
	var env envelope
	if err := json.Unmarshal(body, &env); err != nil {
		return []core.Update{unreadable(body, problem(err))}
	}
	if env.Entry == nil {
		return []core.Update{unreadable(body, "no entries")}
	}
	var updates []core.Update
	for _, raw := range env.Entry {
		updates = append(updates, c.decodeEntry(env.Object, raw)...)
	}
	return updates
}

// decodeEntry reads all lists of an entry and marks what it finds with the
// entry's Page and, where it has no time of its own, the entry's time.
func (c *channel) decodeEntry(object string, raw json.RawMessage) []core.Update {
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return []core.Update{unreadable(raw, problem(err))}
	}
	updates := c.decodeLists(object, e, raw)
	for i := range updates {
		updates[i].Account = string(e.ID)
		if updates[i].At.IsZero() {
			updates[i].At = e.Time.at()
		}
	}
	return updates
}

func (c *channel) decodeLists(object string, e entry, raw json.RawMessage) []core.Update {
	if object != "page" && object != "" {
		return []core.Update{unreadable(raw, "an entry that is not a Page's")}
	}
	if isAbsent(e.Messaging) && isAbsent(e.Standby) && isAbsent(e.Changes) {
		return []core.Update{unreadable(raw, "an entry of no known kind")}
	}
	updates := decodeList(e.Messaging, c.decodeItem)
	updates = append(updates, decodeList(e.Standby, c.decodeStandby)...)
	return append(updates, decodeList(e.Changes, decodeChange)...)
}

func decodeList(raw json.RawMessage, decode func(json.RawMessage) []core.Update) []core.Update {
	if isAbsent(raw) {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return []core.Update{unreadable(raw, "a list of items is not a list")}
	}
	var updates []core.Update
	for _, item := range items {
		updates = append(updates, decode(item)...)
	}
	return updates
}

func isAbsent(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

// decodeStandby reads an item of a conversation that another app is having. It
// says that the customer wrote, which opens the window, and is otherwise not ours.
func (c *channel) decodeStandby(raw json.RawMessage) []core.Update {
	updates := c.decodeItem(raw)
	for i, u := range updates {
		if u.Kind == core.UpdateUnreadable {
			continue
		}
		updates[i] = core.Update{
			ID:          "standby:" + u.ID,
			Kind:        core.UpdateOther,
			From:        u.From,
			At:          u.At,
			PlatformID:  u.PlatformID,
			OpensWindow: u.OpensWindow,
		}
	}
	return updates
}

// decodeChange takes note of a field of the Page that is not a conversation,
// such as the status of a template.
func decodeChange(raw json.RawMessage) []core.Update {
	return []core.Update{{ID: "change:" + fingerprint(raw), Kind: core.UpdateOther}}
}

// unreadable keeps what could not be understood. Copies of it have the same ID.
func unreadable(raw []byte, why string) core.Update {
	return core.Update{
		ID:      "unreadable:" + fingerprint(raw),
		Kind:    core.UpdateUnreadable,
		Raw:     bytes.Clone(raw),
		Problem: why,
	}
}

func fingerprint(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// problem says what is wrong with the JSON without repeating any of it.
func problem(err error) string {
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return "wrong type of " + wrongType.Field
	case errors.As(err, &wrongType):
		return "not an object"
	case errors.Is(err, errIdent), errors.Is(err, errInteger):
		return err.Error()
	}
	return "not JSON"
}

// milli writes a time as a part of an ID.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
