package telegramsim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseText(t *testing.T) {
	for _, tt := range []struct {
		name, mode, in string
		text           string
		entities       []entity
	}{
		{"no mode", "", "a <b>&amp;</b> *c*", "a <b>&amp;</b> *c*", nil},
		{"bold", "HTML", "Order <b>17</b> is packed", "Order 17 is packed", []entity{{Type: "bold", Offset: 6, Length: 2}}},
		{"references", "HTML", "&lt;&gt;&amp;&quot;&#65;&#x1F600;&nbsp;&", "<>&\"A😀&nbsp;&", nil},
		{"offsets in UTF-16", "HTML", "😀<i>x</i>", "😀x", []entity{{Type: "italic", Offset: 2, Length: 1}}},
		{"nested", "HTML", "<b>a<i>b</i></b>", "ab", []entity{{Type: "bold", Offset: 0, Length: 2}, {Type: "italic", Offset: 1, Length: 1}}},
		{"link", "html", `<a href="https://x.example/?a=1&amp;b=2">x</a>`, "x", []entity{{Type: "text_link", Length: 1, URL: "https://x.example/?a=1&b=2"}}},
		{"link to nowhere is dropped", "HTML", `<a href="http://localhost/">x</a>`, "x", nil},
		{"code block", "HTML", `<pre><code class="language-go">x</code></pre>`, "x", []entity{{Type: "pre", Length: 1, Language: "go"}}},
		{"spoiler", "HTML", `<span class="tg-spoiler">x</span>`, "x", []entity{{Type: "spoiler", Length: 1}}},
		{"empty end tag", "HTML", "<b>x</>", "x", []entity{{Type: "bold", Length: 1}}},
		{"white space at the ends goes", "HTML", " \n a <b>b </b>\n", "a b", []entity{{Type: "bold", Offset: 2, Length: 1}}},
		{"entity of white space goes", "HTML", "a<b> </b>b", "a b", nil},
		{"controls", "", "a\tb\r\nc", "a b\nc", nil},
		{"markdown", "MarkdownV2", "*bold* _it_ ~s~ ||h|| `c` \\*", "bold it s h c *", []entity{{Type: "bold", Length: 4},
			{Type: "italic", Offset: 5, Length: 2}, {Type: "strikethrough", Offset: 8, Length: 1},
			{Type: "spoiler", Offset: 10, Length: 1}, {Type: "code", Offset: 12, Length: 1}}},
		{"markdown link", "MarkdownV2", `[x](https://x.example/\))`, "x", []entity{{Type: "text_link", Length: 1, URL: "https://x.example/)"}}},
		{"markdown block", "MarkdownV2", "```go\na.b\n```", "a.b", []entity{{Type: "pre", Length: 3, Language: "go"}}},
		{"markdown nested", "MarkdownV2", "*a __b__*", "a b", []entity{{Type: "bold", Length: 3}, {Type: "underline", Offset: 2, Length: 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseText(tt.in, tt.mode, "")
			if err != nil {
				t.Fatal(err.text)
			}
			if got.text != tt.text {
				t.Errorf("text: got %q, want %q", got.text, tt.text)
			}
			if diff := cmp.Diff(tt.entities, got.entities); diff != "" {
				t.Errorf("entities (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	const prefix = "Bad Request: can't parse entities: "
	for _, tt := range []struct{ mode, in, want string }{
		{"HTML", "a <c>", `Unsupported start tag "c" at byte offset 2`},
		{"HTML", "1 < 2", `Unsupported start tag "" at byte offset 2`},
		{"HTML", "1 <b", "Unclosed start tag at byte offset 2"},
		{"HTML", "é <x y>", `Unsupported start tag "x" at byte offset 3`},
		{"HTML", "<br/>", `Unsupported start tag "br/" at byte offset 0`},
		{"HTML", "<b>x", `Can't find end tag corresponding to start tag "b"`},
		{"HTML", "x</b>", "Unexpected end tag at byte offset 1"},
		{"HTML", "<b>x</i>", `Unmatched end tag at byte offset 4, expected "</b>", found "</i>"`},
		{"HTML", "<b><i>x</b></i>", `Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`},
		{"HTML", `<a href>x</a>`, `Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0`},
		{"HTML", `<a href="x>y</a>`, "Unclosed start tag at byte offset 0"},
		{"HTML", `<a href=http://x>y</a>`, "Unexpected end of name token at byte offset 8"},
		{"HTML", `<span class="x">y</span>`, `Tag "span" must have class "tg-spoiler" at byte offset 0`},
		{"HTML", "<b>x</b", "Unclosed end tag at byte offset 4"},
		{"MarkdownV2", "Total 1.5", `Character '.' is reserved and must be escaped with the preceding '\'`},
		{"MarkdownV2", "a-b", `Character '-' is reserved and must be escaped with the preceding '\'`},
		{"MarkdownV2", "*bold", "Can't find end of Bold entity at byte offset 0"},
		{"MarkdownV2", "[x](y", "Can't find end of a URL at byte offset 4"},
	} {
		_, err := parseText(tt.in, tt.mode, "")
		if err == nil || err.text != prefix+tt.want {
			t.Errorf("%s %q: got %v, want %q", tt.mode, tt.in, err, tt.want)
		}
	}
}

func FuzzParseText(f *testing.F) {
	for _, seed := range []string{"<b>x</b>", "<a href='&#1", "&lt", "*a\\", "```\n", "[x](", "<pre><code class=\"language-", "||a|| __"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, mode := range []string{"", "HTML", "MarkdownV2"} {
			got, err := parseText(strings.ToValidUTF8(in, "?"), mode, "")
			if err != nil {
				continue
			}
			for _, e := range got.entities {
				if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > length16(got.text) {
					t.Errorf("%s %q: entity %+v outside of %q", mode, in, e, got.text)
				}
			}
		}
	})
}
