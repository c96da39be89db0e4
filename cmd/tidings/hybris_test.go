package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestHybrisGuide runs the lines that the emulated shop prints for a shell.
func TestHybrisGuide(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl on this machine")
	}
	p := runProcess(t, "sandbox", "hybris", "--listen", "127.0.0.1:0", "--site", "teashop", "--customer", "ines+tea@example.com")
	eventually(t, "the shop says where it is", func() error {
		if !strings.HasSuffix(p.says(), "/_control\n") {
			return os.ErrNotExist
		}
		return nil
	})
	var script []string
	for _, line := range strings.Split(p.says(), "\n") {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "TOKEN=") || strings.HasPrefix(line, "curl ") {
			script = append(script, line)
		}
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-euc", strings.ReplaceAll(strings.Join(script, "\n"), "curl ", "curl -sS ")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := strings.Count(string(out), `"code":"00417001"`); got != 2 || strings.Count(string(out), `"code":"00417002"`) != 1 || strings.Contains(string(out), "errors") {
		t.Errorf("got %s, want the customer's order twice and the guest's once", out)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("SIGTERM: got exit code %d, want 0", code)
	}
}
