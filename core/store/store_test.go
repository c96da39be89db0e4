package store_test

import (
	"os"
	"path/filepath"
	"testing"

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
