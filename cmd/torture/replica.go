package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// How long a replica may take to start and to stop. The promise is 15 s for a
// stop; the rest is for a machine that has much else to do.
const (
	startWithin = time.Minute
	stopWithin  = 30 * time.Second
)

// replica is one gateway: where it listens, and the process that is it now.
type replica struct {
	name             string
	listen, internal string
	binary, config   string
	env              []string // besides that of this process
	log              *os.File
	client           *http.Client
	cmd              *exec.Cmd
	gone             chan struct{} // closed when the process has ended
	wasReady         bool
}

func newReplica(o options, dir string, n int) (*replica, error) {
	r := &replica{
		name: fmt.Sprintf("replica-%d", n+1), binary: o.Binary,
		client: &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	var err error
	if r.listen, err = freeAddress(); err != nil {
		return nil, err
	}
	if r.internal, err = freeAddress(); err != nil {
		return nil, err
	}
	r.config = filepath.Join(dir, r.name+".yaml")
	r.log, err = os.OpenFile(filepath.Join(dir, r.name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return r, err
}

// start starts the process and does not wait for it.
func (r *replica) start() error {
	r.cmd = exec.Command(r.binary, "serve", "--config", r.config) //nolint:gosec,noctx // it is what the operator names, and killed in ways of our own
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	r.cmd.Env = append(os.Environ(), r.env...)
	r.gone, r.wasReady = make(chan struct{}), false
	gone := r.gone
	return spawn(r.cmd, func() { close(gone) })
}

// ready waits until the process says that it is.
func (r *replica) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if r.answers(ctx) {
			r.wasReady = true
			return nil
		}
		select {
		case <-tick.C:
		case <-r.gone:
			return fmt.Errorf("%s: %w", r.name, errEnded)
		case <-ctx.Done():
			return fmt.Errorf("%s: not ready: %w", r.name, ctx.Err())
		}
	}
}

var errEnded = errors.New("it ended by itself")

func (r *replica) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.internal+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	res, err := r.client.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (r *replica) ended() bool {
	select {
	case <-r.gone:
		return true
	default:
		return false
	}
}

// kill ends the process as a power cut would.
func (r *replica) kill() {
	_ = r.cmd.Process.Kill() // it may have ended
	<-r.gone
}

// stop asks the process to end.
func (r *replica) stop() error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	limit := time.NewTimer(stopWithin)
	defer limit.Stop()
	select {
	case <-r.gone:
	case <-limit.C:
		r.kill()
		return fmt.Errorf("%s: did not end within %s of a SIGTERM", r.name, stopWithin)
	}
	// A signal that comes before the program has asked to be told ends it.
	if code := r.cmd.ProcessState.ExitCode(); code > 0 || code < 0 && r.wasReady {
		return fmt.Errorf("%s: ended with exit code %d after a SIGTERM", r.name, code)
	}
	return nil
}

// freeze lets the process stand still for a while.
func (r *replica) freeze(ctx context.Context, d time.Duration) error {
	if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	rest(ctx, d)
	return r.cmd.Process.Signal(syscall.SIGCONT)
}

// rest waits for a while or for the end.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// stumbles are the lines of the log that no log should have.
func (r *replica) stumbles() (lines []string, err error) {
	raw, err := os.ReadFile(r.log.Name())
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, "DATA RACE") || strings.Contains(line, "panic") {
			lines = append(lines, fmt.Sprintf("%s: %s", r.name, strings.TrimSpace(line)))
		}
	}
	return lines, nil
}

// tail is the end of the log.
func (r *replica) tail() string {
	const most = 400
	raw, _ := os.ReadFile(r.log.Name())
	if len(raw) > most {
		raw = raw[len(raw)-most:]
	}
	return string(raw)
}
