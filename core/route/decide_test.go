package route

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// The windows of a platform that closes and of one that never does.
var (
	day    = core.Window{Reply: 24 * time.Hour, Human: 7 * 24 * time.Hour}
	always = core.Window{}
)

func rule(deliver Deliver, channels ...string) Rule {
	return Rule{Name: "everyone", Channels: channels, Deliver: deliver, Uncertain: Repeat, Expires: time.Hour}
}

func shipped() Facts {
	return Facts{Event: core.OrderShipped, CustomerUID: "ines@example.com", Purpose: core.OrderUpdates, Now: now}
}

// linked is an address with nothing in the way, wrote its customer's last message.
func linked(channel string, id int64, wrote time.Duration) Candidate {
	return Candidate{
		Channel: channel, AddressID: id, State: Active, Purposes: []core.Purpose{core.OrderUpdates},
		Window: day, WindowFrom: now.Add(-wrote), Works: true,
	}
}

func with(c Candidate, change func(*Candidate)) Candidate {
	change(&c)
	return c
}

func TestDecide(t *testing.T) {
	m, tg, s := linked("messenger", 1, time.Hour), linked("telegram", 2, time.Hour), linked("slack", 3, time.Hour)
	late := func(c *Candidate) { c.WindowFrom = now.Add(-25 * time.Hour) }
	down := func(c *Candidate) { c.Works, c.Why = false, "token refused" }
	note := func(f *Facts) {
		f.Event, f.Purpose, f.Human = core.TicketNoteAdded, core.Service, true
		f.Lead = Chat{"telegram", 2}
	}
	tests := []struct {
		name  string
		rule  Rule
		facts func(*Facts)
		cands []Candidate
		want  string // Decision.Reason
	}{
		{"all takes every usable one", rule(All, "messenger", "telegram"), nil, []Candidate{tg, m},
			"route everyone (all): messenger, telegram"},
		{"first takes the rule's order", rule(First, "slack", "messenger"), nil, []Candidate{m, s},
			"route everyone (first): slack; messenger: not needed: slack comes first"},
		{"fallback keeps the rest in order", rule(Fallback, "slack", "telegram", "messenger"), nil, []Candidate{m, tg, s},
			"route everyone (fallback): slack, then telegram, messenger"},
		{"not linked", rule(First, "slack", "messenger"), nil, []Candidate{m},
			"route everyone (first): messenger; slack: not linked"},
		{"nobody linked", rule(First, "slack"), nil, nil,
			"route everyone (first): no way to the customer; slack: not linked"},
		{"blocked", rule(First, "messenger", "slack"), nil,
			[]Candidate{with(m, func(c *Candidate) { c.State, c.Since = Blocked, now }), s},
			"route everyone (first): slack; messenger: blocked since 2026-11-22"},
		{"opted out", rule(First, "messenger"), nil, []Candidate{with(m, func(c *Candidate) { c.State = OptedOut })},
			"route everyone (first): no way to the customer; messenger: opted out"},
		{"offered and ended", rule(All, "messenger", "slack"), nil,
			[]Candidate{with(m, func(c *Candidate) { c.State = Offered }), with(s, func(c *Candidate) { c.State = Ended })},
			"route everyone (all): no way to the customer; messenger: link offered, not taken up; slack: link ended"},
		{"no consent", rule(First, "messenger"), func(f *Facts) { f.Purpose = core.Marketing }, []Candidate{m},
			"route everyone (first): no way to the customer; messenger: no consent for marketing"},
		{"window closed on one", rule(First, "messenger", "slack"), nil, []Candidate{with(m, late), s},
			"route everyone (first): slack; messenger: outside the 24 h window and no template for order.shipped"},
		{"window closed everywhere", rule(First, "messenger", "slack"), nil, []Candidate{with(m, late)},
			"route everyone (first): window closed; messenger: outside the 24 h window and no template for order.shipped; slack: not linked"},
		{"template opens the window", rule(First, "messenger"), nil,
			[]Candidate{with(with(m, late), func(c *Candidate) { c.Template = true })},
			"route everyone (first): messenger; messenger: linked, window closed, template for order.shipped"},
		{"never wrote", rule(First, "messenger"), nil, []Candidate{with(m, func(c *Candidate) { c.WindowFrom = time.Time{} })},
			"route everyone (first): window closed; messenger: outside the 24 h window and no template for order.shipped"},
		{"a platform without window", rule(First, "telegram"), nil,
			[]Candidate{with(tg, func(c *Candidate) { c.Window, c.WindowFrom = always, time.Time{} })},
			"route everyone (first): telegram"},
		{"a paused channel gives way", rule(First, "messenger", "slack"), nil, []Candidate{with(m, down), s},
			"route everyone (first): slack; messenger: channel paused: token refused"},
		{"a paused channel is the last resort", rule(Fallback, "messenger", "slack"), nil, []Candidate{with(m, down), s},
			"route everyone (fallback): slack, then messenger"},
		{"only paused channels: the first waits", rule(All, "messenger", "slack"), nil, []Candidate{with(m, down), with(s, down)},
			"route everyone (all): messenger; messenger: channel paused: token refused; slack: channel paused: token refused"},
		{"paused and closed counts as closed", rule(First, "messenger"), nil, []Candidate{with(with(m, down), late)},
			"route everyone (first): window closed; messenger: outside the 24 h window and no template for order.shipped; the channel is paused too"},
		{"a choice narrows", rule(All, "messenger", "slack"), func(f *Facts) { f.Preferred = []string{"slack"} }, []Candidate{m, s},
			"route everyone (all): slack; messenger: the customer chose other channels"},
		{"a choice does not widen", rule(All, "messenger"), func(f *Facts) { f.Preferred = []string{"slack"} }, []Candidate{m, s},
			"route everyone (all): no way to the customer; messenger: the customer chose other channels; slack: not on the route"},
		{"a choice of nothing", rule(All, "messenger"), func(f *Facts) { f.Preferred = []string{} }, []Candidate{m},
			"route everyone (all): no way to the customer; messenger: the customer chose no channel"},
		{"a note goes where the customer wrote", rule(All, "slack"), note, []Candidate{s, tg},
			"route everyone (first): telegram; slack: not needed: telegram comes first"},
		{"a note outside the window takes the person's", rule(First, "messenger"), note,
			[]Candidate{with(tg, func(c *Candidate) { c.State = Blocked }), with(m, late)},
			"route everyone (first): messenger; messenger: linked, within the window for a person's answer; telegram: blocked"},
		{"a note after both windows", rule(First, "telegram"), note,
			[]Candidate{with(tg, func(c *Candidate) { c.WindowFrom = now.Add(-8 * 24 * time.Hour) })},
			"route everyone (first): window closed; telegram: outside the 7 days window and no template for ticket.note_added"},
		{"no rule", Rule{Name: "vip", Match: Match{Customer: []string{"*@big.example"}}, Channels: []string{"slack"}}, nil, []Candidate{s},
			"no route matches"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := shipped()
			if tt.facts != nil {
				tt.facts(&f)
			}
			got := Decide([]Rule{tt.rule}, f, tt.cands).Reason
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheWholeDecision(t *testing.T) {
	rules := []Rule{
		{Name: "vip", Match: Match{Customer: []string{"*@big.example"}}, Channels: []string{"slack"}, Deliver: All},
		rule(Fallback, "messenger", "telegram", "slack"),
	}
	cands := []Candidate{linked("telegram", 7, time.Hour), linked("messenger", 8, 24*time.Hour), linked("sms", 9, time.Hour)}
	want := Decision{
		Route: "everyone", Deliver: Fallback, Uncertain: Repeat, Expires: time.Hour,
		Targets: []Target{{"telegram", 7, core.Open, "linked"}},
		Reasons: []Reason{
			{"messenger", "outside the 24 h window and no template for order.shipped"},
			{"slack", "not linked"},
			{"sms", "not on the route"},
		},
		Reason: "route everyone (fallback): telegram; messenger: outside the 24 h window and no template for order.shipped; slack: not linked; sms: not on the route",
	}
	if diff := cmp.Diff(want, Decide(rules, shipped(), cands)); diff != "" {
		t.Errorf("decision (-want +got):\n%s", diff)
	}
}

func TestClosedIsToldFromNoWay(t *testing.T) {
	late := with(linked("messenger", 1, 0), func(c *Candidate) { c.WindowFrom = now.Add(-24 * time.Hour) })
	d := Decide([]Rule{rule(First, "messenger", "slack")}, shipped(), []Candidate{late})
	if len(d.Targets) != 0 || len(d.Closed) != 1 || d.Closed[0].AddressID != 1 {
		t.Errorf("got targets %v, closed %v; want the closed address alone", d.Targets, d.Closed)
	}
	d = Decide([]Rule{rule(First, "messenger", "slack")}, shipped(), []Candidate{late, linked("slack", 2, time.Hour)})
	if len(d.Closed) != 0 {
		t.Errorf("got closed %v although there is a target", d.Closed)
	}
}

func TestAnAnswerStaysInItsChat(t *testing.T) {
	asked := Facts{Event: core.Answer, Now: now, Only: Chat{"telegram", 2}, Preferred: []string{"slack"}}
	cands := []Candidate{
		linked("telegram", 1, time.Minute),
		with(linked("telegram", 2, time.Minute), func(c *Candidate) { c.State, c.Purposes = OptedOut, nil }),
		linked("slack", 3, time.Minute),
	}
	d := Decide([]Rule{rule(All, "slack")}, asked, cands)
	if len(d.Targets) != 1 || d.Targets[0].AddressID != 2 || len(d.Rest) != 0 {
		t.Errorf("got targets %v, rest %v; want address 2 alone", d.Targets, d.Rest)
	}
	want := []Reason{{"slack", "this belongs to the chat in which the customer wrote"}}
	if diff := cmp.Diff(want, d.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}

	asked.Event = core.ThankYou
	if d := Decide([]Rule{rule(All, "slack")}, asked, cands); len(d.Targets) != 0 {
		t.Errorf("a thank-you went to %v, whose link is gone", d.Targets)
	}
	asked.Only = Chat{}
	if d := Decide([]Rule{rule(All, "slack")}, asked, cands); len(d.Targets) != 0 {
		t.Errorf("a thank-you without a chat went to %v", d.Targets)
	}
}

func TestAnAnswerNeedsNoRule(t *testing.T) {
	asked := Facts{Event: core.Answer, Now: now, Only: Chat{Channel: "telegram"}}
	stranger := with(linked("telegram", 2, time.Minute), func(c *Candidate) { c.State = "" })
	d := Decide(nil, asked, []Candidate{stranger})
	if len(d.Targets) != 1 || d.Reason != "no route: telegram" {
		t.Errorf("got targets %v, reason %q", d.Targets, d.Reason)
	}
}

func TestOneAddressPerChannel(t *testing.T) {
	gone := with(linked("telegram", 1, time.Hour), func(c *Candidate) { c.State = Blocked })
	cands := []Candidate{gone, linked("telegram", 2, time.Hour), linked("telegram", 3, time.Hour)}
	d := Decide([]Rule{rule(All, "telegram")}, shipped(), cands)
	if len(d.Targets) != 1 || d.Targets[0].AddressID != 2 {
		t.Errorf("got %v, want address 2 alone", d.Targets)
	}
	f := shipped()
	f.Lead = Chat{"telegram", 3}
	d = Decide([]Rule{rule(First, "telegram")}, f, cands)
	if d.Targets[0].AddressID != 3 {
		t.Errorf("got %v, want the address of the conversation", d.Targets)
	}
}

func TestStandingEndsWithTheWindow(t *testing.T) {
	tests := []struct {
		ago   time.Duration
		human bool
		want  core.Standing
		ok    bool
	}{
		{24*time.Hour - 1, false, core.Open, true},
		{24 * time.Hour, false, "", false},
		{24 * time.Hour, true, core.Human, true},
		{7*24*time.Hour - 1, true, core.Human, true},
		{7 * 24 * time.Hour, true, "", false},
		{-time.Minute, false, core.Open, true}, // the platform's clock is ahead
	}
	for _, tt := range tests {
		got, ok := Standing(linked("messenger", 1, tt.ago), tt.human, now)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%v after the message, human %v: got %q %v, want %q %v", tt.ago, tt.human, got, ok, tt.want, tt.ok)
		}
	}
}
