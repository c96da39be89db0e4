// Package intake takes what the shop reports and turns it into messages.
//
// It promises that an accepted event is on disk before anybody is told so, that
// the same event is accepted once, and that the events of one customer are
// worked on in the order in which they were accepted, even when one of them has
// to wait for the shop. It has two stages: an event whose customer is not known
// waits in the lane of its order until the shop has told; then, in the lane of
// its customer, it is routed, rendered and handed to the outbox in one commit.
//
// It has no effect outside of its commits, so that a stage may run twice.
package intake
