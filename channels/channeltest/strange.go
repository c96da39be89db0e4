package channeltest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidings/core"
)

// strangeCallbacks is the last part of point 6: whatever a proven sender says
// is read or kept as unreadable, and never an error, which the platform would
// answer by sending it again for ever.
func strangeCallbacks(t *testing.T, w *world) {
	if !w.listens() {
		return
	}
	heard := w.record()
	asked := w.wire.count()
	shapes := map[string]bool{}
	for i, h := range heard {
		kind := shape(h.callback.Body)
		if shapes[kind] {
			continue // as good as tried
		}
		shapes[kind] = true
		for v := range variants(h.callback.Body) {
			updates := w.harmless(fmt.Sprintf("callback %d, %s", i, v.how), h.callback, v.body)
			if len(updates) == 0 && len(h.updates) > 0 && !v.none {
				t.Errorf("callback %d, %s: nothing is left of it: %s", i, v.how, clip(string(v.body)))
			}
			if v.more {
				unmoved(t, fmt.Sprintf("callback %d, %s", i, v.how), h.updates, updates)
			}
			if t.Failed() {
				break // one fault has many variants
			}
		}
		for _, body := range cutShort(h.callback.Body) {
			w.harmless(fmt.Sprintf("callback %d, cut short", i), h.callback, body)
		}
	}
	if t.Failed() {
		return
	}
	for i, body := range garbage(heard[0].callback.Body) {
		w.harmless(fmt.Sprintf("garbage %d", i), heard[0].callback, body)
	}
	w.large(heard)
	if n := w.wire.count() - asked; n != 0 {
		t.Errorf("requests made by Decode: got %d, want none", n)
	}
}

// harmless decodes a body with a valid proof.
func (w *world) harmless(how string, like core.Callback, body []byte) (updates []core.Update) {
	w.t.Helper()
	cb := clone(like)
	cb.Body = body
	w.x.Proof.Sign(cb.Header, body, cb.Now)
	defer func() {
		if p := recover(); p != nil {
			w.t.Errorf("%s: Decode panics: %v\n%s", how, p, clip(string(body)))
		}
	}()
	reply, updates, err := w.decode(cb)
	if err != nil {
		w.t.Errorf("%s: got %v, want no error behind a valid proof\n%s", how, err, clip(string(body)))
	}
	if s := reply.Status; s != 0 && s != http.StatusOK {
		w.t.Errorf("%s: status %d, want 200\n%s", how, s, clip(string(body)))
	}
	for _, u := range updates {
		sound(w.t, how, u)
		if u.Kind == core.UpdateUnreadable && len(u.Raw) == 0 && len(body) > 0 {
			w.t.Errorf("%s: unreadable, and not kept", how)
		}
	}
	return updates
}

// unmoved compares updates but for what may be made from the bytes themselves.
func unmoved(t *testing.T, how string, before, after []core.Update) {
	t.Helper()
	if diff := cmp.Diff(before, after, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(core.Update{}, "ID", "Raw")); diff != "" {
		t.Errorf("%s: a field that nobody knows changes what is read:\n%s", how, diff)
	}
}

// large sends a callback of each encoding with four megabytes more than it needs.
func (w *world) large(heard []heard) {
	w.t.Helper()
	filler := strings.Repeat("x", 4<<20)
	tried := map[bool]bool{}
	for _, h := range heard {
		body := string(h.callback.Body)
		isJSON := strings.HasPrefix(body, "{")
		if tried[isJSON] {
			continue
		}
		tried[isJSON] = true
		if isJSON {
			body = `{"filler":"` + filler + `",` + body[1:]
		} else {
			body += "&filler=" + filler
		}
		unmoved(w.t, "a large callback", h.updates, w.harmless("a large callback", h.callback, []byte(body)))
	}
}

// cutShort returns beginnings of a body.
func cutShort(body []byte) [][]byte {
	var all [][]byte
	for i := 1; i < 8; i++ {
		all = append(all, body[:len(body)*i/8])
	}
	return all
}

// garbage is none of the platform's.
func garbage(body []byte) [][]byte {
	return [][]byte{
		nil, []byte(" "), []byte("null"), []byte("[]"), []byte("{}"), []byte(`"x"`), []byte("12"), []byte("{"), []byte("\xff\xfe\x00"), []byte("payload=%zz"),
		[]byte("payload="), []byte("command="), []byte(strings.Repeat("[", 100_000)), []byte(strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)),
		append([]byte("\xef\xbb\xbf"), body...), append(append([]byte{}, body...), body...),
	}
}
