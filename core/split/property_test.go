package split_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"pgregory.net/rapid"

	"tidings/core"
	"tidings/core/split"
)

func key(n int) string { return fmt.Sprintf("k-%d", n) }

func text(lim core.Limits, t core.Text) []core.Part {
	return split.Parts(core.Body{Blocks: []core.Block{{Text: t}}}, lim, key)
}

// words are what real messages are made of, and what splitters fall over.
var words = []string{
	"a", "Order", "shipped", "Größe", "naïve", "Straße,", "end.", "Really?", "(yes)", "foo_bar(x, y);", "Donaudampfschifffahrtsgesellschaft",
	"你好世界", "注文は発送されました。", "ありがとう", "カタカナ", "한국어", "สวัสดีครับ",
	"👨‍👩‍👧‍👦", "👩🏽‍💻", "🇩🇪🇫🇷", "1️⃣", "😀", "𝒳𝒴", "e\u0301", "o\u0302\u0323", "Z\u0351\u036b\u0343\u036a", "क्षत्रिय", "നന്ദി", "שלום", "مرحبا\u200f",
	"https://shop.example.com/track/00417003?x=1&y=2#z", "http://a.example/b", "1 234,50 €", "€ 12.00", "12,50 EUR", "$5", "1\u202f234,50\u00a0€",
	"&<>", "<b>not bold</b>", "*", "_", "`", "\u00a0", "\u200b", "A0123456789", "...", "!!!",
}

var spaces = []string{" ", " ", " ", " ", "\n", "\n\n", "  ", "\t", "\n    ", "\r\n", "", " \n \n "}

func plains() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 60).Draw(t, "words") {
			b.WriteString(rapid.SampledFrom(words).Draw(t, "word"))
			b.WriteString(rapid.SampledFrom(spaces).Draw(t, "space"))
		}
		if rapid.IntRange(0, 9).Draw(t, "wild") == 0 {
			b.WriteString(strings.ReplaceAll(rapid.String().Draw(t, "any"), "\x00", ""))
		}
		return b.String()
	})
}

func texts() *rapid.Generator[core.Text] {
	return rapid.Custom(func(t *rapid.T) core.Text {
		var out core.Text
		for range rapid.IntRange(1, 6).Draw(t, "runs") {
			run := core.Run{Text: plains().Draw(t, "text")}
			run.Style = core.Style(rapid.IntRange(0, 15).Draw(t, "style"))
			if rapid.IntRange(0, 3).Draw(t, "linked") == 0 {
				run.Link = rapid.SampledFrom([]string{"https://x.example/1", "https://x.example/?a=1&b=<2>"}).Draw(t, "link")
			}
			out = append(out, run)
		}
		return out
	})
}

// limits draws any mixture of units, from absurdly small to real.
func limits() *rapid.Generator[core.Limits] {
	return rapid.Custom(func(t *rapid.T) core.Limits {
		size := func(name string) core.Limit {
			return core.Limit{
				Max:  rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(40, 300), rapid.SampledFrom([]int{160, 640, 2000, 4096})).Draw(t, name),
				Unit: rapid.SampledFrom([]core.Unit{core.Runes, core.UTF16, core.Bytes}).Draw(t, name+" unit"),
			}
		}
		lim := core.Limits{Text: size("text"), Encoded: rapid.Bool().Draw(t, "encoded")}
		if rapid.Bool().Draw(t, "has raw") {
			lim.Raw = size("raw")
		}
		if rapid.Bool().Draw(t, "escapes") {
			lim.Escape = map[string]string{"&": "&amp;", "<": "&lt;", ">": "&gt;"}
		}
		lim.RunOverhead = rapid.IntRange(0, 8).Draw(t, "overhead")
		lim.Markup.Links = rapid.Bool().Draw(t, "links")
		lim.Markup.Styles = core.Style(rapid.IntRange(0, 15).Draw(t, "styles"))
		return lim
	})
}

// naive measures a text in the plainest way, to check what Parts did.
func naive(t core.Text, limit core.Limit, encoded bool, lim core.Limits) int {
	length := func(s string) int {
		n := 0
		for _, r := range s {
			written := string(r)
			if to, ok := lim.Escape[written]; ok && encoded {
				written = to
			}
			switch limit.Unit {
			case core.Runes:
				n += utf8.RuneCountInString(written)
			case core.UTF16:
				for _, w := range written {
					n++
					if w > 0xffff {
						n++
					}
				}
			case core.Bytes:
				n += len(written)
			}
		}
		return n
	}
	n := 0
	for _, run := range t {
		n += length(run.Text)
		if encoded && run.Style != 0 {
			n += lim.RunOverhead
		}
		if encoded && run.Link != "" {
			n += lim.RunOverhead + length(run.Link)
		}
	}
	return n
}

