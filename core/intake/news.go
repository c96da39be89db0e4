package intake

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// told says why an event is no news: the same was told before, or a later state was.
func told(tx *lane.Tx, s subject, p Plan, now time.Time) (string, error) {
	e := p.Event
	info, _ := core.LookupType(e.Type)
	named, unnamed := reports(s, e)
	if p.Unnamed {
		if err := count(tx, unnamed); err != nil {
			return "", err
		}
	}
	if info.Rank > 0 {
		if why, err := outranked(tx, s, e, info); why != "" || err != nil {
			return why, err
		}
	}
	if e.Type == core.ThankYou && e.Data.OrderCode != "" && !p.Foreign {
		// The thank-you tells of the order: order.placed would say it again.
		_, _, err := tx.Claim(newsKey(s.customer.ID, core.Event{Type: core.OrderPlaced, Data: core.EventData{OrderCode: e.Data.OrderCode}}), "", now)
		return "", err
	}
	if e.Type == core.TicketStatus {
		return knownStatus(tx, e)
	}
	news, err := isNew(tx, s, e, info, now)
	switch {
	case err != nil:
		return "", err
	case !news:
		return "the same has been told before", nil
	case ofParcel(e) && e.Data.ConsignmentCode != "" && !p.Unnamed:
		return "", count(tx, named)
	}
	return "", nil
}

// knownStatus says that a ticket is known to be in a state, or that the
// customer's own words may have brought it there. What was found by asking the
// desk has been compared before.
func knownStatus(tx *lane.Tx, e core.Event) (string, error) {
	v, err := tx.ConversationByTicket(e.Data.TicketID)
	switch {
	case errors.Is(err, core.ErrNotFound), err == nil && e.Source == core.PollSource:
		return "", nil
	case err == nil && v.Status == e.Data.Status:
		return "the same has been told before", nil
	case err == nil && v.Status == "" && e.Data.Status != "closed":
		return "it may be what the customer's own words did to the ticket", nil
	}
	return "", err
}

func isNew(tx *lane.Tx, s subject, e core.Event, info core.TypeInfo, now time.Time) (bool, error) {
	if info.Entity == core.EntityChange {
		return firstOfChange(tx, s, e, now)
	}
	key := newsKey(s.customer.ID, e)
	if key == "" {
		return true, nil
	}
	code := codeOf(e, info)
	first, _, err := tx.Claim(key, code, now)
	switch {
	case err != nil || !first:
		return false, err
	case e.Type == core.TicketNoteAdded:
		return firstTelling(tx, e.Data, now)
	case code == "":
		return true, nil
	}
	return firstNamed(tx, s, e, code, now)
}

// firstNamed pairs news of a parcel or a return with the same news that came by
// another way and did not name it. One without a name is the same as the first
// one with a name, whichever came before.
func firstNamed(tx *lane.Tx, s subject, e core.Event, code string, now time.Time) (bool, error) {
	e.Data.ConsignmentCode, e.Data.ReturnCode = "", ""
	unnamed := newsKey(s.customer.ID, e)
	first, by, err := tx.Claim(unnamed, code, now)
	if err != nil || first || by != "" {
		return true, err
	}
	paired, _, err := tx.Claim(unnamed+"\x00named", code, now)
	return !paired, err
}

// firstOfChange tells the changes of an order apart, of which there can be
// several. Those without a code are paired with those that have one by their
// number: the second way of being told of a change is no second change.
func firstOfChange(tx *lane.Tx, s subject, e core.Event, now time.Time) (bool, error) {
	code := cmp.Or(e.Data.ReturnCode, e.Data.ConsignmentCode)
	if code != "" {
		first, _, err := tx.Claim(newsKey(s.customer.ID, e), code, now)
		if err != nil || !first {
			return false, err
		}
	}
	e.Data.ReturnCode, e.Data.ConsignmentCode = "", ""
	count := newsKey(s.customer.ID, e)
	mine, others := count+"\x00unnamed", count+"\x00named"
	if code != "" {
		mine, others = others, mine
	}
	n, err := tx.Rank(mine)
	if err != nil {
		return false, err
	}
	of, err := tx.Rank(others)
	if err != nil {
		return false, err
	}
	return n+1 > of, tx.SetRank(mine, n+1)
}

// newsKey is the same for two events that tell the same: a shop may push one
// thing by two ways, or with a new id on each try. "": no two are the same.
func newsKey(customerID int64, e core.Event) string {
	d := e.Data
	key := []string{"news", fmt.Sprint(customerID), string(e.Type)}
	switch {
	case e.Type == core.TicketNoteAdded && d.Note != nil:
		return strings.Join(append(key, d.TicketID, d.Note.ID), "\x00")
	case e.Type == core.TicketCreated:
		return strings.Join(append(key, d.TicketID), "\x00")
	case !strings.HasPrefix(string(e.Type), "order."):
		return ""
	}
	info, _ := core.LookupType(e.Type)
	parcel, back := "", ""
	switch info.Entity {
	case core.EntityConsignment:
		parcel = d.ConsignmentCode
	case core.EntityReturn:
		back = d.ReturnCode
	case core.EntityChange:
		parcel, back = d.ConsignmentCode, d.ReturnCode
	}
	return strings.Join(append(key, d.OrderCode, parcel, back), "\x00")
}

// codeOf names the parcel or the return that an event is about.
func codeOf(e core.Event, info core.TypeInfo) string {
	switch info.Entity {
	case core.EntityConsignment:
		return e.Data.ConsignmentCode
	case core.EntityReturn:
		return e.Data.ReturnCode
	}
	return ""
}

// outranked compares the rank of an event with the highest told of its entity.
func outranked(tx *lane.Tx, s subject, e core.Event, info core.TypeInfo) (string, error) {
	entity := rankKey(s, e, info)
	if entity == "" {
		return "", nil // which one is not known
	}
	rank, err := tx.Rank(entity)
	if err != nil {
		return "", err
	}
	if info.Rank < rank {
		return "a later state of the same " + string(info.Entity) + " has been told", nil
	}
	if info.Rank == rank || info.Passing {
		return "", nil
	}
	return "", tx.SetRank(entity, info.Rank)
}

// rankKey is what the rank of an event's entity is kept by; "" where it is not
// known which one that is.
func rankKey(s subject, e core.Event, info core.TypeInfo) string {
	code := codeOf(e, info)
	if info.Entity == core.EntityOrder {
		code = e.Data.OrderCode
	}
	if code == "" {
		return ""
	}
	return strings.Join([]string{string(info.Entity), fmt.Sprint(s.customer.ID), e.Data.OrderCode, code}, "\x00")
}
