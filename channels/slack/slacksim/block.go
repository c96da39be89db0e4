package slacksim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"

	"tidings/channels/emulator"
)

// Limits of blocks (the blocks' reference pages, read 2026-11-22). Where the
// unit is not named, UTF-16 code units are the strict reading.
const (
	maxBlocks        = 50
	maxBlocksTotal   = 13200 // measured, bolt-js issue 2509
	maxSection       = 3000
	maxFields        = 10
	maxField         = 2000
	maxHeader        = 150
	maxActions       = 25
	maxContext       = 10
	maxButtonText    = 75
	maxButtonValue   = 2000
	maxURL           = 3000
	maxBlockID       = 255
	maxOptions       = 100
	maxOptionValue   = 150
	maxAlt           = 2000
	maxMarkdownBlock = 12000
)

// reader checks blocks and writes out what a member sees of them.
type reader struct {
	sim      *Sim
	faults   []string
	lines    []string
	buttons  []emulator.Button
	total    int
	markdown int
	ids      map[string]bool
}

// value is a decoded JSON value with its place in the message.
type value struct {
	at string
	v  map[string]any
}

// readBlocks checks blocks. Slack names every fault with its place.
func (s *Sim) readBlocks(raw string) (*reader, *apiError) {
	var blocks []map[string]any
	if json.Unmarshal([]byte(raw), &blocks) != nil {
		return nil, &apiError{code: "invalid_blocks_format"}
	}
	r := &reader{sim: s, ids: map[string]bool{}}
	if len(blocks) > maxBlocks {
		r.faultf("/blocks", "no more than %d items allowed", maxBlocks)
	}
	for i, b := range blocks {
		r.block(value{fmt.Sprintf("/blocks/%d", i), b})
	}
	if len(r.faults) > 0 {
		return nil, &apiError{code: "invalid_blocks", messages: r.faults}
	}
	if r.total > maxBlocksTotal || r.markdown > maxMarkdownBlock {
		return nil, &apiError{code: "msg_blocks_too_long"}
	}
	return r, nil
}

func (r *reader) faultf(at, format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", fmt.Sprintf(format, args...), at))
}

func (r *reader) show(line string) {
	if line != "" {
		r.lines = append(r.lines, line)
	}
}

func (r *reader) block(b value) {
	if id := r.optional(b, "block_id", maxBlockID); id != "" {
		if r.ids[id] {
			r.faultf(b.at+"/block_id", "`block_id` %q already exists", id)
		}
		r.ids[id] = true
	}
	switch kind, _ := b.v["type"].(string); kind {
	case "section":
		r.section(b)
	case "header":
		r.show(r.text(b.child("text"), maxHeader, true))
	case "divider":
	case "context":
		r.context(b)
	case "actions":
		r.elements(b, maxActions, r.interactive)
	case "image":
		r.image(b)
	case "markdown":
		text := r.need(b, "text", maxMarkdownBlock)
		r.markdown += units(text)
		r.show(text)
	case "rich_text":
		r.richText(b)
	default:
		r.faultf(b.at+"/type", "unsupported type: %s", kind)
	}
}

func (r *reader) section(b value) {
	if b.v["text"] == nil && b.v["fields"] == nil {
		r.faultf(b.at, "missing required field: text or fields")
	}
	if b.v["text"] != nil {
		r.show(r.text(b.child("text"), maxSection, false))
	}
	if fields, ok := b.v["fields"].([]any); ok {
		if len(fields) == 0 || len(fields) > maxFields {
			r.faultf(b.at+"/fields", "must have 1 to %d items", maxFields)
		}
		for i := range fields {
			r.show(r.text(b.item("fields", i), maxField, false))
		}
	}
	if b.v["accessory"] != nil {
		r.interactive(b.child("accessory"))
	}
}

func (r *reader) context(b value) {
	r.elements(b, maxContext, func(e value) {
		if e.v["type"] == "image" {
			r.image(e)
			return
		}
		r.show(r.text(e, maxSection, false))
	})
}

func (r *reader) elements(b value, limit int, each func(value)) {
	all, _ := b.v["elements"].([]any)
	if len(all) == 0 || len(all) > limit {
		r.faultf(b.at+"/elements", "must have 1 to %d items", limit)
	}
	ids := map[any]bool{}
	for i := range all {
		e := b.item("elements", i)
		if id := e.v["action_id"]; id != nil {
			if ids[id] {
				r.faultf(e.at+"/action_id", "`action_id` already exists in this block")
			}
			ids[id] = true
		}
		each(e)
	}
}

func (r *reader) image(b value) {
	link := r.need(b, "image_url", maxURL)
	if link != "" && !isWeb(link) {
		r.faultf(b.at+"/image_url", "invalid url")
	}
	r.show("[" + r.need(b, "alt_text", maxAlt) + "]")
}

