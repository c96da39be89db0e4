package seal_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidings/core/seal"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// b64 is a key whose bytes are all n.
func b64(n byte) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(n)), 32)))
}

func newKeys(t testing.TB, keys ...string) *seal.Keys {
	t.Helper()
	k, err := seal.NewKeys(keys)
	if err != nil {
		t.Fatalf("NewKeys: %v", err)
	}
	return k
}

func refs() *rapid.Generator[seal.Ref] {
	return rapid.Custom(func(t *rapid.T) seal.Ref {
		return seal.Ref{
			ID:      rapid.Int64().Draw(t, "id"),
			Expires: noon.Add(time.Duration(rapid.IntRange(1, 1e6).Draw(t, "ttl")) * time.Second),
			Channel: rapid.String().Draw(t, "channel"),
			Purpose: rapid.String().Draw(t, "purpose"),
		}
	})
}

func TestTokenOpensToWhatWasSealed(t *testing.T) {
	keys := newKeys(t, b64(1))
	rapid.Check(t, func(t *rapid.T) {
		want := refs().Draw(t, "ref")
		got, err := keys.Unseal(keys.Seal(want), want.Channel, want.Purpose, noon)
		if err != nil {
			t.Fatalf("Unseal: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Unseal (-want +got):\n%s", diff)
		}
	})
}

func TestSameRefGivesSameTokenAndCode(t *testing.T) {
	keys, again := newKeys(t, b64(1)), newKeys(t, b64(1))
	ref := seal.Ref{ID: 7, Expires: noon, Channel: "telegram", Purpose: "order_updates"}
	// Neither the zone nor parts of a second are in a token.
	same := ref
	same.Expires = noon.Add(999 * time.Millisecond).In(time.FixedZone("", 3600))
	if got, want := again.Seal(same), keys.Seal(ref); got != want {
		t.Errorf("Seal = %q, want %q", got, want)
	}
	if got, want := again.Code(same), keys.Code(ref); got != want {
		t.Errorf("Code = %q, want %q", got, want)
	}
}

func TestDifferentRefsGiveDifferentTokensNoncesAndCodes(t *testing.T) {
	keys := newKeys(t, b64(1))
	ref := seal.Ref{ID: 7, Expires: noon, Channel: "ab", Purpose: "c"}
	others := []seal.Ref{ref, ref, ref, ref}
	others[0].ID++
	others[1].Expires = noon.Add(time.Second)
	others[2].Channel, others[2].Purpose = "a", "bc"
	others[3].Purpose = "d"
	for _, other := range others {
		if keys.Seal(other)[2:18] == keys.Seal(ref)[2:18] {
			t.Errorf("%+v has the nonce of %+v", other, ref)
		}
		if keys.Code(other) == keys.Code(ref) {
			t.Errorf("%+v has the code of %+v", other, ref)
		}
	}
}

func TestAnyFlippedBitIsRefused(t *testing.T) {
	keys := newKeys(t, b64(1))
	rapid.Check(t, func(t *rapid.T) {
		ref := refs().Draw(t, "ref")
		raw, err := base64.RawURLEncoding.DecodeString(keys.Seal(ref))
		if err != nil {
			t.Fatal(err)
		}
		for bit := range len(raw) * 8 {
			raw[bit/8] ^= 1 << (bit % 8)
			token := base64.RawURLEncoding.EncodeToString(raw)
			if _, err := keys.Unseal(token, ref.Channel, ref.Purpose, noon); !errors.Is(err, seal.ErrInvalid) {
				t.Fatalf("bit %d flipped: err = %v, want %v", bit, err, seal.ErrInvalid)
			}
			raw[bit/8] ^= 1 << (bit % 8)
		}
	})
}

