package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
	"tidings/core/lane"
)

func TestMergedTexts(t *testing.T) {
	for _, tt := range []struct{ query, types, want string }{
		{
			`INSERT INTO item (id, lane) VALUES ($1, $2)`, "is",
			`INSERT INTO item (id, lane) SELECT v.a1, v.a2 FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[])) AS v(a1, a2)`,
		},
		{
			`INSERT INTO claim (key) VALUES ($1) ON CONFLICT (key) DO NOTHING`, "b",
			`INSERT INTO claim (key) SELECT v.a1 FROM unnest(CAST($1 AS BYTEA[])) AS v(a1) ON CONFLICT (key) DO NOTHING`,
		},
		{
			`UPDATE part SET state = $2 WHERE id = $1`, "is",
			`UPDATE part SET state = v.a2 FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[])) AS v(a1, a2) WHERE id = v.a1`,
		},
		{
			`DELETE FROM item WHERE id = $1`, "i",
			`DELETE FROM item USING unnest(CAST($1 AS BIGINT[])) AS v(a1) WHERE id = v.a1`,
		},
		{
			onlyIf + `UPDATE part SET n = 1 WHERE id = $1` + onlyIfEnd, "i",
			`WITH changed AS (UPDATE part SET n = 1 FROM unnest(CAST($1 AS BIGINT[])) AS v(a1) WHERE id = v.a1` +
				` RETURNING 1) SELECT 1 / CAST(count(*) = $2 AS INTEGER) FROM changed`,
		},
	} {
		if diff := cmp.Diff(tt.want, formOf(tt.query).merged(tt.types)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.query, diff)
		}
	}
}

func TestMergeKeepsWhatMatters(t *testing.T) {
	const (
		item   = `INSERT INTO item (id) VALUES ($1)`
		remove = `DELETE FROM item WHERE id = $1`
		save   = `UPDATE message SET state = $2 WHERE id = $1`
		mark   = `UPDATE message SET mark = 1 WHERE id = $1`
		other  = `UPDATE message SET mark = 1 WHERE customer_id = $1`
		total  = `INSERT INTO total (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = 1`
		seq    = `INSERT INTO shop_order (id, seq) VALUES ($1, (SELECT max(seq) FROM shop_order))`
	)
	st := func(query string, args ...any) statement { return statement{query, args} }
	for name, tt := range map[string]struct {
		queue []statement
		want  []int // how many of the queue each statement stands for
	}{
		"the same":                     {[]statement{st(item, 1), st(item, 2), st(item, 3)}, []int{3}},
		"another table between":        {[]statement{st(item, 1), st(save, 1, "a"), st(item, 2)}, []int{2, 1}},
		"another row between":          {[]statement{st(item, 1), st(remove, 1), st(item, 2)}, []int{2, 1}},
		"the same row between":         {[]statement{st(item, 1), st(remove, 1), st(item, 1)}, []int{1, 1, 1}},
		"the same row twice":           {[]statement{st(save, 1, "a"), st(save, 2, "a"), st(save, 1, "b")}, []int{2, 1}},
		"other rows between":           {[]statement{st(save, 1, "a"), st(mark, 2), st(save, 3, "a"), st(mark, 4)}, []int{2, 2}},
		"its row between":              {[]statement{st(save, 1, "a"), st(mark, 2), st(save, 2, "a"), st(mark, 1)}, []int{1, 2, 1}},
		"a row by another column":      {[]statement{st(save, 1, "a"), st(other, 7), st(save, 2, "a")}, []int{1, 1, 1}},
		"something unknown between":    {[]statement{st(item, 1), st("SELECT 1"), st(item, 2)}, []int{1, 1, 1}},
		"what must see the row before": {[]statement{st(seq, 1), st(seq, 2), st(total, "a", 1), st(total, "a", 1)}, []int{1, 1, 1, 1}},
		"no value":                     {[]statement{st(item, 1), st(item, nil), st(item, 2)}, []int{1, 1, 1}},
		"another type":                 {[]statement{st(item, 1), st(item, "2")}, []int{1, 1}},
	} {
		var got []int
		for _, s := range merge(tt.queue) {
			n := 1
			if rows, many := s.args, len(s.args) > 0; many {
				if ids, ok := rows[0].([]int64); ok {
					n = len(ids)
				}
			}
			got = append(got, n)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Many messages in one transaction come out as they went in, and one that is
// not as its mark left it has no consequence for the others.
func TestMergedTransaction(t *testing.T) {
	t.Parallel()
	const n = 40
	s := openPG(t, PostgresURL(t))
	now := time.Unix(1, 0).UTC()
	var ids []int64
	must(t, s.Update(t.Context(), func(tx lane.StoreTx) error {
		ids = nil
		for i := range n {
			m := core.Message{
				Type: "t", State: core.MessageSending, Channel: "c", AddressID: int64(i + 1), CreatedAt: now,
				Body: core.Body{Blocks: []core.Block{{Text: []core.Run{{Text: fmt.Sprint("text ", i)}}}}},
			}
			id, err := tx.InsertMessage(m, []core.Part{{N: 1}, {N: 2}})
			if err != nil {
				return err
			}
			ids = append(ids, id)
			if _, err := tx.InsertItem(lane.Item{Lane: fmt.Sprint("l/", i), Ref: id}); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, s.Update(t.Context(), func(tx lane.StoreTx) error {
		m, err := tx.Message(ids[7])
		m.State = core.MessageCancelled
		m.ChangedAt = now
		return errors.Join(err, tx.SaveMessage(m))
	}))
	var slow []int64
	must(t, s.Update(t.Context(), func(tx lane.StoreTx) error {
		slow = nil
		for _, id := range ids {
			_, fatal := tx.Try(func() error {
				part, err := tx.SettlePart(core.StoredPart{MessageID: id, N: 1, State: core.PartSent, PlatformID: fmt.Sprint("p", id), SentAt: now})
				if err != nil {
					return err
				}
				message, err := tx.SettleMessage(core.Message{ID: id, State: core.MessageSent, ChangedAt: now})
				if !part || !message {
					slow = append(slow, id)
				}
				return err
			})
			if fatal != nil {
				return fatal
			}
		}
		return nil
	}))
	if diff := cmp.Diff([]int64{ids[7]}, slow); diff != "" {
		t.Errorf("not as its mark left it (-want +got):\n%s", diff)
	}
	must(t, s.View(t.Context(), func(tx lane.StoreTx) error {
		for i, id := range ids {
			m, err := tx.Message(id)
			if err != nil {
				return err
			}
			want := core.MessageSent
			if i == 7 {
				want = core.MessageCancelled
			}
			p, err := tx.Part(id, 1)
			if m.State != want || p.PlatformID != fmt.Sprint("p", id) || m.Body.Blocks[0].Text[0].Text != fmt.Sprint("text ", i) {
				t.Errorf("message %d: got %+v, %+v", i, m, p)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
}
