package store

import (
	"fmt"
	"path/filepath"
	"syscall"
)

// networkFS are file systems on which locks and shared memory cannot be relied
// on; numbers from linux/magic.h.
var networkFS = map[int64]string{
	0x6969:     "NFS",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x517b:     "SMB",
	0x564c:     "NCP",
	0x73757245: "Coda",
	0x5346414f: "AFS",
}

func refuseNetwork(path string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &st); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if name, ok := networkFS[int64(uint32(st.Type))]; ok { // the type's width differs by architecture
		return fmt.Errorf("store: %s is on a network file system (%s), on which SQLite can lose data; use a local disk", path, name)
	}
	return nil
}
