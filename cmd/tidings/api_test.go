package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	structured = "application/cloudevents+json"
	batch      = "application/cloudevents-batch+json"
)

// body is v as JSON.
func body(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// keys are the names of a JSON object, sorted.
func keys(o obj) []string {
	all := []string{}
	for name := range o {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// TestEventForms: an event comes in each of the forms of CloudEvents, and the
// answer is the contract's to the letter.
func TestEventForms(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	shipped := func(id string) obj {
		return cloudEvent(id, "order.shipped", obj{"orderCode": p.order, "customerUid": p.uid})
	}
	plain, _ := json.Marshal(obj{"orderCode": p.order, "customerUid": p.uid})
	for name, test := range map[string]struct {
		body    string
		headers []header
		ids     []string
	}{
		"structured":         {body(t, shipped("f-1")), []header{{"Content-Type", structured}}, []string{"f-1"}},
		"structured charset": {body(t, shipped("f-2")), []header{{"Content-Type", structured + "; charset=utf-8"}}, []string{"f-2"}},
		"batch":              {body(t, []obj{shipped("f-3"), shipped("f-4")}), []header{{"Content-Type", batch}}, []string{"f-3", "f-4"}},
		"empty batch":        {"[]", []header{{"Content-Type", batch}}, nil},
		"plain":              {body(t, shipped("f-5")), nil, []string{"f-5"}},
		"binary": {string(plain), []header{
			{"Ce-Specversion", "1.0"}, {"Ce-Id", "f-6"}, {"Ce-Source", "/shop/electronics"}, {"Ce-Type", "order.shipped"}, {"Ce-Time", "2026-11-22T10:00:00Z"},
		}, []string{"f-6"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			status, h, raw := w.ask(http.MethodPost, w.api("/v1/events"), test.body, test.headers...)
			if status != http.StatusAccepted || h.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Fatalf("got status %d %q: %s, want 202", status, h.Get("Content-Type"), raw)
			}
			var got obj
			decode(t, raw, &got)
			if diff := cmp.Diff([]string{"accepted", "duplicates", "events", "ignored"}, keys(got)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			events := []any{}
			for _, id := range test.ids {
				events = append(events, obj{"id": id, "status": "accepted", "warnings": []any{}, "differs": false})
			}
			want := obj{"accepted": float64(len(test.ids)), "duplicates": 0.0, "ignored": 0.0, "events": events}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// in is the world for a part of a test.
func (w *world) in(t *testing.T) *world {
	part := *w
	part.T = t
	return &part
}

// TestDuplicates: source and id make an event; what comes again does nothing.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.customer(1)
	w.vouch(telegramName, p)
	first := cloudEvent("d-1", "message.requested", obj{"customerUid": p.uid, "text": "Hello"})
	other := cloudEvent("d-1", "message.requested", obj{"customerUid": p.uid, "text": "Goodbye"})
	elsewhere := cloudEvent("d-1", "message.requested", obj{"customerUid": p.uid, "text": "From elsewhere"})
	elsewhere["source"] = "/shop/apparel"
	for i, test := range []struct {
		events  []obj
		want    string
		differs []bool
	}{
		{[]obj{first}, "accepted", []bool{false}},
		{[]obj{first}, "duplicate", []bool{false}},
		{[]obj{other}, "duplicate", []bool{true}},
		{[]obj{first, other}, "duplicate duplicate", []bool{false, true}},
		{[]obj{elsewhere}, "accepted", []bool{false}},
		{[]obj{elsewhere, first}, "duplicate duplicate", []bool{false, false}},
		{[]obj{cloudEvent("d-2", "message.requested", obj{"customerUid": p.uid, "text": "Twice"}), cloudEvent("d-2", "message.requested", obj{"customerUid": p.uid, "text": "Twice"})},
			"accepted duplicate", []bool{false, false}},
	} {
		var got acceptAnswer
		w.want(http.StatusAccepted, http.MethodPost, "/v1/events", test.events, &got, header{"Content-Type", batch})
		var statuses []string
		var differs []bool
		for _, e := range got.Events {
			statuses, differs = append(statuses, e.Status), append(differs, e.Differs)
		}
		if strings.Join(statuses, " ") != test.want || !slices.Equal(differs, test.differs) {
			t.Errorf("case %d: got %v, differs %v, want %q, differs %v", i, statuses, differs, test.want, test.differs)
		}
		if got.Accepted+got.Duplicates != len(test.events) || got.Accepted != strings.Count(test.want, "accepted") {
			t.Errorf("case %d: got %d accepted and %d duplicates, want %q", i, got.Accepted, got.Duplicates, test.want)
		}
	}
	w.quiet()
	if diff := cmp.Diff([]string{"Hello", "From elsewhere", "Twice"}, w.texts(telegramName, p)); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	var problem struct {
		Status  int
		Sources []string
	}
	w.want(http.StatusConflict, http.MethodGet, "/v1/events/d-1", nil, &problem)
	if diff := cmp.Diff([]string{"/shop/apparel", "/shop/electronics"}, problem.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	var one struct{ Source, State, Route, Customer string }
	w.want(http.StatusOK, http.MethodGet, "/v1/events/d-1?source="+url.QueryEscape("/shop/apparel"), nil, &one)
	if one.Source != "/shop/apparel" || one.State != "routed" || one.Route != "everyone" || one.Customer != p.uid {
		t.Errorf("got event %+v, want the one of apparel, routed by everyone", one)
	}
	w.want(http.StatusNotFound, http.MethodGet, "/v1/events/none", nil, nil)
}

// TestUnknownTypes are taken, ignored, and told about.
func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	w := start(t)
	for typ, want := range map[string][]string{
		"order.shiped":                 {"unknown type order.shiped; did you mean order.shipped"},
		"customer.renammed":            {"unknown type customer.renammed; did you mean customer.renamed"},
		"com.example.weather.forecast": {"unknown type com.example.weather.forecast"},
	} {
		var got acceptAnswer
		w.want(http.StatusAccepted, http.MethodPost, "/v1/events", cloudEvent("u-"+typ, typ, obj{"orderCode": "1"}), &got)
		if got.Ignored != 1 || len(got.Events) != 1 || got.Events[0].Status != "ignored" {
			t.Errorf("%s: got %+v, want it ignored", typ, got)
			continue
		}
		if diff := cmp.Diff(want, got.Events[0].Warnings); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", typ, diff)
		}
		var e struct{ State string }
		w.want(http.StatusOK, http.MethodGet, "/v1/events/"+url.PathEscape("u-"+typ), nil, &e)
		if e.State != "ignored" {
			t.Errorf("%s: got state %q, want ignored", typ, e.State)
		}
	}
}

// problemAnswer is an RFC 9457 problem.
type problemAnswer struct {
	Type, Title, Detail string
	Status              int
	Errors              []struct{ Pointer, Parameter, Detail string }
}

func (p problemAnswer) pointers() []string {
	all := []string{}
	for _, e := range p.Errors {
		all = append(all, e.Pointer+e.Parameter)
	}
	return all
}

// TestFaultyEvents: nothing of a request with a fault is taken, every fault is
// named, and no value is told back.
func TestFaultyEvents(t *testing.T) {
	t.Parallel()
	w := start(t)
	good := cloudEvent("ok-1", "order.shipped", obj{"orderCode": "1"})
	with := func(id, typ string, data any) obj {
		return obj{"specversion": "1.0", "id": id, "source": "/s", "type": typ, "data": data}
	}
	for name, test := range map[string]struct {
		status   int
		body     any
		media    string
		pointers []string
	}{
		"one bad of four":   {422, []obj{good, good, good, with("b-3", "order.shipped", obj{"customerUid": "x@example.com"})}, batch, []string{"/3/data/orderCode"}},
		"all at once":       {422, []obj{with("", "order.shipped", obj{}), with("b-1", "ticket.status_changed", obj{"status": "sesame"})}, batch, []string{"/0/id", "/0/data/orderCode", "/1/data/ticketId", "/1/data/status"}},
		"no id":             {422, with("", "order.shipped", obj{"orderCode": "1"}), structured, []string{"/id"}},
		"wrong form":        {422, with("b-4", "order.shipped", obj{"orderCode": 417003}), structured, []string{"/data/orderCode"}},
		"no text":           {422, with("b-5", "message.requested", obj{"customerUid": "x@example.com"}), structured, []string{"/data/text"}},
		"strange purpose":   {422, with("b-6", "message.requested", obj{"customerUid": "x", "text": "Hi", "purpose": "sesame"}), structured, []string{"/data/purpose"}},
		"bad time":          {422, obj{"specversion": "1.0", "id": "b-7", "source": "/s", "type": "order.shipped", "time": "sesame", "data": obj{"orderCode": "1"}}, structured, []string{"/time"}},
		"other version":     {422, obj{"specversion": "0.3", "id": "b-8", "source": "/s", "type": "order.shipped", "data": obj{"orderCode": "1"}}, structured, []string{"/specversion"}},
		"not JSON":          {400, "{", structured, []string{}},
		"NUL":               {400, `{"specversion":"1.0","id":"b\u0000","source":"/s","type":"order.shipped","data":{"orderCode":"1"}}`, structured, []string{}},
		"no CloudEvent":     {400, `{"hello":"sesame"}`, "application/json", []string{}},
		"media type":        {415, "<event/>", "application/xml", []string{}},
		"no media type":     {415, good, "", []string{}},
		"form":              {415, "a=b", "application/x-www-form-urlencoded", []string{}},
		"single over 1 MiB": {413, `{"pad":"` + strings.Repeat("x", 1<<20) + `"}`, structured, []string{}},
		"batch over 8 MiB":  {413, `["` + strings.Repeat("x", 8<<20) + `"]`, batch, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			status, h, raw := w.ask(http.MethodPost, w.api("/v1/events"), test.body, header{"Content-Type", test.media})
			if status != test.status || h.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("got status %d %q: %s, want %d as a problem", status, h.Get("Content-Type"), raw, test.status)
			}
			var got problemAnswer
			decode(t, raw, &got)
			if got.Status != test.status || got.Title == "" {
				t.Errorf("got problem %+v, want status %d and a title", got, test.status)
			}
			if diff := cmp.Diff(test.pointers, got.pointers()); diff != "" {
				t.Errorf("pointers (-want +got):\n%s", diff)
			}
			for _, value := range []string{"sesame", "417003", "@example.com"} {
				if strings.Contains(string(raw), value) {
					t.Errorf("got %s, which tells the value back", raw)
				}
			}
		})
	}
	w.want(http.StatusNotFound, http.MethodGet, "/v1/events/ok-1", nil, nil)
}

// TestBigEvents: what is just small enough is taken.
func TestBigEvents(t *testing.T) {
	t.Parallel()
	w := start(t)
	big := cloudEvent("big-1", "order.shipped", obj{"orderCode": "1", "customerUid": "x@example.com", "more": strings.Repeat("x", 1<<20-400)})
	w.want(http.StatusAccepted, http.MethodPost, "/v1/events", big, nil)
	var all []obj
	for i := range 1000 {
		all = append(all, cloudEvent(fmt.Sprintf("many-%d", i), "order.shiped", obj{"orderCode": "1"}))
	}
	var got acceptAnswer
	w.want(http.StatusAccepted, http.MethodPost, "/v1/events", all, &got, header{"Content-Type", batch})
	if got.Ignored != 1000 {
		t.Errorf("got %d ignored, want 1000", got.Ignored)
	}
	status, _, _ := w.ask(http.MethodPost, w.api("/v1/events"), append(all, all[0]), header{"Content-Type", batch})
	if status/100 != 4 {
		t.Errorf("1001 events: got status %d, want a refusal", status)
	}
}

// TestWhoMayAsk: a key by Bearer, Basic or OAuth, and its scopes.
func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := func(form string, headers ...header) (int, obj) {
		headers = append([]header{{"Authorization", ""}, {"Content-Type", "application/x-www-form-urlencoded"}}, headers...)
		status, _, raw := w.ask(http.MethodPost, w.api("/oauth/token"), form, headers...)
		var got obj
		decode(t, raw, &got)
		return status, got
	}
	const grant = "grant_type=client_credentials"
	status, granted := token(grant + "&client_id=shop&client_secret=" + apiKey)
	if status != http.StatusOK || granted["token_type"] != "Bearer" || granted["expires_in"] == nil {
		t.Fatalf("token: got %d %v, want a bearer token", status, granted)
	}
	if status, _ := token(grant, basic("shop", apiKey)); status != http.StatusOK {
		t.Errorf("token by Basic: got status %d, want 200", status)
	}
	if status, got := token(grant + "&client_id=reader&client_secret=" + apiKey); status != http.StatusUnauthorized || got["error"] != "invalid_client" {
		t.Errorf("token with another's key: got %d %v, want 401 invalid_client", status, got)
	}
	oauth, _ := granted["access_token"].(string)
	for name, test := range map[string]struct {
		auth   header
		status int
	}{
		"bearer": {bearer(apiKey), 200}, "basic": {basic("shop", apiKey), 200}, "oauth": {bearer(oauth), 200},
		"scope":     {bearer(readerKey), 200},
		"none":      {header{"Authorization", ""}, 401},
		"wrong":     {bearer("x"), 401},
		"half":      {bearer(apiKey[:8]), 401},
		"name":      {basic("reader", apiKey), 401},
		"tampered":  {bearer(oauth[:len(oauth)-2] + "xx"), 401},
		"no scheme": {header{"Authorization", apiKey}, 401},
	} {
		status, h, raw := w.ask(http.MethodGet, w.api("/v1/messages"), nil, test.auth)
		if status != test.status {
			t.Errorf("%s: got status %d: %s, want %d", name, status, raw, test.status)
		}
		if status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: got no WWW-Authenticate, want one", name)
		}
	}
	for _, route := range []struct{ method, path string }{
		{"POST", "/v1/events"}, {"POST", "/v1/explain"}, {"POST", "/v1/opt-ins"}, {"GET", "/v1/customers/x"},
		{"PUT", "/v1/customers/x/preferences"}, {"PUT", "/v1/customers/x/addresses/slack"}, {"DELETE", "/v1/customers/x/addresses/slack"},
	} {
		if status, _, raw := w.ask(route.method, w.api(route.path), "{}", bearer(readerKey)); status != http.StatusForbidden {
			t.Errorf("%s %s with the scope messages: got status %d: %s, want 403", route.method, route.path, status, raw)
		}
	}
}

func basic(name, key string) header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(name, key)
	return header{"Authorization", r.Header.Get("Authorization")}
}
