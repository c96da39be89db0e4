// Package pgtest starts real PostgreSQL servers for tests: a server of one's own,
// a primary with a synchronous standby that can be failed over again and again,
// and PgBouncer in front of either.
//
// It promises that what a server has committed is on disk (fsync stays on), that
// a server can be killed as by a power cut and started again, and that servers and
// their files are gone when the program that started them is, even if that was
// killed. What is kept in them is left to others.
//
// Tests use the functions that take a testing.TB; programs that are not tests use
// Open, OpenPair and OpenBouncer. PostgreSQL 15 or newer is looked for in
// /usr/lib/postgresql and in PATH, and installed where this runs as root with
// apt-get. Where it is missing all the same, a test is skipped, and says so; in CI
// (CI is set) it fails.
//
// PostgreSQL refuses to run as root. There it runs as the user postgres, else as
// nobody, with its files in a temporary folder of that user's. It listens on
// loopback only and trusts whoever comes.
package pgtest
