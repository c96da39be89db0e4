// Package reconcile reads the shop again, so that what it reported to nobody is
// found: SAP Commerce keeps the pushes it has not delivered in memory, tries twice
// at most, and forgets them when it restarts.
//
// It promises that
//
//   - of a customer with a linked chat, each order that was placed within
//     Options.OrdersFor is read again, every Options.Every while something happens to
//     it and, the longer nothing does, the less often, up to once a day; new orders
//     are found in the customer's own list;
//   - a state that is new since the last reading becomes an event like one that was
//     pushed, and goes the same way: what has been told, or is behind what has been
//     told, is suppressed there. Its source begins with /tidings/poll/;
//   - what an order had reached before the customer linked a chat, or before it was
//     read at all, is no news;
//   - what was read and what came of it are written in one commit, so that nothing is
//     lost or told twice by a crash between two readings;
//   - of several processes one reads, and no faster than Options.PerSecond.
//
// It leaves to others what a state means (core.Dialect) and whether it is told
// (core/intake). The notes of agents are read by core/inbound.
package reconcile
