package render

import (
	"slices"
	"strings"

	"tidings/core"
)

// The chat answers: what the gateway says by itself in reply to the customer.
const (
	Confirmation = "confirmation" // a question has arrived
	Help         = "help"         // what one can do in this chat
	Status       = "status"       // the customer's own orders; Vars: orders []core.Order
	Stopped      = "stopped"      // no more notifications from now on
	Started      = "started"      // notifications again
	Unlinked     = "unlinked"     // how to link this chat; knows nothing about anybody
	LinkInvalid  = "link_invalid" // a reference that does not count; knows nothing about anybody
)

const (
	answerPrefix   = "chat."
	partialPrefix  = "_"
	summaryPartial = "_summary"
)

// Answers lists the names of all chat answers.
func Answers() []string {
	return []string{Confirmation, Help, Status, Stopped, Started, Unlinked, LinkInvalid}
}

// textNames lists the names of all templates but partials, in the order in
// which they are documented. message.requested has none: it is sent as it stands.
func textNames() []string {
	names := make([]string, 0, len(core.EventTypes)+len(Answers()))
	for _, info := range core.EventTypes {
		if info.Type != core.MessageRequested {
			names = append(names, string(info.Type))
		}
	}
	names = append(names, string(core.ThankYou))
	for _, answer := range Answers() {
		names = append(names, answerPrefix+answer)
	}
	return names
}

// isText reports whether name is that of a text. It is asked for each message
// and allocates nothing.
func isText(name string) bool {
	if answer, ok := answerOf(name); ok {
		return slices.Contains(Answers(), answer)
	}
	if name == string(core.ThankYou) {
		return true
	}
	info, ok := core.LookupType(core.EventType(name))
	return ok && info.Type != core.MessageRequested
}

// templateName is the name of the template for a notification.
func templateName(in Input) string {
	if in.Type != core.Answer {
		return string(in.Type)
	}
	if in.Answer != "" {
		return answerPrefix + in.Answer
	}
	return answerPrefix + in.Event.Answer
}

// nearest returns the known name that a mistyped one most likely means.
func nearest(name string, known []string) string {
	best, bestDistance := "", len(name)/2+1
	for _, k := range known {
		if d := distance(name, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// answerOf returns the chat answer whose template has this name.
func answerOf(name string) (string, bool) {
	return strings.CutPrefix(name, answerPrefix)
}
