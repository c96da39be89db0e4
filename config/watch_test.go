package config

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// watching runs Watch on the path in virtual time. The function it hands to the
// test makes a change and returns how often it was noticed.
func watching(t *testing.T, path string, test func(t *testing.T, after func(change func()) int)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var seen atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			Watch(ctx, path, func() { seen.Add(1) })
		}()
		synctest.Wait()
		test(t, func(change func()) int {
			before := seen.Load()
			change()
			time.Sleep(3 * watchEvery) // virtual
			synctest.Wait()
			return int(seen.Load() - before)
		})
		cancel()
		<-done
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatchAFile(t *testing.T) {
	path := write(t, "a: 1\n")
	put := func(text string) func() {
		return func() { must(t, os.WriteFile(path, []byte(text), 0o600)) }
	}
	watching(t, path, func(t *testing.T, after func(func()) int) {
		tests := []struct {
			name   string
			change func()
			want   int
		}{
			{"nothing", func() {}, 0},
			{"new content", put("a: 2\n"), 1},
			{"the same content written again", put("a: 2\n"), 0},
			{"same length", put("a: 3\n"), 1},
			{"taken away", func() { must(t, os.Remove(path)) }, 0},
			{"back as it was", put("a: 3\n"), 0},
			{"renamed over", func() {
				must(t, os.WriteFile(path+".new", []byte("a: 4\n"), 0o600))
				must(t, os.Rename(path+".new", path))
			}, 1},
		}
		for _, tt := range tests {
			if got := after(tt.change); got != tt.want {
				t.Errorf("%s: noticed %d times, want %d", tt.name, got, tt.want)
			}
		}
	})
}

// A mounted ConfigMap is a link to a link to a folder that is swapped.
func TestWatchAMountedVolume(t *testing.T) {
	dir := t.TempDir()
	for version, text := range map[string]string{"..v1": "a: 1\n", "..v2": "a: 2\n"} {
		must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, version, "config.yaml"), []byte(text), 0o600))
	}
	must(t, os.Symlink("..v1", filepath.Join(dir, "..data")))
	must(t, os.Symlink(filepath.Join("..data", "config.yaml"), filepath.Join(dir, "config.yaml")))
	swap := func() {
		must(t, os.Symlink("..v2", filepath.Join(dir, "..new")))
		must(t, os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")))
	}
	watching(t, filepath.Join(dir, "config.yaml"), func(t *testing.T, after func(func()) int) {
		if got := after(swap); got != 1 {
			t.Errorf("noticed %d times, want once", got)
		}
	})
}

func TestWatchAFolder(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "de"), 0o700))
	file := filepath.Join(dir, "de", "order.shipped.tmpl")
	watching(t, dir, func(t *testing.T, after func(func()) int) {
		tests := []struct {
			name   string
			change func()
			want   int
		}{
			{"a new file", func() { must(t, os.WriteFile(file, []byte("x"), 0o600)) }, 1},
			{"another name", func() { must(t, os.Rename(file, file+"2")) }, 1},
			{"a link to a folder", func() { must(t, os.Symlink("de", filepath.Join(dir, "at"))) }, 0},
			{"gone", func() { must(t, os.Remove(file+"2")) }, 1},
		}
		for _, tt := range tests {
			if got := after(tt.change); got != tt.want {
				t.Errorf("%s: noticed %d times, want %d", tt.name, got, tt.want)
			}
		}
	})
}

func TestWatchWaitsForTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "later.yaml")
	watching(t, path, func(t *testing.T, after func(func()) int) {
		if got := after(func() { must(t, os.WriteFile(path, nil, 0o600)) }); got != 1 {
			t.Errorf("noticed %d times, want once", got)
		}
	})
}

// A path that is set, or set anew, while running is watched from then on.
func TestWatchAPathThatChanges(t *testing.T) {
	first, second := write(t, "a: 1\n"), write(t, "a: 2\n")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var path atomic.Pointer[string]
		var seen atomic.Int64
		done := make(chan struct{})
		none := ""
		path.Store(&none)
		go func() {
			defer close(done)
			WatchFunc(ctx, func() string { return *path.Load() }, func() { seen.Add(1) })
		}()
		for i, step := range []struct {
			change func()
			want   int64
		}{
			{func() {}, 0},
			{func() { path.Store(&first) }, 1},
			{func() { must(t, os.WriteFile(first, []byte("a: 3\n"), 0o600)) }, 2},
			{func() { path.Store(&second) }, 3},
			{func() { must(t, os.WriteFile(first, []byte("a: 4\n"), 0o600)) }, 3},
			{func() { must(t, os.WriteFile(second, []byte("a: 5\n"), 0o600)) }, 4},
			{func() { path.Store(&none) }, 4},
		} {
			step.change()
			time.Sleep(3 * watchEvery) // virtual
			synctest.Wait()
			if got := seen.Load(); got != step.want {
				t.Errorf("step %d: noticed %d changes, want %d", i, got, step.want)
			}
		}
		cancel()
		<-done
	})
}

// Without a folder there is nothing to read, least of all the one we are in.
func TestNothingIsWatchedWithoutAPath(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("tidings.db", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fingerprint(""); err == nil {
		t.Error("no path was read")
	}
}
