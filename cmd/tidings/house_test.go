package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHouse keeps the rules of the house (docs/ARCHITECTURE.md). A new room, a
// new dependency or an exception is a new line in one of the tables below, with
// its reason; a rule without one is not a rule.
func TestHouse(t *testing.T) {
	h := openHouse(t)
	if len(h.packages) < 20 || len(h.files) < 100 {
		t.Fatalf("got %d packages and %d files, want the whole house", len(h.packages), len(h.files))
	}
	for _, r := range rules {
		t.Run(strings.ReplaceAll(r.name, " ", "-"), func(t *testing.T) {
			for _, f := range r.faults(h) {
				t.Errorf("%s\n\twhy: %s", f, r.why)
			}
		})
	}
}

type rule struct {
	name, why string
	faults    func(*house) []string
}

var rules = []rule{
	{"import direction", "imports run one way, so that a room can be read, tested and exchanged without those above it", importDirection},
	{"hidden weight", "what an adapter or the core drags in behind its own imports counts as well", hiddenWeight},
	{"one home per dependency", "what only one room knows can be replaced in one room", oneHome},
	{"no clock", "time is an argument: what depends on the clock cannot be replayed", noClock},
	{"no platform in the core", "a new platform is a folder and a line in channels/types.go, never a case in the core", noPlatform},
	{"no init", "what runs before main is in no list of steps", noInit},
	{"no written globals", "a package variable is a table; one that is written makes two gateways, or two tests, one", noWrittenGlobals},
	{"package comments", "the folder's first screen says what it promises and what it leaves to others", packageComments},
	{"short functions", "a function does one thing", shortFunctions},
	{"short files", "a file is about one thing", shortFiles},
	{"top level", "the top of the tree is the user's card; a new entry needs a better reason than that there was no better place", topLevel},
	{"nothing unfinished", "work that is left is an issue; in the code nobody finds it", nothingUnfinished},
	{"no sleep in tests", "a test that sleeps is slow on good days and red on bad ones: use testing/synctest", noSleep},
}

// room is a package, or a pattern of them (path.Match), and what of this module
// it may import. The first row that matches counts. "./" is the package's folder, "!" takes one
// out again.
type room struct {
	path  string
	sees  []string
	tests []string // in its tests as well
	why   string
}

const (
	maxFunction = 60
	maxFile     = 420
)

var (
	useCase = []string{"core", "core/lane", "core/pace", "core/render", "core/route", "core/seal", "core/split"}
	outside = []string{"channels/emulator", "core/hybris", "core/hybris/hybrissim", "core/store"}
	rooms   = []room{
		{"cmd/tidings", []string{"channels", "channels/emulator", "channels/sandbox", "channels/*/*sim", "config", "core", "core/*", "core/hybris/hybrissim"}, nil, "all wiring is here, and only wiring"},
		{"cmd/bench", []string{"channels/telegram/telegramsim"}, []string{"channels/telegram", "core"}, "it measures the program as it is built, over HTTP, and needs nothing of it but a platform to send to"},
		{"config", []string{"core", "core/route"}, []string{"channels"}, "a configuration is what the rooms ask for; it opens none of them"},

		{"channels", []string{"core", "channels/*", "!channels/channeltest", "!channels/emulator", "!channels/sandbox"}, nil, "the table knows the adapters, not what they are tested with"},
		{"channels/channeltest", []string{"channels/emulator", "core", "core/split"}, []string{"channels/*", "channels/*/*sim"}, "the exam knows the interfaces, not those who sit it"},
		{"channels/emulator", nil, []string{"channels/*/*sim"}, "what emulators have in common knows neither them nor the gateway"},
		{"channels/sandbox", []string{"channels/emulator", "channels/*/*sim", "core/hybris/hybrissim"}, []string{"channels", "config", "core", "core/*"}, "the sandbox is the world around a gateway that it meets by HTTP alone"},
		{"channels/*/*sim", []string{"channels/emulator"}, nil, "an emulator is an independent reading of the platform's documents; what it shared with the adapter it could not examine"},
		{"channels/*", []string{"core"}, []string{"channels/channeltest", "channels/emulator", "./*sim"}, "an adapter sees neither the store nor another adapter, neither the configuration nor its own emulator"},

		{"core", nil, nil, "the nouns are everybody's and know nobody"},
		{"core/lane", []string{"core", "core/pace"}, []string{"core/store", "core/store/storetest"}, "the engine knows work and keys, not what the work is"},
		{"core/store/storetest", []string{"core", "core/lane"}, nil, "one suite for every database"},
		{"core/store", []string{"core", "core/lane"}, []string{"./storetest"}, "the store implements what the engine asks for and decides nothing"},
		{"core/dispatch", useCase, outside, "the use cases do not see each other: they meet in the lanes"},
		{"core/inbound", useCase, slices.Concat(outside, []string{"core/dispatch", "core/intake"}), "the use cases do not see each other: they meet in the lanes (its tests follow a question through all three)"},
		{"core/intake", useCase, outside, "the use cases do not see each other: they meet in the lanes"},
		{"core/hybris/hybrissim", []string{"channels/emulator"}, nil, "an emulator is an independent reading of the shop's documents"},
		{"core/hybris", []string{"core"}, []string{"./hybrissim"}, "the shop's client knows the interface that it implements"},
		{"core/web", []string{"core", "core/dispatch", "core/inbound", "core/intake", "core/lane"}, []string{"core/*"}, "the web turns requests into calls of the use cases"},
		{"core/*", []string{"core"}, nil, "pure: what goes in decides what comes out"},
	}
)

