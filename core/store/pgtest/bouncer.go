package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Bouncer is PgBouncer in transaction mode: a session's transactions may each run
// on another connection, so that nothing of a session survives one. Versions
// before 1.21 do not know prepared statements in that mode.
type Bouncer struct {
	node  *node
	place *place
}

const bouncerConfig = `
[databases]
* = host=127.0.0.1 port=%d user=` + role + `
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 20
server_round_robin = 1
ignore_startup_parameters = extra_float_digits
`

// OpenBouncer starts PgBouncer in front of a server.
func OpenBouncer(ctx context.Context, s *Server) (*Bouncer, error) {
	path, err := bouncer()
	if err != nil {
		return nil, err
	}
	p, err := newPlace(s.node.who, reachable())
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	n := &node{bin: s.node.bin, log: filepath.Join(p.dir, "log"), who: s.node.who, port: port}
	b := &Bouncer{node: n, place: p}
	config := filepath.Join(p.dir, "pgbouncer.ini")
	if err := os.WriteFile(config, fmt.Appendf(nil, bouncerConfig, s.node.port, port), 0o644); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if err := b.start(ctx, path, config); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Bouncer) start(ctx context.Context, path, config string) error {
	log, err := os.OpenFile(b.node.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	n := b.node
	n.cmd = n.who.command(path, config)
	n.cmd.Stdout, n.cmd.Stderr = log, log
	n.gone = make(chan struct{})
	if err := spawn(n.cmd, n.who, func() { close(n.gone) }); err != nil {
		return err
	}
	return n.await(ctx, "PgBouncer answers", func() error {
		_, err := b.Query(ctx, "SELECT 1")
		return err
	})
}

// URL is that of the database tidings, through the bouncer.
func (b *Bouncer) URL() string { return b.node.url("tidings") }

// Query runs SQL through the bouncer.
func (b *Bouncer) Query(ctx context.Context, sql string) (string, error) {
	return b.node.query(ctx, "tidings", sql)
}

// Close ends the bouncer.
func (b *Bouncer) Close() error {
	b.node.kill()
	return b.place.Close()
}
