// Package channels is the table of the platforms that Tidings can write to. It
// promises that a platform is known by this one line and by nothing else: the
// configuration, the commands and the examinations all go by the table. What a
// platform is like is its own folder's business.
package channels

import (
	"tidings/channels/messenger"
	"tidings/channels/slack"
	"tidings/channels/telegram"
	"tidings/core"
)

// Types gives for each type of channel a stanza, a pointer to a struct, with
// its defaults filled in.
var Types = map[string]func() core.Config{
	"messenger": func() core.Config { return messenger.Defaults() },
	"slack":     func() core.Config { return slack.Defaults() },
	"telegram":  func() core.Config { return telegram.Defaults() },
}
