package core

import "time"

// Unit is what a platform counts when it measures a text.
type Unit string

// The units platforms count in.
const (
	Runes Unit = "runes" // Unicode code points
	UTF16 Unit = "utf16" // UTF-16 code units
	Bytes Unit = "bytes" // bytes of UTF-8
)

// Limit is one number of a platform with where it comes from.
type Limit struct {
	Max    int  // 0: not offered at all
	Unit   Unit // empty for a plain count
	Source Source
}

// Source says where a fact was read, and when.
type Source struct {
	URL  string
	Read string // date, 2006-01-02
}

// Markup is what a platform can show of a Run. A style or link that is not in
// the set is flattened by the core before splitting: the style is dropped, a
// link becomes "text: url" (or just the url where the text equals it).
type Markup struct {
	Styles Style
	Links  bool
}

// Limits are the facts of a platform, as data. They are constant while a
// channel is open. Every number names its source.
type Limits struct {
	// Text is how long the text of one request may be.
	Text Limit
	// Encoded says that Text counts what is sent (after escaping and with
	// markup), not what is shown.
	Encoded bool
	// Raw is a second bound on the encoded text of one request, where there is one.
	Raw Limit
	// Escape lists the characters the adapter writes longer than they are, with
	// what it writes. Markup characters around a run cost RunOverhead at most,
	// a link its URL (escaped) and RunOverhead.
	Escape      map[string]string
	RunOverhead int
	Markup      Markup

	Caption Limit // text beside a picture; Max 0: a caption becomes a text part of its own
	Picture bool  // pictures can be sent by URL; false: the picture becomes its alt text

	Buttons     Limit // how many below one text; Max 0: buttons become lines of text
	ButtonText  Limit // text of a request that has buttons; Max 0: like Text
	ButtonTitle Limit
	ButtonValue Limit
	ButtonURL   Limit

	Order OrderLimits

	Window  Window
	Pace    Pace
	OrderBy OrderBy

	// Delivered and Read tell which receipts the platform can give.
	Delivered, Read bool
	// Echo is how long to wait, when the fate of a part is unknown, for the
	// platform to show us our own message with Part.Key. 0: it never does.
	Echo time.Duration
}

// OrderLimits describe a platform's own form for an order summary.
type OrderLimits struct {
	Native bool
	Lines  Limit // most lines in one request
	// Needs are the fields without which the platform refuses the form, as
	// JSON names of Order ("customerName", "payment", "total", …); lines need a name.
	// Where one is missing, the summary is sent as text.
	Needs []string
}

// Window says when the platform lets a business write.
type Window struct {
	Reply  time.Duration // after the customer's last message; 0: always open
	Human  time.Duration // the same for a person's own answers; 0: like Reply
	Source Source
}

// Pace is how fast a platform wants requests. Zero rates mean no limit known.
type Pace struct {
	PerSecond      float64 // all recipients of the channel together; no second has more
	Burst          int     // of them at once, after a rest
	PerRecipient   float64 // requests per second to one recipient
	RecipientBurst int
	Source         Source
}

// OrderBy says what makes two messages to one recipient keep their order.
type OrderBy string

// The ways in which platforms keep order.
const (
	OrderByResponse  OrderBy = "response"
	OrderByDelivered OrderBy = "delivered"
	OrderByNone      OrderBy = "none"
)
