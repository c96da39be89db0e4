package route

import (
	"time"

	"tidings/core"
)

// Deliver says how many of a rule's channels a notification takes.
type Deliver string

// The ways to deliver.
const (
	All      Deliver = "all"      // every usable channel
	First    Deliver = "first"    // the first usable channel
	Fallback Deliver = "fallback" // the first, and the next when it fails later
)

// Uncertain says what happens to a part of which nobody knows whether it arrived.
type Uncertain string

// The policies for an uncertain part.
const (
	Repeat Uncertain = "repeat" // send it again: nothing lost outranks nothing twice
	Park   Uncertain = "park"   // leave it to a person
)

// The states of a link between a customer and an address.
const (
	Offered  = "offered"
	Active   = "active"
	Blocked  = "blocked"
	OptedOut = "opted_out"
	Ended    = "ended"
)

// Rule is one route of the configuration.
type Rule struct {
	Name      string
	Match     Match
	Channels  []string // in order of preference
	Deliver   Deliver
	Uncertain Uncertain
	Expires   time.Duration // how long a notification is worth sending; 0: for ever
}

// Match holds globs: "*" is any run of characters, "?" any one. An empty list
// lets anything pass; all lists must pass.
type Match struct {
	Event    []string
	Customer []string // compared without regard to case
	Site     []string
	Locale   []string // "de" is also de-AT and de_AT; without regard to case
}

// Any reports whether the match lets everything pass.
func (m Match) Any() bool {
	return len(m.Event)+len(m.Customer)+len(m.Site)+len(m.Locale) == 0
}

// Facts are what is known of the event and of the customer it concerns.
type Facts struct {
	Event       core.EventType
	CustomerUID string
	Site        string
	Locale      string
	Purpose     core.Purpose
	Now         time.Time
	// Human says that a person answers (an agent's public note): the longer
	// window counts, and the customer's question stands for consent.
	Human bool
	// Preferred are the channels the customer chose; nil means no choice was
	// made, an empty list that nothing is wanted.
	Preferred []string
	// Only is the chat that must be used: the one in which the customer wrote
	// or linked. core.Answer and core.ThankYou go nowhere else.
	Only Chat
	// Lead is the chat that is tried before the rule's channels, whether or not
	// it is one of them: where the customer last wrote, for an agent's note. It
	// then takes one channel only, also under All.
	Lead Chat
}

// Chat names a channel and, where it matters, one address on it. The zero Chat
// is none; AddressID 0 is any address on the channel.
type Chat struct {
	Channel   string
	AddressID int64
}

// Candidate is one address of the customer with the state of its link and of
// its channel. Of several on one channel the first usable one is taken.
type Candidate struct {
	Channel   string
	AddressID int64
	State     string    // Active, Blocked, …; empty for a sender who is not linked
	Since     time.Time // when the state was reached; zero: not known
	Purposes  []core.Purpose
	// Window is the platform's rule (Limits.Window), WindowFrom the time from
	// which it counts, normally the customer's last message. Zero: never wrote.
	Window     core.Window
	WindowFrom time.Time
	Template   bool // an approved template exists for this event and language
	Works      bool
	Why        string // why the channel does not work
}

// Target is an address with the right under which it would be written to.
type Target struct {
	Channel   string        `json:"channel"`
	AddressID int64         `json:"addressId"`
	Standing  core.Standing `json:"standing,omitempty"` // empty for one whose window is closed
	Reason    string        `json:"reason"`
}

// Reason says why a channel was not chosen.
type Reason struct {
	Channel string `json:"channel"`
	Why     string `json:"why"`
}

// Decision is what came out. With no Targets there is nothing to send; Closed
// then tells "the platform does not let us write now" (the message is recorded
// as failed with core.WindowClosed) from "there is no way to the customer".
type Decision struct {
	Route     string        `json:"route"` // empty: no rule matched
	Deliver   Deliver       `json:"deliver"`
	Uncertain Uncertain     `json:"uncertain"`
	Expires   time.Duration `json:"expires"`
	Targets   []Target      `json:"targets"`
	// Rest is where the notification goes, in order, when a target fails later.
	Rest []Target `json:"rest,omitempty"`
	// Closed are the addresses that only a closed window keeps from being used.
	// It is set only when there are no Targets.
	Closed []Target `json:"closed,omitempty"`
	// Reasons holds one entry for every other channel of the rule or the customer.
	Reasons []Reason `json:"reasons,omitempty"`
	// Reason is the whole decision in one line.
	Reason string `json:"reason"`
}
