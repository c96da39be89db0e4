package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"tidings/core/hybris/hybrissim"
)

// shopWish is what an emulated shop alone is asked to be.
type shopWish struct {
	hybrissim.Options
	style     string
	customers []string
	doubts    []string
}

const hybrisLong = `Emulate an SAP Commerce shop alone, for the gateway or for a client of your own.

It is as strict as a stock installation: roles, the rules of {userId}, error types
and their statuses, fields levels and paging are the platform's, a trusted client
may read any order and write no ticket. The flags make it another installation.
It prints its sites, clients, customers and orders, and a line for a shell that
gets a token. All is in memory, and http only.

What the platform's documents leave open can be settled either way with
--doubt NAME=ANSWER, and while it runs with POST ` + controlPath + `/doubts. The first answer
is the default:

`

func hybrisCommand() *cobra.Command {
	o := shopWish{Options: hybrissim.Options{AutoPush: true}}
	cmd := guidedCommand("hybris", "Emulate an SAP Commerce shop alone", o.flags, o.open)
	cmd.Long = hybrisLong + hybrissim.DoubtsHelp() + "\nIts people are moved below " + controlPath + ":\n\n" + hybrissim.ControlHelp
	cmd.Example = `  tidings sandbox hybris
  tidings sandbox hybris --token-ttl 300s --trusted-tickets
  tidings sandbox hybris --events http://127.0.0.1:9090/v1/events --events-key KEY --style webhook --ticket-events
  curl -d '{}' http://127.0.0.1:8081` + controlPath + `/orders/00417001/ship
  curl -d '{"staleReads":"10s"}' http://127.0.0.1:8081` + controlPath + `/faults`
	return cmd
}

func (o *shopWish) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVar(&o.BaseSites, "site", []string{"electronics"}, "a base site; repeat for several")
	f.StringVar(&o.Prefix, "prefix", "/occ/v2", "where the web services are; /rest/v2 in older installations")
	f.StringVar(&o.ClientID, "client-id", "tidings", "the trusted OAuth client")
	f.StringVar(&o.ClientSecret, "client-secret", "secret", "its secret")
	f.DurationVar(&o.TokenTTL, "token-ttl", 0, "the new authorization server: JWTs of this life, e.g. 300s (default: the legacy one, 12 h)")
	f.IntVar(&o.MaxSecretAttempts, "max-secret-attempts", 0, "disable a client after so many wrong secrets; 0: never")
	f.StringSliceVar(&o.customers, "customer", []string{"ines.vidal@example.com", "jonas.weber@example.com"}, "a customer who has an order; repeat for several")
	f.StringVar(&o.CustomerPassword, "customer-password", hybrissim.DefaultPassword, "every customer's password")
	f.StringSliceVar(&o.Languages, "language", nil, "a language of the store, another is refused; repeat for several (default: any)")

	f.BoolVar(&o.AllowTrustedTickets, "trusted-tickets", false, "let a trusted client write tickets, as a stock shop does not")
	f.BoolVar(&o.Mode2105, "release-2105", false, "no body for a new ticket entry, no codes and attachments of entries")
	f.BoolVar(&o.OrderByGUID, "order-by-guid", false, "let a customer's order be read by its GUID too")
	f.BoolVar(&o.NoTracking, "no-tracking", false, "an installation without the consignmenttracking extension")
	f.IntVar(&o.MaxAttachments, "max-attachments", 10, "of a ticket's entry")
	f.StringArrayVar(&o.doubts, "doubt", nil, "NAME=ANSWER where the documents leave it open; repeat for several")

	f.StringVar(&o.EventsURL, "events", "", "where events go, e.g. http://127.0.0.1:9090/v1/events (default: nowhere)")
	f.StringVar(&o.EventsKey, "events-key", "", "the API key that goes with them")
	f.StringVar(&o.EventsUser, "events-user", "shop", "the name that goes with the key in styles with Basic authentication")
	f.StringVar(&o.EventsTokenURL, "events-token-url", "", "get a bearer token there with name and key, by client credentials, instead")
	f.BoolVar(&o.EventsSigned, "events-signed", false, "sign events with the key instead, as Standard Webhooks do")
	f.StringVar(&o.style, "style", string(hybrissim.Native), "how events are reported: cloudevents, webhook, process, kyma, kyma-structured or legacy")
	f.StringVar(&o.Application, "application", "shop", "the shop's name in Kyma's types and in sources")
	f.BoolVar(&o.TicketPushes, "ticket-events", false, "report ticket entries too, as a stock shop does not")
	f.BoolVar(&o.SendOrder, "send-order", false, "let cloudevents carry the order along")
	f.StringVar(&o.Objects.Order, "object-order", "OutboundOrder", "the integration object of orders, in webhooks")
	f.StringVar(&o.Objects.Consignment, "object-consignment", "OutboundConsignment", "that of consignments")
	f.StringVar(&o.Objects.Return, "object-return", "OutboundReturnRequest", "that of returns")
	f.StringVar(&o.Objects.TicketMessage, "object-ticket-message", "OutboundTicketMessage", "that of ticket entries")
	f.StringVar(&o.Objects.Ticket, "object-ticket", "", "that of tickets (default: no webhook)")
	f.StringVar(&o.Objects.Consent, "object-consent", "", "that of consents (default: no webhook)")
}

