package channeltest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"tidings/core"
)

// Exam is what the exam has to know of an adapter and its platform.
type Exam struct {
	// Open returns a fresh channel with a valid configuration, whose requests go
	// through rt. OpenWrong does so with credentials that the platform refuses.
	Open, OpenWrong func(t testing.TB, rt http.RoundTripper) core.Channel
	// Config is the configuration that Open opens, Secrets what is secret in it.
	Config  core.Config
	Secrets []string
	// Start returns a fresh platform without limits of pace, whose callbacks go
	// through hook.
	Start func(t testing.TB, hook http.RoundTripper) Platform

	// Person returns the address of the n-th customer, who can be written to once
	// they have written. Addresses are long enough not to occur by chance.
	Person func(n int) core.Address
	// Nobody is an address of the right form that the platform does not know.
	Nobody core.Address

	// Hard lists the limits that are the platform's own, so that one more is refused.
	Hard []Bound
	// Failures says what each kind of failure is to the core. All kinds that the
	// platform can show must be there.
	Failures []Failure

	// Proof says how callbacks prove their sender; Handshakes are the requests
	// that test the webhook's URL. Both are empty where the platform calls nobody.
	Proof      Proof
	Handshakes []Handshake
	// Tokens are references as the gateway would make them for this platform.
	Tokens []string
}

// Bound names a limit of core.Limits.
type Bound string

// The bounds.
const (
	BoundText        Bound = "text"
	BoundCaption     Bound = "caption"
	BoundButtons     Bound = "number of buttons"
	BoundButtonText  Bound = "text above buttons"
	BoundButtonTitle Bound = "title of a button"
	BoundButtonValue Bound = "value of a button"
	BoundButtonURL   Bound = "URL of a button"
	BoundLines       Bound = "lines of an order"
)

// Failure is a fault and what the adapter must make of it.
type Failure struct {
	Name  string // as in "an expired token"
	Fault Fault
	Class core.Class
	Scope core.Scope
	// Shown says that the customer sees the message all the same.
	Shown bool
}

// Proof is how a platform proves that a callback is its own.
type Proof struct {
	Headers []string // none of them may be missing or wrong
	// OverBody says that the proof covers the body's bytes.
	OverBody bool
	// MaxAge is how far the signed time may be off, either way; 0: none is signed.
	MaxAge time.Duration
	// Sign gives a header the proof for a body at a time.
	Sign func(h http.Header, body []byte, at time.Time)
}

// Handshake is a request that tests the webhook's URL.
type Handshake struct {
	Name     string
	Callback func(now time.Time) core.Callback
	Answer   string // the body of the reply
	Err      error  // what a wrong one is refused with
}

// Run asks all points.
func Run(t *testing.T, x Exam) {
	x.point(t, "1 limits are constant data with sources", limitsAreData)
	t.Run("2 what split makes is accepted and shown whole", x.contentArrives)
	t.Run("2 limits are tight", x.limitsAreTight)
	t.Run("3 one send is one request", x.oneRequest)
	t.Run("4 every failure is a classified error", x.failures)
	t.Run("4 errors say nothing of secrets and people", x.errorsAreDiscreet)
	x.point(t, "4 a closed reply window is told", windowCloses)
	t.Run("5 names agree", x.namesAgree)
	t.Run("6 callbacks need their proof", x.proofIsNeeded)
	t.Run("6 callbacks are understood", x.callbacksAreUnderstood)
	x.point(t, "6 decoding is pure", decodingIsPure)
	x.point(t, "6 strange callbacks do no harm", strangeCallbacks)
	t.Run("7 an invitation brings its token", x.invitationsArrive)
	t.Run("8 a configuration hides its secrets", x.secretsAreHidden)
	x.point(t, "9 what crosses the interface is plain data", plainData)
	x.point(t, "10 files of people are fetched", filesAreFetched)
	x.point(t, "10 files that cannot be fetched are a classified error", filesThatFail)
}

// point runs a test in a world of its own, in virtual time.
func (x Exam) point(t *testing.T, name string, test func(*testing.T, *world)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, x)) })
	})
}
