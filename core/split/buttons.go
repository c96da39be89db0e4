package split

import (
	"strings"

	"tidings/core"
)

// allot decides which buttons the platform gets to show and how the others are
// worded, both in their order. A button that does not fit is worded. Of too
// many, links go first, from the last one on, because a link still works as
// text and an answer does not.
func allot(buttons []core.Button, lim core.Limits) (shown []core.Button, lines []string) {
	show := make([]bool, len(buttons))
	kept := 0
	for i, b := range buttons {
		show[i] = lim.Buttons.Max > 0 && fitsButton(b, lim)
		if show[i] {
			kept++
		}
	}
	for _, links := range []bool{true, false} {
		for i := len(buttons) - 1; i >= 0 && kept > lim.Buttons.Max; i-- {
			if show[i] && (buttons[i].URL != "") == links {
				show[i] = false
				kept--
			}
		}
	}
	for i, b := range buttons {
		if show[i] {
			shown = append(shown, b)
		} else if line := wording(b); line != "" {
			lines = append(lines, line)
		}
	}
	return shown, lines
}

// fitsButton reports whether a platform that has buttons has this one. A title
// without a limit is not limited; a kind of button without one is not offered.
func fitsButton(b core.Button, lim core.Limits) bool {
	if strings.TrimSpace(b.Title) == "" || (b.URL == "") == (b.Value == "") {
		return false
	}
	if lim.ButtonTitle.Max > 0 && count(b.Title, lim.ButtonTitle.Unit) > lim.ButtonTitle.Max {
		return false
	}
	if b.URL != "" {
		return count(b.URL, lim.ButtonURL.Unit) <= lim.ButtonURL.Max
	}
	return count(b.Value, lim.ButtonValue.Unit) <= lim.ButtonValue.Max
}

// wording says a button in words; a Value means nothing to people.
func wording(b core.Button) string {
	title := strings.TrimSpace(b.Title)
	switch {
	case title == "" || title == b.URL:
		return b.URL
	case b.URL == "":
		return title
	}
	return title + ": " + b.URL
}

func wordings(buttons []core.Button) []string {
	var lines []string
	for _, b := range buttons {
		if line := wording(b); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