// fits checks promise 1.
func fits(t core.Text, lim core.Limits) bool {
	return naive(t, lim.Text, lim.Encoded, lim) <= lim.Text.Max &&
		(lim.Raw.Max == 0 || naive(t, lim.Raw, true, lim) <= lim.Raw.Max)
}

// place finds the parts in the text they were cut from: each at increasing
// offsets, with nothing but white space between, in front and behind.
func place(whole string, parts []string) ([][2]int, error) {
	var at [][2]int
	pos := 0
	for i, part := range parts {
		for !strings.HasPrefix(whole[pos:], part) {
			r, n := utf8.DecodeRuneInString(whole[pos:])
			if n == 0 || !unicode.IsSpace(r) {
				return nil, fmt.Errorf("part %d, %q, does not follow at %q", i+1, part, head(whole[pos:]))
			}
			pos += n
		}
		at = append(at, [2]int{pos, pos + len(part)})
		pos += len(part)
	}
	if rest := strings.TrimFunc(whole[pos:], unicode.IsSpace); rest != "" {
		return nil, fmt.Errorf("the parts lack %q at the end", head(rest))
	}
	return at, nil
}

func head(s string) string { return s[:min(len(s), 40)] }

func plainsOf(parts []core.Part) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = p.Text.Plain()
	}
	return out
}

// flat returns the text as the platform gets to see it: cut with no bound.
func flat(t core.Text, lim core.Limits) core.Text {
	lim.Text.Max, lim.Raw.Max = 0, 0
	parts := text(lim, t)
	if len(parts) == 0 {
		return nil
	}
	return parts[0].Text
}

func TestPartsAreWithinTheLimitsAndComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, lim := texts().Draw(t, "in"), limits().Draw(t, "lim")
		check(t, in, lim)
	})
}

// fataler is what rapid.T and testing.T have in common.
type fataler interface {
	Fatalf(format string, args ...any)
}

// check checks promises 1 to 5 for one text.
func check(t fataler, in core.Text, lim core.Limits) {
	parts := text(lim, in)
	plain := plainsOf(parts)
	for i, p := range parts {
		if p.N != i+1 || p.Of != len(parts) || p.Key != key(i+1) {
			t.Fatalf("part %d is numbered %d of %d, key %s", i+1, p.N, p.Of, p.Key)
		}
		if strings.TrimSpace(plain[i]) == "" {
			t.Fatalf("part %d is white space: %q", i+1, plain[i])
		}
		if !fits(p.Text, lim) && utf8.RuneCountInString(plain[i]) > 1 {
			t.Fatalf("part %d is too long for %+v: %q", i+1, lim, plain[i])
		}
		shown, raw := split.Measure(p.Text, lim)
		if want := naive(p.Text, lim.Text, lim.Encoded, lim); shown != want {
			t.Fatalf("Measure = %d, want %d", shown, want)
		}
		if want := naive(p.Text, lim.Raw, true, lim); lim.Raw.Max > 0 && raw != want {
			t.Fatalf("Measure raw = %d, want %d", raw, want)
		}
	}
	whole := flat(in, lim)
	tiny := hasTinyMarkup(lim) // links may become words, and styles go
	if tiny && hasLink(whole) {
		return
	}
	at, err := place(whole.Plain(), plain)
	if err != nil {
		t.Fatalf("%v\nof %q\nin %q", err, whole.Plain(), plain)
	}
	if tiny {
		return
	}
	checkKept(t, whole, at, lim)
	checkLooks(t, whole, parts, at)
}

// hasTinyMarkup reports limits that leave no room for markup: it is dropped then.
func hasTinyMarkup(lim core.Limits) bool {
	const markup = 2*8 + len("https://x.example/?a=1&amp;b=&lt;2&gt;")
	return lim.Encoded && lim.Text.Max < 2*markup || lim.Raw.Max > 0 && lim.Raw.Max < 2*markup
}

func hasLink(t core.Text) bool {
	return slices.ContainsFunc(t, func(r core.Run) bool { return r.Link != "" })
}

var (
	bareURL = regexp.MustCompile(`https?://\S+`)
	price   = regexp.MustCompile(`1 234,50 €|€ 12\.00|12,50 EUR|1\x{202f}234,50\x{a0}€|\$5`)
)

