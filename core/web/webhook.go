package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"tidings/core"
	"tidings/core/dispatch"
)

// webhook takes what a platform tells us. It answers only once that is on disk,
// and tells nothing to whoever cannot prove to be the platform.
func (s *Server) webhook(c *gin.Context) {
	name, listener, ok := s.listener(c)
	if !ok {
		s.answerWebhook(c, "none", http.StatusNotFound)
		return
	}
	body, err := readBody(c.Request, maxWebhook)
	if err != nil {
		s.answerWebhook(c, name, statusOf(err))
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), acceptTimeout)
	defer cancel()
	reply, updates, err := listener.Decode(ctx, core.Callback{
		Method: c.Request.Method, Query: c.Request.URL.Query(), Header: c.Request.Header, Body: body, Now: s.now(),
	})
	if err != nil {
		s.answerWebhook(c, name, s.refusedWebhook(name, err))
		return
	}
	if len(updates) > 0 {
		if err := s.Inbound.Accept(ctx, name, updates); err != nil {
			s.Log.Error("updates could not be made durable; the platform is asked to send them again", "channel", name, "err", err)
			c.Header("Retry-After", "1")
			s.answerWebhook(c, name, http.StatusServiceUnavailable)
			return
		}
	}
	s.reply(c, name, reply)
}

// listener returns the channel a webhook is for, if its platform calls back.
func (s *Server) listener(c *gin.Context) (string, core.Listener, bool) {
	name, err := param(c, "channel")
	if err != nil {
		return "", nil, false
	}
	l, ok := dispatch.ChannelAs[core.Listener](s.Dispatcher, name)
	return name, l, ok
}

// refusedWebhook is the status for a callback that an adapter refused.
func (s *Server) refusedWebhook(channel string, err error) int {
	switch {
	case errors.Is(err, core.ErrUnauthorized):
		return http.StatusUnauthorized
	case errors.Is(err, core.ErrForbidden):
		return http.StatusForbidden
	}
	s.Log.Error("a callback could not be decoded", "channel", channel, "err", err)
	return http.StatusInternalServerError
}

func statusOf(err error) int {
	if known, ok := errors.AsType[*refusal](err); ok {
		return known.Status
	}
	return http.StatusBadRequest
}

// answerWebhook refuses a callback without a word of why.
func (s *Server) answerWebhook(c *gin.Context, channel string, status int) {
	s.Metrics.Count("webhooks", 1, "channel", channel, "status", strconv.Itoa(status))
	fail(c, problem{Status: status})
}

func (s *Server) reply(c *gin.Context, channel string, r core.Reply) {
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	s.Metrics.Count("webhooks", 1, "channel", channel, "status", strconv.Itoa(status))
	h := c.Writer.Header()
	for name, values := range r.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	if len(r.Body) > 0 && h.Get("Content-Type") == "" {
		// A handshake echoes what a stranger sent: never as a page.
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	c.Status(status)
	c.Writer.WriteHeaderNow()
	_, _ = c.Writer.Write(r.Body)
}
