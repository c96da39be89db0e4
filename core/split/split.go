package split

import (
	"slices"

	"tidings/core"
)

// Parts cuts a body into the parts of one message. key gives the key of part n,
// from 1. Texts of blocks that follow each other are joined with a blank line.
// A body that says nothing gives no parts.
//
// Buttons go with the last text part, even if a picture or an order follows
// it; where there is no text, or its end cannot be cut down to
// Limits.ButtonText, they become lines of text.
func Parts(body core.Body, lim core.Limits, key func(n int) string) []core.Part {
	buttons, lines := allot(body.Buttons, lim)
	parts, ok := lay(flatten(body, lim, lines), buttons, lim)
	if !ok {
		lines = wordings(body.Buttons)
		parts, _ = lay(flatten(body, lim, lines), nil, lim)
	}
	for i := range parts {
		parts[i].N, parts[i].Of, parts[i].Key = i+1, len(parts), key(i+1)
	}
	return parts
}

// Measure returns the size of a text as one request: shown in the unit of
// lim.Text, counted as lim.Encoded says, and raw in the unit of lim.Raw, always
// encoded. Against a bound that is not set everything measures 0.
func Measure(t core.Text, lim core.Limits) (shown, raw int) {
	return textGauge(lim).text(t), rawGauge(lim).text(t)
}

// lay turns blocks into parts without numbers. It reports false where the
// buttons found no text to go with.
func lay(blocks []core.Block, buttons []core.Button, lim core.Limits) (parts []core.Part, ok bool) {
	last := lastText(blocks)
	if last < 0 && len(buttons) > 0 {
		return nil, false
	}
	for i, block := range blocks {
		switch {
		case block.Order != nil:
			parts = append(parts, core.Part{Order: block.Order})
		case block.Picture != nil:
			parts = append(parts, core.Part{Picture: block.Picture})
		default:
			below := i == last && len(buttons) > 0
			texts, ok := cutText(block.Text, lim, below)
			if !ok {
				return nil, false
			}
			for _, text := range texts {
				parts = append(parts, core.Part{Text: text})
			}
			if below {
				parts[len(parts)-1].Buttons = buttons
			}
		}
	}
	return parts, true
}

func lastText(blocks []core.Block) int {
	for i, block := range slices.Backward(blocks) {
		if block.Text != nil {
			return i
		}
	}
	return -1
}
