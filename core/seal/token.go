package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// Ref is what a reference stands for.
type Ref struct {
	ID      int64     // the row of the offered link
	Expires time.Time // counted in whole seconds; the reference is good before it
	Channel string    // the name of the channel it is for
	Purpose string
}

// ErrInvalid is the answer to every token that is not good: wrong, changed,
// expired, or made for another channel or purpose. It does not say which.
var ErrInvalid = errors.New("seal: not a valid reference")

// A token is base64url of: hint (1) | nonce (12) | ID and expiry, encrypted
// (16) | tag (16). 45 bytes are 60 characters without padding or spare bits, so
// a token has exactly one spelling.
const (
	nonceLen = 12
	plainLen = 16
	sealed   = 1 + nonceLen + plainLen + 16
	tokenLen = sealed / 3 * 4
)

// Seal returns the token of ref: 60 characters of A-Z, a-z, 0-9, _ and -. The
// same ref gives the same token as long as the first key stays.
func (k *Keys) Seal(ref Ref) string {
	key := k.ring[0]
	bound := binding(ref.Channel, ref.Purpose)
	plain := encode(ref)
	nonce := mac(key.nonce, bound, plain)[:nonceLen]

	out := make([]byte, 0, sealed)
	out = append(out, key.hint)
	out = append(out, nonce...)
	out = key.aead.Seal(out, nonce, plain, bound)
	return base64.RawURLEncoding.EncodeToString(out)
}

// Unseal opens a token that was made for this channel and purpose and has not
// expired at now. Every refusal is ErrInvalid.
func (k *Keys) Unseal(token, channel, purpose string, now time.Time) (Ref, error) {
	// The length is checked on the text because the decoder skips line breaks.
	if len(token) != tokenLen {
		return Ref{}, ErrInvalid
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != sealed {
		return Ref{}, ErrInvalid
	}
	bound := binding(channel, purpose)
	for _, key := range k.ring {
		if key.hint != raw[0] {
			continue
		}
		plain, err := key.aead.Open(nil, raw[1:1+nonceLen], raw[1+nonceLen:], bound)
		if err != nil {
			continue // two keys may share a hint
		}
		ref := decode(plain, channel, purpose)
		if !now.Before(ref.Expires) {
			return Ref{}, ErrInvalid
		}
		return ref, nil
	}
	return Ref{}, ErrInvalid
}

func encode(ref Ref) []byte {
	plain := make([]byte, 0, plainLen)
	plain = binary.BigEndian.AppendUint64(plain, uint64(ref.ID))
	return binary.BigEndian.AppendUint64(plain, uint64(ref.Expires.Unix()))
}

func decode(plain []byte, channel, purpose string) Ref {
	return Ref{
		ID:      int64(binary.BigEndian.Uint64(plain)),
		Expires: time.Unix(int64(binary.BigEndian.Uint64(plain[8:])), 0).UTC(),
		Channel: channel,
		Purpose: purpose,
	}
}

// binding is what a token is bound to without carrying it. The length in front
// keeps ("ab", "c") apart from ("a", "bc").
func binding(channel, purpose string) []byte {
	b := make([]byte, 0, 8+len(channel)+len(purpose))
	b = binary.BigEndian.AppendUint64(b, uint64(len(channel)))
	b = append(b, channel...)
	return append(b, purpose...)
}

// mac authenticates the parts, each with its length.
func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	return h.Sum(nil)
}
