package render

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

func files(pairs ...string) fstest.MapFS {
	m := make(fstest.MapFS)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

func TestOverrides(t *testing.T) {
	texts, faults := New(files(
		"EN/order.placed.tmpl", "\ufeffMine {{.Order.Code}}\r\nnext\r\n",
		"de-ch/order.placed.tmpl", "Grüezi {{.Order.Code}}: {{money .Order.Total}}",
		"fr/order.placed.tmpl", "Merci {{template \"_nom\" .}}: {{.Order.Total}}, {{date .Order.Placed}}",
		"fr/_nom.tmpl", "{{.Customer.FirstName}}",
		"de/_ask.tmpl", "Fragen?",
		"README.md", "not a text",
		"en/.order.placed.tmpl.swp", "hidden",
		"..2026_01_01/en/nonsense.tmpl", "hidden",
	), "fr-FR")
	if len(faults) > 0 {
		t.Fatalf("New: got faults %v, want none", faults)
	}
	tests := []struct{ locale, typ, want string }{
		{"en", "order.placed", "Mine 00417003\nnext"},
		{"en_GB", "order.placed", "Mine 00417003\nnext"},
		{"de_CH", "order.placed", "Grüezi 00417003: EUR\u00a078.80"},
		{"de_CH", "order.cancelled", "Ihre Bestellung 00417003 wurde storniert.\n\nFragen?"},
		{"de", "order.cancelled", "Ihre Bestellung 00417003 wurde storniert.\n\nFragen?"},
		{"fr", "order.placed", "Merci Ines: 78.80\u00a0EUR, 2025-03-04"},
		{"", "order.placed", "Merci Ines: 78.80\u00a0EUR, 2025-03-04"},
		{"pl", "order.placed", "Merci Ines: 78.80\u00a0EUR, 2025-03-04"},
		{"fr", "order.cancelled", "Your order 00417003 has been cancelled.\n\nQuestions? Just answer here."},
	}
	for _, tt := range tests {
		in := example(tt.typ)
		in.Locale = tt.locale
		if got := mustRender(t, texts, in).Blocks[0].Text.Plain(); got != tt.want {
			t.Errorf("%s in %q: got %q, want %q", tt.typ, tt.locale, got, tt.want)
		}
	}
}

// TestSummaryBesideForeignText shows that the summary of a text without a
// _summary of its own comes from the next locale that has one.
func TestSummaryBesideForeignText(t *testing.T) {
	texts, faults := New(files("fr/order.placed.tmpl", "Merci\n\n{{summary}}"), "de")
	if len(faults) > 0 {
		t.Fatalf("New: got faults %v, want none", faults)
	}
	in := example("order.placed")
	in.Locale = "fr"
	body := mustRender(t, texts, in)
	if got := body.Blocks[1].Order.Text.Plain(); !strings.HasSuffix(got, "Gesamtsumme: 78,80\u00a0€") {
		t.Errorf("got summary %q, want the one of the default locale", got)
	}
}

func TestFaults(t *testing.T) {
	texts, faults := New(files(
		"order.placed.tmpl", "x",
		"german/order.placed.tmpl", "x",
		"en/deep/order.placed.tmpl", "x",
		"en/order.shiped.tmpl", "x",
		"en/zzzzzzzzzzzzzzzzzzzzzzzzzz.tmpl", "x",
		"en/message.requested.tmpl", "x",
		"en/order.placed.tmpl", "a\nb {{.Order.Code",
		"en/order.approved.tmpl", "a\n\n{{nonsense 1}}",
		"en/order.rejected.tmpl", "{{define \"x\"}}y{{end}}",
		"en/order.refunded.tmpl", "a\xffb",
		"de/order.approved.tmpl", "x",
		"DE/order.approved.tmpl", "x",
	), "pl")
	if texts != nil {
		t.Error("got texts beside the faults, want none")
	}
	want := []core.Fault{
		{Key: "de/order.approved.tmpl", Problem: "means the same text as DE/order.approved.tmpl"},
		{Key: "default_locale", Problem: `there are no texts in "pl"; there are in de, en`},
		{Key: "en/deep/order.placed.tmpl", Problem: "a text belongs into a folder named after its locale, as in de/order.shipped.tmpl"},
		{Key: "en/message.requested.tmpl", Problem: "message.requested has no template: its text is sent as it stands"},
		{Key: "en/order.approved.tmpl:3", Problem: `function "nonsense" not defined`},
		{Key: "en/order.placed.tmpl:2", Problem: "unclosed action"},
		{Key: "en/order.refunded.tmpl", Problem: "is not UTF-8"},
		{Key: "en/order.rejected.tmpl", Problem: "define and block are not available; put the part into a file of its own, _x.tmpl in the same folder"},
		{Key: "en/order.shiped.tmpl", Problem: "there is no text order.shiped; did you mean order.shipped"},
		{Key: "en/zzzzzzzzzzzzzzzzzzzzzzzzzz.tmpl", Problem: "there is no text zzzzzzzzzzzzzzzzzzzzzzzzzz"},
		{Key: "german/order.placed.tmpl", Problem: `"german" is not the name of a locale, such as de or de_CH`},
		{Key: "order.placed.tmpl", Problem: "a text belongs into a folder named after its locale, as in de/order.shipped.tmpl"},
	}
	if diff := cmp.Diff(want, sortFaults(faults)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFaultsWhenRun are those that only show when a text runs. They name the
// line, and a fault of a partial is told once.
func TestFaultsWhenRun(t *testing.T) {
	tests := []struct{ name, file, template, key, problem string }{
		{"unknown field", "en/order.placed.tmpl", "a\n{{.Order.Cod}}", "en/order.placed.tmpl:2", "can't evaluate field Cod"},
		{"unknown field in a branch for thin data", "en/order.placed.tmpl", "{{if not .Order.Known}}{{.Nope}}{{end}}x", "en/order.placed.tmpl:1", "can't evaluate field Nope"},
		{"first of no lines", "en/order.placed.tmpl", "{{(index .Order.Lines 0).Name}}", "en/order.placed.tmpl:1", "index out of range"},
		{"a structure", "en/order.placed.tmpl", "{{.Order}}", "en/order.placed.tmpl:1", "cannot be shown"},
		{"a list", "en/order.placed.tmpl", "{{.Order.Lines}}", "en/order.placed.tmpl:1", "cannot be shown"},
		{"a button alone", "en/order.placed.tmpl", "{{button \"a\" \"https://x.example\"}}", "en/order.placed.tmpl", "no words above it"},
		{"a partial that is not there", "en/order.placed.tmpl", "a\n{{template \"_nope\" .}}", "en/order.placed.tmpl:2", `there is no template "_nope" in en; it would be en/_nope.tmpl`},
		{"another locale's partial", "fr/order.placed.tmpl", "{{template \"_ask\" .}}", "fr/order.placed.tmpl:1", "fr/_ask.tmpl"},
		{"a broken partial", "en/_ask.tmpl", "{{.Nope}}", "en/_ask.tmpl:1", "can't evaluate field Nope"},
		{"a broken summary", "en/_summary.tmpl", "\n{{.Nope}}", "en/_summary.tmpl:2", "can't evaluate field Nope"},
		{"a picture without words", "en/order.placed.tmpl", "{{picture \"https://x.example\" \"\"}}", "en/order.placed.tmpl:1", "for those who cannot see it"},
		{"not a list", "en/order.placed.tmpl", "{{join \", \" .Order.Code}}", "en/order.placed.tmpl:1", "is not a list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, faults := New(files(tt.file, tt.template), "")
			if len(faults) != 1 {
				t.Fatalf("got %d faults (%v), want 1", len(faults), faults)
			}
			if faults[0].Key != tt.key || !strings.Contains(faults[0].Problem, tt.problem) {
				t.Errorf("got %+v, want key %q and a problem with %q", faults[0], tt.key, tt.problem)
			}
		})
	}
}

func TestUnreadableFolder(t *testing.T) {
	_, faults := New(os.DirFS(filepath.Join(t.TempDir(), "nowhere")), "")
	if diff := cmp.Diff([]core.Fault{{Key: "dir", Problem: "cannot be read: no such file or directory"}}, faults); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, faults = New(brokenFS{files("en/order.placed.tmpl", "x")}, "")
	if diff := cmp.Diff([]core.Fault{{Key: "en/order.placed.tmpl", Problem: "cannot be read: disk on fire"}}, faults); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// brokenFS lists its files and cannot read them.
type brokenFS struct{ fstest.MapFS }

func (brokenFS) ReadFile(name string) ([]byte, error) {
	return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("disk on fire")}
}

func TestLocale(t *testing.T) {
	texts, faults := New(files("pt_BR/order.placed.tmpl", "x", "zh-hant/order.placed.tmpl", "x"), "de_AT")
	if len(faults) > 0 {
		t.Fatalf("New: got faults %v, want none", faults)
	}
	tests := map[string]string{
		"en": "en", "EN": "en", "en-us": "en", "en_GB.UTF-8": "en", "de_AT": "de", "de-CH": "de",
		"pt_BR": "pt_BR", "PT-br": "pt_BR", "pt": "de", "pt_PT": "de", "zh_Hant_TW": "zh_Hant", "zh": "de",
		"": "de", "x": "de", "e_n": "de", "../en": "de", "fr@euro": "de", "english": "de",
	}
	for want, locale := range tests {
		if got := texts.Locale(want); got != locale {
			t.Errorf("Locale(%q): got %q, want %q", want, got, locale)
		}
	}
	in := example("order.payment_failed")
	if got, want := mustRender(t, texts, in).Blocks[0].Text.Plain(), "(€\u00a078,80)"; !strings.Contains(got, want) {
		t.Errorf("without a locale: got %q, want the default's own %q in it", got, want)
	}
}
