package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestAskedToStopIsNoFailure: a SIGTERM while the gateway is still starting ends it, with exit code 0.
func TestAskedToStopIsNoFailure(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		want bool
	}{
		{"asked to stop", stopped, fmt.Errorf("store: connect: %w", context.Canceled), true},
		{"failed while it was stopping", stopped, errors.New("disk full"), false},
		{"cancelled by itself", t.Context(), context.Canceled, false},
	} {
		if got := interrupted(tt.ctx, tt.err); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
