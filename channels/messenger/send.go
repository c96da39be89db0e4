package messenger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"tidings/core"
)

// maxAnswerBytes bounds what is read of an answer; Meta's have a few hundred.
const maxAnswerBytes = 1 << 20

// Send makes one request for one part.
func (c *channel) Send(ctx context.Context, to core.Address, p core.Part) (core.Sent, error) {
	if c.closed.Load() {
		return core.Sent{}, &core.SendError{Class: core.Temporary, Code: "closed", Err: errors.New("messenger: send: the channel is closed")}
	}
	req, err := encode(to, p, c.refused.has(p.Key))
	if err != nil {
		return core.Sent{}, &core.SendError{Class: core.Rejected, Code: "encode", Err: err}
	}
	got, err := c.post(ctx, req)
	if err != nil {
		return core.Sent{}, err
	}
	refusal := got.refusal(req.Tag != "")
	if refusal == nil {
		return got.sent(to), nil
	}
	if refusal.Class == core.Rejected && got.problem != nil && req.isReceipt() {
		c.inWords(p, refusal)
	}
	return core.Sent{}, refusal
}

// inWords arranges that an order whose receipt Meta refuses (a second one with the
// same order_number, a currency it does not know) goes out in words when it is
// tried once more. The customer hears of the order either way.
func (c *channel) inWords(p core.Part, refusal *core.SendError) {
	if _, err := encodeWords(*p.Order); err != nil {
		return
	}
	c.refused.add(p.Key)
	refusal.Class, refusal.Tries = core.Temporary, 1
	refusal.Err = fmt.Errorf("%w; the order is sent in words next", refusal.Err)
}

// answer is what came back, whole.
type answer struct {
	status  int
	header  http.Header
	success success
	problem *graphError // nil: the body holds no error of Meta's
	cut     bool        // the connection ended before the body did
}

// success is Meta's "yes". The recipient is absent for a user_ref in some versions.
type success struct {
	RecipientID ident  `json:"recipient_id"`
	MessageID   string `json:"message_id"`
}

// post makes the request. Its error is a *core.SendError.
func (c *channel) post(ctx context.Context, message request) (answer, error) {
	body, err := json.Marshal(message)
	if err != nil {
		return answer{}, &core.SendError{Class: core.Rejected, Code: "encode", Err: fmt.Errorf("messenger: encode: %w", err)}
	}
	if err := ctx.Err(); err != nil {
		return answer{}, c.transportError(core.Temporary, err)
	}
	var progress progress
	token := c.config.PageToken.Reveal()
	target := c.endpoint + "?access_token=" + url.QueryEscape(token) + "&appsecret_proof=" + proof(c.config.AppSecret, token)
	req, err := http.NewRequestWithContext(progress.watch(ctx), http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return answer{}, c.transportError(core.Misconfigured, err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.client.Do(req)
	if err != nil {
		return answer{}, c.transportError(progress.class(err), err)
	}
	defer res.Body.Close()
	return readAnswer(res), nil
}

func readAnswer(res *http.Response) answer {
	got := answer{status: res.StatusCode, header: res.Header}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes))
	got.cut = err != nil
	if !json.Valid(body) {
		return got
	}
	got.problem = parseError(body)
	_ = json.Unmarshal(body, &got.success) // a field of another type is a field we do not know
	return got
}

// refusal returns nil when Meta has the message.
func (a answer) refusal(tagged bool) *core.SendError {
	switch {
	case a.problem != nil && a.problem.Code == duplicate:
		return nil // it has it already
	case a.problem != nil:
		return a.sendError(a.problem.rule(a.status, tagged))
	case a.status >= 200 && a.status < 300 && a.success.MessageID != "":
		return nil
	case a.cut && a.status >= 400 && a.status < 500:
		// It was refused, and the reason is lost: asking again tells it.
		return a.sendError(rule{class: core.Temporary, meaning: "the answer broke off"})
	}
	return a.sendError(ruleForStatus(a.status))
}

// sendError writes the decision for this answer.
func (a answer) sendError(r rule) *core.SendError {
	e := &core.SendError{
		Class: r.class,
		Scope: r.scope,
		Tries: r.tries,
		Then:  r.then,
		Code:  strconv.Itoa(a.status),
		Err:   fmt.Errorf("messenger: send: %s (HTTP status %d)", r.meaning, a.status),
	}
	if a.problem != nil {
		e.Code = a.problem.id()
		e.Err = a.problem.describe(r)
	}
	if r.class == core.Throttled || r.class == core.Temporary {
		e.RetryAfter = wait(a.header)
	}
	return e
}

// sent writes down Meta's "yes".
func (a answer) sent(to core.Address) core.Sent {
	out := core.Sent{ID: a.success.MessageID, SlowDown: slowDown(a.header)}
	if psid := string(a.success.RecipientID); to.Kind == userRef && psid != "" && psid != to.Value {
		out.Moved = &core.Address{Value: psid, Locale: to.Locale}
	}
	return out
}

// progress tells how far a request got. Its fields are set by net/http while the
// request is under way, on goroutines of its own.
type progress struct {
	asked, connected atomic.Bool
}

func (p *progress) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { p.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { p.connected.Store(true) },
	})
}

// class decides about a request that got no answer. It is certain that nothing
// left when a connection was asked for and never had, or when making it is what
// failed; everything else may have arrived.
func (p *progress) class(err error) core.Class {
	neverConnected := p.asked.Load() && !p.connected.Load()
	if neverConnected || isDialError(err) {
		return core.Temporary
	}
	return core.Uncertain
}

func isDialError(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" ||
		errors.As(err, &dns) ||
		errors.Is(err, syscall.ECONNREFUSED)
}

// transportError wraps the failure of a request without its URL, which holds the token.
func (c *channel) transportError(class core.Class, err error) *core.SendError {
	return &core.SendError{Class: class, Code: "network", Err: fmt.Errorf("messenger: send: %w", c.scrub(err))}
}

// scrub takes the URL and every other trace of the token out of an error.
func (c *channel) scrub(err error) error {
	for {
		var withURL *url.Error
		if !errors.As(err, &withURL) || withURL.Err == nil {
			break
		}
		err = withURL.Err
	}
	text, token := err.Error(), c.config.PageToken.Reveal()
	clean := strings.NewReplacer(token, "[secret]", url.QueryEscape(token), "[secret]").Replace(text)
	if clean == text {
		return err
	}
	return errors.New(clean)
}
