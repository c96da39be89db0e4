package split

import (
	"unicode/utf8"

	"tidings/core"
)

// gauge measures texts against one bound of a platform. A Max of zero or less
// is no bound, and everything measures 0 against it.
type gauge struct {
	max      int
	unit     core.Unit
	overhead int          // of the markup around a run; 0 unless encoded
	encoded  bool         // measure what is sent, not what is shown
	extra    map[rune]int // what writing a character costs beyond itself
}

func textGauge(lim core.Limits) gauge { return newGauge(lim.Text, lim.Encoded, lim) }

func rawGauge(lim core.Limits) gauge { return newGauge(lim.Raw, true, lim) }

func captionGauge(lim core.Limits) gauge { return newGauge(lim.Caption, lim.Encoded, lim) }

func buttonGauge(lim core.Limits) gauge {
	if lim.ButtonText.Max <= 0 {
		return textGauge(lim)
	}
	return newGauge(lim.ButtonText, lim.Encoded, lim)
}

func newGauge(limit core.Limit, encoded bool, lim core.Limits) gauge {
	g := gauge{max: limit.Max, unit: limit.Unit, encoded: encoded}
	if !encoded || limit.Max <= 0 {
		return g
	}
	g.overhead = lim.RunOverhead
	g.extra = make(map[rune]int, len(lim.Escape))
	for from, to := range lim.Escape {
		// What is escaped as a sequence is charged to its first character:
		// too much where that stands alone, never too little.
		first, _ := utf8.DecodeRuneInString(from)
		g.extra[first] = max(g.extra[first], count(to, g.unit)-count(from, g.unit))
	}
	return g
}

// fits reports whether a text is within the bound.
func (g gauge) fits(t core.Text) bool { return g.within(g.text(t)) }

func (g gauge) within(size int) bool { return g.max <= 0 || size <= g.max }

// halfFree reports whether a size leaves half of the bound.
func (g gauge) halfFree(size int) bool { return g.max <= 0 || 2*size <= g.max }

// halfFull reports whether a size is at least half of the bound.
func (g gauge) halfFull(size int) bool { return g.max > 0 && 2*size >= g.max }

// text returns the size of a text of its own.
func (g gauge) text(t core.Text) int {
	size := 0
	for _, run := range t {
		size += g.markup(run) + g.string(run.Text)
	}
	return size
}

// markup returns what is written around the characters of a run.
func (g gauge) markup(run core.Run) int {
	if !g.encoded || g.max <= 0 {
		return 0
	}
	size := 0
	if run.Style != 0 {
		size += g.overhead
	}
	if run.Link != "" {
		size += g.overhead + g.string(run.Link)
	}
	return size
}

func (g gauge) string(s string) int {
	if g.max <= 0 {
		return 0
	}
	size := count(s, g.unit)
	if len(g.extra) > 0 {
		for _, r := range s {
			size += g.extra[r]
		}
	}
	return size
}

// count returns the length of a string in a unit; no unit counts code points.
func count(s string, unit core.Unit) int {
	switch unit {
	case core.Bytes:
		return len(s)
	case core.UTF16:
		n := 0
		for _, r := range s {
			n++
			if r > 0xFFFF {
				n++
			}
		}
		return n
	}
	return utf8.RuneCountInString(s)
}
