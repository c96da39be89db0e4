package split

import "tidings/core"

// span is the glyphs from..to that make one part.
type span struct{ from, to int }

// cutText cuts a text that is not blank. below says that buttons go under the
// last part; ok is false where its end cannot be made short enough for them.
func cutText(t core.Text, lim core.Limits, below bool) (parts []core.Text, ok bool) {
	bounds := []gauge{textGauge(lim), rawGauge(lim)}
	if below {
		bounds = append(bounds, buttonGauge(lim))
	}
	if fitAll(t, bounds) { // nearly always
		return []core.Text{t}, true
	}
	r := newRow(t, lim)
	spans, ok := r.spans(below)
	return r.texts(spans), ok
}

func fitAll(t core.Text, bounds []gauge) bool {
	for _, g := range bounds {
		if !g.fits(t) {
			return false
		}
	}
	return true
}

// spans cuts the row. White space at its end stays if it fits.
func (r *row) spans(below bool) (spans []span, ok bool) {
	last := r.end()
	for last > 0 && !r.glyphs[last-1].ink {
		last--
	}
	from := 0
	for !r.fits(from, last) {
		to, next := r.cut(from)
		if to > from {
			spans = append(spans, span{from, to})
		}
		from = next
	}
	if from >= last { // only where a single code point exceeds a part
		return spans, true
	}
	if below && !r.fitsButtons(from, last) {
		to := r.cutTail(from, last)
		if to == from {
			return nil, false
		}
		spans = append(spans, span{from, to})
		from = r.resume(to)
	}
	if r.fits(from, r.end()) && (!below || r.fitsButtons(from, r.end())) {
		last = r.end()
	}
	return append(spans, span{from, last}), true
}

// cut finds where the part that starts at a glyph ends, and where the next one
// starts. The rest of the row is longer than a part. A part of white space only
// is none: to is from then.
func (r *row) cut(from int) (to, next int) {
	var last, full [levels]int // the last boundary of each level; of those in the second half
	ink := r.glyphs[from].ink
	for i := from + 1; r.fits(from, i); i++ {
		if ink {
			last[r.glyphs[i].level] = i
			if r.halfFull(from, i) {
				full[r.glyphs[i].level] = i
			}
		}
		ink = ink || r.glyphs[i].ink
	}
	to = r.choose(from, last, full)
	switch {
	case to > 0:
	case !r.glyphs[from].ink: // an indent that leaves no room for what it indents
		return from, r.dedent(from)
	case last[doubtful] > 0: // what may be prices, without an end
		to = last[doubtful]
	case last[inside] > 0: // links that share a grapheme, without an end
		to = last[inside]
	default: // a single code point that exceeds a part
		to = from + 1
	}
	return to, r.resume(to)
}

// choose takes the best boundary of grapheme level or better, 0 for none.
func (r *row) choose(from int, last, full [levels]int) int {
	for lv := paragraph; lv >= word; lv-- {
		if full[lv] > 0 {
			return full[lv]
		}
	}
	// The second half has no space. What fills it goes to the next part whole,
	// if it fits there; else it is cut here, at the best place there is.
	for _, lv := range []level{word, piece} {
		if to := latest(last, lv); to > 0 && (r.halfFull(from, to) || r.holds(to, lv)) {
			return to
		}
	}
	return latest(last, grapheme)
}

// latest returns the last boundary of a level or better.
func latest(last [levels]int, lv level) int {
	to := 0
	for ; lv < levels; lv++ {
		to = max(to, last[lv])
	}
	return to
}

// holds reports whether what follows a boundary, up to the next one of a level
// or better, fits a part.
func (r *row) holds(at int, lv level) bool {
	from := r.resume(at)
	for i := from + 1; r.fits(from, i); i++ {
		if i == r.end() || r.glyphs[i].level >= lv {
			return true
		}
	}
	return false
}

// resume returns where the part after a cut starts: behind the white space, but
// with the indent of a new line.
func (r *row) resume(at int) int {
	behind, newline := at, -1
	for ; behind < r.end() && r.glyphs[behind].gap; behind++ {
		if r.glyphs[behind].newline {
			newline = behind
		}
	}
	if newline >= 0 {
		return newline + 1
	}
	return behind
}

// dedent returns where to start instead of at white space: behind what may go
// at a cut, or behind all of it where nothing may.
func (r *row) dedent(from int) int {
	next := from
	for r.glyphs[next].gap {
		next++
	}
	if next > from {
		return next
	}
	for !r.glyphs[next].ink {
		next++
	}
	return next
}

// cutTail finds where to cut what fits a part, but not one with buttons: as
// early as the buttons allow at the best level there is. It returns from where
// there is no place.
func (r *row) cutTail(from, last int) int {
	to, best := from, doubtful
	ink := r.glyphs[from].ink
	for i := from + 1; i < last; i++ {
		if lv := r.glyphs[i].level; ink && lv > best && r.fitsButtons(r.resume(i), last) {
			to, best = i, lv
		}
		ink = ink || r.glyphs[i].ink
	}
	return to
}

// texts returns the spans as texts with the formatting of their characters.
func (r *row) texts(spans []span) []core.Text {
	texts := make([]core.Text, 0, len(spans))
	for _, s := range spans {
		from, to := r.glyphs[s.from].pos, r.glyphs[s.to].pos
		var text core.Text
		for i := int(r.glyphs[s.from].run); i < len(r.runs) && r.starts[i] < to; i++ {
			run := r.runs[i]
			run.Text = r.text[max(from, r.starts[i]):min(to, r.starts[i+1])]
			text = append(text, run)
		}
		texts = append(texts, text)
	}
	return texts
}
