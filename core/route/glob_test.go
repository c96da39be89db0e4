package route

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/core"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a.b@c", true},
		{"**", "x", true},
		{"order.*", "order.shipped", true},
		{"order.*", "order.", true},
		{"order.*", "orders", false},
		{"order.*", "reorder.x", false},
		{"*@bigclient.example", "ines@bigclient.example", true},
		{"*@bigclient.example", "ines@bigclient.example.org", false},
		{"*@*.example", "a@b@c.example", true},
		{"a?c", "abc", true},
		{"a?c", "aßc", true},
		{"a?c", "ac", false},
		{"?", "", false},
		{"*a*b", "xaxbxab", true},
		{"*a*b", "xaxbx", false},
		{"[a]", "a", false},
		{"a|b", "a|b", true},
	}
	for _, tt := range tests {
		if got := Glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("Glob(%q, %q) = %v, want %v", tt.pattern, tt.s, got, tt.want)
		}
	}
}

func TestGlobAgreesWithARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab.*?]{0,10}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab.]{0,12}`).Draw(t, "s")
		expr := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`^(?s:` + expr + `)$`).MatchString(s)
		if got := Glob(pattern, s); got != want {
			t.Fatalf("Glob(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

func TestGlobIsNotExponential(t *testing.T) {
	start := time.Now()
	if Glob(strings.Repeat("*a", 2000)+"b", strings.Repeat("a", 4000)) {
		t.Error("matched")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestMatches(t *testing.T) {
	f := Facts{Event: core.OrderShipped, CustomerUID: "Ines.Vidal@Example.com", Site: "electronics", Locale: "de_AT"}
	tests := []struct {
		name string
		m    Match
		want bool
	}{
		{"nothing asked", Match{}, true},
		{"group of events", Match{Event: []string{"ticket.*", "order.*"}}, true},
		{"another event", Match{Event: []string{"ticket.*"}}, false},
		{"customer in another case", Match{Customer: []string{"*@EXAMPLE.com"}}, true},
		{"another customer", Match{Customer: []string{"*@example.org"}}, false},
		{"site", Match{Site: []string{"elec*"}}, true},
		{"another site", Match{Site: []string{"apparel"}}, false},
		{"language alone", Match{Locale: []string{"DE"}}, true},
		{"language and region", Match{Locale: []string{"de-AT"}}, true},
		{"another region", Match{Locale: []string{"de-CH"}}, false},
		{"a language that begins alike", Match{Locale: []string{"d"}}, false},
		{"all lists must pass", Match{Event: []string{"order.*"}, Site: []string{"apparel"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.m.Matches(f); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if (Match{Locale: []string{"de"}}).Matches(Facts{}) {
		t.Error("an unknown language passes as de")
	}
}
