package channeltest

import (
	"slices"
	"strings"
	"testing"

	"tidings/core"
	"tidings/core/split"
)

// bound is how one limit is tried.
type bound struct {
	name  Bound
	limit core.Limit
	// encoded says that Limits.Encoded holds for it.
	encoded bool
	begin   string // what the text begins with
	fills   []string
	// part holds a text of the size to try; of things, n are wanted.
	part func(s string, n int) core.Part
}

// Characters that cost differently in different units and encodings.
var fills = []string{"a", "&", "é", "中", "😀"}

func bounds(lim core.Limits) []bound {
	above := lim.ButtonText
	if above.Max == 0 {
		above = lim.Text
	}
	press := core.Button{Title: "Yes", Value: "yes"}
	withButton := func(b core.Button) core.Part {
		return core.Part{Text: core.PlainText("Choose."), Buttons: []core.Button{b}}
	}
	all := []bound{
		{BoundText, lim.Text, true, "", fills, func(s string, _ int) core.Part { return core.Part{Text: core.PlainText(s)} }},
		{BoundCaption, lim.Caption, true, "", fills, func(s string, _ int) core.Part {
			return core.Part{Picture: &core.Picture{URL: pictureURL, Caption: core.PlainText(s)}}
		}},
		{BoundLines, lim.Order.Lines, false, "", nil, func(_ string, n int) core.Part { return core.Part{Order: order(n)} }},
	}
	if lim.Buttons.Max == 0 {
		return all
	}
	return append(all,
		bound{BoundButtons, lim.Buttons, false, "", nil, func(_ string, n int) core.Part {
			return core.Part{Text: core.PlainText("Choose."), Buttons: someButtons(0, n)}
		}},
		bound{BoundButtonText, above, true, "", fills, func(s string, _ int) core.Part {
			return core.Part{Text: core.PlainText(s), Buttons: []core.Button{press}}
		}},
		bound{BoundButtonTitle, lim.ButtonTitle, false, "", fills, func(s string, _ int) core.Part { return withButton(core.Button{Title: s, Value: "yes"}) }},
		bound{BoundButtonValue, lim.ButtonValue, false, "", fills, func(s string, _ int) core.Part { return withButton(core.Button{Title: "Yes", Value: s}) }},
		bound{BoundButtonURL, lim.ButtonURL, false, "https://shop.example/", []string{"a"}, func(s string, _ int) core.Part {
			return withButton(core.Button{Title: "Yes", URL: s})
		}},
	)
}

// limitsAreTight is the rest of point 2: just the limit is taken, and one more
// is refused where the number is the platform's.
func (x Exam) limitsAreTight(t *testing.T) {
	for _, name := range []Bound{BoundText, BoundCaption, BoundLines, BoundButtons, BoundButtonText, BoundButtonTitle, BoundButtonValue, BoundButtonURL} {
		x.point(t, string(name), func(t *testing.T, w *world) {
			lim := w.channel.Limits()
			i := slices.IndexFunc(bounds(lim), func(b bound) bool { return b.name == name })
			if i < 0 || bounds(lim)[i].limit.Max == 0 {
				if slices.Contains(x.Hard, name) {
					t.Errorf("the exam calls this limit hard, the adapter names none")
				}
				return
			}
			bounds(lim)[i].try(t, w, lim)
		})
	}
}

func (b bound) try(t *testing.T, w *world, lim core.Limits) {
	hard := slices.Contains(w.x.Hard, b.name)
	if b.fills == nil {
		taken(t, w, b.part("", b.limit.Max), "")
		if hard {
			refused(t, w, b.part("", b.limit.Max+1))
		}
		return
	}
	for _, fill := range b.fills {
		s := b.fill(lim, fill)
		taken(t, w, b.part(s, 0), fill)
		if hard {
			refused(t, w, b.part(s+"a", 0))
		}
	}
}

// fill returns a text that is exactly as long as the limit allows.
func (b bound) fill(lim core.Limits, char string) string {
	measure := core.Limits{Text: b.limit}
	if b.encoded {
		measure.Encoded, measure.Escape, measure.RunOverhead = lim.Encoded, lim.Escape, lim.RunOverhead
	}
	size := func(s string) int {
		n, _ := split.Measure(core.PlainText(s), measure)
		return n
	}
	room := b.limit.Max - size(b.begin)
	most := room / size(char)
	return b.begin + strings.Repeat(char, most) + strings.Repeat("a", room-most*size(char))
}

func taken(t *testing.T, w *world, p core.Part, fill string) {
	t.Helper()
	p.Key, p.N, p.Of, p.Standing = "m-1-1", 1, 1, core.Open
	if _, err := w.send(p); err != nil {
		t.Errorf("exactly the limit, of %q: %v", fill, err)
		return
	}
	fresh := w.news()
	if len(fresh) != 1 {
		t.Errorf("exactly the limit, of %q: shown as %d messages, want 1", fill, len(fresh))
		return
	}
	want := p.Text
	if p.Picture != nil {
		want = p.Picture.Caption
	}
	if p.Order == nil && squeeze(fresh[0].Text) != squeeze(want.Plain()) {
		t.Errorf("exactly the limit, of %q: shown %q, want %q", fill, clip(fresh[0].Text), clip(want.Plain()))
	}
}

// refused expects a no that is final, or one that says that there is another
// way to send the part.
func refused(t *testing.T, w *world, p core.Part) {
	t.Helper()
	p.Key, p.N, p.Of, p.Standing = "m-2-1", 1, 1, core.Open
	_, err := w.send(p)
	if n := len(w.news()); err == nil || n != 0 {
		t.Errorf("one more than the limit: got %v and %d messages shown, want a refusal", err, n)
		return
	}
	e := sendError(t, err)
	if e.Class != core.Rejected && (e.Class != core.Temporary || e.Tries == 0) {
		t.Errorf("one more than the limit: got %v, want Rejected", e)
	}
}
