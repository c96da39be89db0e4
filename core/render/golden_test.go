package render

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tidings/core"
)

var update = flag.Bool("update", false, "write the golden files anew")

// degraded is what is left of an example when the shop did not answer.
func degraded(in Input) Input {
	return Input{
		Type: in.Type, Locale: in.Locale, Now: in.Now, Event: in.Event, Answer: in.Answer, Note: in.Note, Degraded: true,
	}
}

// TestGolden shows every text in both languages, with everything and with
// nothing but what the event itself holds.
func TestGolden(t *testing.T) {
	texts := mustNew(t)
	for _, locale := range []string{"en", "de"} {
		for _, name := range textNames() {
			t.Run(locale+"/"+name, func(t *testing.T) {
				in := example(name)
				in.Locale = locale
				got := "== full\n" + dump(mustRender(t, texts, in)) + "\n== degraded\n" + dump(mustRender(t, texts, degraded(in)))
				compare(t, filepath.Join("testdata", "golden", locale, name+".txt"), got)
			})
		}
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

// dump writes a body for people to read: one line per run, with its style
// letters in front and its link behind.
func dump(b core.Body) string {
	var out strings.Builder
	for _, block := range b.Blocks {
		switch {
		case block.Order != nil:
			fmt.Fprintf(&out, "-- order %s for %q, %d lines\n", block.Order.Order.Code, block.Order.Order.CustomerName, len(block.Order.Order.Lines))
			dumpText(&out, block.Order.Text)
		case block.Picture != nil:
			fmt.Fprintf(&out, "-- picture %s %q\n", block.Picture.URL, block.Picture.Alt)
		default:
			out.WriteString("-- text\n")
			dumpText(&out, block.Text)
		}
	}
	for _, button := range b.Buttons {
		fmt.Fprintf(&out, "-- button %q %s\n", button.Title, button.URL)
	}
	return out.String()
}

func dumpText(out *strings.Builder, text core.Text) {
	for _, run := range text {
		for rest := run.Text; rest != ""; {
			line, after, more := strings.Cut(rest, "\n")
			if more {
				line += "\n"
			}
			rest = after
			out.WriteString(letters(run.Style) + " " + strings.ReplaceAll(strconv.QuoteToGraphic(line), nbsp, `\u00a0`))
			if run.Link != "" {
				out.WriteString(" -> " + run.Link)
			}
			out.WriteString("\n")
		}
	}
}

func letters(s core.Style) string {
	marks := []byte("....")
	for i, style := range []core.Style{core.Bold, core.Italic, core.Strike, core.Code} {
		if s&style != 0 {
			marks[i] = "bisc"[i]
		}
	}
	return string(marks)
}

func mustNew(t testing.TB) *Texts {
	t.Helper()
	texts, faults := New(nil, "")
	if len(faults) > 0 {
		t.Fatalf("New: got faults %v, want none", faults)
	}
	return texts
}

func mustRender(t testing.TB, texts *Texts, in Input) core.Body {
	t.Helper()
	body, err := texts.Render(in)
	if err != nil {
		t.Fatalf("Render(%s %s): %v", in.Type, in.Answer, err)
	}
	return body
}
