package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/inbound"
	"tidings/core/intake"
	"tidings/core/lane"
)

// How long a request may wait for the database. A platform's or a shop's
// request that cannot be made durable in time is to be sent again.
const (
	acceptTimeout = 2 * time.Second
	perEvent      = 10 * time.Millisecond // more for each event of a batch: a shop is patient, a platform is not
	readTimeout   = 5 * time.Second
)

// Settings are what a reload can change.
type Settings struct {
	Reader  intake.Reader
	APIKeys []APIKey
	// ClientCertificateHeader is where trusted proxies name the subject of a client
	// certificate that they have verified; empty: nowhere.
	ClientCertificateHeader string
	PublicURL               string        // without a slash at its end
	OptInExpires            time.Duration // how long an offered link is good for; 0: none is offered
	DefaultLocale           string
	// CustomerTokens says that opt-ins may bring the customer's token.
	CustomerTokens bool
	// Mail reads an e-mail that came to the desk's address; nil: it has none. Why
	// tells why there are no events; the error, without naming anybody, what is wrong.
	Mail func(raw []byte, now time.Time) (events []core.Event, why string, err error)
	// CORSOrigins are the storefronts whose pages may ask for links with a
	// customer's own token; none: nobody may.
	CORSOrigins []string
}

// Options are the surroundings of a Server.
type Options struct {
	Engine     *lane.Engine
	Intake     *intake.Intake
	Dispatcher *dispatch.Dispatcher
	Inbound    *inbound.Inbound // without Keys, opt-ins are refused
	// Prover lets customers show what is theirs; nil: nobody can.
	Prover   core.Prover
	Metrics  *Metrics
	Settings Settings

	TrustedProxies []string // addresses and CIDR blocks
	// Ping reports whether the database answers.
	Ping func(ctx context.Context) error
	// Ready reports whether the gateway has started wholly, and if not, why; nil: it has.
	Ready func() (ok bool, why string)
	// Replicas are the processes that share the database, this one among them; nil: it has it alone.
	Replicas func(ctx context.Context) ([]Replica, error)
	Version  string
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
}

// Server answers HTTP requests.
type Server struct {
	Options
	pages    *template.Template
	proofs   *proofs
	settings atomic.Pointer[settings]
}

// settings are Settings made ready for use.
type settings struct {
	Settings
	keys keyring
}

// New returns a server. Its handlers are to be served by the caller, with
// deadlines for reading and writing.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	s := &Server{Options: o, pages: parsePages(), proofs: newProofs()}
	s.Set(o.Settings)
	o.Metrics.watch(o.Engine, o.Dispatcher, o.Now)
	return s
}

// Set puts other settings in force, for requests that begin from now on.
func (s *Server) Set(x Settings) {
	s.settings.Store(&settings{Settings: x, keys: newKeyring(x.APIKeys)})
}

func (s *Server) now() time.Time { return s.Now() }

// Public is the side the internet sees: webhooks and link pages.
func (s *Server) Public() http.Handler {
	return s.handler(func(r route) bool { return r.side&public != 0 })
}

// Internal is the side of the shop and the operators: API, figures, documents.
func (s *Server) Internal() http.Handler {
	return s.handler(func(r route) bool { return r.side&internal != 0 })
}

// Both is everything on one listener. There, where strangers can reach them,
// the figures take a key of scope admin.
func (s *Server) Both() http.Handler {
	return s.handler(func(r route) bool { return r.side&shared != 0 })
}

// handler returns the routes that are wanted.
func (s *Server) handler(wanted func(route) bool) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	// Routing is done on the path as it was sent, so that a segment may hold an
	// encoded slash. gin would decode values as those of a query, where + is a
	// space; param does it instead.
	g.UseEscapedPath, g.UnescapePathValues = true, false
	g.RedirectTrailingSlash, g.HandleMethodNotAllowed = false, true
	if err := g.SetTrustedProxies(s.TrustedProxies); err != nil {
		s.Log.Error("trusted_proxies cannot be understood: none is trusted", "err", err)
		_ = g.SetTrustedProxies(nil)
	}
	g.Use(s.observe, s.recover, harden)
	g.NoRoute(func(c *gin.Context) { fail(c, problem{Status: http.StatusNotFound}) })
	g.NoMethod(func(c *gin.Context) { fail(c, problem{Status: http.StatusMethodNotAllowed}) })
	for _, r := range s.routes() {
		if !wanted(r) {
			continue
		}
		var chain []gin.HandlerFunc
		if r.scope != "" {
			chain = append(chain, s.need(r.scope))
		}
		chain = append(chain, r.handle)
		g.Handle(r.method, r.path, chain...)
		if r.method == http.MethodGet && hasHead(r.path) { // net/http drops the body
			g.HEAD(r.path, chain...)
		}
	}
	return g
}

// view reads on a snapshot. Any error but core.ErrNotFound means that the
// database is away.
func (s *Server) view(ctx context.Context, fn func(core.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return s.Engine.View(ctx, fn)
}

// do writes, within the time a caller is made to wait.
func (s *Server) do(ctx context.Context, fn func(*lane.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	return s.Engine.Do(ctx, fn)
}
