package messenger

import (
	"errors"
	"fmt"
	"unicode/utf16"

	"tidings/core"
)

// userRef is the Kind of a provisional address: what a checkbox plugin calls a
// person before Messenger has told their PSID.
const userRef = "user_ref"

// request is the body of POST /me/messages.
type request struct {
	Recipient     recipient `json:"recipient"`
	MessagingType string    `json:"messaging_type"`
	Tag           string    `json:"tag,omitempty"`
	Message       outgoing  `json:"message"`
}

type recipient struct {
	ID      string `json:"id,omitempty"`
	UserRef string `json:"user_ref,omitempty"`
}

// outgoing holds exactly one of Text, Attachment and Template.
type outgoing struct {
	Text       string      `json:"text,omitempty"`
	Attachment *attachment `json:"attachment,omitempty"`
	Template   *template   `json:"template,omitempty"`
	Metadata   string      `json:"metadata,omitempty"`
}

type attachment struct {
	Type    string `json:"type"`
	Payload any    `json:"payload"`
}

type imagePayload struct {
	URL string `json:"url"`
}

type buttonPayload struct {
	TemplateType string   `json:"template_type"`
	Text         string   `json:"text"`
	Buttons      []button `json:"buttons"`
}

type button struct {
	Type    string `json:"type"`
	Title   string `json:"title,omitempty"`
	URL     string `json:"url,omitempty"`
	Payload string `json:"payload,omitempty"`
}

type template struct {
	Name       string      `json:"name"`
	Language   language    `json:"language"`
	Components []component `json:"components,omitempty"`
}

type language struct {
	Code string `json:"code"`
}

type component struct {
	Type       string      `json:"type"`
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// encode writes a part as a request. inWords keeps an order out of a receipt.
func encode(to core.Address, p core.Part, inWords bool) (request, error) {
	message, err := encodeMessage(to, p, inWords)
	if err != nil {
		return request{}, fmt.Errorf("messenger: encode: %w", err)
	}
	message.Metadata = p.Key
	req := request{Recipient: encodeRecipient(to), Message: message}
	req.MessagingType, req.Tag = messagingType(p)
	return req, nil
}

// isReceipt reports whether the request shows an order in Meta's own form.
func (r request) isReceipt() bool {
	if r.Message.Attachment == nil {
		return false
	}
	_, ok := r.Message.Attachment.Payload.(receiptPayload)
	return ok
}

func encodeRecipient(to core.Address) recipient {
	if to.Kind == userRef {
		return recipient{UserRef: to.Value}
	}
	return recipient{ID: to.Value}
}

// messagingType tells Meta by which right the part is sent.
func messagingType(p core.Part) (kind, tag string) {
	switch {
	case p.Template != nil:
		return "UTILITY", ""
	case p.Standing == core.Human:
		return "MESSAGE_TAG", "HUMAN_AGENT"
	case p.Reply:
		return "RESPONSE", ""
	}
	return "UPDATE", ""
}

func encodeMessage(to core.Address, p core.Part, inWords bool) (outgoing, error) {
	switch {
	case p.Standing == core.Approved && p.Template == nil:
		return outgoing{}, errors.New("outside the window only an approved template can be sent")
	case p.Template != nil:
		return outgoing{Template: encodeTemplate(*p.Template)}, nil
	case p.Order != nil && inWords:
		return encodeWords(*p.Order)
	case p.Order != nil:
		return encodeOrder(*p.Order, to.Locale)
	case p.Picture != nil:
		return outgoing{Attachment: &attachment{Type: "image", Payload: imagePayload{URL: p.Picture.URL}}}, nil
	}
	return encodeText(p)
}

func encodeText(p core.Part) (outgoing, error) {
	text := p.Text.Plain()
	switch {
	case text == "":
		return outgoing{}, errors.New("the part is empty")
	case len(p.Buttons) == 0:
		return outgoing{Text: text}, nil
	}
	payload := buttonPayload{TemplateType: "button", Text: text}
	for _, b := range p.Buttons {
		payload.Buttons = append(payload.Buttons, encodeButton(b))
	}
	return outgoing{Attachment: &attachment{Type: "template", Payload: payload}}, nil
}

func encodeButton(b core.Button) button {
	if b.Login {
		return button{Type: "account_link", URL: b.URL} // Messenger writes "Log In" on it
	}
	if b.URL != "" {
		return button{Type: "web_url", Title: b.Title, URL: b.URL}
	}
	return button{Type: "postback", Title: b.Title, Payload: b.Value}
}

func encodeTemplate(t core.Template) *template {
	out := template{Name: t.Name, Language: language{Code: t.Language}}
	if len(t.Params) == 0 {
		return &out
	}
	body := component{Type: "body"}
	for _, value := range t.Params {
		body.Parameters = append(body.Parameters, parameter{Type: "text", Text: value})
	}
	out.Components = []component{body}
	return &out
}

// encodeOrder sends a receipt, or the same in words where a receipt could not
// say it exactly.
func encodeOrder(s core.OrderSummary, locale string) (outgoing, error) {
	if payload, ok := encodeReceipt(s.Order, locale); ok {
		return outgoing{Attachment: &attachment{Type: "template", Payload: payload}}, nil
	}
	return encodeWords(s)
}

func encodeWords(s core.OrderSummary) (outgoing, error) {
	text := s.Text.Plain()
	if text == "" || len(utf16.Encode([]rune(text))) > maxText {
		return outgoing{}, errors.New("the order fits neither a receipt nor one text")
	}
	return outgoing{Text: text}, nil
}
