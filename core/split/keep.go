package split

import (
	"strings"
	"unicode"
)

// stretch is bytes from..to of a text.
type stretch struct{ from, to int }

// markLinksAndPrices keeps links and prices in one piece. What exceeds a part
// is not kept.
func (r *row) markLinksAndPrices() {
	pos := 0
	for i := 0; i < len(r.runs); {
		from, link := pos, r.runs[i].Link
		for ; i < len(r.runs) && r.runs[i].Link == link; i++ {
			pos += len(r.runs[i].Text)
		}
		if link != "" && r.keep(stretch{from, pos}, inside) {
			continue
		}
		r.keepAddresses(stretch{from, pos})
		r.keepPrices(stretch{from, pos})
	}
}

// keepAddresses keeps every bare URL of a stretch: up to the next white space,
// because anything else may be part of it.
func (r *row) keepAddresses(in stretch) {
	for {
		i := nextURL(r.text[in.from:in.to])
		if i < 0 {
			return
		}
		in.from += i
		url := stretch{in.from, in.to}
		if n := strings.IndexFunc(r.text[in.from:in.to], unicode.IsSpace); n >= 0 {
			url.to = in.from + n
		}
		if !r.keep(url, inside) {
			r.keepStrict(url)
		}
		in.from = url.to
	}
}

// keepStrict keeps the URLs of a stretch without white space that exceeds a
// part: up to the next one, and to the first character that has no place in a
// URL (RFC 3986, appendix A). In scripts without spaces the sentence goes on there.
func (r *row) keepStrict(in stretch) {
	const scheme = len("http://")
	for in.from < in.to {
		next := in.to
		if i := nextURL(r.text[in.from+scheme : in.to]); i >= 0 {
			next = in.from + scheme + i
		}
		url := stretch{in.from, next}
		if n := strings.IndexFunc(r.text[in.from:next], isNoURL); n >= 0 {
			url.to = in.from + n
		}
		r.keep(url, inside)
		in.from = next
	}
}

func (r *row) keepPrices(in stretch) {
	sure, unsure := prices(r.text[in.from:in.to])
	for _, price := range sure {
		r.keep(stretch{in.from + price.from, in.from + price.to}, inside)
	}
	for _, price := range unsure {
		r.keep(stretch{in.from + price.from, in.from + price.to}, doubtful)
	}
}

// keep keeps a stretch in one piece if it fits a part: boundaries in it are of
// the given level at most. White space inside for sure is no gap.
func (r *row) keep(s stretch, most level) bool {
	from, to := r.at(s.from), r.at(s.to)
	if from > 0 && r.glyphs[from].pos > s.from {
		from-- // the stretch starts within a grapheme
	}
	if !r.fits(from, to) {
		return false
	}
	for i := from; i < to; i++ {
		r.glyphs[i].gap = r.glyphs[i].gap && most > inside
		if i > from {
			r.glyphs[i].level = min(r.glyphs[i].level, most)
		}
	}
	return true
}

// markGaps gives white space its levels: a cut is in front of all of it.
func (r *row) markGaps() {
	for i := 0; i < r.end(); i++ {
		if !r.glyphs[i].gap {
			continue
		}
		from, newlines := i, 0
		for ; i < r.end() && r.glyphs[i].gap; i++ {
			if r.glyphs[i].newline {
				newlines++
			}
			if i > from {
				r.glyphs[i].level = none
			}
		}
		if r.glyphs[from].level != doubtful {
			r.glyphs[from].level = gapLevel(newlines, r.glyphs[i].level)
		}
		if i < r.end() {
			r.glyphs[i].level = none
		}
	}
}

// gapLevel is the level of white space in front of a boundary.
func gapLevel(newlines int, behind level) level {
	switch {
	case newlines > 1:
		return paragraph
	case newlines == 1:
		return line
	case behind == sentence:
		return sentence
	}
	return word
}

// nextURL returns where the first "http://" or "https://" starts, -1 for nowhere.
func nextURL(s string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], "://")
		if i < 0 {
			return -1
		}
		i += from
		for _, scheme := range []string{"https", "http"} {
			if start := i - len(scheme); start >= 0 && strings.EqualFold(s[start:i], scheme) {
				return start
			}
		}
		from = i + len("://")
	}
}

func isNoURL(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", r)
}
