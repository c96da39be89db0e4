package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"tidings/core"
)

// request is one call of the Bot API.
type request struct {
	method string
	params tgbotapi.Params
}

// noPreview is link_preview_options, which the client library does not know.
const noPreview = `{"is_disabled":true}`

// encode writes a part as a request. What it refuses, Telegram would refuse as
// a whole; its errors hold none of the part's words.
func encode(to core.Address, p core.Part) (request, error) {
	chat, err := chatID(to)
	if err != nil {
		return request{}, err
	}
	params := tgbotapi.Params{"chat_id": chat}
	switch {
	case p.Picture != nil:
		return encodePicture(params, p.Picture)
	case p.Order != nil:
		return encodeText(params, p.Order.Text, nil)
	case p.Template != nil:
		return request{}, errors.New("templates are not offered")
	}
	return encodeText(params, p.Text, p.Buttons)
}

// chatID checks that the address is a chat's number and nothing else: a name
// (@channel) would reach people who have not linked anything.
func chatID(to core.Address) (string, error) {
	if to.Kind != "" {
		return "", errors.New("the address is of a kind that Telegram does not have")
	}
	id, err := strconv.ParseInt(to.Value, 10, 64)
	if err != nil || id == 0 || strconv.FormatInt(id, 10) != to.Value {
		return "", errors.New("the address is not a chat id in decimal")
	}
	return to.Value, nil
}

func encodeText(params tgbotapi.Params, t core.Text, buttons []core.Button) (request, error) {
	if strings.TrimSpace(t.Plain()) == "" {
		return request{}, errors.New("the text is empty")
	}
	params["text"] = toHTML(t)
	params["parse_mode"] = tgbotapi.ModeHTML
	params["link_preview_options"] = noPreview
	if len(buttons) == 0 {
		return request{"sendMessage", params}, nil
	}
	markup, err := keyboard(buttons)
	if err != nil {
		return request{}, err
	}
	params["reply_markup"] = markup
	return request{"sendMessage", params}, nil
}

// encodePicture sends a picture by its URL. Anything else in this parameter
// would be read as the id of a file on Telegram's servers.
func encodePicture(params tgbotapi.Params, picture *core.Picture) (request, error) {
	if !isLink(picture.URL, "https", "http") {
		return request{}, errors.New("the picture has no http(s) URL")
	}
	params["photo"] = strings.ToValidUTF8(picture.URL, "\uFFFD")
	if strings.TrimSpace(picture.Caption.Plain()) != "" {
		params["caption"] = toHTML(picture.Caption)
		params["parse_mode"] = tgbotapi.ModeHTML
	}
	return request{"sendPhoto", params}, nil
}

// keyboard writes one button per row, so that titles keep their whole width.
func keyboard(buttons []core.Button) (string, error) {
	rows := make([][]tgbotapi.InlineKeyboardButton, 0, len(buttons))
	for i, b := range buttons {
		if err := checkButton(b); err != nil {
			return "", fmt.Errorf("button %d: %w", i+1, err)
		}
		rows = append(rows, tgbotapi.NewInlineKeyboardRow(button(b)))
	}
	markup, err := json.Marshal(tgbotapi.NewInlineKeyboardMarkup(rows...))
	return string(markup), err
}

func button(b core.Button) tgbotapi.InlineKeyboardButton {
	if b.URL != "" {
		return tgbotapi.NewInlineKeyboardButtonURL(b.Title, b.URL)
	}
	return tgbotapi.NewInlineKeyboardButtonData(b.Title, b.Value)
}

func checkButton(b core.Button) error {
	if strings.TrimSpace(b.Title) == "" {
		return errors.New("it has no title")
	}
	if (b.URL == "") == (b.Value == "") {
		return errors.New("it needs either a URL or a value")
	}
	if b.URL != "" && !isLink(b.URL, "https", "http", "tg") {
		return errors.New("its URL is none that a button can open")
	}
	if len(b.Value) > maxButtonValueBytes {
		return fmt.Errorf("its value has more than %d bytes", maxButtonValueBytes)
	}
	return nil
}

// The characters that Telegram's HTML gives a meaning to, in a text and in an
// attribute. https://core.telegram.org/bots/api#html-style, read 2026-11-22.
var (
	textEscapes      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	attributeEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
)

// toHTML writes a text in Telegram's HTML. Bytes that are no UTF-8, for which
// Telegram refuses the whole text, become the replacement character.
func toHTML(t core.Text) string {
	var b strings.Builder
	for _, run := range t {
		if run.Text == "" {
			continue
		}
		before, after := tags(run)
		b.WriteString(before)
		b.WriteString(textEscapes.Replace(strings.ToValidUTF8(run.Text, "\uFFFD")))
		b.WriteString(after)
	}
	return b.String()
}

// tags returns what opens and what closes a run. Code cannot be nested with
// anything, so a link wins over code, and code over the other emphases.
func tags(run core.Run) (before, after string) {
	link := isLink(run.Link, "https", "http", "tg", "mailto")
	if link {
		target := strings.ToValidUTF8(run.Link, "\uFFFD")
		before, after = `<a href="`+attributeEscapes.Replace(target)+`">`, "</a>"
	}
	if run.Style&core.Code != 0 && !link {
		return "<code>", "</code>"
	}
	for _, e := range []struct {
		style core.Style
		name  string
	}{{core.Bold, "b"}, {core.Italic, "i"}, {core.Strike, "s"}} {
		if run.Style&e.style != 0 {
			before, after = before+"<"+e.name+">", "</"+e.name+">"+after
		}
	}
	return before, after
}

// isLink reports whether raw is an absolute URL of one of the schemes that leads
// somewhere. Telegram shows the text of any other link as plain text, and so do we.
func isLink(raw string, schemes ...string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return u.Host != "" || (scheme == "mailto" && u.Opaque != "")
		}
	}
	return false
}
