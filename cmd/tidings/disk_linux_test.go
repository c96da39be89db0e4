package main_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// disk is a small file system of a test's own.
type disk struct {
	*testing.T
	dir string
}

// smallDisk mounts one of so many megabytes. It is gone after the test.
func smallDisk(t *testing.T, megabytes int) disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, this proves nothing: only root mounts a small file system")
	}
	dir, err := os.MkdirTemp("", "tidings-disk-") //nolint:usetesting // the folders of a test are closed to other users, and PostgreSQL runs as one
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=1777", megabytes))); err != nil {
		_ = os.Remove(dir)
		t.Skipf("SKIPPED, this proves nothing: a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(syscall.Unmount(dir, syscall.MNT_DETACH), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
	return disk{t, dir}
}

func (d disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill leaves no room.
func (d disk) fill() {
	d.Helper()
	f, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if _ = f.Close(); !errors.Is(err, syscall.ENOSPC) {
		d.Fatal(err)
	}
}

// empty makes room again.
func (d disk) empty() {
	d.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		d.Fatal(err)
	}
}
