package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"tidings/channels"
	"tidings/core/route"
)

const examplePath = "../config.example.yaml"

func example(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(examplePath)
	must(t, err)
	return string(raw)
}

// exampleVariables are the environment's variables that the example names.
func exampleVariables(text string) (names []string) {
	for _, m := range regexp.MustCompile(`[^$]\$\{([A-Z_]+)\}`).FindAllStringSubmatch(text, -1) {
		if m[1] != "NAME" {
			names = append(names, m[1])
		}
	}
	return names
}

// exampleEnv gives every variable the example names a value of its own.
func exampleEnv(text string) func(string) (string, bool) {
	pairs := []string{"TIDINGS_OPT_IN_KEY", sealA}
	for _, name := range exampleVariables(text) {
		if name != "TIDINGS_OPT_IN_KEY" {
			pairs = append(pairs, name, "value_of_"+strings.ToLower(name))
		}
	}
	return environment(pairs...)
}

func TestTheExampleHasNoFaults(t *testing.T) {
	cfg, faults, err := Load(examplePath, channels.Types, exampleEnv(example(t)))
	if err != nil || len(faults) > 0 {
		t.Fatalf("got error %v, faults %v", err, faults)
	}
	var types []string
	for _, ch := range cfg.Channels {
		types = append(types, ch.Type)
	}
	slices.Sort(types)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(channels.Types)), types); diff != "" {
		t.Errorf("types of channels (-want +got):\n%s", diff)
	}
	if len(cfg.Routes) != 2 || cfg.Routes[1].Deliver != route.Fallback || !cfg.Routes[1].Match.Any() {
		t.Errorf("got routes %+v", cfg.Routes)
	}
	if keys, err := cfg.OptIn.RawKeys(); err != nil || len(keys) != 1 {
		t.Errorf("got %d keys, error %v", len(keys), err)
	}
}

func TestTheExampleNeedsItsEnvironment(t *testing.T) {
	_, faults, err := Load(examplePath, channels.Types, environment())
	must(t, err)
	names := exampleVariables(example(t))
	if len(names) == 0 || len(faults) != len(names) {
		t.Errorf("got %d faults, want one for each of %v: %v", len(faults), names, faults)
	}
}

// The example tells the defaults; they must be those of the program.
func TestTheExampleTellsTheDefaults(t *testing.T) {
	var doc map[string]any
	must(t, yaml.Unmarshal([]byte(example(t)), &doc))
	for key, want := range defaults() {
		var got any = doc
		for part := range strings.SplitSeq(key, ".") {
			got = got.(map[string]any)[part]
		}
		if got != want {
			t.Errorf("%s: the example has %v, the default is %s", key, got, want)
		}
	}
}

func TestEveryKeyOfTheExampleHasAComment(t *testing.T) {
	told := map[string]bool{}
	commented := false
	key := regexp.MustCompile(`^[ -]*([a-z_]+):`)
	for line := range strings.Lines(example(t)) {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "#") {
			commented = true
			continue
		}
		if m := key.FindStringSubmatch(line); m != nil && trimmed != "" {
			top := !strings.HasPrefix(line, " ")
			if !commented && !top && !told[m[1]] {
				t.Errorf("%s has no comment", m[1])
			}
			told[m[1]] = true
		}
		commented = false
	}
}

// compiled returns the schema ready for use.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema))
	must(t, err)
	c := jsonschema.NewCompiler()
	must(t, c.AddResource("config.json", doc))
	s, err := c.Compile("config.json")
	must(t, err)
	return s
}

// conforms validates a YAML text against the schema.
func conforms(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	var doc any
	must(t, yaml.Unmarshal([]byte(text), &doc))
	raw, err := json.Marshal(doc)
	must(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	must(t, err)
	return s.Validate(value)
}

func TestTheExampleConformsToTheSchema(t *testing.T) {
	if err := conforms(t, compiled(t), example(t)); err != nil {
		t.Error(err)
	}
}

func TestTheSchemaAcceptsAndRefuses(t *testing.T) {
	s := compiled(t)
	const rest = "\nroutes: [{name: all, channels: [telegram]}]\n"
	const telegram = "channels: [{name: t, type: telegram, token: x, bot_username: b, secret_token_file: /run/s}]" + rest
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"the least", telegram, true},
		{"variables anywhere", telegram + "log: {level: '${LEVEL}'}\ncommerce: {timeout: '${T}'}\n", true},
		{"whole days", telegram + "retention: {messages: 1d12h}\ncommerce: {poll: 0}\n", true},
		{"an unknown key", telegram + "log: {levl: info}\n", false},
		{"an unknown level", telegram + "log: {level: loud}\n", false},
		{"a duration without unit", telegram + "commerce: {wait: 60}\n", false},
		{"a secret twice", "channels: [{name: t, type: telegram, token: x, token_file: y, bot_username: b, secret_token: s}]" + rest, false},
		{"no secret", "channels: [{name: t, type: telegram, bot_username: b, secret_token: s}]" + rest, false},
		{"another type's key", "channels: [{name: t, type: telegram, token: x, bot_username: b, secret_token: s, page_id: 1}]" + rest, false},
		{"no routes", "channels: [{name: t, type: telegram, token: x, bot_username: b, secret_token: s}]", false},
		{"callbacks", telegram + "callbacks: [{url: x}]\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := conforms(t, s, tt.text); (err == nil) != tt.ok {
				t.Errorf("got %v, want ok %v", err, tt.ok)
			}
		})
	}
}

