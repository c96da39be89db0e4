package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// InUseError says that another process has the database open.
type InUseError struct{ Path, PID string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("store: %s is in use by process %s; stop it first, or use another file", e.Path, e.PID)
}

// fileLock is an advisory lock beside the database file. The kernel gives it
// back when the process ends, however it ends.
type fileLock struct{ f *os.File }

func lockFile(path string) (*fileLock, error) {
	if err := refuseNetwork(path); err != nil {
		return nil, err
	}
	name := path + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := os.ReadFile(name)
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &InUseError{Path: path, PID: strings.TrimSpace(string(pid))}
		}
		return nil, fmt.Errorf("store: lock: %w", err)
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("store: lock: %w", err), f.Close())
	}
	if _, err := fmt.Fprintf(f, "%d\n", os.Getpid()); err != nil {
		return nil, errors.Join(fmt.Errorf("store: lock: %w", err), f.Close())
	}
	return &fileLock{f}, nil
}

func (l *fileLock) release() error {
	if l == nil || l.f == nil {
		return nil
	}
	return l.f.Close()
}
