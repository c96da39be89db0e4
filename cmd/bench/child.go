package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopIn is how long a process may take to end before it is killed.
const stopIn = 20 * time.Second

// child is a process that this program has started.
type child struct {
	cmd   *exec.Cmd
	begun time.Time
	log   string // the file of what it says on standard error
	done  chan struct{}
	in    io.Closer
	once  sync.Once
}

// startChild starts a process whose words go to a file. It ends with this
// program at the latest.
func startChild(log string, stdout io.Writer, env []string, path string, args ...string) (*child, error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()   // the process has its own handle
	cmd := exec.Command(path, args...) //nolint:gosec,noctx // whoever runs this says which gateway; stop ends it
	c := &child{cmd: cmd, log: log, done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = stdout, f
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.SysProcAttr = ownGroup()
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	c.begun = time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.done)
		_ = c.cmd.Wait() // how it ended is in its state
	}()
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// ended reports whether the process is gone, as an error with its last words.
func (c *child) ended() error {
	select {
	case <-c.done:
		return fmt.Errorf("%s has ended (%s): %s", c.cmd.Path, c.cmd.ProcessState, c.words())
	default:
		return nil
	}
}

// words are the last lines that the process wrote to standard error.
func (c *child) words() string {
	raw, _ := os.ReadFile(c.log)
	return strings.TrimSpace(string(raw[max(0, len(raw)-1000):]))
}

// stop asks the process to end, and waits.
func (c *child) stop() {
	c.once.Do(func() {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		_ = c.in.Close()
		select {
		case <-c.done:
		case <-time.After(stopIn):
			_ = c.cmd.Process.Kill()
			<-c.done
		}
	})
}

// startPlatform starts this program once more, as the platform.
func startPlatform(ctx context.Context, log string) (*child, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	r, w := io.Pipe()
	c, err := startChild(log, w, nil, self, platformRole)
	if err != nil {
		return nil, "", fmt.Errorf("start the platform: %w", err)
	}
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(r).ReadString('\n')
		said <- strings.TrimSpace(line)
	}()
	select {
	case addr := <-said:
		return c, "http://" + addr, nil
	case <-c.done:
		return nil, "", c.ended()
	case <-time.After(stopIn):
	case <-ctx.Done():
	}
	c.stop()
	return nil, "", fmt.Errorf("the platform does not start: %s", c.words())
}
