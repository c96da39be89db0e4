package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
)

// Mode is how a server is stopped.
type Mode syscall.Signal

// Fast ends sessions and writes everything down; Immediate ends at once, and the
// next start recovers.
const (
	Fast      = Mode(syscall.SIGINT)
	Immediate = Mode(syscall.SIGQUIT)
)

// Server is a PostgreSQL server. Its methods are not for concurrent use, but for
// URL, Query and CreateDatabase.
type Server struct {
	node  *node
	place *place
}

// template is the place of a folder of data as initdb makes it, made once per process.
var template = sync.OnceValues(func() (*place, error) {
	bin, err := postgres()
	if err != nil {
		return nil, err
	}
	who, err := whoRuns()
	if err != nil {
		return nil, err
	}
	p, err := newPlace(who, reachable())
	if err != nil {
		return nil, err
	}
	// Syncing is for what is committed later.
	_, err = who.do(filepath.Join(bin, "initdb"), "-D", p.data(), "-U", role, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	return p, err
})

// Open starts a server with an empty database named tidings.
func Open(ctx context.Context) (*Server, error) { return OpenIn(ctx, reachable()) }

// OpenIn is Open with the server's files below a folder, which other users must
// be able to reach and to write to.
func OpenIn(ctx context.Context, dir string) (*Server, error) {
	bin, err := postgres()
	if err != nil {
		return nil, err
	}
	made, err := template()
	if err != nil {
		return nil, err
	}
	s, err := newServer(bin, dir)
	if err != nil {
		return nil, err
	}
	if _, err := s.node.who.do("/bin/cp", "-a", made.data(), s.node.data); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.node.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if _, err := s.node.query(ctx, "postgres", "CREATE DATABASE tidings"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// newServer is a server without data that has not been started.
func newServer(bin, dir string) (*Server, error) {
	who, err := whoRuns()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := newPlace(who, dir)
	if err != nil {
		return nil, err
	}
	n := &node{bin: bin, data: p.data(), log: filepath.Join(p.dir, "log"), who: who, port: port}
	return &Server{node: n, place: p}, nil
}

// URL is that of the database tidings.
func (s *Server) URL() string { return s.node.url("tidings") }

// Query runs SQL in the database tidings and returns its rows, a line each, with
// a bar between columns.
func (s *Server) Query(ctx context.Context, sql string) (string, error) {
	return s.node.query(ctx, "tidings", sql)
}

var databases atomic.Int64

// CreateDatabase makes another empty database and returns its URL.
func (s *Server) CreateDatabase(ctx context.Context) (string, error) {
	name := fmt.Sprintf("tidings_%d", databases.Add(1))
	if _, err := s.node.query(ctx, "postgres", "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return s.node.url(name), nil
}

// Stop stops the server.
func (s *Server) Stop(m Mode) error { return s.node.signal(syscall.Signal(m)) }

// Kill9 kills the server and all its processes, as a power cut would.
func (s *Server) Kill9() error {
	s.node.kill()
	return nil
}

// Restart starts a server that was stopped or killed; one that runs is stopped
// first. It keeps its port.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(Fast); err != nil {
		return err
	}
	return s.node.start(ctx)
}

// Log is what the server has written to its log so far.
func (s *Server) Log() string {
	raw, _ := os.ReadFile(s.node.log)
	return string(raw)
}

// Close ends the server and removes its files.
func (s *Server) Close() error {
	s.node.kill()
	return s.place.Close()
}
