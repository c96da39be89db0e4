package inbound

import (
	"slices"
	"strings"
	"unicode"
)

// Category says which questions a desk is to file under a name. Empty lists match
// everything; Words match when one of them stands in the text, whatever its case.
type Category struct {
	Name                   string
	Words, Channels, Sites []string
}

// categoryOf is the first category that fits the conversation's first entry; ""
// where none does.
func (in *Inbound) categoryOf(e entry) string {
	for _, c := range in.Categories {
		if c.fits(e.call.Text, e.chat.Channel, e.conv.Site) {
			return c.Name
		}
	}
	return ""
}

func (c Category) fits(text, channel, site string) bool {
	if len(c.Channels) > 0 && !slices.Contains(c.Channels, channel) || len(c.Sites) > 0 && !slices.Contains(c.Sites, site) {
		return false
	}
	return len(c.Words) == 0 || slices.ContainsFunc(c.Words, func(w string) bool { return holds(text, w) })
}

// holds reports whether a word, or several in a row, stand in a text as a whole:
// "late" is not in "chocolate".
func holds(text, phrase string) bool {
	words := func(s string) string {
		return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		}), " ") + " "
	}
	return strings.Contains(words(text), words(phrase))
}
