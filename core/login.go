package core

import (
	"context"
	"errors"
	"time"
)

// Authenticator is a channel whose platform can prove in a browser which of its
// accounts somebody has. What it proves becomes a link's evidence.
type Authenticator interface {
	// HasLogin reports whether the configuration has what a login needs.
	HasLogin() bool
	// BeginLogin says where the browser goes. It makes no request.
	BeginLogin(a LoginAttempt) LoginStep
	// FinishLogin checks what the browser came back with, its query, and asks the
	// platform whose it is. The state has been checked before. Besides ErrUnproven
	// and ErrDeclined, errors mean that the platform could not be asked, or not
	// with this configuration; they hold no secret and nothing of the person.
	FinishLogin(ctx context.Context, a LoginAttempt, query map[string][]string) (Identity, error)
}

// LoginAttempt is one try of one browser.
type LoginAttempt struct {
	// RedirectURI is where the platform sends the browser back to, the same in
	// every request of an attempt.
	RedirectURI string
	// State comes back with the browser: at most 64 characters of [A-Za-z0-9_-].
	State string
	// Nonce is to stand in a signed answer. Verifier is the secret of RFC 7636.
	Nonce, Verifier string
	Now             time.Time
}

// LoginStep is how a login begins: at a URL, or with a button that only the
// platform's own script can draw. Exactly one of the two is set.
type LoginStep struct {
	URL    string
	Widget *Widget
}

// Widget is a script of the platform's.
type Widget struct {
	Script     string            // its URL
	Attributes map[string]string // of the script's element, data-… names
	Frame      string            // the origin of what it shows
}

// Identity is what a login has proved.
type Identity struct {
	// Address is where the account can be written to; empty while the platform
	// does not let us, because the person has yet to open the chat.
	Address Address
	// Subject is what the login's own callbacks call the account (Revoker).
	Subject string
	Name    string
	// Proof tells how it was proved and by which ids, for the link's evidence.
	Proof string
	// Once is a value of the answer that must not count a second time, where the
	// platform itself does not see to that. Empty: it does.
	Once string
}

// What Authenticator.FinishLogin refuses with.
var (
	// ErrUnproven: wrong, used, too old, of another application or account.
	ErrUnproven = errors.New("the login is not proved")
	// ErrDeclined: the person has changed their mind.
	ErrDeclined = errors.New("the login was declined")
)

// Revoker is an Authenticator whose platform tells when somebody takes a login
// back, or wants what came by it deleted.
type Revoker interface {
	// Revocation authenticates the form of such a callback and returns the
	// Identity.Subject it is about; ErrUnauthorized for one without valid proof.
	Revocation(form map[string][]string) (subject string, err error)
}

// Matcher is a channel whose platform tells which of our chats and which account
// of its login are one person's. Its errors are as FinishLogin's.
type Matcher interface {
	// AddressOf returns the address of an account, by Identity.Subject; empty
	// while it has none with us.
	AddressOf(ctx context.Context, subject string) (Address, error)
	// IdentityOf returns the account that a chat is of, with the proof. Its Subject
	// is empty while the account has never logged in, or where nobody can.
	IdentityOf(ctx context.Context, a Address) (Identity, error)
}

// AccountLinker is a channel whose platform can have a customer log in at the
// shop from within the chat.
type AccountLinker interface {
	// AccountLinkingURL is the shop's page for that; empty where there is none.
	AccountLinkingURL() string
	// UnlinkAccount tells the platform that the shop has ended a chat's link. It does
	// nothing where there is no such page. Its errors are as FinishLogin's.
	UnlinkAccount(ctx context.Context, a Address) error
}
