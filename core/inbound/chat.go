package inbound

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/render"
)

// chatWorker works on the lanes of chats.
type chatWorker Inbound

// Gate implements lane.Worker: updates have no pace.
func (*chatWorker) Gate(lane.Item, time.Time) lane.Turn { return lane.Turn{} }

// chat is an update with what is known of the chat it came from.
type chat struct {
	update core.StoredUpdate
	addr   core.ChatAddress
	link   core.Link       // zero: not linked
	who    core.Customer   // zero: not linked
	orders []core.Order    // for the status command, of the customer with id owner
	named  core.OrderQuery // an order of theirs that only the shop knew of
	owner  int64
	// account is that of the platform's login, for a chat about to be linked.
	account core.Identity
	now     time.Time
}

func (c chat) linked() bool { return c.link.ID != 0 }

// Work implements lane.Worker.
func (w *chatWorker) Work(ctx context.Context, it lane.Item) lane.Result {
	in := (*Inbound)(w)
	c := chat{now: time.Now()}
	err := in.Engine.View(ctx, func(tx core.Tx) error { return c.load(tx, it.Ref) })
	switch {
	case errors.Is(err, core.ErrNotFound):
		return lane.Result{Done: true}
	case err != nil:
		in.Log.Error("cannot read an update; trying again", "update", it.Ref, "err", err)
		it.Due = c.now.Add(time.Second)
		return lane.Result{Item: it}
	}
	in.askShop(ctx, &c)
	in.askPlatform(ctx, &c)
	return lane.Result{Done: true, Commit: func(tx *lane.Tx) error { return in.handle(tx, c) }}
}

// askShop reads what an update can only be answered with by the shop's help.
func (in *Inbound) askShop(ctx context.Context, c *chat) {
	if !c.linked() {
		return
	}
	c.owner = c.who.ID
	switch in.command(*c) {
	case cmdStatus:
		c.orders = in.ownOrders(ctx, *c)
	case cmdNone:
		c.named = in.unknownOrderNamed(ctx, *c)
	}
}

func (c *chat) load(tx core.Tx, id int64) error {
	var err error
	if c.update, err = tx.Update(id); err != nil {
		return err
	}
	return c.reload(tx)
}

// reload reads the chat's address, link and customer as they are now.
func (c *chat) reload(tx core.Tx) error {
	var err error
	if c.addr, err = tx.Address(c.update.AddressID); err != nil {
		return err
	}
	c.link, err = tx.LinkOf(c.addr.ID)
	if errors.Is(err, core.ErrNotFound) {
		c.link, c.who = core.Link{}, core.Customer{}
		return nil
	}
	if err != nil {
		return err
	}
	c.who, err = tx.Customer(c.link.CustomerID)
	return err
}

// handle works on one update, all in one transaction.
func (in *Inbound) handle(tx *lane.Tx, c chat) error {
	u := c.update.Update
	if u.Was != nil && u.Was.Value != "" && u.Was.Value != u.From.Value {
		if err := in.merge(tx, c, *u.Was); err != nil {
			return err
		}
	}
	err := c.reload(tx)
	if errors.Is(err, core.ErrNotFound) {
		return nil // the chat has been erased in the meantime
	}
	if err != nil {
		return err
	}
	if c.owner != c.who.ID {
		c.orders, c.named = nil, core.OrderQuery{} // the chat has become somebody else's in the meantime
	}
	if err := in.touch(tx, &c); err != nil {
		return err
	}
	state, why, err := in.dispatch(tx, c)
	if err != nil {
		return err
	}
	return tx.SaveUpdate(c.update.ID, state, why)
}

// merge lets the chat take over a provisional address that was it all along.
func (in *Inbound) merge(tx *lane.Tx, c chat, was core.Address) error {
	old, err := tx.AddressByValue(c.update.Channel, was.Value)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return in.Outbox.Readdress(tx, old.ID, c.update.Update.From, c.now)
}

// touch notes what any sign of life of the customer means: the platform's reply
// window counts from it, and they can be reached again.
func (in *Inbound) touch(tx *lane.Tx, c *chat) error {
	u, before := c.update.Update, c.addr
	if u.OpensWindow {
		when := u.At
		if when.IsZero() || when.After(c.update.ReceivedAt) {
			when = c.update.ReceivedAt
		}
		c.addr.LastInAt = later(c.addr.LastInAt, when)
	}
	if lifts(u) {
		c.addr.BlockedAt = time.Time{}
	}
	c.addr.Name = cmp.Or(u.Name, c.addr.Name)
	c.addr.Locale = cmp.Or(c.addr.Locale, u.Locale)
	if c.addr == before {
		return nil
	}
	return tx.SaveAddress(c.addr)
}

