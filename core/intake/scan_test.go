package intake

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzScan: what is taken apart here is what the decoder would have taken apart.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`null`, `[]`, `{}`, ` [ ] `, `[1,[2,{"a":"]"}],"\"\\",-1.5e3,true]`, `{"a":{"b":[1 , 2]},"a" : "last", "":null}`,
		`{"\u0061b":"\ud83d\ude00\\"}`, "{\t\"a\" :\r\n\"b c\"\n}", `"}"`, `12`, `[{}]`, `[[],[[]]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) || !utf8.Valid(raw) {
			t.Skip("only valid JSON in UTF-8 is ever taken apart")
		}
		if got, want := uniform(nil, sorted(t, raw)), uniform(nil, raw); !bytes.Equal(got, want) {
			t.Errorf("%q in the decoder's order is written %q, want %q", raw, got, want)
		}
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			list = nil
		}
		if diff := cmp.Diff(list, elements(raw)); diff != "" {
			t.Errorf("elements of %q (-want +got):\n%s", raw, diff)
		}
		var fields, got map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			fields = nil
		}
		if eachField(raw, func(name string, value json.RawMessage) {
			if got == nil {
				got = map[string]json.RawMessage{}
			}
			got[name] = value
		}) && got == nil {
			got = map[string]json.RawMessage{}
		}
		if diff := cmp.Diff(fields, got); diff != "" {
			t.Errorf("fields of %q (-want +got):\n%s", raw, diff)
		}
		var said string
		isText := bytes.HasPrefix(bytes.TrimSpace(raw), []byte{'"'}) && json.Unmarshal(raw, &said) == nil
		if s, ok := text(bytes.TrimSpace(raw)); ok != isText || s != said {
			t.Errorf("text of %q: got %q, %v, want %q, %v", raw, s, ok, said, isText)
		}
	})
}

// sorted says the same as the decoder and the encoder would.
func sorted(t *testing.T, raw []byte) []byte {
	t.Helper()
	var said any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // as it was written: no number loses digits
	if err := d.Decode(&said); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// TestDigest: what says the same has one digest, and nothing else has.
func TestDigest(t *testing.T) {
	same := []string{
		`{"a":"b c","d":[1,{"x":null,"y":true}]}`, `{ "d" : [1, {"y":true, "x":null}],"a":"b c"}`,
		`{"a":"first","d":[1,{"x":null,"y":true}],"\u0061":"b\u0020c"}`,
	}
	for _, s := range same[1:] {
		if digest("t", []byte(s)) != digest("t", []byte(same[0])) {
			t.Errorf("%s: got another digest than %s, want the same", s, same[0])
		}
	}
	seen := map[string]string{}
	for _, s := range []string{
		same[0], `{"a":"bc","d":[1,{"x":null,"y":true}]}`, `{"a":"b c","d":[1,{"x":null,"y":false}]}`, `{"a":"b c"}`, ``, `{}`, `[]`, `""`,
		`"1"`, `1`, `1.0`, `[1,2]`, `[12]`, `["1,2"]`, `["1","2"]`, `{"a":{"b":1}}`, `{"a":{},"b":1}`, `"null"`, `null`,
	} {
		d := digest("t", []byte(s))
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have the same digest", s, other)
		}
		seen[d] = s
	}
}