// checkKept checks promise 4: what is cut is longer than a whole part.
func checkKept(t fataler, whole core.Text, at [][2]int, lim core.Limits) {
	plain := whole.Plain()
	edges := graphemeEdges(plain)
	tooLong := func(from, to int) bool {
		for !edges[from] { // what shares a grapheme goes where that goes
			from--
		}
		for !edges[to] {
			to++
		}
		return !fits(slice(whole, from, to), lim)
	}
	for _, kept := range keptIn(whole) {
		// White space at the end of a link may go with that at the end of the text.
		end := kept[0] + len(strings.TrimRightFunc(plain[kept[0]:kept[1]], unicode.IsSpace))
		for _, part := range at {
			for _, edge := range part {
				if kept[0] < edge && edge < end && !tooLong(kept[0], kept[1]) {
					t.Fatalf("cut inside %q, which fits a part of %+v", plain[kept[0]:kept[1]], lim)
				}
			}
		}
	}
}

func graphemeEdges(s string) map[int]bool {
	edges := map[int]bool{0: true}
	for it := graphemes.FromString(s); it.Next(); {
		edges[it.End()] = true
	}
	return edges
}

// keptIn lists the graphemes, links and prices of a text that are unlike white space.
func keptIn(whole core.Text) [][2]int {
	plain := whole.Plain()
	var kept [][2]int
	for it := graphemes.FromString(plain); it.Next(); {
		kept = append(kept, [2]int{it.Start(), it.End()})
	}
	pos := 0
	for i := 0; i < len(whole); {
		from, link := pos, whole[i].Link
		for ; i < len(whole) && whole[i].Link == link; i++ {
			pos += len(whole[i].Text)
		}
		if link != "" {
			kept = append(kept, [2]int{from, pos})
			continue
		}
		for _, form := range []*regexp.Regexp{bareURL, price} {
			for _, m := range form.FindAllStringIndex(plain[from:pos], -1) {
				if alone(plain, from+m[0], from+m[1]) {
					kept = append(kept, [2]int{from + m[0], from + m[1]})
				}
			}
		}
	}
	return kept
}

// alone reports whether a match has white space or the text's end around it:
// what is glued to other words is another word.
func alone(s string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:from])
	behind, _ := utf8.DecodeRuneInString(s[to:])
	return (from == 0 || unicode.IsSpace(before)) && (to == len(s) || unicode.IsSpace(behind))
}

// slice returns the runs of a stretch of a text.
func slice(t core.Text, from, to int) core.Text {
	var out core.Text
	pos := 0
	for _, run := range t {
		a, b := max(from, pos), min(to, pos+len(run.Text))
		if a < b {
			out = append(out, core.Run{Text: run.Text[a-pos : b-pos], Style: run.Style, Link: run.Link})
		}
		pos += len(run.Text)
	}
	return out
}

// checkLooks checks promise 5: each character looks as before.
func checkLooks(t fataler, whole core.Text, parts []core.Part, at [][2]int) {
	for i, p := range parts {
		want := slice(whole, at[i][0], at[i][1])
		if got, want := fmt.Sprintf("%q", p.Text), fmt.Sprintf("%q", want); got != want {
			t.Fatalf("part %d = %s, want %s", i+1, got, want)
		}
	}
}

func FuzzParts(f *testing.F) {
	f.Add("Hello https://a.example/b 1 234,50 €", 10, 0, false, "x")
	f.Add(strings.Join(words, " "), 40, 2, true, "https://x.example")
	f.Add("e"+strings.Repeat("\u0301", 50), 7, 1, true, "")
	f.Add("\n\n   \n x\n\n\n    indented\n", 8, 1, false, "")
	f.Fuzz(func(t *testing.T, s string, most, unit int, encoded bool, link string) {
		if !utf8.ValidString(s) || !utf8.ValidString(link) || len(s) > 1<<11 {
			t.Skip()
		}
		lim := core.Limits{
			Text:    core.Limit{Max: 1 + abs(most)%300, Unit: []core.Unit{core.Runes, core.UTF16, core.Bytes}[abs(unit)%3]},
			Encoded: encoded,
			Escape:  map[string]string{"&": "&amp;", "<": "&lt;"},
		}
		lim.RunOverhead = abs(unit) % 5
		lim.Markup = core.Markup{Styles: core.Bold, Links: unit%2 == 0}
		half := len(s) / 2
		for half > 0 && !utf8.RuneStart(s[half]) {
			half--
		}
		in := core.Text{{Text: s[:half], Style: core.Bold}, {Text: s[half:], Link: link}}
		if len(link) > 20 {
			in[1].Link = "https://x.example/1"
		}
		check(t, in, lim)
	})
}

func abs(n int) int { return n & (1<<62 - 1) }
