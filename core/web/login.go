package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/inbound"
)

// loginTimeout is how long a platform may take to say who has logged in, all
// requests together: a person looks at an empty page meanwhile.
const loginTimeout = 15 * time.Second

// loginURL is where the login of an offered link begins; empty where there is none.
func loginURL(publicURL string, l inbound.OfferLink) string {
	if l.LoginToken == "" {
		return ""
	}
	return publicURL + "/auth/" + url.PathEscape(l.Channel) + "/start?token=" + url.QueryEscape(l.LoginToken)
}

// authenticator returns the channel of a path, if customers can log in on its platform.
func (s *Server) authenticator(c *gin.Context) (string, core.Authenticator, bool) {
	name, err := param(c, "channel")
	if err != nil || !s.optIns() {
		return "", nil, false
	}
	a, ok := dispatch.ChannelAs[core.Authenticator](s.Dispatcher, name)
	return name, a, ok && a.HasLogin()
}

// backURL is where a platform sends the browser back to. It is made of the
// configuration alone, never of what a request says of its host.
func (s *Server) backURL(channel string) string {
	return s.settings.Load().PublicURL + "/auth/" + url.PathEscape(channel) + "/callback"
}

// startLogin sends the browser to the platform, with a state that is good for this
// browser only. A reference that does not count shows the page of all those.
func (s *Server) startLogin(c *gin.Context) {
	name, a, ok := s.authenticator(c)
	if !ok {
		s.showLinkPage(c, http.StatusNotFound, "", linkPageData{})
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), readTimeout)
	defer cancel()
	start, err := s.Inbound.BeginLogin(ctx, name, c.Query("token"))
	switch {
	case errors.Is(err, core.ErrNotFound):
		s.showLinkPage(c, http.StatusNotFound, "", linkPageData{})
		return
	case err != nil:
		s.failRead(c, err)
		return
	}
	start.Attempt.RedirectURI = s.backURL(name)
	http.SetCookie(c.Writer, s.loginCookie(start.Attempt, start.Browser, int(start.Lasts.Seconds())))
	step := a.BeginLogin(start.Attempt)
	if step.Widget != nil {
		s.showWidget(c, name, *step.Widget)
		return
	}
	c.Redirect(http.StatusFound, step.URL)
}

// loginCookie holds the browser's secret until it comes back. Each attempt has a
// cookie of its own, so that two tabs do not disturb each other.
func (s *Server) loginCookie(a core.LoginAttempt, browser string, seconds int) *http.Cookie {
	u, err := url.Parse(a.RedirectURI)
	if err != nil {
		u = &url.URL{Scheme: "https", Path: "/"}
	}
	return &http.Cookie{ //nolint:gosec // Secure wherever the gateway is reached by https
		Name: cookieName(a.State), Value: browser, Path: u.EscapedPath(), MaxAge: seconds,
		HttpOnly: true, Secure: u.Scheme == "https", SameSite: http.SameSiteLaxMode, // the platform leads back here
	}
}

func cookieName(state string) string {
	sum := sha256.Sum256([]byte(state))
	return "tidings_login_" + hex.EncodeToString(sum[:6])
}

// finishLogin takes the browser back from the platform and links the account that
// is proved. Whatever is wrong with what came back, the page is the same.
func (s *Server) finishLogin(c *gin.Context) {
	name, a, ok := s.authenticator(c)
	if !ok {
		s.showLinkPage(c, http.StatusNotFound, "", linkPageData{})
		return
	}
	query := c.Request.URL.Query()
	l, err := s.resumeLogin(c, name, query)
	switch {
	case errors.Is(err, core.ErrNotFound):
		s.endLogin(c, name, loginRefused, inbound.Login{})
		return
	case err != nil:
		s.failRead(c, err)
		return
	}
	l.Attempt.RedirectURI = s.backURL(name)
	ctx, cancel := context.WithTimeout(c.Request.Context(), loginTimeout)
	defer cancel()
	s.endLogin(c, name, s.linkLogin(ctx, name, a, l, query), l)
}

// resumeLogin finds the attempt that a browser comes back from, and ends its cookie.
func (s *Server) resumeLogin(c *gin.Context, channel string, query url.Values) (inbound.Login, error) {
	states := query["state"]
	if len(states) != 1 {
		return inbound.Login{}, core.ErrNotFound
	}
	browser, err := c.Cookie(cookieName(states[0]))
	if err != nil {
		return inbound.Login{}, core.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), readTimeout)
	defer cancel()
	l, err := s.Inbound.ResumeLogin(ctx, channel, states[0], browser)
	if err == nil {
		l.Attempt.RedirectURI = s.backURL(channel)
		http.SetCookie(c.Writer, s.loginCookie(l.Attempt, "", -1))
	}
	return l, err
}

// linkLogin has the platform say who it is, and links them.
func (s *Server) linkLogin(ctx context.Context, channel string, a core.Authenticator, l inbound.Login, query url.Values) loginEnd {
	id, err := a.FinishLogin(ctx, l.Attempt, query)
	switch {
	case errors.Is(err, core.ErrDeclined):
		return loginDeclined
	case errors.Is(err, core.ErrUnproven):
		return loginRefused
	case err != nil:
		s.Log.Error("a login could not be finished: the platform does not tell who it is", "channel", channel, "err", err)
		return loginAway
	case id.Address.Value == "":
		return loginElsewhere
	}
	err = s.Inbound.FinishLogin(ctx, l, id)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return loginRefused
	case err != nil:
		s.Log.Error("a login could not be finished: the link cannot be written", "channel", channel, "err", err)
		return loginAway
	}
	return loginDone
}

