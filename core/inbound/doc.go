// Package inbound works on what platforms tell us: customers who link a chat,
// ask, answer, press, block us or come back; receipts and echoes of our own
// messages. It turns questions into tickets and reads the answers of agents
// where the shop does not push them.
//
// It promises that
//
//   - an update is on disk before its platform is told so, and copies of one
//     update have one effect;
//   - updates of one chat are worked on in the order in which they came, and the
//     calls of one conversation reach the shop in that order too;
//   - a reference which is wrong, old, used or meant for another channel links
//     nothing, is answered the same whatever is wrong with it, and tells nothing
//     about anybody;
//   - a question that was taken reaches the shop once, however long the shop is
//     away: a call whose outcome is not known is looked for before it is repeated;
//   - nothing a customer wrote or is stands in a log line.
//
// It leaves to others what leaves the gateway: answers in a chat go through the
// Outbox, the thank-you and the agents' notes through the customer's lane.
package inbound
