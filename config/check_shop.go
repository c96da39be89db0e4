package config

import (
	"fmt"
	"slices"

	"tidings/core"
	"tidings/core/route"
)

// told checks which events the shop tells of itself.
func (c checker) told(key string, globs []string) {
	for i, glob := range globs {
		fits := func(t string) bool { return route.Glob(glob, t) }
		if known := eventTypes(); !slices.ContainsFunc(known, fits) {
			c.check(index(key, i), fmt.Sprintf("matches no event type; the nearest is %s", nearest(glob, known)))
		}
	}
}

// consents checks what the shop's consent templates stand for.
func (c checker) consents(key string, all []Consent) {
	for i, x := range all {
		at := index(key, i)
		c.check(at+".template", required(x.Template, "the id of the consent template, such as MESSENGER_NOTIFICATIONS"))
		c.check(at+".purpose", oneOf(string(x.Purpose), string(core.OrderUpdates), string(core.Service), string(core.Marketing)))
		if slices.ContainsFunc(all[:i], func(b Consent) bool { return b.Template == x.Template && x.Template != "" }) {
			c.check(at+".template", "is in the list already")
		}
	}
}
