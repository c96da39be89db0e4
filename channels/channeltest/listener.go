package channeltest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidings/core"
)

// proofIsNeeded is the first part of point 6.
func (x Exam) proofIsNeeded(t *testing.T) {
	x.point(t, "every callback without it is refused", proofTaken)
	x.point(t, "a body that was changed is refused", bodyTampered)
	x.point(t, "an old one is refused", replayed)
	for _, h := range x.Handshakes {
		x.point(t, "handshake: "+h.Name, func(t *testing.T, w *world) { h.happens(t, w) })
	}
}

func (h Handshake) happens(t *testing.T, w *world) {
	reply, updates, err := w.decode(h.Callback(time.Now()))
	if !errors.Is(err, h.Err) || err == nil && h.Err != nil {
		t.Fatalf("got %v, want %v", err, h.Err)
	}
	if len(updates) != 0 {
		t.Errorf("updates: got %+v, want none", updates)
	}
	if got := string(reply.Body); got != h.Answer {
		t.Errorf("answer: got %q, want %q", got, h.Answer)
	}
	if status := reply.Status; h.Err == nil && status != 0 && status != http.StatusOK {
		t.Errorf("status: got %d, want 200", status)
	}
}

// proofTaken tries each callback with each header of the proof missing or wrong.
func proofTaken(t *testing.T, w *world) {
	if !w.listens() {
		return
	}
	if len(w.x.Proof.Headers) == 0 {
		t.Fatal("Exam.Proof names no header: anybody could call")
	}
	for _, h := range w.record() {
		if _, _, err := w.decode(h.callback); err != nil {
			t.Fatalf("a callback with its proof: %v", err)
		}
		for _, name := range w.x.Proof.Headers {
			for _, value := range wrongValues(h.callback.Header.Get(name)) {
				forged := clone(h.callback)
				forged.Header.Del(name)
				if value != nil {
					forged.Header.Set(name, *value)
				}
				w.unauthorized(name+" forged", forged)
			}
		}
	}
}

// wrongValues are none, and others than the right one.
func wrongValues(right string) []*string {
	other := "0"
	if strings.HasSuffix(right, "0") {
		other = "1"
	}
	wrong := []*string{nil}
	for _, s := range []string{"", "x", right + right, right + "0", right[:len(right)-1], right[:len(right)-1] + other, strings.Repeat("f", 1<<16)} {
		if s != right {
			wrong = append(wrong, &s)
		}
	}
	return wrong
}

func bodyTampered(t *testing.T, w *world) {
	if !w.listens() || !w.x.Proof.OverBody {
		return
	}
	heard := w.record()
	for i, h := range heard {
		for name, body := range map[string][]byte{
			"with a space":  append(slices.Clone(h.callback.Body), ' '),
			"cut short":     h.callback.Body[:len(h.callback.Body)-1],
			"one bit":       flipped(h.callback.Body),
			"empty":         nil,
			"another's own": heard[(i+1)%len(heard)].callback.Body,
		} {
			forged := clone(h.callback)
			forged.Body = body
			if string(body) != string(h.callback.Body) {
				w.unauthorized("a body "+name, forged)
			}
		}
	}
}

func flipped(body []byte) []byte {
	b := slices.Clone(body)
	b[len(b)/2] ^= 1
	return b
}

func replayed(t *testing.T, w *world) {
	age := w.x.Proof.MaxAge
	if !w.listens() || age == 0 {
		return
	}
	for _, h := range w.record() {
		signed := h.callback.Now.Truncate(time.Second)
		for _, late := range []time.Duration{age + time.Second, -age - time.Second, 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
			old := clone(h.callback)
			old.Now = signed.Add(late)
			w.unauthorized(late.String()+" late", old)
		}
		for _, off := range []time.Duration{age - time.Second, -age + time.Second} {
			soon := clone(h.callback)
			soon.Now = signed.Add(off)
			if _, _, err := w.decode(soon); err != nil {
				t.Errorf("%s late: got %v, want none", off, err)
			}
		}
	}
}

func (w *world) unauthorized(how string, cb core.Callback) {
	w.t.Helper()
	reply, updates, err := w.decode(cb)
	if !errors.Is(err, core.ErrUnauthorized) {
		w.t.Errorf("%s: got %v, want ErrUnauthorized", how, err)
	}
	if len(updates) != 0 || len(reply.Body) != 0 {
		w.t.Errorf("%s: got %d updates and the answer %q, want nothing", how, len(updates), reply.Body)
	}
}

func (w *world) decode(cb core.Callback) (core.Reply, []core.Update, error) {
	return w.channel.(core.Listener).Decode(w.t.Context(), cb)
}

func clone(cb core.Callback) core.Callback {
	cb.Header, cb.Body = cb.Header.Clone(), slices.Clone(cb.Body)
	return cb
}

