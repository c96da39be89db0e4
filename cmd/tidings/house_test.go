package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
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
	outside = []string{"channels/emulator", "core/desk", "core/desk/desksim", "core/hybris", "core/hybris/hybrissim", "core/store"}
	rooms   = []room{
		{"cmd/tidings/remote", nil, nil, "whoever operates a gateway meets it by HTTP alone, as any program does, and across versions"},
		{"cmd/tidings", []string{"cmd/tidings/remote", "channels", "channels/emulator", "channels/sandbox", "channels/*/*sim", "config", "core", "core/*", "core/hybris/hybrissim"}, []string{"core/desk/desksim", "core/store/pgtest"}, "all wiring is here, and only wiring"},
		{"cmd/torture", []string{"channels/emulator", "channels/*/*sim", "cmd/torture/history", "core/hybris/hybrissim", "core/store/pgtest"}, nil, "it meets the program as a process and over HTTP alone, as power cuts and shops do"},
		{"cmd/torture/history", nil, nil, "a judge knows neither the accused nor those who made the trouble"},
		{"cmd/bench", []string{"channels/telegram/telegramsim", "core/store/pgtest"}, []string{"channels/telegram", "core"}, "it measures the program as it is built, over HTTP, and needs no more of it than a platform to send to"},
		{"config", []string{"core", "core/route"}, []string{"channels"}, "a configuration is what the rooms ask for; it opens none of them"},

		{"channels", []string{"core", "channels/*", "!channels/channeltest", "!channels/emulator", "!channels/openid", "!channels/sandbox"}, nil, "the table knows the adapters, not what they are tested with"},
		{"channels/channeltest", []string{"channels/emulator", "core", "core/split"}, []string{"channels/*", "channels/*/*sim"}, "the exam knows the interfaces, not those who sit it"},
		{"channels/emulator", nil, []string{"channels/*/*sim"}, "what emulators have in common knows neither them nor the gateway"},
		{"channels/openid", []string{"core"}, []string{"channels/emulator"}, "what adapters have in common in reading a signed login knows none of them"},
		{"channels/sandbox", []string{"channels/emulator", "channels/*/*sim", "core/hybris/hybrissim"}, []string{"channels", "config", "core", "core/*"}, "the sandbox is the world around a gateway that it meets by HTTP alone"},
		{"channels/*/*sim", []string{"channels/emulator"}, nil, "an emulator is an independent reading of the platform's documents; what it shared with the adapter it could not examine"},
		{"channels/*", []string{"core", "channels/openid"}, []string{"channels/channeltest", "channels/emulator", "./*sim"}, "an adapter sees neither the store nor another adapter, neither the configuration nor its own emulator"},

		{"core", nil, nil, "the nouns are everybody's and know nobody"},
		{"core/lane", []string{"core", "core/pace"}, []string{"core/store", "core/store/storetest"}, "the engine knows work and keys, not what the work is"},
		{"core/faultpoint", nil, nil, "a place to die at is anybody's, and the program's that was built for it only"},
		{"core/store/pgtest", nil, nil, "a database server is a program of its own, whatever is kept in it"},
		{"core/store/storetest", []string{"core", "core/lane"}, nil, "one suite for every database"},
		{"core/store", []string{"core", "core/faultpoint", "core/lane"}, []string{"./storetest"}, "the store implements what the engine asks for and decides nothing"},
		{"core/dispatch", useCase, outside, "the use cases do not see each other: they meet in the lanes"},
		{"core/inbound", useCase, slices.Concat(outside, []string{"core/dispatch", "core/intake"}), "the use cases do not see each other: they meet in the lanes (its tests follow a question through all three)"},
		{"core/intake", useCase, outside, "the use cases do not see each other: they meet in the lanes"},
		{"core/reconcile", []string{"core", "core/lane"}, slices.Concat(outside, useCase, []string{"core/intake"}), "it reads the shop and hands over what it finds; what becomes of that is for the use cases"},
		{"core/desk/desksim", nil, nil, "an emulator is an independent reading of the contract; what it shared with the callers it could not examine"},
		{"core/desk", []string{"core"}, []string{"./desksim"}, "a desk knows the interface that it implements"},
		{"core/hybris/hybrissim", []string{"channels/emulator"}, nil, "an emulator is an independent reading of the shop's documents"},
		{"core/hybris", []string{"core"}, []string{"./hybrissim"}, "the shop's client knows the interface that it implements"},
		{"core/web", []string{"core", "core/dispatch", "core/inbound", "core/intake", "core/lane", "core/pace"}, []string{"core/*"}, "the web turns requests into calls of the use cases, and counts those of strangers"},
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
	{"github.com/coreos/go-oidc/v3", []string{"channels/openid"}, nil},
	{"github.com/gin-gonic/gin", []string{"core/web", "core/web/*"}, nil},
	{"github.com/go-telegram-bot-api/telegram-bot-api/v5", []string{"channels/telegram"}, []string{"channels/telegram/telegramsim"}},
	{"github.com/google/go-cmp", []string{"channels/channeltest", "core/store/storetest"}, []string{"..."}},
	{"github.com/jackc/pgx/v5", []string{"core/store", "cmd/bench"}, nil},
	{"github.com/pressly/goose/v3", []string{"core/store"}, nil},
	{"github.com/prometheus/client_golang", []string{"core/web"}, nil},
	{"github.com/santhosh-tekuri/jsonschema/v6", nil, []string{"config", "core/web"}},
	{"github.com/wneessen/go-mail", []string{"core/desk"}, nil},
	{"github.com/slack-go/slack", []string{"channels/slack"}, []string{"channels/slack/slacksim"}},
	{"github.com/sony/gobreaker/v2", []string{"core/intake"}, nil},
	{"github.com/spf13/cobra", []string{"cmd/tidings", "cmd/tidings/*"}, nil},
	{"github.com/spf13/viper", []string{"config"}, nil},
	{"go.yaml.in/yaml/v3", []string{"config"}, []string{"..."}},
	{"golang.org/x/sync", []string{"core/web"}, nil},
	{"golang.org/x/text", []string{"core/render"}, nil},
	{"modernc.org/sqlite", []string{"core/store"}, nil},
	{"zombiezen.com/go/sqlite", []string{"core/store"}, nil},
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
	}, func(f source, n ast.Node) string {
		if name, ok := f.selected(n, "time"); ok && slices.Contains(clock, name) {
			return "reads the clock: time." + name
		}
		return ""
	})
}

