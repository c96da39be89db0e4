package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"tidings/channels/sandbox"
)

// The files of a sandbox. Its secrets are what tells its folder from a gateway's.
const (
	sandboxSecrets  = "secrets.json"
	sandboxDatabase = "tidings.db"
	sandboxConfig   = "tidings.yaml"
)

// newWorld makes the emulated world and writes the gateway's configuration for
// it. What is left of an earlier world goes: the emulated one does not remember
// it either.
func newWorld(dir, base string) (*sandbox.Sandbox, string, error) {
	secrets, err := sandbox.OpenSecrets(filepath.Join(dir, sandboxSecrets))
	if err != nil {
		return nil, "", err
	}
	database, path := filepath.Join(dir, sandboxDatabase), filepath.Join(dir, sandboxConfig)
	for _, left := range []string{database, database + "-wal", database + "-shm"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, "", err
		}
	}
	raw, err := sandbox.Config(base, database, secrets)
	if err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return nil, "", err
	}
	return sandbox.New(sandbox.Options{Gateway: base, Secrets: secrets}), path, nil
}

// dataFolder returns the folder to work in, which is ours until leave is called.
func dataFolder(dir string) (path string, leave func(), err error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "tidings-sandbox-")
		if err != nil {
			return "", nil, err
		}
		return tmp, func() { _ = os.RemoveAll(tmp) }, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	leave, err = takeFolder(dir)
	if err != nil {
		return "", nil, err
	}
	if err := refuseForeign(dir); err != nil {
		leave()
		return "", nil, err
	}
	return dir, leave, nil
}

// takeFolder keeps a second sandbox out: it would begin by removing the database
// of the first. The kernel gives the lock back when the process ends, however it
// ends.
func takeFolder(dir string) (leave func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	leave = func() { _ = f.Close() }
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = usageError{fmt.Errorf("--data: another sandbox works in %s; stop it first, or name another folder", dir)}
	}
	if err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// refuseForeign keeps the sandbox out of a folder where it would remove or
// overwrite what is not its own: the database of a real gateway has the same name.
func refuseForeign(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, sandboxSecrets)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, name := range []string{sandboxDatabase, sandboxConfig} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return usageError{fmt.Errorf("--data: %s in %s is not from a sandbox and would be lost; name an empty folder", name, dir)}
		}
	}
	return nil
}
