// Package slack is the adapter for Slack: one app in one workspace, writing to
// and reading from the app's direct messages.
//
// # What it promises
//
// One Send is one chat.postMessage request, never followed by a redirect or a
// retry of its own, and its answer is one of core's classes (errors.go has the
// table). Text is shown exactly as it was typed: nothing in a customer's or a
// product's name becomes a mention, a link, emphasis or an emoji. Callbacks are
// authenticated on their raw bytes before anything in them is read.
//
// Pacing, cutting, retrying and what an error leads to are the core's.
//
// # Addresses
//
// An address is a user id (U…, W…) or a conversation id (D…, C…, G…).
// conversations.open would turn a user id into the id of the direct message,
// but chat.postMessage takes the user id itself, opens the direct message when
// there is none and answers with its id. Opening first would cost a second
// request and the scope im:write, and would buy an id that is not needed to
// send. So addresses stay user ids, and platform ids are "CHANNEL/TS" with the
// channel of the answer: the same form in Sent.ID, Update.PlatformID and
// Update.ReplyTo.
//
// # Exact text
//
// In Slack's markup (mrkdwn) only & < > can be escaped. *, _, ~, ` and a
// leading > cannot, and neither can :smile:. Hence three ways to write a text,
// tried in this order (encode.go):
//
//  1. Marked up, when Slack would read back from it just the emphasis and links
//     that were meant. Most texts are this.
//  2. Literal, when something in the data could be read as markup: the message
//     is sent with mrkdwn=false, emphasis is dropped and links are written as
//     "text: url". Emphasis yields to exactness, since a wrong order code does
//     more harm than a thin one.
//  3. Literal in blocks of type plain_text with emoji=false, when the data
//     holds something like :smile:, which mrkdwn=false would not stop.
//
// Plain words need no blocks: such a message is its text. Where there are
// emphasis, links, buttons, a picture or case 3, the text is repeated in sections
// and remains, whole, in the field text, which notifications, search and screen
// readers use. A section takes fewer characters than a text: with buttons, or in
// case 3, a long text gets several; without, it stays a text alone.
//
// Two other ways were considered. A rich_text block holds literal text with
// emphasis beside it, but text would still be needed next to it with the same
// trouble, and much of what speaks Slack's format knows sections only.
// Zero-width characters between markup characters would change what is copied
// from the chat: an order code pasted into a search would not be found.
//
// # Callbacks
//
// One URL serves events, interactivity and slash commands. A customer comes by
// "/link CODE" (an opt-in) or by sending the code as a message, which is a text
// like any other here: the core knows its codes. Slack has no receipts and says
// nothing when a customer turns away; it has no reply window either.
package slack
