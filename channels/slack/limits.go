package slack

import "tidings/core"

// What Slack's documents say, and when they were read.
var (
	sourcePost    = core.Source{URL: "https://docs.slack.dev/reference/methods/chat.postMessage", Read: "2026-11-22"}
	sourceRate    = core.Source{URL: "https://docs.slack.dev/apis/web-api/rate-limits", Read: "2026-11-22"}
	sourceSection = core.Source{URL: "https://docs.slack.dev/reference/block-kit/blocks/section-block", Read: "2026-11-22"}
	sourceActions = core.Source{URL: "https://docs.slack.dev/reference/block-kit/blocks/actions-block", Read: "2026-11-22"}
	sourceButton  = core.Source{URL: "https://docs.slack.dev/reference/block-kit/block-elements/button-element", Read: "2026-11-22"}
)

// Numbers that only this package needs. Together the blocks of a message may
// hold about 13,200 characters and number 50
// (https://github.com/slackapi/bolt-js/issues/2509, read 2026-11-22); a text of
// maxText in sections and its buttons stay below both.
const (
	maxText       = 4000  // characters of text that Slack recommends; from 4041 on it splits the message itself
	maxTextHard   = 40000 // characters of text, beyond which Slack truncates
	maxSection    = 3000  // characters of one section's text
	maxLink       = 2000  // characters of a link's URL: longer ones are written out, to leave a section room for words
	maxButtons    = 25    // elements of one actions block
	maxAlt        = 2000  // characters of an image's alternative text
	buttonsPerRow = 5     // buttons per actions block: more are hard to tell apart on a telephone
)

// limits are Slack's facts. The documents name no unit for "characters";
// UTF-16 units are the strictest reading, as they are never fewer than runes.
//
// Slack allows about one message per second and conversation and tolerates
// bursts without saying how long, so none is counted on; for a workspace it
// says "several hundred per minute", taken as 300: five in any second are no more in
// any minute.
func limits() core.Limits {
	return core.Limits{
		Text:    core.Limit{Max: maxText, Unit: core.UTF16, Source: sourcePost},
		Encoded: true,
		Raw:     core.Limit{Max: maxTextHard, Unit: core.UTF16, Source: sourcePost},
		Escape:  map[string]string{"&": "&amp;", "<": "&lt;", ">": "&gt;"},
		// Four pairs of emphasis, and <|> of a link.
		RunOverhead: 4*2 + 3,
		Markup:      core.Markup{Styles: core.Bold | core.Italic | core.Strike | core.Code, Links: true},

		Picture: true,
		Caption: core.Limit{Max: maxSection, Unit: core.UTF16, Source: sourceSection},

		Buttons:     core.Limit{Max: maxButtons, Source: sourceActions},
		ButtonTitle: core.Limit{Max: 75, Unit: core.UTF16, Source: sourceButton},
		ButtonValue: core.Limit{Max: 2000, Unit: core.UTF16, Source: sourceButton},
		ButtonURL:   core.Limit{Max: 3000, Unit: core.UTF16, Source: sourceButton},

		Pace: core.Pace{
			PerSecond: 5, Burst: 5,
			PerRecipient: 1, RecipientBurst: 1,
			Source: sourceRate,
		},
		OrderBy: core.OrderByResponse,
	}
}
