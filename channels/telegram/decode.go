package telegram

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tidings/core"
)

// secretHeader carries the secret token that setWebhook was given.
// https://core.telegram.org/bots/api#setwebhook, read 2026-11-22.
const secretHeader = "X-Telegram-Bot-Api-Secret-Token"

// Decode authenticates a callback and reads the one update in it. Only the
// answer to a pressed button has a body: a method call that ends the button's
// spinner, which Telegram carries out on its own.
func (c *Channel) Decode(_ context.Context, cb core.Callback) (core.Reply, []core.Update, error) {
	if !c.proves(cb.Header) {
		return core.Reply{}, nil, core.ErrUnauthorized
	}
	if cb.Method != http.MethodPost {
		return core.Reply{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {http.MethodPost}}}, nil, nil
	}
	reply, u, err := c.read(cb)
	if err != nil {
		return core.Reply{}, []core.Update{unreadable(cb.Body, u.ID, err)}, nil
	}
	return reply, []core.Update{u}, nil
}

// proves compares digests, so that not even the secret's length shows in the time.
func (c *Channel) proves(h http.Header) bool {
	given := h.Values(secretHeader)
	if len(given) != 1 || c.secret == "" {
		return false
	}
	got, want := sha256.Sum256([]byte(given[0])), sha256.Sum256([]byte(c.secret))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// read decodes the body in two steps, so that an update with a broken message
// still has its own id. With an error, the update holds that id or nothing.
func (c *Channel) read(cb core.Callback) (core.Reply, core.Update, error) {
	var e envelope
	if err := json.Unmarshal(cb.Body, &e); err != nil {
		return core.Reply{}, core.Update{}, malformed("update", err)
	}
	var number *int64
	if err := unmarshal(e.UpdateID, &number); err != nil || number == nil {
		return core.Reply{}, core.Update{}, errors.New("update_id is missing or no number")
	}
	reply, u, err := c.readContent(e, cb.Now)
	u.ID = strconv.FormatInt(*number, 10)
	return reply, u, err
}

func (c *Channel) readContent(e envelope, now time.Time) (core.Reply, core.Update, error) {
	switch {
	case present(e.Message):
		u, err := c.readMessage(e.Message)
		return core.Reply{}, u, err
	case present(e.EditedMessage):
		u, err := readEdited(e.EditedMessage)
		return core.Reply{}, u, err
	case present(e.CallbackQuery):
		return readPress(e.CallbackQuery, now)
	case present(e.MyChatMember):
		u, err := readMembership(e.MyChatMember)
		return core.Reply{}, u, err
	}
	return core.Reply{}, core.Update{Kind: core.UpdateOther}, nil
}

func (c *Channel) readMessage(raw json.RawMessage) (core.Update, error) {
	m, u, err := openMessage(raw)
	if err != nil || u.Kind == core.UpdateOther {
		return u, err
	}
	u.OpensWindow = true
	if ref, ok := c.start(m.Text); ok {
		u.Kind, u.Ref = core.UpdateOptIn, ref
		return u, nil
	}
	u.Kind, u.Text, u.Media = core.UpdateText, m.words(), m.media()
	if u.Text != "" || len(u.Media) > 0 {
		return u, nil
	}
	u.Kind, u.OpensWindow = serviceKind(m), false
	return u, nil
}

// serviceKind says what a message without content is. Letting the bot write
// (from a web app or a login) lifts a block, anything else is of no consequence.
func serviceKind(m message) core.UpdateKind {
	if present(m.WriteAccessAllowed) {
		return core.UpdateUnblocked
	}
	return core.UpdateOther
}

func readEdited(raw json.RawMessage) (core.Update, error) {
	m, u, err := openMessage(raw)
	if err != nil || u.Kind == core.UpdateOther {
		return u, err
	}
	if m.EditDate != 0 {
		if u.At, err = platformTime(m.EditDate); err != nil {
			return core.Update{}, err
		}
	}
	u.Text = m.words()
	if u.Text == "" && m.Location != nil {
		// A live location reports each move as an edit.
		u.Kind = core.UpdateOther
		return u, nil
	}
	u.Kind, u.Media, u.OpensWindow = core.UpdateEdited, m.media(), true
	return u, nil
}

// openMessage decodes what all messages share. The update is of kind Other when
// the message is not a customer's in a chat with the bot alone.
func openMessage(raw json.RawMessage) (message, core.Update, error) {
	var m message
	if err := unmarshal(raw, &m); err != nil {
		return m, core.Update{}, malformed("message", err)
	}
	if m.Chat == nil || m.Chat.ID == 0 || m.MessageID == nil {
		return m, core.Update{}, errors.New("a message without chat.id or message_id")
	}
	at, err := platformTime(m.Date)
	if err != nil {
		return m, core.Update{}, err
	}
	if !m.Chat.private() || m.From.isBot() {
		return m, core.Update{Kind: core.UpdateOther, At: at}, nil
	}
	u := core.Update{
		From:       m.Chat.address(),
		At:         at,
		PlatformID: messageKey(m.Chat.ID, *m.MessageID),
		Name:       m.From.name(),
		Locale:     m.From.locale(),
	}
	if m.ReplyTo != nil && m.ReplyTo.MessageID != nil {
		u.ReplyTo = messageKey(m.Chat.ID, *m.ReplyTo.MessageID)
	}
	return m, u, nil
}

// readPress reads a pressed button. The platform names no time for the press,
// so it is the time of the callback; ReplyTo is the message with the button.
func readPress(raw json.RawMessage, now time.Time) (core.Reply, core.Update, error) {
	var q callbackQuery
	if err := unmarshal(raw, &q); err != nil {
		return core.Reply{}, core.Update{}, malformed("callback_query", err)
	}
	if q.ID == "" || q.From == nil || q.From.ID == 0 {
		return core.Reply{}, core.Update{}, errors.New("a callback_query without id or from.id")
	}
	reply, err := answerPress(q.ID)
	if err != nil {
		return core.Reply{}, core.Update{}, err
	}
	u := core.Update{Kind: core.UpdateOther, At: now}
	if q.Data == "" || q.From.IsBot || q.Message == nil || q.Message.Chat == nil || !q.Message.Chat.private() {
		return reply, u, nil
	}
	u.Kind, u.Payload, u.OpensWindow = core.UpdateButton, q.Data, true
	u.From, u.Name, u.Locale = q.Message.Chat.address(), q.From.name(), q.From.locale()
	if q.Message.MessageID != nil {
		u.ReplyTo = messageKey(q.Message.Chat.ID, *q.Message.MessageID)
	}
	return reply, u, nil
}

func answerPress(id string) (core.Reply, error) {
	body, err := json.Marshal(struct {
		Method string `json:"method"`
		ID     string `json:"callback_query_id"`
	}{"answerCallbackQuery", id})
	if err != nil {
		return core.Reply{}, err
	}
	return core.Reply{
		Status: http.StatusOK,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   body,
	}, nil
}

// readMembership reads what became of the bot in a chat. In a private chat the
// only states are kicked (the customer blocked the bot) and member.
func readMembership(raw json.RawMessage) (core.Update, error) {
	var m chatMemberUpdated
	if err := unmarshal(raw, &m); err != nil {
		return core.Update{}, malformed("my_chat_member", err)
	}
	if m.Chat == nil || m.Chat.ID == 0 || m.New == nil {
		return core.Update{}, errors.New("a my_chat_member without chat.id or new_chat_member")
	}
	at, err := platformTime(m.Date)
	if err != nil {
		return core.Update{}, err
	}
	u := core.Update{Kind: core.UpdateOther, At: at}
	if !m.Chat.private() {
		return u, nil
	}
	u.From, u.Name, u.Locale = m.Chat.address(), m.From.name(), m.From.locale()
	switch m.New.Status {
	case "kicked":
		u.Kind = core.UpdateBlocked
	case "member":
		u.Kind, u.OpensWindow = core.UpdateUnblocked, true
	}
	return u, nil
}

// startPattern is the command a deep link makes the customer's app send. A
// reference is one word; "/start" before several is something a person wrote.
var startPattern = regexp.MustCompile(`^(?i:/start)(?:@([A-Za-z0-9_]+))?(?:\s+(\S+))?\s*$`)

// start returns the reference of a deep link, and whether text is one.
func (c *Channel) start(text string) (ref string, ok bool) {
	m := startPattern.FindStringSubmatch(text)
	if m == nil || (m[1] != "" && !strings.EqualFold(m[1], c.username)) {
		return "", false
	}
	return m[2], true
}

// platformTime refuses what cannot be written as a date again.
func platformTime(unix int64) (time.Time, error) {
	const year10000 = 253402300800
	if unix < 0 || unix >= year10000 {
		return time.Time{}, errors.New("a date beyond all calendars")
	}
	if unix == 0 {
		return time.Time{}, nil // an inaccessible message has no date
	}
	return time.Unix(unix, 0).UTC(), nil
}

// unreadable keeps what could not be read. Without an id of its own it gets one
// from its bytes, so that a copy is still known as a copy.
func unreadable(body []byte, id string, problem error) core.Update {
	if id == "" {
		sum := sha256.Sum256(body)
		id = "sha256-" + hex.EncodeToString(sum[:])
	}
	return core.Update{
		ID:      id,
		Kind:    core.UpdateUnreadable,
		Raw:     bytes.Clone(body),
		Problem: problem.Error(),
	}
}

// malformed names the field of a part of the update that is wrong, and none of
// its values.
func malformed(part string, err error) error {
	var typeErr *json.UnmarshalTypeError
	if !errors.As(err, &typeErr) {
		return errors.New(part + " is no JSON")
	}
	if typeErr.Field != "" {
		part += "." + typeErr.Field
	}
	return errors.New("a wrong type in " + part)
}
