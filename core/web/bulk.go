package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"tidings/core"
	"tidings/core/dispatch"
)

// lanesAtOnce is how many recipients' messages are retried side by side: as
// many commits share one write to disk.
const lanesAtOnce = 32

// retryMessages retries every failed or parked message of a kind. Those of one
// recipient are taken oldest first, so that they keep their order.
func (s *Server) retryMessages(c *gin.Context) {
	q, err := readQuery(c)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	f := core.MessageFilter{
		Class: core.Class(q.oneOf("class", words(core.Classes))), Channel: q.text("channel"), Since: q.time("since"), Limit: pageMax,
	}
	if err := q.done(); err != nil {
		s.failWith(c, err, 0)
		return
	}
	ctx := c.Request.Context()
	byAddress := map[int64][]int64{}
	for _, state := range []core.MessageState{core.MessageFailed, core.MessageParked} {
		f.State = state
		if err := s.collect(ctx, f, byAddress); err != nil {
			s.failRead(c, err)
			return
		}
	}
	retried, skipped, err := s.retryAll(ctx, byAddress)
	if err != nil {
		s.failWith(c, err, acceptTimeout)
		return
	}
	c.JSON(http.StatusOK, gin.H{"retried": retried, "skipped": skipped})
}

// collect adds the ids of messages by address, newest first.
func (s *Server) collect(ctx context.Context, f core.MessageFilter, into map[int64][]int64) error {
	for f.Before = 0; ; {
		var all []core.Message
		err := s.view(ctx, func(tx core.Tx) error {
			var err error
			all, err = tx.ListMessages(f)
			return err
		})
		if err != nil || len(all) == 0 {
			return err
		}
		for _, m := range all {
			into[m.AddressID] = append(into[m.AddressID], m.ID)
		}
		f.Before = all[len(all)-1].ID
	}
}

// retryAll retries messages and counts those that meanwhile could not be.
func (s *Server) retryAll(ctx context.Context, byAddress map[int64][]int64) (retried, skipped int64, err error) {
	var done, left atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lanesAtOnce)
	for _, ids := range byAddress {
		slices.Sort(ids) // oldest first
		g.Go(func() error {
			for _, id := range ids {
				err := s.retryOne(ctx, id)
				var wrong *dispatch.StateError
				switch {
				case err == nil:
					done.Add(1)
				case errors.As(err, &wrong), errors.Is(err, core.ErrNotFound):
					left.Add(1)
				default:
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	return done.Load(), left.Load(), err
}

func (s *Server) retryOne(ctx context.Context, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return s.Dispatcher.Retry(ctx, id)
}
