package slack

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"tidings/core"
)

// Slack's markup as the adapter knows it
// (https://docs.slack.dev/messaging/formatting-message-text, read 2026-11-22).

// marker is how one emphasis is written. ours stands for mark where ours must be
// told from the data's.
type marker struct {
	style      core.Style
	mark, ours string
}

// markers are the emphases from the inside out: nothing is read as markup
// within code, so code is innermost.
var markers = []marker{
	{core.Code, "`", "\x11"},
	{core.Strike, "~", "\x12"},
	{core.Italic, "_", "\x13"},
	{core.Bold, "*", "\x14"},
}

func (m marker) write() string   { return m.mark }
func (m marker) signOff() string { return m.ours }

var (
	escaper   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	unescaper = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
	// urlEscaper replaces what would end a link.
	urlEscaper = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", " ", "%20", "\n", "%0A")
	// linkTarget is the part of a link that nobody sees, up to its words.
	linkTarget = regexp.MustCompile(`<[^<>|]*\|`)
	// emojiCode is wider than Slack's names, which may be of any script.
	emojiCode = regexp.MustCompile(`:[\pL\pN_+'-]+:`)
)

// escape writes data so that Slack shows it and reads no mention or link in it.
func escape(s string) string { return escaper.Replace(s) }

// render writes a text as markup. A run whose emphasis Slack would not read,
// because of the characters beside it, goes without.
func render(t core.Text) string { return renderWith(t, marker.write) }

func renderWith(t core.Text, write func(marker) string) string {
	var b strings.Builder
	plain := t.Plain()
	at := 0
	for i, r := range t {
		end := at + len(r.Text)
		// Two pairs that touch would be read as something else.
		room := neighbours{
			before: edge{text: plain[:at], strict: i > 0 && t[i-1].Style != 0},
			after:  edge{text: plain[end:], strict: i+1 < len(t) && t[i+1].Style != 0},
		}
		b.WriteString(renderRun(r, room, write))
		at = end
	}
	return b.String()
}

func renderRun(r core.Run, room neighbours, write func(marker) string) string {
	inner := strings.TrimSpace(r.Text)
	if inner == "" || r.Link == "" && r.Style == 0 {
		return escape(r.Text)
	}
	// White space inside a pair would keep Slack from reading the pair.
	start := strings.Index(r.Text, inner)
	lead, trail := r.Text[:start], r.Text[start+len(inner):]
	style := r.Style
	shown := escape(inner)
	if r.Link != "" {
		shown = link(r.Link, inner)
		style &^= core.Code // within code a link is not one
	}
	if room.apart(lead, trail) {
		shown = emphasise(shown, inner, style, write)
	}
	return escape(lead) + shown + escape(trail)
}

func link(url, label string) string {
	target := urlEscaper.Replace(url)
	if words := escape(label); words != target {
		return "<" + target + "|" + words + ">"
	}
	return "<" + target + ">"
}

// emphasise wraps shown in the markers of a style, except those that the words
// themselves contain. Pairs do not reach over a line break.
func emphasise(shown, inner string, style core.Style, write func(marker) string) string {
	if strings.Contains(inner, "\n") {
		return shown
	}
	for _, m := range markers {
		if style&m.style != 0 && !strings.Contains(inner, m.mark) {
			shown = write(m) + shown + write(m)
		}
	}
	return shown
}

// neighbours are what stands beside a run.
type neighbours struct{ before, after edge }

// edge is the text on one side of a run. Strict: only white space separates.
type edge struct {
	text   string
	strict bool
}

// apart reports whether a pair around a run's words, which have lead and trail
// as white space around them, would be read as one.
func (n neighbours) apart(lead, trail string) bool {
	last, size := utf8.DecodeLastRuneInString(n.before.text + lead)
	opens := size == 0 || n.before.separates(last)
	first, size := utf8.DecodeRuneInString(trail + n.after.text)
	return opens && (size == 0 || n.after.separates(first))
}

func (e edge) separates(r rune) bool {
	if unicode.IsSpace(r) {
		return true
	}
	return !e.strict && unicode.IsPunct(r) && !strings.ContainsRune("`~_*", r)
}