// endLogin counts how a login ended, and shows it.
func (s *Server) endLogin(c *gin.Context, channel string, end loginEnd, l inbound.Login) {
	s.Metrics.Count("logins", 1, "channel", channel, "end", string(end))
	if end == loginRefused {
		l = inbound.Login{} // the page is the same whatever was wrong
	}
	data := loginPageData{End: end, Name: chatName(channel)}
	if o, ok := s.Dispatcher.Outlet(channel); ok && l.Token != "" {
		if inviter, ok := o.Channel.(core.Inviter); ok {
			data.URL = inviter.Invite(l.Token).URL
		}
		data.Again = loginURL(s.settings.Load().PublicURL, inbound.OfferLink{Channel: channel, LoginToken: l.Token})
	}
	s.showLoginPage(c, l.Locale, data)
}

// revocation authenticates a platform's word that a login was taken back, and
// carries it out on all channels of the application it speaks for.
func (s *Server) revocation(c *gin.Context, why string) (form url.Values, ok bool) {
	name, err := param(c, "channel")
	r, ok := dispatch.ChannelAs[core.Revoker](s.Dispatcher, name)
	if err != nil || !ok {
		s.answerWebhook(c, "none", http.StatusNotFound)
		return nil, false
	}
	body, err := readBody(c.Request, maxWebhook)
	if err != nil {
		s.answerWebhook(c, name, statusOf(err))
		return nil, false
	}
	form, _ = url.ParseQuery(string(body)) // what is no form has no proof in it
	subject, err := r.Revocation(form)
	if err != nil {
		s.answerWebhook(c, name, s.refusedWebhook(name, err))
		return nil, false
	}
	ended, err := s.revoke(c.Request.Context(), s.sameApp(name), subject, why)
	if err != nil {
		s.failWith(c, err, acceptTimeout)
		return nil, false
	}
	s.Metrics.Count("links_revoked", float64(ended), "channel", name)
	return form, true
}

// revoke ends the links of an account on all these channels: those that are known
// to be its own, and those of chats of which the platform says so now.
func (s *Server) revoke(ctx context.Context, channels []string, subject, why string) (ended int, err error) {
	write, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	ended, err = s.Inbound.Revoke(write, channels, subject, why)
	if err != nil {
		return ended, err
	}
	ctx, cancel = context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	for _, channel := range channels {
		address := s.chatOfAccount(ctx, channel, subject)
		if address == "" {
			continue
		}
		one, err := s.Inbound.RevokeChat(ctx, channel, address, why)
		if err != nil {
			return ended, err
		}
		if one {
			ended++
		}
	}
	return ended, nil
}

// chatOfAccount asks a platform for the chat of an account whose login was taken
// back. After that it need not tell: then what is known has to do.
func (s *Server) chatOfAccount(ctx context.Context, channel, subject string) string {
	matcher, ok := dispatch.ChannelAs[core.Matcher](s.Dispatcher, channel)
	if !ok {
		return ""
	}
	a, err := matcher.AddressOf(ctx, subject)
	if err != nil {
		s.Log.Info("the platform does not tell which chat was that of a login that was taken back", "channel", channel, "err", err)
		return ""
	}
	return a.Value
}

// sameApp are the channels of the platform application that a channel belongs to.
func (s *Server) sameApp(channel string) []string {
	all := []string{channel}
	outlets := s.Dispatcher.Outlets()
	own, ok := outlets[channel].Channel.(core.Identified)
	if !ok {
		return all
	}
	app, _ := own.Identity()
	for name, o := range outlets {
		other, ok := o.Channel.(core.Identified)
		if !ok || name == channel || o.Type != outlets[channel].Type {
			continue
		}
		if theirs, _ := other.Identity(); theirs == app {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// deauthorize ends the links of somebody who has removed the application.
func (s *Server) deauthorize(c *gin.Context) {
	if _, ok := s.revocation(c, "the application was removed"); ok {
		c.Status(http.StatusOK)
	}
}

// deletionAnswer is what the platform shows to whoever wants their data deleted.
type deletionAnswer struct {
	URL  string `json:"url"`
	Code string `json:"confirmation_code"`
}

// deleteLogin ends the links of somebody who wants deleted what came by their
// login, and forgets it. The code is the same for the same request.
func (s *Server) deleteLogin(c *gin.Context) {
	form, ok := s.revocation(c, "its data was deleted on request")
	if !ok {
		return
	}
	sum := sha256.Sum256([]byte(form.Encode()))
	code := strings.ToUpper(hex.EncodeToString(sum[:10]))
	ctx, cancel := context.WithTimeout(c.Request.Context(), acceptTimeout)
	defer cancel()
	if err := s.Inbound.RememberDeletion(ctx, code); err != nil {
		s.failWith(c, err, acceptTimeout)
		return
	}
	at := s.settings.Load().PublicURL + "/auth/" + url.PathEscape(c.Param("channel")) + "/deletion/" + code
	c.JSON(http.StatusOK, deletionAnswer{URL: at, Code: code})
}

// getDeletion tells whoever has the code that it is done.
func (s *Server) getDeletion(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readTimeout)
	defer cancel()
	known, err := s.Inbound.Deleted(ctx, strings.ToUpper(c.Param("code")))
	switch {
	case err != nil:
		s.failRead(c, err)
	case !known:
		s.showLinkPage(c, http.StatusNotFound, "", linkPageData{})
	default:
		s.showLoginPage(c, "", loginPageData{End: loginDeleted, Name: chatName(c.Param("channel"))})
	}
}
