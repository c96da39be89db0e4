package render

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"tidings/core"
)

// What a template writes is its literal text with marked segments in it. The
// marks are bytes that cannot occur in UTF-8, and everything else is checked
// to be UTF-8, so neither a template nor data can forge one. Escaping data and
// reading it back would do as well; marks cannot be forgotten half-way.
const (
	dataStart   = '\xff' // data, shown as it stands, up to segmentEnd
	objectStart = '\xfd' // an object: its kind and fields, up to segmentEnd
	fieldStart  = '\xfc' // begins each field of an object
	segmentEnd  = '\xfe'
	standalone  = "\xf8" // the line end behind it does not count
)

// The kinds of objects.
const (
	objectSummary = "summary"
	objectButton  = "button"  // title, url
	objectPicture = "picture" // url, alt
)

// markup is the output of a guarded action. Only this package makes it.
type markup string

// dataMarkup marks a value as data.
func dataMarkup(s string) markup {
	return markup("\xff" + clean(s) + "\xfe")
}

// objectMarkup marks an object.
func objectMarkup(kind string, fields ...string) markup {
	var b strings.Builder
	b.WriteString("\xfd" + kind)
	for _, f := range fields {
		b.WriteString("\xfc" + clean(f))
	}
	b.WriteByte(segmentEnd)
	return markup(b.String())
}

// clean replaces what is no text: bytes that are not UTF-8, and NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// piece is a stretch of a parsed text, or an object in it.
type piece struct {
	text    string
	style   core.Style
	link    string
	literal bool     // the template's own words: white space in them is layout
	object  []string // kind and fields
}

// parseMarkup reads what a template wrote.
func parseMarkup(written string) []piece {
	p := parser{s: written}
	p.parse(0, len(written), 0, "")
	return p.pieces
}

// parser reads s[lo:hi] stretch by stretch; its methods are given the style
// and the link that hold there.
type parser struct {
	s      string
	pieces []piece
}

// parse reads a stretch with markup in it.
func (p *parser) parse(lo, hi int, style core.Style, link string) {
	for lo < hi {
		next := lo
		switch c := p.s[lo]; c {
		case dataStart, objectStart:
			next = p.segment(lo, hi, style, link)
		case '\\':
			next = p.escaped(lo, hi, style, link)
		case '[':
			next = p.link(lo, hi, style, link)
		case '*', '_', '~', '`':
			next = p.emphasis(lo, hi, style, link)
		}
		if next == lo {
			next = p.words(lo, hi, style, link)
		}
		lo = next
	}
}

// words takes literal text up to the next character that may mean something.
func (p *parser) words(lo, hi int, style core.Style, link string) int {
	end := hi
	if i := indexSpecial(p.s[lo+1 : hi]); i >= 0 {
		end = lo + 1 + i
	}
	p.literal(p.s[lo:end], style, link)
	return end
}

func indexSpecial(s string) int {
	for i := range len(s) {
		switch s[i] {
		case dataStart, objectStart, '\\', '[', '*', '_', '~', '`':
			return i
		}
	}
	return -1
}

// indexSegment finds the next marked segment. It looks at bytes: package
// strings would take a mark for any other byte that is no UTF-8.
func indexSegment(s string) int {
	for i := range len(s) {
		if s[i] == dataStart || s[i] == objectStart {
			return i
		}
	}
	return -1
}

func (p *parser) literal(text string, style core.Style, link string) {
	p.pieces = append(p.pieces, piece{text: text, style: style, link: link, literal: true})
}

// segment takes a marked segment: data as one piece, or an object.
func (p *parser) segment(lo, hi int, style core.Style, link string) int {
	end := p.skip(lo, hi)
	inner := strings.TrimSuffix(p.s[lo+1:end], "\xfe")
	switch {
	case p.s[lo] == objectStart:
		p.pieces = append(p.pieces, piece{object: strings.Split(inner, "\xfc")})
	case inner != "":
		p.pieces = append(p.pieces, piece{text: inner, style: style, link: link})
	}
	return end
}

// skip returns where the segment at i ends.
func (p *parser) skip(i, hi int) int {
	end := strings.IndexByte(p.s[i:hi], segmentEnd)
	if end < 0 {
		return hi
	}
	return i + end + 1
}

// escaped takes a backslash with the punctuation behind it, which stands for itself.
func (p *parser) escaped(lo, hi int, style core.Style, link string) int {
	if !p.escapes(lo, hi) {
		return lo
	}
	p.literal(p.s[lo+1:lo+2], style, link)
	return lo + 2
}

// escapes reports whether the backslash at i makes the next character stand
// for itself. It has no power over data.
func (p *parser) escapes(i, hi int) bool {
	return p.s[i] == '\\' && i+1 < hi && isPunct(p.s[i+1])
}

