package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"tidings/core"
)

// laterTypes are the channel types of the contract that this version has not.
func laterTypes() []string {
	return []string{"googlechat", "whatsapp", "twilio", "smshttp", "email", "shoutrrr", "plugin"}
}

// channels reads the list of channels, each with the keys of its type.
func (d *decoder) channels(n *node, types map[string]func() core.Config) []Channel {
	if n == nil {
		return nil
	}
	if n.kind != list {
		d.add("channels", "must be a list")
		return nil
	}
	chs := make([]Channel, len(n.items))
	for i, item := range n.items {
		at := index("channels", i)
		d.at(at, item.line, item)
		chs[i] = d.channel(at, item, types)
	}
	return chs
}

// channel reads one stanza. Without its type nobody knows its other keys, so an
// unknown type is its only fault.
func (d *decoder) channel(at string, n *node, types map[string]func() core.Config) Channel {
	ch := Channel{MisconfiguredAfter: defaultMisconfiguredAfter}
	if n.kind != table {
		d.add(at, "must be a table of keys and values")
		return ch
	}
	defaults, problem := d.adapter(at, n, types)
	if problem != "" {
		d.add(join(at, "type"), problem)
	}
	if defaults == nil {
		if name := n.get("name"); name != nil && name.kind == text {
			ch.Name = name.text // routes may refer to it
		}
		return ch
	}
	ch.Adapter = defaults()
	d.table(at, n, reflect.ValueOf(&ch).Elem(), reflect.ValueOf(ch.Adapter).Elem())
	for _, f := range ch.Adapter.Validate() {
		d.check(join(at, f.Key), f.Problem)
	}
	return ch
}

// adapter finds the type of a stanza in the table. It returns neither where the
// type itself could not be read, which is noted.
func (d *decoder) adapter(at string, n *node, types map[string]func() core.Config) (func() core.Config, string) {
	known := slices.Sorted(maps.Keys(types))
	for _, e := range n.keys {
		if e.key != "type" {
			continue
		}
		d.at(join(at, "type"), e.line, e.value)
		name, ok := d.text(join(at, "type"), e.value)
		if !ok {
			return nil, ""
		}
		if defaults, ok := types[name]; ok {
			return defaults, ""
		}
		if slices.Contains(laterTypes(), name) {
			return nil, notYet
		}
		return nil, unknown("type of channel", name, known)
	}
	return nil, "is missing: one of " + strings.Join(known, ", ")
}

// textLimit checks that limits.text only lowers what the platform takes. The
// adapter is opened for it, which makes no request: what it opens cannot.
func (c checker) textLimit(at string, ch Channel) {
	key := at + ".limits.text"
	if !c.given(key) || c.faultyInside(at) {
		return
	}
	if ch.Limits.Text < minTextLimit {
		c.check(key, fmt.Sprintf("must be at least %d", minTextLimit))
		return
	}
	opened, err := ch.Adapter.Open(core.Env{
		Name: ch.Name,
		HTTP: &http.Client{Transport: offline{}},
		Log:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		c.check(at, "cannot be opened: "+err.Error())
		return
	}
	defer opened.Close()
	if most := opened.Limits().Text.Max; most > 0 && ch.Limits.Text > most {
		c.check(key, fmt.Sprintf("must be at most %d, which is all the platform takes", most))
	}
}

// minTextLimit is the least in which an escaped character still finds room.
const minTextLimit = 10

var errOffline = errors.New("no request is made while a configuration is checked")

// offline refuses every request.
type offline struct{}

// RoundTrip returns an error.
func (offline) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, errOffline
}
