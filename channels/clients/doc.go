// Package clients has the clients that others use for a platform work against
// our emulator of it, unmodified and over HTTP: what they send must be taken, what
// the emulator answers and calls back must be understood. An emulator that only
// our own adapter gets along with could be wrong in the same way as the adapter.
//
// It is a module of its own, so that what it needs is in nobody's program. A client
// that the program uses itself (slack-go) is here for the side of it that the program
// does not use: reading webhooks.
package clients
