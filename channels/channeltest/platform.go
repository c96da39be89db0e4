package channeltest

import (
	"context"
	"net/http"
	"time"

	"tidings/core"
)

// Platform is an emulated platform as far as the exam looks at it. It shows a
// message when its request ends, and refuses what the platform refuses. People
// are named by the value of their address.
type Platform interface {
	// ServeHTTP is the platform's API. It panics with http.ErrAbortHandler to
	// break the connection.
	http.Handler
	// Shown returns what a person sees of our messages, top to bottom.
	Shown(person string) []Shown
	// Overlaps counts requests that came while another one to the same person was under way.
	Overlaps() int
	// Cause makes the next request to a person go wrong.
	Cause(Fault)

	// Say, Answer and Press are what a customer does: write, reply to a message
	// of ours, press a button, named by its value.
	Say(ctx context.Context, person, text string) error
	Answer(ctx context.Context, person string, to Shown, text string) error
	Press(ctx context.Context, person string, on Shown, value string) error
	// Arrivals are the ways in which a person can follow an invitation.
	Arrivals(inv core.Invitation, token string) []Scene
	// Scenes are whatever else can happen that the platform calls back about.
	Scenes() []Scene

	// Settle waits until no callback is under way.
	Settle(ctx context.Context) error
}

// Shown is a message as a person sees it.
type Shown struct {
	ID      string // as the platform's emulator calls it
	Text    string
	Links   []string // the targets of links in the text
	Buttons []core.Button
}

// Scene is something that happens, and the updates that must come of it.
type Scene struct {
	Name string // as in "a photo"
	Do   func(ctx context.Context, person string) error
	Want []core.UpdateKind
	// From names the customers of the updates that are not the person's.
	From map[int]core.Address
}

// Kind is a kind of failure.
type Kind string

// The kinds of failures.
const (
	Throttled   Kind = "too many requests"                        // RetryAfter as told
	ServerError Kind = "the platform's own error 500"             //
	BadGateway  Kind = "a proxy's HTML and 502"                   //
	DropBefore  Kind = "connection lost before anything was done" //
	DropAfter   Kind = "connection lost after the message was shown"
	Truncated   Kind = "half an answer"             // 200, the message is shown
	Expired     Kind = "credentials that ran out"   //
	Blocked     Kind = "a recipient who blocked us" //
	Closed      Kind = "a closed reply window"      // where there is one
	Coded       Kind = "a code of the platform"     // Code
)

// Fault is a failure to cause.
type Fault struct {
	Kind       Kind
	RetryAfter time.Duration
	Code       string // as the platform's emulator writes it
}
