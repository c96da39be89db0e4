package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// The test binary plays the other process when this is set.
const roleEnv, pathEnv = "TIDINGS_STORE_TEST_ROLE", "TIDINGS_STORE_TEST_PATH"

func TestMain(m *testing.M) {
	switch path := os.Getenv(pathEnv); os.Getenv(roleEnv) {
	case "":
		code := m.Run()
		stopPostgres()
		os.Exit(code)
	case "hold":
		hold(path)
	case "fill":
		os.Exit(fillUp(path))
	}
}

// hold opens the store, says so, and stays until it is killed.
func hold(path string) {
	s, err := Open(context.Background(), "sqlite:"+path)
	if err == nil {
		err = fill(s, 10)
	}
	fmt.Println("open:", err)
	select {}
}

// fillUp meets a disk that is full when a transaction is committed: its own
// limit on the size of files stands for the disk's.
func fillUp(path string) int {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := Open(context.Background(), "sqlite:"+path)
	if err != nil {
		return report("open", err)
	}
	limit := func(most uint64) error {
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: ^uint64(0)})
	}
	wal, err := os.Stat(path + "-wal")
	if err != nil {
		return report("stat", err)
	}
	if err := limit(uint64(wal.Size()) + 100); err != nil {
		return report("limit", err)
	}
	for range 3 {
		if err := fill(s, 10); err == nil {
			return report("commit", errors.New("succeeded on a full disk"))
		}
	}
	if err := limit(^uint64(0)); err != nil {
		return report("unlimit", err)
	}
	if err := fill(s, 10); err != nil {
		return report("with room again", err)
	}
	return report("close", s.Close())
}

func report(what string, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, what, err)
	return 1
}

func other(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role, pathEnv+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestLockIsHeldByOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidings.db")
	cmd := other(t, "hold", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open: <nil>\n" {
		t.Fatalf("the other process: got %q, %v", line, err)
	}

	_, err = Open(t.Context(), "sqlite:"+path)
	var inUse *InUseError
	if !errors.As(err, &inUse) {
		t.Fatalf("Open of a store in use: got %v, want an InUseError", err)
	}
	if got, want := inUse.PID, strconv.Itoa(cmd.Process.Pid); got != want {
		t.Errorf("process named: got %s, want %s", got, want)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	s := openAt(t, path) // what a killed process held is free at once
	if got, want := countEvents(t, s), int64(1); got != want {
		t.Errorf("events the killed process had committed: got %d, want %d", got, want)
	}
}

func TestLockWithinOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidings.db")
	s := openAt(t, path)
	_, err := Open(t.Context(), "sqlite:"+path)
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID != strconv.Itoa(os.Getpid()) {
		t.Errorf("second Open: got %v, want an InUseError with %d", err, os.Getpid())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path)
}

func TestFullDiskAtCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidings.db")
	if err := other(t, "fill", path).Run(); err != nil {
		t.Fatalf("the other process: %v", err)
	}
	if got, want := countEvents(t, openAt(t, path)), int64(1); got != want {
		t.Errorf("events: got %d, want %d", got, want)
	}
}
