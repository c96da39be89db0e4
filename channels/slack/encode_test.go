package slack

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	api "github.com/slack-go/slack"
	"pgregory.net/rapid"

	"tidings/core"
)

// The reader below is a second opinion on what Slack shows of a text with
// markup: pairs by regular expression, as clones of Slack do it.
var (
	readPairs = []*regexp.Regexp{
		regexp.MustCompile(`(^|[\s\pP])\*([^*\s]|[^*\s][^*\n]*[^*\s])\*($|[\s\pP])`),
		regexp.MustCompile(`(^|[\s\pP])_([^_\s]|[^_\s][^_\n]*[^_\s])_($|[\s\pP])`),
		regexp.MustCompile(`(^|[\s\pP])~([^~\s]|[^~\s][^~\n]*[^~\s])~($|[\s\pP])`),
		regexp.MustCompile("(^|[\\s\\pP])`([^`\\s]|[^`\\s][^`\\n]*[^`\\s])`($|[\\s\\pP])"),
	}
	readLink  = regexp.MustCompile(`<([^<>|]*)(?:\|([^<>]*))?>`)
	readEmoji = regexp.MustCompile(`:[a-z0-9_+-]+:`)
)

func show(marked string) string {
	lines := strings.Split(marked, "\n")
	for i := range lines {
		// Links first: their words are words, their targets are not read.
		lines[i] = readLink.ReplaceAllStringFunc(lines[i], func(l string) string {
			m := readLink.FindStringSubmatch(l)
			if m[2] != "" {
				return m[2]
			}
			return strings.NewReplacer("*", "\x01", "_", "\x02", "~", "\x03").Replace(m[1])
		})
		for changed := true; changed; {
			before := lines[i]
			for _, re := range readPairs {
				lines[i] = re.ReplaceAllString(lines[i], "${1}${2}${3}")
			}
			changed = lines[i] != before
		}
	}
	shown := strings.NewReplacer("\x01", "*", "\x02", "_", "\x03", "~").Replace(strings.Join(lines, "\n"))
	return unescaper.Replace(readEmoji.ReplaceAllString(shown, "(picture)"))
}

func unescaped(s string) string { return unescaper.Replace(s) }

// nasty draws texts of the characters that make trouble.
func nasty(maxLen int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("aB7 \n*_~`<>&|:@#!.,;()é€👍🏽字")), 0, maxLen, -1)
}

func drawText(t *rapid.T, maxRuns, maxLen int) core.Text {
	n := rapid.IntRange(1, maxRuns).Draw(t, "runs")
	var text core.Text
	for range n {
		r := core.Run{Text: nasty(maxLen).Draw(t, "text")}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			r.Style = core.Style(rapid.IntRange(1, 15).Draw(t, "style"))
		case 1:
			r.Link = "https://shop.example/" + rapid.StringMatching(`[a-z0-9?=&_*~-]{0,12}`).Draw(t, "link")
		}
		text = append(text, r)
	}
	return text
}

func TestWhatIsShownIsWhatWasGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := drawText(t, 5, 12)
		m, err := encodeText(given, nil)
		if err != nil {
			return // nothing but white space
		}
		var got string
		want := labelled(given).Plain()
		switch {
		case m.marked:
			got = show(m.text)
		case styled(given):
			want, got = flatten(labelled(given)), unescaped(m.text)
		default:
			got = unescaped(m.text)
		}
		if got != want {
			t.Fatalf("%#v\nsent  %q\nshown %q\nwant  %q", given, m.text, got, want)
		}
		if n, most := units(m.text), accounted(given); n > most {
			t.Fatalf("%q: got %d units, want at most the %d that Limits let one expect", m.text, n, most)
		}
		if strings.ContainsAny(readLinksAway(m.text), "<>") {
			t.Fatalf("%q: a bare < or > was sent", m.text)
		}
	})
}

// accounted is how long the limits say that a text can become.
func accounted(t core.Text) int {
	n := 0
	for _, r := range t {
		n += units(escape(r.Text))
		if r.Style != 0 || r.Link != "" {
			n += limits().RunOverhead + units(urlEscaper.Replace(r.Link))
		}
	}
	return n
}

// readLinksAway removes the links that are ours: those to the test's shop.
func readLinksAway(s string) string {
	return regexp.MustCompile(`<https://shop\.example/[^<>]*>`).ReplaceAllString(s, "")
}

