package hybrissim

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what kind of installation is emulated. The zero value is a
// strict, recent one with a site "electronics" and no events.
type Options struct {
	BaseSites []string
	// ClientID and ClientSecret are those of the gateway's OAuth client, which
	// has the role ROLE_TRUSTED_CLIENT, the scope "extended" and no grant but
	// client_credentials.
	ClientID, ClientSecret string
	Clients                []Client // the others; default Storefront()
	CustomerPassword       string   // every customer's; default DefaultPassword
	Prefix                 string   // default "/occ/v2"
	// Answers settle what the documents leave open, by a Doubt's name. They must
	// pass CheckAnswers.
	Answers map[string]string

	// AllowTrustedTickets opens the ticket resources to the trusted client, as
	// a small extension of the shop would; a stock installation refuses it.
	AllowTrustedTickets bool
	// Mode2105 answers like release 2105: no body for a new ticket entry, no
	// codes and attachments of entries, the older words for an unknown user.
	Mode2105 bool
	// TokenTTL 0 is the legacy authorization server: 12 hours, and the same
	// token again with less of its life left. Otherwise tokens are JWTs of this
	// life (the new server's default is 300 s), a new one for each request.
	TokenTTL time.Duration
	// MaxSecretAttempts disables the client after so many wrong secrets; 0: never.
	MaxSecretAttempts int
	// OrderByGUID lets a user's order be read by its GUID too (a toggle of
	// newer releases); guests' orders always can.
	OrderByGUID bool
	NoTracking  bool // an installation without the consignmenttracking extension
	// Languages the base store speaks; another "lang" is refused. Empty: any.
	Languages      []string
	MaxAttachments int // per ticket entry; default 10

	// EventsURL is where the shop reports its events. EventsKey authenticates
	// it: as a bearer token, or as the password of EventsUser (default "shop")
	// in the styles that use Basic.
	EventsURL, EventsUser, EventsKey string
	// EventsTokenURL makes all styles send a bearer token instead, which is got
	// there by client credentials with EventsUser and EventsKey.
	EventsTokenURL string
	// EventsSigned signs all styles with the key instead, as Standard Webhooks do.
	EventsSigned bool
	Style        Style  // default Native
	Application  string // the shop's name in Kyma types and sources; default "shop"
	Objects      Objects
	// AutoPush reports every change that the platform would report.
	AutoPush bool
	// TicketPushes reports ticket entries too; a stock shop never does.
	TicketPushes bool
	SendOrder    bool // native events carry the order along

	Client *http.Client
	Now    func() time.Time
	Wait   func(ctx context.Context, d time.Duration) error // how time passes; default by timers
}

// Objects are the names of the shop's integration objects, which webhooks carry.
// Those of tickets and consents fire only where they have a name.
type Objects struct {
	Order, Consignment, Return, TicketMessage string
	Ticket, Consent                           string
}

// Sim is an emulated shop. It is the http.Handler of the shop's host.
type Sim struct {
	opt Options
	mux *http.ServeMux

	answers   atomic.Pointer[map[string]string]
	mu        sync.Mutex
	faults    faults
	counts    map[string]int
	calls     []Call
	auth      authority
	customers map[string]*Customer
	orders    map[string]*orderRecord // by code
	guids     map[string]*orderRecord
	returns   []*Return
	tickets   []*Ticket
	feed      []statusChange
	consents  []*Consent
	serial    map[string]int64 // number ranges, by name
	pushes    pushes
	pushing   sync.WaitGroup
}

// Call is one request that came in.
type Call struct {
	Method string
	Path   string // as counted by Requests
	Query  string
}

// Most calls that are remembered.
const maxCalls = 10_000

// New returns an empty shop.
func New(opt Options) *Sim {
	s := &Sim{opt: withDefaults(opt)}
	s.answers.Store(settled(opt.Answers))
	s.counts = map[string]int{}
	s.auth = newAuthority(s.opt)
	s.customers = map[string]*Customer{}
	s.orders, s.guids = map[string]*orderRecord{}, map[string]*orderRecord{}
	s.serial = map[string]int64{}
	s.mux = s.routes()
	return s
}

func withDefaults(opt Options) Options {
	if len(opt.BaseSites) == 0 {
		opt.BaseSites = []string{"electronics"}
	}
	opt.Prefix = cmp.Or(opt.Prefix, "/occ/v2")
	if opt.Clients == nil {
		opt.Clients = []Client{Storefront()}
	}
	opt.CustomerPassword = cmp.Or(opt.CustomerPassword, DefaultPassword)
	opt.EventsUser = cmp.Or(opt.EventsUser, "shop")
	opt.Application = cmp.Or(opt.Application, "shop")
	opt.Style = cmp.Or(opt.Style, Native)
	opt.Objects.Order = cmp.Or(opt.Objects.Order, "OutboundOrder")
	opt.Objects.Consignment = cmp.Or(opt.Objects.Consignment, "OutboundConsignment")
	opt.Objects.Return = cmp.Or(opt.Objects.Return, "OutboundReturnRequest")
	opt.Objects.TicketMessage = cmp.Or(opt.Objects.TicketMessage, "OutboundTicketMessage")
	opt.MaxAttachments = cmp.Or(opt.MaxAttachments, 10)
	if opt.Client == nil {
		opt.Client = http.DefaultClient
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wait == nil {
		opt.Wait = byTimer
	}
	return opt
}

func byTimer(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ServeHTTP answers like the shop, or as its faults want it.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fate := s.meet(r)
	if fate.delay > 0 && s.opt.Wait(r.Context(), fate.delay) != nil {
		panic(http.ErrAbortHandler)
	}
	switch {
	case fate.drop:
		panic(http.ErrAbortHandler)
	case fate.failure != nil:
		fate.failure.write(w)
	case fate.swallow:
		s.mux.ServeHTTP(nowhere{http.Header{}}, r)
		panic(http.ErrAbortHandler)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// meet counts the request and tells what happens to it.
func (s *Sim) meet(r *http.Request) fate {
	_, pattern := s.mux.Handler(r)
	call := Call{Method: r.Method, Path: s.label(pattern), Query: r.URL.RawQuery}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[call.Method+" "+call.Path]++
	if len(s.calls) < maxCalls {
		s.calls = append(s.calls, call)
	}
	return s.faults.pick(r, s.opt.Prefix)
}

// Requests returns how many requests came in, by method and resource, such as
// "GET /users/{userId}/orders/{code}" or "POST /oauth/token". What is no
// resource is counted as "/".
func (s *Sim) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.counts))
	maps.Copy(out, s.counts)
	return out
}

// Calls returns the requests that came in, oldest first, up to a bound.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// number returns the next number of a range.
func (s *Sim) number(of string, first int64) int64 {
	if s.serial[of] == 0 {
		s.serial[of] = first
	}
	s.serial[of]++
	return s.serial[of] - 1
}

// nowhere is a connection whose other end has gone.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
