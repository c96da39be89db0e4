package inbound

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/seal"
)

// loginLasts is how long a browser has to come back from the platform.
const loginLasts = 10 * time.Minute

// loginChannel is what the state of a login is sealed for. No channel can have
// this name.
func loginChannel(channel string) string { return "@login " + channel }

// LoginStart is a login that begins.
type LoginStart struct {
	Attempt core.LoginAttempt // but for the redirect URI
	// Browser is a secret that the browser keeps until it comes back.
	Browser string
	Lasts   time.Duration
}

// Login is a login that has come back.
type Login struct {
	Attempt core.LoginAttempt // but for the redirect URI
	// Token is the reference that the login was begun with: by it the customer can
	// still link in the chat itself.
	Token  string
	Locale string

	channel string
	offer   core.OptIn
}

// BeginLogin opens a login for a reference of an offer on a channel;
// core.ErrNotFound for one that does not count. It writes nothing: the state that
// it returns carries all, sealed, and is worth nothing without the browser's secret.
func (in *Inbound) BeginLogin(ctx context.Context, channel, token string) (LoginStart, error) {
	now := time.Now()
	o, err := in.offerOf(ctx, channel, token, now)
	if err != nil {
		return LoginStart{}, err
	}
	browser := rand.Text()
	state := in.Keys.Seal(seal.Ref{
		ID: o.ID, Expires: now.Add(loginLasts), Channel: loginChannel(channel), Purpose: string(o.Purpose) + " " + browser,
	})
	return LoginStart{Attempt: attempt(state, browser, now), Browser: browser, Lasts: loginLasts}, nil
}

// attempt derives what else a login needs from its state and the browser's secret.
func attempt(state, browser string, now time.Time) core.LoginAttempt {
	derive := func(use string) string {
		sum := sha256.Sum256([]byte(use + " " + browser + " " + state))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return core.LoginAttempt{State: state, Nonce: derive("nonce"), Verifier: derive("verifier"), Now: now}
}

// offerOf returns the live offer of a reference; core.ErrNotFound for none.
func (in *Inbound) offerOf(ctx context.Context, channel, token string, now time.Time) (core.OptIn, error) {
	for _, p := range purposes {
		ref, err := in.Keys.Unseal(token, channel, string(p), now)
		if err != nil {
			continue
		}
		o, err := in.liveOffer(ctx, channel, ref.ID, now)
		if err == nil && !sealedFor(ref, o) {
			err = core.ErrNotFound
		}
		return o, err
	}
	return core.OptIn{}, core.ErrNotFound
}

func (in *Inbound) liveOffer(ctx context.Context, channel string, id int64, now time.Time) (core.OptIn, error) {
	var o core.OptIn
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		o, err = tx.OptIn(id)
		return err
	})
	if err == nil && (!now.Before(o.ExpiresAt) || !slices.Contains(o.Channels, channel)) {
		err = core.ErrNotFound
	}
	return o, err
}

// ResumeLogin takes the state with which a browser comes back, once.
// core.ErrNotFound: it is not the state of this browser on this channel, too
// old, or has been used.
func (in *Inbound) ResumeLogin(ctx context.Context, channel, state, browser string) (Login, error) {
	now := time.Now()
	for _, p := range purposes {
		ref, err := in.Keys.Unseal(state, loginChannel(channel), string(p)+" "+browser, now)
		if err != nil {
			continue
		}
		o, err := in.liveOffer(ctx, channel, ref.ID, now)
		if err != nil {
			return Login{}, err
		}
		if err := in.Engine.Do(ctx, func(tx *lane.Tx) error { return once(tx, "login state "+state, now) }); err != nil {
			return Login{}, err
		}
		return Login{
			Attempt: attempt(state, browser, now), Token: in.Keys.Seal(refOf(o, channel)), Locale: o.Locale, channel: channel, offer: o,
		}, nil
	}
	return Login{}, core.ErrNotFound
}

// once takes a key; core.ErrNotFound when it has been taken before.
func once(tx *lane.Tx, key string, now time.Time) error {
	first, _, err := tx.Claim(key, "", now)
	if err == nil && !first {
		err = core.ErrNotFound
	}
	return err
}

