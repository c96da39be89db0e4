package web

import (
	"slices"
	"strconv"
	"strings"
)

// pickLanguage returns which of our languages a person wants most: by the first
// wish that names one. A wish is a tag (de_AT) or a header Accept-Language. The
// first language is for everybody else.
func pickLanguage(ours []string, wishes ...string) string {
	for _, wish := range wishes {
		for _, tag := range ranked(wish) {
			base, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
			if base = strings.ToLower(base); slices.Contains(ours, base) {
				return base
			}
		}
	}
	return ours[0]
}

// ranked returns the tags of an Accept-Language (RFC 9110, section 12.5.4), the
// most wanted first.
func ranked(header string) []string {
	type ranked struct {
		tag    string
		weight float64
	}
	var all []ranked
	for entry := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(entry, ";")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			weight, _ = strconv.ParseFloat(q, 64)
		}
		if weight > 0 {
			all = append(all, ranked{strings.TrimSpace(tag), weight})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	tags := make([]string, len(all))
	for i, r := range all {
		tags[i] = r.tag
	}
	return tags
}
