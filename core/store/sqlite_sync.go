package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// walSync puts what has been committed to the write-ahead log on the disk. SQLite
// itself leaves that to its checkpoints (synchronous=NORMAL), so that the next
// transaction can be run meanwhile.
type walSync struct {
	path string
	mu   sync.Mutex
	file *os.File
	lost error // a sync has failed: nobody knows what is on the disk
	sync func(*os.File) error

	committed, synced atomic.Int64 // transactions
}

func newWALSync(path string) *walSync {
	return &walSync{path: path + "-wal", sync: datasync}
}

// ahead reports whether something has been committed that is not known to be on
// the disk.
func (w *walSync) ahead() bool { return w.synced.Load() < w.committed.Load() }

// Durable returns when all that was committed before is on the disk. Once that
// has failed it fails for ever: the system has given up what it could not write,
// and would call the next sync a success; and what was committed and told as
// failed is in the database, and not in the lanes' memory, until the next start.
func (w *walSync) Durable() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost != nil {
		return w.lost
	}
	committed := w.committed.Load()
	err := w.open()
	if err == nil {
		err = w.sync(w.file)
	}
	if err != nil {
		w.lost = fmt.Errorf("store: the write-ahead log could not be put on the disk; the gateway has to be started again: %w", err)
		return w.lost
	}
	w.synced.Store(committed)
	return nil
}

// open opens the log, which is there from the first commit to the end, and has
// its name put on the disk.
func (w *walSync) open() error {
	if w.file != nil {
		return nil
	}
	file, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	dir, err := os.Open(filepath.Dir(w.path))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store: %w", err), file.Close())
	}
	w.file = file
	return nil
}

// broken returns why nothing can be made durable any more.
func (w *walSync) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

func (w *walSync) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}
