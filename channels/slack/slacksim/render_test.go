package slacksim

import (
	"strings"
	"testing"
)

func TestWhatAMemberReads(t *testing.T) {
	s := New(Options{Users: []User{{ID: "U1", Name: "ines"}}})
	t.Cleanup(s.Close)
	for _, tt := range []struct {
		name, in string
		literal  bool
		want     string
	}{
		{"escapes", "a &lt;b&gt; &amp;amp; c", false, "a <b> &amp; c"},
		{"emphasis", "*bold* _it_ ~no~ `c*d*`", false, "bold it no c*d*"},
		{"marks inside of words", "2*3*4 snake_case_name", false, "2*3*4 snake_case_name"},
		{"marks around spaces", "* a * _ b _", false, "* a * _ b _"},
		{"nested", "*_both_*", false, "both"},
		{"marks do not reach over lines", "*a\nb*", false, "*a\nb*"},
		{"link", "<https://x.example/a_b_c|the *shop*> <https://x.example>", false, "the *shop* https://x.example"},
		{"mentions", "<@U1> <@U2> <#C1|general> <!here> <!date^1^x|soon>", false, "@ines @U2 #general @here soon"},
		{"unescaped brackets are lost", "a <b> c", false, "a b c"},
		{"quote", "> said\n&gt; so", false, "said\nso"},
		{"code block", "```\nx &lt; *y*\n```", false, "x < *y*"},
		{"bold around a link", "*<https://x.example|shop>*", false, "shop"},
		{"zero-width spaces keep marks", "\u200b*\u200bx*", false, "\u200b\u200bx"},
		{"without mrkdwn", "*a* &lt;", true, "*a* <"},
		{"umlauts are letters", "ü*a*", false, "ü*a*"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.plain(tt.in, !tt.literal); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChop(t *testing.T) {
	for _, tt := range []struct {
		text string
		size int
		want []string
	}{
		{"abcde", 2, []string{"ab", "cd", "e"}},
		{"😀😀", 3, []string{"😀", "😀"}},
		{"", 3, nil},
	} {
		got := chop(tt.text, tt.size)
		if len(got) != len(tt.want) {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
			}
		}
	}
}

func FuzzPlain(f *testing.F) {
	s := New(Options{})
	for _, seed := range []string{"*a* <b|c> `d`", "```x```` <@U1> &lt;", "`<a|b>` *_~", "\ufdd0xx\ufdd1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if got := s.plain(escape.Replace(in), false); got != in {
			t.Errorf("escaped and without marks: got %q, want %q", got, in)
		}
		if got := s.plain(in, true); strings.ContainsAny(got, "\ufdd0\ufdd1") {
			t.Errorf("%q: a mark is left in %q", in, got)
		}
	})
}
