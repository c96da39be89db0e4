package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/inbound"
)

// offerAnswer is what a shop shows its customer. An entry of links has the
// channel's name and type, then either token and url with what else a page
// needs, or code and how.
type offerAnswer struct {
	ExpiresAt time.Time           `json:"expiresAt"`
	Page      string              `json:"page"`
	Links     []map[string]string `json:"links"`
}

// offerToShop offers a customer of whom the shop speaks the ways to link a chat.
func (s *Server) offerToShop(c *gin.Context) {
	body, err := readObject(c.Request)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	w, invites, err := s.readWish(body)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	s.offer(c, w, invites)
}

// offer answers with the links a wish asks for.
func (s *Server) offer(c *gin.Context, w inbound.Wish, invites []inbound.Invite) {
	if !s.optIns() || len(invites) == 0 {
		fail(c, problem{
			Status: http.StatusServiceUnavailable, Detail: "opt-ins are off: no opt_in.keys, or no channel to which a customer can be led",
		})
		return
	}
	set := s.settings.Load()
	ctx, cancel := context.WithTimeout(c.Request.Context(), acceptTimeout)
	defer cancel()
	offer, err := s.Inbound.Offer(ctx, w, invites, set.OptInExpires)
	if err != nil {
		s.failWith(c, err, acceptTimeout)
		return
	}
	a := offerAnswer{ExpiresAt: offer.ExpiresAt.UTC(), Page: set.PublicURL + "/link/" + offer.PageToken, Links: []map[string]string{}}
	for _, l := range offer.Links {
		a.Links = append(a.Links, linkAnswer(l, set.PublicURL))
	}
	c.JSON(http.StatusCreated, a)
}

// optIns reports whether links are offered at all.
func (s *Server) optIns() bool { return s.Inbound.Keys != nil && s.settings.Load().OptInExpires > 0 }

func linkAnswer(l inbound.OfferLink, publicURL string) map[string]string {
	a := maps.Clone(l.Extra)
	if a == nil {
		a = map[string]string{}
	}
	for name, value := range map[string]string{"token": l.Token, "url": l.URL, "code": l.Code, "how": l.How, "login": loginURL(publicURL, l)} {
		if value != "" {
			a[name] = value
		}
	}
	a["channel"], a["type"] = l.Channel, l.Type
	return a
}

func (s *Server) readWish(body *object) (inbound.Wish, []inbound.Invite, error) {
	uid := body.required("customerUid")
	w, invites := s.readOffer(body)
	w.CustomerUID = uid
	return w, invites, body.done()
}

// readOffer reads what is to be offered, but not to whom.
func (s *Server) readOffer(body *object) (inbound.Wish, []inbound.Invite) {
	w := inbound.Wish{
		OrderCode: body.text("orderCode", maxText), Site: body.text("site", maxText),
		Locale: body.locale("locale"), Purpose: core.Purpose(body.text("purpose", maxText)),
	}
	switch w.Purpose {
	case "":
		w.Purpose = core.OrderUpdates
	case core.OrderUpdates, core.Service, core.Marketing:
	default:
		body.fault("purpose", "must be order_updates, service or marketing")
	}
	consent := body.object("consent")
	w.Consent, w.ConsentVersion = consent.text("text", maxWords), consent.text("version", maxText)
	consent.strangers()
	w.Token = s.readToken(body)
	return w, s.readChannels(body)
}

// readToken reads the token with which a desk may act for the customer.
func (s *Server) readToken(body *object) core.CustomerToken {
	token := body.object("customerToken")
	t := core.CustomerToken{
		Access: core.Secret(token.text("accessToken", maxToken)), Refresh: core.Secret(token.text("refreshToken", maxToken)),
	}
	seconds := 0
	given := token.decode("expiresIn", &seconds, "must be a number of seconds")
	token.strangers()
	switch {
	case token.fields == nil:
		return t
	case !s.settings.Load().CustomerTokens:
		body.fault("customerToken", "is not wanted: commerce.tickets has another desk than customer, or there are no opt_in.keys")
	case t.Access == "":
		token.fault("accessToken", "is required")
	case given && (seconds <= 0 || seconds > 365*24*3600):
		token.fault("expiresIn", "must be a number of seconds, at most a year")
	}
	if seconds > 0 {
		t.Expires = s.now().Add(time.Duration(seconds) * time.Second)
	}
	return t
}

// maxToken is how long a token may be, in bytes: a JWT of many claims.
const maxToken = 8 << 10

// readChannels returns the channels a customer is to be led to: those that were
// asked for, or all there are.
func (s *Server) readChannels(body *object) []inbound.Invite {
	names, given := body.list("channels")
	if !given {
		return s.invites()
	}
	if len(names) == 0 {
		body.fault("channels", "must name at least one channel; leave it out for all")
	}
	var all []inbound.Invite
	for i, name := range names {
		at := "channels/" + strconv.Itoa(i)
		o, known := s.Dispatcher.Outlet(name)
		switch {
		case slices.Contains(names[:i], name):
			body.faultAt(at, "is in the list already")
		case !known:
			body.faultAt(at, "is not a configured channel")
		default:
			inviter, ok := o.Channel.(core.Inviter)
			if !ok {
				body.faultAt(at, "is a channel to which customers cannot be led")
				continue
			}
			all = append(all, inbound.Invite{Channel: name, Type: o.Type, Inviter: inviter})
		}
	}
	return all
}

// invites are all channels to which a customer can be led, by name.
func (s *Server) invites() []inbound.Invite {
	var all []inbound.Invite
	for name, o := range s.Dispatcher.Outlets() {
		if inviter, ok := o.Channel.(core.Inviter); ok {
			all = append(all, inbound.Invite{Channel: name, Type: o.Type, Inviter: inviter})
		}
	}
	slices.SortFunc(all, func(a, b inbound.Invite) int { return strings.Compare(a.Channel, b.Channel) })
	return all
}