func importDirection(h *house) (faults []string) {
	for _, p := range h.packages {
		i := slices.IndexFunc(rooms, func(r room) bool { return matches(p.name, "", r.path) })
		if i < 0 {
			faults = append(faults, fmt.Sprintf("%s: no line in rooms says what it may import", p.name))
			continue
		}
		r := rooms[i]
		for imported, testOnly := range p.imports {
			below, ours := strings.CutPrefix(imported, h.module+"/")
			if !ours || below == p.name || matches(below, p.name, r.sees...) || testOnly && matches(below, p.name, slices.Concat(r.sees, r.tests)...) {
				continue
			}
			faults = append(faults, fmt.Sprintf("%s must not import %s: %s", p.name, below, r.why))
		}
	}
	return faults
}

// hiddenWeight looks through the libraries that a package imports.
func hiddenWeight(h *house) (faults []string) {
	heavy := []string{"database/sql", "github.com/gin-gonic/gin", "github.com/spf13/viper", "modernc.org/sqlite"}
	for _, p := range h.packages {
		if !matches(p.name, "", "core", "core/pace", "core/render", "core/route", "core/seal", "core/split", "channels/*", "channels/*/*sim") {
			continue
		}
		for _, dep := range heavy {
			if slices.Contains(p.deps, dep) {
				faults = append(faults, fmt.Sprintf("%s links %s; go mod why tells through whom", p.name, dep))
			}
		}
	}
	return faults
}

// home is where a dependency of go.mod may be imported. "..." is everywhere.
type home struct {
	module string
	rooms  []string
	tests  []string // there in tests only
}

var homes = []home{
	{"github.com/clipperhouse/uax29/v2", []string{"core/split"}, nil},
	{"github.com/gin-gonic/gin", []string{"core/web", "core/web/*"}, nil},
	{"github.com/go-telegram-bot-api/telegram-bot-api/v5", []string{"channels/telegram"}, []string{"channels/telegram/telegramsim"}},
	{"github.com/google/go-cmp", []string{"channels/channeltest", "core/store/storetest"}, []string{"..."}},
	{"github.com/jackc/pgx/v5", []string{"cmd/bench"}, nil},
	{"github.com/pressly/goose/v3", []string{"core/store"}, nil},
	{"github.com/prometheus/client_golang", []string{"core/web"}, nil},
	{"github.com/santhosh-tekuri/jsonschema/v6", nil, []string{"config", "core/web"}},
	{"github.com/slack-go/slack", []string{"channels/slack"}, []string{"channels/slack/slacksim"}},
	{"github.com/sony/gobreaker/v2", []string{"core/intake"}, nil},
	{"github.com/spf13/cobra", []string{"cmd/tidings"}, nil},
	{"github.com/spf13/viper", []string{"config"}, nil},
	{"go.yaml.in/yaml/v3", []string{"config"}, []string{"..."}},
	{"golang.org/x/sync", []string{"core/web"}, nil},
	{"golang.org/x/text", []string{"core/render"}, nil},
	{"modernc.org/sqlite", []string{"core/store"}, nil},
	{"pgregory.net/rapid", nil, []string{"..."}},
	{"rsc.io/qr", []string{"core/web"}, nil},
}

