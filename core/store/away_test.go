package store

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// What is away for a moment is told from what will not come by waiting.
func TestAway(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nobody answers":       {&pgconn.ConnectError{}, true},
		"cut off":              {fmt.Errorf("store: %w", io.ErrUnexpectedEOF), true},
		"shutting down":        {&pgconn.PgError{Code: "57P01"}, true},
		"a standby":            {&pgconn.PgError{Code: "25006"}, true},
		"too many connections": {&pgconn.PgError{Code: "53300"}, true},
		"a wrong password":     {&pgconn.PgError{Code: "28P01"}, false},
		"no such database":     {&pgconn.PgError{Code: "3D000"}, false},
		"a file in use":        {&InUseError{Path: "x", PID: "1"}, false},
		"something else":       {errors.New("store: the url is wrong"), false},
	} {
		if got := Away(test.err); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
