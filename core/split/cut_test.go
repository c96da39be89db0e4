package split_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/split"
)

func runes(n int) core.Limits { return core.Limits{Text: core.Limit{Max: n, Unit: core.Runes}} }

// The levels of promise 3 and 4, one line each: what goes in and what comes out.
func TestWhereCutsAre(t *testing.T) {
	tests := []struct {
		name  string
		limit int
		in    string
		want  []string
	}{
		{"fits", 10, "1234567890", []string{"1234567890"}},
		{"white space around a text that fits stays", 20, "  a \n", []string{"  a \n"}},
		{"only white space", 10, " \n\u00a0\n ", nil},
		{"paragraph before line", 20, "one two\nsix\n\nten.\nOne two", []string{"one two\nsix", "ten.\nOne two"}},
		{"line before sentence", 20, "One two six.\nTen. One two.", []string{"One two six.", "Ten. One two."}},
		{"sentence before word", 20, "One two six! Ten one two.", []string{"One two six!", "Ten one two."}},
		{"mark inside a word that fits", 14, "if (abc!=defg) x", []string{"if (abc!=defg)", "x"}},
		{"mark inside a word that moves whole", 12, "so (abc!=defg) x", []string{"so", "(abc!=defg)", "x"}},
		{"sentence that ends a small part is passed over", 20, "Oh. Two three four five six", []string{"Oh. Two three four", "five six"}},
		{"word", 10, "one two three", []string{"one two", "three"}},
		{"word moves whole even from far back", 10, "a incredible", []string{"a", "incredible"}},
		{"pieces of a word longer than a part", 10, "abc/defgh/ijklmnop", []string{"abc/defgh/", "ijklmnop"}},
		{"graphemes of a word longer than a part", 10, "abcdefghijklmno", []string{"abcdefghij", "klmno"}},
		{"indent behind a line break stays", 16, "if a {\n    b()\n    c()\n}", []string{"if a {\n    b()", "    c()\n}"}},
		{"indent behind a blank line stays", 10, "one two\n\n\tthree", []string{"one two", "\tthree"}},
		{"trailing spaces go with the break", 10, "one two  \n  three", []string{"one two", "  three"}},
		{"indent without room for its word", 6, "one\n        abcdef", []string{"one", "abcdef"}},
		{"much white space", 5, "a" + strings.Repeat(" ", 50) + "b", []string{"a", "b"}},
		{"white space at the end", 3, "abc   \n\n", []string{"abc"}},
		{"CRLF", 9, "one two\r\n  six", []string{"one two", "  six"}},
		{"price behind", 12, "Total now 1 234,50 € net", []string{"Total now", "1 234,50 €", "net"}},
		{"price before", 12, "the price is € 12.00 net", []string{"the price is", "€ 12.00 net"}},
		{"price with a code", 12, "Sum of all: 12,50 EUR net", []string{"Sum of all:", "12,50 EUR", "net"}},
		{"code that is no currency", 12, "the SKU 4711 for you", []string{"the SKU 4711", "for you"}},
		{"word that only starts like a currency", 10, "mit 12 kreativen", []string{"mit 12", "kreativen"}},
		{"no-break space", 10, "one two 12\u00a0km", []string{"one two", "12\u00a0km"}},
		{"no-break space in what is longer than a part", 10, "aaaaaaaa\u00a0bbbb", []string{"aaaaaaaa\u00a0b", "bbb"}},
		{"number of a code is no price", 9, "see A4711 € 5 now", []string{"see A4711", "€ 5 now"}},
		{"link before Chinese without end", 25, "Track:https://a.example/x-y/z谢谢您的订单我们会尽快处理您的请求谢谢",
			[]string{"Track:", "https://a.example/x-y/z谢谢", "您的订单我们会尽快处理您的请求谢谢"}},
		{"narrow no-break space", 10, "one two 1\u202f234", []string{"one two", "1\u202f234"}},
		{"link", 20, "See https://a.example/x-y/z now", []string{"See https://", "a.example/x-y/z now"}},
		{"link that fits", 25, "Look at https://a.example/x-y/z now", []string{"Look at", "https://a.example/x-y/z", "now"}},
		{"link in parentheses", 25, "Look (https://a.example/x-y) now", []string{"Look", "(https://a.example/x-y)", "now"}},
		{"link before Chinese", 22, "请看https://a.example/x。谢谢您的订单我们会尽快处理您的请求", []string{"请看https://a.example/x。", "谢谢您的订单我们会尽快处理您的请求"}},
		{"link in a link", 30, "aaaaaaaaa https://a.example/?u=https://b", []string{"aaaaaaaaa", "https://a.example/?u=https://b"}},
		{"links joined by commas", 20, "https://a.example/1,https://a.example/2", []string{"https://a.example/1,", "https://a.example/2"}},
		{"Chinese sentence", 10, "我们收到了。您的请求正在处理", []string{"我们收到了。", "您的请求正在处理"}},
		{"Chinese closing quote stays with its word", 6, "她说「收到了」然后走", []string{"她说「收到", "了」然后走"}},
		{"flags", 3, "🇩🇪🇫🇷🇮🇹", []string{"🇩🇪", "🇫🇷", "🇮🇹"}},
		{"Devanagari conjuncts", 5, "क्षत्रिय", []string{"क्ष", "त्रिय"}},
		{"limit of one", 1, "a b\nc", []string{"a", "b", "c"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			parts := text(runes(test.limit), core.PlainText(test.in))
			var got []string
			for _, p := range parts {
				got = append(got, p.Text.Plain())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%q at %d (-want +got):\n%s", test.in, test.limit, diff)
			}
		})
	}
}

