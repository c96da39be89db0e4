package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"tidings/core/store/pgtest"
)

// oneMore starts another gateway on the same database, with addresses of its own.
func (w *world) oneMore() (p *process, internal string) {
	w.Helper()
	first, path := w.conf, w.configPath()
	raw, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	w.conf.Listen, w.conf.Internal = freeAddress(w.T), freeAddress(w.T)
	internal = w.conf.Internal
	w.writeConfig()
	more := fmt.Sprintf("%s-%s.yaml", path, internal)
	if err := errors.Join(os.Rename(path, more), os.WriteFile(path, raw, 0o600)); err != nil {
		w.Fatal(err)
	}
	w.conf = first
	p = runProcess(w.T, "serve", "--config", more)
	p.ready("http://" + internal + "/readyz")
	w.Cleanup(func() { w.finish(p) })
	return p, internal
}

// doctorReplicas is what the doctor says of those who share a database.
type doctorReplicas struct {
	Replicas []struct {
		Shards struct {
			Owned int `json:"owned"`
		} `json:"shards"`
	} `json:"replicas"`
}

// owned waits until so many replicas own all shards, and returns how long that took.
func (w *world) owned(by int) time.Duration {
	w.Helper()
	begun := time.Now()
	within(w.T, patience, fmt.Sprintf("all shards are owned by %d", by), func() error {
		var got doctorReplicas
		w.want(http.StatusOK, http.MethodGet, "/v1/doctor", nil, &got)
		sum, with := 0, 0
		for _, r := range got.Replicas {
			sum += r.Shards.Owned
			if r.Shards.Owned > 0 {
				with++
			}
		}
		if sum != 64 || with != by {
			return fmt.Errorf("%d shards are owned by %d: %+v", sum, with, got.Replicas)
		}
		return nil
	})
	return time.Since(begun)
}

// TestReplicas: promise 6 where several gateways send: the platform sees the rate
// of one. What one leaves behind is the others' within 2 s when it was told to
// stop, and within the lease when it was killed.
func TestReplicas(t *testing.T) {
	t.Parallel()
	const customers, each = 45, 6
	pg := pgtest.Start(t)
	w := start(t, func(c *conf) { c.StoreURL, c.rates = pg.URL(), true })
	second, _ := w.oneMore()
	third, _ := w.oneMore()
	w.owned(3)
	all := make([]person, customers)
	for i := range all {
		all[i] = w.customer(3*i + 1) // of Telegram: 30 requests a second, 1 a chat
		w.vouch(telegramName, all[i])
	}
	begun := time.Now()
	tellAll(w, all, each)
	for _, p := range all {
		w.awaitText(telegramName, p, words(each-1))
	}
	took := time.Since(begun)
	t.Logf("%d messages in %s", customers*each, took)
	if n := w.telegram.Log().TooFast(); n > 0 {
		t.Errorf("got %d requests beyond the platform's rates, want none", n)
	}
	if limit := customers * each / 30 * time.Second * 2; took > limit {
		t.Errorf("took %s, want at most %s: the rate is that of one gateway, not of a third of one", took, limit)
	}
	w.rest()
	for _, p := range all {
		examine(w, 1, p, each, 0)
	}
	calm(w)

	if code := second.stop(); code != 0 {
		t.Errorf("SIGTERM: got exit code %d, want 0", code)
	}
	if took := w.owned(2); took > 2*time.Second {
		t.Errorf("after a clean stop shards were taken over in %s, want 2 s", took)
	}
	third.kill()
	if took := w.owned(1); took > 15*time.Second {
		t.Errorf("after a kill shards were taken over in %s, want within the lease", took)
	}
}

// TestThroughAPooler: promises 1, 2 and 4 where PostgreSQL is reached through
// PgBouncer, which gives each transaction another connection.
func TestThroughAPooler(t *testing.T) {
	t.Parallel()
	const customers, each, kills = 9, 12, 1
	pooler := pgtest.StartBouncer(t, pgtest.Start(t))
	w := start(t, atFullSpeed, func(c *conf) { c.StoreURL = pooler.URL() })
	all := gathering(w, customers)
	badWeather(w)
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		tellAll(w, all, each)
	}()
	w.Cleanup(func() { <-posted })
	for k := range kills {
		awaitShown(w, customers*each*(k+1)/(kills+2))
		w.gateway.kill()
		w.startGateway()
	}
	<-posted
	awaitAll(w, all, each)
	w.rest()
	for i, p := range all {
		examine(w, i, p, each, kills*mostRepeats)
	}
	calm(w)
}