// lifts reports whether an update shows that the customer does not block us
// (any more). Not every platform has a window that would say so.
func lifts(u core.Update) bool {
	switch u.Kind {
	case core.UpdateText, core.UpdateButton, core.UpdateEdited, core.UpdateOptIn, core.UpdateUnblocked:
		return true
	}
	return u.OpensWindow
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// dispatch does what an update of its kind asks for, and says what became of it.
func (in *Inbound) dispatch(tx *lane.Tx, c chat) (state, why string, err error) {
	u := c.update.Update
	switch u.Kind {
	case core.UpdateOptIn:
		return in.optIn(tx, c, u.Ref)
	case core.UpdateText, core.UpdateButton:
		return in.said(tx, c)
	case core.UpdateEdited:
		return in.edited(tx, c)
	case core.UpdateDelivered, core.UpdateRead:
		return done, "", in.receipts(tx, c)
	case core.UpdateEcho:
		return done, "", in.echo(tx, c)
	case core.UpdateBlocked:
		return done, "", in.Outbox.Block(tx, c.addr.ID, "the customer has blocked us", c.now)
	case core.UpdateUnlinked:
		return in.unlinked(tx, c)
	}
	return done, "", nil // UpdateUnblocked has had its effect in touch
}

// said deals with what the customer typed or pressed.
func (in *Inbound) said(tx *lane.Tx, c chat) (state, why string, err error) {
	switch in.command(c) {
	case cmdStop:
		return in.optOut(tx, c)
	case cmdStart:
		return in.comeBack(tx, c)
	case cmdHelp:
		return in.sayIfLinked(tx, c, render.Help, nil)
	case cmdStatus:
		return in.sayIfLinked(tx, c, render.Status, map[string]any{"orders": c.orders})
	}
	if why, ok, err := in.redeem(tx, c, typedReference(c.update.Update)); err != nil || ok {
		return done, why, err
	}
	switch {
	case c.linked():
		return done, "", in.question(tx, c)
	case looksLikeCode(c.update.Update):
		return in.refuse(tx, c)
	}
	return in.hold(tx, c)
}

// text is what the customer said, in words for a ticket.
func (c chat) text() string {
	u := c.update.Update
	switch {
	case u.Kind == core.UpdateEdited:
		return "[Edited] " + u.Text
	case u.Kind == core.UpdateButton && u.Text == "":
		return u.Payload
	}
	return u.Text
}

// edited passes a changed text on as what it is.
func (in *Inbound) edited(tx *lane.Tx, c chat) (state, why string, err error) {
	switch {
	case strings.TrimSpace(c.update.Update.Text) == "":
		return done, "", nil
	case !c.linked():
		return in.hold(tx, c)
	}
	return done, "", in.question(tx, c)
}

// sayIfLinked answers a command; a stranger is told how to link instead.
func (in *Inbound) sayIfLinked(tx *lane.Tx, c chat, answer string, vars map[string]any) (state, why string, err error) {
	if !c.linked() {
		return in.invite(tx, c)
	}
	return done, "", in.say(tx, c, answer, core.OrderQuery{}, vars)
}

// say answers in the chat, in the customer's language.
func (in *Inbound) say(tx *lane.Tx, c chat, answer string, about core.OrderQuery, vars map[string]any) error {
	texts, locale := in.Texts()
	body, err := texts.Render(render.Input{
		Type: core.Answer, Answer: answer, Locale: texts.Locale(cmp.Or(c.who.Locale, c.addr.Locale, locale)), Now: c.now, Vars: vars,
		CustomerName: c.who.Name, Event: core.EventData{OrderCode: about.Code},
	})
	if err != nil {
		in.Log.Error("a chat answer cannot be made", "answer", answer, "err", err)
		return nil
	}
	if answer == render.Unlinked {
		body.Buttons = append(body.Buttons, in.shopLogin(c.addr.Channel)...)
	}
	_, err = in.Outbox.Enqueue(tx, core.Message{
		Type: core.Answer, CustomerID: c.who.ID, Site: cmp.Or(about.Site, c.link.Site), OrderCode: about.Code,
		Channel: c.addr.Channel, AddressID: c.addr.ID,
		Reason: "answer in the chat the customer wrote in: " + answer, Purpose: core.Service, Uncertain: "repeat",
		Reply: true, Body: body, CreatedAt: c.now, ExpiresAt: c.now.Add(24 * time.Hour),
	})
	return err
}
