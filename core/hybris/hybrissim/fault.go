package hybrissim

import (
	"net/http"
	"strings"
	"time"
)

// Failure is what some of the next requests are answered.
type Failure struct {
	Times  int // 0: all until ClearFaults
	Status int
	// Type is the error's type; empty with a status from 500 on is a proxy's
	// page of HTML instead of the platform's JSON.
	Type, Message string
	// Path meets only requests whose path contains it. Empty: every OCC
	// request, but none for a token ("/oauth/token").
	Path       string
	RetryAfter time.Duration
	Every      int // meets each so-many-th of its requests only; 0: all

	seen int
}

// faults is what shall go wrong. It is guarded by Sim.mu.
type faults struct {
	down          bool
	unavailable   bool
	delay         time.Duration
	stale         time.Duration
	unknown       int
	rejectTickets bool
	failures      []*Failure
	duplicates    int
	holdPushes    bool
	lostPushes    int
	bends         bends
}

// fate is what happens to one request.
type fate struct {
	delay   time.Duration
	drop    bool // before anything is done
	swallow bool // done, but nobody hears of it
	failure *failure
}

// pick decides about a request and uses up what it met.
func (f *faults) pick(r *http.Request, prefix string) fate {
	out := fate{delay: f.delay, drop: f.down}
	if f.down {
		return out
	}
	if f.unavailable {
		out.failure = proxyPage(http.StatusServiceUnavailable, 0)
		return out
	}
	resource := strings.HasPrefix(r.URL.Path, prefix+"/")
	if out.failure = f.scripted(r.URL.Path, resource); out.failure != nil {
		return out
	}
	if f.unknown > 0 && resource && r.Method == http.MethodPost {
		f.unknown--
		out.swallow = true
	}
	return out
}

// scripted returns the failure that is planned for a path.
func (f *faults) scripted(path string, resource bool) *failure {
	for i, plan := range f.failures {
		if plan.Path == "" && !resource || !strings.Contains(path, plan.Path) {
			continue
		}
		if plan.seen++; plan.Every > 0 && plan.seen%plan.Every != 0 {
			continue
		}
		if plan.Times--; plan.Times == 0 {
			f.failures = append(f.failures[:i:i], f.failures[i+1:]...)
		}
		return plan.answer(resource)
	}
	return nil
}

func (p *Failure) answer(resource bool) *failure {
	switch {
	case p.Type == "" && p.Status >= 500:
		return proxyPage(p.Status, p.RetryAfter)
	case resource:
		out := fail(p.Status, p.Type, p.Message)
		out.retryAfter = p.RetryAfter
		return out
	default:
		out := refuseToken(p.Status, p.Type, p.Message)
		out.retryAfter = p.RetryAfter
		return out
	}
}

// set changes the faults under the lock.
func (s *Sim) set(change func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.faults)
}

// Down drops every connection while on.
func (s *Sim) Down(on bool) { s.set(func(f *faults) { f.down = on }) }

// Unavailable answers every request 503 with a proxy's page while on.
func (s *Sim) Unavailable(on bool) { s.set(func(f *faults) { f.unavailable = on }) }

// Delay makes every answer take so long.
func (s *Sim) Delay(d time.Duration) { s.set(func(f *faults) { f.delay = d }) }

// FailNext answers the next n OCC requests with a status and an error type.
func (s *Sim) FailNext(n, status int, errorType string) {
	s.Fail(Failure{Times: n, Status: status, Type: errorType, Message: "Injected failure"})
}

// Fail plans a failure. The oldest plan that matches a request meets it.
func (s *Sim) Fail(plan Failure) {
	s.set(func(f *faults) { f.failures = append(f.failures, &plan) })
}

// StaleReads makes orders read as they were d ago, as a cached controller does.
func (s *Sim) StaleReads(d time.Duration) { s.set(func(f *faults) { f.stale = d }) }

// UnknownOutcome makes the next n POSTs take effect and then drops the connection.
func (s *Sim) UnknownOutcome(n int) { s.set(func(f *faults) { f.unknown = n }) }

// RejectTickets refuses every new ticket and entry while on.
func (s *Sim) RejectTickets(on bool) { s.set(func(f *faults) { f.rejectTickets = on }) }

// DuplicatePushes makes the shop report everything 1+n times, with the same ids.
func (s *Sim) DuplicatePushes(n int) { s.set(func(f *faults) { f.duplicates = n }) }

// LosePushes makes the shop lose the next n events before they leave, as a full
// queue in memory does.
func (s *Sim) LosePushes(n int) { s.set(func(f *faults) { f.lostPushes = n }) }

// ForgetFeed empties the status feed, which a node keeps in memory, as its restart does.
func (s *Sim) ForgetFeed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feed = nil
}

// ClearFaults ends all misfortune but held pushes.
func (s *Sim) ClearFaults() {
	s.set(func(f *faults) { *f = faults{holdPushes: f.holdPushes} })
}
