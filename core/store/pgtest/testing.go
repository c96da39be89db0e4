package pgtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
)

// Start starts a server that ends with the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	return begin(tb, Open)
}

// StartIn is Start with the server's files below a folder.
func StartIn(tb testing.TB, dir string) *Server {
	tb.Helper()
	return begin(tb, func(ctx context.Context) (*Server, error) { return OpenIn(ctx, dir) })
}

// StartPair starts a primary and its standby; both end with the test.
func StartPair(tb testing.TB) *Pair {
	tb.Helper()
	return begin(tb, OpenPair)
}

// StartBouncer starts PgBouncer in front of a server; it ends with the test.
func StartBouncer(tb testing.TB, s *Server) *Bouncer {
	tb.Helper()
	return begin(tb, func(ctx context.Context) (*Bouncer, error) { return OpenBouncer(ctx, s) })
}

// shared is one server for all tests of a process. It ends with the process.
var shared = sync.OnceValues(func() (*Server, error) { return Open(context.Background()) })

// Shared returns the server that all tests of a process share. Nobody stops it;
// each test takes a database of its own.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	s, err := shared()
	if err != nil {
		turnDown(tb, err)
	}
	return s
}

// NewDatabase makes an empty database for a test and returns its URL.
func (s *Server) NewDatabase(tb testing.TB) string {
	tb.Helper()
	url, err := s.CreateDatabase(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return url
}

// begin opens something for a test.
func begin[T interface{ Close() error }](tb testing.TB, open func(context.Context) (T, error)) T {
	tb.Helper()
	x, err := open(tb.Context())
	if err != nil {
		turnDown(tb, err)
	}
	tb.Cleanup(func() {
		if err := x.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return x
}

// turnDown ends a test that has no server: where there is none to be had it is
// skipped, but not in CI.
func turnDown(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, ErrMissing) && os.Getenv("CI") == "" {
		tb.Skipf("SKIPPED, this proves nothing: %v; as root on Debian it is installed by itself", err)
	}
	tb.Fatal(err)
}
