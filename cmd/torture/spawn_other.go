//go:build !linux

package main

import "os/exec"

// spawn starts a command; ended is called when it has ended.
func spawn(cmd *exec.Cmd, ended func()) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait() // how it ended is in its state
		ended()
	}()
	return nil
}
