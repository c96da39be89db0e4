package remote

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// timeFormat shows times in this machine's zone, and which one that is.
const timeFormat = "2006-01-02 15:04:05 MST"

// printJSON prints what the gateway answered, to be read by people, too.
func printJSON(w io.Writer, raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// table lays rows out in columns. The last one is as long as it is.
func table(rows ...[]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = line(cell)
		}
		_, _ = io.WriteString(w, strings.Join(cells, "\t")+"\n")
	}
	_ = w.Flush()
	return trimmed(b.String())
}

// trimmed takes away the blanks at the ends of lines.
func trimmed(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(l, " \n") + "\n")
	}
	return b.String()
}

// clean takes from a text what would steer a terminal: whoever wrote it may be
// anybody. Line breaks stay.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsControl(r), '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			return '\ufffd' // the latter turn the direction of what follows
		}
		return r
	}, text)
}

// line is a text for a cell of a table; "-" for none.
func line(text string) string {
	if text == "" {
		return "-"
	}
	return strings.ReplaceAll(clean(text), "\n", " ")
}

// quoted shows a text of several lines below what it belongs to.
func quoted(text, indent string) string {
	var b strings.Builder
	for l := range strings.Lines(clean(text)) {
		b.WriteString(indent + "| " + strings.TrimRight(l, "\n") + "\n")
	}
	return b.String()
}

// local shows a time in this machine's zone; empty for none.
func local(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format(timeFormat)
}

// plural is a number with its noun.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}
