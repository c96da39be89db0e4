// Package hybris is the shop when it runs SAP Commerce (hybris): a client of its
// OCC v2 interface (core.Shop) and a reader of the event names and bodies such an
// installation sends (core.Dialect).
//
// # What it promises
//
//   - One logical call is at most a handful of requests, each bounded by
//     Options.Timeout and the caller's ctx, and ends in a value or one
//     *core.ShopError. The class is decided by the error's type in the answer
//     (errors[0].type), because SAP Commerce says 400 for an unknown order and 401
//     for a missing role; the status counts only where no known type was given.
//   - A request that writes and whose fate is unknown is Uncertain, never Temporary:
//     only a request that demonstrably did not leave may be repeated blindly.
//   - An order is handed out only to the customer it belongs to, where the caller
//     names one. An order whose owner cannot be read is not handed out either.
//   - Reading is lenient: a field that is missing, unknown or of another type costs
//     that field and nothing else.
//   - Only what the shop itself shows to the customer is ever called public. A note
//     in a pushed body is public when everything about it says so, else internal.
//   - No error text and no log line holds a secret, a uid, a code or words a person
//     wrote. The shop's own messages may quote uids, so they are not repeated.
//
// # What it leaves to others
//
// It does not retry (but for one renewed access token), queue, pace or remember:
// the lanes do. It does not decide whether a customer is told of a state twice or
// in the wrong order: ranks do. It does not verify who sent an event: intake does.
//
// # Sources
//
// Facts about SAP Commerce were read on 2026-11-22 in the OCC OpenAPI document
// 2.2.9 (github.com/ballerina-platform/module-ballerinax-sap.commerce.webservices),
// in SAP's storefront (github.com/SAP/spartacus, feature-libs/order and
// feature-libs/customer-ticketing), in the event catalogue of SAP's mock
// (github.com/SAP-archive/xf-application-mocks, commerce-mock/apis/events.yaml)
// and in SAP Help, "OAuth2" and "Webhook Configuration Meta API"
// (help.sap.com/docs/SAP_COMMERCE_CLOUD_PUBLIC_CLOUD).
package hybris
