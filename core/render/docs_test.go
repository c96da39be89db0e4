package render

import (
	"os"
	"strings"
	"testing"

	"tidings/core"
)

// TestDocs finds what docs/texts.md forgot.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/texts.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	want = append(want, textNames()...)
	want = append(want, ParamPaths()...)
	for name := range functions(formatFor("en")) {
		if name != guardName {
			want = append(want, name)
		}
	}
	sources, _ := load(nil)
	for name := range sources["en"] {
		want = append(want, name)
	}
	for _, f := range formats {
		want = append(want, f.locale)
	}
	want = append(want, string(core.MessageRequested))
	for _, name := range want {
		if name != "" && !strings.Contains(string(page), "`"+name+"`") && !strings.Contains(string(page), "`"+name+" ") {
			t.Errorf("docs/texts.md does not mention %s", name)
		}
	}
}