func TestOnlyWhatCouldBeReadAsMarkupCostsEmphasis(t *testing.T) {
	bold := func(s string) core.Run { return core.Run{Text: s, Style: core.Bold} }
	tests := []struct {
		text core.Text
		want bool
	}{
		{core.PlainText("snake_case_name and other_names_"), false},
		{core.PlainText("2 * 3 * 4 and 5*3 and c*"), false},
		{core.PlainText("~3 days, ~4 weeks"), false},
		{core.PlainText("it's 3 o`clock"), false},
		{core.PlainText("Visa ****4242"), false},
		{core.PlainText("a > b"), false},
		{core.PlainText("*one\ntwo*"), false},
		{core.PlainText("at 10:30"), false},
		{core.Text{bold("Payment:"), {Text: " Visa ****4242"}}, false},
		{core.Text{bold("one"), {Text: " "}, bold("two"), {Text: ", _x"}}, false},
		{core.PlainText("*new*"), true},
		{core.PlainText("a (_new_) b"), true},
		{core.PlainText("~old~"), true},
		{core.PlainText("run `make`"), true},
		{core.PlainText("```"), true},
		{core.PlainText("one\n  > two"), true},
		{core.PlainText("x**y and z*"), true},
		{core.PlainText(":smile:"), true},
		{core.PlainText("10:30:45"), true},
		{core.Text{bold("Payment:"), {Text: " any*"}}, true},
		{core.Text{{Text: "*any "}, bold("Payment"), {Text: " x"}}, true},
		{core.Text{{Text: "two\nlines", Link: "https://shop.example/"}}, true},
		{core.PlainText("a control character \x14"), true},
	}
	for _, tt := range tests {
		if got := misreadable(tt.text); got != tt.want {
			t.Errorf("%q (%q): got %t, want %t", tt.text.Plain(), render(tt.text), got, tt.want)
		}
	}
}

func TestALinkIsWrittenOutBehindItsWords(t *testing.T) {
	given := core.Text{
		{Text: "*new*: "}, {Text: "Track ", Link: "https://a.example/1"}, {Text: "or "},
		{Text: " https://b.example ", Link: "https://b.example"}, {Text: "."}, {Text: " ", Link: "https://c.example"},
	}
	m, err := encodeText(given, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "*new*: Track: https://a.example/1 or  https://b.example . https://c.example"; m.text != want {
		t.Errorf("got  %q\nwant %q", m.text, want)
	}
}

func TestSectionsAreTheWholeText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var given core.Text
		for range rapid.IntRange(1, 4).Draw(t, "repeats") {
			given = append(given, repeat(drawText(t, 3, 30), rapid.IntRange(1, 80).Draw(t, "times"))...)
		}
		m, err := encodeText(given, []core.Button{{Title: "Help", Value: "help"}})
		if err != nil {
			return
		}
		var shown strings.Builder
		for _, b := range m.blocks[:len(m.blocks)-1] {
			text := b.(*api.SectionBlock).Text
			if n := units(text.Text); n == 0 || n > 3000 {
				t.Fatalf("section: got %d units, want 1 to 3000", n)
			}
			if text.Type == api.MarkdownType {
				shown.WriteString(show(text.Text))
				continue
			}
			shown.WriteString(text.Text)
		}
		want := unescaped(m.text)
		if m.marked {
			want = show(m.text)
		}
		got := strings.TrimRightFunc(shown.String(), unicode.IsSpace)
		if want = strings.TrimRightFunc(want, unicode.IsSpace); got != want {
			t.Fatalf("sections show\n%q\nthe text shows\n%q", got, want)
		}
	})
}

func repeat(t core.Text, n int) core.Text {
	var out core.Text
	for range n {
		out = append(out, t...)
	}
	return out
}

