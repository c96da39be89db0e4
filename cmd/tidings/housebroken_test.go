package main

import (
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHouseRules shows each rule a house that breaks it, and beside it what is
// allowed.
func TestHouseRules(t *testing.T) {
	long := strings.Repeat("\n", maxFunction)
	for _, tt := range []struct {
		rule  string
		house house
		files map[string]string
		want  []string
	}{
		{rule: "import direction", house: house{packages: []pkg{
			{name: "core/elsewhere/deep"},
			{name: "core/route", imports: map[string]bool{"tidings/core": false, "time": false, "tidings/config": false}},
			{name: "core/dispatch", imports: map[string]bool{"tidings/core/store": true, "tidings/core/split": false, "tidings/core/intake": true}},
			{name: "channels/telegram", imports: map[string]bool{"tidings/channels/telegram/telegramsim": true, "tidings/channels/slack/slacksim": true}},
			{name: "channels", imports: map[string]bool{"tidings/channels/sms": false, "tidings/channels/sandbox": false}},
		}}, want: []string{
			"channels must not import channels/sandbox: the table knows the adapters, not what they are tested with",
			"channels/telegram must not import channels/slack/slacksim: an adapter sees neither the store nor another adapter, neither the configuration nor its own emulator",
			"core/dispatch must not import core/intake: the use cases do not see each other: they meet in the lanes",
			"core/elsewhere/deep: no line in rooms says what it may import",
			"core/route must not import config: pure: what goes in decides what comes out",
		}},
		{rule: "hidden weight", house: house{packages: []pkg{
			{name: "channels/slack", deps: []string{"net/http", "github.com/spf13/viper"}}, {name: "config", deps: []string{"github.com/spf13/viper"}},
		}}, want: []string{"channels/slack links github.com/spf13/viper; go mod why tells through whom"}},
		{rule: "one home per dependency", house: house{requires: []string{"rsc.io/qr", "rsc.io/pdf"}, packages: []pkg{
			{name: "core", imports: map[string]bool{"fmt": false, "pgregory.net/rapid": true, "github.com/google/go-cmp/cmp": false, "rsc.io/qrcode": false}},
			{name: "core/web/admin", imports: map[string]bool{"github.com/gin-gonic/gin/binding": false}},
		}}, want: []string{
			"core imports github.com/google/go-cmp/cmp, whose home is [channels/channeltest core/store/storetest], in tests also [...]",
			"core imports rsc.io/qrcode, which has no line in homes",
			"go.mod: rsc.io/pdf has no line in homes",
		}},
		{rule: "no clock", files: map[string]string{
			"core/pace/a.go": "package pace\nimport \"time\"\nvar now = time.Now\nvar day = time.Hour", "core/pace/b.go": "package pace\nimport clock \"time\"\nvar now = clock.Now", "core/lane/a.go": "package lane\nimport \"time\"\nvar now = time.Now",
		}, want: []string{"core/pace/a.go:3: reads the clock: time.Now", "core/pace/b.go:3: reads the clock: time.Now"}},
		{rule: "no platform in the core", files: map[string]string{
			"core/a.go": "package core\nconst a, b, slack = `for Slack`, \"your messenger\", 1\nconst c = `telegram_file`", "channels/a.go": "package channels\nconst a = \"slack\"",
		}, want: []string{"core/a.go:2: names a platform: `for Slack`", "core/a.go:3: names a platform: `telegram_file`"}},
		{rule: "no init", files: map[string]string{"core/a.go": "package core\nfunc init() {}\ntype t int\nfunc (t) init() {}"}, want: []string{"core/a.go:2: func init"}},
		{rule: "no written globals", files: map[string]string{
			"core/a.go":      "package core\nvar n, m = 0, map[int]int{}\nvar _ = n\nfunc f(n int) { n++; m[1] = n; _ = n; other.x = 1; far = 2 }",
			"core/b.go":      "package core\nvar other struct{ x int }",
			"core/c_test.go": "package core_test\nvar far = 1",
			"core/d.go":      "package core\nimport web \"net/http\"\nfunc g() { delete(m, 1) }\nfunc h() { for n = range 3 {} }\nfunc i() { web.DefaultClient.Timeout = 1 }\nfunc j(web *T) { web.x = 1 }",
		}, want: []string{
			"core/a.go:4: writes the package variable m", "core/a.go:4: writes the package variable other", "core/d.go:3: writes the package variable m",
			"core/d.go:4: writes the package variable n", "core/d.go:5: writes the package variable web.DefaultClient",
		}},
		{rule: "package comments", house: house{packages: []pkg{{name: "core/pace", doc: "Package pace keeps time."}, {name: "core/lane", doc: "Lanes."}}},
			want: []string{`core/lane: its comment starts with "Lanes.", want "Package lane "`}},
		{rule: "short functions", files: map[string]string{
			"core/a.go": "package core\nfunc f() {" + long + "}\nfunc g() {" + long[1:] + "}", "core/a_test.go": "package core\nfunc f() {" + long + "}",
			"core/b.go": "package core\nvar f = func() {" + long + "}",
		}, want: []string{"core/a.go:2: f has 61 lines, want at most 60", "core/b.go:2: a function without a name has 61 lines, want at most 60"}},
		{rule: "short files", files: map[string]string{"core/a.go": "package core" + strings.Repeat("\n", maxFile+1), "core/b.go": "package core" + strings.Repeat("\n", maxFile-1)},
			want: []string{"core/a.go has 421 lines, want at most 420"}},
		{rule: "top level", house: house{top: []string{"cmd", ".ci", "pkg"}}, want: []string{"pkg: only [cmd core channels config docs config.example.yaml Makefile go.mod go.sum README.md LICENSE CHANGELOG.md] and files with a dot stand there"}},
		{rule: "nothing unfinished", files: map[string]string{"docs/a.md": "Todos.\nTO" + "DO: more"}, want: []string{"docs/a.md:2: TO" + "DO: more"}},
		{rule: "no sleep in tests", files: map[string]string{
			"core/a.go":           "package core\nimport \"time\"\nfunc f() { time.Sleep(1) }",
			"core/a_test.go":      "package core\nimport nap \"time\"\nfunc TestF(t int) { run(func() { nap.Sleep(1) }) }\nfunc TestG(t int) { nap.Sleep(1) }",
			"core/b_test.go":      "package core\nimport (\"testing/synctest\"; \"time\")\nfunc run(f func()) { synctest.Test(t, f) }\nfunc fake() { time.Sleep(1) }",
			"core/lane/a_test.go": "package lane\nimport \"time\"\nfunc fake() { time.Sleep(1) }",
		}, want: []string{"core/a_test.go:4: sleeps outside synctest.Test", "core/lane/a_test.go:3: sleeps outside synctest.Test"}},
	} {
		t.Run(strings.ReplaceAll(tt.rule, " ", "-"), func(t *testing.T) {
			h := tt.house
			h.module, h.fset, h.texts = "tidings", token.NewFileSet(), map[string]string{}
			for _, name := range slices.Sorted(maps.Keys(tt.files)) {
				h.add(t, name, tt.files[name])
			}
			i := slices.IndexFunc(rules, func(r rule) bool { return r.name == tt.rule })
			if i < 0 {
				t.Fatalf("got no rule of the name %q", tt.rule)
			}
			got := rules[i].faults(&h)
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
