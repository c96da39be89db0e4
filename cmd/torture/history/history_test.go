package history_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidings/cmd/torture/history"
)

var begin = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// at is a moment by its tenths of a second: each showing takes one.
func at(tenths int) time.Time { return begin.Add(time.Duration(tenths) * 100 * time.Millisecond) }

var rules = history.Rules{Settle: 150 * time.Millisecond}

// three are messages of one, two and three words.
func three() []history.Message {
	return []history.Message{
		{ID: "a", Text: "a1", Accepted: true},
		{ID: "b", Text: "b1 b2", Accepted: true},
		{ID: "c", Text: "c1 c2 c3", Accepted: true},
	}
}

// shown makes a recipient that sees texts, each by a request of 50 ms at its tenth.
func shown(posted []history.Message, texts ...string) history.Recipient {
	r := history.Recipient{Name: "ann", Posted: posted}
	for i, s := range texts {
		if s == "" {
			continue
		}
		begun, ended := at(i), at(i).Add(50*time.Millisecond)
		r.Shown = append(r.Shown, history.Showing{Text: s, At: ended})
		r.Requests = append(r.Requests, history.Request{Begun: begun, Ended: ended})
	}
	return r
}

// killed is a cut in the middle of the request at a tenth.
func killed(tenth int) history.Cut {
	return history.Cut{From: at(tenth).Add(20 * time.Millisecond), To: at(tenth).Add(30 * time.Millisecond)}
}

