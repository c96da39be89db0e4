package history

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Recipient is the history of one recipient.
type Recipient struct {
	Name string
	// Posted are the messages in the order that counts: each was posted after the
	// one before it had been accepted.
	Posted []Message
	// Shown is what the recipient sees, top to bottom.
	Shown []Showing
	// Requests are all requests to the recipient, those that showed nothing included.
	Requests []Request
}

// Message is what was posted.
type Message struct {
	ID       string
	Text     string // of words that occur nowhere else in the recipient's texts
	Accepted bool   // whether the gateway said yes; one without may be shown and need not
	// Doubts is how often the gateway itself says, for each part, that it did not
	// know the part's fate. Nil: it was not asked, and its word is not needed.
	Doubts []int
}

// Showing is a piece of text that the recipient sees.
type Showing struct {
	Text string
	At   time.Time
}

// Request is one request to the recipient.
type Request struct {
	Begun, Ended time.Time
	Left         time.Time // when its sender was seen to be gone; zero: it waited
}

// Cut is a blow that may leave what was in flight in doubt: from just before a
// kill until the process was gone, or from a stop until it went on.
type Cut struct{ From, To time.Time }

// Rules are how much is excused.
type Rules struct {
	// Settle is how long after a platform's answer a cut may still come before
	// the answer has been written down.
	Settle time.Duration
	// Reach is how long a request may take from its sender to the platform.
	Reach time.Duration
}

// Findings are what a history shows.
type Findings struct {
	Accepted   int      // messages
	Shown      int      // pieces, repeats included
	Lost       int      // messages accepted and not wholly shown
	OutOfOrder int      // pieces shown for the first time after a later one
	Repeated   int      // pieces shown again
	Unexcused  int      // those of them that no cut explains
	Foreign    int      // pieces that nobody posted, or that were cut in another way than before
	Overlaps   int      // requests while another one was under way
	Faults     []string // what is wrong, in words
}

// Bad reports whether something is wrong.
func (f *Findings) Bad() bool { return len(f.Faults) > 0 }

// Add adds the findings of another history.
func (f *Findings) Add(o Findings) {
	f.Accepted += o.Accepted
	f.Shown += o.Shown
	f.Lost += o.Lost
	f.OutOfOrder += o.OutOfOrder
	f.Repeated += o.Repeated
	f.Unexcused += o.Unexcused
	f.Foreign += o.Foreign
	f.Overlaps += o.Overlaps
	f.Faults = append(f.Faults, o.Faults...)
}

// Check judges a history. A cut excuses at most one repeat of a recipient's.
func (r Recipient) Check(cuts []Cut, rules Rules) Findings {
	e := examiner{r: r, rules: rules, cuts: slices.Clone(cuts), places: map[string]place{}, pieces: map[span]*piece{}}
	slices.SortFunc(e.cuts, func(a, b Cut) int { return a.From.Compare(b.From) })
	e.readPosted()
	for i := range r.Shown {
		e.read(i)
	}
	e.judgeRepeats()
	e.findLost()
	e.findOverlaps()
	return e.found
}

// place is where a word belongs: its message and its number among all words.
type place struct{ message, word int }

// span is a piece by its words: from and up to, not including.
type span struct{ from, to int }

// piece is what the gateway made of a message, mostly a part.
type piece struct {
	message int
	last    int      // the showing that showed it last
	again   []repeat // its repeats
}

// repeat is a piece shown again.
type repeat struct {
	before, showing int
	excused         bool
}

type examiner struct {
	r      Recipient
	rules  Rules
	cuts   []Cut
	places map[string]place
	starts []int // of each message, the number of its first word; one more for the end
	seen   []bool
	pieces map[span]*piece
	next   int // the word after the last one shown so far
	newest int // the showing that showed something new last
	used   []bool
	found  Findings
}

func (e *examiner) faultf(format string, args ...any) {
	e.found.Faults = append(e.found.Faults, e.r.Name+": "+fmt.Sprintf(format, args...))
}

func (e *examiner) readPosted() {
	n := 0
	for i, m := range e.r.Posted {
		e.starts = append(e.starts, n)
		for _, w := range strings.Fields(m.Text) {
			if _, twice := e.places[w]; twice {
				e.found.Foreign++
				e.faultf("the word %q was posted twice: nothing can be said of it", w)
			}
			e.places[w] = place{i, n}
			n++
		}
		if m.Accepted {
			e.found.Accepted++
		}
	}
	e.starts = append(e.starts, n)
	e.seen, e.used = make([]bool, n), make([]bool, len(e.cuts))
}

