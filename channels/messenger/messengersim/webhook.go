package messengersim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
	"unicode/utf16"

	"tidings/channels/emulator"
)

// event is one item of a webhook's messaging.
type event struct {
	field string // the subscription it belongs to
	what  string // for the record
	psid  string
	at    time.Time
	page  bool // the Page is the sender
	body  map[string]any
}

// entry is an event as the webhook carries it.
func (s *Sim) entry(e event) map[string]any {
	from, to := e.psid, s.opt.PageID
	if e.page {
		from, to = to, from
	}
	item := map[string]any{
		"sender":    map[string]string{"id": from},
		"recipient": map[string]string{"id": to},
		"timestamp": e.at.UnixMilli(),
	}
	if e.psid == "" { // a checkbox: who it was is not told
		delete(item, "sender")
	}
	maps.Copy(item, e.body)
	if s.opt.StrangeFields {
		item["strange_field"] = map[string]any{"from": []int{2030}}
	}
	return map[string]any{"id": s.opt.PageID, "time": e.at.UnixMilli(), "messaging": []any{item}}
}

// post sends events in one request, one entry each, leaving out those the app
// is not subscribed to. The caller holds the lock.
func (s *Sim) post(key string, events ...event) {
	var entries []any
	for _, e := range events {
		if s.fields == nil || slices.Contains(s.fields, e.field) {
			entries = append(entries, s.entry(e))
		}
	}
	for chunk := range slices.Chunk(entries, maxEntries) {
		body := wire(map[string]any{"object": "page", "entry": chunk})
		s.hooks.Deliver(emulator.Delivery{Key: key, What: events[0].what, Request: func(t emulator.Try) (*http.Request, error) {
			return s.signed(body, t)
		}})
	}
}

func (s *Sim) signed(body []byte, t emulator.Try) (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, s.hooks.URL(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	secret := s.opt.AppSecret
	if t.Forge {
		secret += "?"
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "facebookexternalua")
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return req, nil
}

// wire encodes v as Meta does: what is not ASCII as \u escapes in lower hex,
// slashes escaped. The signature covers these bytes.
func wire(v any) []byte {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // built here from plain data
	var out bytes.Buffer
	for _, r := range string(bytes.TrimSpace(plain.Bytes())) {
		switch {
		case r == '/':
			out.WriteString(`\/`)
		case r < 0x80:
			out.WriteByte(byte(r))
		default:
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, u)
			}
		}
	}
	return out.Bytes()
}

// echo tells the webhook about the Page's own message.
func (s *Sim) echo(psid, mid string, c content, at time.Time) {
	m := map[string]any{"mid": mid, "is_echo": true, "app_id": json.RawMessage(number(s.opt.AppID))}
	if c.metadata != "" {
		m["metadata"] = c.metadata
	}
	if c.echo != nil {
		m["attachments"] = c.echo
	} else {
		m["text"] = c.shown.Text
	}
	s.post(psid, event{field: "message_echoes", what: "echo", psid: psid, page: true, at: at, body: map[string]any{"message": m}})
}

// number is an app id as JSON: a number, or a string when it is none.
func number(id string) string {
	if json.Valid([]byte(id)) {
		return id
	}
	return string(quoted(id))
}

func (s *Sim) delivered(psid, mid string, at time.Time) {
	s.post(psid, event{field: "message_deliveries", what: "delivery", psid: psid, at: at,
		body: map[string]any{"delivery": map[string]any{"mids": []string{mid}, "watermark": at.UnixMilli()}}})
}

func (s *Sim) read(psid string, at time.Time) {
	s.post(psid, event{field: "message_reads", what: "read", psid: psid, at: at,
		body: map[string]any{"read": map[string]any{"watermark": at.UnixMilli()}}})
}

// Handshake verifies the webhook as Meta does when it is registered.
func (s *Sim) Handshake(ctx context.Context) error {
	return s.handshake(ctx, s.hooks.URL(), s.opt.VerifyToken)
}

func (s *Sim) handshake(ctx context.Context, callback, verifyToken string) error {
	u, err := url.Parse(callback)
	if err != nil || callback == "" {
		return errors.New("handshake: no callback URL")
	}
	challenge := rand.Text()
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.verify_token", verifyToken)
	q.Set("hub.challenge", challenge)
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(ctx, webhookRules.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errors.New("handshake: unusable callback URL")
	}
	client := s.opt.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if res.StatusCode != http.StatusOK || string(body) != challenge {
		return fmt.Errorf("handshake: status %d, challenge returned: %t", res.StatusCode, string(body) == challenge)
	}
	return nil
}
