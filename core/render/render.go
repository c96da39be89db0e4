package render

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"tidings/core"
)

//go:embed templates/*/*.tmpl
var builtIn embed.FS

// lastResort is the locale that has every text, whatever the shop overrides.
const lastResort = "en"

// ErrNothing is the error of Render for a note that the customer may not see:
// there is no text for it, not even one that mentions it.
var ErrNothing = errors.New("render: no public note to show")

// Input is a notification: what happened, and what is known about it. Only
// Type is needed; what is missing is left out of the text.
type Input struct {
	Type   core.EventType
	Locale string // the customer's; "" is the default locale
	Now    time.Time
	Event  core.EventData

	CustomerName string
	Order        *core.Order       // nil: not read
	Consignment  *core.Consignment // the one the event is about

	// ConsignmentN of ConsignmentOf parcels is the one the event is about; 0: unknown.
	ConsignmentN, ConsignmentOf int

	Return *core.Return // the one the event is about; nil: not read

	Note *core.PublicNote

	// Answer is the name of a chat answer (Answers) and Vars are its values;
	// for type core.Answer only. Event.Answer counts where Answer is empty.
	Answer string
	Vars   map[string]any

	// Degraded says that the shop did not answer in time. The texts that come
	// with the program do without; a shop's own may say so.
	Degraded bool
}

// Texts are the parsed templates of all locales. They never change: methods
// may be called concurrently, and a reload makes new Texts.
type Texts struct {
	def  string // the default locale as configured, in canonical form
	sets map[string]*set
}

// New parses the texts that come with the program and those of overrides
// (LOCALE/NAME.tmpl, nil: none) that take their place. It returns either Texts
// or everything that is wrong, never both; a Fault's Key is the file and line.
func New(overrides fs.FS, defaultLocale string) (*Texts, []core.Fault) {
	sources, faults := load(overrides)
	t := &Texts{def: lastResort, sets: make(map[string]*set, len(sources))}
	if defaultLocale != "" {
		locale, ok := canonical(defaultLocale)
		if !ok || !sources.serve(locale) {
			faults = append(faults, core.Fault{Key: "default_locale", Problem: fmt.Sprintf("there are no texts in %q; there are in %s", defaultLocale, sources.locales())})
		}
		t.def = locale
	}
	trees, parseFaults := sources.parse()
	if faults = append(faults, parseFaults...); len(faults) > 0 {
		return nil, faults
	}
	for _, locale := range sources.sorted() {
		t.sets[locale] = newSet(locale, trees)
	}
	if faults = t.check(trees); len(faults) > 0 {
		return nil, faults
	}
	return t, nil
}

// Locale returns the locale whose texts a customer of locale want gets: de_AT
// itself if there is a folder of that name, else de, else the default.
func (t *Texts) Locale(want string) string {
	for _, w := range t.wants(want) {
		for _, locale := range lineage(w) {
			if t.sets[locale] != nil {
				return locale
			}
		}
	}
	return lastResort
}

// Render returns what the customer is told. A body without blocks is possible:
// a shop silences a notification by an empty template.
//
// It fails with ErrNothing, for a type without a text, and for a shop's own
// template that breaks on data New had no example of. Errors hold no data.
func (t *Texts) Render(in Input) (core.Body, error) {
	if in.Type == core.MessageRequested {
		return asItStands(in.Event.Text), nil
	}
	if in.Type == core.TicketNoteAdded && (in.Note == nil || in.Note.Text == "") {
		return core.Body{}, ErrNothing
	}
	name := templateName(in)
	if !isText(name) {
		return core.Body{}, fmt.Errorf("render: there is no text %q", name)
	}
	return t.render(name, newView(in), in.Locale)
}

// render runs one template and lays out what it wrote.
func (t *Texts) render(name string, v *view, want string) (core.Body, error) {
	main, ok := t.pick(name, want)
	if !ok {
		return core.Body{}, fmt.Errorf("render: there is no text %q", name)
	}
	written, err := main.execute(name, v)
	if err != nil {
		return core.Body{}, err
	}
	l := layout{summary: func() (*core.OrderSummary, error) { return t.summary(main, v, want) }}
	for _, p := range parseMarkup(written) {
		if err := l.add(p); err != nil {
			return core.Body{}, err
		}
	}
	body := l.body()
	if len(body.Blocks) == 0 && len(body.Buttons) > 0 {
		return core.Body{}, fmt.Errorf("render: %s has a button and no words above it", name)
	}
	return body, nil
}

// summary writes the order out with the partial _summary, in the language of
// the text around it as far as that has one. It is nil without an order.
func (t *Texts) summary(around executable, v *view, want string) (*core.OrderSummary, error) {
	if !v.Order.Known || (len(v.Order.Lines) == 0 && v.Order.Total.IsZero()) {
		return nil, nil
	}
	exec := around
	if !exec.has(summaryPartial) {
		exec, _ = t.pick(summaryPartial, want)
	}
	written, err := exec.execute(summaryPartial, v)
	if err != nil {
		return nil, err
	}
	return &core.OrderSummary{Order: v.summaryOrder(), Text: textOnly(parseMarkup(written))}, nil
}

// wants lists the locales to try, best first. What is not a locale's name is
// as good as none.
func (t *Texts) wants(want string) []string {
	if locale, ok := canonical(want); ok {
		return []string{locale, t.def, lastResort}
	}
	return []string{t.def, lastResort}
}

// pick finds the template that speaks to a customer of locale want, together
// with the way that locale writes numbers: de_CH has the words of de and
// numbers of its own.
func (t *Texts) pick(name, want string) (executable, bool) {
	for _, w := range t.wants(want) {
		for _, locale := range lineage(w) {
			if s := t.sets[locale]; s != nil && s.has(name) {
				return s.in(formatFor(w)), true
			}
		}
	}
	return executable{}, false
}

// asItStands is the body of a text that the shop wrote itself.
func asItStands(text string) core.Body {
	if text == "" {
		return core.Body{}
	}
	return core.Body{Blocks: []core.Block{{Text: core.PlainText(clean(text))}}}
}
