package web_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/inbound"
	"tidings/core/intake"
	"tidings/core/lane"
	"tidings/core/render"
	"tidings/core/route"
	"tidings/core/seal"
	"tidings/core/store"
	"tidings/core/web"
)

// The keys of the tests.
const (
	fullKey   = "key-of-the-shop-0123456789"
	eventsKey = "key-for-events-0123456789"
)

// fakeChannel is a platform that takes everything, unless told otherwise.
type fakeChannel struct {
	limits core.Limits

	mu   sync.Mutex
	err  error
	sent []string

	login *fakeLogin // nil: none
}

func (f *fakeChannel) Limits() core.Limits { return f.limits }
func (f *fakeChannel) Close() error        { return nil }

func (f *fakeChannel) Send(_ context.Context, _ core.Address, p core.Part) (core.Sent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return core.Sent{}, f.err
	}
	f.sent = append(f.sent, p.Plain())
	return core.Sent{ID: fmt.Sprintf("p%d", len(f.sent))}, nil
}

func (f *fakeChannel) answer(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// linkChannel is opened by a link and calls back, with a secret in a header.
type linkChannel struct{ *fakeChannel }

func (linkChannel) CheckAddress(value string) string {
	if value == "nobody" {
		return "must be somebody"
	}
	return ""
}

func (linkChannel) Invite(token string) core.Invitation {
	return core.Invitation{URL: "https://chat.example/start?ref=" + token, Extra: map[string]string{"appId": "99"}}
}

func (linkChannel) Decode(_ context.Context, cb core.Callback) (core.Reply, []core.Update, error) {
	switch {
	case cb.Header.Get("X-Secret") == "panic":
		panic("a customer's name")
	case cb.Header.Get("X-Secret") == "broken":
		return core.Reply{}, nil, errors.New("broken")
	case cb.Method == http.MethodGet && cb.Query["verify"] == nil:
		return core.Reply{}, nil, core.ErrForbidden
	case cb.Method == http.MethodGet:
		return core.Reply{Body: []byte(cb.Query["challenge"][0])}, nil, nil
	case cb.Header.Get("X-Secret") != "s3cret":
		return core.Reply{}, nil, core.ErrUnauthorized
	}
	var u core.Update
	if err := json.Unmarshal(cb.Body, &u); err != nil {
		u = core.Update{Kind: core.UpdateUnreadable, Raw: cb.Body, Problem: "no JSON"}
	}
	return core.Reply{Status: 202, Header: http.Header{"X-Seen": {"yes"}}}, []core.Update{u}, nil
}

// codeChannel takes a typed code.
type codeChannel struct{ *fakeChannel }

func (codeChannel) CheckAddress(value string) string {
	if value == "everybody" {
		return "must be one person's"
	}
	return ""
}

func (codeChannel) AddressOf(_ context.Context, subject string) (core.Address, error) {
	if subject == "away" {
		return core.Address{}, errors.New("the platform does not answer")
	}
	return core.Address{Value: map[string]string{"7": "43"}[subject]}, nil
}

func (codeChannel) IdentityOf(_ context.Context, _ core.Address) (core.Identity, error) {
	return core.Identity{}, nil
}

func (codeChannel) Invite(string) core.Invitation {
	return core.Invitation{TakesCode: true, How: "send %s to the app", HowIn: map[string]string{"de": "%s an die App schicken"}}
}

// rig is a gateway on a database of its own, in virtual time.
type rig struct {
	t                      *testing.T
	dir                    string // of the database
	server                 *web.Server
	public, internal, both http.Handler
	chat, code, mute       *fakeChannel
	intake                 *intake.Intake
	engine                 *lane.Engine
	dispatcher             *dispatch.Dispatcher
	store                  *store.Store
	log                    *bytes.Buffer
	ping                   error
	ready                  bool
	settings               web.Settings
	doc                    *document
}

// gateway runs a test in virtual time with a gateway.
func gateway(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	doc := readDocument(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.doc = doc
		test(t, r)
	})
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "tidings.db"))
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	r := &rig{t: t, dir: dir, store: st, log: &bytes.Buffer{}, ready: true}
	log := slog.New(slog.NewTextHandler(&lockedWriter{w: r.log}, nil))
	metrics := web.NewMetrics()
	r.engine = lane.New(st, log)
	d := dispatch.New(r.engine, log, metrics.Count)
	d.SetOutlets(r.outlets())
	r.dispatcher = d
	texts, faults := render.New(nil, "en")
	if len(faults) > 0 {
		t.Fatalf("texts: %v", faults)
	}
	r.intake = intake.New(intake.Options{Engine: r.engine, Outbox: d, Wait: time.Minute, Log: log, Count: metrics.Count}, intake.Rules{
		Routes: []route.Rule{{
			Name: "everyone", Channels: []string{"chat", "code"}, Deliver: route.First, Uncertain: route.Repeat, Expires: 72 * time.Hour,
		}},
		Texts: texts, Locale: "en",
	})
	keys, err := seal.NewKeys([]string{base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))})
	if err != nil {
		t.Fatalf("keys: %v", err)
	}
	in := inbound.New(inbound.Options{
		Engine: r.engine, Outbox: d, Events: r.intake, Site: "electronics", Keys: keys,
		Texts:   func() (*render.Texts, string) { return texts, "en" },
		Sibling: func(channel, _ string) (string, bool) { return channel, true }, Log: log, Count: metrics.Count,
	})
	r.engine.Handle(dispatch.Kind, d.Lane())
	r.engine.Handle(intake.CustomerKind, r.intake.Customers())
	r.engine.Handle(intake.OrderKind, r.intake.OrdersWithoutCustomer())
	r.engine.Handle(inbound.ChatKind, in.Chats())
	r.engine.Handle(inbound.ConversationKind, in.Conversations())
	if err := r.engine.Start(t.Context()); err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r.engine.Stop(ctx)
		if err := st.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	r.settings = web.Settings{
		Reader: intake.Reader{},
		APIKeys: []web.APIKey{
			{Name: "shop", Key: fullKey},
			{Name: "feed", Key: eventsKey, Scopes: []string{"events"}},
		},
		PublicURL: "https://notify.example.com", OptInExpires: 24 * time.Hour, DefaultLocale: "en",
		Mail: readMail,
	}
	r.server = web.New(web.Options{
		Engine: r.engine, Intake: r.intake, Dispatcher: d, Inbound: in, Metrics: metrics, Settings: r.settings, Version: "1.2.3", Log: log,
		Ping:  func(context.Context) error { return r.ping },
		Ready: func() (bool, string) { return r.ready, "the migrations are not done" },
	})
	r.public, r.internal, r.both = r.server.Public(), r.server.Internal(), r.server.Both()
	return r
}

