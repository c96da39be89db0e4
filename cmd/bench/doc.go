// Command bench measures the gateway as it is built, beside a bare HTTP client.
//
// Everything happens in one run, on one machine, against one emulated platform
// in a process of its own: first a client that does nothing but post, then
// `tidings serve` with the same messages, from POST /v1/events to the recorded
// delivery. What matters is the ratio of the two, because a slow or a busy
// machine slows both.
//
// It meets the gateway over HTTP alone, as a shop and a platform do, and reads
// what the kernel knows of a process from /proc. Only loopback is ever used.
//
// The parts can be chosen with --only:
//
//	bare      the bare client (always there when a ratio is asked for)
//	sqlite    throughput, processor time, latency, memory and start on SQLite
//	postgres  the same on PostgreSQL, in a database made and dropped for it
//	backlog   a platform that is away while messages pile up
//	pace      a platform that allows so many requests in any second and no more
package main