func TestSectionsAreCutBetweenWords(t *testing.T) {
	word := "parcel "
	long := strings.Repeat(word, 3990/len(word))
	tests := []struct {
		name string
		text string
		want []string // ends of the sections
	}{
		{"fits", strings.Repeat("a", 3000), []string{"a"}},
		{"one over", strings.Repeat("a", 3001), []string{"a", "a"}},
		{"words", long, []string{"parcel ", "parcel "}},
		{"a paragraph in the later half", strings.Repeat("a ", 1000) + "end.\n\n" + strings.Repeat("b ", 900), []string{"end.\n\n", "b "}},
		{"a line in the later half", strings.Repeat("a ", 1000) + "end.\n" + strings.Repeat("b ", 900), []string{"end.\n", "b "}},
		{"a family at the cut", strings.Repeat("a", 2997) + "👩‍👩‍👧‍👦" + strings.Repeat("b", 900), []string{"a", "b"}},
		{"an accent at the cut", strings.Repeat("a", 2999) + "e\u0301" + strings.Repeat("b", 900), []string{"a", "b"}},
		{"escaped characters count as written", strings.Repeat("& ", 700), []string{"& ", "& "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sections := writing(core.PlainText(tt.text)).sections()
			if len(sections) != len(tt.want) {
				t.Fatalf("sections: got %d, want %d", len(sections), len(tt.want))
			}
			joined := ""
			for i, b := range sections {
				text := unescaped(b.(*api.SectionBlock).Text.Text)
				if !strings.HasSuffix(text, tt.want[i]) {
					t.Errorf("section %d: got the end %q, want %q", i+1, text[max(0, len(text)-8):], tt.want[i])
				}
				joined += text
			}
			if joined != tt.text {
				t.Errorf("joined: got %d bytes, want the %d of the text", len(joined), len(tt.text))
			}
		})
	}
}

func TestWhiteSpaceAfterTheLastSectionMakesNoSection(t *testing.T) {
	sections := writing(core.PlainText(strings.Repeat("a", 3000) + "\n\n ")).sections()
	if len(sections) != 1 {
		t.Errorf("sections: got %d, want 1: Slack refuses one that shows nothing", len(sections))
	}
}

func TestEmphasisIsNotCut(t *testing.T) {
	given := core.Text{
		{Text: strings.Repeat("word ", 599)},
		{Text: "one emphasis", Style: core.Bold},
		{Text: " and "},
		{Text: "one link", Link: "https://shop.example/"},
		{Text: strings.Repeat(" word", 100)},
	}
	sections := writing(given).sections()
	if len(sections) != 2 {
		t.Fatalf("sections: got %d, want 2", len(sections))
	}
	second := sections[1].(*api.SectionBlock).Text.Text
	if !strings.HasPrefix(second, "*one emphasis* and <https://shop.example/|one link> word") {
		t.Errorf("second section: got %.80q, want it to begin with the emphasis, whole", second)
	}
}

func TestMarkupGivesWayWhereItDoesNotFit(t *testing.T) {
	given := core.Text{{Text: strings.Repeat("a b ", 999), Style: core.Bold}, {Text: "end", Style: core.Bold}}
	m, err := encodeText(given, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.marked || m.text != given.Plain() {
		t.Errorf("got marked %t and %d units, want the plain text of %d", m.marked, units(m.text), units(given.Plain()))
	}
}

func TestAnOverlongLinkIsWrittenOut(t *testing.T) {
	url := "https://shop.example/" + strings.Repeat("x", 2500)
	m, err := encodeText(core.Text{{Text: "Track", Link: url}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Track: " + url; m.text != want || m.marked {
		t.Errorf("got %.60q…, want %.60q…", m.text, want)
	}
}

func TestALongDescriptionOfAPictureIsWholeInTheText(t *testing.T) {
	alt := strings.Repeat("mug👍", 600)
	m, err := encode(core.Part{Picture: &core.Picture{URL: "https://shop.example/p.png", Alt: alt}})
	if err != nil {
		t.Fatal(err)
	}
	label := m.blocks[0].(*api.ImageBlock).AltText
	if n := units(label); n > 2000 || n < 1999 || !strings.HasPrefix(alt, label) {
		t.Errorf("alt text: got %d units, want the first 2000", n)
	}
	if m.text != alt {
		t.Errorf("text: got %d units, want all %d", units(m.text), units(alt))
	}
}

// A verbatim section links no address by itself, and a customer wants to press
// what an agent has sent.
func TestAnAddressInASectionCanBePressed(t *testing.T) {
	given := core.Text{
		{Text: "Our answer:", Style: core.Bold},
		{Text: "\n\nsee https://shop.example/a_b?x=1&y=*2, (https://shop.example/c). Ask ines@shop.example or @here, not https://."},
	}
	m, err := encodeText(given, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := m.blocks[0].(*api.SectionBlock).Text
	want := "*Our answer:*\n\nsee <https://shop.example/a_b?x=1&amp;y=*2>, (<https://shop.example/c>). Ask ines@shop.example or @here, not https://."
	if text.Text != want || !text.Verbatim {
		t.Errorf("got  %q\nwant %q, verbatim", text.Text, want)
	}
	if strings.Contains(m.text, "<") {
		t.Errorf("text: got %q, want the address as it stands: there Slack links it", m.text)
	}
}
