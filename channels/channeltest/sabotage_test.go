package channeltest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tidings/core"
)

// sabotage is a fault in an adapter that the exam must find.
type sabotage struct {
	name  string
	point string // the subtest that must fail
	spoil func(*broken)
}

// broken is a good channel behind a bad one.
type broken struct {
	core.Channel
	limits func(core.Limits) core.Limits
	send   func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error)
	decode func(ctx context.Context, cb core.Callback, good decodeFunc) (core.Reply, []core.Update, error)
	invite func(string) string
	close  func(good func() error) error
	config core.Config
	calls  int
}

type (
	sendFunc   = func(context.Context, core.Address, core.Part) (core.Sent, error)
	decodeFunc = func(context.Context, core.Callback) (core.Reply, []core.Update, error)
)

func (b *broken) Limits() core.Limits {
	if b.limits == nil {
		return b.Channel.Limits()
	}
	return b.limits(b.Channel.Limits())
}

func (b *broken) Send(ctx context.Context, to core.Address, p core.Part) (core.Sent, error) {
	if b.send == nil {
		return b.Channel.Send(ctx, to, p)
	}
	return b.send(ctx, to, p, b.Channel.Send)
}

func (b *broken) Decode(ctx context.Context, cb core.Callback) (core.Reply, []core.Update, error) {
	good := b.Channel.(core.Listener).Decode
	if b.decode == nil {
		return good(ctx, cb)
	}
	return b.decode(ctx, cb, good)
}

func (b *broken) Invite(token string) core.Invitation {
	if b.invite != nil {
		token = b.invite(token)
	}
	return b.Channel.(core.Inviter).Invite(token)
}

func (b *broken) Close() error {
	if b.close == nil {
		return b.Channel.Close()
	}
	return b.close(b.Channel.Close)
}

// updates breaks the updates of callbacks with a valid proof.
func updates(change func([]core.Update) []core.Update) func(*broken) {
	return func(b *broken) {
		b.decode = func(ctx context.Context, cb core.Callback, good decodeFunc) (core.Reply, []core.Update, error) {
			reply, all, err := good(ctx, cb)
			if err != nil {
				return reply, all, err
			}
			return reply, change(all), nil
		}
	}
}

func each(change func(*core.Update)) func(*broken) {
	return updates(func(all []core.Update) []core.Update {
		for i := range all {
			change(&all[i])
		}
		return all
	})
}

// parts breaks what is sent.
func parts(change func(*core.Part)) func(*broken) {
	return func(b *broken) {
		b.send = func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error) {
			change(&p)
			return good(ctx, to, p)
		}
	}
}

// errorsOf breaks errors.
func errorsOf(change func(*core.SendError, core.Part) error) func(*broken) {
	return func(b *broken) {
		b.send = func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error) {
			sent, err := good(ctx, to, p)
			if e, ok := errors.AsType[*core.SendError](err); ok {
				return sent, change(e, p)
			}
			return sent, err
		}
	}
}

func limits(change func(*core.Limits)) func(*broken) {
	return func(b *broken) {
		b.limits = func(lim core.Limits) core.Limits { change(&lim); return lim }
	}
}

// open is a configuration whose secret prints.
type open struct {
	core.Config
	Token string
}

