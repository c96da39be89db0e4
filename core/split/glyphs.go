package split

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/clipperhouse/uax29/v2/sentences"
	"github.com/clipperhouse/uax29/v2/words"

	"tidings/core"
)

// level says how good a boundary is for a cut; the higher the better.
type level uint8

const (
	none      level = iota // within white space: the cut is in front of all of it
	inside                 // within a link or a price that fits a part: never, if there is any other
	doubtful               // within what may be a price: only if there is no better one
	grapheme               // within a word
	piece                  // within a word, at its punctuation
	word                   // between words
	sentence               // between sentences
	line                   // at a line break
	paragraph              // at a blank line
	levels
)

// glyph is what is not cut: a grapheme, or a code point of a grapheme that is
// longer than a part.
type glyph struct {
	pos     int         // of its first byte in the text
	before  [bounds]int // size of all characters in front of it
	run     int32       // of its first byte
	prev    int32       // run of the byte in front of it
	level   level       // of the boundary in front of it
	ink     bool        // it is not only white space
	gap     bool        // it is white space that may go at a cut
	newline bool
}

// row is a text as glyphs, with one more for its end.
type row struct {
	text    string
	runs    core.Text
	gauges  [bounds]gauge
	glyphs  []glyph
	starts  []int         // first byte of each run, and of the end
	markups [][bounds]int // size of the markup of all runs in front of each run
}

// The bounds a text is measured against.
const (
	ofText = iota
	ofRaw
	ofButtons
	bounds
)

func newRow(t core.Text, lim core.Limits) *row {
	r := &row{
		text:   t.Plain(),
		runs:   t,
		gauges: [bounds]gauge{ofText: textGauge(lim), ofRaw: rawGauge(lim), ofButtons: buttonGauge(lim)},
	}
	r.measureRuns()
	r.addGlyphs()
	r.markLinksAndPrices()
	r.markGaps()
	return r
}

func (r *row) end() int { return len(r.glyphs) - 1 }

// size returns the size of the glyphs from i up to j as a part of their own.
func (r *row) size(i, j, bound int) int {
	if i >= j {
		return 0
	}
	a, b := &r.glyphs[i], &r.glyphs[j]
	return b.before[bound] - a.before[bound] + r.markups[b.prev+1][bound] - r.markups[a.run][bound]
}

// fits reports whether the glyphs from i up to j fit one part.
func (r *row) fits(i, j int) bool {
	return r.gauges[ofText].within(r.size(i, j, ofText)) && r.gauges[ofRaw].within(r.size(i, j, ofRaw))
}

// fitsButtons reports the same for a part with buttons.
func (r *row) fitsButtons(i, j int) bool {
	return r.fits(i, j) && r.gauges[ofButtons].within(r.size(i, j, ofButtons))
}

// halfFull reports whether the glyphs from i up to j fill half of a part.
func (r *row) halfFull(i, j int) bool {
	return r.gauges[ofText].halfFull(r.size(i, j, ofText)) || r.gauges[ofRaw].halfFull(r.size(i, j, ofRaw))
}

// at returns the first glyph that starts at or behind a byte.
func (r *row) at(pos int) int {
	return sort.Search(r.end(), func(i int) bool { return r.glyphs[i].pos >= pos })
}

func (r *row) measureRuns() {
	r.starts = make([]int, len(r.runs)+1)
	r.markups = make([][bounds]int, len(r.runs)+1)
	for i, run := range r.runs {
		r.starts[i+1] = r.starts[i] + len(run.Text)
		for b, g := range r.gauges {
			r.markups[i+1][b] = r.markups[i][b] + g.markup(run)
		}
	}
}

// addGlyphs fills the row; levels are those of the characters alone.
func (r *row) addGlyphs() {
	r.glyphs = make([]glyph, 0, len(r.text)+1)
	b := builder{row: r}
	wordEnds, sentenceEnds := words.FromString(r.text), sentences.FromString(r.text)
	for clusters := graphemes.FromString(r.text); clusters.Next(); {
		pos := clusters.Start()
		endsWord, endsSentence := reaches(wordEnds, pos), reaches(sentenceEnds, pos)
		b.add(clusters.Value(), boundary(r.text, pos, endsWord, endsSentence))
	}
	b.addEnd()
}

