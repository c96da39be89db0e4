package web

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// pingTimeout bounds how long readiness waits for the database.
const pingTimeout = time.Second

type healthAnswer struct {
	Status  string `json:"status"`
	Version string `json:"version,omitempty"`
}

// healthz says that the process is alive.
func healthz(c *gin.Context) { c.JSON(http.StatusOK, healthAnswer{Status: "alive"}) }

// readyz says whether requests can be served, and why not.
func (s *Server) readyz(c *gin.Context) {
	if s.Ready != nil {
		if ok, why := s.Ready(); !ok {
			fail(c, problem{Status: http.StatusServiceUnavailable, Detail: why, Retry: pingTimeout})
			return
		}
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), pingTimeout)
	defer cancel()
	if err := s.Ping(ctx); err != nil {
		s.Log.Warn("not ready: the database does not answer", "err", err)
		fail(c, problem{Status: http.StatusServiceUnavailable, Detail: "the database does not answer", Retry: pingTimeout})
		return
	}
	c.JSON(http.StatusOK, healthAnswer{Status: "ready", Version: s.Version})
}

// metrics shows the figures in the format of Prometheus.
func (s *Server) metrics(c *gin.Context) { s.Metrics.handler.ServeHTTP(c.Writer, c.Request) }
