// Package hybrissim is an emulated SAP Commerce: its token endpoint, the OCC v2
// resources a notification gateway needs (orders, consignment tracking,
// returns, tickets, consents, the status feed), the login of customers, the
// shop's own people (Ship, Cancel, AddNote …) and the ways in which such a shop
// reports events.
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
// Where these are silent, Options.Answers say what this shop does (see Doubts).
// Its own choice remain the errors for unknown returns, ticket entries and
// attachments and for a consent that is given twice, the order of "byTicketId",
// and whether "characters" of a ticket's text are UTF-16 units (a Java string's
// length: so they are here).
//
// # The control surface
//
// Control serves a small JSON interface for a web page and other processes;
// control.txt lists it. An unknown field or an impossible wish is answered 400
// with {"error":"…"}, an unknown order, ticket or customer 404, an unlawful
// ticket status 409.
package hybrissim
