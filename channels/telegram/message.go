package telegram

import (
	"encoding/json"
	"strconv"
	"strings"

	"tidings/core"
)

// The shapes below hold what is read of an update and nothing more: a field
// that the client library's types hold, and that changes its type some day,
// shall not make a customer's question unreadable.
// https://core.telegram.org/bots/api#update, read 2026-11-22 (Bot API 10.1).

type envelope struct {
	UpdateID      json.RawMessage `json:"update_id"`
	Message       json.RawMessage `json:"message"`
	EditedMessage json.RawMessage `json:"edited_message"`
	CallbackQuery json.RawMessage `json:"callback_query"`
	MyChatMember  json.RawMessage `json:"my_chat_member"`
}

type message struct {
	MessageID *int64 `json:"message_id"`
	Chat      *chat  `json:"chat"`
	From      *user  `json:"from"`
	Date      int64  `json:"date"`
	EditDate  int64  `json:"edit_date"`
	ReplyTo   *reply `json:"reply_to_message"`

	Text    string          `json:"text"`
	Caption string          `json:"caption"`
	Rich    json.RawMessage `json:"rich_message"`

	Photo     []photoSize `json:"photo"`
	LivePhoto *file       `json:"live_photo"`
	Video     *file       `json:"video"`
	VideoNote *file       `json:"video_note"`
	Animation *file       `json:"animation"`
	Voice     *file       `json:"voice"`
	Audio     *file       `json:"audio"`
	Document  *file       `json:"document"`
	Sticker   *file       `json:"sticker"`
	Location  *location   `json:"location"`
	Venue     *venue      `json:"venue"`
	Contact   *contact    `json:"contact"`
	Poll      *poll       `json:"poll"`
	Dice      *dice       `json:"dice"`
	Checklist *checklist  `json:"checklist"`

	Story              json.RawMessage `json:"story"`
	PaidMedia          json.RawMessage `json:"paid_media"`
	Game               json.RawMessage `json:"game"`
	WriteAccessAllowed json.RawMessage `json:"write_access_allowed"`
}

type chat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"`
}

// private reports whether only one person is in the chat. Groups and channels
// have negative ids, should the type be missing.
func (c *chat) private() bool {
	return c.ID > 0 && (c.Type == "private" || c.Type == "")
}

func (c *chat) address() core.Address {
	return core.Address{Value: strconv.FormatInt(c.ID, 10)}
}

type user struct {
	ID        int64  `json:"id"`
	IsBot     bool   `json:"is_bot"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Language  string `json:"language_code"`
}

func (u *user) isBot() bool { return u != nil && u.IsBot }

func (u *user) name() string {
	if u == nil {
		return ""
	}
	return strings.TrimSpace(u.FirstName + " " + u.LastName)
}

func (u *user) locale() string {
	if u == nil {
		return ""
	}
	return u.Language
}

type reply struct {
	MessageID *int64 `json:"message_id"`
}

type callbackQuery struct {
	ID      string `json:"id"`
	From    *user  `json:"from"`
	Data    string `json:"data"`
	Message *struct {
		MessageID *int64 `json:"message_id"`
		Chat      *chat  `json:"chat"`
	} `json:"message"`
}

type chatMemberUpdated struct {
	Chat *chat `json:"chat"`
	From *user `json:"from"`
	Date int64 `json:"date"`
	New  *struct {
		Status string `json:"status"`
	} `json:"new_chat_member"`
}

// words returns what the customer wrote, in whichever form it came.
func (m message) words() string {
	if m.Text != "" {
		return m.Text
	}
	if m.Caption != "" {
		return m.Caption
	}
	return richText(m.Rich)
}

// present reports whether a field came with a value.
func present(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null"
}

// unmarshal takes an absent field for a null.
func unmarshal(raw json.RawMessage, to any) error {
	if len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, to)
}
