package slack

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"tidings/core"
)

// pieces cuts a text into stretches that cost at most limit each. Joined they
// are the text, but for white space at its very end. A cut is made after a
// paragraph or a line where one ends in the later half, else after white space
// outside of links and emphasis, else between characters.
func pieces(t core.Text, limit int, cost func(core.Text) int) []core.Text {
	var out []core.Text
	for strings.TrimSpace(t.Plain()) != "" {
		if cost(t) <= limit {
			return append(out, t)
		}
		head, rest := cutText(t, cutAt(t, limit, cost))
		out = append(out, head)
		t = rest
	}
	return out
}

// cutAt returns the offset in the plain text at which to cut. It is at least
// one character, so that every cut is a step forward.
func cutAt(t core.Text, limit int, cost func(core.Text) int) int {
	plain := t.Plain()
	over := sort.Search(len(plain), func(n int) bool {
		head, _ := cutText(t, runeEnd(plain, n))
		return cost(head) > limit
	})
	end := over - 1 // a whole rune's start, since the rune after it is what costs too much
	if end <= 0 {
		_, first := utf8.DecodeRuneInString(plain)
		return first
	}
	if at := lastBreak(breakable(t)[:end]); at > 0 {
		return at
	}
	return betweenCharacters(plain, end)
}

// runeEnd returns the end of the rune in which offset n lies.
func runeEnd(s string, n int) int {
	for n < len(s) && !utf8.RuneStart(s[n]) {
		n++
	}
	return n
}

// lastBreak returns the offset after the best white space of s, 0 for none.
func lastBreak(s string) int {
	for _, sep := range []string{"\n\n", "\n"} {
		if at := strings.LastIndex(s, sep); at >= len(s)/2 {
			return at + len(sep)
		}
	}
	at := strings.LastIndexFunc(s, unicode.IsSpace)
	if at < 0 {
		return 0
	}
	_, n := utf8.DecodeRuneInString(s[at:])
	return at + n
}

// breakable is the plain text with the inside of links and emphasis made solid.
func breakable(t core.Text) string {
	var b strings.Builder
	for _, r := range t {
		if r.Link == "" && r.Style == 0 {
			b.WriteString(r.Text)
			continue
		}
		b.WriteString(strings.Repeat("x", len(r.Text)))
	}
	return b.String()
}

// betweenCharacters moves a cut to before the character that it would divide: a
// letter and its accents, an emoji and what it is joined with.
func betweenCharacters(s string, end int) int {
	for at := end; at > 0; {
		before, n := utf8.DecodeLastRuneInString(s[:at])
		after, _ := utf8.DecodeRuneInString(s[at:])
		if !joins(after) && before != zeroWidthJoiner {
			return at
		}
		at -= n
	}
	return end
}

const zeroWidthJoiner = '\u200d'

func joins(r rune) bool {
	return r == zeroWidthJoiner || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Me, unicode.Variation_Selector) ||
		r >= 0x1f3fb && r <= 0x1f3ff // skin tones
}

// cutText divides a text at an offset of its plain text.
func cutText(t core.Text, at int) (head, rest core.Text) {
	for i, r := range t {
		if at < len(r.Text) {
			left, right := r, r
			left.Text, right.Text = r.Text[:at], r.Text[at:]
			if at > 0 {
				head = append(head, left)
			}
			return head, append(append(core.Text{}, right), t[i+1:]...)
		}
		head = append(head, r)
		at -= len(r.Text)
	}
	return head, nil
}
