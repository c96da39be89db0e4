package main_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

const example = "../../config.example.yaml"

// wantGolden compares with a file in testdata.
func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// giveEnvironment sets what the example configuration asks of the environment.
func giveEnvironment(t *testing.T) {
	t.Helper()
	raw, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"\$\{([A-Z_]+)\}"`).FindAllStringSubmatch(string(raw), -1) {
		value := "value-of-" + strings.ToLower(m[1])
		switch m[1] {
		case "TIDINGS_OPT_IN_KEY":
			value = optInKey
		case "TELEGRAM_TOKEN":
			value = telegramToken
		}
		t.Setenv(m[1], value)
	}
}

// TestCheckFaulty: every fault at once, each with its line.
func TestCheckFaulty(t *testing.T) {
	t.Parallel()
	exit, stdout, stderr := tidings(t, "check", "--config", "testdata/faulty.yaml")
	if exit != 2 {
		t.Errorf("check: got exit code %d, want 2: %s", exit, stderr)
	}
	wantGolden(t, "faulty.golden", stdout)
	exit, _, stderr = tidings(t, "serve", "--config", "testdata/faulty.yaml")
	if faults := strings.Count(stdout, "\n"); exit != 2 || strings.Count(stderr, "\n  line ") != faults {
		t.Errorf("serve: got exit code %d and %s, want 2 and the same %d faults", exit, stderr, faults)
	}
	exit, stdout, _ = tidings(t, "check", "--json", "--config", "testdata/faulty.yaml")
	var got struct {
		Faults []struct {
			Key, Problem string
			Line         int
		}
	}
	decode(t, []byte(stdout), &got)
	if exit != 2 || len(got.Faults) == 0 || got.Faults[0].Line == 0 {
		t.Errorf("check --json: got exit code %d and %+v, want 2 and the faults", exit, got)
	}
}

// TestCheckExample: the example is right as it stands, given its environment.
func TestCheckExample(t *testing.T) {
	exit, stdout, _ := tidings(t, "check", "--config", example)
	if exit != 2 || !strings.Contains(stdout, "TIDINGS_API_KEY") {
		t.Errorf("without its environment: got exit code %d and %s, want 2 and the names that are missing", exit, stdout)
	}
	giveEnvironment(t)
	exit, stdout, stderr := tidings(t, "check", "--config", example)
	if exit != 0 {
		t.Errorf("got exit code %d and %s%s, want no faults", exit, stdout, stderr)
	}
	if _, err := os.Stat("tidings.db"); err == nil {
		t.Error("check has made a database, want nothing opened")
	}
}

// TestExplain: what would become of an event, without sending.
func TestExplain(t *testing.T) {
	giveEnvironment(t)
	for name, more := range map[string][]string{
		"explain.golden":      nil,
		"explain_vip.golden":  {"--customer", "ceo@bigclient.example"},
		"explain_json.golden": {"--customer", "ceo@bigclient.example", "--json"},
	} {
		exit, stdout, stderr := tidings(t, append([]string{"explain", "--config", example, "--event", "testdata/shipped.json"}, more...)...)
		if exit != 0 {
			t.Errorf("%s: got exit code %d: %s", name, exit, stderr)
		}
		wantGolden(t, name, stdout)
	}
}

// TestUsage: exit codes, and help for everything.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args string
		exit int
		says string
	}{
		{"version", 0, "tidings "},
		{"version --json", 0, `"version"`},
		{"", 0, "tidings sandbox"},
		{"--help", 0, "Available Commands"},
		{"serve --help", 0, "--config"},
		{"check --help", 0, "--config"},
		{"explain --help", 0, "--event"},
		{"sandbox --help", 0, "--listen"},
		{"sandbox telegram --help", 0, "--webhook"},
		{"send --help", 0, "--text"},
		{"messages", 0, "retry"},
		{"messages list --help", 0, "--state"},
		{"customers --help", 0, "unlink"},
		{"doctor --help", 0, "exit code"},
		{"migrate", 2, "not in this version"},
		{"nonsense", 2, "nonsense"},
		{"messages nonsense", 2, "nonsense"},
		{"messages show", 2, "arg"},
		{"messages list --key x --limit 0", 2, "--limit"},
		{"messages list --key x --since never", 2, "--since"},
		{"customers link a b", 2, "arg"},
		{"send", 2, "--type"},
		{"send /nowhere/event.json", 2, "no such file"},
		{"send testdata/faulty.yaml", 2, "not JSON"},
		{"doctor --key x --server nonsense", 2, "--server"},
		{"serve", 2, "--config"},
		{"serve --colour red", 2, "--colour"},
		{"serve --config", 2, "--config"},
		{"serve --config /nowhere/tidings.yaml", 2, "no such file"},
		{"check --config testdata/shipped.json extra", 2, "extra"},
		{"explain --config testdata/faulty.yaml", 2, "--event"},
		{"explain --config testdata/faulty.yaml --event testdata/shipped.json", 2, "fault"},
		{"sandbox nonsense", 2, "nonsense"},
		{"sandbox replay updates.json", 2, "not in this version"},
		{"sandbox hybris --style pigeon", 2, "--style"},
		{"sandbox hybris --doubt dates=roman", 2, "--doubt"},
		{"sandbox hybris --site=", 2, "--site"},
		{"sandbox hybris --customer=a@example.com,,", 2, "--customer"},
		{"sandbox hybris --client-id=", 2, "--client-id"},
		{"sandbox hybris --token-ttl=-1s", 2, "--token-ttl"},
		{"sandbox hybris --max-attachments=-1", 2, "--max-attachments"},
		{"sandbox hybris --prefix=occ", 2, "--prefix"},
		{"sandbox hybris --events=nonsense", 2, "--events"},
		{"version extra", 2, "extra"},
		{"help nonsense", 2, "nonsense"},
		{"help sandbox telegram", 0, "--webhook"},
	} {
		exit, stdout, stderr := tidings(t, strings.Fields(test.args)...)
		if exit != test.exit || !strings.Contains(stdout+stderr, test.says) {
			t.Errorf("tidings %s: got exit code %d and %s%s, want %d and %q", test.args, exit, stdout, stderr, test.exit, test.says)
		}
	}
}
