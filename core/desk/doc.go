// Package desk has the service desks that are not the shop's own OCC API, whose
// desk is core/hybris: an endpoint of the shop's, a mailbox, and a callback.
//
// It promises that
//
//   - each try of the same call bears the same key: as Idempotency-Key and
//     webhook-id of a request, as Message-ID of an e-mail. A desk tells a
//     repetition by it, so none of these is looked into before one;
//   - every request is signed as Standard Webhooks has it, over its own bytes;
//   - only a note that says so literally is public, and only an answer to an
//     e-mail that proves which question it answers is a note;
//   - no error holds a secret, a uid, or words a person wrote.
//
// It leaves to others when a call is made again, and in which order
// (core/inbound), and what becomes of an answer that was read (core/intake).
//
// The rules of signatures were read on 2026-11-22 in
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md,
// those of threads and automatic answers in RFC 5322 (3.6.4) and RFC 3834.
package desk
