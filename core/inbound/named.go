package inbound

import (
	"cmp"
	"context"
	"strings"
	"time"
	"unicode"

	"tidings/core"
	"tidings/core/lane"
)

// mostOrders is how many of a customer's orders a text is searched for.
const mostOrders = 200

// orderNamed is the customer's newest order whose code stands in the text.
func orderNamed(tx *lane.Tx, c chat) (core.OrderQuery, error) {
	order, err := knownOrderNamed(tx, c)
	if err != nil || order.Code != "" || c.named.Code == "" {
		return order, err
	}
	return c.named, tx.RememberOrder(c.named.Site, c.named.Code, c.who.ID)
}

func knownOrderNamed(tx core.Tx, c chat) (core.OrderQuery, error) {
	own, err := tx.OrdersOf(c.who.ID, mostOrders)
	if err != nil {
		return core.OrderQuery{}, err
	}
	said := map[string]bool{}
	for _, w := range wordsOf(c.update.Update.Text) {
		said[strings.ToLower(w)] = true
	}
	for _, order := range own {
		if said[strings.ToLower(order.Code)] {
			return order, nil
		}
	}
	return core.OrderQuery{}, nil
}

// How the shop is asked about words that may be the codes of orders.
const (
	mostWords   = 3 // of one text
	minCode     = 3
	maxCode     = 40
	wordsWithin = 2 * time.Second // the customer waits for the confirmation
)

// unknownOrderNamed is the customer's order whose code stands in the text, when
// nothing has been told of it yet and only the shop knows that it is theirs. A
// shop that does not answer in time knows of none.
func (in *Inbound) unknownOrderNamed(ctx context.Context, c chat) core.OrderQuery {
	words := codesOf(c.update.Update)
	if in.Shop == nil || in.Desk == nil || len(words) == 0 {
		return core.OrderQuery{}
	}
	ctx, cancel := context.WithTimeout(ctx, wordsWithin)
	defer cancel()
	var known core.OrderQuery
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		known, err = knownOrderNamed(tx, c)
		return err
	})
	if err != nil || known.Code != "" {
		return core.OrderQuery{}
	}
	for _, w := range words {
		q := core.OrderQuery{Site: cmp.Or(c.link.Site, in.Site), Code: w, CustomerUID: c.who.UID}
		o, err := in.Shop.Order(ctx, q)
		if err == nil && strings.EqualFold(o.Code, w) {
			return core.OrderQuery{Site: q.Site, Code: o.Code}
		}
	}
	return core.OrderQuery{}
}

// codesOf are the words of what somebody wrote that are worth asking the shop
// about: they have digits. A reference to link with is none of the shop's business.
func codesOf(u core.Update) []string {
	if u.Kind != core.UpdateText && u.Kind != core.UpdateEdited || looksLikeCode(u) {
		return nil
	}
	var codes []string
	for _, w := range wordsOf(u.Text) {
		if len(w) >= minCode && len(w) <= maxCode && strings.ContainsAny(w, "0123456789") {
			codes = append(codes, w)
		}
	}
	return codes[:min(len(codes), mostWords)]
}

// wordsOf are the words of a text that could be an order's code.
func wordsOf(text string) []string {
	var all []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	}) {
		if w = strings.Trim(w, "-_"); w != "" {
			all = append(all, w)
		}
	}
	return all
}
