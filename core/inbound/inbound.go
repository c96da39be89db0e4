package inbound

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/render"
	"tidings/core/seal"
)

// The kinds of lanes this package works on.
const (
	ChatKind         = "in"           // in/<address id>
	ConversationKind = "conversation" // conversation/<id>
)

const (
	chatsAtOnce         = 64
	conversationsAtOnce = 16
)

// What a customer meets (docs/states.md).
const (
	quietMinute  = time.Minute        // one confirmation per burst of messages
	conversation = 7 * 24 * time.Hour // idle for longer: a new one begins
	holdUnlinked = 24 * time.Hour     // what an unlinked sender wrote waits for a link
)

// The states of a stored update.
const (
	waiting    = "waiting"
	done       = "done"
	held       = "held"
	unreadable = "unreadable"
)

// Outbox takes messages, and knows about addresses what only sending teaches.
type Outbox interface {
	Enqueue(tx *lane.Tx, m core.Message) (int64, error)
	// Block switches an address off; what waits for it goes elsewhere or fails.
	Block(tx *lane.Tx, addressID int64, why string, now time.Time) error
	// Readdress replaces what the platform calls an address.
	Readdress(tx *lane.Tx, addressID int64, to core.Address, now time.Time) error
}

// Events takes events of the gateway's own.
type Events interface {
	Place(tx *lane.Tx, e core.Event, customerID int64, now time.Time) error
}

// Options are the surroundings of an Inbound.
type Options struct {
	Engine *lane.Engine
	Outbox Outbox
	Events Events
	Shop   core.Shop // nil: there is none to ask
	Desk   core.Desk // nil: questions have nowhere to go
	// Guard has the desk called; nil: calls are made as they come.
	Guard func(ctx context.Context, call func() error) error
	// Reopen says that a question to a closed ticket reopens it, and makes no new one.
	Reopen     bool
	Categories []Category
	Files      FileLimits
	// Fetcher finds the channel of a name when files can be fetched from it.
	Fetcher func(channel string) (core.Fetcher, bool)
	// Matcher finds the channel of a name when its platform tells whose account a
	// chat is; nil: none does.
	Matcher func(channel string) (core.Matcher, bool)
	Site    string // the base site where nothing else tells
	Keys    *seal.Keys
	Texts   func() (t *render.Texts, defaultLocale string)
	// Sibling finds the channel of the same platform application that stands
	// for an account named in a callback.
	Sibling func(channel, account string) (name string, ok bool)
	// ShopLogin is the shop's login that a channel's platform opens from a chat;
	// empty, or nil: none.
	ShopLogin func(channel string) string
	Log       *slog.Logger
	Count     core.Count
}

// Inbound works on updates and conversations.
type Inbound struct{ Options }

// New returns an Inbound.
func New(o Options) *Inbound {
	if o.Guard == nil {
		o.Guard = func(_ context.Context, call func() error) error { return call() }
	}
	return &Inbound{o}
}

// Chats is how the engine is to work on what chats tell us.
func (in *Inbound) Chats() lane.Kind {
	return lane.Kind{Worker: (*chatWorker)(in), Pool: func(string) (string, int) { return ChatKind, chatsAtOnce }}
}

// Conversations is how the engine is to work on questions for the shop.
func (in *Inbound) Conversations() lane.Kind {
	return lane.Kind{Worker: (*ticketWorker)(in), Pool: func(string) (string, int) { return ConversationKind, conversationsAtOnce }}
}

func chatLane(addressID int64) string {
	return lane.Name(ChatKind, strconv.FormatInt(addressID, 10))
}

func conversationLane(id int64) string {
	return lane.Name(ConversationKind, strconv.FormatInt(id, 10))
}

// Accept makes updates of a callback durable. Copies of what is there already
// are left out. When it returns without error they are on disk.
func (in *Inbound) Accept(ctx context.Context, channel string, updates []core.Update) error {
	err := in.Engine.Do(ctx, func(tx *lane.Tx) error {
		now := time.Now()
		for _, u := range updates {
			if err := in.accept(tx, channel, u, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range updates {
		in.Count("updates", 1, "channel", channel, "kind", string(u.Kind))
		if u.Kind == core.UpdateOther && u.Problem != "" {
			in.Log.Warn("the platform has a word for the operator", "channel", channel, "account", u.Account, "notice", u.Problem)
		}
	}
	return nil
}

func (in *Inbound) accept(tx *lane.Tx, channel string, u core.Update, now time.Time) error {
	stored := core.StoredUpdate{Channel: channel, Update: u, ReceivedAt: now, State: waiting}
	if stored.Update.ID == "" {
		stored.Update.ID = fingerprint(u)
	}
	if u.Account != "" {
		name, ok := in.Sibling(channel, u.Account)
		if ok {
			stored.Channel = name
		} else {
			stored.State, stored.Why = unreadable, "it is for an account that is not configured"
		}
	}
	switch {
	case u.Kind == core.UpdateUnreadable:
		stored.State, stored.Why = unreadable, u.Problem
	case u.Kind == core.UpdateOther && !u.OpensWindow:
		stored.State, stored.Why = done, u.Problem
	case u.From.Value == "":
		stored.State, stored.Why = unreadable, "it names no sender"
	}
	if stored.State == waiting {
		a, err := tx.EnsureAddress(stored.Channel, u.From, now)
		if err != nil {
			return err
		}
		stored.AddressID = a.ID
	}
	id, first, err := tx.InsertUpdate(stored)
	if err != nil || !first || stored.State != waiting {
		return err
	}
	return tx.Append(chatLane(stored.AddressID), id, now, lane.Normal)
}

func fingerprint(u core.Update) string {
	b, err := json.Marshal(u)
	if err != nil {
		b = u.Raw
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:16])
}
