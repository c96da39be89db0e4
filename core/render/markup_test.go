package render

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

// say renders one text of the shop's own in place of order.completed.
func say(t *testing.T, template string, in Input) core.Body {
	t.Helper()
	texts, faults := New(fstest.MapFS{"en/order.completed.tmpl": {Data: []byte(template)}}, "")
	if len(faults) > 0 {
		t.Fatalf("New with %q: got faults %v, want none", template, faults)
	}
	in.Type = "order.completed"
	return mustRender(t, texts, in)
}

func TestMarkup(t *testing.T) {
	plain := func(s string) core.Text { return core.Text{{Text: s}} }
	tests := []struct {
		name, template string
		want           core.Text
	}{
		{"bold", "a **b** c", core.Text{{Text: "a "}, {Text: "b", Style: core.Bold}, {Text: " c"}}},
		{"all styles", "**b**_i_~~s~~`c`", core.Text{{Text: "b", Style: core.Bold}, {Text: "i", Style: core.Italic}, {Text: "s", Style: core.Strike}, {Text: "c", Style: core.Code}}},
		{"italic", "an _old_ one", core.Text{{Text: "an "}, {Text: "old", Style: core.Italic}, {Text: " one"}}},
		{"nested", "**b _bi_ b**", core.Text{{Text: "b ", Style: core.Bold}, {Text: "bi", Style: core.Bold | core.Italic}, {Text: " b", Style: core.Bold}}},
		{"no markup in code", "`a **b** [c](https://x.example)`", core.Text{{Text: "a **b** [c](https://x.example)", Style: core.Code}}},
		{"underscores in words", "a_b_c and 1_000_000", plain("a_b_c and 1_000_000")},
		{"unclosed", "2 ** 3, **a and `b", plain("2 ** 3, **a and `b")},
		{"not over paragraphs", "**a\n\nb**", plain("**a\n\nb**")},
		{"over a line", "**a\nb**", core.Text{{Text: "a\nb", Style: core.Bold}}},
		{"escapes", `\**a\** \[b](c) \\ \_ \a`, plain(`**a** [b](c) \ _ \a`)},
		{"link", "see [our **shop**](https://x.example/a?b=1&c=_2_)!", core.Text{
			{Text: "see "},
			{Text: "our ", Link: "https://x.example/a?b=1&c=_2_"},
			{Text: "shop", Link: "https://x.example/a?b=1&c=_2_", Style: core.Bold},
			{Text: "!"},
		}},
		{"link with brackets", "[a [b] c](https://x.example/(1))", core.Text{{Text: "a [b] c", Link: "https://x.example/(1)"}}},
		{"no link in a link", "[a [b](https://y.example) c](https://x.example)", core.Text{{Text: "a b c", Link: "https://x.example"}}},
		{"script link", "[a](javascript:alert(1)) b", plain("a b")},
		{"relative link", "[a](/b)", plain("a")},
		{"half a link", "[a] (b) [c](d", plain("[a] (b) [c](d")},
		{"link without text", "[](https://x.example)", core.Text{{Text: "https://x.example", Link: "https://x.example"}}},
		{"white space", "  a  b\t c \n\n\n  \n d\n  e \n\n", plain("a b c\n\nd\ne")},
		{"hard space", "a \u00a0 b", plain("a \u00a0 b")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := say(t, tt.template, Input{})
			want := core.Body{Blocks: []core.Block{{Text: tt.want}}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tt.template, diff)
			}
		})
	}
}

