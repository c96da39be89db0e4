package telegram

import (
	"encoding/json"
	"strings"
)

// richText returns the words of a rich message, one line per block: what a
// customer wrote with headings, lists and tables is a question all the same.
// https://core.telegram.org/bots/api#richmessage, read 2026-11-22.
func richText(raw json.RawMessage) string {
	var rich struct {
		Blocks []any `json:"blocks"`
	}
	if unmarshal(raw, &rich) != nil {
		return ""
	}
	var b strings.Builder
	for _, block := range rich.Blocks {
		writeRich(&b, block)
		endLine(&b)
	}
	return strings.TrimSpace(b.String())
}

// inline and nested are the fields that hold words, in the order in which they
// are read: those that continue a line, and those that begin lines of their own.
var (
	inline = [...]string{"label", "summary", "text", "expression", "alternative_text"}
	nested = [...]string{"blocks", "items", "cells", "caption", "credit"}
)

// writeRich walks a RichText or a RichBlock. encoding/json has bounded the depth.
func writeRich(b *strings.Builder, node any) {
	switch n := node.(type) {
	case string:
		b.WriteString(n)
	case []any:
		for _, child := range n {
			writeRich(b, child)
		}
	case map[string]any:
		writeRichObject(b, n)
	}
}

func writeRichObject(b *strings.Builder, object map[string]any) {
	for _, key := range inline {
		writeRich(b, object[key])
		if key == "label" && object[key] != nil {
			b.WriteString(" ")
		}
	}
	for _, key := range nested {
		writeRichLines(b, object[key])
	}
}

// writeRichLines gives each child a line; a row of a table is one child.
func writeRichLines(b *strings.Builder, node any) {
	children, isList := node.([]any)
	if !isList {
		children = []any{node}
	}
	for _, child := range children {
		if child == nil {
			continue
		}
		if b.Len() > 0 && !strings.HasSuffix(b.String(), " ") {
			endLine(b)
		}
		if row, isRow := child.([]any); isRow {
			writeRichRow(b, row)
			continue
		}
		writeRich(b, child)
	}
}

func writeRichRow(b *strings.Builder, cells []any) {
	for i, cell := range cells {
		if i > 0 {
			b.WriteString(" | ")
		}
		writeRich(b, cell)
	}
}

// endLine begins a new line unless one has just begun.
func endLine(b *strings.Builder) {
	if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
		b.WriteString("\n")
	}
}
