package telegram

import "tidings/core"

// The documents behind the numbers, and the day they were read.
const (
	readOn = "2026-11-22"

	apiSendMessage = "https://core.telegram.org/bots/api#sendmessage"
	apiSendPhoto   = "https://core.telegram.org/bots/api#sendphoto"
	apiButton      = "https://core.telegram.org/bots/api#inlinekeyboardbutton"
	botsFAQ        = "https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"
	serverSource   = "https://github.com/tdlib/telegram-bot-api/blob/01a3679c/telegram-bot-api/Client.cpp"
)

// The bounds that the encoder checks itself, because breaking one would lose
// the whole message.
const (
	maxButtons          = 8    // ours: more rows than fit on a phone's screen help nobody; the API takes up to 100
	maxButtonTitleRunes = 64   // ours: the API names no limit, phones show about 40
	maxButtonValueBytes = 64   // Telegram's
	maxButtonURLBytes   = 2048 // ours: the API names no limit
)

// runOverhead is what the tags around one run can cost: a link with three
// emphases. Code stands alone (encode.go) and costs less.
const runOverhead = len(`<a href=""></a>`) + len(`<b></b><i></i><s></s>`)

func limits() core.Limits {
	from := func(url string) core.Source { return core.Source{URL: url, Read: readOn} }
	return core.Limits{
		// Counted after parsing, in code points: TDLib measures the text that is
		// left with utf8_length (td/telegram/MessageContent.cpp at 022d6020).
		Text: core.Limit{Max: 4096, Unit: core.Runes, Source: from(apiSendMessage)},
		// The server's own bound on the text as it is sent, tags included.
		Raw: core.Limit{Max: 32768, Unit: core.Bytes, Source: from(serverSource)},
		// The quotation mark is written as an entity only within a link's target.
		Escape:      map[string]string{"&": "&amp;", "<": "&lt;", ">": "&gt;", `"`: "&quot;"},
		RunOverhead: runOverhead,
		Markup:      core.Markup{Styles: core.Bold | core.Italic | core.Strike | core.Code, Links: true},

		Caption: core.Limit{Max: 1024, Unit: core.Runes, Source: from(apiSendPhoto)},
		Picture: true,

		Buttons:     core.Limit{Max: maxButtons, Source: from(apiButton)},
		ButtonTitle: core.Limit{Max: maxButtonTitleRunes, Unit: core.Runes, Source: from(apiButton)},
		ButtonValue: core.Limit{Max: maxButtonValueBytes, Unit: core.Bytes, Source: from(apiButton)},
		ButtonURL:   core.Limit{Max: maxButtonURLBytes, Unit: core.Bytes, Source: from(apiButton)},

		// About 30 messages a second over all chats; about one a second in one
		// chat, where short bursts are allowed: three is our reading of "short".
		// No second has more than 30 (core.Pace), and one by one is what "about" bears best.
		Pace: core.Pace{
			PerSecond: 30, Burst: 1,
			PerRecipient: 1, RecipientBurst: 3,
			Source: from(botsFAQ),
		},
		OrderBy: core.OrderByResponse,
	}
}
