package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/inbound"
	"tidings/core/pace"
)

// How often strangers may have the shop asked whether an order is theirs. A
// customer needs one or two for each order; an office behind one address some.
const (
	proofsPerSecond  = 20 // of all together
	proofsBurst      = 60
	proofsPerAddress = 0.2 // a second: 12 a minute
	proofsAtOnce     = 10  // of one address
	proofTimeout     = 8 * time.Second
)

// preflightLife is how long a browser may remember what a preflight was answered, in seconds.
const preflightLife = "600"

// notYours is what everybody is told whose order is not shown to be theirs: that
// it does not exist, or that it is somebody else's, is not to be told apart.
const notYours = "the access token does not show this order to be yours"

// ownOptIns reports whether customers may ask for links themselves: some
// storefront is named, and there is a shop that can be asked.
func (s *Server) ownOptIns() bool { return s.Prover != nil && len(s.settings.Load().CORSOrigins) > 0 }

// postOptIn takes what the shop asks for with its key, or what a customer asks
// for with their own access token of the shop.
func (s *Server) postOptIn(c *gin.Context) {
	_, ours := s.settings.Load().keys.identify(c.Request, s.now())
	if token := bearer(c.Request); !ours && s.ownOptIns() && token != "" {
		s.ownOptIn(c, token)
		return
	}
	if s.need(scopeOptIns)(c); !c.IsAborted() {
		s.offerToShop(c)
	}
}

// postOwnOptIn is what of postOptIn the internet sees: no key opens it.
func (s *Server) postOwnOptIn(c *gin.Context) {
	_, ours := s.settings.Load().keys.identify(c.Request, s.now())
	token := bearer(c.Request)
	switch {
	case !s.ownOptIns():
		fail(c, problem{Status: http.StatusNotFound})
	case ours || token == "":
		s.shareWith(c)
		unauthorized(c)
	default:
		s.ownOptIn(c, token)
	}
}

// bearer is the token a request shows.
func bearer(r *http.Request) core.Secret {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return core.Secret(strings.TrimSpace(token))
}

// preflightOptIn tells a browser whether a page may ask (Fetch standard, CORS-preflight).
func (s *Server) preflightOptIn(c *gin.Context) {
	switch {
	case !s.ownOptIns():
		fail(c, problem{Status: http.StatusNotFound})
	case !s.shareWith(c):
		fail(c, problem{Status: http.StatusForbidden})
	default:
		c.Header("Access-Control-Allow-Methods", http.MethodPost)
		c.Header("Access-Control-Allow-Headers", "Authorization, Content-Type")
		c.Header("Access-Control-Max-Age", preflightLife)
		c.Status(http.StatusNoContent)
	}
}

// shareWith lets the page that asks read the answer, if it is one of a known
// storefront; false for a page of anybody else's.
func (s *Server) shareWith(c *gin.Context) bool {
	c.Writer.Header().Add("Vary", "Origin")
	origin := c.GetHeader("Origin")
	if origin == "" {
		return true // no browser
	}
	if !slices.Contains(s.settings.Load().CORSOrigins, origin) {
		return false
	}
	c.Header("Access-Control-Allow-Origin", origin)
	c.Header("Access-Control-Expose-Headers", "Retry-After")
	return true
}

// ownOptIn offers links to whoever shows an order to be theirs.
func (s *Server) ownOptIn(c *gin.Context, token core.Secret) {
	if !s.shareWith(c) {
		fail(c, problem{Status: http.StatusForbidden})
		return
	}
	now := s.now()
	if ok, at := s.proofs.take(c.ClientIP(), now); !ok {
		fail(c, problem{Status: http.StatusTooManyRequests, Detail: "asked too often; try again later", Retry: max(at.Sub(now), time.Second)})
		return
	}
	body, err := readObject(c.Request)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	w, p, invites, err := s.readOwnWish(body)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	p.Token = token
	ctx, cancel := context.WithTimeout(c.Request.Context(), proofTimeout)
	defer cancel()
	order, err := s.Prover.OwnOrder(ctx, p)
	if err == nil && w.CustomerUID != "" && !core.SameUID(w.CustomerUID, order.CustomerUID) {
		err = &core.ShopError{Class: core.Rejected, NotFound: true}
	}
	if err != nil {
		s.failProof(c, err)
		return
	}
	w.CustomerUID, w.OrderCode, w.Proof = order.CustomerUID, order.Code, inbound.ByToken
	if strings.EqualFold(order.GUID, cmp.Or(p.GUID, p.Code)) {
		w.Proof = inbound.ByGUID
	}
	s.offer(c, w, invites)
}

