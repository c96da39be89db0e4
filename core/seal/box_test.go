package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"tidings/core/seal"
)

func TestBoxOpensForItsOwnerAndItsKeysOnly(t *testing.T) {
	b64 := func(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }
	keys := func(all ...string) *seal.Keys {
		k, err := seal.NewKeys(all)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	old, rotated, other := keys(b64(1)), keys(b64(2), b64(1)), keys(b64(3))
	box := old.Box([]byte("token"), "ines")
	if bytes.Contains(box, []byte("token")) || bytes.Equal(box, old.Box([]byte("token"), "ines")) {
		t.Error("a box shows what is in it")
	}
	if got, err := rotated.Unbox(box, "ines"); err != nil || string(got) != "token" {
		t.Errorf("after a rotation: got %q, %v", got, err)
	}
	changed := bytes.Clone(box)
	changed[len(changed)-1] ^= 1
	for name, try := range map[string]func() ([]byte, error){
		"another owner": func() ([]byte, error) { return old.Unbox(box, "bob") },
		"another key":   func() ([]byte, error) { return other.Unbox(box, "ines") },
		"changed":       func() ([]byte, error) { return old.Unbox(changed, "ines") },
		"cut":           func() ([]byte, error) { return old.Unbox(box[:10], "ines") },
		"nothing":       func() ([]byte, error) { return old.Unbox(nil, "ines") },
	} {
		if got, err := try(); !errors.Is(err, seal.ErrInvalid) || got != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
