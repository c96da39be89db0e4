// Package pace decides when a request may leave: token buckets for the turns of a
// channel and of each of its recipients, and a window that counts what leaves, as
// pure functions of a state and a time.
//
// It promises:
//
//  1. Over any stretch of t seconds at most burst + rate*t tokens of a bucket are
//     taken.
//  2. Next has no effect, and a token that Next announces is there when its
//     time comes, unless somebody else took it or the bucket was slowed down.
//  3. Before the end of a pause nothing is taken; after it the bucket does not
//     burst but starts with at most one token.
//  4. Memory is bounded by the recipients that were busy lately, not by all
//     that were ever written to.
//  5. A rate of zero or less is no limit; pauses hold even then.
//  6. In no second do more requests leave on a channel than its rate, whatever its
//     burst and however late they leave; replicas that have parts of at least one
//     request a second keep to that together. At least 0.98 of the rate is used.
//
// It leaves to others: waiting, clocks, who has which share of a rate, and telling
// other replicas of a pause.
//
// A virtual scheduling time (GCRA) instead of tokens was tried on paper and
// dropped: it needs no less state once the rate changes under way. A bucket alone
// was measured and dropped for what leaves: with a burst it allows more in a second
// than its rate, and without one it loses all that is late.
package pace
