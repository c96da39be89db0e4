package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
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
