package slacksim

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// args are a method's arguments; those that are not strings are kept as JSON.
// "bearer" is the token of the header, "missing charset" a note.
type args map[string]string

// readArgs reads a request's query and its JSON, form or multipart body.
func readArgs(r *http.Request) (args, *apiError) {
	a := args{}
	for k, v := range r.URL.Query() {
		a[k] = v[0]
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		a["bearer"] = strings.TrimSpace(token)
	}
	if r.Method != http.MethodPost {
		return a, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil || len(body) == 0 {
		return a, nil
	}
	header := r.Header.Get("Content-Type")
	if header == "" {
		return a, &apiError{code: "missing_post_type"}
	}
	kind, params, err := mime.ParseMediaType(header)
	if err != nil {
		return a, &apiError{code: "invalid_post_type"}
	}
	if c := strings.ToLower(params["charset"]); c != "" && c != "utf-8" && c != "iso-8859-1" {
		return a, &apiError{code: "invalid_charset"}
	}
	switch kind {
	case "application/json":
		if params["charset"] == "" {
			a["missing charset"] = "1"
		}
		return a, a.readJSON(body)
	case "application/x-www-form-urlencoded":
		return a, a.readForm(string(body))
	case "multipart/form-data", "text/plain":
		return a, nil
	}
	return a, &apiError{code: "invalid_post_type"}
}

func (a args) readJSON(body []byte) *apiError {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return &apiError{code: "invalid_json"}
	}
	for k, v := range fields {
		var text string
		switch {
		case string(v) == "null", k == "token": // a token in a JSON body is not read
		case json.Unmarshal(v, &text) == nil:
			a[k] = text
		default:
			a[k] = string(v)
		}
	}
	return nil
}

func (a args) readForm(body string) *apiError {
	form, err := url.ParseQuery(body)
	if err != nil {
		return &apiError{code: "invalid_form_data"}
	}
	for k, v := range form {
		a[k] = v[0]
	}
	return nil
}

// authorize checks the token and what it may do.
func (s *Sim) authorize(a args, scope string) *apiError {
	token := a["bearer"]
	if token == "" {
		token = a["token"]
	}
	if token == "" {
		return &apiError{code: "not_authed"}
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.opt.BotToken)) != 1 || s.faults.Expired() {
		return &apiError{code: "invalid_auth"}
	}
	if scope != "" && s.opt.Scopes != nil && !slices.Contains(s.opt.Scopes, scope) {
		return &apiError{code: "missing_scope", needed: scope, provided: strings.Join(s.opt.Scopes, ",")}
	}
	return nil
}
