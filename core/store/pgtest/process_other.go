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

// children are not looked for: they end by themselves when their parent is gone.
func children(int) []int { return nil }
