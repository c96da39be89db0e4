package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// watchEvery is how often Watch looks. A file of more than readMost bytes is no
// text of ours: its size and time have to do.
const (
	watchEvery = time.Second
	readMost   = 1 << 20
)

// Watch calls changed whenever what is in the file, or in the files below the
// folder, is no longer what it was. It returns when ctx ends.
//
// It reads the content again and again, which is dull and sees everything: a
// file written in place, renamed over, or swapped behind a symbolic link as
// mounted volumes do it. Started before the first Load it misses no change; a
// file that is away for a moment is no change. Whether what is there now is any
// good is Load's to say.
func Watch(ctx context.Context, path string, changed func()) {
	WatchFunc(ctx, func() string { return path }, changed)
}

// WatchFunc is Watch for a path that can change itself, which counts as a
// change of what is there. While it is empty there is nothing to watch.
func WatchFunc(ctx context.Context, path func() string, changed func()) {
	at := path()
	last, _ := fingerprint(at)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		to := path()
		now, err := fingerprint(to)
		if to == "" || err != nil || to == at && now == last {
			continue
		}
		at, last = to, now
		changed()
	}
}

// fingerprint is a sum over the names and contents of the files at path.
func fingerprint(path string) (sum [sha256.Size]byte, err error) {
	if path == "" {
		return sum, fs.ErrNotExist // and not the folder in which we happen to be
	}
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return sum, err
	}
	all := sha256.New()
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil // reading a pipe would empty it; a linked folder has its files elsewhere
		}
		relative, _ := filepath.Rel(root, file)
		if info.Size() > readMost {
			_, err := fmt.Fprintf(all, "%s\x00%d %s", relative, info.Size(), info.ModTime())
			return err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		one := sha256.Sum256(raw)
		all.Write([]byte(relative + "\x00"))
		all.Write(one[:])
		return nil
	})
	return [sha256.Size]byte(all.Sum(nil)), err
}
