package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// ErrMissing says that a program is not on this machine and could not be installed.
var ErrMissing = errors.New("not installed here")

const (
	oldest   = 15 // the oldest PostgreSQL that will do
	debian   = "/usr/lib/postgresql"
	policy   = "/usr/sbin/policy-rc.d"
	lockName = "tidings-pgtest-apt.lock"
)

// postgres returns the folder with PostgreSQL's programs.
var postgres = sync.OnceValues(func() (string, error) {
	if dir := findPostgres(); dir != "" {
		return dir, nil
	}
	err := install("postgresql")
	if dir := findPostgres(); dir != "" {
		return dir, nil
	}
	return "", fmt.Errorf("PostgreSQL %d or newer: %w", oldest, errors.Join(ErrMissing, err))
})

// bouncer returns the path of PgBouncer.
var bouncer = sync.OnceValues(func() (string, error) {
	if path := findBouncer(); path != "" {
		return path, nil
	}
	err := install("pgbouncer")
	if path := findBouncer(); path != "" {
		return path, nil
	}
	return "", fmt.Errorf("PgBouncer: %w", errors.Join(ErrMissing, err))
})

// findPostgres returns the folder of the newest PostgreSQL that will do.
func findPostgres() string {
	dirs, _ := filepath.Glob(debian + "/*/bin") // the pattern is a good one
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	best, newest := "", oldest-1
	for _, dir := range dirs {
		if v := versionOf(dir); v > newest && complete(dir) {
			best, newest = dir, v
		}
	}
	return best
}

var number = regexp.MustCompile(`\d+`)

// versionOf returns the major version, 0 where there is none.
func versionOf(dir string) int {
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	v, _ := strconv.Atoi(number.FindString(string(out)))
	return v
}

// complete reports whether all the programs that are used here are in a folder.
func complete(dir string) bool {
	return !slices.ContainsFunc([]string{"initdb", "postgres", "pg_basebackup", "psql"}, func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err != nil || info.Mode()&0o111 == 0
	})
}

func findBouncer() string {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// install installs a Debian package, where it can, and starts nothing of it.
func install(name string) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("only root with apt-get can install %s", name)
	}
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // and with it the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	restore := keepQuiet()
	defer restore()
	args := []string{"install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", name}
	if run(apt, args...) == nil {
		return nil
	}
	// The lists of packages are fetched only where the ones at hand do not suffice.
	return errors.Join(run(apt, "update", "-q"), run(apt, args...))
}

// keepQuiet tells Debian to start no services, unless the machine has a rule for
// that, until the returned function is called.
func keepQuiet() (undo func()) {
	f, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return func() {}
	}
	_, _ = f.WriteString("#!/bin/sh\nexit 101\n")
	_ = f.Close()
	return func() { _ = os.Remove(policy) }
}

func run(name string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, lastLines(out))
	}
	return nil
}

func lastLines(out []byte) string {
	const most = 2000
	s := strings.TrimSpace(string(out))
	if len(s) > most {
		s = s[len(s)-most:]
	}
	return s
}
