package inbound

import (
	"context"
	"errors"

	"tidings/core"
)

// inNameOf has the desk called in the name of a conversation's customer. Where
// the shop has nobody of their uid, and shows that it calls the guest they were
// by another now, it is called in the name of that one. That is asked each time:
// the account's uid may be somebody else's by the next.
func (in *Inbound) inNameOf(ctx context.Context, v core.Conversation, call func(core.Conversation) error) error {
	err := call(v)
	if !noCustomer(err) {
		return err
	}
	uid, found := in.accountOf(ctx, v)
	if found != nil || uid == "" {
		return err // the shop's first word counts; it is asked again
	}
	v.CustomerUID = uid
	return call(v)
}

// accountOf is the uid of the account that a guest has become: the one whose the
// shop now calls the order that it called the guest's before; "" where it does not.
func (in *Inbound) accountOf(ctx context.Context, v core.Conversation) (uid string, err error) {
	if in.Shop == nil || v.OrderCode == "" {
		return "", nil
	}
	shown := false
	err = in.Engine.View(ctx, func(tx core.Tx) (err error) {
		shown, err = tx.Claimed(core.GuestOrderKey(v.CustomerID, v.Site, v.OrderCode))
		return err
	})
	if err != nil || !shown {
		return "", err
	}
	o, err := in.Shop.Order(ctx, core.OrderQuery{Site: v.Site, Code: v.OrderCode})
	if err != nil || !core.WasGuest(v.CustomerUID, o.CustomerUID) {
		return "", err
	}
	return o.CustomerUID, nil
}

// noCustomer reports whether the shop has nobody of the uid by which it was asked.
func noCustomer(err error) bool {
	failed, ok := errors.AsType[*core.ShopError](err)
	return ok && failed.NoCustomer
}
