package main_test

import (
	"strings"
	"testing"
	"unicode"

	"tidings/channels/emulator"
)

// TestUnicode: promise 3. Whatever the text, all of it arrives on each platform.
func TestUnicode(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"9000 CJK characters":    strings.Repeat("漢字仮名交じり文を書く。", 750),
		"700 family emoji":       strings.Repeat("👨‍👩‍👧‍👦", 700),
		"5000 combining accents": strings.Repeat("e\u0301a\u0300o\u0302u\u0308n\u0303", 1000),
		"links":                  strings.Repeat("See https://shop.example.com/p/1?a=1&b=2#x_y and (https://example.org/a_(b)). ", 120),
		"code":                   strings.Repeat("if (a < b && c > d) { *p = \"x\"; } // `_\\_` ~~~ <!-- & --> [a](b) {{.X}} ${Y} <@U1> <!channel>\n", 100),
		"one long word":          strings.Repeat("Donaudampfschifffahrt", 800),
		"markup":                 "*bold* _italic_ ~strike~ `code` ```pre``` <b>b</b> &amp; &lt; **md** \\* [t](https://example.org) > quote\n- a\n1. b",
		"right to left":          strings.Repeat("שלום עולם، مرحبا بالعالم. ", 300),
		"zalgo":                  "Z" + strings.Repeat("\u0335\u0321\u0322", 900) + " end",
	}
	for _, channel := range allChannels {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			w := start(t, atFullSpeed)
			p := w.customer(1)
			w.vouch(channel, p)
			for name, text := range texts {
				before := len(w.shown(channel, p))
				w.tell(p, text)
				w.awaitMore(channel, p, before+1)
				w.quiet()
				got := w.shown(channel, p)[before:]
				if joined := blankless(got); joined != strip(text) {
					t.Errorf("%s: got %d bytes but for white space in %d messages, want %d: %s", name, len(joined), len(got), len(strip(text)), difference(joined, strip(text)))
				}
			}
			if got := w.sims[channel].Log().Rejected(); len(got) > 0 {
				t.Errorf("the platform refused %+v, want nothing refused", got)
			}
		})
	}
}

// blankless joins messages and leaves out white space, which a cut may take away.
func blankless(all []emulator.Shown) string {
	var b strings.Builder
	for _, m := range all {
		b.WriteString(strip(m.Text))
	}
	return b.String()
}

func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// difference shows where two texts part.
func difference(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	around := func(s string) string { return strings.ToValidUTF8(s[max(0, i-20):min(len(s), i+40)], "") }
	return "got " + around(got) + ", want " + around(want)
}

// TestLinesStay: white space is kept where nothing is cut.
func TestLinesStay(t *testing.T) {
	t.Parallel()
	const text = "Dear customer,\n\n  two spaces before,\n\nYours\n— the shop  & co"
	for _, channel := range allChannels {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			p := w.customer(1)
			w.vouch(channel, p)
			w.tell(p, text)
			if got := w.awaitMore(channel, p, 1)[0].Text; got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		})
	}
}
