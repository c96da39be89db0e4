package core

import "strings"

// Style is a set of emphases of a run of text.
type Style uint8

// The emphases a run can have; a platform that lacks one shows the plain text.
const (
	Bold Style = 1 << iota
	Italic
	Strike
	Code
)

// Run is a stretch of text of one style. Text is literal: what looks like
// markup in it is data and shown as it stands. Line breaks are "\n", a blank
// line ("\n\n") ends a paragraph.
type Run struct {
	Text  string `json:"text"`
	Style Style  `json:"style,omitempty"`
	Link  string `json:"link,omitempty"` // absolute http(s) URL, shown behind Text
}

// Text is a sequence of runs.
type Text []Run

// Plain returns the characters of the text without emphasis and link targets.
func (t Text) Plain() string {
	var b strings.Builder
	for _, r := range t {
		b.WriteString(r.Text)
	}
	return b.String()
}

// PlainText is a text of one unstyled run; "" gives an empty Text.
func PlainText(s string) Text {
	if s == "" {
		return nil
	}
	return Text{{Text: s}}
}

// Body is what a notification says, before any platform has a say in it.
// Blocks are shown top to bottom, buttons after the last one.
type Body struct {
	Blocks  []Block  `json:"blocks"`
	Buttons []Button `json:"buttons,omitempty"`
}

// Block holds exactly one of its fields.
type Block struct {
	Text    Text          `json:"text,omitempty"`
	Order   *OrderSummary `json:"order,omitempty"`
	Picture *Picture      `json:"picture,omitempty"`
}

// Button is something to press below a message: a link (URL) or an answer
// (Value, sent back to us as Update.Payload). Exactly one of the two is set.
type Button struct {
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
	Value string `json:"value,omitempty"`
	// Login says that the URL is the shop's own login, for platforms that have a
	// form for it (AccountLinker); to others it is a link.
	Login bool `json:"login,omitempty"`
}

// Picture is shown with an optional caption.
type Picture struct {
	URL     string `json:"url"` // absolute https
	Alt     string `json:"alt,omitempty"`
	Caption Text   `json:"caption,omitempty"`
}

// OrderSummary is an order as a table: structured for platforms that have a
// form for it (OrderLimits), and already written out for those that have not.
type OrderSummary struct {
	Order Order `json:"order"`
	// Text says the same in words: lines, costs, total; in the customer's language.
	Text Text `json:"text"`
}

// Template is a message the platform has approved beforehand, with the values
// for its placeholders in order.
type Template struct {
	Name     string   `json:"name"`
	Language string   `json:"language"`
	Params   []string `json:"params,omitempty"`
}

// Standing is the right under which a part may be sent at the time it is sent.
type Standing string

// The standings, as decided by the core from Limits.Window.
const (
	// Open: the platform's reply window is open, or it has none.
	Open Standing = "open"
	// Human: the window is closed, but a person's own answer may still go out.
	Human Standing = "human"
	// Approved: the window is closed; the part is an approved template.
	Approved Standing = "approved"
)

// Part is one request's worth of a message. Adapters encode it; they never cut
// it. Exactly one of Text, Order, Picture and Template is set; Buttons come
// with Text only.
type Part struct {
	// Key is stable over all attempts of this part and unique in the
	// installation: an idempotency key where the platform has one, and what an
	// echo brings back where it has that. 1 to 40 characters of [a-z0-9-].
	Key      string        `json:"key"`
	N        int           `json:"n"`  // 1-based
	Of       int           `json:"of"` // number of parts of the message
	Text     Text          `json:"text,omitempty"`
	Buttons  []Button      `json:"buttons,omitempty"`
	Order    *OrderSummary `json:"order,omitempty"`
	Picture  *Picture      `json:"picture,omitempty"`
	Template *Template     `json:"template,omitempty"`
	Standing Standing      `json:"standing,omitempty"` // set at the time of sending
	// Human says that a person wrote this (an agent's note), not the shop's software.
	Human bool `json:"human,omitempty"`
	// Reply says that the customer has just asked for this.
	Reply bool `json:"reply,omitempty"`
}

// Plain returns the words of the part for logs of what was said and for
// people who read the API: the text, the order's text, the caption or the
// template's name with its values.
func (p Part) Plain() string {
	switch {
	case p.Order != nil:
		return p.Order.Text.Plain()
	case p.Picture != nil:
		return p.Picture.Caption.Plain()
	case p.Template != nil:
		return p.Template.Name + "(" + strings.Join(p.Template.Params, ", ") + ")"
	}
	return p.Text.Plain()
}