// readOwnWish reads what a customer asks for. Whose the order is they cannot
// say: a customerUid is only compared.
func (s *Server) readOwnWish(body *object) (inbound.Wish, core.Proof, []inbound.Invite, error) {
	p := core.Proof{GUID: body.text("orderGuid", maxText)}
	w, invites := s.readOffer(body)
	w.CustomerUID = body.text("customerUid", maxText)
	p.Site, p.Code = w.Site, w.OrderCode
	switch {
	case p.Code == "" && p.GUID == "":
		body.fault("orderCode", "is required; for a guest's order, orderGuid is")
	case p.Code != "" && p.GUID != "":
		body.fault("orderGuid", "cannot be given together with orderCode")
	}
	return w, p, invites, body.done()
}

// failProof answers alike whatever it is that shows nothing. That the token
// itself is no good says nothing about orders, and a page has to know it.
func (s *Server) failProof(c *gin.Context, err error) {
	var e *core.ShopError
	known := errors.As(err, &e)
	switch {
	case known && (e.Type == "InvalidTokenError" || e.Type == "UnauthorizedError"):
		c.Header("WWW-Authenticate", `Bearer realm="tidings", error="invalid_token"`)
		fail(c, problem{Status: http.StatusUnauthorized, Detail: "the shop does not take the access token"})
	case known && (e.Class == core.Rejected || e.Type == "AccessDeniedError"):
		fail(c, problem{Status: http.StatusForbidden, Detail: notYours})
	default:
		s.Log.Warn("the shop could not be asked whose an order is", "class", string(core.ClassOf(err)))
		fail(c, problem{Status: http.StatusServiceUnavailable, Detail: "the shop does not answer; try again later", Retry: 5 * time.Second})
	}
}

// proofs bounds how often the shop is asked, by each address and by all.
type proofs struct {
	mu   sync.Mutex
	all  pace.Bucket
	each map[string]*pace.Bucket
}

// mostAddresses is from how many on those that have been quiet are forgotten.
const mostAddresses = 10_000

func newProofs() *proofs {
	return &proofs{all: pace.New(proofsPerSecond, proofsBurst), each: map[string]*pace.Bucket{}}
}

// take counts one question of an address; if it is one too many, at is when the
// next may be asked.
func (p *proofs) take(address string, now time.Time) (ok bool, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := neighbourhood(address)
	b := p.each[key]
	if b == nil {
		p.forget(now)
		fresh := pace.New(proofsPerAddress, proofsAtOnce)
		b = &fresh
		p.each[key] = b
	}
	if at := b.Next(now); at.After(now) {
		return false, at
	}
	if ok, at := p.all.Take(now); !ok {
		return false, at
	}
	return b.Take(now)
}

// forget makes room: whoever has been quiet for long enough starts anew, and
// where there are too many that have not, all do.
func (p *proofs) forget(now time.Time) {
	if len(p.each) < mostAddresses {
		return
	}
	for key, b := range p.each {
		if b.Idle(now) {
			delete(p.each, key)
		}
	}
	if len(p.each) >= mostAddresses {
		clear(p.each)
	}
}

// neighbourhood is what one subscriber has: an IPv4 address, or an IPv6 /64.
func neighbourhood(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Unmap().Is4() {
		return address
	}
	block, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return block.String()
}
