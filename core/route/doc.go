// Package route decides where a notification goes: the event, what is known of
// the customer and the configured rules in, the chosen addresses with the
// reasons for and against every channel out.
//
// It promises:
//
//  1. The first rule that matches decides, and no other.
//  2. A customer's own choice narrows what the rule offers and never widens it.
//  3. Every channel of the rule is chosen, kept for later, or has a reason in
//     words why it is neither.
//  4. An answer goes to the chat in which it was asked for, and nowhere else.
//  5. Only a link that is active, and that covers the purpose, is ever chosen.
//     The one exception is what the customer has just asked for.
//
// It is pure: no clock, no store, no platform's name. Whether a channel works
// and when a customer last wrote there is told by the caller; what happens when
// a chosen channel fails later is core/dispatch's business.
package route