func TestWhatIsFound(t *testing.T) {
	for _, tt := range []struct {
		name  string
		shown []string
		cuts  []history.Cut
		want  history.Findings
	}{
		{"all is well", []string{"a1", "b1 b2", "c1 c2 c3"}, nil, history.Findings{}},
		{"in parts", []string{"a1", "b1", "b2", "c1", "c2 c3"}, nil, history.Findings{}},
		{"white space is no matter", []string{"a1", "b1\n", " b2", "c1\n\nc2  c3"}, nil, history.Findings{}},
		{"lost", []string{"a1", "c1 c2 c3"}, nil, history.Findings{Lost: 1}},
		{"a part lost", []string{"a1", "b1", "c1 c2 c3"}, nil, history.Findings{Lost: 1}},
		{"the end lost", []string{"a1", "b1 b2", "c1 c2"}, nil, history.Findings{Lost: 1}},
		{"all lost", nil, nil, history.Findings{Lost: 3}},
		{"messages swapped", []string{"b1 b2", "a1", "c1 c2 c3"}, nil, history.Findings{OutOfOrder: 1}},
		{"parts swapped", []string{"a1", "b2", "b1", "c1 c2 c3"}, nil, history.Findings{OutOfOrder: 1}},
		{"parts mixed", []string{"a1", "b1", "c1", "b2", "c2 c3"}, nil, history.Findings{OutOfOrder: 1}},
		{"the first is last", []string{"b1", "b2", "c1 c2 c3", "a1"}, nil, history.Findings{OutOfOrder: 1}},
		{"repeated", []string{"a1", "b1 b2", "b1 b2", "c1 c2 c3"}, nil, history.Findings{Repeated: 1, Unexcused: 1}},
		{"repeated in flight", []string{"a1", "b1 b2", "b1 b2", "c1 c2 c3"}, []history.Cut{killed(1)}, history.Findings{Repeated: 1}},
		{"one cut excuses once", []string{"a1", "a1", "a1", "b1 b2", "c1 c2 c3"}, []history.Cut{killed(0)}, history.Findings{Repeated: 2, Unexcused: 1}},
		{"two cuts excuse twice", []string{"a1", "a1", "a1", "b1 b2", "c1 c2 c3"}, []history.Cut{killed(1), killed(0)}, history.Findings{Repeated: 2}},
		{"cut before it was written down", []string{"a1", "", "a1", "b1 b2", "c1 c2 c3"}, []history.Cut{killed(1)}, history.Findings{Repeated: 1}},
		{"cut long after", []string{"a1", "", "", "a1", "b1 b2", "c1 c2 c3"}, []history.Cut{killed(2)}, history.Findings{Repeated: 1, Unexcused: 1}},
		{"cut too early", []string{"a1", "b1 b2", "b1 b2", "c1 c2 c3"}, []history.Cut{killed(0)}, history.Findings{Repeated: 1, Unexcused: 1}},
		{"cut too late", []string{"a1", "a1", "b1 b2", "c1 c2 c3"}, []history.Cut{killed(1)}, history.Findings{Repeated: 1, Unexcused: 1}},
		{"an old one again", []string{"a1", "b1 b2", "a1", "c1 c2 c3"}, []history.Cut{killed(0), killed(1)}, history.Findings{Repeated: 1, Unexcused: 1}},
		{"all parts again", []string{"a1", "b1", "b2", "b1", "b2", "c1 c2 c3"}, []history.Cut{killed(2)}, history.Findings{Repeated: 2, Unexcused: 1}},
		{"of nobody", []string{"a1", "b1 b2", "spam", "c1 c2 c3"}, nil, history.Findings{Foreign: 1}},
		{"two messages in one", []string{"a1 b1 b2", "c1 c2 c3"}, nil, history.Findings{Foreign: 1, Lost: 2}},
		{"cut anew", []string{"a1", "b1 b2", "c1", "c1 c2", "c3"}, []history.Cut{killed(2)}, history.Findings{Foreign: 1, Lost: 1}},
		{"cut short", []string{"a1", "b1 b2", "c1 c2 c"}, nil, history.Findings{Foreign: 1, Lost: 1}},
		{"empty", []string{"a1", " ", "b1 b2", "c1 c2 c3"}, nil, history.Findings{Foreign: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := shown(three(), tt.shown...).Check(tt.cuts, rules)
			tt.want.Accepted = 3
			tt.want.Shown = len(slices.DeleteFunc(slices.Clone(tt.shown), func(s string) bool { return s == "" }))
			bad := tt.want.Lost + tt.want.OutOfOrder + tt.want.Unexcused + tt.want.Foreign
			if len(got.Faults) != bad || got.Bad() != (bad > 0) {
				t.Errorf("got faults %q, want %d", got.Faults, bad)
			}
			got.Faults = nil
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStopped: what was sent before a process stood still may be sent again at
// any time from then on.
func TestStopped(t *testing.T) {
	r := shown(three(), "a1", "", "", "", "a1", "b1 b2", "c1 c2 c3")
	stop := history.Cut{From: at(0).Add(10 * time.Millisecond), To: at(6)}
	if got := r.Check([]history.Cut{stop}, rules); got.Repeated != 1 || got.Bad() {
		t.Errorf("got %+v, want one excused repeat", got)
	}
}

// TestStraggler: what a killed process had sent may be slower than its successor.
func TestStraggler(t *testing.T) {
	r := shown(three(), "", "a1", "b1 b2", "a1", "c1 c2 c3")
	r.Requests[2] = history.Request{Begun: at(0), Ended: r.Shown[2].At, Left: at(1)}
	if got := r.Check([]history.Cut{killed(0)}, rules); got.Repeated != 1 || got.Unexcused != 0 || got.Overlaps != 0 {
		t.Errorf("got %+v, want one excused repeat", got)
	}
}

func TestNotAcceptedNeedNotBeShown(t *testing.T) {
	posted := three()
	posted[1].Accepted = false
	for _, texts := range [][]string{{"a1", "c1 c2 c3"}, {"a1", "b1 b2", "c1 c2 c3"}} {
		if got := shown(posted, texts...).Check(nil, rules); got.Bad() || got.Accepted != 2 {
			t.Errorf("%q: got %+v, want no fault", texts, got)
		}
	}
}

// TestDoubts: a repeat of which the gateway does not know why is none it may make.
func TestDoubts(t *testing.T) {
	for _, tt := range []struct {
		doubts    []int
		unexcused int
	}{{nil, 0}, {[]int{0, 1}, 0}, {[]int{0, 5}, 0}, {[]int{1, 0}, 1}, {[]int{1}, 1}, {[]int{}, 1}} {
		posted := three()
		posted[1].Doubts = tt.doubts
		got := shown(posted, "a1", "b1", "b2", "b2", "c1 c2 c3").Check([]history.Cut{killed(2)}, rules)
		if got.Repeated != 1 || got.Unexcused != tt.unexcused {
			t.Errorf("doubts %v: got %+v, want %d unexcused", tt.doubts, got, tt.unexcused)
		}
	}
}

func TestOverlaps(t *testing.T) {
	span := func(from, to, left int) history.Request {
		r := history.Request{Begun: at(from), Ended: at(to)}
		if left > 0 {
			r.Left = at(left)
		}
		return r
	}
	for _, tt := range []struct {
		name     string
		requests []history.Request
		want     int
	}{
		{"one after the other", []history.Request{span(0, 1, 0), span(1, 2, 0), span(3, 4, 0)}, 0},
		{"two at once", []history.Request{span(0, 2, 0), span(1, 3, 0)}, 1},
		{"one within the other", []history.Request{span(1, 2, 0), span(0, 3, 0)}, 1},
		{"three at once", []history.Request{span(0, 9, 0), span(1, 9, 0), span(2, 9, 0)}, 3},
		{"its sender is gone", []history.Request{span(0, 5, 1), span(1, 3, 0)}, 0},
		{"its sender went later", []history.Request{span(0, 5, 3), span(1, 2, 0)}, 1},
		{"still under way", []history.Request{{Begun: at(0)}, span(1, 2, 0)}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := history.Recipient{Name: "ann", Requests: tt.requests}.Check(nil, rules)
			if got.Overlaps != tt.want || len(got.Faults) != tt.want {
				t.Errorf("got %+v, want %d", got, tt.want)
			}
		})
	}
}

func TestWordsMustBeTheirOwn(t *testing.T) {
	posted := []history.Message{{ID: "a", Text: "x y", Accepted: true}, {ID: "b", Text: "y z", Accepted: true}}
	if got := shown(posted, "x y", "y z").Check(nil, rules); !got.Bad() {
		t.Errorf("got %+v, want a fault", got)
	}
}

// TestAnyDisorderIsFound cuts messages anyhow and then loses or moves one piece.
func TestAnyDisorderIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var posted []history.Message
		var pieces []string
		for m := range rapid.IntRange(1, 6).Draw(t, "messages") {
			var words []string
			for w := range rapid.IntRange(1, 6).Draw(t, "words") {
				words = append(words, fmt.Sprintf("m%dw%d", m, w))
			}
			posted = append(posted, history.Message{ID: fmt.Sprint(m), Text: strings.Join(words, " "), Accepted: true})
			for len(words) > 0 {
				n := rapid.IntRange(1, len(words)).Draw(t, "cut")
				pieces, words = append(pieces, strings.Join(words[:n], " ")), words[n:]
			}
		}
		if got := shown(posted, pieces...).Check(nil, rules); got.Bad() {
			t.Fatalf("in order: got %q, want no fault", got.Faults)
		}
		from := rapid.IntRange(0, len(pieces)-1).Draw(t, "from")
		rest := slices.Delete(slices.Clone(pieces), from, from+1)
		if got := shown(posted, rest...).Check(nil, rules); got.Lost != 1 || got.OutOfOrder != 0 {
			t.Fatalf("%d lost: got %+v, want 1 lost", from, got)
		}
		to := rapid.IntRange(0, len(rest)).Draw(t, "to")
		moved := slices.Insert(slices.Clone(rest), to, pieces[from])
		if got := shown(posted, moved...).Check(nil, rules); (got.OutOfOrder > 0) != (from != to) || got.Lost != 0 {
			t.Fatalf("%d moved to %d: got %+v", from, to, got)
		}
		twice := slices.Insert(slices.Clone(pieces), to, pieces[from])
		if got := shown(posted, twice...).Check(nil, rules); got.Repeated != 1 || got.OutOfOrder > 0 && to > from {
			t.Fatalf("%d again at %d: got %+v, want 1 repeated", from, to, got)
		}
	})
}

func TestAdd(t *testing.T) {
	one := shown(three(), "b1 b2", "a1", "a1").Check(nil, rules)
	var sum history.Findings
	sum.Add(one)
	sum.Add(one)
	if sum.Accepted != 6 || sum.Shown != 6 || sum.Lost != 2 || sum.OutOfOrder != 2 || sum.Repeated != 2 || sum.Unexcused != 2 || len(sum.Faults) != 6 {
		t.Errorf("got %+v, want all of it twice", sum)
	}
}
