//go:build !linux

package pgtest

import (
	"os/exec"
	"syscall"
)

// spawn starts a command; ended is called when it has ended.
func spawn(cmd *exec.Cmd, who owner, ended func()) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: who.credential()}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait() // how it ended is in its state
		ended()
	}()
	return nil
}

// killAll kills a process; those it has started see that, and end.
func killAll(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }
