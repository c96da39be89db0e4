package telegramsim

import (
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"
)

// entity is a formatted stretch of a text, in UTF-16 code units.
type entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
	URL      string `json:"url,omitempty"`
	Language string `json:"language,omitempty"`
	EmojiID  string `json:"custom_emoji_id,omitempty"`
}

// maxEntities is how many of a message's entities Telegram keeps.
const maxEntities = 100

// formatted is a text without its markup.
type formatted struct {
	text     string
	entities []entity
}

// builder collects a text and counts its UTF-16 code units.
type builder struct {
	strings.Builder
	units int
}

func (b *builder) add(r rune) {
	b.WriteRune(r)
	b.units += unitsOf(r)
}

func unitsOf(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// parseText takes the markup out of a text, by parse_mode or explicit entities.
func parseText(text, mode, explicit string) (formatted, *apiError) {
	var f formatted
	var err *apiError
	switch strings.ToLower(mode) {
	case "":
		f.text = text
		if explicit != "" && json.Unmarshal([]byte(explicit), &f.entities) != nil {
			return f, badRequest("can't parse entities: expected an Array of MessageEntity")
		}
	case "html":
		f, err = parseHTML(text)
	case "markdownv2":
		f, err = parseMarkdown(text)
	default:
		return f, badRequest("unsupported parse_mode")
	}
	if err != nil {
		return f, err
	}
	return f.clean(), nil
}

// clean does to a text what Telegram does: carriage returns go, other control
// characters become spaces, white space at the ends goes (in front only up to
// the first entity), entities of nothing but white space go.
func (f formatted) clean() formatted {
	f = f.replaceControls()
	trimmed := strings.TrimRight(f.text, " \n")
	end := length16(trimmed)
	var kept []entity
	for _, e := range f.entities {
		e.Length = min(e.Length, end-e.Offset)
		if e.Length > 0 && strings.Trim(cut16(f.text, e.Offset, e.Length), " \n") != "" {
			kept = append(kept, e)
		}
	}
	f.text, f.entities = trimmed, kept
	lead := len(f.text) - len(strings.TrimLeft(f.text, " \n"))
	for _, e := range f.entities {
		lead = min(lead, e.Offset) // what goes in front is ASCII
	}
	f.text = f.text[lead:]
	for i := range f.entities {
		f.entities[i].Offset -= lead
	}
	if len(f.entities) > maxEntities {
		f.entities = f.entities[:maxEntities]
	}
	return f
}

func (f formatted) replaceControls() formatted {
	if !strings.ContainsFunc(f.text, func(r rune) bool { return r < ' ' && r != '\n' }) {
		return f
	}
	var out builder
	moved := map[int]int{} // old offset -> new one
	at := 0
	for _, r := range f.text {
		moved[at] = out.units
		at += unitsOf(r)
		switch {
		case r == '\r':
		case r < ' ' && r != '\n':
			out.add(' ')
		default:
			out.add(r)
		}
	}
	moved[at] = out.units
	entities := make([]entity, len(f.entities))
	for i, e := range f.entities {
		end := moved[e.Offset+e.Length]
		e.Offset = moved[e.Offset]
		e.Length = end - e.Offset
		entities[i] = e
	}
	return formatted{out.String(), entities}
}

// length16 counts UTF-16 code units.
func length16(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xffff {
			n++
		}
	}
	return n
}

// cut16 returns a stretch of s given in UTF-16 code units.
func cut16(s string, offset, length int) string {
	begin, end, at := len(s), len(s), 0
	for i, r := range s {
		if at == offset {
			begin = i
		}
		if at == offset+length {
			end = i
			break
		}
		at += unitsOf(r)
	}
	if begin > end {
		return ""
	}
	return s[begin:end]
}

// checkedLink returns a link as Telegram would keep it, "" when it would not.
func checkedLink(link string) string {
	link = strings.TrimSpace(link)
	if strings.HasPrefix(strings.ToLower(link), "tg://") {
		return link
	}
	if !strings.Contains(link, "://") {
		link = "http://" + link
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "ton" {
		return ""
	}
	host := u.Hostname()
	if net.ParseIP(host) == nil && !strings.Contains(strings.Trim(host, "."), ".") {
		return ""
	}
	if u.Path == "" && u.RawQuery == "" && u.Fragment == "" {
		link += "/"
	}
	return link
}
