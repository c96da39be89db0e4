package channeltest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

// limitsAreData is point 1.
func limitsAreData(t *testing.T, w *world) {
	lim := w.channel.Limits()
	for _, problem := range slices.Concat(unsourced(lim), unsound(lim), unsoundButtons(lim), unsoundOrders(lim.Order)) {
		t.Error(problem)
	}
	w.mustSend(words("m-1-1", "hello"))
	_, _ = w.channel.Send(t.Context(), w.x.Nobody, words("m-2-1", "hello"))
	if diff := cmp.Diff(lim, w.channel.Limits()); diff != "" {
		t.Errorf("limits change while the channel is open (-before +after):\n%s", diff)
	}
}

// unsourced names the numbers that do not say where they were read.
func unsourced(lim core.Limits) []string {
	var problems []string
	check := func(name string, source core.Source) {
		if !strings.HasPrefix(source.URL, "https://") {
			problems = append(problems, fmt.Sprintf("%s: source %q is no URL of a document", name, source.URL))
		}
		if _, err := time.Parse(time.DateOnly, source.Read); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %q is not the date on which the source was read", name, source.Read))
		}
	}
	for name, limit := range everyLimit(lim) {
		if limit.Max > 0 {
			check(name, limit.Source)
		}
	}
	if lim.Window != (core.Window{}) {
		check("Window", lim.Window.Source)
	}
	if lim.Pace != (core.Pace{}) {
		check("Pace", lim.Pace.Source)
	}
	return problems
}

// everyLimit finds the fields of type Limit, so that none is forgotten that
// core adds.
func everyLimit(lim core.Limits) map[string]core.Limit {
	found := map[string]core.Limit{}
	for prefix, v := range map[string]reflect.Value{"": reflect.ValueOf(lim), "Order.": reflect.ValueOf(lim.Order)} {
		for i := range v.NumField() {
			if limit, ok := reflect.TypeAssert[core.Limit](v.Field(i)); ok {
				found[prefix+v.Type().Field(i).Name] = limit
			}
		}
	}
	return found
}

// counts are the limits that count things; all others measure a text.
var counts = []string{"Buttons", "Order.Lines"}

func unsound(lim core.Limits) []string {
	problems := unsoundNumbers(lim)
	fail := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	fail(lim.Text.Max == 0, "Text.Max is 0: a channel that sends no text")
	fail(lim.Raw.Max > 0 && lim.Raw.Unit == lim.Text.Unit && lim.Raw.Max < lim.Text.Max, "Raw.Max %d is below Text.Max %d", lim.Raw.Max, lim.Text.Max)
	fail(lim.Caption.Max > 0 && !lim.Picture, "Caption.Max is %d, but pictures are not offered", lim.Caption.Max)
	fail(lim.Markup.Styles&^(core.Bold|core.Italic|core.Strike|core.Code) != 0, "Markup.Styles %b has a style that core does not know", lim.Markup.Styles)
	marks := lim.Markup.Styles != 0 || lim.Markup.Links
	fail(marks && (lim.Encoded || lim.Raw.Max > 0) && lim.RunOverhead == 0, "markup is counted, but RunOverhead is 0")
	fail(!slices.Contains([]core.OrderBy{core.OrderByResponse, core.OrderByDelivered, core.OrderByNone}, lim.OrderBy), "OrderBy %q is none that core knows", lim.OrderBy)
	fail(lim.OrderBy == core.OrderByDelivered && !lim.Delivered, "OrderBy waits for receipts that the platform does not give")
	fail(lim.Window.Human != 0 && lim.Window.Human < lim.Window.Reply, "Window.Human %s is shorter than Window.Reply %s", lim.Window.Human, lim.Window.Reply)
	p := lim.Pace
	fail(p.PerSecond < 0 || p.PerRecipient < 0 || p.Burst < 0 || p.RecipientBurst < 0, "Pace %+v has negative numbers", p)
	fail(p.PerSecond > 0 && p.Burst == 0 || p.PerRecipient > 0 && p.RecipientBurst == 0, "Pace %+v has a rate without a burst: nothing could ever leave", p)
	fail(p.PerSecond > 0 && float64(p.Burst) > max(1, p.PerSecond), "Pace: a burst of %d, and no second may have more than %v", p.Burst, p.PerSecond)
	fail(p.PerSecond > 0 && p.PerRecipient > p.PerSecond, "Pace: one recipient gets %v a second, all together %v", p.PerRecipient, p.PerSecond)
	fail(lim.Echo < 0 || lim.Echo > time.Minute, "Echo %s is no time to hold a recipient's next message for", lim.Echo)
	return problems
}

func unsoundNumbers(lim core.Limits) []string {
	var problems []string
	for name, limit := range everyLimit(lim) {
		known := slices.Contains([]core.Unit{core.Runes, core.UTF16, core.Bytes}, limit.Unit)
		switch counted := slices.Contains(counts, name); {
		case limit.Max < 0:
			problems = append(problems, fmt.Sprintf("%s.Max is %d", name, limit.Max))
		case counted && limit.Unit != "":
			problems = append(problems, fmt.Sprintf("%s counts things, but has the unit %q", name, limit.Unit))
		case !counted && limit.Max > 0 && !known:
			problems = append(problems, fmt.Sprintf("%s measures a text in %q, which core does not know", name, limit.Unit))
		}
	}
	for from, to := range lim.Escape {
		if from == "" || len(to) < len(from) {
			problems = append(problems, fmt.Sprintf("Escape writes %q as %q, which is not longer", from, to))
		}
	}
	return problems
}

func unsoundButtons(lim core.Limits) []string {
	switch {
	case lim.Buttons.Max == 0:
		return nil
	case lim.ButtonValue.Max == 0 && lim.ButtonURL.Max == 0:
		return []string{"there are buttons, but they neither open a link nor send a value"}
	case lim.ButtonTitle.Max == 0:
		return []string{"there are buttons, but no limit for their titles"}
	case lim.ButtonText.Max > 0 && lim.ButtonText.Unit == lim.Text.Unit && lim.ButtonText.Max > lim.Text.Max:
		return []string{fmt.Sprintf("ButtonText.Max %d is above Text.Max %d", lim.ButtonText.Max, lim.Text.Max)}
	}
	return nil
}

func unsoundOrders(lim core.OrderLimits) []string {
	if !lim.Native && (len(lim.Needs) > 0 || lim.Lines.Max > 0) {
		return []string{"Order has needs or lines, but no form of its own"}
	}
	var problems []string
	order := reflect.TypeFor[core.Order]()
	for _, need := range lim.Needs {
		known := slices.ContainsFunc(reflect.VisibleFields(order), func(f reflect.StructField) bool {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return name == need
		})
		if !known {
			problems = append(problems, fmt.Sprintf("Order.Needs %q, which no order has", need))
		}
	}
	return problems
}
