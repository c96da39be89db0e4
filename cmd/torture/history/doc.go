// Package history judges what recipients were shown against what was posted for
// them. It promises that a message that is missing, one that was overtaken, a
// part that was shown again without an excuse and two requests at once are each
// found and told in words; how the history came about is left to others.
//
// Recognition rests on words: each word of a text posted for a recipient occurs
// in no other place of that recipient's texts, so that any piece of a text says
// where it belongs, however the gateway cut it.
package history
