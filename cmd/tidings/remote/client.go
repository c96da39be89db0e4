package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// client makes requests to one gateway.
type client struct {
	base string
	key  string
	http *http.Client
}

// request is one question to the gateway.
type request struct {
	method, path string // the path's segments are encoded
	query        url.Values
	media        string // of the body; empty: application/json
	body         any    // nil: none; []byte: as it is; else sent as JSON
}

// segment encodes a name for a path.
func segment(name string) string {
	if name == "." || name == ".." {
		return strings.ReplaceAll(name, ".", "%2E") // else it would lead to another place
	}
	return url.PathEscape(name)
}

// ask makes a request and returns the body of the answer.
func (c *client) ask(ctx context.Context, r request) (json.RawMessage, error) {
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if res.StatusCode/100 != 2 {
		return nil, c.refused(res, raw)
	}
	if media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); len(raw) > 0 && (media != "application/json" || !json.Valid(raw)) {
		return nil, fmt.Errorf("what answers at %s is not the API of a gateway", c.base)
	}
	return raw, nil
}

// tell makes a request and decodes the answer.
func (c *client) tell(ctx context.Context, r request, out any) (json.RawMessage, error) {
	raw, err := c.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("the answer of %s cannot be understood: %w", c.base, err)
	}
	return raw, nil
}

func (c *client) request(ctx context.Context, r request) (*http.Request, error) {
	body, ok := r.body.([]byte)
	if !ok && r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, err
		}
	}
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
		if r.media != "" {
			req.Header.Set("Content-Type", r.media)
		}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.key)
	return req, nil
}

// unreachable is the error of a request that got no answer. The path is left
// out: it names customers.
func (c *client) unreachable(err error) error {
	if inURL, ok := errors.AsType[*url.Error](err); ok {
		err = inURL.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("no gateway answers at %s: %w (does it run, and is this its internal_listen? see --server)", c.base, err)
}

// refusal is an answer that is not a success.
type refusal struct {
	Status int
	text   string
}

func (e *refusal) Error() string { return e.text }

// refused reads a problem (RFC 9457). What is wrong with the request is wrong
// usage: it would be refused again.
func (c *client) refused(res *http.Response, raw []byte) error {
	var p struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Errors []struct {
			Pointer   *string `json:"pointer"`
			Parameter string  `json:"parameter"`
			Detail    string  `json:"detail"`
		} `json:"errors"`
	}
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if media != "application/problem+json" || json.Unmarshal(raw, &p) != nil {
		return fmt.Errorf("what answers at %s is not the API of a gateway (status %d)", c.base, res.StatusCode)
	}
	text := p.Detail
	if text == "" {
		text = strings.ToLower(p.Title)
	}
	for _, f := range p.Errors {
		where := f.Parameter
		if f.Pointer != nil {
			where = *f.Pointer
		}
		text += fmt.Sprintf("\n  %s: %s", where, f.Detail)
	}
	if after := res.Header.Get("Retry-After"); after != "" {
		text += " (in " + after + " s)"
	}
	e := &refusal{Status: res.StatusCode, text: clean(text)}
	switch res.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return &UsageError{e}
	case http.StatusUnauthorized:
		e.text = "the gateway does not know this API key"
	}
	return e
}

// status returns the status of a refusal; 0 for any other error.
func status(err error) int {
	if e, ok := errors.AsType[*refusal](err); ok {
		return e.Status
	}
	return 0
}
