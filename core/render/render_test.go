package render

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidings/core"
)

var bothLocales = []string{"en", "de"}

// words is everything that a body says.
func words(b core.Body) string {
	var out strings.Builder
	for _, block := range b.Blocks {
		out.WriteString(block.Text.Plain())
		if block.Order != nil {
			out.WriteString(block.Order.Text.Plain())
		}
		out.WriteString("\n\n")
	}
	return out.String()
}

// drop empties fields at any depth, as told by want.
func drop(v reflect.Value, path string, want func(path string) bool) {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		v = v.Elem()
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			drop(v.Index(i), fmt.Sprintf("%s[%d]", path, i), want)
		}
		return
	}
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	for i := range v.NumField() {
		name := path + "." + v.Type().Field(i).Name
		if !slices.Contains([]string{".Type", ".Answer", ".Note", ".Note.Text", ".Locale"}, name) && want(name) {
			v.Field(i).SetZero()
			continue
		}
		drop(v.Field(i), name, want)
	}
}

// TestNoTextNeedsOptionalData is promise 3 of the package: any part of the
// data may be missing, alone or together with any other.
func TestNoTextNeedsOptionalData(t *testing.T) {
	texts := mustNew(t)
	var paths []string
	full := example("order.placed")
	drop(reflect.ValueOf(&full), "", func(path string) bool { paths = append(paths, path); return false })
	if len(paths) < 60 {
		t.Fatalf("got %d fields to drop, want all of them", len(paths))
	}
	try := func(t fataler, name, locale string, gone func(string) bool) {
		in := example(name)
		drop(reflect.ValueOf(&in), "", gone)
		in.Locale = locale
		body, err := texts.Render(in)
		if err != nil {
			t.Fatalf("%s in %s: %v", name, locale, err)
		}
		said := words(body)
		if strings.TrimSpace(said) == "" {
			t.Fatalf("%s in %s says nothing", name, locale)
		}
		if code := first(in.Event.OrderCode, newView(in).Order.Code); strings.HasPrefix(name, "order.") && !strings.Contains(said, code) {
			t.Fatalf("%s in %s: got %q, want the order's code %q in it", name, locale, said, code)
		}
	}
	for _, name := range textNames() {
		for _, locale := range bothLocales {
			for _, path := range paths {
				try(t, name, locale, func(p string) bool { return p == path })
			}
			try(t, name, locale, func(string) bool { return true })
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		gone := rapid.SliceOfDistinct(rapid.SampledFrom(paths), rapid.ID).Draw(t, "gone")
		name := rapid.SampledFrom(textNames()).Draw(t, "text")
		try(t, name, rapid.SampledFrom(bothLocales).Draw(t, "locale"), func(p string) bool { return slices.Contains(gone, p) })
	})
}

// fataler is what *testing.T and *rapid.T have in common here.
type fataler interface {
	Fatalf(format string, args ...any)
}

