// Package pace decides when a request may leave: token buckets for a channel
// and for each of its recipients, as pure functions of a state and a time.
//
// It promises:
//
//  1. Over any stretch of t seconds at most burst + rate*t tokens are taken.
//  2. Next has no effect, and a token that Next announces is there when its
//     time comes, unless somebody else took it or the bucket was slowed down.
//  3. Before the end of a pause nothing is taken; after it the bucket does not
//     burst but starts with at most one token.
//  4. Memory is bounded by the recipients that were busy lately, not by all
//     that were ever written to.
//  5. A rate of zero or less is no limit; pauses hold even then.
//
// It leaves to others: waiting, clocks, sharing a rate between replicas
// (SetRate takes the share) and telling other replicas of a pause.
//
// A virtual scheduling time (GCRA) instead of tokens was tried on paper and
// dropped: it needs no less state once the rate changes under way.
package pace
