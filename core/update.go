package core

import "time"

// UpdateKind says what a platform told us.
type UpdateKind string

// The kinds of updates.
const (
	// UpdateText is a message of the customer: text, media or both.
	UpdateText UpdateKind = "text"
	// UpdateButton is a pressed button or quick reply: Payload is its value.
	UpdateButton UpdateKind = "button"
	// UpdateOptIn is a customer who came with a reference (Ref): a deep link, a
	// plugin, a code. Ref may be empty (came without one).
	UpdateOptIn UpdateKind = "opt_in"
	// UpdateEdited is a message the customer has changed; Text is the new text,
	// PlatformID the message's.
	UpdateEdited UpdateKind = "edited"
	// UpdateDelivered and UpdateRead are receipts: PlatformIDs, or everything
	// up to Watermark.
	UpdateDelivered UpdateKind = "delivered"
	UpdateRead      UpdateKind = "read"
	// UpdateEcho is our own message as the platform shows it: Key and PlatformID.
	UpdateEcho UpdateKind = "echo"
	// UpdateBlocked and UpdateUnblocked: the customer shut us out, or let us in again.
	UpdateBlocked   UpdateKind = "blocked"
	UpdateUnblocked UpdateKind = "unblocked"
	// UpdateUnlinked: the customer has taken the link back with the platform.
	UpdateUnlinked UpdateKind = "unlinked"
	// UpdateOther is understood and of no consequence (reactions, typing, …).
	UpdateOther UpdateKind = "other"
	// UpdateUnreadable could not be understood: Raw and Problem.
	UpdateUnreadable UpdateKind = "unreadable"
)

// Update is one thing a platform told us, in neutral form.
type Update struct {
	// ID tells copies of the same update apart from others: unique per channel.
	ID   string     `json:"id"`
	Kind UpdateKind `json:"kind"`
	// From is the customer's side, also for echoes and receipts.
	From Address `json:"from,omitzero"`
	// Was is the provisional address that From replaces, when the platform says so.
	Was *Address `json:"was,omitempty"`
	// Account is the page, number or team the entry is for (Identified). Empty: this channel's.
	Account string `json:"account,omitempty"`
	// At is the platform's own time of it.
	At time.Time `json:"at,omitzero"`

	PlatformID string `json:"platformId,omitempty"` // the message's own id
	Text       string `json:"text,omitempty"`       // as typed: entities unescaped, plain
	// Mentions of a text stay as the platform writes them.
	Media   []Media `json:"media,omitempty"`
	ReplyTo string  `json:"replyTo,omitempty"` // platform id of the message this answers
	Payload string  `json:"payload,omitempty"` // of a button
	Ref     string  `json:"ref,omitempty"`     // of an opt-in

	PlatformIDs []string  `json:"platformIds,omitempty"`
	Watermark   time.Time `json:"watermark,omitzero"`
	Key         string    `json:"key,omitempty"` // of an echo: Part.Key

	Name   string `json:"name,omitempty"`   // the sender's display name, where told
	Locale string `json:"locale,omitempty"` // the sender's language, where told

	// OpensWindow says that the platform's reply window counts from this update.
	OpensWindow bool `json:"opensWindow,omitempty"`

	Raw []byte `json:"raw,omitempty"`
	// Problem says why it is unreadable, or, of an other, what of it concerns the
	// operator (a revoked token, a blocked page).
	Problem string `json:"problem,omitempty"`
}

// Media is something the customer sent that is not text.
type Media struct {
	// Kind is image, audio, video, file, sticker, location, contact or other.
	Kind string `json:"kind"`
	// ID or URL say where it can be fetched; a URL that holds a token is never put here.
	ID   string `json:"id,omitempty"`
	URL  string `json:"url,omitempty"`
	Name string `json:"name,omitempty"`
	// Text is what can be said of it in words (a location's coordinates, a contact's name).
	Text string `json:"text,omitempty"`
}
