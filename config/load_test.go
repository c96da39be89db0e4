package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidings/core"
	"tidings/core/route"
)

// write puts the text into a file of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustLoad loads a text that has no faults.
func mustLoad(t *testing.T, text string, env ...string) *Config {
	t.Helper()
	cfg, faults, err := Load(write(t, text), fakeTypes(), environment(env...))
	if err != nil || len(faults) > 0 {
		t.Fatalf("got error %v, faults %v", err, faults)
	}
	return cfg
}

// faultsOf loads a text and returns its faults, one a line.
func faultsOf(t *testing.T, text string, env ...string) string {
	t.Helper()
	_, faults, err := Load(write(t, text), fakeTypes(), environment(env...))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range faults {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

const least = `
channels:
  - {name: one, type: fake, token: t0ken}
routes:
  - {name: all, channels: [one]}
`

func TestTheLeastConfiguration(t *testing.T) {
	got := mustLoad(t, least)
	want := &Config{
		Server: Server{Listen: ":8080", InternalListen: "127.0.0.1:9090", PublicURL: "http://localhost:8080"},
		Store:  Store{URL: "sqlite:./tidings.db", Path: "./tidings.db"},
		Commerce: Commerce{
			Type: None, Timeout: 5 * time.Second, Wait: time.Minute, Poll: 30 * time.Second,
			Tickets:   Tickets{Desk: "trusted", Closed: "renew", Attachments: Attachments{MaxSize: "10MB", Types: []string{"image/*", "application/pdf"}}},
			Reconcile: Reconcile{Every: 15 * time.Minute, OrdersFor: 30 * day, PerSecond: 4},
		},
		Channels: []Channel{{
			Name: "one", Type: "fake", MisconfiguredAfter: 15 * time.Minute,
			Adapter: &fake{Token: "t0ken", APIURL: "https://fake.example", hidden: "x"},
		}},
		OptIn: OptIn{Expires: day},
		Texts: Texts{DefaultLocale: "en"},
		Routes: []route.Rule{{
			Name: "all", Channels: []string{"one"}, Deliver: route.Fallback, Uncertain: route.Repeat, Expires: 72 * time.Hour,
		}},
		Retention: Retention{Messages: 180 * day, Updates: 30 * day, Dedupe: 30 * day},
		Log:       Log{Level: "info", Format: "json"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), cmp.AllowUnexported(fake{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestAChannelsOwnKeys(t *testing.T) {
	cfg := mustLoad(t, `
channels:
  - name: one
    type: fake
    token: "a${A}b$${A}"
    account: 0123
    loud: true
    retries: 3
    ratio: 0.5
    pause: 1d12h
    tags: [x, "${A}"]
    old: [s1, "${A}"]
    was: zero
    pace: {per_second: 2.5, off: false}
    limits: {text: 100}
    misconfigured_after: 1h
    templates: [{event: order.shipped, name: n, languages: [en_US], params: [order.code]}]
routes:
  - {name: all, channels: [one], expires: 0}
`, "A", "${B}")
	want := Channel{
		Name: "one", Type: "fake", Was: "zero", MisconfiguredAfter: time.Hour,
		Pace: &Pace{PerSecond: 2.5}, Limits: &Limits{Text: 100},
		Templates: []Template{{core.OrderShipped, "n", []string{"en_US"}, []string{"order.code"}}},
		Adapter: &fake{
			Token: "a${B}b${A}", Account: "0123", APIURL: "https://fake.example", Loud: true, Retries: 3, Ratio: 0.5,
			Pause: 36 * time.Hour, Tags: []string{"x", "${B}"}, Old: []core.Secret{"s1", "${B}"}, hidden: "x",
		},
	}
	if diff := cmp.Diff(want, cfg.Channels[0], cmp.AllowUnexported(fake{})); diff != "" {
		t.Errorf("channel (-want +got):\n%s", diff)
	}
	if got := cfg.Routes[0].Expires; got != 0 {
		t.Errorf("got expires %v, want 0: for ever", got)
	}
}

func TestTheShopsDefaults(t *testing.T) {
	cfg := mustLoad(t, least+`
commerce:
  base_url: https://api.shop.example.com/occ/v2/
  sites: [{id: electronics, source: /shop/e}, {id: apparel, source: /shop/a}]
  client_id: tidings
  client_secret: s3cret
`)
	got := []string{cfg.Commerce.Type, cfg.Commerce.BaseURL, cfg.Commerce.TokenURL, cfg.Commerce.Site}
	want := []string{Hybris, "https://api.shop.example.com/occ/v2", "https://api.shop.example.com/authorizationserver/oauth/token", "electronics"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shop (-want +got):\n%s", diff)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"key": "s3cret\n", "token": "t0ken\r\n", "shop": "  spaced  \n\n", "seal": sealA + "\n" + sealB + "\n", "seal2": sealC,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := mustLoad(t, `
server:
  api_keys: [{name: shop, key_file: "${DIR}/key"}]
commerce:
  base_url: https://shop.example/occ/v2
  site: s
  client_id: c
  client_secret_file: ${DIR}/shop
channels:
  - {name: one, type: fake, token_file: "${DIR}/token"}
opt_in:
  keys_file: ["${DIR}/seal", "${DIR}/seal2"]
routes:
  - {name: all, channels: [one]}
`, "DIR", dir)
	got := []core.Secret{cfg.Server.APIKeys[0].Key, cfg.Channels[0].Adapter.(*fake).Token, cfg.Commerce.ClientSecret}
	got = append(got, cfg.OptIn.Keys...)
	want := []core.Secret{"s3cret", "t0ken", "  spaced  ", sealA, sealB, sealC}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

// Keys of 32 bytes in the forms of base64.
const (
	sealA = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	sealB = "//////////////////////////////////////////8="
	sealC = "__________________________________________4"
)

func TestRawKeys(t *testing.T) {
	raw, err := OptIn{Keys: []core.Secret{sealA, sealB, sealC}}.RawKeys()
	if err != nil {
		t.Fatal(err)
	}
	for i, first := range []byte{0, 0xff, 0xff} {
		if len(raw[i]) != 32 || raw[i][0] != first {
			t.Errorf("key %d: got %d bytes from %x", i, len(raw[i]), raw[i][0])
		}
	}
	if _, err := (OptIn{Keys: []core.Secret{"c2hvcnQ="}}).RawKeys(); err == nil || strings.Contains(err.Error(), "c2hv") {
		t.Errorf("got error %v, want one without the key", err)
	}
}

func TestTheEnvironmentOverridesScalarKeys(t *testing.T) {
	cfg := mustLoad(t, least+`
server: {listen: ":1", trusted_proxies: [10.0.0.1]}
commerce: {client_secret_file: /does/not/exist}
log:
`,
		"TIDINGS_SERVER_LISTEN", ":2",
		"TIDINGS_SERVER_INTERNAL_LISTEN", "same",
		"TIDINGS_COMMERCE_CLIENT_SECRET", "a${b", // as it stands
		"TIDINGS_COMMERCE_WAIT", "1d",
		"TIDINGS_LOG_LEVEL", "debug",
		"TIDINGS_LOG_FORMAT", "", // as if it were not set
		"TIDINGS_SERVER_TRUSTED_PROXIES", "8.8.8.8", // a list: not overridden
		"TIDINGS_API_KEY", "somebody's own",
	)
	got := []any{cfg.Server.Listen, cfg.Server.InternalListen, cfg.Commerce.ClientSecret.Reveal(), cfg.Commerce.Wait,
		cfg.Log.Level, cfg.Log.Format, cfg.Server.TrustedProxies[0]}
	want := []any{":2", Same, "a${b", day, "debug", "json", "10.0.0.1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestTheEnvironmentRepairsAndIsFaultedByName(t *testing.T) {
	faulty := least + "server: {listen: [1]}\n"
	mustLoad(t, faulty, "TIDINGS_SERVER_LISTEN", ":2")
	got := faultsOf(t, faulty, "TIDINGS_SERVER_LISTEN", "nowhere", "TIDINGS_COMMERCE_WAIT", "soon")
	want := `commerce.wait: must be a duration such as 5s, 24h or 180d; the value is that of the environment variable TIDINGS_COMMERCE_WAIT
server.listen: must be an address to listen on, such as :8080 or 127.0.0.1:9090; the value is that of the environment variable TIDINGS_SERVER_LISTEN
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestAliasesAreFollowed(t *testing.T) {
	cfg := mustLoad(t, `
channels:
  - {name: one, type: fake, token: t0ken, tags: &tags [a, b]}
  - {name: two, type: fake, token: t0ken, tags: *tags}
routes:
  - {name: all, channels: [one]}
`)
	if diff := cmp.Diff([]string{"a", "b"}, cfg.Channels[1].Adapter.(*fake).Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoConfigurationAtAll(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"not YAML", "a: [1\nb: 2\n", "not YAML: line 2: did not find expected ',' or ']'"},
		{"an unquoted star", "a: 1\ntoken: *s3cret\n", "not YAML: line 2: a value that starts with * is an alias of an anchor that is not there; quote it"},
		{"not text", "a: \xff\n", "not YAML: line 1: invalid leading UTF-8 octet"},
		{"aliases that explode", bomb(), "not usable: its aliases stand for too many values"},
		{"an alias of itself", "a: &a [*a]\n", "not usable: its aliases stand for too many values"},
		{"too deep", strings.Repeat("[", 2000) + strings.Repeat("]", 2000), "not usable: its aliases stand for too many values"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := load([]byte(tt.text), fakeTypes(), environment(), os.ReadFile)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	_, _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), fakeTypes(), environment())
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
}

// bomb is a short text that stands for 10 to the 9 values.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return b.String()
}

func TestTheHash(t *testing.T) {
	hash := func(text string, env ...string) string { return mustLoad(t, text, env...).Hash() }
	base := hash(least)
	if len(base) != 16 {
		t.Errorf("got %q, want 16 digits", base)
	}
	same := map[string]string{
		"another order, comments, style": "routes:\n- name: all # x\n  channels: [one]\nchannels:\n- type: fake\n  token: t0ken\n  name: \"one\"\n",
		"another secret":                 strings.Replace(least, "t0ken", "changed", 1),
		"a default written out":          least + "log: {level: info}\n",
	}
	for name, text := range same {
		if got := hash(text); got != base {
			t.Errorf("%s: the hash changed", name)
		}
	}
	other := map[string]string{
		"a setting of the environment": hash(least, "TIDINGS_LOG_LEVEL", "debug"),
		"an adapter's setting":         hash(strings.Replace(least, "t0ken", "t0ken, account: a", 1)),
		"a route's setting":            hash(strings.Replace(least, "[one]", "[one], deliver: all", 1)),
	}
	for name, got := range other {
		if got == base {
			t.Errorf("%s: the hash is the same", name)
		}
	}
}

func TestADesksNameStandsForItsTable(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		env        []string
		want       string
	}{
		{"the name", "tickets: off", nil, Off},
		{"the table", "tickets: {desk: off, closed: reopen}", nil, Off},
		{"nothing", "tickets:", nil, Trusted},
		{"the environment over the name", "tickets: trusted", []string{"TIDINGS_COMMERCE_TICKETS", "off"}, Off},
		{"the environment over the table", "tickets: {desk: trusted}", []string{"TIDINGS_COMMERCE_TICKETS", "off"}, Off},
		{"the environment alone", "timeout: 5s", []string{"TIDINGS_COMMERCE_TICKETS_DESK", "off"}, Off},
		{"a variable", "tickets: ${DESK}", []string{"DESK", "off"}, Off},
	} {
		cfg := mustLoad(t, least+"commerce:\n  "+tt.text+"\n", tt.env...)
		if got := cfg.Commerce.Tickets.Desk; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{"10MB": 10_000_000, "500kB": 500_000, "12": 12, "0": 0} {
		if got, ok := parseSize(in); !ok || got != want {
			t.Errorf("%s: got %d, %t, want %d", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "MB", "-1MB", "1.5MB", "10 MB", "10mb", "99999999999MB"} {
		if n, ok := parseSize(in); ok {
			t.Errorf("%q is taken for %d", in, n)
		}
	}
}
