//go:build pprof

package main

import (
	"log/slog"
	"net/http"
	_ "net/http/pprof" // serves itself on the default mux, which nothing else here uses
	"os"
	"time"
)

// profile shows the profiles of a program that was built to be profiled, where
// the environment says.
func profile(log *slog.Logger) {
	addr := os.Getenv("TIDINGS_PPROF")
	if addr == "" {
		return
	}
	s := &http.Server{Addr: addr, ReadHeaderTimeout: 5 * time.Second}
	go func() { log.Error("no profiles any more", "err", s.ListenAndServe()) }()
}
