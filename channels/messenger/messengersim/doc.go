// Package messengersim is an emulated Facebook Messenger: the Graph API's
// messages edge and its neighbours, the webhooks of a Page, and the customers
// who chat with it.
//
// It is written from Meta's public documents (read 2026-11-22) and refuses what
// they say the platform refuses, with the platform's codes; where they leave
// something open (the unit of the text limit), it takes the strict reading. It
// leaves out the limit of 200 calls per engaged user and day, Instagram and the
// handover of threads; of a file that we send it fetches nothing.
//
//   - https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages
//   - https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes
//   - https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks
//   - https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy
//
// Ways to opt in (Sim.OptIn): "mme" follows an m.me link (a Get Started
// postback with referral in a new thread, a referral event in an existing one),
// "plugin" presses Send to Messenger, "checkbox" ticks the checkbox plugin.
//
// Codes of faults are written code or code/subcode, e.g. "613" or "10/2018278".
// A Throttle whose RetryAfter is whole minutes is told in
// X-Business-Use-Case-Usage, as Meta does; any other as a Retry-After header.
package messengersim
