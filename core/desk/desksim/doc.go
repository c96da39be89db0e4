// Package desksim is an emulated service desk with the three ways in that are not
// the shop's own: the endpoint, the callback (both as an http.Handler, told apart
// by the path) and a mail server (ServeSMTP). It checks what the contract asks of
// callers: signatures, keys, proofs of a thread; what a desk would stumble over
// is a fault in Faults.
//
// It is an independent reading of docs/hybris/tickets-desks.md and of
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// (read 2026-11-22) and must not import the callers it examines.
package desksim
