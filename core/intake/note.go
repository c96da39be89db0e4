package intake

import (
	"strings"
	"time"

	"tidings/core"
)

// firstTelling reports whether a note with a new id is a new note. A shop that
// gives the entries of a ticket no ids (SAP Commerce 2105) pushes a note under
// one id, and the note is found in the ticket under another, made from what it
// says. Two such ids with the same words are one note, once.
func firstTelling(tx core.Tx, d core.EventData, now time.Time) (bool, error) {
	if d.Note == nil {
		return true, nil
	}
	words := strings.Join([]string{"note", d.TicketID, strings.TrimSpace(d.Note.Text)}, "\x00")
	first, other, err := tx.Claim(words, d.Note.ID, now)
	if err != nil || first || made(other) == made(d.Note.ID) {
		return true, err
	}
	paired, _, err := tx.Claim(words+"\x00"+other, d.Note.ID, now)
	return !paired, err
}

func made(id string) bool { return strings.HasPrefix(id, core.MadeNoteID) }
