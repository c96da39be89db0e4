package telegramsim

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The largest upload the Bot API takes.
const maxUpload = 50 << 20

// readCall reads the parameters of a request: from the query, and from a JSON,
// form or multipart body. Values that are not strings are kept as JSON.
func readCall(s *Sim, r *http.Request) (call, *apiError) {
	c := call{sim: s, params: map[string]string{}, files: map[string][]byte{}}
	for k, v := range r.URL.Query() {
		c.params[k] = v[0]
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		return c, c.readJSON(r.Body)
	case "application/x-www-form-urlencoded":
		if r.ParseForm() != nil {
			return c, badRequest("can't parse form parameters")
		}
		for k, v := range r.PostForm {
			c.params[k] = v[0]
		}
	case "multipart/form-data":
		return c, c.readMultipart(r)
	}
	return c, nil
}

func (c call) readJSON(body io.Reader) *apiError {
	raw, err := io.ReadAll(io.LimitReader(body, maxUpload))
	if err != nil || len(raw) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return badRequest("can't parse JSON object")
	}
	for k, v := range fields {
		var text string
		if json.Unmarshal(v, &text) == nil && string(v) != "null" {
			c.params[k] = text
			continue
		}
		if string(v) != "null" {
			c.params[k] = string(v)
		}
	}
	return nil
}

// readMultipart takes a form of nothing at all as well: so does the Bot API, and
// go-telegram/bot sends one with methods that have no parameters.
func (c call) readMultipart(r *http.Request) *apiError {
	body := bufio.NewReader(r.Body)
	if _, err := body.Peek(1); errors.Is(err, io.EOF) {
		return nil
	}
	r.Body = io.NopCloser(body)
	if r.ParseMultipartForm(maxUpload) != nil {
		return badRequest("can't parse multipart form")
	}
	for k, v := range r.MultipartForm.Value {
		c.params[k] = v[0]
	}
	for k, headers := range r.MultipartForm.File {
		f, err := headers[0].Open()
		if err != nil {
			return badRequest("can't read the file")
		}
		data, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil {
			return badRequest("can't read the file")
		}
		c.files[k] = data
	}
	return nil
}

// flag reads a boolean parameter; "True", "yes" and "1" are true too.
func (c call) flag(key string) bool {
	switch strings.ToLower(c.params[key]) {
	case "true", "yes", "1":
		return true
	}
	return false
}

// number reads an integer parameter, 0 when it is none.
func (c call) number(key string) int {
	n, _ := strconv.Atoi(c.params[key]) // what is no number is as good as absent
	return n
}

// target finds the chat that a call writes to, and whether it may.
func (c call) target() (*chat, *apiError) {
	id := strings.TrimSpace(c.params["chat_id"])
	if id == "" {
		return nil, badRequest("chat_id is empty")
	}
	if strings.HasPrefix(id, "@") {
		return nil, badRequest("chat not found")
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, badRequest("chat identifier must be a valid Integer")
	}
	if n == c.sim.self.ID {
		return nil, forbidden("the bot can't send messages to the bot")
	}
	ch := c.sim.chats[n]
	if ch == nil || !ch.started {
		return nil, badRequest("chat not found")
	}
	if ch.blocked {
		return nil, forbidden("bot was blocked by the user")
	}
	return ch, nil
}
