// Package inbound works on what platforms tell us: customers who link a chat,
// ask, answer, press, block us or come back; receipts and echoes of our own
// messages. It turns questions into tickets and reads the answers of agents
// where the shop does not push them.
//
// It promises that an update is on disk before its platform is told so, that
// copies of one update have one effect, and that a reference which is wrong,
// old, used or meant for another channel links nothing and tells nothing about
// anybody. Updates of one chat are worked on in the order in which they came;
// the calls of one conversation reach the shop in that order too.
package inbound