// TestDataIsNeverInterpreted is promise 1 of the package.
func TestDataIsNeverInterpreted(t *testing.T) {
	const nasty = " \n\n1 < 2 & <b> **x** _y_ ~~z~~ `c` [a](https://evil.example) \\* {{.Order}} ) ] \n "
	tests := []struct {
		name, template string
		want           core.Text
	}{
		{"plain", "a {{.Order.Code}} b", core.Text{{Text: "a " + nasty + " b"}}},
		{"alone", "{{.Order.Code}}", core.Text{{Text: nasty}}},
		{"in bold", "**{{.Order.Code}}**", core.Text{{Text: nasty, Style: core.Bold}}},
		{"in italic", "_{{.Order.Code}}_", core.Text{{Text: nasty, Style: core.Italic}}},
		{"in code", "`{{.Order.Code}}`", core.Text{{Text: nasty, Style: core.Code}}},
		{"after a backslash in italic", `_a \{{.Order.Code}} b_`, core.Text{{Text: `a \` + nasty + " b", Style: core.Italic}}},
		{"after a backslash in a link", `[a\{{.Order.Code}}](https://x.example)`, core.Text{{Text: `a\` + nasty, Link: "https://x.example"}}},
		{"between marks of data", "{{.Order.Code}}_{{.Order.Code}}_", core.Text{{Text: nasty + "_" + nasty + "_"}}},
		{"in a link's text", "[{{.Order.Code}}](https://x.example/{{urlquery .Consignment.Code}})", core.Text{{Text: nasty, Link: "https://x.example/a%29b"}}},
		{"in a link's address", "[a](https://x.example/{{.Order.Code}})", core.Text{{Text: "a"}}},
		{"bracket in a link's address", "[a](https://x.example/{{.Consignment.Code}}/)", core.Text{{Text: "a", Link: "https://x.example/a)b/"}}},
		{"through printf", `{{printf "**%s**" .Order.Code}}`, core.Text{{Text: "**" + nasty + "**"}}},
		{"a string in an action", `{{"**a**"}}`, core.Text{{Text: "**a**"}}},
		{"an object forged", `{{printf "%s" (button "a" "https://x.example")}}`, core.Text{{Text: "\ufffdbutton\ufffda\ufffdhttps://x.example\ufffd"}}},
		{"guarded by hand", `{{_guard .Order.Code}}`, core.Text{{Text: nasty}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Event: core.EventData{OrderCode: nasty, ConsignmentCode: "a)b"}}
			want := core.Body{Blocks: []core.Block{{Text: tt.want}}}
			if diff := cmp.Diff(want, say(t, tt.template, in)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tt.template, diff)
			}
		})
	}
}

func TestWhatIsNoTextIsReplaced(t *testing.T) {
	in := Input{Event: core.EventData{OrderCode: "a\x00b\xffc\xfe\xf8\nd"}}
	got := say(t, "**{{.Order.Code}}**", in).Blocks[0].Text
	if diff := cmp.Diff(core.Text{{Text: "a\ufffdb\ufffdc\ufffd\nd", Style: core.Bold}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNothingLeavesNoTrace shows that what is missing takes its spaces, its
// lines and its marks with it.
func TestNothingLeavesNoTrace(t *testing.T) {
	tests := []struct{ name, template, want string }{
		{"between words", "a {{.Note.Text}} b", "a b"},
		{"marks", "a **{{.Note.Text}}** _{{.Note.Text}}_ b", "a b"},
		{"a line", "a\n{{.Note.Text}}\nb", "a\n\nb"},
		{"a standalone condition", "a\n{{if .Note.Text}}\nx\n{{end}}\nb", "a\nb"},
		{"nested conditions", "a\n{{if .Order.Code}}\n  {{if .Note.Text}}\n  x\n  {{else}}\n  y\n  {{end}}\n{{end}}\nb", "a\ny\nb"},
		{"comments and variables", "{{/* why */}}\na\n{{$x := 1}}\nb", "a\nb"},
		{"trim markers", "a\n{{- if .Order.Code}}\nx\n{{- end}}\nb", "a\nx\nb"},
		{"an inline condition", "a\n{{if .Order.Code}}x{{end}}\nb", "a\nx\nb"},
		{"a button's line", "a\n{{button \"Go\" \"https://x.example\"}}\nb", "a\nb"},
		{"an empty partial's line", "a\n{{template \"_tracking\" .}}\nb", "a\nb"},
		{"a loop", "a\n{{range limit 2 .Order.Lines}}\n- {{.Name}}\n{{end}}\nb", "a\nb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Event: core.EventData{OrderCode: "7"}}
			if got := say(t, tt.template, in).Blocks[0].Text.Plain(); got != tt.want {
				t.Errorf("%q: got %q, want %q", tt.template, got, tt.want)
			}
		})
	}
}

func TestObjects(t *testing.T) {
	tests := []struct {
		name, template string
		want           core.Body
	}{
		{
			"button below all", `a {{button "Go **on**" .Consignment.TrackingURL}} b`,
			core.Body{Blocks: []core.Block{{Text: core.PlainText("a b")}}, Buttons: []core.Button{{Title: "Go **on**", URL: "https://x.example/1"}}},
		},
		{"button to nowhere", `a {{button "Go" ""}}{{button "Go" "ftp://x.example"}}{{button " " "https://x.example"}}`, core.Body{Blocks: []core.Block{{Text: core.PlainText("a")}}}},
		{
			"picture", "a\n\n{{picture \"https://x.example/i.png\" \"A kettle\"}}\n\nb",
			core.Body{Blocks: []core.Block{{Text: core.PlainText("a")}, {Picture: &core.Picture{URL: "https://x.example/i.png", Alt: "A kettle"}}, {Text: core.PlainText("b")}}},
		},
		{"picture that is not https", `a {{picture "http://x.example/i.png" "A kettle"}} b`, core.Body{Blocks: []core.Block{{Text: core.PlainText("a b")}}}},
		{"no order", "a\n\n{{summary}}\n\nb", core.Body{Blocks: []core.Block{{Text: core.PlainText("a\n\nb")}}}},
		{"silence", "\n", core.Body{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Consignment: &core.Consignment{TrackingURL: "https://x.example/1"}}
			if diff := cmp.Diff(tt.want, say(t, tt.template, in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWebURL(t *testing.T) {
	good := []string{"https://x.example", "http://x.example:8080/a?b#c", " https://x.example/ü ", "HTTPS://x.example"}
	bad := []string{"", "x.example", "//x.example", "https://", "https:///a", "mailto:a@x.example", "javascript://x.example/%0aalert(1)", "https://x .example", "https://x.example/a\nb", "https://x.example/\x00", "https://%zz", "data:text/html,x"}
	for _, s := range good {
		if _, ok := webURL(s); !ok {
			t.Errorf("webURL(%q): got refused, want taken", s)
		}
	}
	for _, s := range bad {
		if got, ok := webURL(s); ok {
			t.Errorf("webURL(%q): got %q, want refused", s, got)
		}
	}
}
