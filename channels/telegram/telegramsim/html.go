package telegramsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// htmlTags maps the tags Telegram knows to the type of their entity.
var htmlTags = map[string]string{
	"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
	"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler", "span": "spoiler",
	"a": "text_link", "code": "code", "pre": "pre", "blockquote": "blockquote", "tg-emoji": "custom_emoji", "tg-time": "date_time",
}

// htmlParser reads Telegram's HTML. What it refuses, and at which byte offset,
// follows TDLib.
type htmlParser struct {
	in   string
	pos  int
	out  builder
	open []openTag
	done []entity
}

type openTag struct {
	name, argument string
	offset         int // UTF-16 code units
	begin          int // bytes of the output
}

func parseHTML(text string) (formatted, *apiError) {
	p := &htmlParser{in: text}
	for p.pos < len(p.in) {
		if err := p.step(); err != nil {
			return formatted{}, err
		}
	}
	if len(p.open) > 0 {
		return formatted{}, p.fail("Can't find end tag corresponding to start tag \"%s\"", p.open[len(p.open)-1].name)
	}
	for i := range p.done {
		if p.done[i].Type == "code" {
			p.done[i].Language = "" // it counts inside pre only
		}
	}
	sortEntities(p.done)
	return formatted{p.out.String(), p.done}, nil
}

// sortEntities puts outer entities before the inner ones.
func sortEntities(all []entity) {
	slices.SortStableFunc(all, func(a, b entity) int {
		if a.Offset != b.Offset {
			return a.Offset - b.Offset
		}
		return b.Length - a.Length
	})
}

func (p *htmlParser) fail(format string, args ...any) *apiError {
	return badRequest("can't parse entities: %s", fmt.Sprintf(format, args...))
}

// at returns a byte of the input, 0 behind its end.
func (p *htmlParser) at(i int) byte {
	if i < len(p.in) {
		return p.in[i]
	}
	return 0
}

// step reads one character, character reference or tag.
func (p *htmlParser) step() *apiError {
	switch p.in[p.pos] {
	case '<':
		if p.at(p.pos+1) == '/' {
			return p.endTag()
		}
		return p.startTag()
	case '&':
		if r, n := reference(p.in[p.pos:]); n > 0 {
			p.out.add(r)
			p.pos += n
			return nil
		}
	}
	r, n := utf8.DecodeRuneInString(p.in[p.pos:])
	p.out.add(r)
	p.pos += n
	return nil
}

// reference reads a character reference at the beginning of s and returns its
// length, 0 when it is none that Telegram knows.
func reference(s string) (rune, int) {
	for name, r := range map[string]rune{"&lt": '<', "&gt": '>', "&amp": '&', "&quot": '"'} {
		if strings.HasPrefix(s, name) {
			n := len(name)
			rest := s[n:]
			if strings.HasPrefix(rest, ";") {
				return r, n + 1
			}
			if rest == "" || !isLetter(rest[0]) {
				return r, n
			}
		}
	}
	if strings.HasPrefix(s, "&#") {
		return numericReference(s)
	}
	return 0, 0
}

