package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// clockTick is the unit of processor time in /proc (sysconf(_SC_CLK_TCK), 100 on
// every Linux that Go runs on).
const clockTick = 10 * time.Millisecond

// stat returns the fields of /proc/PID/stat after the name, from the state on.
func stat(pid int) ([]string, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	_, after, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(after)
	if len(fields) < 15 {
		return nil, fmt.Errorf("/proc/%d/stat cannot be read", pid)
	}
	return fields, nil
}

// spent is the processor time of a process, with that of its ended children where asked for.
func spent(pid int, children bool) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	used := fields[11:13] // utime, stime
	if children {
		used = fields[11:15] // and cutime, cstime
	}
	var ticks int64
	for _, f := range used {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// spentByFamily is the processor time of a process and of all its children.
func spentByFamily(pid int) (time.Duration, error) {
	sum, err := spent(pid, true)
	if err != nil {
		return 0, err
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range all {
		n, _ := strconv.Atoi(filepath.Base(dir))
		if fields, err := stat(n); err != nil || fields[1] != strconv.Itoa(pid) {
			continue // gone meanwhile, or somebody else's
		}
		used, _ := spent(n, true)
		sum += used
	}
	return sum, nil
}

// parentOf is the process that started another.
func parentOf(pid int) (int, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(fields[1])
}

// memory is what a process holds, in bytes.
type memory struct {
	resident  int64 // VmRSS
	highest   int64 // VmHWM
	anonymous int64 // RssAnon: without the pages of files
}

func memoryOf(pid int) (memory, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	defer func() { _ = f.Close() }()
	var m memory
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		to, ok := map[string]*int64{"VmRSS": &m.resident, "VmHWM": &m.highest, "RssAnon": &m.anonymous}[name]
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		if err != nil {
			return m, err
		}
		*to = kib << 10
	}
	return m, nil
}

// watchAnonymous samples a process's own memory until stop is called, which
// returns the most that was seen.
func watchAnonymous(ctx context.Context, pid int) (stop func() int64) {
	ctx, cancel := context.WithCancel(ctx)
	var most int64
	var busy sync.WaitGroup
	busy.Go(func() {
		t := time.NewTicker(50 * time.Millisecond)
		defer t.Stop()
		for {
			if m, err := memoryOf(pid); err == nil {
				most = max(most, m.anonymous)
			}
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
		}
	})
	return func() int64 {
		cancel()
		busy.Wait()
		return most
	}
}

// sizeOf is the size of a file and of those that begin with its name.
func sizeOf(path string) (sum int64) {
	all, _ := filepath.Glob(path + "*")
	for _, name := range all {
		if info, err := os.Stat(name); err == nil {
			sum += info.Size()
		}
	}
	return sum
}
