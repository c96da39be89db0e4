// Package telegram is the adapter for the Telegram Bot API.
//
// It promises:
//
//  1. A part is one request (sendMessage, or sendPhoto for a picture), and its
//     data is never markup: every character of a text arrives as it stands.
//  2. Every failure is one *core.SendError from one table (errors.go). A request
//     that may have reached Telegram without a readable answer is Uncertain; one
//     that never got a connection is Temporary.
//  3. No error holds the bot token, which Telegram has in the path of every URL,
//     nor anything the customer wrote.
//  4. Decode reads nothing before the secret token of the callback has been
//     compared in constant time, never panics, and turns what it cannot read into
//     an unreadable update.
//
// A message's platform id is "CHAT/MESSAGE", because Telegram counts messages
// per chat: 7 exists in every chat, "42/7" once. Sent.ID, Update.PlatformID and
// Update.ReplyTo all have this form. An address is the chat id in decimal, which
// in a private chat is also the user's id.
//
// A text is sent once, as HTML. The Bot API's advice to repeat it without a parse
// mode when it "can't parse entities" is not followed: the encoder writes only
// tags it closes itself, so that answer means a fault here, and it is Rejected.
//
// Telegram reports no delivery, no reading and no echo, has no idempotency key
// and no reply window. It keeps the order of requests to one chat when each waits
// for the answer to the one before, which is what the core does.
//
// The client library takes no context, hides the HTTP status and writes the token
// into its errors; exchange.go answers all three. NewBotAPI is not used because it
// makes a request, and a platform that is down must not keep the gateway from
// starting.
package telegram