// FinishLogin links the account that a login has proved; core.ErrNotFound where
// the offer has been used by another chat, or the proof before. An address that
// was somebody else's is theirs no longer: the newest proof counts, their link
// ends, and what waits for it is not told.
func (in *Inbound) FinishLogin(ctx context.Context, l Login, id core.Identity) error {
	return in.Engine.Do(ctx, func(tx *lane.Tx) error {
		now := time.Now()
		if id.Once != "" {
			if err := once(tx, "login proof "+l.channel+" "+id.Once, now); err != nil {
				return err
			}
		}
		c, err := loggedIn(tx, l.channel, id, now)
		if err != nil {
			return err
		}
		how := proof{
			evidence: fmt.Sprintf("%s; login at %s; %s", id.Proof, now.UTC().Format(time.RFC3339), offered(l.offer)), subject: id.Subject,
		}
		_, ok, err := in.take(tx, c, l.offer, how)
		if err == nil && !ok {
			err = core.ErrNotFound
		}
		return err
	})
}

// loggedIn is the chat of an account, which the platform lets us write to.
func loggedIn(tx *lane.Tx, channel string, id core.Identity, now time.Time) (chat, error) {
	c := chat{update: core.StoredUpdate{Channel: channel, ReceivedAt: now}, now: now}
	a, err := tx.EnsureAddress(channel, id.Address, now)
	if err != nil {
		return c, err
	}
	c.update.AddressID = a.ID
	if err := c.reload(tx); err != nil {
		return c, err
	}
	c.addr.BlockedAt, c.addr.Name = time.Time{}, cmp.Or(c.addr.Name, id.Name)
	return c, tx.SaveAddress(c.addr)
}

// Revoke ends the links on any of the channels that are of an account, because
// the platform says that its login was taken back. By which ids they were proved
// is forgotten, where they had ended before, too. It reports how many ended.
func (in *Inbound) Revoke(ctx context.Context, channels []string, subject, why string) (ended int, err error) {
	err = in.Engine.Do(ctx, func(tx *lane.Tx) error {
		now := time.Now()
		ended = 0
		for _, channel := range channels {
			links, err := tx.LinksBySubject(channel, subject)
			if err != nil {
				return err
			}
			for _, l := range links {
				if l.State != core.LinkEnded {
					ended++
				}
				if err := revoke(tx, l, why, now); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return ended, err
}

// RevokeChat is Revoke for a chat of which the platform says that it is the
// account's, although no link says so. It reports whether its link ended.
func (in *Inbound) RevokeChat(ctx context.Context, channel, address, why string) (ended bool, err error) {
	err = in.Engine.Do(ctx, func(tx *lane.Tx) error {
		ended = false
		a, err := tx.AddressByValue(channel, address)
		if err != nil {
			return err
		}
		l, err := tx.LinkOf(a.ID)
		if err != nil {
			return err
		}
		ended = true
		return revoke(tx, l, why, time.Now())
	})
	if errors.Is(err, core.ErrNotFound) {
		err = nil
	}
	return ended, err
}

func revoke(tx *lane.Tx, l core.Link, why string, now time.Time) error {
	if l.State != core.LinkEnded {
		l.State, l.ChangedAt = core.LinkEnded, now
	}
	l.Subject, l.Evidence = "", "a login, taken back: "+why
	return tx.SaveLink(l)
}

// RememberDeletion keeps that something was deleted on request, so that whoever
// asked can look it up by the code until such codes are purged.
func (in *Inbound) RememberDeletion(ctx context.Context, code string) error {
	return in.Engine.Do(ctx, func(tx *lane.Tx) error {
		_, _, err := tx.Claim("deletion "+code, "", time.Now())
		return err
	})
}

// Deleted reports whether a code is that of such a deletion.
func (in *Inbound) Deleted(ctx context.Context, code string) (known bool, err error) {
	err = in.Engine.View(ctx, func(tx core.Tx) error {
		known, err = tx.Claimed("deletion " + code)
		return err
	})
	return known, err
}

// unlinked ends the chat's link, which its customer has taken back with the
// platform. The word of it can come late: a link that is newer stays.
func (in *Inbound) unlinked(tx *lane.Tx, c chat) (state, why string, err error) {
	switch at := c.update.Update.At; {
	case !c.linked():
		return done, "the chat is not linked", nil
	case !at.IsZero() && at.Before(c.link.CreatedAt):
		return done, "the link is newer", nil
	}
	c.link.State, c.link.ChangedAt = core.LinkEnded, c.now
	return done, "unlinked with the platform", tx.SaveLink(c.link)
}
