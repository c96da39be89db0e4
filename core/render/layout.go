package render

import (
	"net/url"
	"strings"

	"tidings/core"
)

// layout puts the pieces of a text together. The white space of literal text
// collapses: no indentation, one space between words, one blank line between
// paragraphs, nothing at the edges. Data keeps every character.
type layout struct {
	// summary writes the order out; nil where a text cannot hold one.
	summary func() (*core.OrderSummary, error)

	blocks  []core.Block
	buttons []core.Button

	text core.Text       // the finished runs of the text under way
	run  core.Run        // style and link of the run under way
	buf  strings.Builder // its characters
	gap  gap
}

// gap is literal white space that is only written once something follows it.
type gap struct {
	open     bool
	newlines int
	style    core.Style
	link     string
}

// add puts the next piece in its place.
func (l *layout) add(p piece) error {
	switch {
	case p.object != nil:
		return l.object(p.object)
	case p.literal:
		l.literal(p)
	default:
		l.write(p.text, p.style, p.link)
	}
	return nil
}

// literal writes words and leaves the white space between them to gaps.
func (l *layout) literal(p piece) {
	for s := p.text; s != ""; {
		end := strings.IndexAny(s, " \t\n")
		if end < 0 {
			end = len(s)
		}
		if end == 0 {
			l.space(s[0], p.style, p.link)
			s = s[1:]
			continue
		}
		l.write(s[:end], p.style, p.link)
		s = s[end:]
	}
}

func (l *layout) space(c byte, style core.Style, link string) {
	if !l.gap.open {
		l.gap = gap{open: true, style: style, link: link}
	}
	if c == '\n' {
		l.gap.newlines++
	}
}

// write closes the gap and appends visible characters.
func (l *layout) write(s string, style core.Style, link string) {
	if l.gap.open && (len(l.text) > 0 || l.buf.Len() > 0) {
		white := " "
		if l.gap.newlines > 0 {
			white = "\n\n"[:min(l.gap.newlines, 2)]
		}
		l.append(white, l.gap.style, l.gap.link)
	}
	l.gap = gap{}
	l.append(s, style, link)
}

// append adds characters to the run under way, or begins the next one.
func (l *layout) append(s string, style core.Style, link string) {
	if l.run.Style != style || l.run.Link != link {
		l.endRun()
		l.run = core.Run{Style: style, Link: link}
	}
	l.buf.WriteString(s)
}

func (l *layout) endRun() {
	if l.buf.Len() == 0 {
		return
	}
	l.run.Text = l.buf.String()
	l.text = append(l.text, l.run)
	l.buf.Reset()
}

// endText makes a block of the text under way. White space at its end is gone
// with the gap.
func (l *layout) endText() {
	l.endRun()
	if len(l.text) > 0 {
		l.blocks = append(l.blocks, core.Block{Text: l.text})
	}
	l.text, l.run, l.gap = nil, core.Run{}, gap{}
}

// object puts a summary or a picture between texts, and a button below all.
func (l *layout) object(fields []string) error {
	switch fields[0] {
	case objectButton:
		l.buttons = append(l.buttons, core.Button{Title: fields[1], URL: fields[2]})
	case objectPicture:
		l.endText()
		l.blocks = append(l.blocks, core.Block{Picture: &core.Picture{URL: fields[1], Alt: fields[2]}})
	case objectSummary:
		if l.summary == nil {
			return nil
		}
		summary, err := l.summary()
		if err != nil || summary == nil {
			return err
		}
		l.endText()
		l.blocks = append(l.blocks, core.Block{Order: summary})
	}
	return nil
}

func (l *layout) body() core.Body {
	l.endText()
	return core.Body{Blocks: l.blocks, Buttons: l.buttons}
}

// textOnly lays out pieces whose objects do not count.
func textOnly(pieces []piece) core.Text {
	var l layout
	for _, p := range pieces {
		if p.object == nil {
			_ = l.add(p) // only objects fail
		}
	}
	l.endRun()
	return l.text
}

// webURL returns the absolute http or https URL in s, if it is one.
func webURL(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\ufffd' }) {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false
	}
	return s, true
}
