package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFeedShowsWhatThePlatformsShow(t *testing.T) {
	inWorld(t, func(w *world) {
		who, other := w.box.People()[0], w.box.People()[1]
		w.post("/_sandbox/messenger/say", map[string]string{"user": who.Chats["messenger"], "text": "Hi"}, nil)
		w.post("/_sandbox/messenger/say", map[string]string{"user": other.Chats["messenger"], "text": "not here"}, nil)
		w.post("/_sandbox/telegram/say", map[string]string{"user": who.Chats["telegram"], "text": "Hallo"}, nil)
		var first, second feed
		w.get(feedOf(who.UID, ""), &first)
		if diff := cmp.Diff([]line{{"messenger", "Hi", true}, {"telegram", "Hallo", true}}, first.Items); diff != "" {
			t.Errorf("from the beginning (-want +got):\n%s", diff)
		}

		go func() {
			time.Sleep(10 * time.Second) // virtual
			w.sendMessenger(other.Chats["messenger"], "not here either")
			w.sendMessenger(who.Chats["messenger"], "News")
		}()
		start := time.Now()
		w.get(feedOf(who.UID, first.Cursor), &second)
		if diff := cmp.Diff([]line{{"messenger", "News", false}}, second.Items); diff != "" {
			t.Errorf("after waiting (-want +got):\n%s", diff)
		}
		if waited := time.Since(start); waited != 10*time.Second {
			t.Errorf("got an answer after %v, want it when there was news, after 10s", waited)
		}

		start = time.Now()
		var third feed
		w.get(feedOf(who.UID, second.Cursor), &third)
		if waited := time.Since(start); len(third.Items) != 0 || waited != 25*time.Second {
			t.Errorf("got %v after %v, want nothing after 25s", third.Items, waited)
		}
	})
}

type line struct {
	Channel, Text string
	Own           bool
}

type feed struct {
	Items  []line
	Cursor string
}

func feedOf(uid, cursor string) string {
	return "/_sandbox/feed?" + url.Values{"customer": {uid}, "cursor": {cursor}}.Encode()
}

func TestFeedOfAnotherSandboxIsRefused(t *testing.T) {
	var cursor string
	inWorld(t, func(w *world) {
		who := w.box.People()[0]
		w.post("/_sandbox/messenger/say", map[string]string{"user": who.Chats["messenger"], "text": "Hi"}, nil)
		var f feed
		w.get(feedOf(who.UID, ""), &f)
		cursor = f.Cursor
	})
	inWorld(t, func(w *world) {
		uid := w.box.People()[0].UID
		for _, bad := range []string{cursor, "1.2.3", "x", strings.ReplaceAll(cursor, ".", ".-")} {
			if status, _, _ := w.ask(http.MethodGet, feedOf(uid, bad), nil); status != http.StatusBadRequest {
				t.Errorf("cursor %q: got status %d, want 400", bad, status)
			}
		}
		if status, _, _ := w.ask(http.MethodGet, feedOf("nobody", ""), nil); status != http.StatusNotFound {
			t.Errorf("got status %d for nobody, want 404", status)
		}
	})
}

func TestCloseEndsWaiting(t *testing.T) {
	inWorld(t, func(w *world) {
		start, done := time.Now(), make(chan time.Duration)
		go func() {
			w.get(feedOf(w.box.People()[0].UID, ""), nil)
			done <- time.Since(start)
		}()
		synctest.Wait()
		w.box.Close()
		if waited := <-done; waited != 0 {
			t.Errorf("a page still waited %v after Close", waited)
		}
	})
}
