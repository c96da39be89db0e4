package slacksim

import (
	"regexp"
	"strings"
)

// bracket is what mrkdwn writes between < and >.
var bracket = regexp.MustCompile(`<([^<>\n]+)>`)

// unescape undoes the three escapes of mrkdwn, once.
var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// Marks around what stands for a kept stretch of the text while markup is
// looked for: noncharacters, which no text contains.
const (
	codeBegin = '\ufdd0'
	codeEnd   = '\ufdd1'
)

// plain shows mrkdwn as a member reads it: links by their text, mentions by
// their name, emphasis without its marks, escapes undone. Without emphasis
// (mrkdwn:false) the marks stay.
func (s *Sim) plain(mrkdwn string, emphasis bool) string {
	if !emphasis {
		return unescape.Replace(s.links(mrkdwn))
	}
	// What is shown of a link, a mention or code is not looked through for marks.
	k := &keeper{}
	text := strings.Map(withoutMarks, mrkdwn)
	text = fenced.ReplaceAllStringFunc(text, func(m string) string {
		return k.keep(unescape.Replace(s.links(strings.Trim(strings.Trim(m, "`"), "\n"))))
	})
	text = inlineCode.ReplaceAllStringFunc(text, func(m string) string {
		return k.keep(unescape.Replace(s.links(strings.Trim(m, "`"))))
	})
	text = bracket.ReplaceAllStringFunc(text, func(m string) string { return k.keep(unescape.Replace(s.link(m))) })
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "&gt; "), "&gt;")
		line = strings.TrimPrefix(strings.TrimPrefix(line, "> "), ">")
		for _, mark := range "*_~" {
			line = stripMark(line, mark)
		}
		lines[i] = unescape.Replace(line)
	}
	return k.restore(strings.Join(lines, "\n"))
}

// keeper takes stretches out of a text and puts them back.
type keeper struct{ kept []string }

func (k *keeper) keep(shown string) string {
	k.kept = append(k.kept, k.restore(shown))
	return string(codeBegin) + strings.Repeat("x", len(k.kept)) + string(codeEnd)
}

func (k *keeper) restore(text string) string {
	return placeholders.ReplaceAllStringFunc(text, func(m string) string { return k.kept[strings.Count(m, "x")-1] })
}

func withoutMarks(r rune) rune {
	if r == codeBegin || r == codeEnd {
		return -1
	}
	return r
}

var (
	fenced       = regexp.MustCompile("(?s)```.+?```")
	inlineCode   = regexp.MustCompile("`[^`\n]+`")
	placeholders = regexp.MustCompile(string(codeBegin) + "x+" + string(codeEnd))
)

func (s *Sim) links(text string) string { return bracket.ReplaceAllStringFunc(text, s.link) }

// link shows one <…>.
func (s *Sim) link(m string) string {
	body := m[1 : len(m)-1]
	target, label, labelled := strings.Cut(body, "|")
	switch body[0] {
	case '@':
		return "@" + s.name(target[1:])
	case '#':
		if labelled && label != "" {
			return "#" + label
		}
		return target
	case '!':
		if labelled {
			return label
		}
		return "@" + target[1:]
	}
	if labelled {
		return label
	}
	return strings.TrimPrefix(target, "mailto:")
}

func (s *Sim) name(user string) string {
	if m := s.users[user]; m != nil && m.Name != "" {
		return m.Name
	}
	return user
}

// stripMark takes a pair of marks away where it formats: at the edges of
// words, around something that neither begins nor ends with a space.
func stripMark(line string, mark rune) string {
	runes := []rune(line)
	var out []rune
	for i := 0; i < len(runes); i++ {
		end := closing(runes, i, mark)
		if end < 0 {
			out = append(out, runes[i])
			continue
		}
		out = append(out, runes[i+1:end]...)
		i = end
	}
	return string(out)
}

// closing returns where the pair that opens at i closes, -1 when none does.
func closing(r []rune, i int, mark rune) int {
	if r[i] != mark || i > 0 && isWord(r[i-1]) || i+1 >= len(r) || isBlank(r[i+1]) || r[i+1] == mark {
		return -1
	}
	for j := i + 2; j < len(r); j++ {
		if r[j] == mark && !isBlank(r[j-1]) && (j+1 == len(r) || !isWord(r[j+1])) {
			return j
		}
	}
	return -1
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' }

func isWord(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r >= 0x80 && r != codeBegin && r != codeEnd &&
		r != '\u200b' && r != '\u2060' && r != '\u00a0' && (r < 0x2000 || r > 0x206f)
}
