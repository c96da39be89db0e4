package telegramsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tidings/channels/emulator"
)

// Limits of texts (core.telegram.org/bots/api; the raw one from
// telegram-bot-api's sources; read 2026-11-22).
const (
	maxText        = 4096  // code points after entities parsing
	maxCaption     = 1024  // the same
	maxRaw         = 32768 // bytes before
	maxAnswer      = 200   // of a callback query's answer
	maxPhoto       = 10 << 20
	textIsEmpty    = "message text is empty"
	editIsTheSame  = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"
	queryIsUnknown = "query is too old and response timeout expired or query ID is invalid"
)

// message is a message as the Bot API tells it.
type message struct {
	MessageID       int        `json:"message_id"`
	From            *user      `json:"from,omitempty"`
	Chat            chatInfo   `json:"chat"`
	Date            int64      `json:"date"`
	EditDate        int64      `json:"edit_date,omitempty"`
	ReplyTo         *message   `json:"reply_to_message,omitempty"`
	Text            string     `json:"text,omitempty"`
	Entities        []entity   `json:"entities,omitempty"`
	Photo           []photo    `json:"photo,omitempty"`
	Document        *document  `json:"document,omitempty"`
	Caption         string     `json:"caption,omitempty"`
	CaptionEntities []entity   `json:"caption_entities,omitempty"`
	Keyboard        *keyboard  `json:"reply_markup,omitempty"`
	WriteAccess     *struct{}  `json:"write_access_allowed,omitempty"`
	Strange         *[]float64 `json:"strange_field,omitempty"`
}

type chatInfo struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"`
	FirstName string `json:"first_name,omitempty"`
}

