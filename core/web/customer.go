package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/inbound"
	"tidings/core/lane"
)

// clockSkew is how far the shop's clock may be ahead of ours.
const clockSkew = time.Minute

// customerAnswer is a customer as the gateway knows them.
type customerAnswer struct {
	UID         string       `json:"uid"`
	Name        *string      `json:"name"`
	Locale      *string      `json:"locale"`
	Preferences preferences  `json:"preferences"`
	Links       []linkedChat `json:"links"`
}

// preferences narrow what a route offers. Null is no wish, an empty list
// nothing at all.
type preferences struct {
	Channels []string `json:"channels"`
}

// linkedChat is a link with its address.
type linkedChat struct {
	Channel     string         `json:"channel"`
	Address     string         `json:"address"`
	State       core.LinkState `json:"state"`
	Purpose     core.Purpose   `json:"purpose"`
	Evidence    string         `json:"evidence"`
	Consent     consent        `json:"consent"`
	Since       *time.Time     `json:"since"`
	Blocked     bool           `json:"blocked"`
	LastWroteAt *time.Time     `json:"lastWroteAt"`
	// WindowOpen says whether the platform lets us write freely now.
	WindowOpen bool `json:"windowOpen"`
}

// consent is what a customer agreed to when they linked a chat.
type consent struct {
	Text    *string    `json:"text"`
	Version *string    `json:"version"`
	At      *time.Time `json:"at"`
}

// getCustomer shows a customer.
func (s *Server) getCustomer(c *gin.Context) {
	uid, err := param(c, "uid")
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	s.showCustomer(c, uid)
}

func (s *Server) showCustomer(c *gin.Context, uid string) {
	var a customerAnswer
	err := s.view(c.Request.Context(), func(tx core.Tx) error {
		who, err := tx.CustomerByUID(uid)
		if err != nil {
			return err
		}
		a, err = s.customer(tx, who)
		return err
	})
	if err != nil {
		s.failRead(c, err)
		return
	}
	c.JSON(http.StatusOK, a)
}

func (s *Server) customer(tx core.Tx, who core.Customer) (customerAnswer, error) {
	a := customerAnswer{
		UID: who.UID, Name: orNull(who.Name), Locale: orNull(who.Locale),
		Preferences: preferences{who.Preferred}, Links: []linkedChat{},
	}
	links, err := tx.LinksOf(who.ID)
	for _, l := range links {
		a.Links = append(a.Links, s.linkedChat(l))
	}
	return a, err
}

func (s *Server) linkedChat(l core.LinkedAddress) linkedChat {
	return linkedChat{
		Channel: l.Link.Channel, Address: l.Address.Value, State: l.Link.State, Purpose: l.Link.Purpose, Evidence: l.Link.Evidence,
		Consent: consent{orNull(l.Link.Consent), orNull(l.Link.ConsentVer), orNull(l.Link.CreatedAt)},
		Since:   orNull(l.Link.CreatedAt), Blocked: !l.Address.BlockedAt.IsZero(), LastWroteAt: orNull(l.Address.LastInAt),
		WindowOpen: s.windowOpen(l.Link.Channel, l.Address.LastInAt),
	}
}

// windowOpen reports whether a platform lets us write freely; not on a channel
// that is not configured.
func (s *Server) windowOpen(channel string, lastIn time.Time) bool {
	o, ok := s.Dispatcher.Outlet(channel)
	if !ok {
		return false
	}
	reply := o.Limits.Window.Reply
	return reply == 0 || s.now().Before(lastIn.Add(reply))
}

// putPreferences writes which channels the customer wants.
func (s *Server) putPreferences(c *gin.Context) {
	uid, err := param(c, "uid")
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	channels, err := s.readPreferences(c)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	err = s.do(c.Request.Context(), func(tx *lane.Tx) error {
		who, err := tx.EnsureCustomer(uid, s.now())
		if err != nil {
			return err
		}
		who.Preferred = channels
		return tx.SaveCustomer(who)
	})
	if err != nil {
		s.failWith(c, err, acceptTimeout)
		return
	}
	s.showCustomer(c, uid)
}

func (s *Server) readPreferences(c *gin.Context) ([]string, error) {
	body, err := readObject(c.Request)
	if err != nil {
		return nil, err
	}
	if _, there := body.fields["channels"]; !there {
		body.fault("channels", "is required; null for no wish")
	}
	channels, _ := body.list("channels")
	for i, name := range channels {
		if _, ok := s.Dispatcher.Outlet(name); !ok {
			body.faultAt("channels/"+strconv.Itoa(i), "is not a configured channel")
		}
	}
	return channels, body.done()
}

