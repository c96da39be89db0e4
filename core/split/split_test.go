package split_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidings/core"
	"tidings/core/split"
)

// buttoned is a platform like the stricter ones: short texts above buttons.
func buttoned() core.Limits {
	return core.Limits{
		Text:        core.Limit{Max: 100, Unit: core.UTF16},
		Picture:     true,
		Caption:     core.Limit{Max: 20, Unit: core.Runes},
		Buttons:     core.Limit{Max: 3},
		ButtonText:  core.Limit{Max: 40, Unit: core.Bytes},
		ButtonTitle: core.Limit{Max: 10, Unit: core.Runes},
		ButtonValue: core.Limit{Max: 8, Unit: core.Bytes},
		ButtonURL:   core.Limit{Max: 30, Unit: core.Bytes},
		Order:       core.OrderLimits{Native: true, Lines: core.Limit{Max: 2}, Needs: []string{"code", "customerName", "payment", "total"}},
	}
}

// sketch writes parts down so that a test can show them.
func sketch(parts []core.Part) []string {
	var out []string
	for _, p := range parts {
		var b strings.Builder
		switch {
		case p.Order != nil:
			fmt.Fprintf(&b, "order %s", p.Order.Order.Code)
		case p.Picture != nil:
			fmt.Fprintf(&b, "picture %s alt %q caption %q", p.Picture.URL, p.Picture.Alt, p.Picture.Caption.Plain())
		default:
			b.WriteString(p.Text.Plain())
		}
		for _, button := range p.Buttons {
			fmt.Fprintf(&b, " [%s]", button.Title)
		}
		out = append(out, b.String())
	}
	return out
}

func wantParts(t *testing.T, body core.Body, lim core.Limits, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, sketch(split.Parts(body, lim, key))); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func blocks(texts ...string) []core.Block {
	var out []core.Block
	for _, s := range texts {
		out = append(out, core.Block{Text: core.PlainText(s)})
	}
	return out
}

func TestEmptyBodyGivesNoParts(t *testing.T) {
	for name, body := range map[string]core.Body{
		"nothing":       {},
		"empty block":   {Blocks: []core.Block{{}}},
		"white space":   {Blocks: blocks(" \n\t", "\u00a0")},
		"empty button":  {Buttons: []core.Button{{}}},
		"empty order":   {Blocks: []core.Block{{Order: &core.OrderSummary{}}}},
		"empty picture": {Blocks: []core.Block{{Picture: &core.Picture{}}}},
	} {
		if got := split.Parts(body, buttoned(), key); len(got) != 0 {
			t.Errorf("%s: %d parts, want none: %+v", name, len(got), got)
		}
	}
}

