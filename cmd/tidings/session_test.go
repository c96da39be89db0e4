package main_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/emulator"
)

// A session is a text in testdata: what an operator types after "$ " and what they
// get to see, and between, after "# ", what happens in the world meanwhile. With
// -update, what they get to see is written anew.

// session plays a session with the built binary.
func (w *world) session(name string, happens map[string]func()) {
	w.Helper()
	path := filepath.Join("testdata", name)
	raw, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	var got strings.Builder
	for l := range strings.Lines(string(raw)) {
		command, typed := strings.CutPrefix(l, "$ ")
		event, noted := strings.CutPrefix(strings.TrimSpace(l), "# ")
		switch {
		case typed:
			got.WriteString(l + w.typed(command))
		case noted:
			if happens[event] == nil {
				w.Fatalf("%s: nothing is known of %q", name, event)
			}
			happens[event]()
			got.WriteString("\n" + l)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			w.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(raw), got.String()); diff != "" {
		w.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// typed runs a command and returns what it shows, without what differs each time.
func (w *world) typed(command string) string {
	w.Helper()
	args := fieldsOf(command)
	if args[0] != "tidings" {
		w.Fatalf("%q is not a command of ours", command)
	}
	args = append(args[1:], "--server", w.api(""), "--key-file", w.keyFile(apiKey))
	exit, stdout, stderr := tidings(w.T, args...)
	for _, shown := range []string{stdout, stderr} {
		if strings.Contains(shown, apiKey) {
			w.Errorf("tidings %s: the key is shown:\n%s", args, shown)
		}
	}
	for l := range strings.Lines(stderr) {
		stdout += "stderr: " + l
	}
	if exit != 0 {
		stdout += fmt.Sprintf("exit code %d\n", exit)
	}
	return w.timeless(stdout)
}

// timeless puts fixed values in place of those that differ with each run.
func (w *world) timeless(text string) string {
	text = strings.ReplaceAll(text, w.conf.Internal, "127.0.0.1:9090")
	for _, r := range []struct{ what, with string }{
		{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`, "2026-11-22 10:00:00 UTC"},
		{`\d{4}-\d\d-\d\dT[\d:.]+Z`, "2026-11-22T10:00:00Z"},
		{`(platform id +)\S+`, "${1}9001"},
		{`(, on \w+\)) for \S+`, "$1 for 1s"},
		{`(retried: it is) \w+ now`, "$1 queued now"},
	} {
		text = regexp.MustCompile(r.what).ReplaceAllString(text, r.with)
	}
	return text
}

// keyFile is a file that holds a key.
func (w *world) keyFile(key string) string {
	w.Helper()
	path := filepath.Join(w.dir, "key")
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

// fieldsOf splits a command line at blanks outside of quotes.
func fieldsOf(command string) []string {
	quote := rune(0)
	var b strings.Builder
	for _, r := range strings.TrimSpace(command) {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == 0 && unicode.IsSpace(r):
			b.WriteByte(0)
		default:
			b.WriteRune(r)
		}
	}
	return strings.Split(b.String(), "\x00")
}

// forge adds to what was ever accepted of a kind, behind the gateway's back.
func (w *world) forge(kind string, n int) {
	w.Helper()
	db, err := sql.Open("sqlite", "file:"+w.conf.Store+"?_pragma=busy_timeout(5000)")
	if err != nil {
		w.Fatal(err)
	}
	_, err = db.ExecContext(w.Context(), `UPDATE total SET n = n + ? WHERE name = ?`, n, kind)
	if err := errors.Join(err, db.Close()); err != nil {
		w.Fatal(err)
	}
}

// TestOperatorsSession: from an event to the retry of its message, what is told on
// the way, and what the doctor says of a gateway in good and in bad health.
func TestOperatorsSession(t *testing.T) {
	t.Parallel()
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.telegram.Know(p.chats[telegramName])
	w.session("operator.txt", map[string]func(){
		"a shop and a gateway, and nobody linked": func() {},
		"telegram will refuse a message": func() {
			w.telegram.Faults().Add(emulator.Fault{Kind: emulator.ErrorCode, Code: "400 Bad Request: wrong file identifier/HTTP URL specified", Times: 1})
		},
		"what can be done is done":      w.quiet,
		"a message gets lost":           func() { w.forge("messages", 1) },
		"it is found again":             func() { w.forge("messages", -1) },
		"telegram takes our token back": func() { w.telegram.Faults().Add(emulator.Fault{Kind: emulator.ExpireToken}) },
		"telegram has been asked": func() {
			eventually(t, "telegram has answered, and that is on disk", func() error {
				_, _, body := w.ask("GET", w.api("/metrics"), nil)
				all := w.messagesOf("e-3")
				if len(all) != 1 || all[0].Class != "Misconfigured" || !strings.Contains(string(body), `tidings_workers_busy{pool="out/telegram"} 0`) {
					return fmt.Errorf("got %+v", all)
				}
				return nil
			})
		},
		"telegram gives it again": func() {
			w.telegram.Faults().Clear()
			rewrite(w, func(c *conf) { c.Telegram = paceOff + "\n    misconfigured_after: 10m" }, "configuration reloaded")
			w.quiet()
		},
		"the gateway ends": func() {
			if code := w.gateway.stop(); code != 0 {
				t.Errorf("SIGTERM: got exit code %d, want 0", code)
			}
		},
	})
}

// TestOperatorsJSON: --json is what the API answers, and the environment can stand
// in for flags.
func TestOperatorsJSON(t *testing.T) {
	w := start(t, atFullSpeed)
	p := w.customer(1)
	w.vouch(telegramName, p)
	for k := range 3 {
		w.tell(p, words(k))
	}
	w.quiet()
	t.Setenv("TIDINGS_SERVER", w.api("/"))
	t.Setenv("TIDINGS_KEY", apiKey)
	for command, path := range map[string]string{
		"messages list":                 "/v1/messages",
		"messages list --limit 2":       "/v1/messages?limit=2",
		"messages list --customer none": "/v1/messages?customer=none",
		"messages show 2":               "/v1/messages/2",
		"customers show " + p.uid:       "/v1/customers/" + p.uid,
		"customers export " + p.uid:     "/v1/customers/" + p.uid + "/export",
		"doctor":                        "/v1/doctor",
	} {
		exit, stdout, stderr := tidings(t, append(strings.Fields(command), "--json")...)
		if exit != 0 || stderr != "" {
			t.Errorf("tidings %s --json: got exit code %d and %s, want 0", command, exit, stderr)
		}
		var got, want obj
		decode(t, []byte(stdout), &got)
		w.want(http.StatusOK, http.MethodGet, path, nil, &want)
		delete(got, "at")
		delete(want, "at") // when the doctor came
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tidings %s --json (-want +got):\n%s", command, diff)
		}
	}
	for _, test := range []struct{ key, command, says string }{
		{"nobodys-key", "doctor", "does not know this API key"},
		{readerKey, "doctor", "has not the scope admin"},
		{readerKey, "messages show 2", ""},
		{apiKey, "customers erase " + p.uid + " --yes", "not in this version"},
	} {
		t.Setenv("TIDINGS_KEY", test.key)
		exit, stdout, stderr := tidings(t, strings.Fields(test.command)...)
		if want := min(1, len(test.says)); exit != want || !strings.Contains(stderr, test.says) || strings.Contains(stdout+stderr, test.key) {
			t.Errorf("tidings %s: got exit code %d and %s, want %d, %q and no key", test.command, exit, stderr, want, test.says)
		}
	}
}
