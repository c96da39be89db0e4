package telegramsim

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const reserved = "_*[]()~`>#+-=|{}.!"

// markdownParser reads MarkdownV2 without block quotes and custom emoji.
type markdownParser struct {
	in   string
	pos  int
	out  builder
	open []openMark
	done []entity
}

type openMark struct {
	kind, mark string
	at         int // bytes of the input
	offset     int // UTF-16 code units
	begin      int // bytes of the output
	language   string
}

// marks are the pairs that format, longer ones first.
var marks = []struct{ mark, kind string }{
	{"```", "pre"}, {"||", "spoiler"}, {"__", "underline"}, {"*", "bold"}, {"_", "italic"}, {"~", "strikethrough"}, {"`", "code"}, {"[", "text_link"},
}

func parseMarkdown(text string) (formatted, *apiError) {
	p := &markdownParser{in: text}
	for p.pos < len(p.in) {
		if err := p.step(); err != nil {
			return formatted{}, err
		}
	}
	if n := len(p.open); n > 0 {
		return formatted{}, p.fail("Can't find end of %s entity at byte offset %d", name(p.open[n-1].kind), p.open[n-1].at)
	}
	sortEntities(p.done)
	return formatted{p.out.String(), p.done}, nil
}

// name is an entity's type as error texts write it.
func name(kind string) string {
	return map[string]string{
		"bold": "Bold", "italic": "Italic", "underline": "Underline", "strikethrough": "Strikethrough",
		"spoiler": "Spoiler", "code": "Code", "pre": "Pre", "text_link": "TextUrl",
	}[kind]
}

func (p *markdownParser) fail(format string, args ...any) *apiError {
	return badRequest("can't parse entities: %s", fmt.Sprintf(format, args...))
}

func (p *markdownParser) step() *apiError {
	rest := p.in[p.pos:]
	if rest[0] == '\\' && len(rest) > 1 && rest[1] > 0 && rest[1] <= 126 {
		p.out.add(rune(rest[1]))
		p.pos += 2
		return nil
	}
	if p.ends(rest) {
		return p.close()
	}
	verbatim := len(p.open) > 0 && (p.top().kind == "code" || p.top().kind == "pre")
	if !strings.ContainsRune(reserved, rune(rest[0])) || verbatim && rest[0] != '`' {
		r, n := utf8.DecodeRuneInString(rest)
		p.out.add(r)
		p.pos += n
		return nil
	}
	for _, m := range marks {
		if strings.HasPrefix(rest, m.mark) {
			p.begin(m.mark, m.kind)
			return nil
		}
	}
	return p.fail("Character '%c' is reserved and must be escaped with the preceding '\\'", rest[0])
}

func (p *markdownParser) top() openMark { return p.open[len(p.open)-1] }

// ends reports whether the innermost entity ends here.
func (p *markdownParser) ends(rest string) bool {
	if len(p.open) == 0 {
		return false
	}
	switch mark := p.top().mark; mark {
	case "[":
		return rest[0] == ']'
	case "_":
		return rest[0] == '_' && !strings.HasPrefix(rest, "__")
	default:
		return strings.HasPrefix(rest, mark)
	}
}

func (p *markdownParser) begin(mark, kind string) {
	m := openMark{kind: kind, mark: mark, at: p.pos}
	p.pos += len(mark)
	if kind == "pre" {
		m.language = p.language()
	}
	m.offset, m.begin = p.out.units, p.out.Len()
	p.open = append(p.open, m)
}

// language reads the word and the line break after "```".
func (p *markdownParser) language() string {
	rest := p.in[p.pos:]
	end := strings.IndexAny(rest, " \t\r\n`")
	word := ""
	if end > 0 && rest[end] != '`' {
		word = rest[:end]
		p.pos += end
	}
	if strings.HasPrefix(p.in[p.pos:], "\n") {
		p.pos++
	}
	return word
}

func (p *markdownParser) close() *apiError {
	m := p.top()
	p.open = p.open[:len(p.open)-1]
	p.pos += len(m.mark) // "]" is as long as "["
	e := entity{Type: m.kind, Offset: m.offset, Length: p.out.units - m.offset, Language: m.language}
	if m.kind == "text_link" {
		target := p.out.String()[m.begin:]
		if strings.HasPrefix(p.in[p.pos:], "(") {
			var err *apiError
			if target, err = p.target(); err != nil {
				return err
			}
		}
		if e.URL = checkedLink(target); e.URL == "" {
			return nil
		}
	}
	if e.Length > 0 {
		p.done = append(p.done, e)
	}
	return nil
}

// target reads "(…)" behind a link's text.
func (p *markdownParser) target() (string, *apiError) {
	p.pos++
	begin := p.pos
	var b strings.Builder
	for p.pos < len(p.in) {
		c := p.in[p.pos]
		if c == ')' {
			p.pos++
			return b.String(), nil
		}
		if c == '\\' && p.pos+1 < len(p.in) {
			p.pos++
			c = p.in[p.pos]
		}
		b.WriteByte(c)
		p.pos++
	}
	return "", p.fail("Can't find end of a URL at byte offset %d", begin)
}
