package slack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tidings/core"
)

var _ core.Fetcher = (*Channel)(nil)

// fileHosts is where Slack keeps files; they are read with the app's token, which
// goes nowhere else. https://docs.slack.dev/reference/objects/file-object, read 2026-11-22.
var fileHosts = []string{"files.slack.com"}

// brokenAccess are answers of files.info that a human has to mend; the scope is files:read.
// https://docs.slack.dev/reference/methods/files.info, read 2026-11-22.
var brokenAccess = map[string]bool{
	"missing_scope": true, "not_authed": true, "invalid_auth": true, "account_inactive": true, "token_revoked": true, "token_expired": true,
	"no_permission": true, "not_allowed_token_type": true,
}

// Fetch asks where a file is and reads it. The app needs the scope files:read.
func (c *Channel) Fetch(ctx context.Context, m core.Media, maxBytes int64) (core.File, error) {
	if m.ID == "" {
		return core.File{}, noFile(core.Rejected, "no_id", "it has no id")
	}
	private, err := c.filesInfo(ctx, m.ID)
	if err != nil {
		return core.File{}, err
	}
	f, err := core.Download{
		URL: private, Header: c.authorization(), Hosts: fileHosts, API: c.url, MaxBytes: maxBytes,
	}.Fetch(ctx, c.http, time.Now())
	f.Name = m.Name
	// Who may not read a file is led to the workspace's login, a page of HTML.
	refused, ok := errors.AsType[*core.SendError](err)
	if ok && refused.Code == core.LedAway || err == nil && strings.HasPrefix(f.Type, "text/html") && !strings.HasPrefix(m.Text, "text/html") {
		return core.File{}, noFile(core.Misconfigured, "login", "Slack shows its login instead; has the app the scope files:read?")
	}
	return f, err
}

func (c *Channel) authorization() http.Header {
	return http.Header{"Authorization": {"Bearer " + c.token.Reveal()}}
}

// filesInfo returns the address of a file for those who hold the token.
func (c *Channel) filesInfo(ctx context.Context, id string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"files.info", strings.NewReader(url.Values{"file": {id}}.Encode()))
	if err != nil {
		return "", noFile(core.Misconfigured, "url", "api_url is no URL")
	}
	req.Header = c.authorization()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.http.Do(req)
	if err != nil {
		return "", noFile(core.Temporary, "network", "no answer to files.info")
	}
	defer func() { _ = res.Body.Close() }()
	var got struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
		File  struct {
			Download string `json:"url_private_download"`
			Private  string `json:"url_private"`
		} `json:"file"`
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	_ = json.Unmarshal(body, &got) // what is not there is not ok
	switch {
	case res.StatusCode == http.StatusTooManyRequests || got.Error == "ratelimited":
		e := noFile(core.Throttled, "ratelimited", "files.info: too many requests")
		e.RetryAfter = retryAfter(res.Header)
		return "", e
	case res.StatusCode >= 500:
		return "", noFile(core.Temporary, strconv.Itoa(res.StatusCode), "files.info: not now")
	case brokenAccess[got.Error]:
		return "", noFile(core.Misconfigured, got.Error, "files.info: the app may not read files; it needs the scope files:read")
	case !got.OK:
		return "", noFile(core.Rejected, "file", "files.info: it is not there any more")
	}
	return firstOf(got.File.Download, got.File.Private), nil
}

func noFile(class core.Class, code, why string) *core.SendError {
	return &core.SendError{Class: class, Code: code, Err: errors.New("slack: fetch a file: " + why)}
}
