package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"tidings/core/hybris/hybrissim"
)

const repository = "../.."

// TestPromisesNameTheirTests: a promise whose test has gone is no promise.
func TestPromisesNameTheirTests(t *testing.T) {
	page := readText(t, "docs/promises.md")
	tests := map[string][]string{} // the packages that have a test of this name
	definition := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	eachFile(t, "_test.go", func(path string) {
		for _, found := range definition.FindAllStringSubmatch(readText(t, path), -1) {
			tests[found[1]] = append(tests[found[1]], filepath.ToSlash(filepath.Dir(path)))
		}
	})
	for number, promise := range strings.Split(page, "\n## ")[1:] {
		where, named := "", 0
		_, list, _ := strings.Cut(promise, "*Tests.*")
		for _, found := range regexp.MustCompile("each channel's|`([a-z/]+|(?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(list, -1) {
			switch name := found[1]; {
			case name == "":
				where = "channels/telegram" // as good as each other
			case !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Fuzz"):
				where = name
			default:
				named++
				if !slices.Contains(tests[name], where) {
					t.Errorf("promise %d names %s in %s, and it is in %v", number+1, name, where, tests[name])
				}
			}
		}
		if named == 0 {
			t.Errorf("promise %d names no test", number+1)
		}
	}
}

// TestLinksLead: a page never sends its reader to nowhere.
func TestLinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	eachFile(t, ".md", func(path string) {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(readText(t, path), ""), -1) {
			target := filepath.Join(repository, filepath.Dir(path), found[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", path, found[1])
			}
		}
	})
}

// eachFile calls fn for the repository's files with an ending, by their path in it.
func eachFile(t *testing.T, ending string, fn func(path string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(repository), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case strings.HasSuffix(path, ending):
			fn(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(repository, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestDocumentedCommands: what a page or a help text tells to type can be typed.
func TestDocumentedCommands(t *testing.T) {
	var typed []string
	eachFile(t, ".md", func(path string) {
		for _, found := range regexp.MustCompile("(?m)(?:^|`)(tidings [a-z]+[^`\n]*)").FindAllStringSubmatch(readText(t, path), -1) {
			typed = append(typed, path+": "+found[1])
		}
	})
	later := map[string]bool{}
	for _, c := range laterCommands() {
		later[c.Name()] = true
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for l := range strings.Lines(c.Example) {
			if i := strings.Index(l, "tidings "); i >= 0 {
				typed = append(typed, "help of "+c.CommandPath()+": "+strings.TrimSpace(l[i:]))
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand())
	if len(typed) < 40 {
		t.Errorf("got %d commands, want those of the pages and of the help", len(typed))
	}
	for _, one := range typed {
		_, line, _ := strings.Cut(one, ": tidings ")
		line, _, _ = strings.Cut(line, "#")
		args := strings.Fields(line)
		if later[args[0]] {
			continue
		}
		c, rest, err := rootCommand().Find(args)
		if err != nil || !c.HasParent() || c.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			t.Errorf("%s: there is no such command", one)
			continue
		}
		_ = c.InheritedFlags() // adds them to those of the command
		for _, flag := range regexp.MustCompile(`(?:^|[\s(])--([a-z-]+)`).FindAllStringSubmatch(line, -1) {
			if c.Flags().Lookup(flag[1]) == nil && flag[1] != "help" {
				t.Errorf("%s: %s has no --%s", one, c.CommandPath(), flag[1])
			}
		}
	}
}

// TestEmulatorPage: the page on the emulated shop names each flag and each doubt.
func TestEmulatorPage(t *testing.T) {
	page := readText(t, "docs/hybris/emulator.md")
	for _, flag := range regexp.MustCompile(`(?m)^ +(--[a-z0-9-]+)`).FindAllStringSubmatch(hybrisCommand().Flags().FlagUsages(), -1) {
		if !strings.Contains(page, flag[1]) {
			t.Errorf("the page does not name %s", flag[1])
		}
	}
	for _, d := range hybrissim.Doubts() {
		if !strings.Contains(page, "`"+d.Name+"`") || !strings.Contains(page, "`"+strings.Join(d.Answers, "`, `")+"`") {
			t.Errorf("the page does not name %s with its answers %v", d.Name, d.Answers)
		}
	}
}
