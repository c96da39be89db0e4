package messenger

import (
	"context"
	"fmt"
	"time"

	"tidings/core"
)

var _ core.Fetcher = (*channel)(nil)

// cdnHosts is where Meta keeps what customers send. The addresses come with the
// message, are open to whoever has them, and end after some days.
// https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messages, read 2026-11-22.
var cdnHosts = []string{".fbcdn.net", ".fbsbx.com"}

// Fetch reads an attachment. No token goes along.
func (c *channel) Fetch(ctx context.Context, m core.Media, maxBytes int64) (core.File, error) {
	f, err := core.Download{URL: m.URL, Hosts: cdnHosts, API: c.config.APIURL, MaxBytes: maxBytes}.Fetch(ctx, c.client, time.Now())
	if err != nil {
		return f, fmt.Errorf("messenger: fetch a file: %w", err)
	}
	f.Name = m.Name
	return f, nil
}
