package main

import "syscall"

// ownGroup keeps Ctrl-C from the process, which is stopped in its turn, and has
// it end when this program does.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
