package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"
)

// browser is a real Chromium with one page. It is told what to do in the
// DevTools protocol (https://chromedevtools.github.io/devtools-protocol/), over
// two pipes, so it takes no library and no port.
type browser struct {
	t       *testing.T
	send    io.WriteCloser
	session string

	mu      sync.Mutex
	n       int
	waiting map[int]chan cdpMessage
	asked   []string // every URL that the page asked for
	faults  []string // exceptions, and what its console calls an error
}

type cdpMessage struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// openBrowser starts a Chromium, or skips the test where there is none.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	path := findChromium(t)
	dir, err := os.MkdirTemp("", "tidings-browser-") //nolint:usetesting // Chromium's children still write into it when the test ends
	if err != nil {
		t.Fatal(err)
	}
	toRead, send, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	received, toWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
		"--disable-component-update", "--disable-quic", "--no-first-run", "--window-size=1400,1000", "--user-data-dir="+dir, "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{toRead, toWrite}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = toRead.Close(), toWrite.Close() // Chromium's ends
	b := &browser{t: t, send: send, waiting: map[int]chan cdpMessage{}}
	gone := make(chan struct{})
	go func() { b.listen(received); close(gone) }()
	t.Cleanup(func() {
		_ = send.Close() // with its pipe, Chromium ends
		_ = cmd.Wait()   // that it was ended is no news
		<-gone
		eventually(t, "Chromium's folder goes", func() error { return os.RemoveAll(dir) }) // its children end a little later
	})
	b.attach()
	return b
}

func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no Chromium on this machine")
	return ""
}

// attach opens a page, and has it tell what it asks for and what goes wrong.
func (b *browser) attach() {
	var target struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	b.session = target.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.call(domain+".enable", map[string]any{}, nil)
	}
}

// listen takes messages, each of which ends with a NUL, until the pipe ends.
func (b *browser) listen(from io.Reader) {
	in := bufio.NewReader(from)
	for {
		raw, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m cdpMessage
		if json.Unmarshal(bytes.TrimSuffix(raw, []byte{0}), &m) != nil {
			continue
		}
		b.mu.Lock()
		if answer, ok := b.waiting[m.ID]; ok && m.ID > 0 {
			delete(b.waiting, m.ID)
			answer <- m
		}
		b.note(m)
		b.mu.Unlock()
	}
}

// note keeps what a test looks at in the end.
func (b *browser) note(m cdpMessage) {
	var p struct {
		Request          struct{ URL string }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Entry struct{ Level, Text string }
	}
	_ = json.Unmarshal(m.Params, &p) // what is not there is empty
	switch m.Method {
	case "Network.requestWillBeSent":
		b.asked = append(b.asked, p.Request.URL)
	case "Runtime.exceptionThrown":
		b.faults = append(b.faults, p.ExceptionDetails.Text+" "+p.ExceptionDetails.Exception.Description)
	case "Log.entryAdded":
		if p.Entry.Level == "error" {
			b.faults = append(b.faults, p.Entry.Text)
		}
	}
}

func (b *browser) call(method string, params, out any) {
	b.t.Helper()
	if err := b.try(method, params, out); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
}

func (b *browser) try(method string, params, out any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer := make(chan cdpMessage, 1)
	b.mu.Lock()
	b.n++
	m := cdpMessage{ID: b.n, SessionID: b.session, Method: method, Params: raw}
	b.waiting[m.ID] = answer
	b.mu.Unlock()
	if raw, err = json.Marshal(m); err != nil {
		return err
	}
	if _, err := b.send.Write(append(raw, 0)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	select {
	case m = <-answer:
	case <-ctx.Done():
		return ctx.Err()
	}
	if m.Error != nil {
		return errors.New(m.Error.Message)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(m.Result, out)
}

// open leads the page somewhere.
func (b *browser) open(address string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": address}, nil)
}

// run runs a script in the page; what it throws is the error.
func (b *browser) run(script string) (string, error) {
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	err := b.try("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true, "userGesture": true}, &out)
	if err == nil && out.ExceptionDetails != nil {
		err = errors.New(out.ExceptionDetails.Exception.Description)
	}
	return fmt.Sprint(out.Result.Value), err
}

// press presses the visible button or link of this text within a part of the
// page, as soon as it is there.
func (b *browser) press(within, label string) {
	b.t.Helper()
	eventually(b.t, "press "+label, func() error {
		_, err := b.run(fmt.Sprintf(`(() => {
			const all = [...document.querySelectorAll(%q + " button, " + %[1]q + " a, " + %[1]q + " input[type=radio]")].filter((e) => e.checkVisibility() && !e.disabled);
			const found = all.find((e) => (e.textContent || e.labels?.[0]?.textContent || "").trim() === %[2]q);
			if (!found) throw new Error("it has " + all.map((e) => e.textContent).join(" | "));
			found.click();
		})()`, within, label))
		return err
	})
}

// fill writes into a field, as somebody who types.
func (b *browser) fill(field, text string) {
	b.t.Helper()
	eventually(b.t, "fill "+field, func() error {
		_, err := b.run(fmt.Sprintf(`(() => {
			const f = document.querySelector(%q);
			if (!f?.checkVisibility()) throw new Error("it is not there");
			f.focus(); f.value = %q; f.dispatchEvent(new Event("input", { bubbles: true }));
		})()`, field, text))
		return err
	})
}

// sees waits until a part of the page shows a text.
func (b *browser) sees(part, text string) {
	b.t.Helper()
	eventually(b.t, fmt.Sprintf("%s shows %q", part, text), func() error {
		_, err := b.run(fmt.Sprintf(`(() => {
			const shown = [...document.querySelectorAll(%q)].filter((e) => e.checkVisibility()).map((e) => e.innerText).join("\n");
			if (!shown.includes(%q)) throw new Error("it shows " + shown);
		})()`, part, text))
		return err
	})
}

// shows returns what a part of the page shows now.
func (b *browser) shows(part string) string {
	b.t.Helper()
	text, err := b.run(fmt.Sprintf(`[...document.querySelectorAll(%q)].filter((e) => e.checkVisibility()).map((e) => e.innerText).join("\n")`, part))
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// clean reports whatever went wrong, and whatever the page asked another host for.
func (b *browser) clean(base string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		b.t.Errorf("the page: %s", fault)
	}
	home, err := url.Parse(base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, asked := range slices.Compact(slices.Sorted(slices.Values(b.asked))) {
		if u, err := url.Parse(asked); err != nil || u.Host != home.Host && u.Scheme != "data" {
			b.t.Errorf("the page asked for %s, want nothing from elsewhere", asked)
		}
	}
}