func (r *rig) outlets() map[string]*dispatch.Outlet {
	limits := core.Limits{Text: core.Limit{Max: 500, Unit: core.Runes}}
	r.chat = &fakeChannel{limits: limits}
	limits.Delivered, limits.Read, limits.Window = true, true, core.Window{Reply: 24 * time.Hour}
	r.code = &fakeChannel{limits: limits}
	r.mute = &fakeChannel{limits: limits}
	all := map[string]*dispatch.Outlet{}
	for name, c := range map[string]core.Channel{"chat": linkChannel{r.chat}, "code": codeChannel{r.code}, "mute": r.mute} {
		all[name] = dispatch.NewOutlet(dispatch.Settings{Name: name, Type: "fake" + name, Channel: c, Limits: c.Limits(), MisconfiguredAfter: time.Minute})
	}
	return all
}

// lockedWriter lets goroutines write one after the other.
type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// call makes a request with the full key, waits until everything it led to has
// come to rest, and checks the answer against the document.
func (r *rig) call(method, target, body string, headers ...string) answer {
	r.t.Helper()
	return r.on(r.internal, method, target, body, append([]string{"Authorization", "Bearer " + fullKey}, headers...)...)
}

// on makes a request to a handler and checks the answer against the document.
func (r *rig) on(h http.Handler, method, target, body string, headers ...string) answer {
	r.t.Helper()
	a := r.raw(h, method, target, body, headers...)
	r.doc.check(r.t, httptest.NewRequest(method, target, nil), a)
	return a
}

// raw makes a request to a handler.
func (r *rig) raw(h http.Handler, method, target, body string, headers ...string) answer {
	r.t.Helper()
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	synctest.Wait()
	return answer{t: r.t, status: rec.Code, header: rec.Header(), body: rec.Body.Bytes()}
}

// want checks the status.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status: got %d, want %d; body: %s", a.status, status, a.body)
	}
	return a
}

// object reads the body.
func (a answer) object() map[string]any {
	a.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		a.t.Fatalf("body is not a JSON object: %v: %s", err, a.body)
	}
	return m
}

// at follows names and indexes into the body.
func (a answer) at(path ...any) any {
	a.t.Helper()
	var v any = a.object()
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				a.t.Fatalf("%v: there is no entry %d in %s", path, s, a.body)
			}
			v = l[s]
		}
	}
	return v
}

// is checks one value of the body.
func (a answer) is(want any, path ...any) answer {
	a.t.Helper()
	if got := a.at(path...); fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Errorf("%v: got %v, want %v; body: %s", path, got, want, a.body)
	}
	return a
}

// pointers are where the faults are.
func (a answer) pointers() string {
	var all []string
	errs, _ := a.object()["errors"].([]any)
	for _, e := range errs {
		m, _ := e.(map[string]any)
		if p, ok := m["pointer"]; ok {
			all = append(all, fmt.Sprint(p))
		} else {
			all = append(all, fmt.Sprintf("?%v", m["parameter"]))
		}
	}
	return strings.Join(all, " ")
}

// link links ines to an address by the API.
func (r *rig) link(channel, address string) {
	r.t.Helper()
	r.call("PUT", "/v1/customers/ines/addresses/"+channel, `{"address":"`+address+`"}`).want(201)
}

// event is a structured event for ines.
func event(id, text string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/shop","type":"message.requested","data":{"customerUid":"ines","text":%q}}`, id, text)
}

// readMail is a mailbox that takes each e-mail for an answer in the first line's ticket.
func readMail(raw []byte, now time.Time) ([]core.Event, string, error) {
	switch first, text, _ := strings.Cut(string(raw), "\n"); text {
	case "forged":
		return nil, "", errors.New("no answer of an agent to one of our questions")
	case "internal":
		return nil, "it is internal", nil
	default:
		public := true
		return []core.Event{{
			ID: "mail-1", Source: "/tidings/mail", Type: core.TicketNoteAdded, Time: now,
			Data: core.EventData{TicketID: first, Note: &core.EventNote{ID: "mail-1", Text: cmp.Or(text, "Hello"), Public: &public}},
		}}, "", nil
	}
}
