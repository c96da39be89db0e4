package channeltest

import (
	"context"
	"net/http"

	"tidings/channels/emulator"
	"tidings/core"
)

// Emulated is a Platform over an emulator of package emulator.
type Emulated struct {
	Sim emulator.Sim
	// Look, if set, adds to a message what the emulator says of it in the
	// platform's own form: links, and a text without what is not text.
	Look func(emulator.Shown, *Shown)
	// Ways and More are Arrivals and Scenes.
	Ways func(inv core.Invitation, token string) []Scene
	More []Scene
}

// ServeHTTP is the platform's API.
func (e Emulated) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.Sim.ServeHTTP(w, r) }

// Shown returns what a person sees.
func (e Emulated) Shown(person string) []Shown {
	var all []Shown
	for _, m := range e.Sim.Log().Shown(person) {
		s := Shown{ID: m.ID, Text: m.Text}
		for _, b := range m.Buttons {
			s.Buttons = append(s.Buttons, core.Button{Title: b.Title, URL: b.URL, Value: b.Value})
		}
		if e.Look != nil {
			e.Look(m, &s)
		}
		all = append(all, s)
	}
	return all
}

// Overlaps counts overlapping requests.
func (e Emulated) Overlaps() int { return e.Sim.Log().Overlaps() }

// emulated translates the exam's kinds of failures.
var emulated = map[Kind]emulator.Kind{
	Throttled: emulator.Throttle, ServerError: emulator.ServerError, BadGateway: emulator.BadGateway,
	DropBefore: emulator.DropBefore, DropAfter: emulator.DropAfter, Truncated: emulator.Truncate,
	Expired: emulator.ExpireToken, Blocked: emulator.Block, Closed: emulator.CloseWindow, Coded: emulator.ErrorCode,
}

// Cause makes the next request go wrong.
func (e Emulated) Cause(f Fault) {
	e.Sim.Faults().Add(emulator.Fault{Kind: emulated[f.Kind], Times: 1, RetryAfter: f.RetryAfter, Code: f.Code})
}

// Say writes a text.
func (e Emulated) Say(ctx context.Context, person, text string) error {
	_, err := e.Sim.Say(ctx, person, text)
	return err
}

// Answer replies to a message.
func (e Emulated) Answer(ctx context.Context, person string, to Shown, text string) error {
	_, err := e.Sim.ReplyTo(ctx, person, to.ID, text)
	return err
}

// Press presses a button.
func (e Emulated) Press(ctx context.Context, person string, on Shown, value string) error {
	return e.Sim.Press(ctx, person, on.ID, value)
}

// Arrivals are the ways to follow an invitation.
func (e Emulated) Arrivals(inv core.Invitation, token string) []Scene { return e.Ways(inv, token) }

// Scenes are the platform's own.
func (e Emulated) Scenes() []Scene { return e.More }

// Settle waits for callbacks.
func (e Emulated) Settle(ctx context.Context) error { return e.Sim.Webhooks().Settle(ctx) }
