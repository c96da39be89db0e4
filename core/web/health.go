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
	r := s.readiness(c.Request.Context())
	if !r.OK {
		fail(c, problem{Status: http.StatusServiceUnavailable, Detail: *r.Why, Retry: pingTimeout})
		return
	}
	c.JSON(http.StatusOK, healthAnswer{Status: "ready", Version: s.Version})
}

// readiness is whether requests can be served; where they cannot, Why is set.
type readiness struct {
	OK  bool    `json:"ok"`
	Why *string `json:"why"`
}

func (s *Server) readiness(ctx context.Context) readiness {
	not := func(why string) readiness { return readiness{Why: &why} }
	if s.Ready != nil {
		if ok, why := s.Ready(); !ok {
			return not(why)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := s.Ping(ctx); err != nil {
		s.Log.Warn("not ready: the database does not answer", "err", err)
		return not("the database does not answer")
	}
	return readiness{OK: true}
}

// metrics shows the figures in the format of Prometheus.
func (s *Server) metrics(c *gin.Context) { s.Metrics.handler.ServeHTTP(c.Writer, c.Request) }
