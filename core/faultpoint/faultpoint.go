//go:build faultpoints

package faultpoint

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// The moments of a place.
const (
	Write     = "write"     // a statement that writes is about to be run
	Commit    = "commit"    // a transaction with such a statement is about to be committed
	Committed = "committed" // it is, and nobody has been told
	Request   = "request"   // a request is about to leave
	Answered  = "answered"  // its answer has come, and nothing has been made of it
)

// Reach is called at a place; it does not return where the process is to die.
func Reach(moment, what string) { plan().reach(moment + " " + strings.Join(strings.Fields(what), " ")) }

// Writes reports whether a statement writes.
func Writes(query string) bool {
	query = strings.ReplaceAll(query, "FOR UPDATE", "")
	for _, word := range []string{"INSERT ", "UPDATE ", "DELETE "} {
		if strings.Contains(query, word) {
			return true
		}
	}
	return false
}

// deaths is what the environment says.
type deaths struct {
	mu    sync.Mutex
	at    string // where to die; empty: nowhere
	after int    // how often to pass there before
	file  *os.File
}

var plan = sync.OnceValue(read)

func read() *deaths {
	d := &deaths{}
	count, at, _ := strings.Cut(os.Getenv("TIDINGS_DIE_AT"), " ")
	if n, err := strconv.Atoi(count); err == nil {
		d.at, d.after = at, n-1
	}
	if path := os.Getenv("TIDINGS_POINTS_FILE"); path != "" {
		d.file, _ = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	}
	return d
}

func (d *deaths) reach(point string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file != nil {
		_, _ = d.file.WriteString(point + "\n")
	}
	if point != d.at {
		return
	}
	if d.after > 0 {
		d.after--
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // with the lock: nobody else gets by a place either
}
