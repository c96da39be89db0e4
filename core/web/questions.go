package web

import (
	"fmt"
	"strconv"
	"time"

	"tidings/core"
)

// heldLong is from when on a question that does not reach the desk is worth a word.
const heldLong = 5 * time.Minute

// maxHeld is how many of them are counted.
const maxHeld = 1000

// readQuestions tells of questions that their desk has not taken yet.
func (a *doctorAnswer) readQuestions(tx core.Tx, now time.Time) error {
	held, err := tx.HeldCalls(now.Add(-heldLong), maxHeld)
	if err != nil || len(held) == 0 {
		return err
	}
	n := strconv.Itoa(len(held))
	if len(held) == maxHeld {
		n = "at least " + n
	}
	a.fault("questions", fmt.Sprintf("questions that wait for the desk: %s, the oldest since %s (%s)", n, held[0].TriedAt.UTC().Format(time.RFC3339), held[0].Why),
		"nothing is lost, and their customers are confirmed; see commerce.tickets, and docs/hybris/tickets-desks.md for what the desk needs")
	return nil
}
