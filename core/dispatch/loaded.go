package dispatch

import "sync"

// loadedMost bounds what is kept between marking and sending. More is never on
// its way at once; what is left behind by lanes that were lost goes with the rest.
const loadedMost = 8192

// loaded hands what Mark has read over to Work, which would have to read the same
// rows again.
type loaded struct {
	mu   sync.Mutex
	jobs map[jobKey]*job
}

type jobKey struct {
	message int64
	part    int
}

func (l *loaded) put(j *job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.jobs) >= loadedMost {
		clear(l.jobs)
	}
	l.jobs[jobKey{j.message.ID, j.part.N}] = j
}

func (l *loaded) take(message int64, part int) (*job, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := jobKey{message, part}
	j, ok := l.jobs[key]
	delete(l.jobs, key)
	return j, ok
}
