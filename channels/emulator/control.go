package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Sim is what Control needs of an emulated platform.
type Sim interface {
	http.Handler
	Log() *Log
	Faults() *Faults
	Webhooks() *Caller
	// Say, ReplyTo and the others are what a customer does; ids are the platform's.
	Say(ctx context.Context, user, text string) (id string, err error)
	ReplyTo(ctx context.Context, user, message, text string) (id string, err error)
	Press(ctx context.Context, user, message, button string) error
	OptIn(ctx context.Context, user, ref, way string) error
	Block(user string)
	Unblock(user string)
	Reset()
}

// ErrNoForm says that a platform has no form of something.
var ErrNoForm = errors.New("this platform has no form of it")

// What some platforms have and others have not.
type (
	photographer interface {
		SendPhoto(ctx context.Context, user, url, text string) (id string, err error)
	}
	editor interface {
		Edit(ctx context.Context, user, message, text string) error
	}
	reactor interface {
		React(ctx context.Context, user, message, emoji string) error
	}
	acquaintance interface {
		Know(user string)
	}
	rememberer interface {
		WroteAt(user string, at time.Time)
	}
	reader interface {
		Read(ctx context.Context, user string) error
	}
)

// Longest wait of a long poll.
const longest = 25 * time.Second

// Control serves the control surface of an emulator (see the package comment)
// at the root; below a prefix it wants http.StripPrefix.
func Control(s Sim) http.Handler {
	c := control{s}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /shown", c.shown)
	mux.HandleFunc("GET /stats", c.stats)
	mux.Handle("POST /say", action(c.say))
	mux.Handle("POST /press", action(c.press))
	mux.Handle("POST /optin", action(c.optIn))
	mux.Handle("POST /block", action(c.block))
	mux.Handle("POST /unblock", action(c.unblock))
	mux.Handle("POST /photo", action(c.photo))
	mux.Handle("POST /file", action(c.file))
	mux.Handle("POST /edit", action(c.edit))
	mux.Handle("POST /react", action(c.react))
	mux.Handle("POST /read", action(c.read))
	mux.Handle("POST /know", action(c.know))
	mux.Handle("POST /webhooks", action(c.twist))
	mux.Handle("POST /settle", action(c.settle))
	mux.Handle("POST /reset", action(c.reset))
	mux.HandleFunc("POST /faults", c.faults)
	return mux
}

type control struct{ sim Sim }

// wish is the union of what the actions take.
type wish struct {
	User    string    `json:"user"`
	Text    string    `json:"text"`
	ReplyTo string    `json:"replyTo"`
	Message string    `json:"message"`
	Value   string    `json:"value"`
	Ref     string    `json:"ref"`
	Way     string    `json:"way"`
	URL     string    `json:"url"`
	Emoji   string    `json:"emoji"`
	File    File      `json:"file"`
	Times   int       `json:"times"`
	Copies  int       `json:"copies"`
	Late    string    `json:"late"`
	Forge   bool      `json:"forge"`
	Hold    bool      `json:"hold"`
	At      time.Time `json:"at"`
}

// action turns a wish into a handler; a nil result is answered {}.
func action(do func(context.Context, wish) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in wish
		if err := decode(r.Body, &in); err != nil && !errors.Is(err, io.EOF) {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		out, err := do(r.Context(), in)
		switch {
		case errors.Is(err, ErrNoForm):
			reply(w, http.StatusNotFound, map[string]string{"error": err.Error()})
		case err != nil:
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		case out == nil:
			reply(w, http.StatusOK, struct{}{})
		default:
			reply(w, http.StatusOK, out)
		}
	})
}

func (c control) say(ctx context.Context, in wish) (any, error) {
	if in.ReplyTo != "" {
		return identified(c.sim.ReplyTo(ctx, in.User, in.ReplyTo, in.Text))
	}
	return identified(c.sim.Say(ctx, in.User, in.Text))
}

func (c control) press(ctx context.Context, in wish) (any, error) {
	return nil, c.sim.Press(ctx, in.User, in.Message, in.Value)
}

func (c control) optIn(ctx context.Context, in wish) (any, error) {
	return nil, c.sim.OptIn(ctx, in.User, in.Ref, in.Way)
}

func (c control) block(_ context.Context, in wish) (any, error) {
	c.sim.Block(in.User)
	return nil, nil
}

func (c control) unblock(_ context.Context, in wish) (any, error) {
	c.sim.Unblock(in.User)
	return nil, nil
}

func (c control) photo(ctx context.Context, in wish) (any, error) {
	p, ok := c.sim.(photographer)
	if !ok {
		return nil, ErrNoForm
	}
	return identified(p.SendPhoto(ctx, in.User, in.URL, in.Text))
}

func (c control) file(ctx context.Context, in wish) (any, error) {
	f, ok := c.sim.(Filer)
	if !ok {
		return nil, ErrNoForm
	}
	return identified(f.SendFile(ctx, in.User, in.File, in.Text))
}

func (c control) edit(ctx context.Context, in wish) (any, error) {
	e, ok := c.sim.(editor)
	if !ok {
		return nil, ErrNoForm
	}
	return nil, e.Edit(ctx, in.User, in.Message, in.Text)
}

