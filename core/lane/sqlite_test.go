package lane_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core/lane"
	"tidings/core/store"
)

// sender is a Marker that does n steps per item and tells when one is done.
type sender struct {
	steps int
	done  func(it lane.Item)
	wait  time.Duration
}

func (s sender) Gate(lane.Item, time.Time) lane.Turn { return lane.Turn{} }

func (s sender) Mark(*lane.Tx, lane.Item) (bool, error) { return true, nil }

func (s sender) Work(_ context.Context, it lane.Item) lane.Result {
	if s.wait > 0 {
		<-time.After(s.wait)
	}
	next := it
	next.Step++
	return lane.Result{Done: it.Step >= s.steps, Item: next, Commit: func(tx *lane.Tx) error {
		tx.After(func() { s.done(it) })
		return nil
	}}
}

func engine(t testing.TB, path string, s sender) (*lane.Engine, *store.Store) {
	t.Helper()
	st, err := store.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	e := lane.New(st, slog.New(slog.DiscardHandler))
	e.Handle("out", lane.Kind{Worker: s, Pool: func(string) (string, int) { return "out", 64 }})
	if err := e.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return e, st
}

func end(t testing.TB, e *lane.Engine, st *store.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e.Stop(ctx)
	if err := st.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// On a real file, over restarts: each step of each item once, in order.
func TestLanesOnSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	synctest.Test(t, func(t *testing.T) {
		const lanes, each, steps = 7, 20, 2
		var mu sync.Mutex
		got := map[string][]string{}
		s := sender{steps: steps, wait: time.Second, done: func(it lane.Item) {
			mu.Lock()
			defer mu.Unlock()
			got[it.Lane] = append(got[it.Lane], fmt.Sprintf("%d.%d", it.Ref, it.Step))
		}}
		e, st := engine(t, path, s)
		for ref := range int64(each) {
			err := e.Do(t.Context(), func(tx *lane.Tx) error {
				for n := range lanes {
					if err := tx.Append(fmt.Sprintf("out/%d", n), ref, time.Now(), lane.Normal); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			<-time.After(7*time.Second + time.Millisecond)
			end(t, e, st)
			e, st = engine(t, path, s)
		}
		<-time.After(time.Hour)
		end(t, e, st)
		for n := range lanes {
			name := fmt.Sprintf("out/%d", n)
			if len(got[name]) != each*steps {
				t.Errorf("lane %s: got %d steps, want %d", name, len(got[name]), each*steps)
			}
			for i, line := range got[name] {
				if want := fmt.Sprintf("%d.%d", i/steps, i%steps+1); line != want {
					t.Fatalf("lane %s: got %s, want %s", name, line, want)
				}
			}
		}
	})
}

func BenchmarkDo(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			e, st := engine(b, filepath.Join(b.TempDir(), "b.db"), sender{done: func(lane.Item) {}})
			defer end(b, e, st)
			now := time.Now()
			var n atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range callers {
				wg.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						err := e.Do(context.Background(), func(tx *lane.Tx) error {
							_, _, err := tx.Claim(fmt.Sprint(i), "", now)
							return err
						})
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkLaneThroughput measures items from durable append to durable settle,
// each with a mark that is durable before its work.
func BenchmarkLaneThroughput(b *testing.B) {
	for _, lanes := range []int{1, 1000} {
		b.Run(fmt.Sprint(lanes), func(b *testing.B) {
			var wg sync.WaitGroup
			wg.Add(b.N)
			e, st := engine(b, filepath.Join(b.TempDir(), "b.db"), sender{done: func(lane.Item) { wg.Done() }})
			defer end(b, e, st)
			now := time.Now()
			b.ResetTimer()
			for i := 0; i < b.N; i += 100 {
				err := e.Do(context.Background(), func(tx *lane.Tx) error {
					for n := i; n < min(i+100, b.N); n++ {
						if err := tx.Append(fmt.Sprintf("out/%d", n%lanes), int64(n), now, lane.Normal); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			wg.Wait()
		})
	}
}
