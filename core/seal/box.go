package seal

import "crypto/rand"

// A box is: hint (1) | nonce (12) | content, encrypted | tag (16).

// Box seals bytes that are kept, for one owner: what it is opened for must be the
// same. The same content gives another box each time.
func (k *Keys) Box(content []byte, owner string) []byte {
	key := k.ring[0]
	out := make([]byte, 1+nonceLen, 1+nonceLen+len(content)+16)
	out[0] = key.hint
	_, _ = rand.Read(out[1:]) // never fails
	return key.box.Seal(out, out[1:], content, binding("box", owner))
}

// Unbox opens a box. Every refusal is ErrInvalid.
func (k *Keys) Unbox(box []byte, owner string) ([]byte, error) {
	if len(box) < 1+nonceLen {
		return nil, ErrInvalid
	}
	for _, key := range k.ring {
		if key.hint != box[0] {
			continue
		}
		content, err := key.box.Open(nil, box[1:1+nonceLen], box[1+nonceLen:], binding("box", owner))
		if err == nil {
			return content, nil
		}
	}
	return nil, ErrInvalid
}