func oneHome(h *house) (faults []string) {
	for _, module := range h.requires {
		if !slices.ContainsFunc(homes, func(x home) bool { return x.module == module }) {
			faults = append(faults, fmt.Sprintf("go.mod: %s has no line in homes", module))
		}
	}
	for _, p := range h.packages {
		for imported, testOnly := range p.imports {
			first, _, _ := strings.Cut(imported, "/")
			if !strings.Contains(first, ".") {
				continue // this module or the standard library
			}
			i := slices.IndexFunc(homes, func(x home) bool { return strings.HasPrefix(imported+"/", x.module+"/") })
			switch {
			case i < 0:
				faults = append(faults, fmt.Sprintf("%s imports %s, which has no line in homes", p.name, imported))
			case matches(p.name, "", homes[i].rooms...) || testOnly && matches(p.name, "", slices.Concat(homes[i].rooms, homes[i].tests)...):
			default:
				faults = append(faults, fmt.Sprintf("%s imports %s, whose home is %v, in tests also %v", p.name, imported, homes[i].rooms, homes[i].tests))
			}
		}
	}
	return faults
}

func noClock(h *house) []string {
	clock := []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}
	return h.inspect(func(f source) bool {
		return !f.test && matches(path.Dir(f.name), "", "core", "core/pace", "core/render", "core/route", "core/seal", "core/split")
	}, func(_ source, n ast.Node) string {
		if name, ok := selected(n, "time"); ok && slices.Contains(clock, name) {
			return "reads the clock: time." + name
		}
		return ""
	})
}

// noPlatform takes "messenger" for a platform where nothing else is said.
func noPlatform(h *house) []string {
	named := regexp.MustCompile(`(?i)\b(telegram|slack|facebook|whatsapp|viber)\b|^"messenger"$`)
	return h.inspect(func(f source) bool {
		return !f.test && strings.HasPrefix(f.name, "core/") && !strings.HasPrefix(f.name, "core/store/storetest/")
	}, func(_ source, n ast.Node) string {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && named.MatchString(lit.Value) {
			return "names a platform: " + lit.Value
		}
		return ""
	})
}

func noInit(h *house) []string {
	return h.inspect(all, func(_ source, n ast.Node) string {
		if fn, ok := n.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			return "func init"
		}
		return ""
	})
}

// noWrittenGlobals finds assignments to package variables and to their elements
// and fields. The parser resolves names within a file; a name that it leaves
// open is the package's.
func noWrittenGlobals(h *house) []string {
	globals := map[string]token.Pos{}
	for _, f := range h.files {
		for _, id := range f.variables() {
			globals[f.unit()+"."+id.Name] = id.Pos()
		}
	}
	return h.inspect(all, func(f source, n ast.Node) string {
		for _, target := range written(n) {
			id := root(target)
			if id == nil || id.Name == "_" {
				continue
			}
			at, ok := globals[f.unit()+"."+id.Name]
			if ok && (id.Obj == nil || id.Obj.Pos() == at) {
				return "writes the package variable " + id.Name
			}
		}
		return ""
	})
}

func packageComments(h *house) (faults []string) {
	for _, p := range h.packages {
		if want := "Package " + path.Base(p.name) + " "; !strings.HasPrefix(p.doc, want) && !strings.HasPrefix(p.doc, "Command ") {
			faults = append(faults, fmt.Sprintf("%s: its comment starts with %.30q, want %q", p.name, p.doc, want))
		}
	}
	return faults
}

