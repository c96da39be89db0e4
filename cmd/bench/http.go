package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// newClient keeps as many connections open as it is to use.
func newClient(connections int) *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		MaxConnsPerHost: connections, MaxIdleConns: connections, MaxIdleConnsPerHost: connections,
		DisableCompression: true, IdleConnTimeout: time.Minute,
	}}
}

// ask makes a request and returns the body of an answer that has one of the wanted statuses.
func ask(ctx context.Context, c *http.Client, method, url, kind string, body []byte, want ...int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	res, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(want, res.StatusCode) {
		return nil, &statusError{res.StatusCode, fmt.Sprintf("%s %s: status %d: %.300s", method, req.URL.Path, res.StatusCode, raw)}
	}
	return raw, nil
}

// statusError is an answer of another status than was wanted.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

// inParallel calls fn for 0 to n-1. A worker takes every workers-th, in order.
func inParallel(workers, n int, fn func(i int) error) error {
	var busy sync.WaitGroup
	var failed atomic.Bool
	errs := make([]error, workers)
	for w := range workers {
		busy.Go(func() {
			for i := w; i < n && !failed.Load(); i += workers {
				if errs[w] = fn(i); errs[w] != nil {
					failed.Store(true)
					return
				}
			}
		})
	}
	busy.Wait()
	return errors.Join(errs...)
}

// until asks again and again, for a limited time.
func until(ctx context.Context, limit, every time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", limit, ctx.Err())
		case <-t.C:
		}
	}
}
