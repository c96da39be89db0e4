package inbound

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/seal"
)

// pageChannel is what the reference of the link page is sealed for. No channel
// can have this name.
const pageChannel = "@page"

// Invite is a channel customers can be led to.
type Invite struct {
	Channel, Type string
	Inviter       core.Inviter
}

// Wish asks for an offer to link.
type Wish struct {
	CustomerUID, OrderCode, Site, Locale string
	Purpose                              core.Purpose
	Channels                             []string // empty: all that customers can be led to
	Consent, ConsentVersion              string
	Proof                                Proof
	// Token is the customer's right to act in the shop, for a desk that needs it.
	Token core.CustomerToken
}

// Proof is how it is known that an offer is for the customer who gets it. It
// becomes part of the link's evidence.
type Proof string

// The proofs.
const (
	ByShop  Proof = "asked for by the shop"
	ByToken Proof = "the order shown with the customer's own access token"
	ByGUID  Proof = "the order shown by its GUID"
)

// Offer is what a shop shows its customer.
type Offer struct {
	ExpiresAt time.Time
	PageToken string
	OrderCode string
	Locale    string
	Consent   string // what whoever links a chat agrees to
	Links     []OfferLink
}

// OfferLink is the way into one channel.
type OfferLink struct {
	Channel, Type, Token, URL, Code, How string
	// LoginToken begins a login (BeginLogin) where the channel has one.
	LoginToken string
	Extra      map[string]string
}

// Offer makes, or finds, the references with which a customer can link. Asked
// again, it gives the same ones as long as half of their time is left.
func (in *Inbound) Offer(ctx context.Context, w Wish, invites []Invite, expires time.Duration) (Offer, error) {
	o := core.OptIn{
		CustomerUID: w.CustomerUID, Site: cmp.Or(w.Site, in.Site), OrderCode: w.OrderCode, Locale: w.Locale, Purpose: w.Purpose,
		Consent: w.Consent, ConsentVer: w.ConsentVersion, Channels: []string{},
		Proof: string(cmp.Or(w.Proof, ByShop)),
	}
	for _, i := range invites {
		o.Channels = append(o.Channels, i.Channel)
	}
	slices.Sort(o.Channels)
	err := in.Engine.Do(ctx, func(tx *lane.Tx) error {
		var err error
		if o, err = ensureOptIn(tx, o, time.Now(), expires); err != nil {
			return err
		}
		if err := in.keepToken(tx, w); err != nil {
			return err
		}
		return in.keepCodes(tx, o, invites)
	})
	if err != nil {
		return Offer{}, err
	}
	return in.offer(o, invites), nil
}

// ensureOptIn returns a like offer that lasts for half of the time, or a new one.
func ensureOptIn(tx *lane.Tx, o core.OptIn, now time.Time, expires time.Duration) (core.OptIn, error) {
	live, err := tx.LiveOptIn(o, now.Add(expires/2))
	if !errors.Is(err, core.ErrNotFound) {
		return live, err
	}
	o.CreatedAt, o.ExpiresAt = now, now.Add(expires).Truncate(time.Second)
	o.ID, err = tx.InsertOptIn(o)
	return o, err
}

// keepCodes keeps what the offer's short codes are found by. A new key makes new
// codes for an offer that is there already.
func (in *Inbound) keepCodes(tx *lane.Tx, o core.OptIn, invites []Invite) error {
	for _, i := range invites {
		if !i.Inviter.Invite("").TakesCode {
			continue
		}
		if err := tx.InsertCode(o.ID, i.Channel, in.Keys.Hash(in.Keys.Code(refOf(o, i.Channel)))); err != nil {
			return err
		}
	}
	return nil
}

// Page opens the reference of a link page; ErrNotFound for one that does not count.
func (in *Inbound) Page(ctx context.Context, token string, invites []Invite) (Offer, error) {
	now := time.Now()
	for _, p := range purposes {
		ref, err := in.Keys.Unseal(token, pageChannel, string(p), now)
		if err != nil {
			continue
		}
		var o core.OptIn
		err = in.Engine.View(ctx, func(tx core.Tx) error {
			var err error
			o, err = tx.OptIn(ref.ID)
			return err
		})
		if err != nil {
			return Offer{}, err
		}
		if !sealedFor(ref, o) {
			return Offer{}, core.ErrNotFound
		}
		offered := slices.DeleteFunc(slices.Clone(invites), func(i Invite) bool { return !slices.Contains(o.Channels, i.Channel) })
		return in.offer(o, offered), nil
	}
	return Offer{}, core.ErrNotFound
}

// languageOf is the language of a locale as a shop (de_DE) or a browser (de-AT) names it.
func languageOf(locale string) string {
	language, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	return strings.ToLower(language)
}

func refOf(o core.OptIn, channel string) seal.Ref {
	return seal.Ref{ID: o.ID, Expires: o.ExpiresAt, Channel: channel, Purpose: string(o.Purpose)}
}

func (in *Inbound) offer(o core.OptIn, invites []Invite) Offer {
	all := Offer{ExpiresAt: o.ExpiresAt, PageToken: in.Keys.Seal(refOf(o, pageChannel)), OrderCode: o.OrderCode, Locale: o.Locale, Consent: o.Consent}
	for _, i := range invites {
		ref := refOf(o, i.Channel)
		l := OfferLink{Channel: i.Channel, Type: i.Type, Token: in.Keys.Seal(ref)}
		if a, ok := i.Inviter.(core.Authenticator); ok && a.HasLogin() {
			l.LoginToken = l.Token
		}
		inv := i.Inviter.Invite(l.Token)
		l.URL, l.Extra = inv.URL, inv.Extra
		if inv.TakesCode {
			l.Token, l.Code = "", in.Keys.Code(ref)
			l.How = fmt.Sprintf(cmp.Or(inv.HowIn[languageOf(o.Locale)], inv.How), l.Code)
		}
		all.Links = append(all.Links, l)
	}
	return all
}
