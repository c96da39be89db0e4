package dispatch

import (
	"context"
	"errors"
	"net/http/httptrace"
	"time"

	"tidings/core"
)

// Send waits until the platform's count has room for one request more, and makes
// it: the last thing that a part passes. Its turn came before its mark was written,
// and many marks share a commit, so that here parts come in heaps.
func (o *Outlet) Send(ctx context.Context, to core.Address, part core.Part) (core.Sent, error) {
	limiter := o.pace
	p := limiter.Leave(time.Now())
	for now := time.Now(); limiter.Due(p, now).After(now); now = time.Now() {
		select {
		case <-time.After(limiter.Due(p, now).Sub(now)):
		case <-ctx.Done(): // nothing has left, and nobody is to wait for it
			limiter.Left(p, now)
			return core.Sent{}, &core.SendError{Class: core.Temporary, Err: ctx.Err()}
		}
	}
	limiter.Left(p, time.Now())
	sent, err := o.Channel.Send(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// Connecting takes time, and so does a busy machine.
		WroteRequest: func(httptrace.WroteRequestInfo) { limiter.Left(p, time.Now()) },
	}), to, part)
	switch {
	case err == nil:
		limiter.Answered(p, time.Now())
	case refused(err):
		limiter.Refused(p, time.Now())
	}
	return sent, err
}

// refused reports whether an answer may mean that the channel was too fast.
func refused(err error) bool {
	var se *core.SendError
	return errors.As(err, &se) && core.ClassOf(err) == core.Throttled && se.Scope != core.ScopeRecipient
}