// loaderKeys lists what Load knows: server.api_keys[].name, channels[slack].api_url.
func loaderKeys() []string {
	keys := keysOf(reflect.TypeFor[document](), "")
	for name, defaults := range channels.Types {
		at := fmt.Sprintf("channels[%s]", name)
		keys = append(keys, keysOf(reflect.TypeFor[Channel](), at)...)
		keys = append(keys, keysOf(reflect.TypeOf(defaults()).Elem(), at)...)
	}
	slices.Sort(keys)
	return keys
}

func keysOf(t reflect.Type, at string) []string {
	var keys []string
	for _, f := range fieldsOf(t) {
		key := join(at, f.name)
		keys = append(keys, key)
		if f.isSecret() {
			keys = append(keys, key+fileSuffix)
		}
		typ := f.typ
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			if typ.Kind() == reflect.Slice {
				key += "[]"
			}
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Struct && typ != laterType && f.typ != nodeType {
			keys = append(keys, keysOf(typ, key)...)
		}
	}
	return keys
}

// schemaKeys lists what the schema knows, in the same form, with its defaults.
func schemaKeys(t *testing.T) map[string]any {
	t.Helper()
	var root map[string]any
	must(t, json.Unmarshal([]byte(Schema), &root))
	keys := map[string]any{}
	var walk func(at string, s map[string]any)
	walk = func(at string, s map[string]any) {
		for key, value := range object(s["properties"]) {
			sub, key := object(value), join(at, key)
			keys[key] = sub["default"]
			if sub["description"] == nil && sub["const"] == nil {
				t.Errorf("%s has no description", key)
			}
			walk(key, sub)
			if items := object(sub["items"]); items != nil && key != "channels" {
				walk(key+"[]", items)
			}
		}
	}
	walk("", root)
	for name := range channels.Types {
		walk(fmt.Sprintf("channels[%s]", name), object(object(root["$defs"])[name]))
	}
	return keys
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func TestTheSchemaKnowsWhatTheLoaderKnows(t *testing.T) {
	if diff := cmp.Diff(loaderKeys(), slices.Sorted(maps.Keys(schemaKeys(t)))); diff != "" {
		t.Errorf("keys (-loader +schema):\n%s", diff)
	}
}

func TestTheSchemaTellsTheDefaults(t *testing.T) {
	known := schemaKeys(t)
	want := defaults()
	for name := range channels.Types {
		want[fmt.Sprintf("channels[%s].misconfigured_after", name)] = "15m"
	}
	want["routes[].deliver"], want["routes[].uncertain"], want["routes[].expires"] = string(defaultDeliver), string(defaultUncertain), "72h"
	for key, value := range want {
		if known[key] != value {
			t.Errorf("%s: the schema has %v, the default is %s", key, known[key], value)
		}
	}
	if d, _ := parseDuration("72h"); d != defaultExpires {
		t.Errorf("routes[].expires is %s", defaultExpires)
	}
	if d, _ := parseDuration("15m"); d != defaultMisconfiguredAfter {
		t.Errorf("misconfigured_after is %s", defaultMisconfiguredAfter)
	}
	for name, adapter := range channels.Types {
		stanza := reflect.ValueOf(adapter()).Elem()
		for _, f := range fieldsOf(stanza.Type()) {
			key := fmt.Sprintf("channels[%s].%s", name, f.name)
			if got := stanza.Field(f.index); !got.IsZero() && fmt.Sprint(got) != known[key] {
				t.Errorf("%s: the schema has %v, the default is %v", key, known[key], got)
			}
		}
	}
}

// Every key but the _file twins, which the example explains once for all.
func TestTheExampleShowsEveryKey(t *testing.T) {
	var root yaml.Node
	must(t, yaml.Unmarshal([]byte(example(t)), &root))
	shown := map[string]bool{}
	var walk func(at string, n *yaml.Node)
	walk = func(at string, n *yaml.Node) {
		switch n.Kind {
		case yaml.DocumentNode:
			walk(at, n.Content[0])
		case yaml.SequenceNode:
			for _, item := range n.Content {
				walk(at+"[]", item)
			}
		case yaml.MappingNode:
			for i := 0; i < len(n.Content); i += 2 {
				key := join(at, n.Content[i].Value)
				shown[key] = true
				walk(key, n.Content[i+1])
			}
		}
	}
	walk("", &root)
	channel := regexp.MustCompile(`^channels\[\w+\]`)
	for key := range schemaKeys(t) {
		if !strings.HasSuffix(key, fileSuffix) && !shown[channel.ReplaceAllString(key, "channels[]")] {
			t.Errorf("%s is not shown", key)
		}
	}
}
