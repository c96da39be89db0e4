// Package storetest is the exam every store passes, on whatever database. It
// promises that what the packages above rely on holds: rows come back as they
// were written, a transaction is all or nothing, one caller's failure undoes
// that caller's writes only, and what is unique is so under concurrency too.
// What is particular to one database is tested beside its store.
package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/lane"
)

// Store is what takes the exam.
type Store interface {
	lane.Store
	// Reopen closes the store and opens the same data again.
	Reopen(t *testing.T) Store
}

// Run examines stores. Each call of open returns an empty one, which the suite closes.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, s Store){
		"claims": claims, "customers": customers, "orders": orders, "ranks": ranks,
		"events": events, "messages": messages, "parts": parts, "sent parts": sentParts,
		"attempts": attempts, "settling": settling, "begun": begun, "open messages": openMessages, "list messages": listMessages,
		"last order": lastOrder, "early receipts": earlyReceipts, "totals": totals,
		"addresses": addresses, "links": links, "one link per address": oneLink,
		"customers merged": mergedCustomers, "opt-ins": optIns, "live opt-ins": liveOptIns, "opt-in codes": optInCodes, "opt-in used once": useOptIn,
		"updates": updates, "held updates": heldUpdates,
		"conversations": conversations, "conversations to poll": conversationsToPoll, "ticket calls": ticketCalls, "readings": readings, "linked since": linkedSince,
		"pauses": pauses, "purge": purge, "purge in small steps": purgeSteps, "purge keeps what is open": purgeKeeps,
		"odd texts": oddTexts, "milliseconds": milliseconds, "not found": notFound,
		"items": items, "lanes": lanes, "head": head,
		"try": try, "try within try": tryNested, "try and totals": tryTotals,
		"failed update": failedUpdate, "cancelled": cancelled, "own writes": ownWrites,
		"view cannot write": viewCannotWrite, "view is a snapshot": viewSnapshot,
		"concurrent": concurrent, "reopened": reopened, "closed": closed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			test(t, s)
		})
	}
}

// day is a time that survives being kept to the millisecond.
var day = time.Date(2026, 11, 22, 10, 0, 0, 123_000_000, time.UTC)

func later(d time.Duration) time.Time { return day.Add(d) }

// update runs fn in a transaction that must succeed.
func update(t *testing.T, s lane.Store, fn func(tx lane.StoreTx)) {
	t.Helper()
	err := s.Update(t.Context(), func(tx lane.StoreTx) (err error) {
		defer func() {
			switch r := recover(); r {
			case nil:
			case lane.ErrAgain:
				err = lane.ErrAgain
			default:
				panic(r)
			}
		}()
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// attempt is tx.Try within update. It ends a run that is to be repeated.
func attempt(tx lane.StoreTx, fn func() error) (err, fatal error) {
	err, fatal = tx.Try(fn)
	if errors.Is(fatal, lane.ErrAgain) {
		panic(lane.ErrAgain)
	}
	return err, fatal
}

// view reads what is durable.
func view(t *testing.T, s lane.Store, fn func(tx lane.StoreTx)) {
	t.Helper()
	err := s.View(t.Context(), func(tx lane.StoreTx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
}

// must fails the test for an error. Fatal is no choice here: it would leave the
// transaction open.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// get is must for a call with a value.
func get[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func missing(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, core.ErrNotFound) {
		t.Errorf("%s: got error %v, want %v", what, err, core.ErrNotFound)
	}
}

var errRefused = errors.New("refused")

// customer, address and message make rows that tests need on the way.
func customer(t *testing.T, tx core.Tx, uid string) core.Customer {
	t.Helper()
	return get[core.Customer](t)(tx.EnsureCustomer(uid, day))
}

func address(t *testing.T, tx core.Tx, channel, value string) core.ChatAddress {
	t.Helper()
	return get[core.ChatAddress](t)(tx.EnsureAddress(channel, core.Address{Value: value}, day))
}

func textParts(texts ...string) []core.Part {
	all := make([]core.Part, len(texts))
	for i, s := range texts {
		all[i] = core.Part{N: i + 1, Of: len(texts), Text: core.PlainText(s)}
	}
	return all
}

// message inserts a message in a state with parts of the given texts.
func message(t *testing.T, tx core.Tx, a core.ChatAddress, state core.MessageState, texts ...string) core.Message {
	t.Helper()
	m := core.Message{
		Type: core.OrderShipped, Channel: a.Channel, AddressID: a.ID, State: state, Purpose: core.OrderUpdates,
		Uncertain: "repeat", CreatedAt: day, ChangedAt: day, Parts: len(texts),
	}
	m.ID = get[int64](t)(tx.InsertMessage(m, textParts(texts...)))
	return m
}
