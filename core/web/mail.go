package web

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"tidings/core/intake"
)

// maxMail is as large as mail servers let an e-mail be.
const maxMail = 32 << 20

// postMail takes an e-mail that came to the desk's address, as the mail server
// hands it on: an agent's answer becomes a note for the customer. It answers as
// events are answered, once that is on disk.
func (s *Server) postMail(c *gin.Context) {
	set := s.settings.Load()
	if set.Mail == nil {
		fail(c, problem{Status: http.StatusServiceUnavailable, Detail: "questions do not go to a mailbox: see commerce.tickets"})
		return
	}
	body, err := readBody(c.Request, maxMail)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	events, why, err := set.Mail(body, s.now())
	if err != nil {
		fail(c, problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()})
		return
	}
	if len(events) == 0 {
		s.Log.Info("an e-mail holds nothing for a customer", "why", why)
		c.JSON(http.StatusAccepted, accepted{Ignored: 1, Events: []acceptedEvent{}})
		return
	}
	received := make([]intake.Received, 0, len(events))
	for _, e := range events {
		if set.Reader.Site != nil {
			e.Site = set.Reader.Site(e.Source)
		}
		received = append(received, intake.Received{Event: e})
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), acceptTimeout)
	defer cancel()
	all, err := s.Intake.Accept(ctx, received)
	if err != nil {
		s.failWith(c, err, acceptTimeout)
		return
	}
	c.JSON(http.StatusAccepted, summary(all))
}