func (c control) react(ctx context.Context, in wish) (any, error) {
	r, ok := c.sim.(reactor)
	if !ok {
		return nil, ErrNoForm
	}
	return nil, r.React(ctx, in.User, in.Message, in.Emoji)
}

func (c control) read(ctx context.Context, in wish) (any, error) {
	r, ok := c.sim.(reader)
	if !ok {
		return nil, ErrNoForm
	}
	return nil, r.Read(ctx, in.User)
}

func (c control) know(_ context.Context, in wish) (any, error) {
	if !in.At.IsZero() {
		r, ok := c.sim.(rememberer)
		if !ok {
			return nil, ErrNoForm
		}
		r.WroteAt(in.User, in.At)
		return nil, nil
	}
	a, ok := c.sim.(acquaintance)
	if !ok {
		return nil, ErrNoForm
	}
	a.Know(in.User)
	return nil, nil
}

func (c control) twist(_ context.Context, in wish) (any, error) {
	late, err := duration(in.Late)
	if err != nil {
		return nil, err
	}
	c.sim.Webhooks().Twist(max(in.Times, 1), Twist{Copies: in.Copies, Late: late, Forge: in.Forge, Hold: in.Hold})
	return nil, nil
}

func (c control) settle(ctx context.Context, _ wish) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	_ = c.sim.Webhooks().Settle(ctx) // what is left is in the answer
	return map[string]int{"pending": c.sim.Webhooks().Pending()}, nil
}

func (c control) reset(context.Context, wish) (any, error) {
	c.sim.Reset()
	return nil, nil
}

func (c control) shown(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, err := strconv.ParseInt(q.Get("after"), 10, 64)
	if q.Get("after") != "" && err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": "after: not a cursor"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	for {
		changed := c.sim.Log().Changed()
		items, cursor := c.sim.Log().Feed(q.Get("to"), after)
		if q.Get("own") != "1" {
			items = slices.DeleteFunc(items, func(m Shown) bool { return m.Own })
		}
		if len(items) > 0 || q.Get("wait") != "1" || ctx.Err() != nil {
			reply(w, http.StatusOK, map[string]any{"items": append([]Shown{}, items...), "cursor": cursor})
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (c control) stats(w http.ResponseWriter, _ *http.Request) {
	l := c.sim.Log()
	reply(w, http.StatusOK, map[string]any{
		"requests": l.Requests(), "shown": len(l.All()), "overlaps": l.Overlaps(), "tooFast": l.TooFast(),
		"early": l.Early(), "injected": l.Injected(), "rejected": append([]Rejection{}, l.Rejected()...),
		"webhooks": append([]Attempt{}, c.sim.Webhooks().Attempts()...), "pending": c.sim.Webhooks().Pending(),
	})
}

// faultWish is a Fault as JSON.
type faultWish struct {
	Clear       bool    `json:"clear"`
	Kind        Kind    `json:"kind"`
	To          string  `json:"to"`
	Method      string  `json:"method"`
	Times       int     `json:"times"`
	Skip        int     `json:"skip"`
	Probability float64 `json:"probability"`
	Delay       string  `json:"delay"`
	DelayMax    string  `json:"delayMax"`
	RetryAfter  string  `json:"retryAfter"`
	Code        string  `json:"code"`
	Status      int     `json:"status"`
}

func (c control) faults(w http.ResponseWriter, r *http.Request) {
	wishes, err := decodeFaults(r)
	rules := make([]Fault, 0, len(wishes))
	for _, in := range wishes {
		f, ferr := in.fault()
		rules, err = append(rules, f), errors.Join(err, ferr)
	}
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	if len(wishes) > 0 && wishes[0].Clear {
		c.sim.Faults().Clear()
	}
	for i, f := range rules {
		if wishes[i].Clear && f == (Fault{}) {
			continue // nothing but "clear"
		}
		c.sim.Faults().Add(f)
	}
	reply(w, http.StatusOK, struct{}{})
}

func decodeFaults(r *http.Request) ([]faultWish, error) {
	var raw json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
		return nil, err
	}
	if len(raw) > 0 && raw[0] != '[' {
		raw = slices.Concat(json.RawMessage("["), raw, json.RawMessage("]"))
	}
	var out []faultWish
	return out, decode(bytes.NewReader(raw), &out)
}

func (in faultWish) fault() (Fault, error) {
	f := Fault{
		Kind: in.Kind, To: in.To, Method: in.Method, Times: in.Times, Skip: in.Skip,
		Probability: in.Probability, Code: in.Code, Status: in.Status,
	}
	if !slices.Contains(kinds, in.Kind) {
		return f, fmt.Errorf("kind: %q is none of %q", in.Kind, kinds)
	}
	var errs [3]error
	f.Delay, errs[0] = duration(in.Delay)
	f.DelayMax, errs[1] = duration(in.DelayMax)
	f.RetryAfter, errs[2] = duration(in.RetryAfter)
	return f, errors.Join(errs[:]...)
}

func duration(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	return time.ParseDuration(s)
}

func identified(id string, err error) (any, error) {
	return map[string]string{"id": id}, err
}

func decode(r io.Reader, v any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

func reply(w http.ResponseWriter, status int, v any) {
	write(w, JSON(status, v))
}