// callbacksAreUnderstood is the second part of point 6: each scene, alone.
func (x Exam) callbacksAreUnderstood(t *testing.T) {
	var names []string
	x.point(t, "there are some", func(t *testing.T, w *world) {
		if !w.listens() {
			return
		}
		for _, s := range w.scenes() {
			names = append(names, s.Name)
		}
	})
	for i, name := range names {
		x.point(t, name, func(t *testing.T, w *world) {
			w.offer()
			w.plays(w.scenes()[i])
		})
	}
}

// plays a scene and checks the updates that come of it.
func (w *world) plays(s Scene) []core.Update {
	w.t.Helper()
	heard := w.told(func() error { return s.Do(w.t.Context(), w.to.Value) })
	updates := all(heard)
	var kinds []core.UpdateKind
	for _, u := range updates {
		kinds = append(kinds, u.Kind)
	}
	if diff := cmp.Diff(s.Want, kinds); diff != "" {
		w.t.Fatalf("%s: kinds (-want +got):\n%s%+v", s.Name, diff, updates)
	}
	for i, u := range updates {
		want := w.to
		if other, ok := s.From[i]; ok {
			want = other
		}
		if u.Kind != core.UpdateOther && (u.From.Value != want.Value || u.From.Kind != want.Kind) {
			w.t.Errorf("%s: From: got %+v, want %+v, the address that Send takes", s.Name, u.From, want)
		}
		if u.At.IsZero() {
			w.t.Errorf("%s: no time: %+v", s.Name, u)
		}
	}
	return updates
}

// sound checks what holds for every update whatever it came of.
func sound(t *testing.T, how string, u core.Update) {
	t.Helper()
	known := []core.UpdateKind{core.UpdateText, core.UpdateButton, core.UpdateOptIn, core.UpdateEdited, core.UpdateDelivered, core.UpdateRead,
		core.UpdateEcho, core.UpdateBlocked, core.UpdateUnblocked, core.UpdateUnlinked, core.UpdateOther, core.UpdateUnreadable}
	switch {
	case !slices.Contains(known, u.Kind):
		t.Errorf("%s: kind %q is none that core knows", how, u.Kind)
	case u.ID == "":
		t.Errorf("%s: an update without an id: %+v", how, u)
	case u.Kind == core.UpdateUnreadable && u.Problem == "":
		t.Errorf("%s: unreadable, and no word why", how)
	case u.From.Value == "" && u.Kind != core.UpdateOther && u.Kind != core.UpdateUnreadable:
		t.Errorf("%s: a %s of nobody", how, u.Kind)
	}
	for _, name := range append([]string{u.ID, u.From.Value, u.Account, u.PlatformID, u.ReplyTo}, u.PlatformIDs...) {
		if len(name) > longestName || strings.ContainsFunc(name, unicode.IsControl) {
			t.Errorf("%s: %q is no name that a key of a database could hold", how, clip(name))
		}
	}
	u.Raw = nil // bytes always survive, and cost time
	survivesJSON(t, u)
}

// longestName is the longest that a key of any database may be, in bytes.
const longestName = 2000

// decodingIsPure is the third part of point 6.
func decodingIsPure(t *testing.T, w *world) {
	if !w.listens() {
		return
	}
	heard := w.record()
	ids := map[string]int{}
	asked := w.wire.count()
	for i, h := range heard {
		before := clone(h.callback)
		for _, again := range []core.Callback{h.callback, redelivered(h.callback)} {
			_, updates, err := w.decode(again)
			if diff := cmp.Diff(h.updates, updates, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("a copy of a callback: %v (-first +copy):\n%s", err, diff)
			}
		}
		if diff := cmp.Diff(before, h.callback); diff != "" {
			t.Errorf("Decode changes the callback:\n%s", diff)
		}
		for _, u := range h.updates {
			sound(t, "a callback", u)
			if other, taken := ids[u.ID]; taken {
				t.Errorf("callbacks %d and %d have the same id %q", other, i, u.ID)
			}
			ids[u.ID] = i
		}
	}
	var readers sync.WaitGroup
	for _, h := range heard {
		readers.Go(func() { _, _, _ = w.decode(h.callback) })
	}
	readers.Wait()
	if n := w.wire.count() - asked; n != 0 {
		t.Errorf("requests made by Decode: got %d, want none", n)
	}
}

// redelivered is a callback with what a platform may add when it comes again.
func redelivered(cb core.Callback) core.Callback {
	cb = clone(cb)
	cb.Header.Set("X-Slack-Retry-Num", "1")
	cb.Header.Set("X-Slack-Retry-Reason", "http_timeout")
	cb.Header.Set("X-Unknown", "1")
	return cb
}
