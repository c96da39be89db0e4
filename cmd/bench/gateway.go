package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const apiKey = "bench-api-key"

// configuration is the gateway's, with the platform as the only channel.
const configuration = `
server:
  listen: "127.0.0.1:0"
  internal_listen: "%[1]s"
  public_url: "https://notify.example.com"
  api_keys: [{name: shop, key: "` + apiKey + `"}]
store: {url: "%[2]s"}
commerce: {type: none}
channels:
  - name: telegram
    type: telegram
    token: "` + botToken + `"
    bot_username: bench_bot
    secret_token: "bench-secret"
    api_url: "%[3]s"
    pace: {%[4]s}
texts: {default_locale: en}
routes: [{name: everyone, channels: [telegram], deliver: fallback, expires: 72h}]
log: {level: warn, format: json}
`

// gateway is a running gateway.
type gateway struct {
	*child
	url     string
	pprofAt string // where its profiles are to be had; "": nowhere
	readyIn time.Duration
	client  *http.Client
}

// database is where a gateway keeps what it knows.
type database struct {
	name  string // sqlite, postgres
	url   string
	size  func(ctx context.Context) (int64, error)
	spent func() (time.Duration, error) // by the server's processes; nil: it has none
	drop  func() error
}

// newSQLite returns a database in a file that does not exist yet.
func (b *bench) newSQLite() *database {
	b.databases++
	path := filepath.Join(b.dir, fmt.Sprintf("tidings-%d.db", b.databases))
	return &database{
		name: "sqlite", url: "sqlite:" + path,
		size: func(context.Context) (int64, error) { return sizeOf(path), nil },
		drop: func() error {
			all, _ := filepath.Glob(path + "*")
			var errs []error
			for _, name := range all {
				errs = append(errs, os.Remove(name))
			}
			return errors.Join(errs...)
		},
	}
}

// configure writes a configuration and returns its path and the gateway's address.
func (b *bench) configure(db *database, pace string) (path, addr string, err error) {
	if addr, err = freeAddress(); err != nil {
		return "", "", err
	}
	path = filepath.Join(b.dir, "tidings.yaml")
	return path, addr, os.WriteFile(path, fmt.Appendf(nil, configuration, addr, db.url, b.platformURL, pace), 0o600)
}

// freeAddress returns an address on loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// supports reports whether the gateway knows a kind of database, and if not,
// what it says.
func (b *bench) supports(ctx context.Context, url string) error {
	path, _, err := b.configure(&database{url: url}, "off: true")
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, b.tidings, "check", "--config", path).CombinedOutput() //nolint:gosec // as in startChild
	if err != nil {
		return fmt.Errorf("%s", strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}

// startGateway starts the gateway and waits until it is ready.
func (b *bench) startGateway(ctx context.Context, db *database, pace string) (*gateway, error) {
	path, addr, err := b.configure(db, pace)
	if err != nil {
		return nil, err
	}
	profiles, err := freeAddress()
	if err != nil {
		return nil, err
	}
	env := []string{profileAddress + "=" + profiles}
	c, err := startChild(filepath.Join(b.dir, "gateway.log"), nil, env, b.tidings, "serve", "--config", path)
	if err != nil {
		return nil, fmt.Errorf("start the gateway: %w", err)
	}
	g := &gateway{child: c, url: "http://" + addr, pprofAt: profiles, client: newClient(max(b.posters, 64))}
	if err := g.ready(ctx); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

// ready asks every millisecond until the gateway says that it is ready.
func (g *gateway) ready(ctx context.Context) error {
	probe := newClient(1)
	defer probe.CloseIdleConnections()
	err := until(ctx, stopIn, time.Millisecond, func() (bool, error) {
		if err := g.ended(); err != nil {
			return false, err
		}
		_, err := ask(ctx, probe, http.MethodGet, g.url+"/readyz", "", nil, http.StatusOK)
		return err == nil, nil // else it does not listen yet, or is not ready
	})
	g.readyIn = time.Since(g.begun)
	if err != nil {
		return fmt.Errorf("the gateway is not ready: %w", err)
	}
	return nil
}

// figure reads one of the gateway's own figures; 0 when it has none of that name.
func (g *gateway) figure(ctx context.Context, name string) (float64, error) {
	raw, err := ask(ctx, g.client, http.MethodGet, g.url+"/metrics", "", nil, http.StatusOK)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			var v float64
			_, err := fmt.Sscan(value, &v)
			return v, err
		}
	}
	return 0, nil
}

// recorded is how many messages the gateway has written down as sent since it started.
func (g *gateway) recorded(ctx context.Context) (int, error) {
	n, err := g.figure(ctx, `tidings_messages_ended_total{channel="telegram",class="",state="sent"}`)
	return int(n), err
}

// link makes customers with a chat each, as the shop vouches for them.
func (g *gateway) link(ctx context.Context, customers, connections int) error {
	return inParallel(connections, customers, func(i int) error {
		body, err := json.Marshal(map[string]string{"address": fmt.Sprint(firstChat + i)})
		if err != nil {
			return err
		}
		_, err = ask(ctx, g.client, http.MethodPut, g.url+"/v1/customers/"+uid(i)+"/addresses/telegram", "application/json", body,
			http.StatusOK, http.StatusCreated, http.StatusNoContent)
		return err
	})
}

func uid(i int) string { return fmt.Sprintf("customer-%d@example.com", i) }