// putAddress links an address on the shop's word.
func (s *Server) putAddress(c *gin.Context) {
	uid, err := param(c, "uid")
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	channel, err := param(c, "channel")
	outlet, ok := s.Dispatcher.Outlet(channel)
	if err != nil || !ok {
		fail(c, problem{Status: http.StatusNotFound, Detail: "no channel of this name is configured"})
		return
	}
	v, err := s.readVouched(c, outlet.Channel)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	v.CustomerUID, v.Channel = uid, channel
	_, before := s.chatOf(c.Request.Context(), v)
	ctx, cancel := context.WithTimeout(c.Request.Context(), acceptTimeout)
	defer cancel()
	err = s.Inbound.Vouch(ctx, v)
	switch {
	case errors.Is(err, inbound.ErrOtherCustomer):
		fail(c, problem{Status: http.StatusConflict, Detail: `the address is linked to another customer; "move": true moves it`})
		return
	case err != nil:
		s.failWith(c, err, acceptTimeout)
		return
	}
	chat, err := s.chatOf(c.Request.Context(), v)
	switch {
	case err != nil:
		s.failRead(c, err)
	case before == nil:
		c.JSON(http.StatusOK, chat)
	default:
		c.JSON(http.StatusCreated, chat)
	}
}

func (s *Server) readVouched(c *gin.Context, channel core.Channel) (inbound.Vouched, error) {
	body, err := readObject(c.Request)
	if err != nil {
		return inbound.Vouched{}, err
	}
	v := inbound.Vouched{
		Locale: body.locale("locale"), Name: body.text("name", maxText), Move: body.boolean("move"), LastWroteAt: body.time("lastWroteAt"),
	}
	if v.LastWroteAt.After(s.now().Add(clockSkew)) {
		body.fault("lastWroteAt", "must not be in the future")
	}
	if raw, ok := body.take("address"); !ok || raw[0] != '{' {
		v.Address = body.address(channel)
		return v, body.done()
	}
	matcher, ok := channel.(core.Matcher)
	v.Subject = body.appScoped(ok)
	if err := body.done(); err != nil {
		return v, err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), loginTimeout)
	defer cancel()
	a, err := matcher.AddressOf(ctx, v.Subject)
	switch {
	case err != nil:
		s.Log.Error("an address could not be matched: the platform does not tell whose it is", "err", err)
		return v, &refusal{problem{Status: http.StatusServiceUnavailable, Detail: "the platform does not tell which chat this is; try again later"}}
	case a.Value == "":
		body.faultAt("address/asid", "has no chat with us yet; lead the customer there by an opt-in")
	}
	v.Address = a.Value
	return v, body.done()
}

// address reads an address in the words of a channel's platform.
func (o *object) address(channel core.Channel) string {
	value := o.required("address")
	if a, ok := channel.(core.Addressed); ok && value != "" {
		if wrong := a.CheckAddress(value); wrong != "" {
			o.fault("address", wrong)
		}
	}
	return value
}

// appScoped reads {"asid": …}, what a platform's login calls an account, where the
// platform can match it.
func (o *object) appScoped(matched bool) string {
	child := o.object("address")
	asid := child.text("asid", maxText)
	switch {
	case asid == "":
		child.fault("asid", "is required where the address is an object")
	case !matched:
		child.fault("asid", "cannot be matched on this channel; name the address itself")
	}
	child.strangers()
	return asid
}

// chatOf returns the customer's link to an address; core.ErrNotFound for none.
func (s *Server) chatOf(ctx context.Context, v inbound.Vouched) (linkedChat, error) {
	var chat linkedChat
	err := s.view(ctx, func(tx core.Tx) error {
		who, err := tx.CustomerByUID(v.CustomerUID)
		if err != nil {
			return err
		}
		links, err := tx.LinksOf(who.ID)
		if err != nil {
			return err
		}
		for _, l := range links {
			if l.Link.Channel == v.Channel && l.Address.Value == v.Address {
				chat = s.linkedChat(l)
				return nil
			}
		}
		return core.ErrNotFound
	})
	return chat, err
}

// deleteAddress ends the customer's links on a channel.
func (s *Server) deleteAddress(c *gin.Context) {
	uid, err := param(c, "uid")
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	channel, err := param(c, "channel")
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), acceptTimeout)
	defer cancel()
	ended, err := s.Inbound.Unlink(ctx, uid, channel)
	if err != nil {
		s.failWith(c, err, acceptTimeout)
		return
	}
	s.tellUnlinked(c.Request.Context(), channel, ended)
	c.Status(http.StatusNoContent)
}

// unlinkTimeout is how long a platform may take to hear of links that have ended.
const unlinkTimeout = 5 * time.Second

// tellUnlinked has a platform with logins at the shop show, too, that chats are
// linked no longer. They are not, whether it hears of it or not.
func (s *Server) tellUnlinked(ctx context.Context, channel string, ended []core.Address) {
	linker, ok := dispatch.ChannelAs[core.AccountLinker](s.Dispatcher, channel)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, unlinkTimeout)
	defer cancel()
	for _, a := range ended {
		if err := linker.UnlinkAccount(ctx, a); err != nil {
			s.Log.Warn("the platform could not be told that a link has ended; it may go on showing one", "channel", channel, "err", err)
		}
	}
}
