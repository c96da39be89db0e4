package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

const testKey = "key-0123456789"

// fake is a gateway that gives prepared answers and notes what it was asked.
type fake struct {
	url     string
	asked   []string // "METHOD path?query"
	bodies  []string
	medias  []string
	answers []answer // in order; the last one is given again
}

type answer struct {
	status int
	body   string
	header map[string]string
}

func newFake(t *testing.T, answers ...answer) *fake {
	t.Helper()
	f := &fake{answers: answers}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.asked = append(f.asked, r.Method+" "+r.URL.RequestURI())
	f.bodies, f.medias = append(f.bodies, string(body)), append(f.medias, r.Header.Get("Content-Type"))
	a := f.answers[min(len(f.asked), len(f.answers))-1]
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if a.status >= 400 {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if r.Header.Get("Authorization") != "Bearer "+testKey {
		a = answer{status: 401, body: `{"title":"Unauthorized"}`}
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// run runs a command against the fake, with its key.
func (f *fake) run(t *testing.T, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Setenv(keyVariable, testKey)
	t.Setenv(serverVariable, f.url+"/")
	return run(stdin, args...)
}

func run(stdin string, args ...string) (stdout, stderr string, err error) {
	root := &cobra.Command{Use: "tidings", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(Commands()...)
	var out, errs bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	err = root.Execute()
	return out.String(), errs.String(), err
}

func isUsage(err error) bool {
	var usage *UsageError
	return errors.As(err, &usage)
}

// events are n events, as a file holds them.
func events(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"id":"e-%d","n":12345678901234567890}`, i))
	}
	return all
}

// took is the gateway's answer to some events.
func took(ids ...string) answer {
	a := accepted{Accepted: len(ids)}
	for _, id := range ids {
		a.Events = append(a.Events, acceptedEvent{ID: id, Status: "accepted"})
	}
	raw, _ := json.Marshal(a)
	return answer{status: 202, body: string(raw)}
}

// Events come one, as a list, or one after the other, and go as they are.
func TestSendForms(t *testing.T) {
	one := events(3)
	for name, test := range map[string]struct{ stdin, media, body string }{
		"one":             {one[0], "application/cloudevents+json", one[0]},
		"list of one":     {"[" + one[0] + "]", "application/cloudevents+json", one[0]},
		"list":            {"[" + strings.Join(one, ", ") + "]", "application/cloudevents-batch+json", "[" + strings.Join(one, ",") + "]"},
		"after the other": {strings.Join(one, "\n"), "application/cloudevents-batch+json", "[" + strings.Join(one, ",") + "]"},
	} {
		f := newFake(t, took("e-0"))
		if _, _, err := f.run(t, test.stdin, "send", "-"); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.medias[0] != test.media || f.bodies[0] != test.body {
			t.Errorf("%s: got %s %s, want %s %s", name, f.medias[0], f.bodies[0], test.media, test.body)
		}
	}
}

// Many events go in batches; what came before a failure is told.
func TestSendBatches(t *testing.T) {
	stdin := strings.Join(events(2500), "\n")
	f := newFake(t, took("a", "b"), took("c"), took("d"))
	stdout, _, err := f.run(t, stdin, "send", "-")
	if err != nil || len(f.asked) != 3 || !strings.HasSuffix(stdout, "4 accepted, 0 duplicate, 0 ignored\n") {
		t.Errorf("got %d requests, %v and %s, want 3", len(f.asked), err, stdout)
	}
	f = newFake(t, took("a", "b"), answer{503, `{"detail":"nothing has been taken; try again"}`, map[string]string{"Retry-After": "2"}})
	stdout, _, err = f.run(t, stdin, "send", "-", "--json")
	var got accepted
	if json.Unmarshal([]byte(stdout), &got) != nil || got.Accepted != 2 || len(f.asked) != 2 {
		t.Errorf("got %s, want what the first batch became", stdout)
	}
	if want := "after 2 of 2500 events: nothing has been taken; try again (in 2 s)"; err == nil || err.Error() != want || isUsage(err) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// An event is made of flags.
func TestSendFlags(t *testing.T) {
	f := newFake(t, answer{status: 202, body: `{"events":[{"id":"x","status":"duplicate","differs":true,"warnings":["odd"]}]}`})
	stdout, _, err := f.run(t, "", "send", "--type", "message.requested", "--id", "x", "--customer", "a@b", "--text", "Hi", "--purpose", "service",
		"--order", "7", "--time", "2026-11-22T10:00:00+01:00", "--data", `{"site":"toys"}`)
	if want := "x: duplicate of an event with other contents; it stays as it was\n  warning: odd\n"; err != nil || stdout != want {
		t.Errorf("got %v and %q, want %q", err, stdout, want)
	}
	want := `{"data":{"customerUid":"a@b","orderCode":"7","purpose":"service","site":"toys","text":"Hi"},` +
		`"id":"x","source":"/tidings/send","specversion":"1.0","time":"2026-11-22T09:00:00Z","type":"message.requested"}`
	if diff := cmp.Diff(want, f.bodies[0]); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if _, _, err = f.run(t, "", "send", "--type", "message.requested", "--expires-in", "24h"); err != nil {
		t.Fatal(err)
	}
	var made struct {
		ID   string
		Data struct{ ExpiresAt time.Time }
	}
	if err := json.Unmarshal([]byte(f.bodies[1]), &made); err != nil || len(made.ID) < 20 || time.Until(made.Data.ExpiresAt) < 23*time.Hour {
		t.Errorf("got %s, want an id of its own and an expiry", f.bodies[1])
	}
}

// list is a page of messages from one id down.
func list(from, n int, next string) answer {
	var items []string
	for i := range n {
		items = append(items, fmt.Sprintf(`{"id":"%d","state":"sent"}`, from-i))
	}
	after := "null"
	if next != "" {
		after = `"` + next + `"`
	}
	return answer{status: 200, body: `{"items":[` + strings.Join(items, ",") + `],"next":` + after + `}`}
}

// A long list is asked for page by page, and no more than is wanted.
func TestPaging(t *testing.T) {
	for name, test := range map[string]struct {
		args    []string
		answers []answer
		want    []string
		shown   int
		next    string
	}{
		"one page":    {nil, []answer{list(3, 3, "")}, []string{"limit=50"}, 3, ""},
		"limit":       {[]string{"--limit", "2"}, []answer{list(9, 2, "c1")}, []string{"limit=2"}, 2, "c1"},
		"several":     {[]string{"--limit", "250"}, []answer{list(900, 200, "c1"), list(700, 50, "c2")}, []string{"limit=200", "cursor=c1&limit=50"}, 250, "c2"},
		"all":         {[]string{"--all", "--limit", "1"}, []answer{list(900, 200, "c1"), list(700, 200, "c2"), list(500, 1, "")}, []string{"limit=200", "cursor=c1&limit=200", "cursor=c2&limit=200"}, 401, ""},
		"from cursor": {[]string{"--cursor", "c7"}, []answer{list(9, 1, "")}, []string{"cursor=c7&limit=50"}, 1, ""},
	} {
		f := newFake(t, test.answers...)
		stdout, _, err := f.run(t, "", append([]string{"messages", "list", "--json"}, test.args...)...)
		var got page
		if err != nil || json.Unmarshal([]byte(stdout), &got) != nil {
			t.Errorf("%s: got %v and %s", name, err, stdout)
			continue
		}
		next := ""
		if got.Next != nil {
			next = *got.Next
		}
		if len(got.Items) != test.shown || next != test.next {
			t.Errorf("%s: got %d messages and next %q, want %d and %q", name, len(got.Items), next, test.shown, test.next)
		}
		for i, want := range test.want {
			if want = "GET /v1/messages?" + want; f.asked[i] != want {
				t.Errorf("%s: got %s, want %s", name, f.asked[i], want)
			}
		}
	}
}

// Filters go to the gateway, times as it takes them.
func TestFilters(t *testing.T) {
	f := newFake(t, list(0, 0, ""))
	_, _, err := f.run(t, "", "messages", "list", "--customer", "a+b@c", "--order", "1", "--event", "e", "--channel", "x", "--state", "failed",
		"--class", "Rejected", "--since", "2026-11-22T10:00:00+01:00", "--until", "2026-11-22T10:00:00Z")
	want := "GET /v1/messages?channel=x&class=Rejected&customer=a%2Bb%40c&event=e&limit=50&order=1&since=2026-11-22T09%3A00%3A00Z&state=failed&until=2026-11-22T10%3A00%3A00Z"
	if err != nil || f.asked[0] != want {
		t.Errorf("got %v and %s, want %s", err, f.asked[0], want)
	}
	f = newFake(t, answer{status: 200, body: `{"retried":1,"skipped":2}`})
	stdout, _, err := f.run(t, "", "messages", "retry", "--class", "Misconfigured", "--channel", "x", "--since", "2026-11-22T10:00:00Z")
	if want := "1 message retried, 2 had changed meanwhile and were left alone\n"; err != nil || stdout != want {
		t.Errorf("got %v and %q, want %q", err, stdout, want)
	}
	if want := "POST /v1/messages/retry?channel=x&class=Misconfigured&since=2026-11-22T10%3A00%3A00Z"; f.asked[0] != want {
		t.Errorf("got %s, want %s", f.asked[0], want)
	}
}

// Whatever a customer is called, the request is about them.
func TestPaths(t *testing.T) {
	for uid, want := range map[string]string{
		"ines@example.com": "ines@example.com", "a/b|c d": "a%2Fb%7Cc%20d", "..": "%2E%2E", "?x#y": "%3Fx%23y", "%2F": "%252F",
	} {
		f := newFake(t, answer{status: 200, body: `{}`})
		if _, _, err := f.run(t, "", "customers", "show", "--", uid); err != nil || f.asked[0] != "GET /v1/customers/"+want {
			t.Errorf("%q: got %v and %s, want %s", uid, err, f.asked[0], want)
		}
	}
	f := newFake(t, answer{status: 204})
	stdout, _, err := f.run(t, "", "customers", "unlink", "a/b", "my/channel", "--json")
	if err != nil || stdout != "{}\n" || f.asked[0] != "DELETE /v1/customers/a%2Fb/addresses/my%2Fchannel" {
		t.Errorf("got %v, %q and %s", err, stdout, f.asked[0])
	}
}

// What customers and platforms wrote cannot steer the terminal it is shown on.
func TestTerminal(t *testing.T) {
	evil := `\u001b]0;owned\u0007\u001b[31m\u202e\u009b2J\r`
	bodies := map[string]string{
		"messages show 1":  `{"id":"` + evil + `","state":"` + evil + `","why":"` + evil + `","event":"` + evil + `","address":"` + evil + `","parts":[{"text":"a` + evil + `\nb","attempts":[{"text":"` + evil + `"}]}]}`,
		"messages list":    `{"items":[{"id":"1","customer":"` + evil + `","why":"` + evil + `"}],"next":null}`,
		"customers show x": `{"uid":"` + evil + `","name":"` + evil + `","links":[{"address":"` + evil + `","evidence":"` + evil + `"}]}`,
		"doctor":           `{"healthy":true,"version":"` + evil + `","findings":[{"says":"` + evil + `","do":"` + evil + `"}],"channels":[{"name":"` + evil + `","why":"` + evil + `"}]}`,
		"messages retry 1": `{"id":"` + evil + `","state":"` + evil + `"}`,
	}
	for command, body := range bodies {
		stdout, stderr, err := newFake(t, answer{status: 200, body: body}).run(t, "", strings.Fields(command)...)
		if err != nil || stdout == "" {
			t.Errorf("%s: got %v and %q", command, err, stdout)
		}
		if strings.ContainsAny(stdout+stderr, "\x1b\x07\r\u009b\u202e") {
			t.Errorf("%s: got %q, want no control characters", command, stdout)
		}
	}
	_, _, err := newFake(t, answer{status: 409, body: `{"detail":"` + evil + `"}`}).run(t, "", "messages", "show", "1")
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\r") {
		t.Errorf("got %q, want no control characters", err)
	}
}

// The key comes from a flag, a file or the environment, and goes nowhere else.
func TestKey(t *testing.T) {
	ok := answer{status: 200, body: `{}`}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--key", testKey}, {"--key-file", file}} {
		f := newFake(t, ok)
		t.Setenv(keyVariable, "another")
		t.Setenv(serverVariable, "http://127.0.0.1:1")
		if _, _, err := run("", append([]string{"customers", "show", "x", "--server", f.url}, args...)...); err != nil {
			t.Errorf("%s: %v", args[0], err)
		}
	}
	elsewhere := newFake(t, ok)
	for _, a := range []answer{
		{302, "", map[string]string{"Location": elsewhere.url, "Content-Type": "text/html"}},
		{200, "<html>", map[string]string{"Content-Type": "text/html"}},
		{200, "{", nil},
		{502, "<html>", map[string]string{"Content-Type": "text/html"}},
		{200, `[1]`, nil},
	} {
		_, _, err := newFake(t, a).run(t, "", "customers", "show", "x")
		if err == nil || isUsage(err) || strings.Contains(err.Error(), testKey) {
			t.Errorf("status %d: got %v, want that this is no gateway", a.status, err)
		}
	}
	if len(elsewhere.asked) > 0 {
		t.Error("a redirect was followed, want the key to stay")
	}
}

// What is wrong with a request is wrong usage, from here and from there; what
// failed is not.
func TestWrongUsage(t *testing.T) {
	lines := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(lines, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"customers show x --key a --key-file b", "customers show x --key-file /nowhere", "customers show x --key-file " + lines,
		"customers show x --server nonsense", "customers show x --server ftp://x", "customers show x --server http://a:b@c",
		"customers preferences x --none --no-wish", "customers erase x", "customers link a b c --last-wrote-at x",
		"messages retry", "messages retry 1 --all", "messages retry --all --class Rejected", "messages list --until x", "messages list --limit 0",
		"send", "send - --type x", "send -", "send /nowhere", "send --type x --data []", "send --type x --data null", "send --type x --time y",
	} {
		if _, _, err := newFake(t, answer{status: 200, body: `{}`}).run(t, "", strings.Fields(command)...); !isUsage(err) {
			t.Errorf("%s: got %v, want wrong usage", command, err)
		}
	}
	t.Setenv(keyVariable, " ")
	if _, _, err := run("", "doctor"); !isUsage(err) {
		t.Errorf("without a key: got %v, want wrong usage", err)
	}
	for status, want := range map[int]bool{400: true, 413: true, 415: true, 422: true, 401: false, 403: false, 404: false, 409: false, 500: false, 503: false} {
		_, _, err := newFake(t, answer{status: status, body: `{"title":"No"}`}).run(t, "", "messages", "show", "1")
		if err == nil || isUsage(err) != want {
			t.Errorf("status %d: got %v, wrong usage %v, want %v", status, err, isUsage(err), want)
		}
	}
	_, _, err := newFake(t, answer{status: 422, body: `{"detail":"2 things","errors":[{"pointer":"/a","detail":"b"},{"parameter":"c","detail":"d"}]}`}).run(t, "", "messages", "list")
	if want := "2 things\n  /a: b\n  c: d"; err == nil || err.Error() != want {
		t.Errorf("got %v, want all faults: %s", err, want)
	}
}

// An export is written to a new file that nobody else can read.
func TestExportFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ines.json")
	f := newFake(t, answer{status: 200, body: `{"customer":{}}`})
	if _, _, err := f.run(t, "", "customers", "export", "ines", "--output", path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v and %v, want mode 0600", info, err)
	}
	if _, _, err := f.run(t, "", "customers", "export", "ines", "--output", path); !isUsage(err) {
		t.Errorf("over an old file: got %v, want wrong usage", err)
	}
}

// What the doctor cannot tell is told so, and what it can of several replicas.
func TestDoctor(t *testing.T) {
	f := newFake(t, answer{status: 200, body: `{"healthy":false,"at":"2026-11-22T10:00:00Z","version":"1","ready":{"ok":false,"why":"starting"},
		"conservation":null,"waiting":null,"deadLetters":null,"channels":[],"lanes":{"loaded":1,"pools":[{"name":"out/x","busy":2}]},
		"replicas":[{"id":"a","self":true,"version":"1","shards":{"owned":2,"all":4}},{"id":"b","version":"2","shards":{"owned":2,"all":4},"heardAt":"2026-11-22T10:00:00Z"}],
		"findings":[{"level":"fault","says":"it is bad","do":"make it good"}]}`})
	stdout, _, err := f.run(t, "", "doctor")
	if err == nil || isUsage(err) {
		t.Errorf("got %v, want a failure", err)
	}
	for _, want := range []string{"NOT well", "FAULT: it is bad\n  do: make it good\n", "ready    no: starting\n", "waiting  unknown\n", "at work: out/x 2", "a        1        2 of 4  it answers\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("got %s, want %q", stdout, want)
		}
	}
	f = newFake(t, answer{status: 200, body: `{"healthy":true,"waiting":{"messages":20000,"complete":false,"oldest":{"id":"7","channel":"x","ageSeconds":90}},
		"deadLetters":{"complete":false,"items":[{"state":"failed","class":"Rejected","count":5000}]},"channels":[{"name":"x","works":true,"waiting":10000}]}`})
	stdout, _, err = f.run(t, "", "doctor")
	if err != nil {
		t.Errorf("got %v, want it well", err)
	}
	for _, want := range []string{"20000 messages, the oldest (7, on x) for 1m30s or longer", "10000+", "5000+"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("got %s, want %q", stdout, want)
		}
	}
	_, _, err = newFake(t, answer{status: 404, body: `{}`}).run(t, "", "doctor")
	if err == nil || !strings.Contains(err.Error(), "earlier version") {
		t.Errorf("got %v, want that it is of an earlier version", err)
	}
}

// Times are those of this machine, or how long ago.
func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"90m": now.Add(-90 * time.Minute), "2h": now.Add(-2 * time.Hour), "3d": now.AddDate(0, 0, -3),
		"2026-11-20": time.Date(2026, 11, 20, 0, 0, 0, 0, time.Local), "2026-11-20 15:04": time.Date(2026, 11, 20, 15, 4, 0, 0, time.Local),
		"2026-11-20T15:04:05+01:00": time.Date(2026, 11, 20, 14, 4, 5, 0, time.UTC),
	} {
		if got, err := when("--since", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %s and %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-2h", "22.11.2026", "99999d"} {
		if got, err := when("--since", text, now); !isUsage(err) {
			t.Errorf("%q: got %s and %v, want wrong usage", text, got, err)
		}
	}
}
