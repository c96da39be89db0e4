package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/store"
	"tidings/core/store/storetest"
)

// file is a store that knows how to come back.
type file struct {
	*store.Store
	url string
}

func open(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

func (f file) Reopen(t *testing.T) storetest.Store {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	return file{open(t, f.url), f.url}
}

func TestStore(t *testing.T) {
	// The tables are made once: that is most of what an empty store costs.
	blank := filepath.Join(t.TempDir(), "blank.db")
	if err := open(t, "sqlite:"+blank).Close(); err != nil {
		t.Fatal(err)
	}
	tables, err := os.ReadFile(blank)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) storetest.Store {
		path := filepath.Join(t.TempDir(), "tidings.db")
		if err := os.WriteFile(path, tables, 0o600); err != nil {
			t.Fatal(err)
		}
		return file{open(t, "sqlite:"+path), "sqlite:" + path}
	})
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		url := store.PostgresURL(t)
		return file{open(t, url), url}
	})
}

// hinted is a store whose transactions are told beforehand what they will read.
type hinted struct{ file }

func (h hinted) Reopen(t *testing.T) storetest.Store {
	t.Helper()
	return h.file.Reopen(t)
}

func (h hinted) Update(ctx context.Context, fn func(lane.StoreTx) error) error {
	return h.file.Update(ctx, hint(fn))
}

func (h hinted) View(ctx context.Context, fn func(lane.StoreTx) error) error {
	return h.file.View(ctx, hint(fn))
}

func hint(fn func(lane.StoreTx) error) func(lane.StoreTx) error {
	w := core.Wants{
		UIDs:  []string{"ines", "a", "b", "c", "d", "ines@example.com", "Ines@example.com", "before", "refused", "after", "outer", "inner", "x"},
		Lanes: []string{"a", "a/1", "a/2", "out/slack/1", "out/slack/10"},
	}
	for i := range 20 {
		w.Claims = append(w.Claims, fmt.Sprint(i))
		w.Lanes = append(w.Lanes, fmt.Sprint("a/", i))
	}
	w.Claims = append(w.Claims, "k", "K", "")
	for block := range int64(5) { // ids as they are given out
		for i := range int64(4) {
			w.Messages = append(w.Messages, block*1024+i+1)
		}
	}
	w.Events, w.Addresses, w.Customers, w.LinksOfAddresses = w.Messages, w.Messages, w.Messages, w.Messages
	return func(tx lane.StoreTx) error {
		if err := tx.Fetch(w); err != nil {
			return err
		}
		return fn(tx)
	}
}

// Hints change nothing about what is read.
func TestPostgresWithHints(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		url := store.PostgresURL(t)
		return hinted{file{open(t, url), url}}
	})
}
