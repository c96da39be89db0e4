// Package hybrissim is an emulated SAP Commerce: its token endpoint, the OCC v2
// resources a notification gateway needs (orders, consignment tracking,
// returns, tickets, the status feed), the shop's own people (Ship, Cancel,
// AddNote …) and the ways in which such a shop reports events.
//
// It promises to be as strict as the platform: roles, the rules of {userId},
// error types and their sometimes odd statuses, fields levels, paging, ticket
// transitions and lengths are those of the platform's public documents, and
// nothing that a stock installation refuses is allowed unless Options say so.
// Time passes through Options.Now and Options.Wait only. What the gateway does
// with the answers is left to the gateway: this package is an independent
// reading of the documents and must not import its client.
//
// Read 2026-11-22:
//
//   - OAuth2 and the tokens' lives: https://help.sap.com/docs/SAP_COMMERCE_CLOUD_PUBLIC_CLOUD/75d4c3895cb346008545900bffe851ce/202acfa790dc41149af8d5a33374a795.html
//   - the requests of a storefront: https://github.com/SAP/spartacus
//   - Commerce events and their data: https://github.com/SAP-archive/xf-application-mocks (commerce-mock/apis/events.yaml)
//   - events as Kyma delivers them: https://github.com/SAP-samples/kyma-runtime-extension-samples
//   - webhooks: https://help.sap.com/doc/98e1c11231654c619cf18378dc5cf969/2105/en-US/index.html
//
// Not established by these and therefore this emulator's choice: the body of a
// 404 for an unknown path (UnknownResourceError), the errors for unknown
// consignments, returns, ticket entries and attachments, the roles on tracking
// and returns (those of the orders), the order of "byTicketId", and whether
// "characters" of a ticket's text are UTF-16 units (a Java string's length: so
// they are here).
//
// # The control surface
//
// Control serves a small JSON interface for a web page and other processes.
// An unknown field or an impossible wish is answered 400 with {"error":"…"}, an
// unknown order or ticket 404, an unlawful ticket status 409.
//
//	GET  /orders                {"items":[{"code","guid","site","customer":{"uid","name"},"status","created","total","currency",
//	                            "lines":[{"code","name","quantity"}],"consignments":[{"code","status","trackingId","carrier","trackingUrl"}],
//	                            "returns":[{"code","status"}]}…]}, newest first
//	POST /orders                {"uid","name"?,"code"?,"site"?}  201 with the order; the shop reports order.placed
//	GET  /orders/{code}         one order
//	POST /orders/{code}/{action}  {"consignment"?,"trackingId"?,"carrier"?,"url"?,"status"?,"type"?}  the order as it is then
//	     actions on a parcel: ship, out_for_delivery, deliver, delivery_failed, ready_for_pickup, pick_up
//	     actions on the order: hold, payment_failed, approval_needed, approve, reject, cancel, part_cancel, complete, status (with "status")
//	     actions on its newest return: return (makes one), receive_return, refund, part_refund
//	     report (with "type"): the shop reports an event and nothing else changes
//	GET  /tickets               {"items":[ticket…]}, newest first; internal notes included, since this is the agent's desk
//	GET  /tickets/{id}          {"id","site","customer":{"uid","name"},"order","subject","status","category","agent","createdAt","modifiedAt",
//	                            "entries":[{"code","text","author","agent":bool,"public":bool,"status","createdAt","attachments":[name…]}…]}, oldest entry first
//	POST /tickets/{id}/notes    {"text","public":bool,"agent"?}  201 with the ticket
//	POST /tickets/{id}/status   {"status":"OPEN|INPROCESS|CLOSED","text"?,"agent"?}
//	POST /customers             {"uid","name"}
//	GET  /requests              {"counts":{"GET /orders/{code}":3,…},"total":n}
//	GET  /pushes                {"items":[{"id","type","style","order","ticket","statuses":[n…],"error"?}…]}
//	POST /faults                {"clear"?,"down"?,"unavailable"?,"delay"?,"staleReads"?,"unknownOutcome"?,"rejectTickets"?,"expireTokens"?,
//	                            "duplicatePushes"?,"fail"?:{"times","status","type"?,"message"?,"path"?,"retryAfter"?}}  durations as in "1.5s"
package hybrissim