// noPlatform takes "messenger" for a platform where nothing else is said.
func noPlatform(h *house) []string {
	named := regexp.MustCompile(`(?i)(?:\b|_)(telegram|slack|facebook|whatsapp|viber)(?:\b|_)|^"messenger"$`)
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

// noWrittenGlobals finds assignments to package variables, of this package or
// another, and to their elements and fields. The parser resolves names within a file; a name that it leaves
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
			if name := f.foreign(target); name != "" {
				return "writes the package variable " + name
			}
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
		name := "a function without a name"
		switch n := n.(type) {
		case *ast.FuncDecl:
			name = n.Name.Name
		case *ast.FuncLit:
		default:
			return ""
		}
		if lines := f.line(n.End()) - f.line(n.Pos()) + 1; lines > maxFunction {
			return fmt.Sprintf("%s has %d lines, want at most %d", name, lines, maxFunction)
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
		if name, _ := f.selected(n, "testing/synctest"); name == "Test" && fn != nil {
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
			name, _ := f.selected(n.Fun, "testing/synctest")
			if name == "Test" || ok && opens[f.unit()+"."+id.Name] {
				bubble = n
			}
		case *ast.SelectorExpr:
			name, _ := f.selected(n, "time")
			inside := bubble != nil && bubble.Pos() <= n.Pos() && n.End() <= bubble.End()
			helper := virtual[f.unit()] && (fn == nil || !strings.HasPrefix(fn.Name.Name, "Test"))
			if name == "Sleep" && !inside && !helper {
				return "sleeps outside synctest.Test"
			}
		}
		return ""
	})
}
