package messenger

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// envelope is the body of a callback. Its parts stay raw until each is read on
// its own, so that one that cannot be read costs itself only.
type envelope struct {
	Object string            `json:"object"`
	Entry  []json.RawMessage `json:"entry"`
}

type entry struct {
	ID        ident           `json:"id"`
	Time      stamp           `json:"time"`
	Messaging json.RawMessage `json:"messaging"`
	Standby   json.RawMessage `json:"standby"`
	Changes   json.RawMessage `json:"changes"`
}

// item is one thing that happened. Besides the parties it holds one of the rest.
type item struct {
	Sender    party `json:"sender"`
	Recipient party `json:"recipient"`
	Timestamp stamp `json:"timestamp"`

	Message  *incoming `json:"message"`
	Postback *postback `json:"postback"`
	Referral *referral `json:"referral"`
	Optin    *optin    `json:"optin"`
	Delivery *delivery `json:"delivery"`
	Read     *read     `json:"read"`
	Edit     *edit     `json:"message_edit"`
	Reaction *reaction `json:"reaction"`
	Linking  *linking  `json:"account_linking"`
	// Prior names the provisional address that the sender had until now.
	Prior *prior `json:"prior_message"`
}

type party struct {
	ID      ident `json:"id"`
	UserRef ident `json:"user_ref"`
}

type incoming struct {
	MID         ident     `json:"mid"`
	Text        string    `json:"text"`
	IsEcho      bool      `json:"is_echo"`
	AppID       ident     `json:"app_id"`
	Metadata    string    `json:"metadata"`
	Referral    *referral `json:"referral"`
	Prior       *prior    `json:"prior_message"`
	Attachments []media   `json:"attachments"`
	ReplyTo     *struct {
		MID ident `json:"mid"`
	} `json:"reply_to"`
	QuickReply *struct {
		Payload string `json:"payload"`
	} `json:"quick_reply"`
}

type media struct {
	Type string `json:"type"`
	// Title and URL stand beside the payload in attachments of type fallback.
	Title   string        `json:"title"`
	URL     string        `json:"url"`
	Payload *mediaPayload `json:"payload"`
}

type mediaPayload struct {
	URL         string `json:"url"`
	Title       string `json:"title"`
	StickerID   ident  `json:"sticker_id"`
	Coordinates *struct {
		Lat  json.Number `json:"lat"`
		Long json.Number `json:"long"`
	} `json:"coordinates"`
}

type postback struct {
	MID      ident     `json:"mid"`
	Title    string    `json:"title"`
	Payload  string    `json:"payload"`
	Referral *referral `json:"referral"`
}

type referral struct {
	Ref    string `json:"ref"`
	Source string `json:"source"`
}

type optin struct {
	Type    string `json:"type"`
	Ref     string `json:"ref"`
	UserRef ident  `json:"user_ref"`
}

type delivery struct {
	MIDs      []ident `json:"mids"`
	Watermark stamp   `json:"watermark"`
}

type read struct {
	Watermark stamp `json:"watermark"`
}

type edit struct {
	MID     ident   `json:"mid"`
	Text    string  `json:"text"`
	NumEdit integer `json:"num_edit"`
}

type linking struct {
	Status string `json:"status"`
	Code   string `json:"authorization_code"`
}

type reaction struct {
	MID    ident  `json:"mid"`
	Action string `json:"action"`
}

type prior struct {
	Source     string `json:"source"`
	Identifier ident  `json:"identifier"`
}

// ident is an id: a string, or an integer in some versions, kept digit by digit.
type ident string

var errIdent = errors.New("an id is neither a short string nor an integer")

// UnmarshalJSON reads a string or an integer.
func (id *ident) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if data[0] != '"' {
		var n integer
		if n.UnmarshalJSON(data) != nil {
			return errIdent
		}
		*id = ident(data)
		return nil
	}
	var s string
	if json.Unmarshal(data, &s) != nil || !isPlain(s) {
		return errIdent
	}
	*id = ident(s)
	return nil
}

// isPlain keeps out what would not fit into a key of a database.
func isPlain(s string) bool {
	const maxBytes = 1000 // Meta's longest, a message's id, have some 120
	if len(s) > maxBytes {
		return false
	}
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// integer is a whole number, written as a number or as a string of digits.
type integer int64

var errInteger = errors.New("a number is not an integer")

// UnmarshalJSON reads a number or a string of digits.
func (n *integer) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		return nil
	}
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return errInteger
	}
	*n = integer(value)
	return nil
}

// stamp is a time as Meta writes it: milliseconds, in some places seconds.
type stamp struct{ integer }

// firstMilli is the smallest value taken for milliseconds: the year 1973 in
// those, 5138 in seconds.
const firstMilli = 100_000_000_000

// lastMilli is the end of the year 9999: what lies beyond cannot be written as a date.
const lastMilli = 253_402_300_799_999

// at returns the time, the zero time where none was given.
func (s stamp) at() time.Time {
	switch {
	case s.integer <= 0, s.integer > lastMilli:
		return time.Time{}
	case s.integer < firstMilli:
		return time.Unix(int64(s.integer), 0).UTC()
	}
	return time.UnixMilli(int64(s.integer)).UTC()
}
