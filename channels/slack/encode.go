package slack

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"

	api "github.com/slack-go/slack"

	"tidings/core"
)

// message is a part as Slack takes it.
type message struct {
	text   string // whole, escaped
	marked bool   // text holds markup
	blocks []api.Block
}

// encode writes a part as one message. It cuts and shortens nothing.
func encode(p core.Part) (message, error) {
	switch {
	case p.Template != nil:
		return message{}, unsendable("template_unsupported", "Slack has no templates")
	case p.Picture != nil:
		return encodePicture(*p.Picture)
	case p.Order != nil:
		return encodeText(p.Order.Text, nil)
	}
	return encodeText(p.Text, p.Buttons)
}

func unsendable(code, why string) *core.SendError {
	return &core.SendError{Class: core.Rejected, Code: code, Err: errors.New("slack: encode: " + why)}
}

func encodeText(t core.Text, buttons []core.Button) (message, error) {
	w := writing(t)
	if strings.TrimSpace(w.text) == "" {
		return message{}, unsendable("no_text", "the part has no text")
	}
	m := message{text: w.text, marked: w.marked}
	if len(buttons) > 0 || w.needsBlocks || w.fitsSection() {
		m.blocks = append(w.sections(), actions(buttons)...)
	}
	return m, nil
}

// encodePicture puts the caption below the picture. The text says what a
// client without pictures shows.
func encodePicture(p core.Picture) (message, error) {
	if p.URL == "" {
		return message{}, unsendable("no_picture", "the picture has no URL")
	}
	caption := writing(p.Caption)
	alt := firstOf(p.Alt, p.Caption.Plain(), p.URL)
	m := message{text: caption.text, marked: caption.marked}
	if strings.TrimSpace(m.text) == "" {
		m = message{text: escape(alt)}
	}
	m.blocks = []api.Block{api.NewImageBlock(p.URL, within(alt, maxAlt), "", nil)}
	if len(p.Caption) > 0 {
		m.blocks = append(m.blocks, caption.sections()...)
	}
	return m, nil
}

func firstOf(candidates ...string) string {
	for _, s := range candidates {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// within returns as much of a label as fits. Nothing is lost by it: a picture's
// description that is longer still stands in the message's text.
func within(s string, limit int) string {
	n := 0
	for i, r := range s {
		if n += utf16.RuneLen(r); n > limit {
			return s[:i]
		}
	}
	return s
}

// written is a text in one of the three ways of the package's documentation.
type written struct {
	of          core.Text // what is written: with runs, or flat where literal
	text        string
	marked      bool
	literal     bool
	needsBlocks bool
}

// writing decides how to write a text.
func writing(t core.Text) written {
	t = labelled(t)
	if !misreadable(t) {
		if s := render(t); units(s) <= maxText || !styled(t) {
			return written{of: t, text: s, marked: styled(t)}
		}
	}
	flat := flatten(t)
	return written{
		of:          core.PlainText(flat),
		text:        escape(flat),
		literal:     true,
		needsBlocks: emojiCode.MatchString(flat),
	}
}

// labelled gives links without words their URL as words.
func labelled(t core.Text) core.Text {
	out := make(core.Text, 0, len(t))
	for _, r := range t {
		if strings.TrimSpace(r.Text) == "" && r.Link != "" {
			r.Text += r.Link
		}
		out = append(out, r)
	}
	return out
}

func styled(t core.Text) bool {
	for _, r := range t {
		if r.Style != 0 || r.Link != "" {
			return true
		}
	}
	return false
}

// fitsSection reports whether the text has emphasis or links and is one section:
// then it is worth a block.
func (w written) fitsSection() bool { return w.marked && units(w.text) <= maxSection }

// sections are the text as blocks, as many as its length asks for. They are
// verbatim, as Slack would link the names of people and conversations in them
// otherwise; then it links no addresses either, so that is done here.
func (w written) sections() []api.Block {
	of := w.of
	if !w.literal {
		of = linked(of)
	}
	var blocks []api.Block
	for _, piece := range pieces(of, maxSection, func(t core.Text) int { return units(render(t)) }) {
		object := api.NewTextBlockObject(api.MarkdownType, render(piece), false, true)
		if w.literal {
			object = api.NewTextBlockObject(api.PlainTextType, piece.Plain(), false, false)
		}
		blocks = append(blocks, api.NewSectionBlock(object, nil, nil))
	}
	return blocks
}

// actions are the buttons as blocks.
func actions(buttons []core.Button) []api.Block {
	var blocks []api.Block
	var row []api.BlockElement
	for i, b := range buttons {
		row = append(row, button(i, b))
		if len(row) == buttonsPerRow || i == len(buttons)-1 {
			blocks = append(blocks, api.NewActionBlock("", row...))
			row = nil
		}
	}
	return blocks
}

// button has an action id of its own, as two of the same in a message are refused.
func button(i int, b core.Button) *api.ButtonBlockElement {
	title := api.NewTextBlockObject(api.PlainTextType, b.Title, false, false)
	element := api.NewButtonBlockElement("button-"+strconv.Itoa(i+1), b.Value, title)
	element.URL = b.URL
	return element
}

// units counts UTF-16 units, the strictest reading of Slack's "characters".
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
