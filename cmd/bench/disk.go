package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// measureDisk measures one small write that is on disk when it returns: what a
// commit cannot be faster than.
func (b *bench) measureDisk(context.Context) (err error) {
	const writes, size = 100, 4096
	f, err := os.Create(filepath.Join(b.dir, "disk"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	took := figure{Part: "machine", Name: "4 kB written and synced", Unit: "ms"}
	for range writes {
		begun := time.Now()
		if _, err := f.Write(make([]byte, size)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		took.Values = append(took.Values, millis(time.Since(begun)))
	}
	b.add(took)
	return nil
}