func TestMessageRequestedAsItStands(t *testing.T) {
	texts := mustNew(t)
	const text = "  **Sale**!\r\n\n\n  {{.}} <b> [a](https://x.example) \n"
	got := mustRender(t, texts, Input{Type: core.MessageRequested, Event: core.EventData{Text: text}})
	if diff := cmp.Diff(core.Body{Blocks: []core.Block{{Text: core.PlainText(text)}}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = mustRender(t, texts, Input{Type: core.MessageRequested})
	if len(got.Blocks) != 0 {
		t.Errorf("without a text: got %v, want no blocks", got.Blocks)
	}
}

func TestInternalNoteHasNoText(t *testing.T) {
	texts := mustNew(t)
	no := false
	in := Input{Type: core.TicketNoteAdded, Event: core.EventData{TicketID: "7", Note: &core.EventNote{Text: "he is a liar", Public: &no}}}
	if _, err := texts.Render(in); !errors.Is(err, ErrNothing) {
		t.Errorf("got %v, want ErrNothing", err)
	}
	for _, name := range textNames() {
		full := example(name)
		full.Event.Note = in.Event.Note
		if said := words(mustRender(t, texts, full)); strings.Contains(said, "liar") {
			t.Errorf("%s shows an internal note: %q", name, said)
		}
	}
}

func TestUnknownTypesAreErrors(t *testing.T) {
	texts := mustNew(t)
	for _, in := range []Input{{}, {Type: "order.shiped"}, {Type: core.Answer}, {Type: core.Answer, Answer: "nope"}, {Type: "_summary"}, {Type: "chat."}} {
		if body, err := texts.Render(in); err == nil {
			t.Errorf("Render(%s %s): got %v, want an error", in.Type, in.Answer, body)
		}
	}
}

func TestContractWords(t *testing.T) {
	texts := mustNew(t)
	tests := map[string]string{
		"en": "We received your request, we are processing it.",
		"de": "Wir haben Ihre Anfrage erhalten und bearbeiten sie.",
	}
	for locale, want := range tests {
		for _, in := range []Input{{Answer: Confirmation}, {Event: core.EventData{Answer: Confirmation}}} {
			in.Type, in.Locale = core.Answer, locale
			got := mustRender(t, texts, in)
			if diff := cmp.Diff(core.Body{Blocks: []core.Block{{Text: core.PlainText(want)}}}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", locale, diff)
			}
		}
	}
}

// TestAnswersToStrangersNameNobody renders them with all the data there is.
func TestAnswersToStrangersNameNobody(t *testing.T) {
	texts := mustNew(t)
	for _, answer := range []string{Unlinked, LinkInvalid} {
		for _, locale := range bothLocales {
			full := example(answerPrefix + answer)
			full.Locale = locale
			got := mustRender(t, texts, full)
			want := mustRender(t, texts, Input{Type: core.Answer, Answer: answer, Locale: locale})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s in %s depends on data (-without +with):\n%s", answer, locale, diff)
			}
		}
	}
}

func TestOnHoldIsNeutral(t *testing.T) {
	texts := mustNew(t)
	for _, locale := range bothLocales {
		in := example("order.on_hold")
		in.Locale, in.Event.State, in.Order.Status, in.Order.StatusDisplay = locale, "WAIT_FRAUD_MANUAL_CHECK", "WAIT_FRAUD_MANUAL_CHECK", "fraud"
		status := example(answerPrefix + Status)
		status.Locale, status.Vars = locale, map[string]any{"orders": []core.Order{*in.Order}}
		said := strings.ToLower(words(mustRender(t, texts, in)) + words(mustRender(t, texts, status)))
		for _, word := range []string{"fraud", "betrug", "verdacht", "suspic", "risk", "risiko"} {
			if strings.Contains(said, word) {
				t.Errorf("%s: got %q, want no %q in it", locale, said, word)
			}
		}
	}
}

func TestProgress(t *testing.T) {
	parcels := func(states ...string) (list []core.Consignment) {
		for _, s := range states {
			list = append(list, core.Consignment{Status: s})
		}
		return list
	}
	tests := []struct {
		status  string
		parcels []core.Consignment
		want    string
	}{
		{"CREATED", nil, "received"},
		{"READY", parcels("WAITING", "PICKPACK"), "received"},
		{"READY", parcels("SHIPPED", "WAITING"), "partly_shipped"},
		{"READY", parcels("SHIPPED", "CANCELLED"), "shipped"},
		{"READY", parcels("DELIVERY_COMPLETED", "IN_TRANSIT"), "shipped"},
		{"COMPLETED", parcels("DELIVERY_COMPLETED", "PICKUP_COMPLETE"), "delivered"},
		{"READY", parcels("READY_FOR_PICKUP"), "ready_for_pickup"},
		{"COMPLETED", parcels("PICKUP_COMPLETE"), "picked_up"},
		{"COMPLETED", nil, "completed"},
		{"CANCELLED", parcels("SHIPPED"), "cancelled"},
		{"CANCELLING", nil, "cancelling"},
		{"PENDING_APPROVAL", nil, "approval"},
		{"REJECTED", nil, "rejected"},
		{"PAYMENT_NOT_AUTHORIZED", nil, "payment"},
		{"WAIT_FRAUD_MANUAL_CHECK", nil, "in_progress"},
		{"SOMETHING_NEW", nil, "in_progress"},
		{"", nil, "in_progress"},
	}
	for _, tt := range tests {
		if got := progress(core.Order{Status: tt.status, Consignments: tt.parcels}); got != tt.want {
			t.Errorf("%s %v: got %s, want %s", tt.status, tt.parcels, got, tt.want)
		}
	}
}

func TestFirstName(t *testing.T) {
	tests := map[string]string{
		"Ines Vidal": "Ines", "Dr. Ines Vidal": "Ines", "Frau Prof. Dr. Ines Vidal": "Ines", "Vidal, Ines": "Ines", "Vidal,": "Vidal",
		"Ines": "Ines", "": "", "  ": "", "ines.vidal@example.com": "", "Jean-Luc Picard": "Jean-Luc", "王 小明": "王", "Mr": "", "O'Neil Ann": "O'Neil",
	}
	for name, want := range tests {
		if got := firstName(name); got != want {
			t.Errorf("firstName(%q): got %q, want %q", name, got, want)
		}
	}
}

func TestListFunctions(t *testing.T) {
	in := example("order.completed")
	for template, want := range map[string]string{
		`{{join ", " (names .Order.Lines)}}`:                                           "Enamel kettle 1.7 l, Cup & saucer <blue>",
		`{{join "/" (names (limit 1 .Order.Lines))}} and {{more 1 .Order.Lines}} more`: "Enamel kettle 1.7 l and 1 more",
		`{{join ", " (.Var "nope")}}x{{range limit 3 (.Var "nope")}}{{.}}{{end}}`:      "x",
		`{{.Order.Total}}, {{.Order.Placed}}, {{.Consignment.Of}}{{.Var "nope"}}`:      "€78.80, 4 March 2025, 2",
		`{{datetime .Now}}, {{quantity 1234}}, {{firstName "Mx Ada Poe"}}`:             "4 March 2025 at 09:15, 1,234, Ada",
	} {
		if got := say(t, template, in).Blocks[0].Text.Plain(); got != want {
			t.Errorf("%s: got %q, want %q", template, got, want)
		}
	}
}

func TestParams(t *testing.T) {
	texts := mustNew(t)
	in := example("order.shipped")
	in.Locale = "de"
	got, err := texts.Params([]string{"order.code", "ORDER.total", "order.customerName", "consignment.trackingID", "consignment.trackingId", "customer.firstName", "order.placed", "order.items", "consignment.of", "note.text"}, in)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"00417003", "78,80\u00a0€", "Ines Vidal", "JD0140-77", "JD0140-77", "Ines", "4. März 2025", "Enamel kettle 1.7 l, Cup & saucer <blue>", "2", "The lid is on its way. 1 < 2 & **thanks**!"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	var missing *MissingError
	if _, err := texts.Params([]string{"order.code", "order.total"}, degraded(in)); !errors.As(err, &missing) || missing.Path != "order.total" {
		t.Errorf("without an order: got %v, want order.total missing", err)
	}
	if _, err := texts.Params([]string{"order.nope"}, in); err == nil || errors.As(err, &missing) && missing.Path == "order.nope" {
		t.Errorf("unknown path: got %v, want an error of another kind", err)
	}
	for _, path := range ParamPaths() {
		if problem := ParamProblem(path) + ParamProblem(strings.ToUpper(path)); problem != "" {
			t.Errorf("ParamProblem(%q): got %q, want none", path, problem)
		}
		in.Event.Text = "free"
		if _, err := texts.Params([]string{path}, in); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, want := range map[string]string{
		"": "there are order.code, ", "event.note": "unknown", "nope": "unknown", "order": "unknown",
		"order.cod": "mean order.code?", "consignment.trackingId2": "mean consignment.trackingID?",
	} {
		if problem := ParamProblem(path); !strings.Contains(problem, want) {
			t.Errorf("ParamProblem(%q): got %q, want %q in it", path, problem, want)
		}
	}
}

// TestBothLanguagesHaveEverything finds a text that was forgotten.
func TestBothLanguagesHaveEverything(t *testing.T) {
	sources, faults := load(nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, locale := range bothLocales {
		for _, name := range textNames() {
			if _, ok := sources[locale][name]; !ok {
				t.Errorf("%s has no text %s", locale, name)
			}
		}
	}
	if diff := cmp.Diff(keys(sources["en"]), keys(sources["de"])); diff != "" {
		t.Errorf("the languages differ (-en +de):\n%s", diff)
	}
	for locale, sources := range sources {
		for name, src := range sources {
			if i := strings.IndexFunc(src.text, func(r rune) bool { return unicode.Is(unicode.Cf, r) || r == '\t' }); i >= 0 {
				t.Errorf("%s/%s has an invisible character at %d", locale, name, i)
			}
		}
	}
}

func keys(m map[string]source) []string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func BenchmarkRender(b *testing.B) {
	texts := mustNew(b)
	for _, name := range []string{"order.placed", "order.shipped", "order.completed", "chat.confirmation"} {
		in := example(name)
		in.Locale = "de"
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustRender(b, texts, in)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		mustNew(b)
	}
}