// interactive checks a button, or an element of another kind as far as needed.
func (r *reader) interactive(e value) {
	r.optional(e, "action_id", maxBlockID)
	switch kind, _ := e.v["type"].(string); kind {
	case "button":
		b := emulator.Button{
			Title: r.text(e.child("text"), maxButtonText, true),
			URL:   r.optional(e, "url", maxURL),
			Value: r.optional(e, "value", maxButtonValue),
		}
		if b.URL != "" && !isWeb(b.URL) {
			r.faultf(e.at+"/url", "invalid url")
		}
		if style, ok := e.v["style"].(string); ok && style != "primary" && style != "danger" {
			r.faultf(e.at+"/style", "must be one of primary, danger")
		}
		r.buttons = append(r.buttons, b)
	case "static_select", "overflow", "radio_buttons", "checkboxes":
		r.options(e)
	case "image":
		r.image(e)
	default:
		r.faultf(e.at+"/type", "unsupported type: %s", kind)
	}
}

func (r *reader) options(e value) {
	all, _ := e.v["options"].([]any)
	if len(all) == 0 || len(all) > maxOptions {
		r.faultf(e.at+"/options", "must have 1 to %d items", maxOptions)
	}
	for i := range all {
		o := e.item("options", i)
		b := emulator.Button{Title: r.text(o.child("text"), maxButtonText, false), Value: r.need(o, "value", maxOptionValue)}
		r.buttons = append(r.buttons, b)
	}
}

// text checks a text object and returns what a member sees of it.
func (r *reader) text(t value, limit int, plainOnly bool) string {
	if t.v == nil {
		r.faultf(t.at, "missing required field: text")
		return ""
	}
	text := r.need(t, "text", limit)
	kind, _ := t.v["type"].(string)
	switch {
	case kind == "plain_text":
		return text
	case kind == "mrkdwn" && !plainOnly:
		return r.sim.plain(text, true)
	}
	r.faultf(t.at+"/type", "unsupported type: %s", kind)
	return text
}

// need returns a string of 1 to limit units.
func (r *reader) need(v value, key string, limit int) string {
	s := r.optional(v, key, limit)
	if s == "" {
		r.faultf(v.at+"/"+key, "must be more than 0 characters")
	}
	return s
}

// optional returns a string of at most limit units, "" when there is none.
func (r *reader) optional(v value, key string, limit int) string {
	if v.v[key] == nil {
		return ""
	}
	s, ok := v.v[key].(string)
	if !ok {
		r.faultf(v.at+"/"+key, "must be a string")
	}
	if units(s) > limit {
		r.faultf(v.at+"/"+key, "must be less than %d characters", limit+1)
	}
	r.total += units(s)
	return s
}

// richText shows the elements of a rich_text block.
func (r *reader) richText(b value) {
	all, _ := b.v["elements"].([]any)
	if len(all) == 0 {
		r.faultf(b.at+"/elements", "must have 1 or more items")
	}
	for i := range all {
		e := b.item("elements", i)
		switch kind, _ := e.v["type"].(string); kind {
		case "rich_text_section", "rich_text_preformatted", "rich_text_quote":
			r.show(strings.TrimSuffix(r.inline(e), "\n"))
		case "rich_text_list":
			items, _ := e.v["elements"].([]any)
			for j := range items {
				r.show("• " + r.inline(e.item("elements", j)))
			}
		default:
			r.faultf(e.at+"/type", "unsupported type: %s", kind)
		}
	}
}

// inline shows the text, links and mentions of a rich_text element.
func (r *reader) inline(e value) string {
	all, ok := e.v["elements"].([]any)
	if !ok {
		r.faultf(e.at+"/elements", "missing required field")
	}
	var out strings.Builder
	for i := range all {
		part := e.item("elements", i)
		switch kind, _ := part.v["type"].(string); kind {
		case "text":
			out.WriteString(r.need(part, "text", maxBlocksTotal))
		case "link":
			link := r.need(part, "url", maxURL)
			if label := r.optional(part, "text", maxBlocksTotal); label != "" {
				link = label
			}
			out.WriteString(link)
		case "emoji":
			out.WriteString(":" + r.need(part, "name", maxField) + ":")
		case "user":
			out.WriteString("@" + r.sim.name(r.need(part, "user_id", maxField)))
		case "channel":
			out.WriteString("#" + r.need(part, "channel_id", maxField))
		case "broadcast":
			out.WriteString("@" + r.need(part, "range", maxField))
		default:
			r.faultf(part.at+"/type", "unsupported type: %s", kind)
		}
	}
	return out.String()
}

// child returns the object under a key; v.v is nil when there is none.
func (v value) child(key string) value {
	m, _ := v.v[key].(map[string]any)
	return value{v.at + "/" + key, m}
}

// item returns the i-th object of the array under a key.
func (v value) item(key string, i int) value {
	all, _ := v.v[key].([]any)
	m, _ := all[i].(map[string]any)
	return value{fmt.Sprintf("%s/%s/%d", v.at, key, i), m}
}

func isWeb(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// units counts UTF-16 code units.
func units(s string) int { return len(utf16.Encode([]rune(s))) }
