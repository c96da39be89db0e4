package messenger

import (
	"time"

	"tidings/core"
)

// docs is where Meta documents the platform.
const docs = "https://developers.facebook.com/documentation/business-messaging/messenger-platform/"

// Where the facts of this package were read.
var (
	fromSend    = core.Source{URL: docs + "send-messages", Read: "2026-11-22"}
	fromSendAPI = core.Source{URL: "https://developers.facebook.com/docs/messenger-platform/reference/send-api", Read: "2026-11-22"}
	fromButton  = core.Source{URL: "https://developers.facebook.com/docs/messenger-platform/reference/templates/button", Read: "2026-11-22"}
	fromReceipt = core.Source{URL: docs + "send-messages/template/receipt", Read: "2026-11-22"}
	fromRates   = core.Source{URL: docs + "overview/rate-limiting", Read: "2026-11-22"}
	fromPolicy  = core.Source{URL: docs + "policy", Read: "2026-09-11"}
	fromMme     = core.Source{URL: "https://developers.facebook.com/docs/messenger-platform/discovery/m-me-links", Read: "2026-11-22"}
)

// What a request may hold, named because encoding looks at them too.
const (
	maxText  = 2000
	maxLines = 100
)

// Limits returns the facts of the platform.
//
// Meta says "less than 2000 characters" and names no unit; its error says "less
// than or equal to 2000". UTF-16 units are never fewer than code points, so 2000
// of them are safe in either reading of the unit.
func (c *channel) Limits() core.Limits {
	return core.Limits{
		Text:    core.Limit{Max: maxText, Unit: core.UTF16, Source: fromSend},
		Caption: core.Limit{Max: 0, Unit: core.UTF16, Source: fromSendAPI}, // text and attachment exclude each other
		Picture: true,

		Buttons:     core.Limit{Max: 3, Source: fromButton},
		ButtonText:  core.Limit{Max: 640, Unit: core.UTF16, Source: fromButton},
		ButtonTitle: core.Limit{Max: 20, Unit: core.UTF16, Source: fromButton},
		ButtonValue: core.Limit{Max: 1000, Unit: core.UTF16, Source: fromButton},
		// Meta names no limit for a button's link; this is its limit for a reference
		// in an m.me link, the longest it names for anything of that kind.
		ButtonURL: core.Limit{Max: 2083, Unit: core.Bytes, Source: fromMme},

		Order: core.OrderLimits{
			Native: true,
			Lines:  core.Limit{Max: maxLines, Source: fromReceipt},
			Needs:  []string{"code", "customerName", "payment", "total"},
		},

		Window: core.Window{Reply: 24 * time.Hour, Human: 7 * 24 * time.Hour, Source: fromPolicy},
		Pace:   pace,
		// Parts that overlap arrive shuffled; the one after an answer does not.
		OrderBy: core.OrderByResponse,

		Delivered: true,
		Read:      true,
		Echo:      5 * time.Second, // ours: echoes come within a second or two
	}
}

// pace stays below the documented 300 requests a second and Page, so that there is
// room for what else writes in the Page's name. Meta warns of "too many
// messages to a single thread" without a number: the rate per recipient is ours.
var pace = core.Pace{
	PerSecond:      250,
	Burst:          25,
	PerRecipient:   5,
	RecipientBurst: 5,
	Source:         fromRates,
}