func TestPartsAreNumberedAndKeyed(t *testing.T) {
	got := split.Parts(core.Body{Blocks: blocks("one two")}, runes(3), key)
	want := []core.Part{
		{Key: "k-1", N: 1, Of: 2, Text: core.PlainText("one")},
		{Key: "k-2", N: 2, Of: 2, Text: core.PlainText("two")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTextsAreJoinedByABlankLine(t *testing.T) {
	wantParts(t, core.Body{Blocks: blocks("one", " ", "two", "three")}, runes(50), "one\n\ntwo\n\nthree")
}

func TestNoLimitIsNoCut(t *testing.T) {
	long := strings.Repeat("word ", 10_000)
	wantParts(t, core.Body{Blocks: blocks(long)}, core.Limits{}, long)
}

func TestMarkupThatThePlatformLacksIsFlattened(t *testing.T) {
	in := core.Text{
		{Text: "See ", Style: core.Bold | core.Italic},
		{Text: "your ", Style: core.Bold, Link: "https://a.example"},
		{Text: "order", Link: "https://a.example"},
		{Text: " or "},
		{Text: "https://b.example", Link: "https://b.example"},
		{Text: "", Link: "https://c.example"},
		{Text: "."},
	}
	tests := map[string]struct {
		markup core.Markup
		want   core.Text
	}{
		"all": {core.Markup{Styles: core.Bold | core.Italic, Links: true}, core.Text{
			in[0], in[1], in[2], in[3], in[4], {Text: "https://c.example", Link: "https://c.example"}, in[6],
		}},
		"bold": {core.Markup{Styles: core.Bold}, core.Text{
			{Text: "See your ", Style: core.Bold}, {Text: "order: https://a.example or https://b.examplehttps://c.example."},
		}},
		"none": {core.Markup{}, core.PlainText("See your order: https://a.example or https://b.examplehttps://c.example.")},
	}
	for name, test := range tests {
		lim := runes(500)
		lim.Markup = test.markup
		if diff := cmp.Diff(test.want, text(lim, in)[0].Text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestButtonsGoWithTheLastText(t *testing.T) {
	link := core.Button{Title: "Track", URL: "https://a.example/1"}
	help := core.Button{Title: "Help", Value: "help"}
	stop := core.Button{Title: "Stop", Value: "stop"}
	shop := core.Button{Title: "Shop", URL: "https://a.example/"}
	long := "one two three four five six seven eight nine ten eleven twelve."
	tail := long[len("one two three four five "):]
	order := core.Block{Order: &core.OrderSummary{Order: fullOrder(), Text: core.PlainText("words")}}
	picture := core.Block{Picture: &core.Picture{URL: "https://a.example/p.jpg"}}

	tests := []struct {
		name    string
		blocks  []core.Block
		buttons []core.Button
		want    []string
	}{
		{"short text", blocks("hello"), []core.Button{link, help}, []string{"hello [Track] [Help]"}},
		{"text too long for buttons", blocks(long), []core.Button{link}, []string{long[:len(long)-len(tail)-1], tail + " [Track]"}},
		{"paragraph is the better place", blocks("one two three.\n\nfour five six seven.", "nine ten eleven"), []core.Button{link},
			[]string{"one two three.", "four five six seven.\n\nnine ten eleven [Track]"}},
		{"before an order", append(blocks("hello"), order), []core.Button{link}, []string{"hello [Track]", "order 17"}},
		{"no text at all", []core.Block{order, picture}, []core.Button{link, help},
			[]string{"order 17", `picture https://a.example/p.jpg alt "" caption ""`, "Track: https://a.example/1\nHelp"}},
		{"links overflow first", blocks("hello"), []core.Button{help, link, shop, stop, help},
			[]string{"hello\n\nTrack: https://a.example/1", "Shop: https://a.example/ [Help] [Stop] [Help]"}},
		{"then answers, from the end", blocks("hello"), []core.Button{help, stop, help, stop}, []string{"hello\n\nStop [Help] [Stop] [Help]"}},
		{"title too long", blocks("hello"), []core.Button{{Title: "Track this now", URL: "https://a.example"}, help},
			[]string{"hello\n\nTrack this now: https://a.example [Help]"}},
		{"value too long", blocks("hello"), []core.Button{{Title: "Help", Value: "123456789"}}, []string{"hello\n\nHelp"}},
		{"address too long", blocks("hello"), []core.Button{{Title: "Go", URL: "https://a.example/" + strings.Repeat("x", 13)}},
			[]string{"hello\n\nGo: https://a.example/xxxxxxxxxxxxx"}},
		{"no title", blocks("hello"), []core.Button{{URL: "https://a.example"}}, []string{"hello\n\nhttps://a.example"}},
		{"link at the end too long for buttons", blocks("see https://a.example/" + strings.Repeat("x", 60)), []core.Button{link},
			[]string{"see https://a.example/" + strings.Repeat("x", 60), "Track: https://a.example/1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantParts(t, core.Body{Blocks: test.blocks, Buttons: test.buttons}, buttoned(), test.want...)
		})
	}
}

func TestNoButtonsOnThePlatform(t *testing.T) {
	wantParts(t, core.Body{Blocks: blocks("hello"), Buttons: []core.Button{
		{Title: "Track", URL: "https://a.example/1"}, {Title: "https://b.example", URL: "https://b.example"}, {Title: "Help", Value: "help"},
	}}, runes(100), "hello\n\nTrack: https://a.example/1\nhttps://b.example\nHelp")
}

func TestKindsOfButtonsThatAreNotOffered(t *testing.T) {
	lim := buttoned()
	lim.ButtonURL = core.Limit{}
	wantParts(t, core.Body{Blocks: blocks("hello"), Buttons: []core.Button{
		{Title: "Track", URL: "https://a.example/1"}, {Title: "Help", Value: "help"},
	}}, lim, "hello\n\nTrack: https://a.example/1 [Help]")
}

// fullOrder has all that buttoned needs.
func fullOrder() core.Order {
	return core.Order{
		Code: "17", CustomerName: "Ines", Payment: "Visa", Total: core.Money{Amount: "83.80", Currency: "EUR"},
		Lines: []core.OrderLine{{Name: "Lens"}, {Name: "Bag"}},
	}
}

func TestOrderHasItsFormOnlyWhenNothingIsMissing(t *testing.T) {
	tests := map[string]struct {
		change func(*core.Order, *core.Limits)
		native bool
	}{
		"all there":         {func(*core.Order, *core.Limits) {}, true},
		"no form":           {func(_ *core.Order, l *core.Limits) { l.Order.Native = false }, false},
		"no lines":          {func(o *core.Order, _ *core.Limits) { o.Lines = nil }, false},
		"line without name": {func(o *core.Order, _ *core.Limits) { o.Lines[1].Name = " " }, false},
		"too many lines":    {func(o *core.Order, _ *core.Limits) { o.Lines = append(o.Lines, o.Lines[0]) }, false},
		"no known most":     {func(_ *core.Order, l *core.Limits) { l.Order.Lines.Max = 0 }, true},
		"no name":           {func(o *core.Order, _ *core.Limits) { o.CustomerName = "" }, false},
		"blank payment":     {func(o *core.Order, _ *core.Limits) { o.Payment = " " }, false},
		"no total":          {func(o *core.Order, _ *core.Limits) { o.Total = core.Money{} }, false},
		"total of nothing":  {func(o *core.Order, _ *core.Limits) { o.Total.Amount = "0" }, true},
		"no currency":       {func(o *core.Order, _ *core.Limits) { o.Total.Currency = "" }, false},
		"needs shipTo":      {func(_ *core.Order, l *core.Limits) { l.Order.Needs = []string{"shipTo"} }, false},
		"has shipTo": {func(o *core.Order, l *core.Limits) {
			l.Order.Needs = []string{"shipTo"}
			o.ShipTo = &core.PostAddress{City: "Porto"}
		}, true},
		"needs placed":       {func(_ *core.Order, l *core.Limits) { l.Order.Needs = []string{"placed"} }, false},
		"has placed":         {func(o *core.Order, l *core.Limits) { l.Order.Needs = []string{"placed"}; o.Placed = time.Unix(1, 0) }, true},
		"needs what is not":  {func(_ *core.Order, l *core.Limits) { l.Order.Needs = []string{"color"} }, false},
		"needs by Go's name": {func(_ *core.Order, l *core.Limits) { l.Order.Needs = []string{"Code"} }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			order, lim := fullOrder(), buttoned()
			test.change(&order, &lim)
			want := []string{"before", "order 17", "after"}
			if !test.native {
				want = []string{"before\n\nin words\n\nafter"}
			}
			body := core.Body{Blocks: blocks("before", "", "after")}
			body.Blocks[1] = core.Block{Order: &core.OrderSummary{Order: order, Text: core.PlainText("in words")}}
			wantParts(t, body, lim, want...)
		})
	}
}

func TestPictures(t *testing.T) {
	none := buttoned()
	none.Picture = false
	bare := buttoned()
	bare.Caption = core.Limit{}
	long := "a caption of more than twenty characters"
	tests := []struct {
		name    string
		lim     core.Limits
		picture core.Picture
		want    []string
	}{
		{"caption beside", buttoned(), core.Picture{URL: "u", Alt: "A lens", Caption: core.PlainText("Your lens")},
			[]string{"one", `picture u alt "A lens" caption "Your lens"`, "two"}},
		{"caption too long", buttoned(), core.Picture{URL: "u", Caption: core.PlainText(long)},
			[]string{"one", `picture u alt "" caption ""`, long + "\n\ntwo"}},
		{"no captions", bare, core.Picture{URL: "u", Caption: core.PlainText("Your lens")},
			[]string{"one", `picture u alt "" caption ""`, "Your lens\n\ntwo"}},
		{"no address", buttoned(), core.Picture{Alt: "A lens"}, []string{"one\n\nA lens\n\ntwo"}},
		{"no pictures", none, core.Picture{URL: "u", Alt: "A lens", Caption: core.PlainText("Your lens")},
			[]string{"one\n\nA lens\n\nYour lens\n\ntwo"}},
		{"no pictures, one text for both", none, core.Picture{URL: "u", Alt: "A lens", Caption: core.PlainText("A lens")},
			[]string{"one\n\nA lens\n\ntwo"}},
		{"no pictures and no words", none, core.Picture{URL: "https://a.example/p.jpg"}, []string{"one\n\nhttps://a.example/p.jpg\n\ntwo"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := core.Body{Blocks: blocks("one", "", "two")}
			body.Blocks[1] = core.Block{Picture: &test.picture}
			wantParts(t, body, test.lim, test.want...)
		})
	}
}

// Parts must not write into what it was given, nor give away what it shares.
func TestBodyIsLeftAlone(t *testing.T) {
	body := func() core.Body {
		return core.Body{
			Blocks: []core.Block{
				{Text: core.Text{{Text: "a", Style: core.Bold}, {Text: "b"}}},
				{Picture: &core.Picture{URL: "u", Caption: core.PlainText(strings.Repeat("long ", 9))}},
				{Order: &core.OrderSummary{Order: fullOrder(), Text: core.PlainText("x")}},
			},
			Buttons: []core.Button{{Title: "Help", Value: "help"}},
		}
	}
	got := body()
	split.Parts(got, buttoned(), key)
	split.Parts(got, runes(2), key)
	if diff := cmp.Diff(body(), got); diff != "" {
		t.Errorf("body changed (-want +got):\n%s", diff)
	}
}

// Buttons never get lost, and never stand below too much text.
func TestButtonsAreCompleteAndWithinTheirLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lim := buttoned()
		lim.Text.Max = rapid.IntRange(60, 300).Draw(t, "text")
		lim.ButtonText.Max = rapid.IntRange(60, 300).Draw(t, "button text")
		lim.Encoded = rapid.Bool().Draw(t, "encoded")
		lim.Escape = map[string]string{"&": "&amp;"}
		in := plains().Draw(t, "in")
		var buttons []core.Button
		for i := range rapid.IntRange(1, 6).Draw(t, "buttons") {
			b := core.Button{Title: fmt.Sprintf("B%d-%s", i, strings.Repeat("x", rapid.IntRange(0, 9).Draw(t, "title")))}
			if rapid.Bool().Draw(t, "link") {
				b.URL = "https://x.example/" + strings.Repeat("y", rapid.IntRange(0, 15).Draw(t, "url"))
			} else {
				b.Value = strings.Repeat("v", rapid.IntRange(1, 10).Draw(t, "value"))
			}
			buttons = append(buttons, b)
		}
		parts := split.Parts(core.Body{Blocks: blocks(in), Buttons: buttons}, lim, key)
		shown := make(map[string]bool)
		for i, p := range parts {
			if len(p.Buttons) > 0 && i+1 != len(parts) {
				t.Fatalf("part %d of %d has the buttons", i+1, len(parts))
			}
			if !fits(p.Text, lim) {
				t.Fatalf("part %d is too long: %q", i+1, p.Text.Plain())
			}
			if len(p.Buttons) > 0 && naive(p.Text, lim.ButtonText, lim.Encoded, lim) > lim.ButtonText.Max {
				t.Fatalf("part %d is too long for its buttons: %q", i+1, p.Text.Plain())
			}
			if len(p.Buttons) > lim.Buttons.Max {
				t.Fatalf("%d buttons", len(p.Buttons))
			}
			for _, b := range p.Buttons {
				shown[b.Title] = true
			}
		}
		words := strings.Join(plainsOf(parts), "\n")
		var lines []string
		for _, b := range buttons {
			if shown[b.Title] == strings.Contains(words, b.Title) {
				t.Fatalf("button %q: shown %v, in words %v", b.Title, shown[b.Title], !shown[b.Title])
			}
			if !shown[b.Title] {
				line := b.Title
				if b.URL != "" {
					line += ": " + b.URL
				}
				lines = append(lines, line)
			}
		}
		whole := in + "\n\n" + strings.Join(lines, "\n")
		if _, err := place(whole, plainsOf(parts)); err != nil {
			t.Fatal(err)
		}
	})
}

// Whole messages as people would see them. Rewrite the files with
// UPDATE_GOLDEN=1 and look at the difference.
func TestGolden(t *testing.T) {
	limits := map[string]core.Limits{
		"sms-160":      {Text: core.Limit{Max: 160, Unit: core.UTF16}},
		"messenger":    {Text: core.Limit{Max: 300, Unit: core.UTF16}, Buttons: core.Limit{Max: 3}, ButtonText: core.Limit{Max: 120, Unit: core.UTF16}, ButtonTitle: core.Limit{Max: 20, Unit: core.Runes}, ButtonURL: core.Limit{Max: 200, Unit: core.Runes}},
		"encoded-html": {Text: core.Limit{Max: 400, Unit: core.Bytes}, Encoded: true, Escape: map[string]string{"&": "&amp;", "<": "&lt;", ">": "&gt;"}, RunOverhead: 15, Markup: core.Markup{Styles: core.Bold | core.Code, Links: true}},
	}
	raw, err := os.ReadFile(filepath.Join("testdata", "message.txt"))
	if err != nil {
		t.Fatal(err)
	}
	before, code, _ := strings.Cut(string(raw), "%%\n")
	body := core.Body{
		Blocks: []core.Block{
			{Text: core.Text{{Text: "Order 00417003", Style: core.Bold}, {Text: "\n" + before}, {Text: "Terms & conditions", Link: "https://shop.example.com/terms?lang=en&v=3"}}},
			{Text: core.Text{{Text: code, Style: core.Code}}},
		},
		Buttons: []core.Button{{Title: "Track", URL: "https://shop.example.com/track/00417003"}},
	}
	for name, lim := range limits {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, p := range split.Parts(body, lim, key) {
				shown, _ := split.Measure(p.Text, lim)
				fmt.Fprintf(&b, "---- %d of %d, %d %s\n", p.N, p.Of, shown, lim.Text.Unit)
				for _, run := range p.Text {
					fmt.Fprintf(&b, "%s", run.Text)
					if run.Style != 0 || run.Link != "" {
						fmt.Fprintf(&b, "{%d %s}", run.Style, run.Link)
					}
				}
				for _, button := range p.Buttons {
					fmt.Fprintf(&b, "\n[%s]", button.Title)
				}
				b.WriteString("\n")
			}
			golden(t, filepath.Join("testdata", name+".golden"), b.String())
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
