package core

import (
	"errors"
	"fmt"
	"time"
)

// Class is the kind of an error, and with it the one thing that happens (docs/states.md).
type Class string

// The classes. An error without a class is Temporary.
const (
	Temporary     Class = "Temporary"     // try again later
	Throttled     Class = "Throttled"     // wait as told, no try counted
	Rejected      Class = "Rejected"      // this content will never be accepted
	Unreachable   Class = "Unreachable"   // this recipient cannot be reached until they write
	Misconfigured Class = "Misconfigured" // token, permission or account: the channel is broken
	WindowClosed  Class = "WindowClosed"  // the platform's policy does not let us write now
	Uncertain     Class = "Uncertain"     // it may or may not have arrived
)

// Classes lists all classes.
var Classes = []Class{Temporary, Throttled, Rejected, Unreachable, Misconfigured, WindowClosed, Uncertain}

// Scope says whom a Throttled concerns.
type Scope string

// The scopes. Unknown counts as the recipient until several recipients agree.
const (
	ScopeUnknown   Scope = ""
	ScopeRecipient Scope = "recipient"
	ScopeChannel   Scope = "channel"
)

// SendError is a platform's "no" to one part, classified by the adapter. Its
// text holds no secret and nothing the customer wrote or is.
type SendError struct {
	Class      Class
	Scope      Scope         // for Throttled
	RetryAfter time.Duration // for Throttled and Temporary, as the platform told; 0: it did not
	Code       string        // the platform's own code, e.g. "10/2018278", "403", "channel_not_found"
	Moved      *Address      // the recipient's new address, when the platform told one with the error
	// Tries bounds how often a Temporary is tried, where the platform's facts
	// say so (1: once more, then it counts as Rejected). 0: the core's own bound.
	Tries int
	// Then is what a Temporary is after so many tries if nothing has been taken from
	// anybody lately: Misconfigured, or nothing for a Rejected.
	Then Class
	Err  error
}

func (e *SendError) Error() string {
	return fmt.Sprintf("%s (code %s): %v", e.Class, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// ClassOf returns the class of an error of a channel or a shop; Temporary for
// an unclassified one.
func ClassOf(err error) Class {
	var send *SendError
	if errors.As(err, &send) && send.Class != "" {
		return send.Class
	}
	var shop *ShopError
	if errors.As(err, &shop) && shop.Class != "" {
		return shop.Class
	}
	return Temporary
}

// What Listener.Decode refuses with.
var (
	ErrUnauthorized = errors.New("callback without valid proof of its sender")
	ErrForbidden    = errors.New("handshake refused")
)

// Count adds n to a figure for operators, under labels given as name, value
// pairs. Labels never hold data of a person.
type Count func(name string, n float64, labels ...string)
