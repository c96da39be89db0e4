package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestCheckout(t *testing.T) {
	inWorld(t, func(w *world) {
		var made struct {
			Person struct {
				UID, Name string
				Guest     bool
				Chats     map[string]string
			}
			Order string
		}
		kettle := []map[string]any{{"code": "KETTLE-17", "quantity": 1}}
		w.post("/_sandbox/checkout", map[string]any{"name": "Walk In", "email": "walk.in@example.com", "locale": "de", "lines": kettle}, &made)
		if !made.Person.Guest || !strings.HasSuffix(made.Person.UID, "|walk.in@example.com") || made.Person.Chats["messenger"] == "" {
			t.Errorf("guest: got %+v, want a guest with chats", made.Person)
		}
		if o, ok := w.box.Shop().Order(made.Order); !ok || !o.Guest || o.UserUID != made.Person.UID || len(o.Lines) != 1 {
			t.Errorf("guest's order: got %+v, want one kettle", o)
		}
		w.post("/_sandbox/optin", map[string]any{"customer": made.Person.UID, "order": made.Order}, nil)
		if asked := w.gateway.got("/v1/opt-ins"); len(asked) != 1 || !strings.Contains(string(asked[0].Body), made.Person.UID) {
			t.Errorf("opt-in: got %v, want one for the guest", asked)
		}
		who := w.box.People()[0]
		w.post("/_sandbox/checkout", map[string]any{"customer": who.UID, "lines": kettle}, &made)
		if made.Person.UID != who.UID || made.Person.Guest {
			t.Errorf("customer: got %+v, want %s", made.Person, who.UID)
		}
		for _, wrong := range []map[string]any{
			{"customer": "nobody@example.com", "lines": kettle},
			{"name": "X", "email": "no address", "locale": "en", "lines": kettle},
			{"name": "", "email": "x@example.com", "locale": "en", "lines": kettle},
			{"name": "X", "email": "x@example.com", "locale": "en", "lines": []map[string]any{{"code": "CAR", "quantity": 1}}},
		} {
			if status, _, body := w.ask(http.MethodPost, "/_sandbox/checkout", wrong); status != 400 && status != 404 {
				t.Errorf("%v: got %d %s, want a refusal", wrong, status, body)
			}
		}
		if n := len(w.box.People()); n != 4 {
			t.Errorf("people: got %d, want the three of the beginning and one guest", n)
		}
	})
}