// misreadable reports whether Slack could read markup where the text has data.
// It errs towards yes: the price of a yes is emphasis, that of a wrong no is a
// changed text.
func misreadable(t core.Text) bool {
	plain := t.Plain()
	if strings.Contains(plain, "```") || emojiCode.MatchString(plain) || awkwardLink(t) {
		return true
	}
	written := linkTarget.ReplaceAllString(renderWith(t, marker.signOff), "<|")
	for line := range strings.SplitSeq(written, "\n") {
		// Slack takes an escaped > at the start of a line for a quotation too.
		if strings.HasPrefix(strings.TrimSpace(line), "&gt;") {
			return true
		}
		for _, m := range markers {
			if strings.Contains(plain, m.ours) || m.pairsData(line) {
				return true
			}
		}
	}
	return false
}

// awkwardLink reports a link that does not fit a section or whose label is
// longer than a line.
func awkwardLink(t core.Text) bool {
	for _, r := range t {
		if r.Link != "" && (strings.Contains(r.Text, "\n") || units(urlEscaper.Replace(r.Link)) > maxLink) {
			return true
		}
	}
	return false
}

// pairsData reports whether a mark of the data can form a pair on a line, with
// another or with one of ours.
func (m marker) pairsData(line string) bool {
	var openedByData, openedByUs bool
	for i := 0; i < len(line); {
		ours := line[i] == m.ours[0]
		if !ours && line[i] != m.mark[0] {
			i++
			continue
		}
		end := i + 1
		for !ours && end < len(line) && line[end] == m.mark[0] {
			end++
		}
		opens, closes := reach(line, i, end)
		if closes && (openedByData || openedByUs && !ours) {
			return true
		}
		openedByData = openedByData || opens && !ours
		openedByUs = openedByUs || opens && ours
		i = end
	}
	return false
}

// reach tells whether the marks from start to end can open a pair or close one.
// A mark opens before and closes after a word, as *this*; within a word, as in
// snake_case, it is a letter. Several in a row are beside a mark, not a word,
// on one side each, but white space keeps them apart all the same.
func reach(line string, start, end int) (opens, closes bool) {
	before, _ := utf8.DecodeLastRuneInString(line[:start])
	after, _ := utf8.DecodeRuneInString(line[end:])
	several := end-start > 1
	opens = end < len(line) && !unicode.IsSpace(after) && (several || !isWord(before))
	closes = start > 0 && !unicode.IsSpace(before) && (several || !isWord(after))
	return opens, closes
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// bareURL is a web address that stands in a text, up to the punctuation behind it.
var bareURL = regexp.MustCompile(`\bhttps?://[^\s<>"|]*[\pL\pN/=&#_~%+-]`)

// linked returns the text with its bare addresses as links to themselves.
func linked(t core.Text) core.Text {
	out := make(core.Text, 0, len(t))
	for _, r := range t {
		if r.Link != "" || r.Style != 0 {
			out = append(out, r)
			continue
		}
		at := 0
		for _, found := range bareURL.FindAllStringIndex(r.Text, -1) {
			url := r.Text[found[0]:found[1]]
			if units(urlEscaper.Replace(url)) > maxLink {
				continue
			}
			out = append(out, core.Run{Text: r.Text[at:found[0]]}, core.Run{Text: url, Link: url})
			at = found[1]
		}
		out = append(out, core.Run{Text: r.Text[at:]})
	}
	return out
}

// flatten returns the text without emphasis, links written out behind their words.
func flatten(t core.Text) string {
	var b strings.Builder
	for _, r := range t {
		words := strings.TrimRightFunc(r.Text, unicode.IsSpace)
		b.WriteString(words)
		if r.Link != "" && strings.TrimSpace(words) != r.Link {
			b.WriteString(": " + r.Link)
		}
		b.WriteString(r.Text[len(words):])
	}
	return b.String()
}

// readable turns Slack's form of what a customer typed into what they saw:
// links written out, mentions left as they are.
func readable(s string) string {
	return unescaper.Replace(slackLink.ReplaceAllStringFunc(s, writeOut))
}

// slackLink is a link or mention; a < that the customer typed arrives escaped.
var slackLink = regexp.MustCompile(`<[^<>]*>`)

func writeOut(token string) string {
	target, label, _ := strings.Cut(token[1:len(token)-1], "|")
	switch {
	case target == "" || strings.ContainsRune("@#!", rune(target[0])):
		return token
	case label == "":
		return target
	case address(target) == address(label):
		return label // what looks like an address is linked by Slack and labelled as typed
	}
	return label + " (" + target + ")"
}

// address is a link's target as people type it.
func address(target string) string {
	for _, scheme := range []string{"https://", "http://", "mailto:", "tel:"} {
		target = strings.TrimPrefix(target, scheme)
	}
	return strings.TrimSuffix(target, "/")
}
