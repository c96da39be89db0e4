package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/seal"
)

// Lent keeps the tokens that customers have handed over, sealed for each of them.
// One whose key is gone counts as none.
type Lent struct {
	Engine *lane.Engine
	Keys   *seal.Keys
}

var _ core.CustomerTokens = (*Lent)(nil)

// lentToken is what is in the box. Secrets print as "[secret]" in JSON, too.
type lentToken struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// CustomerToken implements core.CustomerTokens.
func (l *Lent) CustomerToken(ctx context.Context, customerUID string) (t core.CustomerToken, err error) {
	err = l.Engine.View(ctx, func(tx core.Tx) error {
		t, err = l.read(tx, customerUID)
		return err
	})
	return t, err
}

func (l *Lent) read(tx core.Tx, customerUID string) (core.CustomerToken, error) {
	c, err := tx.CustomerByUID(customerUID)
	if err != nil {
		return core.CustomerToken{}, err
	}
	box, err := tx.ShopToken(c.ID)
	if err != nil {
		return core.CustomerToken{}, err
	}
	var t lentToken
	content, err := l.Keys.Unbox(box, owner(c.ID))
	if err != nil || json.Unmarshal(content, &t) != nil {
		return core.CustomerToken{}, core.ErrNotFound
	}
	return core.CustomerToken{Access: core.Secret(t.Access), Refresh: core.Secret(t.Refresh), Expires: t.Expires}, nil
}

// KeepCustomerToken implements core.CustomerTokens.
func (l *Lent) KeepCustomerToken(ctx context.Context, customerUID string, was, now core.CustomerToken) error {
	return l.Engine.Do(ctx, func(tx *lane.Tx) error {
		held, err := l.read(tx, customerUID)
		switch {
		case errors.Is(err, core.ErrNotFound), err == nil && held.Access != was.Access:
			return nil // there is nothing to replace
		case err != nil:
			return err
		}
		c, err := tx.CustomerByUID(customerUID)
		if err != nil {
			return err
		}
		return lend(tx, l.Keys, c, now)
	})
}

// keepToken keeps the token that comes with an opt-in.
func (in *Inbound) keepToken(tx *lane.Tx, w Wish) error {
	if w.Token.Access == "" {
		return nil
	}
	c, err := tx.EnsureCustomer(w.CustomerUID, time.Now())
	if err != nil {
		return err
	}
	return lend(tx, in.Keys, c, w.Token)
}

func lend(tx *lane.Tx, keys *seal.Keys, c core.Customer, t core.CustomerToken) error {
	c.ShopToken = []byte(core.NoShopToken)
	if t.Access != "" {
		content, err := json.Marshal(lentToken{Access: t.Access.Reveal(), Refresh: t.Refresh.Reveal(), Expires: t.Expires})
		if err != nil {
			return err
		}
		c.ShopToken = keys.Box(content, owner(c.ID))
	}
	return tx.SaveCustomer(c)
}

// owner is whom a token is sealed for: uids can change.
func owner(customerID int64) string { return "customer " + strconv.FormatInt(customerID, 10) }
