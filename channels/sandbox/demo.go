package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tidings/channels/emulator"
)

// The pace of a demonstration, for people who watch.
const (
	demoPause   = 2 * time.Second
	demoPatient = 30 * time.Second
	demoLook    = 200 * time.Millisecond
)

// What is said in a demonstration.
const (
	demoQuestion = "Can the parcel be left with a neighbour?"
	demoInternal = "Carrier asked, waiting for their answer."
	demoAnswer   = "Of course: we have told the carrier."
)

// Demo plays the whole walk once, with pauses so that a viewer can follow it:
// a new order, the customer presses Send to Messenger, the parcel goes out and
// arrives, the customer asks, the agent answers. It presses the buttons that
// the page has, as the customer whom the page shows first. The gateway must be
// running.
func (s *Sandbox) Demo(ctx context.Context) error {
	d := &demo{
		Sandbox: s,
		client:  &http.Client{Transport: emulator.Transport(s.Handler())},
		who:     s.people.list()[0],
	}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"place an order", d.order},
		{"send its news to Messenger", d.link},
		{"ship it", d.report("ship")},
		{"bring it out", d.report("out_for_delivery")},
		{"deliver it", d.report("deliver")},
		{"ask about it", d.ask},
		{"answer as an agent", d.answer},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("sandbox: demonstration: %s: %w", step.what, err)
		}
		if err := s.opt.Wait(ctx, demoPause); err != nil {
			return err
		}
	}
	return nil
}

// demo is a demonstration under way.
type demo struct {
	*Sandbox
	client *http.Client
	who    Person
	code   string // of the order
	ticket string
}

func (d *demo) chat() string { return d.who.Chats["messenger"] }

func (d *demo) order(ctx context.Context) error {
	var made struct{ Code string }
	err := d.press(ctx, "/shop/orders", map[string]any{"uid": d.who.UID, "name": d.who.Name}, &made)
	d.code = made.Code
	return err
}

func (d *demo) link(ctx context.Context) error {
	offer, err := d.gateway.optIn(ctx, d.who, d.code)
	if err != nil {
		return err
	}
	refs, err := links(offer)
	if err != nil {
		return err
	}
	return d.told(ctx, func() error {
		return d.press(ctx, "/messenger/optin", map[string]any{"user": d.chat(), "ref": refs["messenger"], "way": "plugin"}, nil)
	})
}

// report lets the shop do something with the order, and waits for the news of it.
func (d *demo) report(action string) func(context.Context) error {
	return func(ctx context.Context) error {
		return d.told(ctx, func() error {
			return d.press(ctx, "/shop/orders/"+url.PathEscape(d.code)+"/"+action, nil, nil)
		})
	}
}

// ask answers the newest message with a question, and waits for the
// confirmation and for the ticket.
func (d *demo) ask(ctx context.Context) error {
	said := map[string]any{"user": d.chat(), "text": demoQuestion}
	if shown := d.messenger.Log().Shown(d.chat()); len(shown) > 0 {
		said["replyTo"] = shown[len(shown)-1].ID
	}
	if err := d.told(ctx, func() error { return d.press(ctx, "/messenger/say", said, nil) }); err != nil {
		return err
	}
	return d.until(ctx, "no ticket came", func() (bool, error) {
		var err error
		d.ticket, err = d.find(ctx)
		return d.ticket != "", err
	})
}

// find returns the ticket of the order; "" when there is none yet.
func (d *demo) find(ctx context.Context) (string, error) {
	var desk struct {
		Items []struct{ ID, Order string }
	}
	if err := d.do(ctx, http.MethodGet, "/shop/tickets", nil, &desk); err != nil {
		return "", err
	}
	for _, t := range desk.Items {
		if t.Order == d.code {
			return t.ID, nil
		}
	}
	return "", nil
}

// answer writes an internal note and a public one, and waits for the second.
func (d *demo) answer(ctx context.Context) error {
	notes := "/shop/tickets/" + url.PathEscape(d.ticket) + "/notes"
	if err := d.press(ctx, notes, map[string]any{"text": demoInternal, "public": false}, nil); err != nil {
		return err
	}
	if err := d.opt.Wait(ctx, demoPause); err != nil {
		return err
	}
	if err := d.press(ctx, notes, map[string]any{"text": demoAnswer, "public": true}, nil); err != nil {
		return err
	}
	return d.until(ctx, "the note did not arrive in the chat", func() (bool, error) {
		for _, m := range d.messenger.Log().Shown(d.chat()) {
			if strings.Contains(m.Text, demoAnswer) {
				return true, nil
			}
		}
		return false, nil
	})
}

// told does something and waits until the chat shows something new.
func (d *demo) told(ctx context.Context, do func() error) error {
	before := len(d.messenger.Log().Shown(d.chat()))
	if err := do(); err != nil {
		return err
	}
	return d.until(ctx, "nothing arrived in the chat", func() (bool, error) {
		return len(d.messenger.Log().Shown(d.chat())) > before, nil
	})
}

// until looks again and again until something is so.
func (d *demo) until(ctx context.Context, otherwise string, is func() (bool, error)) error {
	for range demoPatient / demoLook {
		if ok, err := is(); ok || err != nil {
			return err
		}
		if err := d.opt.Wait(ctx, demoLook); err != nil {
			return err
		}
	}
	return errors.New(otherwise)
}

func (d *demo) press(ctx context.Context, path string, in, out any) error {
	return d.do(ctx, http.MethodPost, path, in, out)
}

// do asks the sandbox for something, as its page does.
func (d *demo) do(ctx context.Context, method, path string, in, out any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://sandbox/_sandbox"+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	res, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("status %d: %s", res.StatusCode, bytes.TrimSpace(body))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}
