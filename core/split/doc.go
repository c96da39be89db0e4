// Package split cuts what a notification says into parts, each one request's
// worth of a platform. It is pure: a body and limits in, parts out.
//
// It promises:
//
//  1. Every part is within the limits, in the platform's own unit: what is
//     shown, or what is sent where the platform counts that.
//  2. Nothing is truncated. Joined, the parts are the text; only white space at
//     a cut goes. Indentation behind a cut at a line break stays.
//  3. A cut is at a paragraph, else a line, else a sentence, if that leaves the
//     part at least half full; else between words.
//  4. No cut is inside a grapheme, a link, a price or a word, unless that alone
//     is longer than a whole part. Then it is inside at the best place there is:
//     between the pieces of a word, between graphemes, between code points.
//  5. Every part carries the formatting and links of its own characters.
//  6. What a platform cannot show is said in words: a link without link markup,
//     a button that does not fit, a picture or an order form it does not have.
//
// It leaves to others: writing markup (adapters), and Standing, Human and Reply
// of a part (core/dispatch).
//
// The one thing that can be longer than a limit is a single code point, where
// the limit is too small for it.
//
// # How a cut is found
//
// The text becomes a row of glyphs (graphemes, or code points where a grapheme
// exceeds a part) with running sums of their sizes, so that the size of any
// stretch is one subtraction. Each boundary between glyphs has a level: none
// inside a link or a price, else grapheme, piece, word, sentence, line,
// paragraph. A part takes the last boundary of the best level in its second
// half. All of it is linear in the length of the text.
//
// Cutting the written markup and repairing it was dropped: it has to guess what
// is data.
package split
