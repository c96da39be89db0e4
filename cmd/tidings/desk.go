package main

import (
	"time"

	"tidings/config"
	"tidings/core"
	"tidings/core/desk"
	"tidings/core/dispatch"
	"tidings/core/inbound"
	"tidings/core/intake"
)

// openDesk returns where questions go; nil where nowhere.
func (g *gateway) openDesk(t config.Tickets) (core.Desk, error) {
	o := desk.HTTP{URL: t.URL, Secret: t.Secret, Client: httpClient(g.alive), Now: time.Now}
	switch t.Desk {
	case config.Endpoint:
		return desk.NewEndpoint(o), nil
	case config.Callback:
		return desk.NewCallback(o), nil
	case config.Mailbox:
		m, err := desk.NewMailbox(desk.Mail{
			SMTPURL: t.SMTPURL, From: t.From, To: t.To, Secret: t.Secret, Agents: t.Agents, Dial: guardedDial(g.alive), Now: time.Now,
		})
		if err != nil {
			return nil, err
		}
		g.mailbox = m
		return m, nil
	}
	if g.shop == nil || t.Desk == config.Off {
		return nil, nil
	}
	return g.shop, nil
}

// deskOptions adds to the surroundings of questions what their desk needs. Calls
// of the shop's own desk share the shop's guard.
func (g *gateway) deskOptions(o inbound.Options, t config.Tickets) (inbound.Options, error) {
	d, err := g.openDesk(t)
	if err != nil {
		return o, err
	}
	o.Desk, o.Guard = d, intake.Calls(nil)
	if d == core.Desk(g.shop) {
		o.Guard = intake.Calls(o.Shop)
	}
	o.Reopen = t.Closed == config.Reopen
	for _, c := range t.Categories {
		o.Categories = append(o.Categories, inbound.Category{Name: c.Name, Words: c.Words, Channels: c.Channels, Sites: c.Sites})
	}
	o.Files = inbound.FileLimits{MaxBytes: t.Attachments.MaxBytes(), Types: t.Attachments.Types}
	o.Fetcher = g.fetcher
	return o, nil
}

// fetcher finds a channel from which files can be fetched.
func (g *gateway) fetcher(channel string) (core.Fetcher, bool) {
	return dispatch.ChannelAs[core.Fetcher](g.out, channel)
}