func shortFunctions(h *house) []string {
	return h.inspect(func(f source) bool { return !f.test }, func(f source, n ast.Node) string {
		fn, ok := n.(*ast.FuncDecl)
		if !ok {
			return ""
		}
		if lines := f.line(fn.End()) - f.line(fn.Pos()) + 1; lines > maxFunction {
			return fmt.Sprintf("%s has %d lines, want at most %d", fn.Name.Name, lines, maxFunction)
		}
		return ""
	})
}

func shortFiles(h *house) (faults []string) {
	for _, f := range h.files {
		if lines := f.line(f.ast.FileEnd); !f.test && lines > maxFile {
			faults = append(faults, fmt.Sprintf("%s has %d lines, want at most %d", f.name, lines, maxFile))
		}
	}
	return faults
}

func topLevel(h *house) (faults []string) {
	card := []string{
		"cmd", "core", "channels", "config", "docs", "config.example.yaml", "Makefile", "go.mod", "go.sum",
		"README.md", "LICENSE", "CHANGELOG.md",
	}
	for _, name := range h.top {
		if !strings.HasPrefix(name, ".") && !slices.Contains(card, name) {
			faults = append(faults, fmt.Sprintf("%s: only %v and files with a dot stand there", name, card))
		}
	}
	return faults
}

func nothingUnfinished(h *house) (faults []string) {
	unfinished := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)
	for _, name := range slices.Sorted(maps.Keys(h.texts)) {
		for i, line := range strings.Split(h.texts[name], "\n") {
			if unfinished.MatchString(line) {
				faults = append(faults, fmt.Sprintf("%s:%d: %s", name, i+1, strings.TrimSpace(line)))
			}
		}
	}
	return faults
}