type photo struct {
	FileID   string `json:"file_id"`
	UniqueID string `json:"file_unique_id"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	FileSize int    `json:"file_size,omitempty"`
}

type document struct {
	FileID   string `json:"file_id"`
	UniqueID string `json:"file_unique_id"`
	FileName string `json:"file_name,omitempty"`
	MimeType string `json:"mime_type,omitempty"`
	FileSize int    `json:"file_size,omitempty"`
}

func (ch *chat) info() chatInfo {
	return chatInfo{ID: ch.id, Type: "private", FirstName: ch.person().FirstName}
}

func (ch *chat) person() *user {
	return &user{ID: ch.id, FirstName: fmt.Sprintf("Person %d", ch.id), Language: "en"}
}

// next returns an empty message of the chat.
func (s *Sim) next(ch *chat, from *user) *message {
	ch.messageID++
	return &message{MessageID: ch.messageID, From: from, Chat: ch.info(), Date: s.opt.Now().Unix()}
}

// text reads and checks a text parameter with its markup.
func (c call) text(key, explicit string, limit int, tooLong string) (formatted, *apiError) {
	raw := c.params[key]
	if !utf8.ValidString(raw) {
		return formatted{}, badRequest("strings must be encoded in UTF-8")
	}
	if len(raw) > maxRaw {
		return formatted{}, badRequest("text is too long")
	}
	f, err := parseText(raw, c.params["parse_mode"], c.params[explicit])
	if err == nil && utf8.RuneCountInString(f.text) > limit {
		return f, badRequest("%s", tooLong)
	}
	return f, err
}

func (c call) messageText() (formatted, *apiError) {
	if c.params["text"] == "" {
		return formatted{}, badRequest(textIsEmpty)
	}
	f, err := c.text("text", "entities", maxText, "message is too long")
	if err == nil && f.text == "" {
		return f, badRequest("text must be non-empty")
	}
	return f, err
}

func sendMessage(c call) (any, *apiError) {
	f, err := c.messageText()
	if err != nil {
		return nil, err
	}
	markup, err := readMarkup(c.params["reply_markup"])
	if err != nil {
		return nil, err
	}
	ch, err := c.target()
	if err != nil {
		return nil, err
	}
	reply, err := c.replied(ch)
	if err != nil {
		return nil, err
	}
	m := c.sim.next(ch, &c.sim.self)
	m.Text, m.Entities, m.Keyboard, m.ReplyTo = f.text, f.entities, markup, reply
	c.sim.show(ch, m, "text", f.text)
	return m, nil
}

func sendPhoto(c call) (any, *apiError) {
	f, err := c.text("caption", "caption_entities", maxCaption, "message caption is too long")
	if err != nil {
		return nil, err
	}
	markup, err := readMarkup(c.params["reply_markup"])
	if err != nil {
		return nil, err
	}
	ch, err := c.target()
	if err != nil {
		return nil, err
	}
	p, err := c.photo()
	if err != nil {
		return nil, err
	}
	m := c.sim.next(ch, &c.sim.self)
	m.Photo, m.Caption, m.CaptionEntities, m.Keyboard = []photo{p}, f.text, f.entities, markup
	c.sim.show(ch, m, "image", f.text)
	return m, nil
}

// photo finds the picture of sendPhoto: an upload, a file_id or a URL, which
// this emulator does not fetch.
func (c call) photo() (photo, *apiError) {
	p := photo{Width: 1, Height: 1}
	value := c.params["photo"]
	data, uploaded := c.files["photo"]
	if name, ok := strings.CutPrefix(value, "attach://"); ok {
		data, uploaded = c.files[name]
		value = ""
	}
	switch {
	case uploaded && len(data) > maxPhoto:
		return p, &apiError{code: http.StatusRequestEntityTooLarge, text: "Request Entity Too Large"}
	case uploaded:
		p.FileID = c.sim.keep("photos", data)
	case value == "":
		return p, badRequest("there is no photo in the request")
	case strings.Contains(value, "://"):
		if checkedLink(value) == "" || !strings.HasPrefix(value, "http") {
			return p, badRequest("wrong HTTP URL specified")
		}
		p.FileID = c.sim.keep("photos", []byte(value))
	default:
		if _, known := c.sim.files[value]; !known {
			return p, badRequest("wrong file identifier/HTTP URL specified")
		}
		p.FileID = value
	}
	p.UniqueID, p.FileSize = "u"+p.FileID, len(c.sim.files[p.FileID].data)
	return p, nil
}

// replied finds the message that a call answers, if it names one.
func (c call) replied(ch *chat) (*message, *apiError) {
	id := c.number("reply_to_message_id")
	optional := c.flag("allow_sending_without_reply")
	if raw := c.params["reply_parameters"]; raw != "" {
		var p struct {
			MessageID int  `json:"message_id"`
			Optional  bool `json:"allow_sending_without_reply"`
		}
		if json.Unmarshal([]byte(raw), &p) != nil {
			return nil, badRequest("can't parse reply parameters JSON object")
		}
		id, optional = p.MessageID, p.Optional
	}
	if id == 0 {
		return nil, nil
	}
	if m := ch.sent[id]; m != nil {
		return m, nil
	}
	if shown, ok := c.sim.log.Find(key(ch.id), strconv.Itoa(id)); ok {
		var m message
		if json.Unmarshal(shown.Raw, &m) == nil {
			return &m, nil
		}
	}
	if optional {
		return nil, nil
	}
	return nil, badRequest("message to be replied not found")
}

// show lets the person see a message of the bot.
func (s *Sim) show(ch *chat, m *message, kind, text string) {
	if s.opt.Forgetful {
		return
	}
	ch.sent[m.MessageID] = m
	shown := emulator.Shown{
		To: key(ch.id), ID: strconv.Itoa(m.MessageID), Kind: kind, Text: text,
		Buttons: m.Keyboard.buttons(), Raw: rawJSON(m), At: s.opt.Now(),
	}
	if entities := slices.Concat(m.Entities, m.CaptionEntities); len(entities) > 0 {
		shown.Fields = map[string]any{"entities": entities}
	}
	s.log.Show(shown)
}

func key(chatID int64) string { return strconv.FormatInt(chatID, 10) }

func editMessageText(c call) (any, *apiError) {
	f, err := c.messageText()
	if err != nil {
		return nil, err
	}
	markup, err := readMarkup(c.params["reply_markup"])
	if err != nil {
		return nil, err
	}
	ch, err := c.target()
	if err != nil {
		return nil, err
	}
	m, err := c.own(ch, "message to edit not found", "message can't be edited")
	if err != nil {
		return nil, err
	}
	if m.Text == "" {
		return nil, badRequest("there is no text in the message to edit")
	}
	if m.Text == f.text && reflect.DeepEqual(m.Entities, f.entities) && reflect.DeepEqual(m.Keyboard, markup) {
		return nil, badRequest(editIsTheSame)
	}
	m.Text, m.Entities, m.Keyboard, m.EditDate = f.text, f.entities, markup, c.sim.opt.Now().Unix()
	c.sim.log.Edit(key(ch.id), strconv.Itoa(m.MessageID), func(shown *emulator.Shown) {
		shown.Text, shown.Buttons, shown.Raw = f.text, markup.buttons(), rawJSON(m)
	})
	return m, nil
}

func deleteMessage(c call) (any, *apiError) {
	ch, err := c.target()
	if err != nil {
		return nil, err
	}
	m, err := c.own(ch, "message to delete not found", "message can't be deleted")
	if err != nil {
		return nil, err
	}
	delete(ch.sent, m.MessageID)
	c.sim.log.Delete(key(ch.id), strconv.Itoa(m.MessageID))
	return true, nil
}

// own finds a message of the bot by message_id.
func (c call) own(ch *chat, missing, foreign string) (*message, *apiError) {
	id := c.number("message_id")
	if id == 0 {
		return nil, badRequest("message identifier is not specified")
	}
	if m := ch.sent[id]; m != nil {
		return m, nil
	}
	if _, ok := c.sim.log.Find(key(ch.id), strconv.Itoa(id)); ok {
		return nil, badRequest("%s", foreign)
	}
	return nil, badRequest("%s", missing)
}

func sendChatAction(c call) (any, *apiError) {
	if c.params["action"] == "" {
		return nil, badRequest("wrong parameter action in request")
	}
	_, err := c.target()
	return true, err
}

func getChat(c call) (any, *apiError) {
	ch, err := c.target()
	if err != nil {
		return nil, err
	}
	return ch.info(), nil
}

func answerCallbackQuery(c call) (any, *apiError) {
	id := c.params["callback_query_id"]
	if _, known := c.sim.queries[id]; !known {
		return nil, badRequest(queryIsUnknown)
	}
	if utf8.RuneCountInString(c.params["text"]) > maxAnswer {
		return nil, badRequest("MESSAGE_TOO_LONG")
	}
	c.sim.queries[id] = true
	return true, nil
}
