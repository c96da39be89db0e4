package messenger

import "sync"

// mostRefused bounds the memory of refused receipts.
const mostRefused = 10_000

// refusedReceipts are the keys of the parts whose receipt Meta refused. It is the
// only thing a channel remembers, and it may forget: then the receipt is refused
// once more and the core decides. It may be used concurrently.
type refusedReceipts struct {
	mu   sync.Mutex
	keys map[string]struct{}
}

func (r *refusedReceipts) has(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, found := r.keys[key]
	return found
}

func (r *refusedReceipts) add(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys == nil || len(r.keys) >= mostRefused {
		r.keys = make(map[string]struct{})
	}
	r.keys[key] = struct{}{}
}
