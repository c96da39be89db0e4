package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// behave tells the platform how to be.
func (b *bench) behave(ctx context.Context, how behaviour) error {
	raw, err := json.Marshal(how)
	if err != nil {
		return err
	}
	_, err = ask(ctx, b.steering, http.MethodPost, b.platformURL+"/bench/behave", "application/json", raw, http.StatusOK)
	return err
}

// counted asks what the platform has counted.
func (b *bench) counted(ctx context.Context) (counted, error) {
	var c counted
	raw, err := ask(ctx, b.steering, http.MethodGet, b.platformURL+"/bench/counted", "", nil, http.StatusOK)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(raw, &c)
}

// arrived asks when each text came.
func (b *bench) arrived(ctx context.Context) (map[string]int64, error) {
	var all map[string]int64
	raw, err := ask(ctx, b.steering, http.MethodGet, b.platformURL+"/bench/arrived", "", nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(raw, &all)
}

// await waits until the platform has taken n requests and the gateway, unless
// it is nil, has written down that n messages in all are sent.
func (b *bench) await(ctx context.Context, g *gateway, n, sent int, limit time.Duration) error {
	err := until(ctx, limit, 5*time.Millisecond, func() (bool, error) {
		c, err := b.counted(ctx)
		return c.Accepted >= n, err
	})
	if err != nil {
		return err
	}
	return until(ctx, time.Minute, 10*time.Millisecond, func() (bool, error) {
		got, err := g.recorded(ctx)
		return got >= sent, err
	})
}
