package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

const keyLen = 32

// Keys seal and open references. They are safe for concurrent use.
type Keys struct {
	ring []key
}

// key holds what is derived from one configured key: no derived key serves two
// purposes.
type key struct {
	hint  byte // tells which key of the ring to try; not secret
	aead  cipher.AEAD
	nonce []byte // for synthetic nonces
	code  []byte // for short codes
	store []byte // for the hashes under which codes are stored
	box   cipher.AEAD
}

// NewKeys reads keys of 32 bytes each, in base64 of either alphabet, padded or
// not. The first one seals, all of them open. The error names every faulty key
// by its place, never by its value.
func NewKeys(b64 []string) (*Keys, error) {
	if len(b64) == 0 {
		return nil, errors.New("seal: no key; want at least one, base64 of 32 bytes")
	}
	var (
		keys   Keys
		faults []error
	)
	for i, text := range b64 {
		raw, ok := decodeKey(text)
		if !ok {
			faults = append(faults, fmt.Errorf("seal: key %d: want base64 of %d bytes", i+1, keyLen))
			continue
		}
		k, err := derive(raw)
		if err != nil {
			faults = append(faults, fmt.Errorf("seal: key %d: %w", i+1, err))
			continue
		}
		keys.ring = append(keys.ring, k)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &keys, nil
}

// Format keeps the keys out of every print, whatever the verb.
func (Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[keys]") }

func decodeKey(text string) ([]byte, bool) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	text = strings.NewReplacer("+", "-", "/", "_").Replace(text)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return raw, err == nil && len(raw) == keyLen
}

func derive(raw []byte) (key, error) {
	secrets := make(map[string][]byte, 6)
	for _, use := range []string{"hint", "encrypt", "nonce", "code", "store", "box"} {
		secret, err := hkdf.Key(sha256.New, raw, nil, "tidings seal 1 "+use, keyLen)
		if err != nil {
			return key{}, err
		}
		secrets[use] = secret
	}
	aead, err := gcm(secrets["encrypt"])
	if err != nil {
		return key{}, err
	}
	box, err := gcm(secrets["box"])
	if err != nil {
		return key{}, err
	}
	return key{
		hint:  secrets["hint"][0],
		aead:  aead,
		nonce: secrets["nonce"],
		code:  secrets["code"],
		store: secrets["store"],
		box:   box,
	}, nil
}

func gcm(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
