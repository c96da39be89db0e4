package messenger

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidings/core"
)

func TestDecodeReadsEveryShape(t *testing.T) {
	c := open(t, nil)
	for name, in := range inputs(t, "decode") {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(decodeSigned(t, c, in))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "decode", name+".out.json"), got)
		})
	}
}

func TestIDsTellCopiesFromOthers(t *testing.T) {
	c := open(t, nil)
	for name, in := range inputs(t, "decode") {
		t.Run(name, func(t *testing.T) {
			once, again := decodeSigned(t, c, in), decodeSigned(t, c, in)
			if diff := cmp.Diff(once, again); diff != "" {
				t.Errorf("a copy reads differently:\n%s", diff)
			}
			seen := map[string]bool{}
			for _, u := range once {
				if u.ID == "" || seen[u.ID] {
					t.Errorf("ID %q is empty or not unique", u.ID)
				}
				seen[u.ID] = true
			}
		})
	}
}

func TestHandshake(t *testing.T) {
	c := open(t, nil)
	query := func(mode, token string) map[string][]string {
		return map[string][]string{"hub.mode": {mode}, "hub.verify_token": {token}, "hub.challenge": {"<1158201444>"}}
	}
	reply, updates, err := c.Decode(context.Background(), core.Callback{Method: http.MethodGet, Query: query("subscribe", "verify-me")})
	if err != nil || len(updates) != 0 || reply.Status != http.StatusOK || string(reply.Body) != "<1158201444>" {
		t.Errorf("got %+v, %v, %v; want 200 and the raw challenge", reply, updates, err)
	}
	if got := reply.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("content type: got %q, want text/plain", got)
	}
	refused := map[string]core.Callback{
		"wrong token":  {Method: http.MethodGet, Query: query("subscribe", "verify-you")},
		"empty token":  {Method: http.MethodGet, Query: query("subscribe", "")},
		"wrong mode":   {Method: http.MethodGet, Query: query("unsubscribe", "verify-me")},
		"no query":     {Method: http.MethodGet},
		"other method": {Method: http.MethodPut, Query: query("subscribe", "verify-me")},
	}
	for name, cb := range refused {
		if _, _, err := c.Decode(context.Background(), cb); !errors.Is(err, core.ErrForbidden) {
			t.Errorf("%s: got %v, want ErrForbidden", name, err)
		}
	}
}

func TestNothingEqualsAnEmptySecret(t *testing.T) {
	c := &channel{}
	body := []byte(`{}`)
	if _, _, err := c.Decode(context.Background(), post(body, sign("", body))); !errors.Is(err, core.ErrUnauthorized) {
		t.Errorf("signature: got %v, want ErrUnauthorized", err)
	}
	cb := core.Callback{Method: http.MethodGet, Query: map[string][]string{"hub.mode": {"subscribe"}, "hub.verify_token": {""}}}
	if _, _, err := c.Decode(context.Background(), cb); !errors.Is(err, core.ErrForbidden) {
		t.Errorf("handshake: got %v, want ErrForbidden", err)
	}
}

// The digests were made with: printf %s BODY | openssl dgst -sha256 -hmac app-secret.
func TestSignatureIsOverTheRawBytes(t *testing.T) {
	const (
		plain   = `{"object":"page","entry":[]}`
		escaped = `{"object":"page","entry":[{"id":"1234567890","messaging":[{"sender":{"id":"7001"},"timestamp":1795341600123,"message":{"mid":"m_1","text":"\u00e4\u00f6\u00fc \ud83d\udc4b \/ \u003C"}}]}]}`
	)
	vectors := map[string]string{
		plain:   "e6e9d7a842a48e17f43a34d6125d0d933e2aab92ee37f0993a4d493b50e3d438",
		escaped: "980f57e0d298eb4b5c8da3ef493a4660ed04fa3582e3e5f0ea052dc51d56a4e8",
	}
	c := open(t, nil)
	for body, digest := range vectors {
		_, updates, err := c.Decode(context.Background(), post([]byte(body), "sha256="+digest))
		if err != nil {
			t.Errorf("%s: got %v", body, err)
		}
		if body == escaped && (len(updates) != 1 || updates[0].Text != "äöü 👋 / <") {
			t.Errorf("got %+v, want the text unescaped", updates)
		}
	}
	// The same JSON in other bytes has another signature.
	unescaped := strings.ReplaceAll(escaped, `\u00e4`, "ä")
	if _, _, err := c.Decode(context.Background(), post([]byte(unescaped), "sha256="+vectors[escaped])); !errors.Is(err, core.ErrUnauthorized) {
		t.Errorf("unescaped body: got %v, want ErrUnauthorized", err)
	}
}

