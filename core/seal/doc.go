// Package seal makes the references by which a customer comes from the shop
// to a chat: sealed tokens for links and buttons, and short codes for people
// to type.
//
// It promises:
//
//  1. A token tells its holder nothing: not the row it stands for, not when it
//     expires, not the customer.
//  2. A token opens only unchanged, before its expiry, and for the channel and
//     purpose it was made for. Every refusal is the same ErrInvalid.
//  3. The same Ref gives the same token and the same code, so that a customer
//     who asks twice sees the same live links.
//  4. The first key seals, all keys open: keys rotate without breaking links.
//  5. Nothing here prints, returns or logs a key.
//
// It leaves to others: that a reference is used once (the row behind it), who
// may ask for one, and how often somebody may try a code.
//
// A random nonce was dropped because it breaks promise 3; the nonce is derived
// from everything the token says instead, so that one nonce never meets two
// plaintexts.
package seal
