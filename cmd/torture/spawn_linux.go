package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// spawn starts a command that dies with this process, however this one ends. The
// kernel goes by the thread that started it, so that is kept until the end; ended
// is called then.
func spawn(cmd *exec.Cmd, ended func()) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its state
			ended()
		}
	}()
	return <-started
}
