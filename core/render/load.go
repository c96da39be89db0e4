package render

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"tidings/core"
)

const extension = ".tmpl"

// source is the text of one template.
type source struct {
	path string // LOCALE/NAME.tmpl, for faults
	text string
	own  bool // the shop's, not ours
}

// catalog holds the sources by locale and by name.
type catalog map[string]map[string]source

// load reads the texts that come with the program and puts the shop's over them.
func load(overrides fs.FS) (catalog, []core.Fault) {
	c := make(catalog)
	ours, err := fs.Sub(builtIn, "templates")
	if err != nil {
		return nil, []core.Fault{{Key: "templates", Problem: err.Error()}}
	}
	faults := c.read(ours, false)
	if overrides != nil {
		faults = append(faults, c.read(overrides, true)...)
	}
	return c, faults
}

// read takes in every template of a folder. Hidden files and files of another
// kind are nobody's business: editors and Kubernetes leave such things behind.
func (c catalog) read(fsys fs.FS, own bool) (faults []core.Fault) {
	_ = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			faults = append(faults, core.Fault{Key: unreadableKey(name), Problem: "cannot be read: " + reason(err)})
			return nil
		}
		hidden := name != "." && strings.HasPrefix(entry.Name(), ".")
		if hidden && entry.IsDir() {
			return fs.SkipDir
		}
		if hidden || entry.IsDir() || path.Ext(name) != extension {
			return nil
		}
		if problem := c.take(fsys, name, own); problem != "" {
			faults = append(faults, core.Fault{Key: name, Problem: problem})
		}
		return nil
	})
	return faults
}

// take adds one file, or says what is wrong with it.
func (c catalog) take(fsys fs.FS, file string, own bool) (problem string) {
	folder, base := path.Split(file)
	folder = strings.TrimSuffix(folder, "/")
	if folder == "" || strings.Contains(folder, "/") {
		return "a text belongs into a folder named after its locale, as in de/order.shipped.tmpl"
	}
	locale, ok := canonical(folder)
	if !ok {
		return fmt.Sprintf("%q is not the name of a locale, such as de or de_CH", folder)
	}
	name := strings.TrimSuffix(base, extension)
	if problem := nameProblem(name); problem != "" {
		return problem
	}
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return "cannot be read: " + reason(err)
	}
	if !utf8.Valid(raw) {
		return "is not UTF-8"
	}
	if twin, exists := c[locale][name]; exists && own && twin.own {
		return "means the same text as " + twin.path
	}
	if c[locale] == nil {
		c[locale] = make(map[string]source)
	}
	c[locale][name] = source{path: file, text: tidy(string(raw)), own: own}
	return ""
}

// nameProblem says why there can be no template of this name.
func nameProblem(name string) string {
	switch {
	case strings.HasPrefix(name, partialPrefix), isText(name):
		return ""
	case name == string(core.MessageRequested):
		return "message.requested has no template: its text is sent as it stands"
	}
	if meant := nearest(name, textNames()); meant != "" {
		return fmt.Sprintf("there is no text %s; did you mean %s", name, meant)
	}
	return fmt.Sprintf("there is no text %s", name)
}

// tidy takes away what editors add: a byte order mark, carriage returns, and
// line ends at the end of the file.
func tidy(text string) string {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.TrimRight(text, " \t\n")
}

// serve reports whether there is any text for a locale or what it descends from.
func (c catalog) serve(locale string) bool {
	return slices.ContainsFunc(lineage(locale), func(l string) bool { return len(c[l]) > 0 })
}

func (c catalog) sorted() []string { return slices.Sorted(maps.Keys(c)) }

func (c catalog) locales() string { return strings.Join(c.sorted(), ", ") }

// unreadableKey names what could not be read; the folder itself has no name.
func unreadableKey(name string) string {
	if name == "." {
		return "dir"
	}
	return name
}

// reason is the cause of a file error without the path, which the key has.
func reason(err error) string {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // exactly this one carries the path
		return pe.Err.Error()
	}
	return err.Error()
}