// read takes in one showing.
func (e *examiner) read(i int) {
	e.found.Shown++
	s, message, ok := e.recognize(e.r.Shown[i].Text)
	if !ok {
		e.found.Foreign++
		e.faultf("was shown what nobody posted: %.80q", e.r.Shown[i].Text)
		return
	}
	if p, again := e.pieces[s]; again {
		e.found.Repeated++
		p.again = append(p.again, repeat{p.last, i, e.excuse(p, i)})
		p.last = i
		return
	}
	if slices.Contains(e.seen[s.from:s.to], true) {
		e.found.Foreign++
		e.faultf("message %s was cut in two ways: %.80q", e.r.Posted[message].ID, e.r.Shown[i].Text)
		return
	}
	e.pieces[s] = &piece{message: message, last: i}
	for w := s.from; w < s.to; w++ {
		e.seen[w] = true
	}
	if s.from < e.next {
		e.found.OutOfOrder++
		e.faultf("message %s came after later ones: %.80q", e.r.Posted[message].ID, e.r.Shown[i].Text)
	}
	e.next, e.newest = max(e.next, s.to), i
}

// recognize finds the words of a piece, which must follow one another in one message.
func (e *examiner) recognize(text string) (s span, message int, ok bool) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return span{}, 0, false
	}
	first, ok := e.places[words[0]]
	if !ok {
		return span{}, 0, false
	}
	for i, w := range words {
		if p, ok := e.places[w]; !ok || p != (place{first.message, first.word + i}) {
			return span{}, 0, false
		}
	}
	return span{first.word, first.word + len(words)}, first.message, true
}

// excuse looks for a cut that explains why a piece is shown again, and uses it up.
func (e *examiner) excuse(p *piece, i int) bool {
	first, again := e.request(p.last), e.request(i)
	immediate := p.last >= e.newest // nothing new has been shown since
	for n, c := range e.cuts {
		// The usual: in flight at the cut, sent again after it.
		repeats := immediate && !first.Begun.After(c.To.Add(e.rules.Reach)) &&
			!first.Ended.Add(e.rules.Settle).Before(c.From) && !again.Begun.Before(c.From)
		// The odd: the one that was in flight is shown only after the other.
		straggles := !again.Begun.After(c.To.Add(e.rules.Reach)) && !again.Left.IsZero() && !first.Begun.Before(c.From)
		if !e.used[n] && (repeats || straggles) {
			e.used[n] = true
			return true
		}
	}
	return false
}

// request is the one that showed something: what is shown is shown as its request
// ends, so of those under way at the time it is the one that ended first.
func (e *examiner) request(i int) Request {
	at := e.r.Shown[i].At
	found := Request{Begun: at, Ended: at}
	known := false
	for _, r := range e.r.Requests {
		if r.Begun.After(at) || r.Ended.Before(at) || known && !r.Ended.Before(found.Ended) {
			continue
		}
		found, known = r, true
	}
	return found
}

// judgeRepeats also hears the gateway: what it repeats it must have been in doubt about.
func (e *examiner) judgeRepeats() {
	for message := range e.r.Posted {
		for n, p := range e.partsOf(message) {
			doubts := len(p.again)
			if said := e.r.Posted[message].Doubts; said != nil {
				doubts = 0
				if n < len(said) {
					doubts = said[n]
				}
			}
			for k, again := range p.again {
				switch {
				case !again.excused:
					e.unexcused(message, n, again, "no cut explains it")
				case k >= doubts:
					e.unexcused(message, n, again, fmt.Sprintf("the gateway noted only %d doubts", doubts))
				}
			}
		}
	}
}

func (e *examiner) unexcused(message, n int, again repeat, why string) {
	e.found.Unexcused++
	e.faultf("part %d of message %s was shown at %s and again at %s, and %s", n+1, e.r.Posted[message].ID,
		e.r.Shown[again.before].At.Format(time.StampMilli), e.r.Shown[again.showing].At.Format(time.StampMilli), why)
}

// partsOf are the pieces of a message in the order of its text.
func (e *examiner) partsOf(message int) []*piece {
	var all []*piece
	for w := e.starts[message]; w < e.starts[message+1]; {
		to := w + 1
		for ; to <= e.starts[message+1]; to++ {
			if p, ok := e.pieces[span{w, to}]; ok {
				all = append(all, p)
				break
			}
		}
		w = to
	}
	return all
}

func (e *examiner) findLost() {
	for i, m := range e.r.Posted {
		seen := e.seen[e.starts[i]:e.starts[i+1]]
		if missing := slices.Index(seen, false); m.Accepted && missing >= 0 {
			e.found.Lost++
			e.faultf("message %s was accepted and not wholly shown: from its word %d on", m.ID, missing+1)
		}
	}
}

func (e *examiner) findOverlaps() {
	all := slices.Clone(e.r.Requests)
	slices.SortFunc(all, func(a, b Request) int { return a.Begun.Compare(b.Begun) })
	for i, r := range all {
		for _, later := range all[i+1:] {
			under := r.Ended.IsZero() || later.Begun.Before(r.Ended)
			if under && (r.Left.IsZero() || r.Left.After(later.Begun)) {
				e.found.Overlaps++
				e.faultf("a request at %s, while one from %s was under way", later.Begun.Format(time.StampMilli), r.Begun.Format(time.StampMilli))
			}
		}
	}
}
