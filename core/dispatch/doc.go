// Package dispatch brings parts to platforms: it keeps their pace, sends one
// part at a time per recipient, and decides what each answer means.
//
// It promises that no request leaves without a durable mark, that a part which
// a platform has accepted is never sent again, and that every class of error
// has one consequence, in one place (decide). What to send, and where, is
// decided before; when a lane runs is the affair of core/lane.
package dispatch
