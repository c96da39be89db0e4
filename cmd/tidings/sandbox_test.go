package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sandbox is a running tidings sandbox, met as its page does.
type sandbox struct {
	*world
	*process
	base string
}

// openSandbox starts a sandbox and waits for the URL that it prints.
func openSandbox(t *testing.T, args ...string) *sandbox {
	t.Helper()
	s := &sandbox{world: &world{T: t, client: &http.Client{}}}
	t.Cleanup(s.client.CloseIdleConnections)
	s.process = runProcess(t, append([]string{"sandbox", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
	eventually(t, "the sandbox prints its URL", func() error {
		_, rest, found := strings.Cut(s.says(), "http://")
		if s.base = "http://" + strings.TrimSpace(rest); !found || !strings.HasSuffix(rest, "\n") {
			return fmt.Errorf("got %q", s.says())
		}
		return nil
	})
	if got := strings.Count(s.says(), "\n"); got != 1 {
		t.Errorf("got %q, want one line with one URL", s.says())
	}
	return s
}

func (s *sandbox) get(path string, out any) { s.world.Helper(); s.do(http.MethodGet, path, nil, out) }
func (s *sandbox) post(path string, in, out any) {
	s.world.Helper()
	s.do(http.MethodPost, path, in, out)
}

func (s *sandbox) do(method, path string, in, out any) {
	s.world.Helper()
	status, _, body := s.ask(method, s.base+path, in)
	if status/100 != 2 {
		s.world.Fatalf("%s %s: got status %d: %s, want success", method, path, status, body)
	}
	decode(s.world.T, body, out)
}

// chat is what somebody sees in a chat, in words.
func (s *sandbox) chat(channel, chat string) string {
	s.world.Helper()
	var shown struct {
		Items []struct {
			Text string
			Raw  any
		}
	}
	s.get("/_sandbox/"+channel+"/shown?to="+url.QueryEscape(chat), &shown)
	return fmt.Sprint(shown.Items)
}

// await waits until a chat shows a text.
func (s *sandbox) await(channel, chat, text string) {
	s.world.Helper()
	eventually(s.world.T, fmt.Sprintf("%s shows %q", channel, text), func() error {
		if all := s.chat(channel, chat); !strings.Contains(all, text) {
			return fmt.Errorf("got %s", all)
		}
		return nil
	})
}

// ticketOf waits for the ticket about an order.
func (s *sandbox) ticketOf(order string) (id string) {
	s.world.Helper()
	eventually(s.world.T, "there is a ticket about order "+order, func() error {
		var desk struct{ Items []struct{ ID, Order string } }
		s.get("/_sandbox/shop/tickets", &desk)
		for _, t := range desk.Items {
			if t.Order == order {
				id = t.ID
				return nil
			}
		}
		return errors.New("got none")
	})
	return id
}

// TestSandboxFolder: a start removes the database of the world before it, and
// nobody else's.
func TestSandboxFolder(t *testing.T) {
	t.Parallel()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(dir, says string) {
		t.Helper()
		exit, _, stderr := tidings(t, "sandbox", "--listen", "127.0.0.1:0", "--data", dir)
		if exit != 2 || !strings.Contains(stderr, says) {
			t.Errorf("got exit code %d and %q, want 2 and %q", exit, stderr, says)
		}
	}
	for _, name := range []string{"tidings.db", "tidings.yaml"} {
		dir := t.TempDir()
		write(filepath.Join(dir, name), "of a real gateway")
		refused(dir, name)
		if raw, err := os.ReadFile(filepath.Join(dir, name)); string(raw) != "of a real gateway" {
			t.Errorf("%s: got %q, %v, want it as it was", name, raw, err)
		}
	}

	dir := t.TempDir()
	s := openSandbox(t, "--data", dir)
	before, err := os.ReadFile(filepath.Join(dir, "tidings.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	refused(dir, "another sandbox")
	if after, err := os.ReadFile(filepath.Join(dir, "tidings.yaml")); string(after) != string(before) {
		t.Errorf("got another configuration (%v), want that of the sandbox that is open", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "tidings.db")); err != nil {
		t.Errorf("got %v, want the database of the sandbox that is open", err)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("SIGTERM: got exit code %d, want 0", code)
	}
	openSandbox(t, "--data", dir).get("/_sandbox/world", nil)
}
