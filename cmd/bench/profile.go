package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// profileAddress names, in the environment, where a gateway built with the tag
// pprof shows its profiles.
const profileAddress = "TIDINGS_PPROF"

// profileFor is how many seconds a profile is taken.
const profileFor = 15

// profile begins to profile a gateway, where that is wanted. The returned
// function waits for the end.
func (b *bench) profile(ctx context.Context, g *gateway, name string) (wait func() error) {
	if b.pprof == "" {
		return func() error { return nil }
	}
	c := &http.Client{Timeout: time.Minute}
	var busy sync.WaitGroup
	kinds := []string{"profile", "allocs"}
	errs := make([]error, len(kinds))
	for i, kind := range kinds {
		busy.Go(func() {
			raw, err := ask(ctx, c, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/%s?seconds=%d", g.pprofAt, kind, profileFor), "", nil, http.StatusOK)
			if err == nil {
				err = os.WriteFile(filepath.Join(b.pprof, name+"."+kind+".prof"), raw, 0o600)
			}
			errs[i] = err
		})
	}
	return func() error {
		busy.Wait()
		return errors.Join(errs...)
	}
}
