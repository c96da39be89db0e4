// Package core holds the nouns of Tidings and the interfaces between its rooms.
// It imports the standard library only and names no platform.
//
// # What the system does
//
// A shop reports events. Tidings turns an event into notifications for the
// customer, on the channels the configuration chooses, and brings what the
// customer answers back to the shop as a ticket. Two flows share one engine:
//
//	shop ──POST /v1/events──> intake ──disk──> lane of the customer ──> route, render, split ──disk──> lane of the address ──> dispatch ──> Channel ──> platform
//	platform ──/webhooks/x──> Listener.Decode ──disk──> inbound lane of the address ──> link · opt-out · receipts · question ──disk──> lane of the conversation ──> Shop
//
// Every arrow marked "disk" is exactly one committed transaction: the result of
// a step and the new work it makes become durable together or not at all.
//
// # The words
//
// An Event is what the shop reports. A notification is what the customer is
// told about it; a Message is one notification for one Address (a customer on
// one channel), a Part one request's worth of a message. A Link ties an address
// to a customer, with evidence and consent. A channel is one configured account
// on one platform, an adapter the code for that platform (Channel, Listener,
// Config). A lane is ordered work for one key. A Ticket is the shop's record of
// a conversation, a Note what an agent adds to it.
//
// # Who decides what
//
//   - An adapter knows its platform's limits, encoding, errors and callbacks. It
//     does not queue, split, pace, sleep or retry.
//   - core/route decides where a notification goes, core/render what it says,
//     core/split how it is cut, core/dispatch what an error means, core/lane when
//     anything runs.
//   - Everything that crosses an adapter's interface is plain data, so that an
//     adapter in another process looks the same as one compiled in.
//
// Time is an argument: nothing in here reads a clock.
package core
