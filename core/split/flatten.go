package split

import (
	"strings"
	"unicode"

	"tidings/core"
)

// flatten returns the blocks of a body as the platform can show them, with
// lines of text after the last one. Neighbouring texts are one block, no text
// is only white space, and every order and picture left has a form of its own.
func flatten(body core.Body, lim core.Limits, lines []string) []core.Block {
	f := flattener{lim: lim, text: textGauge(lim), raw: rawGauge(lim)}
	for _, block := range body.Blocks {
		f.addText(f.runs(block.Text))
		if block.Order != nil {
			f.addOrder(block.Order)
		}
		if block.Picture != nil {
			f.addPicture(block.Picture)
		}
	}
	f.addText(core.PlainText(strings.Join(lines, "\n")))
	f.endText()
	return f.blocks
}

type flattener struct {
	lim       core.Limits
	text, raw gauge
	blocks    []core.Block
	running   joiner // the text block under way
}

// addText joins a text to the running one, a blank line between them.
func (f *flattener) addText(t core.Text) {
	if isBlank(t) {
		return
	}
	if !f.running.empty() {
		f.running.add(core.Run{Text: "\n\n"})
	}
	for _, run := range t {
		f.running.add(run)
	}
}

// endText makes a block of the running text.
func (f *flattener) endText() {
	if text := f.running.end(); text != nil {
		f.blocks = append(f.blocks, core.Block{Text: text})
	}
}

func (f *flattener) addOrder(order *core.OrderSummary) {
	if hasForm(order.Order, f.lim.Order) {
		f.endText()
		f.blocks = append(f.blocks, core.Block{Order: order})
		return
	}
	f.addText(f.runs(order.Text))
}

// addPicture keeps a picture with as much of its words as goes beside it; the
// rest follows. Where there are no pictures its words stand for it, and its
// address where it has none.
func (f *flattener) addPicture(picture *core.Picture) {
	caption := f.runs(picture.Caption)
	if !f.lim.Picture || picture.URL == "" {
		words := picture.Alt
		if words == caption.Plain() {
			words = ""
		}
		if words == "" && isBlank(caption) {
			words = picture.URL
		}
		f.addText(core.PlainText(words))
		f.addText(caption)
		return
	}
	shown := core.Picture{URL: picture.URL, Alt: picture.Alt}
	beside := !isBlank(caption) && f.fitsBeside(caption)
	if beside {
		shown.Caption = caption
	}
	f.endText()
	f.blocks = append(f.blocks, core.Block{Picture: &shown})
	if !beside {
		f.addText(caption)
	}
}

func (f *flattener) fitsBeside(caption core.Text) bool {
	if f.lim.Caption.Max <= 0 {
		return false
	}
	return captionGauge(f.lim).fits(caption) && f.raw.fits(caption)
}

// runs returns the text with only such styles and links as the platform shows;
// neighbouring runs that look the same are one.
func (f *flattener) runs(t core.Text) core.Text {
	var (
		out  joiner
		said strings.Builder // of the link under way
	)
	for i, run := range t {
		link := run.Link
		run = f.reduced(run)
		out.add(run)
		if link == "" {
			continue
		}
		said.WriteString(run.Text)
		if i+1 == len(t) || t[i+1].Link != link {
			out.add(linkTail(said.String(), link, run.Link))
			said.Reset()
		}
	}
	return out.end()
}

// reduced returns the run without what the platform cannot show.
func (f *flattener) reduced(run core.Run) core.Run {
	run.Style &= f.lim.Markup.Styles
	if !f.bearable(core.Run{Style: run.Style}) {
		run.Style = 0
	}
	if !f.lim.Markup.Links || !f.bearable(run) {
		run.Link = ""
	}
	return run
}

// linkTail is what must be added to the text of a link so that its target is
// seen: nothing where the platform shows links (shown is the target then) and
// there is something to press.
func linkTail(text, target, shown string) core.Run {
	switch {
	case strings.TrimSpace(text) == "":
		return core.Run{Text: target, Link: shown}
	case shown != "" || text == target:
		return core.Run{}
	}
	return core.Run{Text: ": " + target}
}

// bearable reports whether the markup of a run leaves at least half of a part
// for text. Only absurd limits and links are not.
func (f *flattener) bearable(run core.Run) bool {
	return f.text.halfFree(f.text.markup(run)) && f.raw.halfFree(f.raw.markup(run))
}

// joiner makes a text of runs: those that follow each other and look the same
// become one.
type joiner struct {
	done core.Text
	last core.Run // its text is in open
	open strings.Builder
}

func (j *joiner) add(run core.Run) {
	if run.Text == "" {
		return
	}
	if run.Style != j.last.Style || run.Link != j.last.Link {
		j.seal()
		j.last = core.Run{Style: run.Style, Link: run.Link}
	}
	j.open.WriteString(run.Text)
}

func (j *joiner) empty() bool { return len(j.done) == 0 && j.open.Len() == 0 }

// end returns the text, nil for none, and starts a new one.
func (j *joiner) end() core.Text {
	j.seal()
	text := j.done
	*j = joiner{}
	return text
}

func (j *joiner) seal() {
	if j.open.Len() == 0 {
		return
	}
	j.last.Text = j.open.String()
	j.done = append(j.done, j.last)
	j.open.Reset()
}

// isBlank reports whether a text has nothing to see.
func isBlank(t core.Text) bool {
	for _, run := range t {
		if !isSpace(run.Text) {
			return false
		}
	}
	return true
}

func isSpace(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsSpace(r) }) < 0
}
