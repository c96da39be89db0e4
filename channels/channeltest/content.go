package channeltest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"tidings/core"
	"tidings/core/split"
)

// contentArrives is point 2, for all samples.
func (x Exam) contentArrives(t *testing.T) {
	for _, s := range samples() {
		x.point(t, s.name, func(t *testing.T, w *world) { arrives(t, w, s) })
	}
}

// arrives sends a sample part by part and looks at what is shown.
func arrives(t *testing.T, w *world, s sample) {
	parts := split.Parts(s.body, w.channel.Limits(), func(n int) string { return fmt.Sprintf("m-1-%d", n) })
	var shown []Shown
	for _, p := range parts {
		p.Standing = core.Open
		survivesJSON(t, p)
		survivesJSON(t, w.mustSend(p))
		fresh := w.news()
		if len(fresh) != 1 {
			t.Fatalf("part %d of %d: shown as %d messages, want 1", p.N, p.Of, len(fresh))
		}
		checkPart(t, w, s, p, fresh[0])
		shown = append(shown, fresh...)
	}
	checkWhole(t, s.body, parts, shown)
	if n := w.platform.Overlaps(); n != 0 {
		t.Errorf("overlapping requests to one recipient: got %d, want none", n)
	}
}

// checkPart compares a part with what is shown of it.
func checkPart(t *testing.T, w *world, s sample, p core.Part, m Shown) {
	t.Helper()
	switch {
	case p.Order != nil:
		checkOrder(t, *p.Order, m)
		return
	case p.Picture != nil:
		checkRequest(t, w, p.Picture.URL)
		checkText(t, s, p.Picture.Caption, m)
	default:
		checkText(t, s, p.Text, m)
	}
	if got, want := len(m.Buttons), len(p.Buttons); got != want {
		t.Errorf("buttons: got %d, want %d", got, want)
		return
	}
	for i, b := range p.Buttons {
		if m.Buttons[i] != b {
			t.Errorf("button %d: got %+v, want %+v", i+1, m.Buttons[i], b)
		}
	}
}

// sameSpace makes one of what looks the same on a screen.
var sameSpace = strings.NewReplacer("\r\n", "\n", "\t", " ")

// checkText asks for short texts to the letter, for long ones but for white
// space. Where emphasis or links could not be written exactly, an adapter may
// drop the emphasis and write the target of a link behind its words.
func checkText(t *testing.T, s sample, want core.Text, m Shown) {
	t.Helper()
	norm := sameSpace.Replace
	if s.long {
		norm = squeeze
	}
	got := norm(m.Text)
	if got != norm(want.Plain()) && got != norm(withTargets(want)) {
		t.Errorf("shown:\n got %q\nwant %q", clip(m.Text), clip(want.Plain()))
	}
	for _, r := range want {
		if r.Link != "" && !reachable(m, r.Link) {
			t.Errorf("the link to %s cannot be followed", r.Link)
			return
		}
	}
}

// reachable reports whether a link's target is there, in a form that leads to
// the same place: a URL may be written with more escapes than it had.
func reachable(m Shown, link string) bool {
	if strings.Contains(m.Text, link) {
		return true
	}
	for _, l := range m.Links {
		if sameURL(l, link) {
			return true
		}
	}
	return false
}

func sameURL(a, b string) bool {
	plainA, errA := url.PathUnescape(a)
	plainB, errB := url.PathUnescape(b)
	return a == b || errA == nil && errB == nil && strings.TrimSuffix(plainA, "/") == strings.TrimSuffix(plainB, "/")
}

// checkOrder looks for everything that a customer checks, whatever the form.
func checkOrder(t *testing.T, o core.OrderSummary, m Shown) {
	t.Helper()
	all := []string{o.Order.Code, o.Order.Total.Amount}
	for _, l := range o.Order.Lines {
		all = append(all, l.Name)
	}
	for _, want := range all {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the order as shown lacks %q:\n%s", want, clip(m.Text))
		}
	}
}

// checkRequest looks into the newest request, whatever its encoding.
func checkRequest(t *testing.T, w *world, want string) {
	t.Helper()
	w.wire.mu.Lock()
	body := w.wire.requests[len(w.wire.requests)-1]
	w.wire.mu.Unlock()
	if form, err := url.QueryUnescape(body); err == nil {
		body += form
	}
	if !strings.Contains(strings.ReplaceAll(body, `\/`, "/"), want) {
		t.Errorf("the request does not hold %s", want)
	}
}

// checkWhole holds what all parts show against the body.
func checkWhole(t *testing.T, body core.Body, parts []core.Part, shown []Shown) {
	t.Helper()
	var said, got strings.Builder
	for i, m := range shown {
		if parts[i].Order == nil {
			got.WriteString(squeeze(m.Text))
		}
	}
	for _, b := range body.Blocks {
		said.WriteString(b.Text.Plain())
	}
	if isPlain(body) && got.String() != squeeze(said.String()) {
		t.Errorf("all parts joined:\n got %q\nwant %q", clip(got.String()), clip(said.String()))
	}
	everything := got.String()
	for _, b := range body.Buttons {
		if !pressable(b, shown) && !strings.Contains(everything, squeeze(b.Title)) {
			t.Errorf("button %q is neither shown nor said in words", b.Title)
		}
		if b.URL != "" && !pressable(b, shown) && !strings.Contains(everything, b.URL) {
			t.Errorf("the link of button %q is gone", b.Title)
		}
	}
}

func pressable(b core.Button, shown []Shown) bool {
	for _, m := range shown {
		if slices.Contains(m.Buttons, b) {
			return true
		}
	}
	return false
}

// isPlain reports whether a body has nothing but texts without links.
func isPlain(b core.Body) bool {
	for _, block := range b.Blocks {
		if block.Order != nil || block.Picture != nil {
			return false
		}
		for _, r := range block.Text {
			if r.Link != "" {
				return false
			}
		}
	}
	return len(b.Buttons) == 0
}

// withTargets is a text with its links written out.
func withTargets(t core.Text) string {
	var b strings.Builder
	for _, r := range t {
		b.WriteString(r.Text)
		if r.Link != "" && r.Link != r.Text {
			b.WriteString(": " + r.Link)
		}
	}
	return b.String()
}

// squeeze takes all white space out.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// clip keeps a failure readable.
func clip(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
