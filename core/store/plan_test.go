package store

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// slow are the statements that may read a whole table: they count, and are not
// on the way of any message.
var slow = []string{"SELECT state, count(*) FROM event", "SELECT state, count(*) FROM message", "SELECT name, CAST(sum(n) AS BIGINT) FROM total", "SELECT channel, until FROM pause"}

// Every statement that any method runs finds its rows by an index.
func TestStatementsUseIndexes(t *testing.T) {
	s := openNew(t)
	err := s.Update(t.Context(), callAll)
	if err != nil {
		t.Fatal(err)
	}
	reader := <-s.idle // the next one to be used comes back last
	s.idle <- reader
	for range readers {
		if _, err := s.Lanes(t.Context(), 0, "", 10); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Head(t.Context(), "a", 10); err != nil {
			t.Fatal(err)
		}
	}
	queries := slices.Concat(slices.Collect(maps.Keys(s.writer.stmts)), slices.Collect(maps.Keys(reader.stmts)))
	if len(queries) < 60 {
		t.Fatalf("statements: got %d, want those of all methods", len(queries))
	}
	scan := regexp.MustCompile(`^SCAN (\w+)`)
	for _, query := range queries {
		if slices.ContainsFunc(slow, func(p string) bool { return strings.HasPrefix(query, p) }) {
			continue
		}
		for _, step := range plan(t, s, query) {
			if m := scan.FindStringSubmatch(step); m != nil && m[1] != "name" && m[1] != "CONSTANT" {
				t.Errorf("%s\n\tin %s", step, query)
			}
		}
	}
}

