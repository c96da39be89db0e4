package inbound

import (
	"context"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
	"tidings/core/render"
)

type command string

// The chat commands.
const (
	cmdNone   command = ""
	cmdStatus command = "status"
	cmdStop   command = "stop"
	cmdStart  command = "start"
	cmdHelp   command = "help"
)

// words are what customers call the commands, in English and German. A command
// is the whole message.
var words = map[string]command{
	"status": cmdStatus, "orders": cmdStatus, "my orders": cmdStatus, "order status": cmdStatus,
	"bestellungen": cmdStatus, "meine bestellungen": cmdStatus, "bestellstatus": cmdStatus,

	"stop": cmdStop, "unsubscribe": cmdStop, "opt out": cmdStop,
	"stopp": cmdStop, "abmelden": cmdStop, "abbestellen": cmdStop,

	"start": cmdStart, "subscribe": cmdStart, "unstop": cmdStart, "get started": cmdStart, "get_started": cmdStart,
	"starten": cmdStart, "anmelden": cmdStart, "beginnen": cmdStart,

	"help": cmdHelp, "?": cmdHelp, "commands": cmdHelp,
	"hilfe": cmdHelp, "befehle": cmdHelp,
}

func (in *Inbound) command(c chat) command {
	u := c.update.Update
	switch u.Kind {
	case core.UpdateText:
		if len(u.Media) > 0 {
			return cmdNone
		}
		return asCommand(u.Text)
	case core.UpdateButton:
		return asCommand(u.Payload)
	}
	return cmdNone
}

// asCommand reads a whole message as a command: in any case, with or without a
// slash (and the bot's name, which some apps add to one), and with the
// punctuation of people who answer in sentences.
func asCommand(text string) command {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	if rest, ok := strings.CutPrefix(text, "/"); ok {
		text, _, _ = strings.Cut(rest, "@")
	}
	if cmd, ok := words[text]; ok {
		return cmd
	}
	return words[strings.Trim(text, ` .,!?…"'„“”‚‘’«»`)]
}

// ownOrders reads the state of the customer's own orders from the shop. What
// cannot be read is named by its code alone.
func (in *Inbound) ownOrders(ctx context.Context, c chat) []core.Order {
	const most = 5
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var known []core.OrderQuery
	err := in.Engine.View(ctx, func(tx core.Tx) error {
		var err error
		known, err = tx.OrdersOf(c.who.ID, most)
		return err
	})
	if err != nil {
		in.Log.Error("cannot read a customer's orders", "err", err)
		return nil
	}
	orders := make([]core.Order, 0, len(known))
	for _, q := range known {
		o := core.Order{Code: q.Code}
		if in.Shop != nil {
			q.CustomerUID, q.Locale = c.who.UID, c.who.Locale
			read, err := in.Shop.Order(ctx, q)
			if notTheirs(err) {
				continue
			}
			if err == nil {
				o = read
			}
		}
		orders = append(orders, o)
	}
	return orders
}

// optOut ends all notifications in a chat, until the customer comes back.
func (in *Inbound) optOut(tx *lane.Tx, c chat) (state, why string, err error) {
	if !c.linked() {
		return in.invite(tx, c)
	}
	if c.link.State == core.LinkActive {
		c.link.State, c.link.ChangedAt = core.LinkOptedOut, c.now
		if err := tx.SaveLink(c.link); err != nil {
			return "", "", err
		}
	}
	return done, "", in.say(tx, c, render.Stopped, core.OrderQuery{}, nil)
}

// comeBack takes an opt-out back.
func (in *Inbound) comeBack(tx *lane.Tx, c chat) (state, why string, err error) {
	if !c.linked() {
		return in.invite(tx, c)
	}
	if c.link.State != core.LinkOptedOut {
		return done, "", in.say(tx, c, render.Help, core.OrderQuery{}, nil)
	}
	c.link.State, c.link.ChangedAt = core.LinkActive, c.now
	if err := tx.SaveLink(c.link); err != nil {
		return "", "", err
	}
	return done, "", in.say(tx, c, render.Started, core.OrderQuery{}, nil)
}
