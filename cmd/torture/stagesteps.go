package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// together plays scenes side by side.
func together(all ...func(context.Context, *stage) error) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		var playing sync.WaitGroup
		errs := make([]error, len(all))
		for i, scene := range all {
			playing.Go(func() { errs[i] = scene(ctx, s) })
		}
		playing.Wait()
		return errors.Join(errs...)
	}
}

// steps takes one step after the other.
func steps(all ...func() error) error {
	for i, step := range all {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

// until tries until there is no error; a death takes no more time than a start.
func until(ctx context.Context, what string, try func() error) error {
	var last error
	for {
		err := try()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, cmp.Or(last, err))
		}
		last = err
		rest(ctx, 3*time.Millisecond)
	}
}

// insist asks until there is a yes. A no that is meant ends it.
func (s *stage) insist(ctx context.Context, method, path string, body, out any) error {
	for {
		status, err := s.api.call(ctx, method, s.replica.internal, path, "application/json", body, out)
		if err == nil || status/100 == 4 && status != http.StatusTooManyRequests || ctx.Err() != nil {
			return err
		}
		rest(ctx, 3*time.Millisecond)
	}
}

// report posts an event until it is accepted.
func (s *stage) report(ctx context.Context, typ string, data map[string]string) error {
	_, err := s.post(ctx, typ, data)
	return err
}

// settle posts an event and waits until it has been dealt with.
func (s *stage) settle(ctx context.Context, typ string, data map[string]string) error {
	id, err := s.post(ctx, typ, data)
	if err != nil {
		return err
	}
	return until(ctx, "a settled "+typ, func() error {
		var e struct{ State string }
		err := s.insist(ctx, http.MethodGet, "/v1/events/"+id, nil, &e)
		if err == nil && e.State == "waiting" {
			err = errors.New("it is waiting")
		}
		return err
	})
}

func (s *stage) post(ctx context.Context, typ string, data map[string]string) (id string, err error) {
	s.mu.Lock()
	s.ids++
	id = fmt.Sprintf("e-%d", s.ids)
	s.mu.Unlock()
	e := event{SpecVersion: "1.0", ID: id, Source: "/shop/electronics", Type: typ, Data: data}
	if err := s.insist(ctx, http.MethodPost, "/v1/events", e, nil); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, id)
	return id, nil
}

func (s *stage) tell(ctx context.Context, a actor, text string) error {
	return s.report(ctx, "message.requested", map[string]string{"customerUid": a.uid, "text": text})
}

func (s *stage) vouch(ctx context.Context, channel string, a actor) error {
	return s.vouchSince(ctx, channel, a, time.Minute)
}

// vouchSince links a customer's chat on the shop's word; they wrote so long ago.
func (s *stage) vouchSince(ctx context.Context, channel string, a actor, ago time.Duration) error {
	s.platforms.enter[channel](a.at[channel])
	body := map[string]string{"address": a.at[channel], "lastWroteAt": time.Now().Add(-ago).UTC().Format(time.RFC3339)}
	return s.insist(ctx, http.MethodPut, "/v1/customers/"+a.uid+"/addresses/"+channel, body, nil)
}

// sees waits until a customer sees a text.
func (s *stage) sees(ctx context.Context, channel string, a actor, text string) error {
	log := s.platforms.sims[channel].Log()
	for {
		changed := log.Changed()
		all := log.Shown(a.at[channel])
		for _, m := range all {
			if strings.Contains(m.Text, text) {
				return nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s %s does not see %q but %d messages", channel, a.uid, text, len(all))
		}
	}
}

// say has a customer write a command, and waits for its answer.
func (s *stage) say(ctx context.Context, channel string, a actor, text, answer string) error {
	if _, err := s.platforms.sims[channel].Say(ctx, a.at[channel], text); err != nil {
		return err
	}
	return s.sees(ctx, channel, a, answer)
}

// ticket waits until a customer's only ticket has so many entries of theirs.
func (s *stage) ticket(ctx context.Context, a actor, entries int) (id string, err error) {
	return id, until(ctx, "a ticket", func() error {
		for _, t := range s.shop.Tickets() {
			if n := len(s.shop.CustomerEntries(t.ID)); t.CustomerUID == a.uid && n >= entries {
				id = t.ID
				return nil
			}
		}
		return fmt.Errorf("%s has none with %d entries", a.uid, entries)
	})
}

// last is the newest message of a customer.
func (s *stage) last(ctx context.Context, a actor) (message, error) {
	var page messageList
	err := s.insist(ctx, http.MethodGet, "/v1/messages?limit=1&customer="+a.uid, nil, &page)
	if err == nil && len(page.Items) == 0 {
		err = fmt.Errorf("%s has no message", a.uid)
	}
	if err != nil {
		return message{}, err
	}
	return page.Items[0], nil
}

// state waits until a customer's newest message is in a state.
func (s *stage) state(ctx context.Context, a actor, want string) error {
	return until(ctx, "a message "+want, func() error {
		m, err := s.last(ctx, a)
		if err == nil && m.State != want {
			err = fmt.Errorf("the message of %s is %s, %s", a.uid, m.State, m.Why)
		}
		return err
	})
}

// operate does what an operator does with a customer's newest message while it is
// in a state; one who got no answer looks before trying again.
func (s *stage) operate(ctx context.Context, a actor, state, what string) error {
	return until(ctx, what, func() error {
		m, err := s.last(ctx, a)
		if err != nil || m.State != state {
			return err // it is done, or too late
		}
		_, err = s.api.call(ctx, http.MethodPost, s.replica.internal, "/v1/messages/"+m.ID+"/"+what, "application/json", nil, nil)
		return err
	})
}

// mayShow says of a text that it may be shown and need not be.
func (s *stage) mayShow(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maybe[text] = true
}

// early posts a receipt for a message that the gateway does not know, as a
// platform does that is quicker than its own answer.
func (s *stage) early(ctx context.Context, a actor) error {
	now := time.Now().UnixMilli()
	body := fmt.Sprintf(`{"object":"page","entry":[{"id":%q,"time":%d,"messaging":[{"sender":{"id":%q},"recipient":{"id":%q},"timestamp":%d,`+
		`"delivery":{"mids":["m_unheard"],"watermark":%d}}]}]}`, pageID, now, a.at[messengerName], pageID, now, now)
	mac := hmac.New(sha256.New, []byte(appSecret))
	_, _ = mac.Write([]byte(body))
	return until(ctx, "a receipt", func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.replica.listen+"/webhooks/"+messengerName, strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		res, err := s.api.client.Do(req)
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", res.StatusCode)
		}
		return nil
	})
}

// gone waits until nothing is known any more of what was accepted.
func (s *stage) gone(ctx context.Context) error {
	return until(ctx, "everything is purged", func() error {
		for _, id := range s.events {
			status, err := s.api.call(ctx, http.MethodGet, s.replica.internal, "/v1/events/"+id, "application/json", nil, nil)
			if status != http.StatusNotFound {
				return fmt.Errorf("event %s: status %d: %w", id, status, err)
			}
		}
		s.mu.Lock()
		s.events, s.purged = nil, true
		s.mu.Unlock()
		return nil
	})
}

// comesBy waits until the gateway has come by a point.
func (s *stage) comesBy(ctx context.Context, point string) error {
	return until(ctx, "it comes by "+point, func() error {
		met, err := s.met()
		for p := range met {
			if strings.HasPrefix(p, point) {
				return err
			}
		}
		return cmp.Or(err, errors.New("not yet"))
	})
}
