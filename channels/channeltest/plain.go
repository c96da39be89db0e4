package channeltest

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidings/core"
)

// plainData is point 9, for what the other points do not look at.
func plainData(t *testing.T, w *world) {
	survivesJSON(t, w.channel.Limits())
	survivesJSON(t, core.Part{Key: "m-1-1", N: 1, Of: 2, Order: order(2), Standing: core.Open})
	survivesJSON(t, w.mustSend(words("m-1-1", "hello")))
	if w.listens() {
		for _, h := range w.record() {
			survivesJSON(t, h.reply)
			for _, u := range h.updates {
				survivesJSON(t, u)
			}
		}
	}
	w.platform.Cause(w.x.Failures[0].Fault)
	_, err := w.send(words("m-1-2", "hello"))
	e := *sendError(t, err)
	e.Err = nil // its text crosses
	survivesJSON(t, e)
}

// survivesJSON checks that v comes back from JSON as it was.
func survivesJSON(t *testing.T, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Errorf("%T does not go into JSON: %v", v, err)
		return
	}
	back := reflect.New(reflect.TypeOf(v))
	if err := json.Unmarshal(raw, back.Interface()); err != nil {
		t.Errorf("%T does not come out of JSON: %v", v, err)
		return
	}
	if reflect.DeepEqual(v, back.Elem().Interface()) {
		return // as nearly always, and much faster than looking for differences
	}
	if diff := cmp.Diff(v, back.Elem().Interface(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%T changes in JSON (-before +after):\n%s", v, diff)
	}
}
