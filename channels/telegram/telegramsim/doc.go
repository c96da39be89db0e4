// Package telegramsim is an emulated Telegram: the Bot API's methods, the
// webhooks of one bot, and the people who chat with it in private.
//
// It is written from the public documents (Bot API 10.1, read 2026-11-22) and
// from what the public sources of the Bot API server and of TDLib do where the
// documents are silent: which characters count, how markup is parsed, in which
// words a request is refused. It leaves out groups, the legacy parse mode
// "Markdown" (answered as an unsupported one), automatic entities in answers
// and rich messages.
//
//   - https://core.telegram.org/bots/api
//   - https://core.telegram.org/bots/faq
//   - https://github.com/tdlib/telegram-bot-api
//   - https://github.com/tdlib/td
//
// A person is a chat id in decimal. A bot can write to who has pressed Start
// (Sim.Start, or any first message). Codes of faults are written "403" or "403
// Forbidden: user is deactivated"; "migrate:-100123" is the refusal that names
// another chat.
package telegramsim
