package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

// faultsMark stands between a faulty file and the faults it must have.
const faultsMark = "-- faults --\n"

func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	dir := secretFiles(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, want, _ := strings.Cut(string(raw), faultsMark)
			got := faultsOf(t, text, "SET", "s3cret-from-the-environment", "DIR", dir)
			if *update {
				if err := os.WriteFile(file, []byte(text+faultsMark+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if strings.Contains(got, "s3cret") {
				t.Errorf("a fault tells a secret:\n%s", got)
			}
		})
	}
}

// secretFiles makes a folder with the files that secret_files.txt names.
func secretFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"good": "s3cret\n", "empty": "\n", "large": strings.Repeat("x", maxSecretBytes+1),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir
}

func TestSecretsAreNotPrinted(t *testing.T) {
	cfg := mustLoad(t, `
server: {api_keys: [{name: shop, key: s3cret-1}]}
commerce: {base_url: "https://shop.example", site: s, client_id: c, client_secret: s3cret-2}
channels:
  - {name: one, type: fake, token: s3cret-3, old: [s3cret-4]}
opt_in: {keys: [`+sealB+`]}
routes:
  - {name: all, channels: [one]}
`)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, v := range []any{cfg, *cfg, cfg.Channels, cfg.Channels[0].Adapter, cfg.OptIn} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "s3cret") || strings.Contains(got, "////") {
				t.Errorf("%s of %T tells a secret: %s", verb, v, got)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"listen", "internal_listen", "public_url", "api_keys"}
	tests := map[string]string{
		"lsiten": "listen", "Listen": "listen", "publicUrl": "public_url", "internal-listen": "internal_listen", "apikeys": "api_keys",
	}
	for word, want := range tests {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "adc", 1},
		{"kitten", "sitting", 3}, {"grüße", "grüsse", 2}, {"ca", "abc", 3},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestExpand(t *testing.T) {
	getenv := environment("A", "one", "EMPTY", "", "DOLLAR", "$${A}")
	tests := []struct{ in, want, problem string }{
		{"plain", "plain", ""},
		{"${A}", "one", ""},
		{"x${A}y${A}z", "xoneyonez", ""},
		{"${EMPTY}", "", ""},
		{"${DOLLAR}", "$${A}", ""},
		{"$${A}", "${A}", ""},
		{"$$${A}", "$${A}", ""},
		{"$A $ $$ }", "$A $ $$ }", ""},
		{"a$", "a$", ""},
		{"${B} ${C} ${A}", "", "needs an environment variable that is not set: B, C"},
		{"${A", "", "has a ${ that is no ${NAME} of an environment variable; write $${ for the two characters themselves"},
		{"${A B}", "", "has a ${ that is no ${NAME} of an environment variable; write $${ for the two characters themselves"},
		{"${}", "", "has a ${ that is no ${NAME} of an environment variable; write $${ for the two characters themselves"},
	}
	for _, tt := range tests {
		got, problem := expand(tt.in, getenv)
		if got != tt.want || problem != tt.problem {
			t.Errorf("expand(%q) = %q, %q; want %q, %q", tt.in, got, problem, tt.want, tt.problem)
		}
	}
}

func TestParseDuration(t *testing.T) {
	tests := map[string]string{
		"5s": "5s", "1h30m": "1h30m0s", "180d": "4320h0m0s", "1d12h": "36h0m0s", "0": "0s", "0d": "0s", "1.5h": "1h30m0s",
		"": "", "5": "", "d": "", "-5s": "", "1d-2h": "", "1h1d": "", "1.5d": "", "5 s": "", "106752d": "", "106751d24h": "", "99999999999999999999d": "",
	}
	for in, want := range tests {
		d, ok := parseDuration(in)
		if got := d.String(); ok != (want != "") || ok && got != want {
			t.Errorf("parseDuration(%q) = %s, %v; want %q", in, got, ok, want)
		}
	}
}

// FuzzLoad feeds anything. What comes out is a configuration, faults with a
// problem each, or an error; and never a secret.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/faults/*.txt")
	for _, file := range append(files, "../config.example.yaml") {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(least))
	getenv := func(string) (string, bool) { return "hush-hush", true }
	none := func(string) (string, bool) { return "", false }
	readFile := func(string) ([]byte, error) { return []byte("hush-hush"), nil }
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, env := range []func(string) (string, bool){getenv, none} {
			cfg, faults, err := load(raw, fakeTypes(), env, readFile)
			if (cfg == nil) != (len(faults) > 0 || err != nil) {
				t.Fatalf("got config %v, faults %v, error %v", cfg, faults, err)
			}
			for _, fault := range faults {
				if fault.Problem == "" || strings.Contains(fault.Problem, "hush-hush") {
					t.Fatalf("got fault %q", fault)
				}
			}
		}
	})
}

var _ core.Config = (*fake)(nil)
