//go:build !pprof

package main

import "log/slog"

// profile does nothing: a program has profiles only when it was built with the
// tag pprof.
func profile(*slog.Logger) {}
