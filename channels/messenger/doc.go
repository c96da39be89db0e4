// Package messenger is the adapter for Facebook Messenger: one Page, by the
// Send API and the webhooks of the Graph API.
//
// # What it promises
//
//   - One Send is one POST to {api_url}/me/messages, never repeated in here. A
//     redirect is not followed and nothing marks the request as safe to replay,
//     so net/http does not repeat it behind our back either.
//   - Every answer becomes one decision (errors.go), by Meta's own code and
//     subcode and not by the HTTP status, which differs between Graph versions.
//     An error is Temporary only where it is certain that nothing was accepted;
//     once the request may have reached Meta and no answer tells, it is Uncertain.
//   - Part.Key travels as message.metadata and comes back in the echo, which is
//     the only way to learn the fate of an Uncertain part: Messenger has no
//     idempotency key. A user_ref gets no echo (nor receipts).
//   - Only HUMAN_AGENT is ever sent as a message tag. The tags for order updates
//     were retired on 2026-04-27; outside the window an approved utility template
//     takes their place.
//   - A callback is believed only when the HMAC of its raw bytes agrees, and then
//     every item of every entry is returned. One that cannot be understood costs
//     itself only. Meta signs no time, so there is no replay window: copies are
//     told apart by Update.ID.
//   - The Page's token, which the Send API takes as a query parameter, is in no
//     error and no log line. Neither is anything Meta quotes back at us.
//
// # What it leaves to others
//
// Splitting, pacing, waiting, repeating and the decision whether the reply
// window is open belong to the core. Meta's text is plain: there is no markup
// to write and nothing to escape.
//
// # Receipts
//
// An order is sent as Meta's receipt template, with the shop's order code as
// order_number. Meta asks for a unique one. An order code is unique among orders,
// and it is not made unique among messages, because it is what the customer sees
// and quotes. Should Meta refuse a second receipt for the same order, or a receipt
// for any other fault of its form, the part is tried once more in words.
//
// An order that a receipt cannot show exactly (a currency with three decimals, a
// line without a price) is sent in words from the start, so that no amount is
// ever rounded.
package messenger