// noSleep lets a test sleep in the function that it hands to synctest.Test, or to
// a helper that calls synctest.Test: there it takes no time. A fake may sleep in
// a package whose tests have such functions; who calls it is not followed.
func noSleep(h *house) []string {
	opens := map[string]bool{} // functions that call synctest.Test
	virtual := map[string]bool{}
	var fn *ast.FuncDecl
	tests := func(f source) bool { return f.test }
	h.inspect(tests, func(f source, n ast.Node) string {
		if d, ok := n.(*ast.FuncDecl); ok {
			fn = d
		} else if _, ok := n.(*ast.File); ok {
			fn = nil
		}
		if name, _ := selected(n, "synctest"); name == "Test" && fn != nil {
			opens[f.unit()+"."+fn.Name.Name], virtual[f.unit()] = true, true
		}
		return ""
	})
	var bubble ast.Node
	return h.inspect(tests, func(f source, n ast.Node) string {
		switch n := n.(type) {
		case *ast.File:
			fn, bubble = nil, nil
		case *ast.FuncDecl:
			fn, bubble = n, nil
		case *ast.CallExpr:
			id, ok := n.Fun.(*ast.Ident)
			name, _ := selected(n.Fun, "synctest")
			if name == "Test" || ok && opens[f.unit()+"."+id.Name] {
				bubble = n
			}
		case *ast.SelectorExpr:
			name, _ := selected(n, "time")
			inside := bubble != nil && bubble.Pos() <= n.Pos() && n.End() <= bubble.End()
			helper := virtual[f.unit()] && (fn == nil || !strings.HasPrefix(fn.Name.Name, "Test"))
			if name == "Sleep" && !inside && !helper {
				return "sleeps outside synctest.Test"
			}
		}
		return ""
	})
}

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
			"core/pace/a.go": "package pace\nimport \"time\"\nvar now = time.Now\nvar day = time.Hour", "core/lane/a.go": "package lane\nimport \"time\"\nvar now = time.Now",
		}, want: []string{"core/pace/a.go:3: reads the clock: time.Now"}},
		{rule: "no platform in the core", files: map[string]string{
			"core/a.go": "package core\nconst a, b, slack = `for Slack`, \"your messenger\", 1", "channels/a.go": "package channels\nconst a = \"slack\"",
		}, want: []string{"core/a.go:2: names a platform: `for Slack`"}},
		{rule: "no init", files: map[string]string{"core/a.go": "package core\nfunc init() {}\ntype t int\nfunc (t) init() {}"}, want: []string{"core/a.go:2: func init"}},
		{rule: "no written globals", files: map[string]string{
			"core/a.go":      "package core\nvar n, m = 0, map[int]int{}\nvar _ = n\nfunc f(n int) { n++; m[1] = n; _ = n; other.x = 1; far = 2 }",
			"core/b.go":      "package core\nvar other struct{ x int }",
			"core/c_test.go": "package core_test\nvar far = 1",
		}, want: []string{"core/a.go:4: writes the package variable m", "core/a.go:4: writes the package variable other"}},
		{rule: "package comments", house: house{packages: []pkg{{name: "core/pace", doc: "Package pace keeps time."}, {name: "core/lane", doc: "Lanes."}}},
			want: []string{`core/lane: its comment starts with "Lanes.", want "Package lane "`}},
		{rule: "short functions", files: map[string]string{
			"core/a.go": "package core\nfunc f() {" + long + "}\nfunc g() {" + long[1:] + "}", "core/a_test.go": "package core\nfunc f() {" + long + "}",
		}, want: []string{"core/a.go:2: f has 61 lines, want at most 60"}},
		{rule: "short files", files: map[string]string{"core/a.go": "package core" + strings.Repeat("\n", maxFile+1), "core/b.go": "package core" + strings.Repeat("\n", maxFile-1)},
			want: []string{"core/a.go has 421 lines, want at most 420"}},
		{rule: "top level", house: house{top: []string{"cmd", ".ci", "pkg"}}, want: []string{"pkg: only [cmd core channels config docs config.example.yaml Makefile go.mod go.sum README.md LICENSE CHANGELOG.md] and files with a dot stand there"}},
		{rule: "nothing unfinished", files: map[string]string{"docs/a.md": "Todos.\nTO" + "DO: more"}, want: []string{"docs/a.md:2: TO" + "DO: more"}},
		{rule: "no sleep in tests", files: map[string]string{
			"core/a.go":           "package core\nfunc f() { time.Sleep(1) }",
			"core/a_test.go":      "package core\nfunc TestF(t int) { run(func() { time.Sleep(1) }) }\nfunc TestG(t int) { time.Sleep(1) }",
			"core/b_test.go":      "package core\nfunc run(f func()) { synctest.Test(t, f) }\nfunc fake() { time.Sleep(1) }",
			"core/lane/a_test.go": "package lane\nfunc fake() { time.Sleep(1) }",
		}, want: []string{"core/a_test.go:3: sleeps outside synctest.Test", "core/lane/a_test.go:2: sleeps outside synctest.Test"}},
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

// house is what the rules look at.
type house struct {
	module   string
	packages []pkg
	files    []source
	requires []string          // the modules that go.mod requires directly
	top      []string          // what stands at the top and is not ignored by git
	texts    map[string]string // every text of the project but LICENSE and testdata
	fset     *token.FileSet
}

type pkg struct {
	name    string          // below the module: core/split
	imports map[string]bool // true: only its tests import it
	deps    []string        // all that is linked with it, not with its tests
	doc     string
}

