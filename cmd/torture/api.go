package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// callTimeout is how long the shop waits for an answer.
const callTimeout = 2 * time.Second

// api is the gateway's API, on any host.
type api struct{ client *http.Client }

func newAPI() api {
	return api{&http.Client{Timeout: callTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// call makes a request; out takes the JSON of the answer unless it is nil.
func (a api) call(ctx context.Context, method, address, path, contentType string, body, out any) (status int, err error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, bytes.NewReader(raw))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", contentType)
	res, err := a.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode/100 != 2 {
		return res.StatusCode, fmt.Errorf("%s %s: status %d: %s", method, path, res.StatusCode, answer)
	}
	if out == nil {
		return res.StatusCode, nil
	}
	return res.StatusCode, json.Unmarshal(answer, out)
}

// vouch links a customer's address.
func (a api) vouch(ctx context.Context, host string, c *customer) error {
	path := "/v1/customers/" + url.PathEscape(c.uid) + "/addresses/" + c.channel
	body := map[string]any{"address": c.address, "lastWroteAt": time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)}
	_, err := a.call(ctx, http.MethodPut, host, path, "application/json", body, nil)
	return err
}

// event is an event of the shop.
type event struct {
	SpecVersion string            `json:"specversion"`
	ID          string            `json:"id"`
	Source      string            `json:"source"`
	Type        string            `json:"type"`
	Data        map[string]string `json:"data"`
}

// accepted is the answer to events.
type accepted struct{ Accepted, Duplicates, Ignored int }

// post posts events, one alone or several as a batch.
func (a api) post(ctx context.Context, host string, events []event) (status int, got accepted, err error) {
	if len(events) == 1 {
		status, err = a.call(ctx, http.MethodPost, host, "/v1/events", "application/cloudevents+json", events[0], &got)
		return status, got, err
	}
	status, err = a.call(ctx, http.MethodPost, host, "/v1/events", "application/cloudevents-batch+json", events, &got)
	return status, got, err
}

// message is a message as the API tells it.
type message struct {
	ID, Event, Customer, Channel, Address, State, Class, Why string

	Parts []struct {
		Text     string
		Attempts []struct{ Class string }
	}
}

type messageList struct {
	Items []message
	Next  string
}

// messages reads all messages, in a state or in any.
func (a api) messages(ctx context.Context, host, state string, each func(message)) error {
	for cursor := ""; ; {
		var page messageList
		path := "/v1/messages?limit=200&state=" + state + "&cursor=" + url.QueryEscape(cursor)
		if state == "" {
			path = "/v1/messages?limit=200&cursor=" + url.QueryEscape(cursor)
		}
		if _, err := a.call(ctx, http.MethodGet, host, path, "application/json", nil, &page); err != nil {
			return err
		}
		for _, m := range page.Items {
			each(m)
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
}

// open reports whether there is a message in a state.
func (a api) open(ctx context.Context, host, state string) (bool, error) {
	var page messageList
	_, err := a.call(ctx, http.MethodGet, host, "/v1/messages?limit=1&state="+state, "application/json", nil, &page)
	return len(page.Items) > 0, err
}

// figure reads one of the metrics.
func (a api) figure(ctx context.Context, host, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	res, err := a.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut("\n"+string(raw), "\n"+name+" ")
	if !found {
		return 0, fmt.Errorf("there is no figure %s", name)
	}
	value, _, _ := strings.Cut(after, "\n")
	return strconv.ParseFloat(strings.TrimSpace(value), 64)
}
