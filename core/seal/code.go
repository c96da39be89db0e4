package seal

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// symbols are Crockford's base 32: no I, L, O and U, so that a code survives
// being read aloud and typed (https://www.crockford.com/base32.html, read
// 2026-11-22).
const symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLen characters of 5 bits are 60 bits: too many to guess at the pace of a chat.
const codeLen = 12

// Code returns a short code for people to type: 12 characters of Crockford's
// base 32. It cannot be opened: store Hash of it beside the row and look it up
// with Hashes. The same ref gives the same code as long as the first key stays.
func (k *Keys) Code(ref Ref) string {
	sum := mac(k.ring[0].code, binding(ref.Channel, ref.Purpose), encode(ref))
	bits := binary.BigEndian.Uint64(sum)
	code := make([]byte, codeLen)
	for i := range code {
		code[i] = symbols[bits&31]
		bits >>= 5
	}
	return string(code)
}

// NormalizeCode reads a code as people type it: in any case, with spaces,
// dashes and dots anywhere, O for 0 and I or L for 1. It reports false for
// what cannot be a code.
func NormalizeCode(s string) (string, bool) {
	code := make([]byte, 0, codeLen)
	for _, r := range s {
		if isFiller(r) {
			continue
		}
		c, ok := symbol(r)
		if !ok || len(code) == codeLen {
			return "", false
		}
		code = append(code, c)
	}
	return string(code), len(code) == codeLen
}

// isFiller reports what may stand between the characters of a code: white
// space and dots as typed, and the dashes that keyboards make of "-".
func isFiller(r rune) bool {
	return strings.ContainsRune(" \t\r\n\u00a0\u202f-\u2010\u2011\u2012\u2013\u2014_.", r)
}

func symbol(r rune) (byte, bool) {
	if r >= 'a' && r <= 'z' {
		r -= 'a' - 'A'
	}
	switch r {
	case 'O':
		r = '0'
	case 'I', 'L':
		r = '1'
	}
	if r < 0x80 && strings.IndexByte(symbols, byte(r)) >= 0 {
		return byte(r), true
	}
	return 0, false
}

// Hash returns what to store for a code instead of the code: a keyed hash in
// hex. The code may be as typed.
func (k *Keys) Hash(code string) string {
	return k.ring[0].hash(code)
}

// Hashes returns the hashes under which a typed code may have been stored: one
// for each key, the first key's first. It is empty for what cannot be a code.
func (k *Keys) Hashes(code string) []string {
	if _, ok := NormalizeCode(code); !ok {
		return nil
	}
	hashes := make([]string, len(k.ring))
	for i, key := range k.ring {
		hashes[i] = key.hash(code)
	}
	return hashes
}

// hash takes what is no code as it stands: it then matches nothing stored.
func (k key) hash(code string) string {
	if normal, ok := NormalizeCode(code); ok {
		code = normal
	}
	return hex.EncodeToString(mac(k.store, []byte(code)))
}