var sabotages = []sabotage{
	{"a limit without a source", "1_", limits(func(l *core.Limits) { l.Text.Source = core.Source{} })},
	{"a title without a unit", "1_", limits(func(l *core.Limits) { l.ButtonTitle.Unit = "" })},
	{"a rate without a burst", "1_", limits(func(l *core.Limits) { l.Pace.Burst = 0 })},
	{"a burst beyond the rate", "1_", limits(func(l *core.Limits) { l.Pace.Burst = int(l.Pace.PerSecond) + 1 })},
	{"a need that no order has", "1_", limits(func(l *core.Limits) { l.Order.Needs = []string{"colour"} })},
	{"limits that change", "1_", func(b *broken) {
		b.limits = func(l core.Limits) core.Limits { b.calls++; l.Text.Max -= b.calls; return l }
	}},
	{"a text cut off", "2_what", parts(func(p *core.Part) {
		if r := []rune(p.Text.Plain()); len(r) > 1500 {
			p.Text = core.PlainText(string(r[:1500]))
		}
	})},
	{"data taken for markup", "2_what", parts(func(p *core.Part) {
		if p.Order == nil && p.Picture == nil {
			p.Text = core.PlainText(strings.ReplaceAll(p.Text.Plain(), "*", ""))
		}
	})},
	{"a button lost", "2_what", parts(func(p *core.Part) {
		if len(p.Buttons) > 1 {
			p.Buttons = p.Buttons[:1]
		}
	})},
	{"a limit too high", "2_limits", limits(func(l *core.Limits) { l.ButtonText.Max++ })},
	{"a limit too low", "2_limits", limits(func(l *core.Limits) { l.Text.Max-- })},
	{"a limit in a unit too small", "2_limits", limits(func(l *core.Limits) { l.Text.Unit = core.Runes })},
	{"a retry", "3_", func(b *broken) {
		b.send = func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error) {
			if sent, err := good(ctx, to, p); err == nil {
				return sent, nil
			}
			return good(ctx, to, p)
		}
	}},
	{"a retry in the background", "3_", func(b *broken) {
		b.send = func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error) {
			go func() {
				own, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
				defer cancel()
				_, _ = good(own, to, p)
			}()
			return good(ctx, to, p)
		}
	}},
	{"a wait", "3_", func(b *broken) {
		b.send = func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error) {
			<-time.After(time.Second)
			return good(ctx, to, p)
		}
	}},
	{"a timeout of its own", "3_", func(b *broken) {
		b.send = func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error) {
			own, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			return good(own, to, p)
		}
	}},
	{"a Close that closes nothing", "3_", func(b *broken) { b.close = func(func() error) error { return nil } }},
	{"a Close that fails the second time", "3_", func(b *broken) {
		b.close = func(good func() error) error {
			if b.calls++; b.calls > 1 {
				return errors.New("closed already")
			}
			return good()
		}
	}},
	{"errors without a class", "4_every", errorsOf(func(e *core.SendError, _ core.Part) error { return e.Err })},
	{"errors without a code", "4_every", errorsOf(func(e *core.SendError, _ core.Part) error { e.Code = ""; return e })},
	{"all errors Temporary", "4_every", errorsOf(func(e *core.SendError, _ core.Part) error { e.Class = core.Temporary; return e })},
	{"a wait cut short", "4_every", errorsOf(func(e *core.SendError, _ core.Part) error { e.RetryAfter /= 2; return e })},
	{"a window taken for a refusal", "4_a_closed", errorsOf(func(e *core.SendError, _ core.Part) error {
		if e.Class == core.WindowClosed {
			e.Class = core.Rejected
		}
		return e
	})},
	{"an error that quotes the text", "4_errors", errorsOf(func(e *core.SendError, p core.Part) error {
		e.Err = fmt.Errorf("%w: %q", e.Err, p.Plain())
		return e
	})},
	{"an error that wraps the token", "4_errors", errorsOf(func(e *core.SendError, _ core.Part) error {
		e.Err = fmt.Errorf("refused%.0w", errors.New("token "+token))
		return e
	})},
	{"another id", "5_", func(b *broken) {
		b.send = func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error) {
			sent, err := good(ctx, to, p)
			sent.ID += "?"
			return sent, err
		}
	}},
	{"a key cut off", "5_", parts(func(p *core.Part) { p.Key = p.Key[:min(len(p.Key), 20)] })},
	{"a key made anew for each attempt", "5_", func(b *broken) {
		b.send = func(ctx context.Context, to core.Address, p core.Part, good sendFunc) (core.Sent, error) {
			b.calls++
			p.Key = fmt.Sprintf("m-%d", b.calls)
			return good(ctx, to, p)
		}
	}},
	{"an echo without its key", "5_", each(func(u *core.Update) { u.Key = "" })},
	{"a reply to nothing", "5_", each(func(u *core.Update) { u.ReplyTo = "" })},
	{"receipts for nothing", "5_", each(func(u *core.Update) { u.PlatformIDs, u.Watermark = nil, time.Time{} })},
	{"callbacks without proof", "6_callbacks_need", func(b *broken) {
		b.decode = func(ctx context.Context, cb core.Callback, good decodeFunc) (core.Reply, []core.Update, error) {
			if cb.Method == http.MethodPost {
				cb.Header = cb.Header.Clone()
				sign(cb.Header, cb.Body, cb.Now)
			}
			return good(ctx, cb)
		}
	}},
	{"a proof compared as far as it goes", "6_callbacks_need", func(b *broken) {
		b.decode = func(ctx context.Context, cb core.Callback, good decodeFunc) (core.Reply, []core.Update, error) {
			right := http.Header{}
			sign(right, cb.Body, cb.Now)
			if given := cb.Header.Get(header); len(given) > 20 && strings.HasPrefix(right.Get(header), given) {
				cb.Header = right
			}
			return good(ctx, cb)
		}
	}},
	{"a handshake for everybody", "6_callbacks_need", func(b *broken) {
		b.decode = func(ctx context.Context, cb core.Callback, good decodeFunc) (core.Reply, []core.Update, error) {
			if cb.Method == http.MethodGet {
				return core.Reply{Body: []byte(url.Values(cb.Query).Get("hub.challenge"))}, nil, nil
			}
			return good(ctx, cb)
		}
	}},
	{"only the first of a batch", "6_callbacks_are", updates(func(all []core.Update) []core.Update { return all[:min(1, len(all))] })},
	{"a sender misnamed", "6_callbacks_are", each(func(u *core.Update) { u.From.Value = "psid:" + u.From.Value })},
	{"an edit taken for a text", "6_callbacks_are", each(func(u *core.Update) {
		if u.Kind == core.UpdateEdited {
			u.Kind = core.UpdateText
		}
	})},
	{"an id by the time of reading", "6_decoding", func(b *broken) {
		updates(func(all []core.Update) []core.Update {
			for i := range all {
				b.calls++
				all[i].ID += fmt.Sprint(b.calls)
			}
			return all
		})(b)
	}},
	{"the same id for all", "6_decoding", each(func(u *core.Update) { u.ID = "update" })},
	{"a request while reading", "6_decoding", func(b *broken) {
		b.decode = func(ctx context.Context, cb core.Callback, good decodeFunc) (core.Reply, []core.Update, error) {
			if cb.Header.Get("X-Unknown") != "" { // else each request leads to the next
				_, _ = b.Channel.Send(ctx, person(0), core.Part{Key: "m-1-1", Text: core.PlainText("got it")})
			}
			return good(ctx, cb)
		}
	}},
	{"a body changed while reading", "6_decoding", func(b *broken) {
		b.decode = func(ctx context.Context, cb core.Callback, good decodeFunc) (core.Reply, []core.Update, error) {
			reply, all, err := good(ctx, cb)
			clear(cb.Body)
			return reply, all, err
		}
	}},
	{"an error for what is strange", "6_strange", func(b *broken) {
		b.decode = func(ctx context.Context, cb core.Callback, good decodeFunc) (core.Reply, []core.Update, error) {
			reply, all, err := good(ctx, cb)
			for _, u := range all {
				if u.Kind == core.UpdateUnreadable {
					return reply, nil, errors.New("unreadable")
				}
			}
			return reply, all, err
		}
	}},
	{"the strange thrown away", "6_strange", updates(func(all []core.Update) []core.Update {
		var readable []core.Update
		for _, u := range all {
			if u.Kind != core.UpdateUnreadable {
				readable = append(readable, u)
			}
		}
		return readable
	})},
	{"a panic", "6_strange", updates(func(all []core.Update) []core.Update { _ = all[0]; return all })},
	{"another token", "7_", func(b *broken) { b.invite = strings.ToLower }},
	{"a secret that prints", "8_", func(b *broken) { b.config = open{config(), token} }},
	{"a text that is no text", "9_", each(func(u *core.Update) { u.Text += "\xff" })},
	{"a date beyond all calendars", "9_", each(func(u *core.Update) { u.At = u.At.AddDate(9000, 0, 0) })},
}