// numericReference reads a character reference that begins with "&#".
func numericReference(s string) (rune, int) {
	begin, base := 2, 10
	if len(s) > 2 && s[2] == 'x' {
		begin, base = 3, 16
	}
	end := begin
	for end < len(s) && strings.IndexByte("0123456789abcdefABCDEF"[:base+base/16*6], s[end]) >= 0 {
		end++
	}
	n, err := strconv.ParseInt(s[begin:end], base, 32)
	if err != nil || n == 0 || !utf8.ValidRune(rune(n)) {
		return 0, 0
	}
	if end < len(s) && s[end] == ';' {
		end++
	}
	return rune(n), end
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isAlnum(c byte) bool  { return isLetter(c) || '0' <= c && c <= '9' }
func isSpace(c byte) bool {
	return c == ' ' || '\t' <= c && c <= '\r'
}

func (p *htmlParser) skipSpace() {
	for isSpace(p.at(p.pos)) {
		p.pos++
	}
}

func (p *htmlParser) startTag() *apiError {
	begin := p.pos
	p.pos++
	nameBegin := p.pos
	for c := p.at(p.pos); c != 0 && !isSpace(c) && c != '>'; c = p.at(p.pos) {
		p.pos++
	}
	if p.at(p.pos) == 0 {
		return p.fail("Unclosed start tag at byte offset %d", begin)
	}
	name := strings.ToLower(p.in[nameBegin:p.pos])
	if htmlTags[name] == "" {
		return p.fail("Unsupported start tag \"%s\" at byte offset %d", name, begin)
	}
	tag := openTag{name: name, offset: p.out.units, begin: p.out.Len()}
	for {
		p.skipSpace()
		if p.at(p.pos) == '>' {
			break
		}
		key, value, err := p.attribute(name, begin)
		if err != nil {
			return err
		}
		tag.take(key, value)
	}
	if name == "span" && tag.argument != "spoiler" {
		return p.fail("Tag \"span\" must have class \"tg-spoiler\" at byte offset %d", begin)
	}
	p.pos++
	p.open = append(p.open, tag)
	return nil
}

// take keeps the attribute that matters for the tag.
func (t *openTag) take(key, value string) {
	switch {
	case t.name == "a" && key == "href", t.name == "tg-emoji" && key == "emoji-id":
		t.argument = value
	case t.name == "code" && key == "class" && strings.HasPrefix(value, "language-"):
		t.argument = strings.TrimPrefix(value, "language-")
	case t.name == "span" && key == "class" && strings.HasPrefix(value, "tg-"):
		t.argument = strings.TrimPrefix(value, "tg-")
	case t.name == "blockquote" && key == "expandable":
		t.argument = "1"
	}
}

func (p *htmlParser) attribute(tag string, tagBegin int) (key, value string, err *apiError) {
	begin := p.pos
	for c := p.at(p.pos); c != 0 && !isSpace(c) && c != '=' && c != '>'; c = p.at(p.pos) {
		p.pos++
	}
	key = p.in[begin:p.pos]
	if key == "" {
		return "", "", p.fail("Empty attribute name in the tag \"%s\" at byte offset %d", tag, tagBegin)
	}
	p.skipSpace()
	if p.at(p.pos) != '=' {
		if tag == "blockquote" && key == "expandable" {
			return key, "", nil
		}
		return "", "", p.fail("Expected equal sign in declaration of an attribute of the tag \"%s\" at byte offset %d", tag, tagBegin)
	}
	p.pos++
	p.skipSpace()
	quote := p.at(p.pos)
	if quote == 0 {
		return "", "", p.fail("Unclosed start tag \"%s\" at byte offset %d", tag, tagBegin)
	}
	if quote != '"' && quote != '\'' {
		value, err = p.nameToken()
		return key, value, err
	}
	value, closed := p.quoted(quote)
	if !closed || p.at(p.pos) == 0 {
		return "", "", p.fail("Unclosed start tag at byte offset %d", tagBegin)
	}
	return key, value, nil
}

// nameToken reads a value without quotes.
func (p *htmlParser) nameToken() (string, *apiError) {
	begin := p.pos
	for c := p.at(p.pos); isAlnum(c) || c == '.' || c == '-'; c = p.at(p.pos) {
		p.pos++
	}
	if c := p.at(p.pos); !isSpace(c) && c != '>' {
		return "", p.fail("Unexpected end of name token at byte offset %d", begin)
	}
	return strings.ToLower(p.in[begin:p.pos]), nil
}

func (p *htmlParser) quoted(quote byte) (value string, closed bool) {
	var b strings.Builder
	for p.pos++; p.pos < len(p.in); {
		c := p.in[p.pos]
		if c == quote {
			p.pos++
			return b.String(), true
		}
		if r, n := reference(p.in[p.pos:]); c == '&' && n > 0 {
			b.WriteRune(r)
			p.pos += n
			continue
		}
		b.WriteByte(c)
		p.pos++
	}
	return "", false
}

func (p *htmlParser) endTag() *apiError {
	begin := p.pos
	if len(p.open) == 0 {
		return p.fail("Unexpected end tag at byte offset %d", begin)
	}
	p.pos += 2
	nameBegin := p.pos
	for c := p.at(p.pos); c != 0 && !isSpace(c) && c != '>'; c = p.at(p.pos) {
		p.pos++
	}
	name := p.in[nameBegin:p.pos]
	p.skipSpace()
	if p.at(p.pos) != '>' {
		return p.fail("Unclosed end tag at byte offset %d", begin)
	}
	p.pos++
	tag := p.open[len(p.open)-1]
	if name != "" && name != tag.name {
		return p.fail("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", begin, tag.name, name)
	}
	p.open = p.open[:len(p.open)-1]
	p.close(tag)
	return nil
}

// close makes the entity of a tag whose end was found.
func (p *htmlParser) close(tag openTag) {
	e := entity{Type: htmlTags[tag.name], Offset: tag.offset, Length: p.out.units - tag.offset}
	if e.Length == 0 {
		return
	}
	switch tag.name {
	case "a":
		if tag.argument == "" {
			tag.argument = p.out.String()[tag.begin:]
		}
		if e.URL = checkedLink(tag.argument); e.URL == "" {
			return
		}
	case "tg-emoji":
		e.EmojiID = tag.argument
	case "blockquote":
		if tag.argument != "" {
			e.Type = "expandable_blockquote"
		}
	case "code":
		e.Language = tag.argument // of use only inside pre
	case "pre":
		if n := len(p.done); n > 0 && p.done[n-1].Type == "code" && p.done[n-1].Offset == e.Offset && p.done[n-1].Length == e.Length {
			e.Language = p.done[n-1].Language
			p.done = p.done[:n-1]
		}
	}
	p.done = append(p.done, e)
}
