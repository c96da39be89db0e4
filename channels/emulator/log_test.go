package emulator_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
)

func TestLogKeepsPlacesAndFeedsChanges(t *testing.T) {
	l := emulator.NewLog()
	for _, id := range []string{"1", "2", "3"} {
		l.Show(emulator.Shown{To: "ann", ID: id, Text: id})
	}
	l.Show(emulator.Shown{To: "ann", ID: "q", Text: "question", Own: true})
	_, cursor := l.Feed("", 0)
	l.Edit("ann", "1", func(m *emulator.Shown) { m.Text = "one" })
	l.Delete("ann", "2")

	if got, want := texts(l.Shown("ann")), []string{"one", "3"}; !cmp.Equal(got, want) {
		t.Errorf("shown: got %q, want %q", got, want)
	}
	news, _ := l.Feed("ann", cursor)
	if got, want := texts(news), []string{"one", "2"}; !cmp.Equal(got, want) {
		t.Errorf("changes: got %q, want %q", got, want)
	}
	all, _ := l.Feed("ann", 0)
	if got, want := texts(all), []string{"3", "question", "one", "2"}; !cmp.Equal(got, want) {
		t.Errorf("whole feed: got %q, want %q", got, want)
	}
	if none, _ := l.Feed("bob", 0); len(none) != 0 {
		t.Errorf("feed of another: got %v, want none", none)
	}
	if l.Edit("ann", "2", func(*emulator.Shown) {}) {
		t.Error("a deleted message was edited")
	}
}

func TestAwaitReturnsWhenEnoughIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := emulator.NewLog()
		go func() {
			time.Sleep(time.Second)
			l.Show(emulator.Shown{To: "ann", Text: "late"})
		}()
		got, err := l.Await(t.Context(), "ann", 1)
		if err != nil || len(got) != 1 {
			t.Errorf("got %v, %v, want one message", got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Await(ctx, "ann", 2); err == nil {
			t.Error("waiting for what never comes: got no error")
		}
	})
}