// emphasis takes a styled stretch from its opening mark to its closing one. A
// mark without its partner in the same paragraph is just a character.
func (p *parser) emphasis(lo, hi int, style core.Style, link string) int {
	mark, added := markAt(p.s[lo:hi])
	inner := lo + len(mark)
	if mark == "" || inner >= hi || isSpace(p.s[inner]) || (mark == "_" && p.wordBefore(lo)) {
		return lo
	}
	end := p.closing(mark, inner, hi)
	if end < 0 {
		return lo
	}
	if added == core.Code {
		p.verbatim(inner, end, style|added, link)
	} else {
		p.parse(inner, end, style|added, link)
	}
	return end + len(mark)
}

// markAt returns the emphasis mark at the beginning of s and what it means.
func markAt(s string) (string, core.Style) {
	switch {
	case strings.HasPrefix(s, "**"):
		return "**", core.Bold
	case strings.HasPrefix(s, "~~"):
		return "~~", core.Strike
	case s[0] == '_':
		return "_", core.Italic
	case s[0] == '`':
		return "`", core.Code
	}
	return "", 0
}

// closing finds the mark that ends an emphasis begun before from, or -1.
func (p *parser) closing(mark string, from, hi int) int {
	for i := from; i < hi; {
		switch c := p.s[i]; {
		case c == dataStart, c == objectStart:
			i = p.skip(i, hi)
		case mark != "`" && p.escapes(i, hi):
			i += 2
		case c == '\n' && blankLine(p.s[i+1:hi]):
			return -1
		case i > from && strings.HasPrefix(p.s[i:hi], mark) && !isSpace(p.s[i-1]) && (mark != "_" || !p.wordAfter(i+1, hi)):
			return i
		default:
			i++
		}
	}
	return -1
}

// verbatim takes a stretch of code: data and characters, no markup.
func (p *parser) verbatim(lo, hi int, style core.Style, link string) {
	for lo < hi {
		if c := p.s[lo]; c == dataStart || c == objectStart {
			lo = p.segment(lo, hi, style, link)
			continue
		}
		end := hi
		if i := indexSegment(p.s[lo:hi]); i >= 0 {
			end = lo + i
		}
		p.literal(p.s[lo:end], style, link)
		lo = end
	}
}

// link takes [text](url). Where the URL is none that a messenger could open,
// the text alone is shown; where the text is empty, the URL.
func (p *parser) link(lo, hi int, style core.Style, outer string) int {
	closing := p.find(']', lo+1, hi)
	if closing < 0 || closing+1 >= hi || p.s[closing+1] != '(' {
		return lo
	}
	end := p.find(')', closing+2, hi)
	if end < 0 {
		return lo
	}
	target, ok := webURL(p.plain(closing+2, end))
	if !ok || outer != "" {
		target = outer
	}
	before := len(p.pieces)
	p.parse(lo+1, closing, style, target)
	if ok && outer == "" && isBlank(p.pieces[before:]) {
		p.pieces = append(p.pieces[:before], piece{text: target, style: style, link: target})
	}
	return end + 1
}

// find returns where c stands as a literal character of its own nesting
// level, or -1.
func (p *parser) find(c byte, lo, hi int) int {
	depth := 0
	for i := lo; i < hi; {
		switch at := p.s[i]; {
		case at == dataStart, at == objectStart:
			i = p.skip(i, hi)
			continue
		case p.escapes(i, hi):
			i++
		case at == '\n' && blankLine(p.s[i+1:hi]):
			return -1
		case at == c && depth == 0:
			return i
		case at == c:
			depth--
		case c == ']' && at == '[', c == ')' && at == '(':
			depth++
		}
		i++
	}
	return -1
}

// plain returns the characters of a stretch, literal and data alike.
func (p *parser) plain(lo, hi int) string {
	inner := parser{s: p.s[lo:hi]}
	inner.verbatim(0, hi-lo, 0, "")
	var b strings.Builder
	for _, piece := range inner.pieces {
		b.WriteString(piece.text)
	}
	return b.String()
}

// wordBefore and wordAfter report whether an underscore stands inside a word.
// Data counts as a word, whatever it holds.
func (p *parser) wordBefore(i int) bool {
	if i > 0 && p.s[i-1] == segmentEnd {
		return true
	}
	r, _ := utf8.DecodeLastRuneInString(p.s[:i])
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func (p *parser) wordAfter(i, hi int) bool {
	if i < hi && p.s[i] == dataStart {
		return true
	}
	r, _ := utf8.DecodeRuneInString(p.s[i:hi])
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// isBlank reports whether nothing could be seen of the pieces.
func isBlank(pieces []piece) bool {
	for _, p := range pieces {
		if p.object != nil || strings.TrimSpace(p.text) != "" {
			return false
		}
	}
	return true
}

// blankLine reports whether the line at the beginning of s is blank.
func blankLine(s string) bool {
	return strings.HasPrefix(strings.TrimLeft(s, " \t"), "\n")
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }

func isPunct(c byte) bool {
	return c > ' ' && c < utf8.RuneSelf && !isAlphanumeric(string(c))
}
