package intake_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

// What is wrong in one place hides nothing of what is wrong in another, and no
// value is told.
func TestAllFaultsOfAnEventAtOnce(t *testing.T) {
	long := strings.Repeat("x", 1025)
	tests := []struct {
		name  string
		event fields
		want  string
	}{
		{"envelope and data", fields{"time": "s3cret", "data": fields{"customerUid": "ada", "purpose": "s3cret"}}, "/data/purpose /data/text /time"},
		{"several of the wrong type", fields{"data": fields{"customerUid": 7, "text": fields{}, "expiresAt": "s3cret", "linkId": 1e30}},
			"/data/customerUid /data/expiresAt /data/linkId /data/text"},
		{"beside strange names", fields{"data": fields{"text": 7, "customerUid": "ada", "\x01/~\u2028": 1}}, "/data/text"},
		{"in a note", fields{"type": "ticket.note_added", "data": fields{"ticketId": "1", "note": fields{"id": 5, "public": "s3cret", "createdAt": "x"}}},
			"/data/note/createdAt /data/note/id /data/note/public"},
		{"an id that is no string", fields{"id": 7, "specversion": 1.0, "data": fields{"customerUid": "ada", "text": "x"}}, "/id /specversion"},
		{"longer than can be asked for", fields{"type": "order.shipped", "data": fields{"orderCode": long, "customerUid": long}}, "/data/customerUid /data/orderCode"},
		{"blank", fields{"type": "order.shipped", "data": fields{"orderCode": " "}}, "/data/orderCode"},
		{"a code of the wrong type in other letters", fields{"type": "order.shipped", "data": fields{"OrderCode": 7}}, "/data/OrderCode"},
		{"an order that is none", fields{"type": "order.shipped", "data": fields{"orderCode": "1", "order": []string{"s3cret"}}}, "/data/order"},
		{"data twice", fields{"data": fields{"customerUid": "ada", "text": "x"}, "data_base64": "e30="}, "/data_base64"},
		{"base64 of no JSON", fields{"data_base64": "s3cret"}, "/data_base64"},
		{"data that is no object", fields{"data": "s3cret"}, "/data"},
		{"another version", fields{"specversion": "1.1", "data": fields{"customerUid": "ada", "text": "x"}}, "/specversion"},
	}
	inRig(t, func(r *rig) {
		for _, test := range tests {
			e := r.event("message.requested", nil)
			delete(e, "data")
			maps.Copy(e, test.event)
			_, faults, err := r.read(e)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Pointer)
				if strings.Contains(f.Detail, "s3cret") || strings.Contains(f.Detail, "1e") {
					t.Errorf("%s: the value is told: %s", test.name, f.Detail)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%s: %s", test.name, diff)
			}
		}
	})
}

// A sender that writes its fields in another order says nothing else.
func TestADuplicateInAnotherOrderDoesNotDiffer(t *testing.T) {
	inRig(t, func(r *rig) {
		const head = `{"specversion":"1.0","id":"1","source":"/s","type":"order.shipped","time":"2000-01-01t00:00:00z","data":`
		for i, data := range []string{
			`{"orderCode":"1","customerUid":"ada","order":{"code":"1","n":1.10}}`,
			`{ "order": {"n":1.10, "code":"1"}, "customerUid":"ada", "orderCode":"1" }`,
		} {
			read, faults, err := r.read(json.RawMessage(head + data + "}"))
			if err != nil || len(faults) > 0 {
				t.Fatal(err, faults)
			}
			st, err := r.in.Accept(context.Background(), read)
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"accepted", "duplicate"}[i]; st[0].Status != want || st[0].Differs {
				t.Errorf("got %+v, want %s that does not differ", st[0], want)
			}
		}
	})
}

// An order that came along tells whose it is at the door: nothing overtakes it.
func TestAnOrderThatComesAlongKeepsItsCustomersOrder(t *testing.T) {
	inRig(t, func(r *rig) {
		r.link("ada", "a", "api")
		r.shop.delay["100"] = time.Second
		r.post(
			r.event("order.shipped", fields{"orderCode": "100", "order": fields{"code": "100", "user": fields{"uid": "ada"}}}),
			r.event("message.requested", fields{"customerUid": "ada", "text": "second"}),
		)
		synctest.Wait()
		var types []core.EventType
		for _, m := range r.out.messages() {
			types = append(types, m.Type)
		}
		if diff := cmp.Diff([]core.EventType{"order.shipped", "message.requested"}, types); diff != "" {
			t.Error(diff)
		}
	})
}
