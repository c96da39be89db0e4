package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// How long bodies may be.
const (
	maxEvent   = 1 << 20
	maxBatch   = 8 << 20
	maxWebhook = 1 << 20
	maxJSON    = 64 << 10
)

// maxDrained is how much of a body that is not wanted is still read, so that a
// client which sends before it listens gets to see why.
const maxDrained = 16 << 20

// readBody reads a body of at most limit bytes, whatever its Content-Length claims.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, refuse(http.StatusUnsupportedMediaType, "a body with a Content-Encoding is not supported; send it plain")
	}
	tooLong := refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body may be at most %d bytes long", limit))
	if r.ContentLength > limit {
		return nil, tooLong
	}
	body, err := readAll(io.LimitReader(r.Body, limit+1), r.ContentLength)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body ended early")
	}
	if int64(len(body)) > limit {
		return nil, tooLong
	}
	return body, nil
}

// drain reads what is left of the body of a refused request, unless the client
// waits for our word before it sends.
func drain(r *http.Request) {
	if r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
	}
}

// maxAhead is how much room is made for a body that has not come yet.
const maxAhead = 64 << 10

// readAll reads to the end, into as much room as the body is said to need.
func readAll(from io.Reader, said int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(said, 0), maxAhead)) + bytes.MinRead)
	_, err := b.ReadFrom(from)
	return b.Bytes(), err
}

// readObject reads the one JSON object of a request.
func readObject(r *http.Request) (*object, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, refuse(http.StatusUnsupportedMediaType, "send application/json")
	}
	body, err := readBody(r, maxJSON)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(body) || holdsNUL(body) {
		return nil, refuse(http.StatusBadRequest, "the body must be UTF-8 without NUL characters")
	}
	if !json.Valid(body) {
		return nil, refuse(http.StatusBadRequest, "the body is not one JSON value")
	}
	o := &object{faults: &[]fault{}}
	if err := json.Unmarshal(body, &o.fields); err != nil || o.fields == nil {
		return nil, refuseFaults(inBody("", "must be a JSON object"))
	}
	return o, nil
}

// holdsNUL reports a NUL, plain or as JSON writes it. Databases refuse it in texts.
func holdsNUL(body []byte) bool {
	nul := []byte(`\u0000`)
	return bytes.IndexByte(body, 0) >= 0 || bytes.Contains(body, nul) && bytes.Contains(bytes.ReplaceAll(body, []byte(`\\`), nil), nul)
}
