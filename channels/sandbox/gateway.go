package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// gateway is the gateway's API as the shop uses it.
type gateway struct {
	base, key string
	client    *http.Client
}

// answer is what the gateway said.
type answer struct {
	status int
	kind   string
	body   []byte
}

const (
	maxAnswer   = 4 << 20
	callTimeout = 10 * time.Second
)

var errNoAnswer = errors.New("the gateway does not answer")

func (g gateway) get(ctx context.Context, path string) (answer, error) {
	return g.call(ctx, http.MethodGet, path, "", nil)
}

func (g gateway) post(ctx context.Context, path, contentType string, body any) (answer, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	return g.call(ctx, http.MethodPost, path, contentType, raw)
}

func (g gateway) call(ctx context.Context, method, path, contentType string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, g.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, errors.New("the gateway's address is no URL")
	}
	req.Header.Set("Authorization", "Bearer "+g.key)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := g.client.Do(req)
	if err != nil {
		return answer{}, errNoAnswer
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return answer{}, errNoAnswer
	}
	return answer{res.StatusCode, res.Header.Get("Content-Type"), out}, nil
}

// optIn asks for the links that lead a customer's chats to the gateway.
func (g gateway) optIn(ctx context.Context, who Person, order string) (answer, error) {
	return g.post(ctx, "/v1/opt-ins", "application/json", map[string]any{
		"customerUid": who.UID, "orderCode": order, "locale": who.Locale, "purpose": "order_updates",
		"consent": map[string]string{"text": "Tell me about my orders in this chat.", "version": "sandbox-1"},
	})
}

// requested is an event that the sandbox itself has reported.
type requested struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	State    string   `json:"state"`
	Warnings []string `json:"warnings,omitempty"`
}

// say asks for a message to a customer, in the shop's own words.
func (g gateway) say(ctx context.Context, who Person, order, text string) (requested, answer, error) {
	event := requested{ID: "sandbox-" + rand.Text(), Type: "message.requested"}
	data := map[string]any{"customerUid": who.UID, "text": text, "purpose": "service"}
	if order != "" {
		data["orderCode"] = order
	}
	a, err := g.post(ctx, "/v1/events", "application/cloudevents+json", map[string]any{
		"specversion": "1.0", "id": event.ID, "source": "/shop/" + site, "type": event.Type, "data": data,
	})
	if err != nil || a.status != http.StatusAccepted {
		return event, a, err
	}
	var said struct {
		Events []struct {
			Status   string   `json:"status"`
			Warnings []string `json:"warnings"`
		} `json:"events"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil || len(said.Events) != 1 {
		return event, a, errors.New("the gateway's answer to an event cannot be read")
	}
	event.State, event.Warnings = said.Events[0].Status, said.Events[0].Warnings
	return event, a, nil
}

// links are what an answer to optIn offers, by channel: what the
// customer brings to the platform.
func links(a answer) (map[string]string, error) {
	if a.status != http.StatusCreated {
		return nil, fmt.Errorf("the gateway made no opt-in: status %d", a.status)
	}
	var offer struct {
		Links []struct {
			Channel string `json:"channel"`
			Token   string `json:"token"`
			Code    string `json:"code"`
			DataRef string `json:"dataRef"`
		} `json:"links"`
	}
	if err := json.Unmarshal(a.body, &offer); err != nil {
		return nil, errors.New("the gateway's answer to an opt-in cannot be read")
	}
	refs := map[string]string{}
	for _, l := range offer.Links {
		refs[l.Channel] = cmp.Or(l.DataRef, l.Token, l.Code)
	}
	return refs, nil
}

func (g gateway) event(ctx context.Context, id string) (answer, error) {
	return g.get(ctx, "/v1/events/"+url.PathEscape(id))
}