// open makes the shop with its customers, each with an order, and a guest's.
func (o *shopWish) open(base string) (api string, h http.Handler, guide string, err error) {
	if err := o.complete(); err != nil {
		return "", nil, "", err
	}
	sim := hybrissim.New(o.Options)
	for i, uid := range o.customers {
		sim.AddOrder(hybrissim.SampleOrder(fmt.Sprintf("%08d", 417001+i), uid, o.BaseSites[0]))
	}
	guest := hybrissim.SampleOrder(fmt.Sprintf("%08d", 417001+len(o.customers)), hybrissim.GuestUID("walk.in@example.com"), o.BaseSites[0])
	guest.Guest = true
	sim.AddOrder(guest)
	return base + o.Prefix, withControl(sim, sim.Control()), sim.Guide(base) + "\n", nil
}

// complete reads the flags that are not words of the emulator.
func (o *shopWish) complete() error {
	o.AutoPush = o.EventsURL != ""
	o.Style = hybrissim.Style(o.style)
	switch o.Style {
	case hybrissim.Native, hybrissim.Webhook, hybrissim.Process, hybrissim.Kyma, hybrissim.KymaStructured, hybrissim.Legacy:
	default:
		return fmt.Errorf("--style: %q is none of cloudevents, webhook, process, kyma, kyma-structured, legacy", o.style)
	}
	if !strings.HasPrefix(o.Prefix, "/") || strings.HasSuffix(o.Prefix, "/") {
		return fmt.Errorf("--prefix: %q must begin with a slash and end without one", o.Prefix)
	}
	if err := o.check(); err != nil {
		return err
	}
	o.Answers = map[string]string{}
	for _, text := range o.doubts {
		name, answer, _ := strings.Cut(text, "=")
		o.Answers[name] = answer
	}
	if err := hybrissim.CheckAnswers(o.Answers); err != nil {
		return fmt.Errorf("--doubt: %w", err)
	}
	return nil
}

// check refuses what no shop can be.
func (o *shopWish) check() error {
	if o.TokenTTL < 0 {
		return fmt.Errorf("--token-ttl: %v is negative", o.TokenTTL)
	}
	for name, n := range map[string]int{"--max-attachments": o.MaxAttachments, "--max-secret-attempts": o.MaxSecretAttempts} {
		if n < 0 {
			return fmt.Errorf("%s: %d is negative", name, n)
		}
	}
	if len(o.BaseSites) == 0 {
		return errors.New("--site: a shop has one at least")
	}
	for name, words := range map[string][]string{"--site": o.BaseSites, "--customer": o.customers, "--client-id": {o.ClientID}, "--client-secret": {o.ClientSecret}} {
		for _, w := range words {
			if strings.TrimSpace(w) == "" {
				return fmt.Errorf("%s: must not be blank", name)
			}
		}
	}
	for name, address := range map[string]string{"--events": o.EventsURL, "--events-token-url": o.EventsTokenURL} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("%s: must be a URL with http or https, as http://127.0.0.1:9090/v1/events", name)
		}
	}
	return nil
}
