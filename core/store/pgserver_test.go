package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// pgServer is a PostgreSQL of this test binary's own.
type pgServer struct {
	bin, dir string
	port     int
	cred     *syscall.Credential
	cmd      *exec.Cmd
	fsync    string
}

// running is the server that all tests share, once it has started.
var running atomic.Pointer[pgServer]

var sharedServer = sync.OnceValues(func() (*pgServer, error) {
	s, err := newServer("off")
	if s == nil || err != nil {
		return nil, err
	}
	running.Store(s)
	return s, s.template()
})

func stopPostgres() {
	if s := running.Load(); s != nil {
		s.remove()
	}
}

// PostgresURL makes an empty database with tables.
func PostgresURL(t testing.TB) string {
	t.Helper()
	s, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	if s == nil {
		skipPostgres(t)
	}
	name := "t" + strings.ToLower(rand.Text())
	if err := s.sql("CREATE DATABASE " + name + " TEMPLATE blank"); err != nil {
		t.Fatal(err)
	}
	return s.url(name)
}

func skipPostgres(t testing.TB) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal("there is no PostgreSQL to test with")
	}
	t.Skip("there is no PostgreSQL to test with")
}

// newServer starts a server; nil where none is installed.
func newServer(fsync string) (*pgServer, error) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bins) == 0 {
		return nil, nil
	}
	s := &pgServer{bin: bins[len(bins)-1], fsync: fsync}
	dir, err := os.MkdirTemp("", "tidings-pg")
	if err != nil {
		return nil, err
	}
	s.dir = dir
	if os.Getuid() == 0 { // which PostgreSQL refuses to be
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	if out, err := s.command("initdb", "-D", dir+"/data", "-U", "postgres", "-A", "trust", "-N", "--locale=C.UTF-8", "-E", "UTF8").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, err
	}
	return s, s.start()
}

func (s *pgServer) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	return cmd
}

func (s *pgServer) start() error {
	s.cmd = s.command("postgres", "-D", s.dir+"/data", "-p", strconv.Itoa(s.port), "-k", s.dir, "-h", "127.0.0.1",
		"-c", "fsync="+s.fsync, "-c", "max_connections=200", "-c", "autovacuum=off", "-c", "full_page_writes=off")
	if err := s.cmd.Start(); err != nil {
		return err
	}
	var err error
	for range 200 {
		if err = s.sql("SELECT 1"); err == nil {
			return nil
		}
		<-time.After(50 * time.Millisecond)
	}
	return err
}

// stop ends the server at once, as a crash would.
func (s *pgServer) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGQUIT)
	_ = s.cmd.Wait()
}

func (s *pgServer) remove() {
	s.stop()
	_ = os.RemoveAll(s.dir)
}

func (s *pgServer) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, url.PathEscape(database))
}

func (s *pgServer) sql(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, query)
	return err
}

func (s *pgServer) template() error {
	if err := s.sql("CREATE DATABASE blank"); err != nil {
		return err
	}
	st, err := Open(context.Background(), s.url("blank"))
	if err != nil {
		return err
	}
	return st.Close()
}
