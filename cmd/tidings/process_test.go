package main_test

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// binaryFolder names, in the environment, the folder for the binary.
const binaryFolder = "TIDINGS_TEST_BINARY_FOLDER"

// atOnce is how many tests run side by side: they wait more than they work.
const atOnce = "4"

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	if err := flag.Set("test.parallel", atOnce); err != nil { // -parallel still has the last word
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "tidings-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Setenv(binaryFolder, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build builds the program, once.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.Getenv(binaryFolder), "tidings")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if raceEnabled {
		cmd = exec.Command("go", "build", "-buildvcs=false", "-race", "-o", path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// ports are below those that outgoing connections take, so that the gateway's
// is still free after a restart. Each is given out once.
const firstPort, countPorts = 12000, 20000

var portsGiven atomic.Int64

// freeAddress returns an address on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range countPorts {
		// Test processes side by side begin at different places.
		n := int64(os.Getpid())*619 + portsGiven.Add(1)
		addr := fmt.Sprintf("127.0.0.1:%d", firstPort+n%countPorts)
		l, err := net.Listen("tcp", addr)
		if err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// process is the program at work.
type process struct {
	*testing.T
	cmd     *exec.Cmd
	begun   time.Time
	stdout  string
	stderr  string
	done    chan struct{}
	exit    int
	readyIn time.Duration
}

// runProcess starts the program. It is killed when the test ends.
func runProcess(t *testing.T, args ...string) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{T: t, stdout: filepath.Join(dir, "stdout"), stderr: filepath.Join(dir, "stderr"), done: make(chan struct{})}
	stdout, err := os.Create(p.stdout)
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := os.Create(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(binary(t), args...)
	p.cmd.Stdout, p.cmd.Stderr = stdout, stderr
	p.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=0", "TZ=UTC")
	p.begun = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is in its state
		p.exit = p.cmd.ProcessState.ExitCode()
		_, _ = stdout.Close(), stderr.Close()
	}()
	t.Cleanup(p.kill)
	return p
}

// ready waits until the program says that it is ready.
func (p *process) ready(url string) {
	p.Helper()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	eventually(p.T, "the program is ready", func() error {
		if p.ended() {
			p.Fatalf("it ended with exit code %d:\n%s", p.exit, p.log())
		}
		res, err := client.Get(url)
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: status %d", url, res.StatusCode)
		}
		return nil
	})
	p.readyIn = time.Since(p.begun)
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the program as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// stop asks the program to end and returns its exit code.
func (p *process) stop() int {
	p.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.Fatal(err)
	}
	return p.wait(15 * time.Second)
}

// wait waits for the end of the program and returns its exit code.
func (p *process) wait(within time.Duration) int {
	p.Helper()
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case <-p.done:
		return p.exit
	case <-limit.C:
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go to the log
		<-p.done
		p.Errorf("it did not end within %s:\n%s", within, tail(p.log(), 20000))
		return -1
	}
}

// log is what the program has written to its standard error so far.
func (p *process) log() string { return p.read(p.stderr) }

// says is what the program has written to its standard output so far.
func (p *process) says() string { return p.read(p.stdout) }

func (p *process) read(path string) string {
	p.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		p.Fatal(err)
	}
	return string(raw)
}

// tidings runs the program to its end.
func tidings(t *testing.T, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	p := runProcess(t, args...)
	exit = p.wait(patience)
	return exit, p.says(), p.log()
}

// eventually tries until there is no error, and fails the test with the last one.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	within(t, patience, what, try)
}

func within(t *testing.T, longest time.Duration, what string, try func() error) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(longest)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s: %v", what, longest, err)
		}
		<-tick.C
	}
}

func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "…" + strings.ToValidUTF8(s[len(s)-n:], "")
}
