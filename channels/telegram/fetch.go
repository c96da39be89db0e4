package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tidings/core"
)

var _ core.Fetcher = (*Channel)(nil)

// maxFile is the largest file that a bot may fetch.
// https://core.telegram.org/bots/api#getfile, read 2026-11-22.
const maxFile = 20_000_000

// Fetch asks where a file is and reads it from the same server: the address
// holds the bot's token, so it is made anew each time and told nobody.
func (c *Channel) Fetch(ctx context.Context, m core.Media, maxBytes int64) (core.File, error) {
	if m.ID == "" {
		return core.File{}, noFile(core.Rejected, "no_id", "it has no file_id")
	}
	path, err := c.filePath(ctx, m.ID)
	if err != nil {
		return core.File{}, err
	}
	f, err := core.Download{
		URL: c.api + "/file/bot" + c.token + "/" + path, API: c.api, MaxBytes: min(maxBytes, maxFile),
	}.Fetch(ctx, c.client, time.Now())
	f.Name = m.Name
	return f, err
}

// filePath is getFile's answer. A server that runs locally names a path of its
// own disk, which is none of ours.
func (c *Channel) filePath(ctx context.Context, id string) (string, error) {
	target := c.api + "/bot" + c.token + "/getFile?" + url.Values{"file_id": {id}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "", noFile(core.Misconfigured, "url", "api_url is no URL")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return "", noFile(core.Temporary, "network", "no answer to getFile")
	}
	defer func() { _ = res.Body.Close() }()
	var got struct {
		OK     bool `json:"ok"`
		Result struct {
			Path string `json:"file_path"`
		} `json:"result"`
		Parameters struct {
			RetryAfter int64 `json:"retry_after"`
		} `json:"parameters"`
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes))
	_ = json.Unmarshal(body, &got) // what is not there is not ok
	code := fmt.Sprint(res.StatusCode)
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		e := noFile(core.Throttled, code, "getFile: too many requests")
		e.RetryAfter = time.Duration(got.Parameters.RetryAfter) * time.Second
		return "", e
	case res.StatusCode >= 500:
		return "", noFile(core.Temporary, code, "getFile: not now")
	case res.StatusCode == http.StatusUnauthorized:
		return "", noFile(core.Misconfigured, code, "getFile: the token is not taken")
	case !got.OK:
		return "", noFile(core.Rejected, code, "getFile: it is too large, or not there any more")
	}
	segments := strings.Split(got.Result.Path, "/")
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", noFile(core.Rejected, "file_path", "getFile: its path is none to be fetched")
		}
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/"), nil
}

func noFile(class core.Class, code, why string) *core.SendError {
	return &core.SendError{Class: class, Code: code, Err: errors.New("telegram: fetch a file: " + why)}
}
