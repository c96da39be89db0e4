package inbound

import (
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/render"
)

// hold keeps what an unlinked sender wrote, and tells them once how to link.
func (in *Inbound) hold(tx *lane.Tx, c chat) (state, why string, err error) {
	_, _, err = in.invite(tx, c)
	return held, "the sender is not linked", err
}

// invite tells a stranger how to link, once.
func (in *Inbound) invite(tx *lane.Tx, c chat) (state, why string, err error) {
	if !c.addr.InvitedAt.IsZero() {
		return done, "the sender is not linked and has been told how to", nil
	}
	c.addr.InvitedAt = c.now
	if err := tx.SaveAddress(c.addr); err != nil {
		return "", "", err
	}
	return done, "the sender is not linked", in.say(tx, c, render.Unlinked, core.OrderQuery{}, nil)
}

// shopLogin is the button to the shop's login, where the platform has such buttons.
func (in *Inbound) shopLogin(channel string) []core.Button {
	if in.ShopLogin == nil {
		return nil
	}
	url := in.ShopLogin(channel)
	if url == "" {
		return nil
	}
	return []core.Button{{Title: "Log in", URL: url, Login: true}}
}

// release turns what was written in a chat before its link into questions. They
// are confirmed together, after the thank-you.
func (in *Inbound) release(tx *lane.Tx, c chat) error {
	if !c.addr.InvitedAt.IsZero() {
		c.addr.InvitedAt = time.Time{}
		if err := tx.SaveAddress(c.addr); err != nil {
			return err
		}
	}
	early, err := tx.HeldUpdates(c.addr.ID, c.update.ReceivedAt.Add(-holdUnlinked))
	if err != nil {
		return err
	}
	asked := false
	for _, u := range early {
		was := c
		was.update = u
		q, err := in.ask(tx, was)
		if err != nil {
			return err
		}
		if err := tx.SaveUpdate(u.ID, done, ""); err != nil {
			return err
		}
		asked = asked || q.taken
	}
	if !asked {
		return nil
	}
	return in.confirmEarly(tx, c)
}

// confirmEarly has what was asked before the link confirmed. It takes the way of
// the thank-you, through the customer's lane, so that it comes after it.
func (in *Inbound) confirmEarly(tx *lane.Tx, c chat) error {
	e := core.Event{
		ID: thankYouID(c.link) + "-confirmation", Source: thankYouSource, Type: core.Answer, Time: c.now, Site: c.link.Site,
		Data: core.EventData{CustomerUID: c.who.UID, LinkID: c.link.ID, Answer: render.Confirmation},
	}
	return in.Events.Place(tx, e, c.who.ID, c.now)
}