// segments is what the iterators of words and sentences have in common.
type segments interface {
	Next() bool
	End() int
}

// reaches moves on to pos and reports whether a segment ends there.
func reaches(it segments, pos int) bool {
	for it.End() < pos && it.Next() {
	}
	return it.End() == pos
}

// boundary is the level of a boundary by the characters on its sides.
//
// Between words is not the same as between the pieces of a word ("order-17",
// "a/b"), at which a line would not be broken either. Scripts without spaces
// are broken between any two words, but not in front of punctuation that closes
// or behind one that opens. Nor does a sentence end without a space elsewhere:
// the "!" of "a!=b" or of "<!here>" is a piece's end, and no more.
func boundary(text string, pos int, endsWord, endsSentence bool) level {
	left, _ := utf8.DecodeLastRuneInString(text[:pos])
	right, _ := utf8.DecodeRuneInString(text[pos:])
	switch {
	case isGlue(left) || isGlue(right):
		return grapheme
	case endsSentence && (unicode.IsSpace(left) || isSpaceless(left) || isSpaceless(right)):
		return sentence
	case !endsWord:
		return grapheme
	}
	startsWord := unicode.IsLetter(right) || unicode.IsNumber(right)
	opens := unicode.In(left, unicode.Ps, unicode.Pi)
	if startsWord && !opens && (isSpaceless(left) || isSpaceless(right)) {
		return word
	}
	return piece
}

// isGlue reports whether a character forbids to break beside it.
func isGlue(r rune) bool {
	switch r {
	case '\u00a0', '\u2007', '\u202f', '\u2060', '\ufeff':
		return true
	}
	return false
}

// isSpaceless reports whether a character belongs to a script that writes no
// spaces between words, or to its punctuation.
func isSpaceless(r rune) bool {
	if r < 0x0e00 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef
}

// builder adds glyphs to a row and keeps the running sums.
type builder struct {
	row  *row
	pos  int
	sum  [bounds]int
	run  int   // of the byte looked at last
	prev int32 // run of the byte in front of pos
}

// add adds a grapheme, as code points where it alone exceeds a part.
func (b *builder) add(cluster string, lv level) {
	if len(cluster) == 1 || b.fitsAlone(cluster) {
		b.put(cluster, lv)
		return
	}
	for len(cluster) > 0 {
		_, n := utf8.DecodeRuneInString(cluster)
		b.put(cluster[:n], lv)
		cluster, lv = cluster[n:], grapheme
	}
}

func (b *builder) fitsAlone(cluster string) bool {
	first := b.runAt(b.pos)
	last := first
	for b.row.starts[last+1] < b.pos+len(cluster) {
		last++
	}
	for _, bound := range []int{ofText, ofRaw} {
		markup := b.row.markups[last+1][bound] - b.row.markups[first][bound]
		if g := b.row.gauges[bound]; !g.within(g.string(cluster) + markup) {
			return false
		}
	}
	return true
}

func (b *builder) put(s string, lv level) {
	first, _ := utf8.DecodeRuneInString(s)
	ink := !isSpace(s)
	b.row.glyphs = append(b.row.glyphs, glyph{
		pos: b.pos, before: b.sum, prev: b.prev, run: int32(b.runAt(b.pos)), level: lv,
		ink: ink, gap: !ink && !isGlue(first), newline: strings.Contains(s, "\n"),
	})
	for i, g := range b.row.gauges {
		b.sum[i] += g.string(s)
	}
	b.pos += len(s)
	b.prev = int32(b.runAt(b.pos - 1))
}

// addEnd adds the glyph behind the last one.
func (b *builder) addEnd() {
	b.row.glyphs = append(b.row.glyphs, glyph{
		pos: b.pos, before: b.sum, prev: b.prev, run: b.prev, level: paragraph,
	})
}

// runAt returns the run of a byte, which is never before the last one asked for.
func (b *builder) runAt(pos int) int {
	for pos >= b.row.starts[b.run+1] {
		b.run++
	}
	return b.run
}
