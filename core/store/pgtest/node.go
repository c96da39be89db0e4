package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// role is the database user of all who come; it may do everything.
const role = "tidings"

// patience is how long a server may take to start, stop or follow.
const patience = time.Minute

// settings are those of every server. What is committed is on disk; the rest is
// modest, because several servers run beside the tests.
var settings = []string{
	"listen_addresses=127.0.0.1",
	"unix_socket_directories=",
	"fsync=on",
	"synchronous_commit=on",
	"full_page_writes=on",
	"shared_buffers=64MB",
	"max_connections=200",
	"wal_level=replica",
	"max_wal_senders=8",
	"wal_keep_size=128MB",
	"hot_standby=on",
	"jit=off",
}

// node is one server process and its folder of data.
type node struct {
	bin, data, log string
	who            owner
	port           int
	cmd            *exec.Cmd
	gone           chan struct{} // closed when the process has ended
}

// start starts the server and waits until it answers.
func (n *node) start(ctx context.Context) error {
	args := []string{"-D", n.data, "-p", strconv.Itoa(n.port)}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	n.cmd = n.who.command(filepath.Join(n.bin, "postgres"), args...)
	n.cmd.Stdout, n.cmd.Stderr = log, log
	n.gone = make(chan struct{})
	gone := n.gone
	if err := spawn(n.cmd, n.who, func() { close(gone) }); err != nil {
		return err
	}
	return n.await(ctx, "it answers", func() error {
		_, err := n.query(ctx, "postgres", "SELECT 1")
		return err
	})
}

// await tries until there is no error, the server has ended or patience is over.
func (n *node) await(ctx context.Context, what string, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-n.gone:
			return fmt.Errorf("postgres ended before %s: %s", what, n.tail())
		case <-ctx.Done():
			return fmt.Errorf("postgres: not within %s: %s: %w", patience, what, err)
		}
	}
}

// query runs SQL and returns its rows as psql prints them, unaligned.
func (n *node) query(ctx context.Context, database, sql string) (string, error) {
	return ask(ctx, n.bin, n.url(database), sql)
}

// ask runs SQL on whatever a URL leads to.
func ask(ctx context.Context, bin, url, sql string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql)
	cmd.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=5")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, lastLines(out))
	}
	return strings.TrimSpace(string(out)), nil
}

func (n *node) url(database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", role, n.address(), database)
}

func (n *node) address() string { return "127.0.0.1:" + strconv.Itoa(n.port) }

func (n *node) running() bool {
	if n.cmd == nil {
		return false
	}
	select {
	case <-n.gone:
		return false
	default:
		return true
	}
}

// signal asks the server to stop, and waits until it has.
func (n *node) signal(s syscall.Signal) error {
	if !n.running() {
		return nil
	}
	if err := n.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-n.gone:
		return nil
	case <-limit.C:
		n.kill()
		return fmt.Errorf("postgres: did not stop within %s: %s", patience, n.tail())
	}
}

// kill kills the server and all its processes, as a power cut would.
func (n *node) kill() {
	if n.running() {
		killAll(n.cmd.Process.Pid)
		<-n.gone
	}
}

func (n *node) tail() string {
	raw, _ := os.ReadFile(n.log)
	return lastLines(raw)
}
