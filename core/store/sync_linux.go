package store

import (
	"os"
	"syscall"
)

// datasync puts the contents of a file on the disk, with as much of its
// metadata as it takes to read them.
func datasync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return err
		}
	}
}