func TestEveryRefusalIsTheSame(t *testing.T) {
	keys := newKeys(t, b64(1))
	ref := seal.Ref{ID: 7, Expires: noon, Channel: "telegram", Purpose: "order_updates"}
	token := keys.Seal(ref)
	before := noon.Add(-time.Second)
	tests := map[string]struct {
		token, channel, purpose string
		now                     time.Time
	}{
		"empty":              {"", "telegram", "order_updates", before},
		"one short":          {token[1:], "telegram", "order_updates", before},
		"one long":           {token + "A", "telegram", "order_updates", before},
		"line break added":   {token + "\n", "telegram", "order_updates", before},
		"line break for two": {token[:58] + "\r\n", "telegram", "order_updates", before},
		"not base64":         {strings.Repeat("!", 60), "telegram", "order_updates", before},
		"padded":             {token[:59] + "=", "telegram", "order_updates", before},
		"other channel":      {token, "slack", "order_updates", before},
		"other purpose":      {token, "telegram", "marketing", before},
		"shifted binding":    {token, "telegramorder", "_updates", before},
		"expired this tick":  {token, "telegram", "order_updates", noon},
		"expired long ago":   {token, "telegram", "order_updates", noon.AddDate(9, 0, 0)},
		"no expiry at all":   {keys.Seal(seal.Ref{Channel: "x"}), "x", "", before},
		"other key": {newKeys(t, b64(9)).Seal(ref), "telegram", "order_updates",
			before},
	}
	for name, test := range tests {
		got, err := keys.Unseal(test.token, test.channel, test.purpose, test.now)
		if !errors.Is(err, seal.ErrInvalid) || got != (seal.Ref{}) {
			t.Errorf("%s: Unseal = %+v, %v; want nothing and %v", name, got, err, seal.ErrInvalid)
		}
	}
	if _, err := keys.Unseal(token, "telegram", "order_updates", noon.Add(-1)); err != nil {
		t.Errorf("a nanosecond before expiry: %v", err)
	}
}

func TestRotationKeepsOldTokensAndCodesAlive(t *testing.T) {
	ref := seal.Ref{ID: 7, Expires: noon, Channel: "slack", Purpose: "order_updates"}
	old := newKeys(t, b64(1))
	token, code := old.Seal(ref), old.Code(ref)
	stored := old.Hash(code)

	rotated := newKeys(t, b64(2), b64(1))
	if _, err := rotated.Unseal(token, ref.Channel, ref.Purpose, noon.Add(-1)); err != nil {
		t.Errorf("old token after rotation: %v", err)
	}
	if rotated.Seal(ref) == token {
		t.Error("the new first key does not seal")
	}
	hashes := rotated.Hashes(code)
	if len(hashes) != 2 || hashes[0] != rotated.Hash(code) || hashes[1] != stored {
		t.Errorf("Hashes = %q, want the new key's and %q", hashes, stored)
	}
	if _, err := newKeys(t, b64(2)).Unseal(token, ref.Channel, ref.Purpose, noon.Add(-1)); !errors.Is(err, seal.ErrInvalid) {
		t.Errorf("token of a retired key: err = %v, want %v", err, seal.ErrInvalid)
	}
}

// Of 600 keys some must share one of the 256 hints; those are tried in turn.
func TestKeysWithTheSameHintAllOpen(t *testing.T) {
	var all []string
	for i := range 600 {
		raw := fmt.Appendf(nil, "%032d", i)
		all = append(all, base64.RawURLEncoding.EncodeToString(raw))
	}
	ring := newKeys(t, all...)
	ref := seal.Ref{ID: 1, Expires: noon, Channel: "c", Purpose: "p"}
	for i, one := range all {
		if _, err := ring.Unseal(newKeys(t, one).Seal(ref), "c", "p", noon.Add(-1)); err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
	}
}

func TestTokenFitsEveryDeepLink(t *testing.T) {
	fits := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	keys := newKeys(t, b64(1))
	for _, id := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		for _, sec := range []int64{0, math.MaxInt32, 1 << 40} {
			token := keys.Seal(seal.Ref{ID: id, Expires: time.Unix(sec, 0), Channel: strings.Repeat("ü", 300)})
			if !fits.MatchString(token) {
				t.Errorf("token %q (%d characters) does not fit", token, len(token))
			}
		}
	}
}

