//go:build !linux

package main

import "syscall"

// ownGroup keeps Ctrl-C from the process, which is stopped in its turn.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
