package telegramsim

import (
	"encoding/json"
	"strings"

	"tidings/channels/emulator"
)

// Limits of inline keyboards (core.telegram.org/bots/api, read 2026-11-22; the
// number of buttons is not documented).
const (
	maxCallbackData = 64 // bytes
	maxButtons      = 100
)

// keyboard is an inline keyboard.
type keyboard struct {
	Rows [][]map[string]any `json:"inline_keyboard"`
}

// What makes an inline button do something; it has exactly one of these.
var actions = []string{"url", "callback_data", "web_app", "login_url", "switch_inline_query",
	"switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay"}

// readMarkup checks reply_markup. A keyboard that is not inline is accepted
// and not kept.
func readMarkup(raw string) (*keyboard, *apiError) {
	if raw == "" {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &fields) != nil {
		return nil, badRequest("can't parse reply keyboard markup JSON object")
	}
	if fields["inline_keyboard"] == nil {
		for _, known := range []string{"keyboard", "remove_keyboard", "force_reply"} {
			if fields[known] != nil {
				return nil, nil
			}
		}
		return nil, badRequest("object expected as reply markup")
	}
	k := &keyboard{}
	if json.Unmarshal(fields["inline_keyboard"], &k.Rows) != nil {
		return nil, badRequest("field \"inline_keyboard\" of the InlineKeyboardMarkup should be an Array of Arrays")
	}
	count := 0
	for _, row := range k.Rows {
		for _, button := range row {
			if err := checkButton(button); err != nil {
				return nil, err
			}
			count++
		}
	}
	if count > maxButtons {
		return nil, badRequest("reply markup is too long")
	}
	if count == 0 {
		return nil, nil
	}
	return k, nil
}

func checkButton(b map[string]any) *apiError {
	if text, _ := b["text"].(string); text == "" {
		return badRequest("can't parse inline keyboard button: Field \"text\" must be a non-empty String")
	}
	var has []string
	for _, a := range actions {
		if b[a] != nil && !copiesNothing(a, b[a]) {
			has = append(has, a)
		}
	}
	if len(has) == 0 {
		return badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
	}
	if len(has) > 1 {
		return badRequest("can't parse inline keyboard button: exactly one of %s must be used", strings.Join(has, ", "))
	}
	value, isText := b[has[0]].(string)
	switch has[0] {
	case "callback_data":
		if !isText || value == "" || len(value) > maxCallbackData {
			return badRequest("BUTTON_DATA_INVALID")
		}
	case "url":
		if !isText || checkedLink(value) == "" {
			return badRequest("inline keyboard button URL '%s' is invalid: Wrong HTTP URL", value)
		}
	}
	return nil
}

// copiesNothing reports a copy_text without a text, which the Bot API takes for
// none: go-telegram/bot puts one beside the action of every button.
func copiesNothing(action string, value any) bool {
	object, isObject := value.(map[string]any)
	return action == "copy_text" && isObject && (object["text"] == nil || object["text"] == "")
}

// buttons are the keyboard as a person sees it.
func (k *keyboard) buttons() []emulator.Button {
	if k == nil {
		return nil
	}
	var out []emulator.Button
	for _, row := range k.Rows {
		for _, b := range row {
			title, _ := b["text"].(string)
			link, _ := b["url"].(string)
			value, _ := b["callback_data"].(string)
			out = append(out, emulator.Button{Title: title, URL: link, Value: value})
		}
	}
	return out
}
