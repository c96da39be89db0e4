package pgtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// spawn starts a command that is told to stop at once when this process dies,
// however that comes. The kernel goes by the thread that started it, so that is
// kept until the end; ended is called then.
func spawn(cmd *exec.Cmd, who owner, ended func()) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Setpgid: true, Credential: who.credential()}
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

// killAll kills a process and those it has started. It stands still meanwhile, so
// that it starts no others, and all of them are gone at the end: what a server's
// processes share is only free then.
func killAll(pid int) {
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(patience)
	for lives(pid) && stateOf(pid) != 'T' && time.Now().Before(end) {
		<-tick.C
	}
	all := append(children(pid), pid)
	for _, p := range all {
		_ = syscall.Kill(p, syscall.SIGKILL) // it may have ended
	}
	for slices.ContainsFunc(all, lives) && time.Now().Before(end) {
		<-tick.C
	}
}

func lives(pid int) bool {
	state := stateOf(pid)
	return state != 0 && state != 'Z' && state != 'X'
}

// children are the processes that a process has started.
func children(pid int) (all []int) {
	names, _ := filepath.Glob("/proc/[0-9]*") // the pattern is a good one
	for _, name := range names {
		child, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		if stat := statOf(child); len(stat) > 1 && stat[1] == strconv.Itoa(pid) {
			all = append(all, child)
		}
	}
	return all
}

// stateOf is what a process does: R, S, T …; 0 when there is none.
func stateOf(pid int) byte {
	if stat := statOf(pid); len(stat) > 0 {
		return stat[0][0]
	}
	return 0
}

// statOf are the fields of a process from its state on, the next one its parent
// (proc_pid_stat(5)).
func statOf(pid int) []string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil // it has ended
	}
	// pid (name) state parent …; a name may hold anything
	return strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
}
