package main

import (
	"bytes"
	"os"
	"testing"
)

// TestEveryPoint: promises 1, 2 and 4 over a death at every place at which the
// gateway writes or sends, as the source has them.
func TestEveryPoint(t *testing.T) {
	t.Parallel()
	d, err := dieEverywhere(t.Context(), short(t, func(o *options) { o.Sample = true }))
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	d.print(&table)
	t.Logf("\n%s", table.String())
	if len(d.faults) > 0 || len(d.untried) > 0 && os.Getenv("CI") != "" {
		t.Errorf("got %d faults and %d statements untried, want none", len(d.faults), len(d.untried))
	}
}

// TestStatements: which texts of the source count as statements that write, and
// which points belong to them.
func TestStatements(t *testing.T) {
	for _, tt := range []struct{ literal, want string }{
		{"`INSERT INTO a (b)\n\t\tVALUES ($1)`", "INSERT INTO a (b) VALUES ($1)"},
		{`"UPDATE a SET b = $1"`, "UPDATE a SET b = $1"},
		{`"UPDATE a AS x SET b = $1"`, "UPDATE a AS x SET b = $1"},
		{`"WITH x AS (DELETE FROM a RETURNING b) SELECT b FROM x"`, "WITH x AS (DELETE FROM a RETURNING b) SELECT b FROM x"},
		{`"INSERT INTO a (b) VALUES "`, "INSERT INTO a (b) VALUES"},
		{`"UPDATE "`, "UPDATE"},
		{`"DELETE FROM %s WHERE a = $1"`, "DELETE FROM"},
		{`"SELECT id FROM shard ORDER BY id FOR UPDATE"`, ""},
		{`"SELECT updated FROM a"`, ""},
		{`"store: the UPDATE failed"`, ""},
	} {
		if got := statement(tt.literal); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.literal, got, tt.want)
		}
	}
	all := []written{{"INSERT INTO a (b) VALUES", "x.go:1"}, {"DELETE FROM a", "x.go:2"}}
	if got := unmet(all, []string{"write INSERT INTO a (b) VALUES ($1), ($2)"}); len(got) != 1 || got[0].at != "x.go:2" {
		t.Errorf("got unmet %v, want the one that deletes", got)
	}
}
