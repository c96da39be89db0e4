package hybris

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/core"
)

// The states of a ticket in the gateway's words.
const (
	statusOpen      = "open"
	statusInProcess = "in_process"
	statusClosed    = "closed"
)

// ticketStatuses are OCC's ids and, where they differ, the codes of the model's
// enum CsTicketState that pushed bodies carry. The two only differ in case and
// mean different things: the model's "Open" is OCC's INPROCESS.
var ticketStatuses = map[string]string{
	"OPEN":      statusOpen,
	"INPROCESS": statusInProcess,
	"CLOSED":    statusClosed,
	"COMPLETED": statusClosed,

	"New":    statusOpen,
	"Open":   statusInProcess,
	"Closed": statusClosed,

	statusOpen:      statusOpen,
	statusInProcess: statusInProcess,
	statusClosed:    statusClosed,
}

// ticketStatus is "" for a state that a project has made up.
func ticketStatus(code string) string { return ticketStatuses[code] }

func ticketHead(n node) core.Ticket {
	return core.Ticket{
		ID:      n.get("id").code(),
		Subject: n.get("subject").text(),
		Status:  ticketStatus(n.get("status").code()),
	}
}

// ticketEvents parts what agents wrote from what the customer wrote, both oldest
// first. The shop leaves out private notes and mere changes of state; an event
// is an agent's when it says so literally. Blank ones have nothing to tell.
func ticketEvents(events node) ([]core.PublicNote, []core.Entry) {
	var notes []core.PublicNote
	var entries []core.Entry
	ids := entryIDs{}
	for _, e := range oldestFirst(events.list()) {
		id, text, at := ids.of(e), e.get("message").text(), e.get("createdAt").time()
		switch {
		case strings.TrimSpace(text) == "":
		case e.get("addedByAgent").isTrue():
			notes = append(notes, core.PublicNote{ID: id, Text: text, CreatedAt: at})
		default:
			entries = append(entries, core.Entry{ID: id, Text: text, CreatedAt: at})
		}
	}
	return notes, entries
}

// oldestFirst turns the shop's newest-first list around. Times decide where all
// are readable; within a second the list's own order does.
func oldestFirst(events []node) []node {
	slices.Reverse(events)
	for _, e := range events {
		if e.get("createdAt").time().IsZero() {
			return events
		}
	}
	slices.SortStableFunc(events, func(a, b node) int {
		return a.get("createdAt").time().Compare(b.get("createdAt").time())
	})
	return events
}

// entryIDs gives each event of a ticket an id that it keeps over reads: its code,
// or, in release 2105, which sends none, a hash of what it says and when. Equal
// ones are counted from the oldest, which a growing list leaves as they are.
type entryIDs map[string]int

func (ids entryIDs) of(e node) string {
	if code := e.get("code").code(); code != "" {
		return code
	}
	at := e.get("createdAt")
	when := at.text()
	if t := at.time(); !t.IsZero() {
		when = t.Format(time.RFC3339Nano)
	}
	sum := sha256.Sum256([]byte(when + "\x00" + e.get("message").text()))
	id := core.MadeNoteID + hex.EncodeToString(sum[:10])
	ids[id]++
	if n := ids[id]; n > 1 {
		return fmt.Sprintf("%s-%d", id, n)
	}
	return id
}
