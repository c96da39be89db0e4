package inbound

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// bare is a text without its white space, which alone may go at a cut.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

func TestEntriesLoseNothing(t *testing.T) {
	piece := rapid.OneOf(
		rapid.StringN(0, 40, -1),
		rapid.SampledFrom([]string{"🫖", "👩‍👩‍👧‍👦", "漢字", "\n\n", " ", "\u3000", "é", "\ufffd", "word "}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 4).Draw(t, "pieces") {
			b.WriteString(strings.Repeat(piece.Draw(t, "piece"), rapid.IntRange(1, 2000).Draw(t, "times")))
		}
		text := b.String()
		got := entries(text)
		for _, e := range got {
			if n := len(utf16.Encode([]rune(e))); n > maxEntry || e == "" {
				t.Fatalf("got an entry of %d units, want 1 to %d", n, maxEntry)
			}
		}
		joined := strings.Join(got, "")
		if bare(joined) != bare(text) {
			t.Fatalf("got %d bytes without white space, want %d", len(bare(joined)), len(bare(text)))
		}
		if len(utf16.Encode([]rune(text))) <= maxEntry && joined != text {
			t.Fatal("a text that fits has been changed")
		}
	})
}

func TestEntriesAreCutAtWhiteSpace(t *testing.T) {
	word := strings.Repeat("x", 99) + " "
	for _, x := range []struct {
		name, text string
		want       []int // UTF-16 units of each entry
	}{
		{"empty", "", nil},
		{"just fits", strings.Repeat("x", 5000), []int{5000}},
		{"fits in units of two", strings.Repeat("🫖", 2500), []int{5000}},
		{"one too many", strings.Repeat("🫖", 2501), []int{5000, 2}},
		{"an odd one before", "x" + strings.Repeat("🫖", 2500), []int{4999, 2}},
		{"at a word", strings.Repeat(word, 60), []int{4999, 1000}},
		{"white space far in front is no place to cut", "x " + strings.Repeat("y", 6000), []int{5000, 1002}},
		{"only white space in an entry", strings.Repeat(" ", 6000) + "x", []int{1}},
		{"white space behind", strings.Repeat("x", 5000) + "   ", []int{5000}},
		{"bytes that are no text", strings.Repeat("\xff", 5001), []int{5000, 1}},
	} {
		var got []int
		for _, e := range entries(x.text) {
			got = append(got, len(utf16.Encode([]rune(e))))
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", x.name, diff)
		}
	}
}