// Nobody can tell which number of "417003 € 83.80" is the price; all of it
// stays together as long as it fits a part.
func TestDoubtfulPricesStayTogether(t *testing.T) {
	got := plainsOf(text(runes(24), core.PlainText("Your new order 417003 € 83.80 today")))
	if diff := cmp.Diff([]string{"Your new order", "417003 € 83.80 today"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	endless := strings.TrimSpace(strings.Repeat("12 € ", 100))
	for i, p := range plainsOf(text(runes(20), core.PlainText(endless))) {
		if !strings.HasPrefix(p, "12 €") || !strings.HasSuffix(p, "12 €") {
			t.Errorf("part %d of an endless chain = %q, want whole prices", i+1, p)
		}
	}
}

func TestScriptsThatCountDifferently(t *testing.T) {
	family := "👨‍👩‍👧‍👦" // 7 code points, 11 UTF-16 units, 25 bytes
	tests := []struct {
		name  string
		in    string
		limit core.Limit
		parts int
	}{
		{"9000 Chinese characters, code points", strings.Repeat("订", 9000), core.Limit{Max: 4096, Unit: core.Runes}, 3},
		{"9000 Chinese characters, bytes", strings.Repeat("订", 9000), core.Limit{Max: 32000, Unit: core.Bytes}, 1},
		{"9000 Chinese characters, fewer bytes", strings.Repeat("订", 9000), core.Limit{Max: 4096, Unit: core.Bytes}, 7},
		{"700 families, code points", strings.Repeat(family, 700), core.Limit{Max: 4096, Unit: core.Runes}, 2},
		{"700 families, UTF-16 units", strings.Repeat(family, 700), core.Limit{Max: 2000, Unit: core.UTF16}, 4},
		{"700 families, bytes", strings.Repeat(family, 700), core.Limit{Max: 4096, Unit: core.Bytes}, 5},
		{"one letter with 5000 accents", "e" + strings.Repeat("\u0301", 5000), core.Limit{Max: 2000, Unit: core.Runes}, 3},
		{"astral letters, UTF-16 units", strings.Repeat("𝒳", 2001), core.Limit{Max: 2000, Unit: core.UTF16}, 3},
		{"link of 5000 characters", "https://x.example/" + strings.Repeat("a", 4982), core.Limit{Max: 2000, Unit: core.Runes}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lim := core.Limits{Text: test.limit}
			parts := text(lim, core.PlainText(test.in))
			if len(parts) != test.parts {
				t.Errorf("%d parts, want %d", len(parts), test.parts)
			}
			if got := strings.Join(plainsOf(parts), ""); got != test.in {
				t.Error("the parts joined are not the text")
			}
			for i, p := range parts {
				plain := p.Text.Plain()
				if !fits(p.Text, lim) || !utf8.ValidString(plain) {
					t.Errorf("part %d: size %d, valid %v", i+1, naive(p.Text, lim.Text, false, lim), utf8.ValidString(plain))
				}
				if strings.Contains(test.in, family) && strings.Count(plain, family)*len(family) != len(plain) {
					t.Errorf("part %d has part of a family", i+1)
				}
			}
		})
	}
}

func TestCodeArrivesLineByLine(t *testing.T) {
	var b strings.Builder
	for i := range 400 {
		fmt.Fprintf(&b, "%s{\"id\": %d, \"f\": x->y[%d] && !(z || w), \"re\": \"^[a-z]+$\"},\n", strings.Repeat("  ", i%7), i, i)
		if i%40 == 39 {
			b.WriteString("\n")
		}
	}
	parts := plainsOf(text(runes(2000), core.PlainText(b.String())))
	var lines []string
	for _, p := range parts {
		lines = append(lines, strings.Split(p, "\n")...)
	}
	drop := func(lines []string) []string {
		var kept []string
		for _, l := range lines {
			if l != "" {
				kept = append(kept, l)
			}
		}
		return kept
	}
	if diff := cmp.Diff(drop(strings.Split(b.String(), "\n")), drop(lines)); diff != "" {
		t.Errorf("lines with their indent (-want +got):\n%s", diff)
	}
}

func TestFormattingClosesAndReopens(t *testing.T) {
	lim := runes(12)
	lim.Markup = core.Markup{Styles: core.Bold | core.Italic, Links: true}
	parts := text(lim, core.Text{
		{Text: "Your order "}, {Text: "00417003 has been ", Style: core.Bold},
		{Text: "our shop", Link: "https://shop.example", Style: core.Italic}, {Text: "!"},
	})
	var got []core.Text
	for _, p := range parts {
		got = append(got, p.Text)
	}
	want := []core.Text{
		{{Text: "Your order"}},
		{{Text: "00417003 has", Style: core.Bold}},
		{{Text: "been", Style: core.Bold}},
		{{Text: "our shop", Link: "https://shop.example", Style: core.Italic}, {Text: "!"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEncodedTextCountsWhatIsSent(t *testing.T) {
	lim := core.Limits{
		Text: core.Limit{Max: 10, Unit: core.Runes}, Encoded: true,
		Escape: map[string]string{"&": "&amp;"}, RunOverhead: 2,
		Markup: core.Markup{Styles: core.Bold},
	}
	got := plainsOf(text(lim, core.Text{{Text: "&&&"}, {Text: " 1234567890", Style: core.Bold}}))
	if diff := cmp.Diff([]string{"&&", "&", "12345678", "90"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The second bound counts what is sent even where the first does not.
	lim.Raw, lim.Encoded = lim.Text, false
	lim.Text.Max = 100
	got = plainsOf(text(lim, core.PlainText("&&& abcdefgh")))
	if diff := cmp.Diff([]string{"&&", "& abcde", "fgh"}, got); diff == "" {
		t.Error("a word that fits a part was cut")
	}
	if diff := cmp.Diff([]string{"&&", "&", "abcdefgh"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A link that leaves no room for its text in any part is said in words.
func TestLinkTooLongForAPart(t *testing.T) {
	lim := core.Limits{Text: core.Limit{Max: 50, Unit: core.Runes}, Encoded: true, Markup: core.Markup{Links: true}}
	url := "https://x.example/" + strings.Repeat("a", 30)
	got := text(lim, core.Text{{Text: "here", Link: url}})
	want := []core.Text{{{Text: "here:"}}, {{Text: url}}}
	if diff := cmp.Diff(want, []core.Text{got[0].Text, got[1].Text}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A quarter of a megabyte of the worst shapes stays linear: milliseconds each,
// where measuring again and again would take minutes.
func TestLongTextsAreCutInLinearTime(t *testing.T) {
	const size = 1 << 18
	shapes := map[string]string{
		"words":    "The quick brown fox jumps over the lazy dog. ",
		"letters":  "a",
		"spaces":   " ",
		"accents":  "\u0301",
		"Chinese":  "订单",
		"families": "👨‍👩‍👧‍👦",
		"links":    "https://a.example/x,",
		"prices":   "12 € ",
		"dots":     "1.",
		"flags":    "🇩🇪",
		"colons":   "://",
		"newlines": "\n\n",
		"NBSP":     "a\u00a0",
		"joiners":  "a\u200d",
	}
	for name, shape := range shapes {
		in := core.PlainText("x" + strings.Repeat(shape, size/len(shape)) + "x")
		start := time.Now()
		parts := text(runes(2000), in)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: %v for %d parts", name, took, len(parts))
		} else {
			t.Logf("%s: %v for %d parts", name, took, len(parts))
		}
	}
}

func BenchmarkParts(b *testing.B) {
	sentence := "Your order 00417003 has been shipped; the total is 1 234,50 €. Track it at https://shop.example.com/t/00417003.\n"
	for _, size := range []int{200, 10_000, 1 << 20} {
		body := core.Body{Blocks: []core.Block{{Text: core.PlainText(strings.Repeat(sentence, size/len(sentence)+1)[:size])}}}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				split.Parts(body, runes(2000), key)
			}
		})
	}
}