func TestCodeIsTypedAsPeopleType(t *testing.T) {
	keys := newKeys(t, b64(1))
	shape := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{12}$`)
	rapid.Check(t, func(t *rapid.T) {
		code := keys.Code(refs().Draw(t, "ref"))
		if !shape.MatchString(code) {
			t.Fatalf("code %q is not 12 characters of the alphabet", code)
		}
		var typed strings.Builder
		for _, r := range code {
			typed.WriteString(rapid.SampledFrom([]string{"", " ", "-", "\u2013", "\u00a0"}).Draw(t, "filler"))
			switch {
			case r == '0':
				typed.WriteString(rapid.SampledFrom([]string{"0", "o", "O"}).Draw(t, "zero"))
			case r == '1':
				typed.WriteString(rapid.SampledFrom([]string{"1", "i", "L"}).Draw(t, "one"))
			case rapid.Bool().Draw(t, "lower"):
				typed.WriteString(strings.ToLower(string(r)))
			default:
				typed.WriteRune(r)
			}
		}
		if got, ok := seal.NormalizeCode(typed.String()); !ok || got != code {
			t.Fatalf("NormalizeCode(%q) = %q, %v; want %q", typed.String(), got, ok, code)
		}
		if got, want := keys.Hash(typed.String()), keys.Hash(code); got != want {
			t.Fatalf("Hash of %q = %s, want %s", typed.String(), got, want)
		}
	})
}

func TestWhatIsNoCode(t *testing.T) {
	keys := newKeys(t, b64(1))
	for _, s := range []string{"", "ABCDEFGHJKM", "ABCDEFGHJKMNP", "ABCDEFGHJKMU", "where is my order", "ÄBCDEFGHJKMN", "０BCDEFGHJKMN"} {
		if got, ok := seal.NormalizeCode(s); ok {
			t.Errorf("NormalizeCode(%q) = %q, want none", s, got)
		}
		if got := keys.Hashes(s); len(got) != 0 {
			t.Errorf("Hashes(%q) = %q, want none", s, got)
		}
	}
}

func TestHashHidesTheCode(t *testing.T) {
	a, b := newKeys(t, b64(1)), newKeys(t, b64(2))
	hash := a.Hash("0123456789AB")
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(hash) {
		t.Errorf("Hash = %q, want 64 hex digits", hash)
	}
	if hash == b.Hash("0123456789AB") {
		t.Error("two keys give the same hash")
	}
	if hash == a.Hash("not a code at all") {
		t.Error("what is no code has the hash of one")
	}
}

func TestNewKeysReadsAnyBase64(t *testing.T) {
	raw := []byte(strings.Repeat("\xfb\xff\xfe\x01", 8)) // needs both special characters
	ref := seal.Ref{ID: 1, Expires: noon}
	want := newKeys(t, base64.StdEncoding.EncodeToString(raw)).Seal(ref)
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if got := newKeys(t, enc.EncodeToString(raw)+"\n").Seal(ref); got != want {
			t.Errorf("Seal = %q, want %q", got, want)
		}
	}
}

func TestNewKeysNamesAllFaultsAndNoKey(t *testing.T) {
	if _, err := seal.NewKeys(nil); err == nil {
		t.Error("no keys: want an error")
	}
	_, err := seal.NewKeys([]string{"c2VjcmV0", b64(1), "*****", ""})
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{"key 1", "key 3", "key 4"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %s", err, want)
		}
	}
	for _, hidden := range []string{"c2VjcmV0", "key 2", "***"} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("error %q holds %q", err, hidden)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	keys := newKeys(t, b64(1))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		for _, v := range []any{keys, *keys} {
			if got, want := fmt.Sprintf(verb, v), "[keys]"; got != want {
				t.Errorf("%s = %q, want %q", verb, got, want)
			}
		}
	}
}

func FuzzUnseal(f *testing.F) {
	keys := newKeys(f, b64(1), b64(2))
	ref := seal.Ref{ID: 7, Expires: noon.AddDate(1, 0, 0), Channel: "telegram", Purpose: "order_updates"}
	good := keys.Seal(ref)
	f.Add(good, "telegram", "order_updates")
	f.Add("", "", "")
	f.Add(strings.Repeat("A", 60), "slack", "x")
	f.Fuzz(func(t *testing.T, token, channel, purpose string) {
		got, err := keys.Unseal(token, channel, purpose, noon)
		isGood := token == good && channel == ref.Channel && purpose == ref.Purpose
		if isGood != (err == nil) || isGood && got != ref {
			t.Fatalf("Unseal(%q, %q, %q) = %+v, %v", token, channel, purpose, got, err)
		}
		if code, ok := seal.NormalizeCode(token); ok && len(code) != 12 {
			t.Fatalf("NormalizeCode(%q) = %q", token, code)
		}
	})
}
