// Package render turns a notification and a template into a core.Body: what a
// customer is told, in their language, before any platform has a say in it.
//
// It promises:
//
//  1. Data is never interpreted. Whatever an action of a template prints is
//     shown exactly as it stands: `1 < 2 & <b>`, `**x**` or `[a](b)` in a
//     product's name or an agent's note come out as those characters. Only the
//     template's own literal text may hold markup. (Bytes that are not UTF-8
//     and NUL become U+FFFD.)
//  2. A text that passes New renders: New executes every text it did not bring
//     along itself on full and on thin data, and returns all faults at once.
//  3. No text needs optional data. An order that could not be read still gives
//     a sentence with its code.
//  4. Amounts are never rounded: they are written digit by digit, as the locale
//     writes them.
//
// It is pure: it reads no clock, no file but those handed to New, and keeps no
// state between calls. It does not choose the locale of a customer, does not
// know how long a text may be and does not escape for a platform: that is left
// to the callers, to core/split and to the adapters.
//
// The markup, the functions and the data of each text are described in
// docs/texts.md.
package render