func TestUnsignedIsRefused(t *testing.T) {
	c := open(t, nil)
	body := []byte(`{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"7"},"message":{"mid":"m","text":"x"}}]}]}`)
	good := sign(testSecret, body)
	refused := map[string]string{
		"missing":          "",
		"another secret":   sign("other", body),
		"another body":     sign(testSecret, append(slices.Clone(body), ' ')),
		"no algorithm":     strings.TrimPrefix(good, "sha256="),
		"another one":      strings.Replace(good, "sha256=", "sha1=", 1),
		"cut short":        good[:len(good)-2],
		"too long":         good + "00",
		"empty digest":     "sha256=",
		"not hexadecimal":  "sha256=" + strings.Repeat("zz", 32),
		"one digit wrong":  good[:len(good)-1] + string('0'+(good[len(good)-1]-'0'+1)%2),
		"leading newline":  "\n" + good,
		"two in one":       good + "," + good,
		"with white space": "sha256= " + strings.TrimPrefix(good, "sha256="),
	}
	for name, signature := range refused {
		reply, updates, err := c.Decode(context.Background(), post(body, signature))
		if !errors.Is(err, core.ErrUnauthorized) || len(updates) != 0 || len(reply.Body) != 0 {
			t.Errorf("%s: got %+v, %d updates, %v; want ErrUnauthorized and nothing else", name, reply, len(updates), err)
		}
	}
	legacy := core.Callback{Method: http.MethodPost, Header: http.Header{"X-Hub-Signature": {"sha1=00"}}, Body: body}
	if _, _, err := c.Decode(context.Background(), legacy); !errors.Is(err, core.ErrUnauthorized) {
		t.Errorf("legacy header: got %v, want ErrUnauthorized", err)
	}
}

func TestStampReadsMillisecondsAndSeconds(t *testing.T) {
	want := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, in := range []string{"1795341600000", "1795341600", `"1795341600000"`, `"1795341600"`} {
		var s stamp
		if err := json.Unmarshal([]byte(in), &s); err != nil || !s.at().Equal(want) {
			t.Errorf("%s: got %v, %v; want %v", in, s.at(), err, want)
		}
	}
	for _, in := range []string{"0", "-5", "null"} {
		var s stamp
		if err := json.Unmarshal([]byte(in), &s); err != nil || !s.at().IsZero() {
			t.Errorf("%s: got %v, %v; want no time", in, s.at(), err)
		}
	}
	for _, in := range []string{"1.5", `""`, `"x"`, "true", "99999999999999999999"} {
		var s stamp
		if err := json.Unmarshal([]byte(in), &s); err == nil {
			t.Errorf("%s: got %v, want an error", in, s.at())
		}
	}
}

// However an item is damaged, its neighbours are read and it is kept.
func TestADamagedItemCostsItselfOnly(t *testing.T) {
	c := open(t, nil)
	const good = `{"sender":{"id":"7001"},"recipient":{"id":"1"},"timestamp":1795341600123,"message":{"mid":"m_1","text":"hi"}}`
	values := []string{`5`, `"x"`, `true`, `[]`, `{}`, `[{}]`, `{"id":[]}`}
	fields := []string{`{"id":"7001"}`, `1795341600123`, `{"mid":"m_1","text":"hi"}`, `"m_1"`, `"hi"`}
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.SampledFrom(fields).Draw(t, "field")
		value := rapid.SampledFrom(values).Draw(t, "value")
		damaged := strings.Replace(good, field, value, 1)
		body := `{"object":"page","entry":[{"id":"1","messaging":[` + good + `,` + damaged + `,` + good + `]}]}`
		updates := c.decodeBody([]byte(body))
		if len(updates) != 3 || updates[0].Kind != core.UpdateText || updates[2].Kind != core.UpdateText {
			t.Fatalf("got %+v, want three updates, the outer ones texts", updates)
		}
		if u := updates[1]; u.Kind == core.UpdateUnreadable && (string(u.Raw) != damaged || u.Problem == "") {
			t.Errorf("got raw %s and problem %q, want %s", u.Raw, u.Problem, damaged)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, in := range inputs(f, "decode") {
		f.Add(in)
	}
	c := open(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		kinds := []core.UpdateKind{
			core.UpdateText, core.UpdateButton, core.UpdateOptIn, core.UpdateEdited, core.UpdateDelivered,
			core.UpdateRead, core.UpdateEcho, core.UpdateUnlinked, core.UpdateOther, core.UpdateUnreadable,
		}
		for _, u := range decodeSigned(t, c, body) {
			kept := len(u.Raw) > 0 || len(body) == 0
			switch {
			case u.ID == "":
				t.Error("an update without ID")
			case !slices.Contains(kinds, u.Kind):
				t.Errorf("unknown kind %q", u.Kind)
			case u.Kind == core.UpdateUnreadable && (!kept || u.Problem == ""):
				t.Error("an unreadable update without raw or problem")
			case u.Kind != core.UpdateUnreadable && u.Kind != core.UpdateOther && u.From.Value == "":
				t.Errorf("a %s of nobody", u.Kind)
			}
		}
	})
}
