package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Pair is a primary and its synchronous standby: what is committed is on both
// disks. Its methods are not for concurrent use, but for URL.
type Pair struct {
	servers [2]*Server
	primary int  // which of them
	alone   bool // the standby is not there
}

// OpenPair starts a primary with an empty database named tidings, and a standby
// that follows it.
func OpenPair(ctx context.Context) (*Pair, error) {
	first, err := Open(ctx)
	if err != nil {
		return nil, err
	}
	second, err := newServer(first.node.bin, reachable())
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	p := &Pair{servers: [2]*Server{first, second}, alone: true}
	if err := p.Rejoin(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// URL leads to whichever server can be written.
func (p *Pair) URL() string {
	a, b := p.servers[0].node, p.servers[1].node
	return fmt.Sprintf("postgres://%s@%s,%s/tidings?sslmode=disable&target_session_attrs=read-write", role, a.address(), b.address())
}

// Primary is the server that can be written.
func (p *Pair) Primary() *Server { return p.servers[p.primary] }

// Standby is the server that follows, or, after a failover, the one that was killed.
func (p *Pair) Standby() *Server { return p.servers[1-p.primary] }

// Query runs SQL on whichever server can be written.
func (p *Pair) Query(ctx context.Context, sql string) (string, error) {
	return ask(ctx, p.servers[0].node.bin, p.URL(), sql)
}

// Failover kills the primary as a power cut would and promotes the standby. It
// returns when that can be written. From then on there is no standby, until Rejoin.
func (p *Pair) Failover(ctx context.Context) error {
	if p.alone {
		return errors.New("there is no standby to take over")
	}
	p.Primary().node.kill()
	p.primary, p.alone = 1-p.primary, true
	if _, err := p.Primary().Query(ctx, "SELECT pg_promote(true, 60)"); err != nil {
		return fmt.Errorf("promote the standby: %w", err)
	}
	n := p.Primary().node
	return n.await(ctx, "the new primary can be written", func() error {
		got, err := n.query(ctx, "tidings", "SELECT pg_is_in_recovery()")
		if err == nil && got != "f" {
			err = errors.New("it is still a standby")
		}
		return err
	})
}

// Rejoin makes the server that was killed the new standby, from a fresh copy, and
// returns when what is committed is on both disks again.
func (p *Pair) Rejoin(ctx context.Context) error {
	from, to := p.Primary(), p.Standby()
	to.node.kill()
	if err := os.RemoveAll(to.node.data); err != nil {
		return err
	}
	_, err := to.node.who.do(filepath.Join(from.node.bin, "pg_basebackup"),
		"-d", from.node.url("postgres"), "-D", to.node.data, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
	if err != nil {
		return err
	}
	// The primary waits for a standby; its copy, once promoted, must not.
	if err := forget(filepath.Join(to.node.data, "postgresql.auto.conf"), "synchronous_standby_names"); err != nil {
		return err
	}
	if err := to.node.start(ctx); err != nil {
		return err
	}
	for _, sql := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		if _, err := from.Query(ctx, sql); err != nil {
			return err
		}
	}
	err = from.node.await(ctx, "the standby is in step", func() error {
		got, err := from.Query(ctx, "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")
		if err == nil && got != "sync" {
			err = fmt.Errorf("it is %q", got)
		}
		return err
	})
	p.alone = err != nil
	return err
}

// Close ends both servers and removes their files.
func (p *Pair) Close() error { return errors.Join(p.servers[0].Close(), p.servers[1].Close()) }

// forget removes a setting from a file of settings.
func forget(path, setting string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var kept strings.Builder
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, setting) {
			kept.WriteString(line)
		}
	}
	return os.WriteFile(path, []byte(kept.String()), 0o600) // its owner stays who it is
}