// plan returns what SQLite is going to do for a statement.
func plan(t *testing.T, s *sqliteStore, query string) []string {
	t.Helper()
	if verb, _, _ := strings.Cut(strings.TrimSpace(query), " "); !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}, strings.TrimSpace(verb)) {
		return nil
	}
	rows, err := s.writer.query(t.Context(), "EXPLAIN QUERY PLAN "+query)
	if err != nil {
		t.Fatal(err)
	}
	details, err := collect(rows, func(r scanner) (string, error) {
		var id, parent, unused int
		var detail string
		err := r.Scan(&id, &parent, &unused, &detail)
		return detail, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return details
}

// callAll runs every statement once; that nothing is found is no matter.
func callAll(tx lane.StoreTx) error {
	now := time.Unix(1, 0)
	a, err := tx.EnsureAddress("c", core.Address{Value: "1"}, now)
	if err != nil {
		return err
	}
	m := core.Message{Channel: "c", AddressID: a.ID, State: core.MessageSent, CreatedAt: now}
	if m.ID, err = tx.InsertMessage(m, []core.Part{{N: 1}}); err != nil {
		return err
	}
	call := func(errs ...error) {
		for _, e := range errs {
			if e != nil && !errors.Is(e, core.ErrNotFound) {
				err = errors.Join(err, e)
			}
		}
	}
	call(callCustomers(tx, now)...)
	call(callMessages(tx, m, now)...)
	call(callLinks(tx, a, now)...)
	call(callInbox(tx, now)...)
	_, e := tx.Purge(now.Add(time.Hour), now, now, 10)
	call(e)
	return err
}

func last[T any](_ T, err error) error { return err }

func callCustomers(tx lane.StoreTx, now time.Time) []error {
	_, _, claim := tx.Claim("k", "", now)
	_, _, again := tx.Claim("k", "", now)
	event, err := tx.InsertEvent(core.StoredEvent{State: core.EventRouted, AcceptedAt: now})
	item, err2 := tx.InsertItem(lane.Item{Lane: "a"})
	return []error{
		claim, again, err, err2, last(tx.Claimed("k")), last(tx.EnsureCustomer("u", now)), last(tx.Customer(1)), tx.SaveCustomer(core.Customer{ID: 1}), tx.MergeCustomer(1, 2),
		tx.RememberOrder("s", "c", 1), last(tx.OrderOwner("s", "c")), last(tx.OrdersOf(1, 10)), last(tx.Rank("e")), tx.SetRank("e", 1),
		last(tx.Event(event)), last(tx.EventsByID("e", "")), tx.SaveEvent(core.StoredEvent{RowID: event, State: core.EventRouted}),
		tx.SaveItem(lane.Item{ID: item}), last(tx.Pending("a")), tx.RemoveItem(item), tx.SetPause("c", now, ""), last(tx.Pauses()),
	}
}

func callMessages(tx lane.StoreTx, m core.Message, now time.Time) []error {
	_, _, order := tx.LastOrder(1, m.AddressID)
	_, _, receipts := tx.TakeReceipts("c", "p")
	return []error{
		order, receipts, last(tx.Message(m.ID)), tx.SaveMessage(m), tx.ReplaceParts(m.ID, []core.Part{{N: 1}}), last(tx.Parts(m.ID)), last(tx.Part(m.ID, 1)),
		tx.SaveMessage(core.Message{ID: m.ID, State: core.MessageQueued, Channel: "c"}), tx.SaveMessage(m),
		tx.SavePart(core.StoredPart{MessageID: m.ID, N: 1}), last(tx.PartByPlatformID("c", "p")), last(tx.SentParts(m.AddressID, now, 10)),
		tx.AddAttempt(core.Attempt{MessageID: m.ID}), last(tx.Attempts(m.ID)), last(tx.OpenMessages(m.AddressID)),
		tx.KeepReceipt("c", "p", core.UpdateRead, now), last(tx.Totals()),
		last(tx.ListMessages(core.MessageFilter{Customer: "u", Limit: 10})), last(tx.ListMessages(core.MessageFilter{Order: "o", Limit: 10})),
		last(tx.ListMessages(core.MessageFilter{EventID: "e", Limit: 10})),
		last(tx.ListMessages(core.MessageFilter{State: core.MessageQueued, Limit: 10})),
		last(tx.ListMessages(core.MessageFilter{State: core.MessageSending, Limit: 10})), last(tx.ListMessages(core.MessageFilter{Open: true, Limit: 10})),
	}
}

func callLinks(tx lane.StoreTx, a core.ChatAddress, now time.Time) []error {
	id, link := tx.InsertLink(core.Link{AddressID: a.ID, State: core.LinkActive})
	o, optIn := tx.InsertOptIn(core.OptIn{CreatedAt: now})
	_, _, use := tx.UseOptIn(o, "c", a.ID, now)
	_, _, again := tx.UseOptIn(o, "c", a.ID, now)
	return []error{
		last(tx.Reading("k", "n")), tx.SaveReading(core.Reading{}), last(tx.ReadingsDue("k", now, 10)), last(tx.LinkedSince(1, 10)),
		link, optIn, use, again, last(tx.Address(a.ID)), last(tx.AddressByValue("c", "1")), tx.SaveAddress(a),
		last(tx.LinkOf(a.ID)), last(tx.LinksOf(1)), last(tx.LinksBySubject("c", "s")), last(tx.LinkHistory(1)), tx.MoveOptIns("u", "v"), last(tx.Link(id)), tx.SaveLink(core.Link{ID: id, State: core.LinkEnded}),
		tx.InsertCode(o, "c", "h"), last(tx.OptIn(o)), last(tx.LiveOptIn(core.OptIn{}, now)), last(tx.OptInByCode("c", []string{"h"})),
	}
}

func callInbox(tx lane.StoreTx, now time.Time) []error {
	u, _, update := tx.InsertUpdate(core.StoredUpdate{Channel: "c"})
	v, conversation := tx.InsertConversation(core.Conversation{})
	c, call := tx.InsertTicketCall(core.TicketCall{})
	return []error{
		update, conversation, call, last(tx.Update(u)), tx.SaveUpdate(u, "done", ""), last(tx.HeldUpdates(1, now)),
		last(tx.OpenConversation(1, "o", now, true)), last(tx.ConversationByTicket("t")), last(tx.Conversation(v)), tx.SaveConversation(core.Conversation{ID: v}),
		last(tx.LastConversation(1)), last(tx.ConversationsToPoll(now, 10)), last(tx.ClosedToPoll(now, now, 10)), last(tx.TicketCall(c)), tx.SaveTicketCall(core.TicketCall{ID: c}),
		last(tx.HeldCalls(now, 10)), last(tx.ShopToken(1)),
	}
}