type source struct {
	name string // core/split/cut.go
	test bool
	fset *token.FileSet
	ast  *ast.File
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{texts: map[string]string{}, fset: token.NewFileSet()}
	var mod struct {
		Module  struct{ Path string }
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	decode(t, &mod, "mod", "edit", "-json")
	h.module = mod.Module.Path
	for _, r := range mod.Require {
		if !r.Indirect {
			h.requires = append(h.requires, r.Path)
		}
	}
	h.list(t)
	ignored := h.readTop(t)
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(ignored, name) || name == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || name == "LICENSE" || slices.Contains(ignored, name):
			return nil
		}
		raw, err := os.ReadFile(filepath.Join("../..", name))
		h.add(t, name, string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// list asks the go command for the packages and what they import.
func (h *house) list(t *testing.T) {
	t.Helper()
	type listed struct {
		ImportPath, Doc                          string
		Imports, TestImports, XTestImports, Deps []string
	}
	fields := "-json=ImportPath,Doc,Imports,TestImports,XTestImports,Deps"
	for _, l := range decodeAll[listed](t, "list", "-e", fields, "./...") {
		p := pkg{name: strings.TrimPrefix(l.ImportPath, h.module+"/"), imports: map[string]bool{}, deps: l.Deps, doc: l.Doc}
		for _, imported := range slices.Concat(l.TestImports, l.XTestImports) {
			p.imports[imported] = true
		}
		for _, imported := range l.Imports {
			p.imports[imported] = false
		}
		h.packages = append(h.packages, p)
	}
}

// readTop returns what git ignores at the top, and notes the rest.
func (h *house) readTop(t *testing.T) (ignored []string) {
	t.Helper()
	patterns, err := os.ReadFile("../../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if matches(e.Name(), "", strings.Fields(strings.ReplaceAll(string(patterns), "/", " "))...) {
			ignored = append(ignored, e.Name())
			continue
		}
		h.top = append(h.top, e.Name())
	}
	return ignored
}

func (h *house) add(t *testing.T, name, text string) {
	t.Helper()
	h.texts[name] = text
	if path.Ext(name) != ".go" {
		return
	}
	file, err := parser.ParseFile(h.fset, name, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	h.files = append(h.files, source{name, strings.HasSuffix(name, "_test.go"), h.fset, file})
}

// inspect shows every node of the chosen files and collects what is said of them.
func (h *house) inspect(which func(source) bool, say func(source, ast.Node) string) (faults []string) {
	for _, f := range h.files {
		if !which(f) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if n != nil {
				if said := say(f, n); said != "" {
					faults = append(faults, fmt.Sprintf("%s:%d: %s", f.name, f.line(n.Pos()), said))
				}
			}
			return true
		})
	}
	return faults
}

func all(source) bool { return true }

func (f source) line(p token.Pos) int { return f.fset.Position(p).Line }

// unit is the package that a file belongs to, an external test's its own.
func (f source) unit() string { return path.Join(path.Dir(f.name), f.ast.Name.Name) }

func (f source) variables() (names []*ast.Ident) {
	for _, d := range f.ast.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, s := range g.Specs {
				names = append(names, s.(*ast.ValueSpec).Names...)
			}
		}
	}
	return names
}

// written returns what a statement assigns to.
func written(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	}
	return nil
}

// root is the variable at the root of x.y[z], or nil.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// selected returns the name that n takes from the package of that name.
func selected(n ast.Node, from string) (string, bool) {
	if sel, ok := n.(*ast.SelectorExpr); ok {
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == from && id.Obj == nil {
			return sel.Sel.Name, true
		}
	}
	return "", false
}

// matches reports whether one of the patterns fits the name, and none with a "!"
// does. "./" is here.
func matches(name, here string, patterns ...string) bool {
	return !slices.Contains(patterns, "!"+name) && slices.ContainsFunc(patterns, func(p string) bool {
		if below, ok := strings.CutPrefix(p, "./"); ok {
			p = here + "/" + below
		}
		ok, err := path.Match(p, name)
		return p == "..." || ok && err == nil
	})
}

func decode(t *testing.T, v any, args ...string) {
	t.Helper()
	if err := json.Unmarshal([]byte(goCommand(t, args...)), v); err != nil {
		t.Fatalf("go %s: %v", args, err)
	}
}

// decodeAll reads one value after the other.
func decodeAll[T any](t *testing.T, args ...string) (all []T) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(goCommand(t, args...)))
	for dec.More() {
		var v T
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("go %s: %v", args, err)
		}
		all = append(all, v)
	}
	return all
}

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = "../.."
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strconv.Quote(strings.Join(args, " ")), err, complaints.String())
	}
	return string(out)
}
