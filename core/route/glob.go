package route

import "strings"

// Matches reports whether the facts pass all lists of the match.
func (m Match) Matches(f Facts) bool {
	return anyGlob(m.Event, string(f.Event)) &&
		anyGlob(lower(m.Customer), strings.ToLower(f.CustomerUID)) &&
		anyGlob(m.Site, f.Site) &&
		anyLocale(m.Locale, f.Locale)
}

// Glob reports whether the whole of s is of the form of pattern, in which "*"
// is any run of characters, dots and "@" included, and "?" any one character.
//
// It goes back to the last star only, so its time is bounded by the product of
// the two lengths whatever the pattern.
func Glob(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	i, j := 0, 0
	star, resume := -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, resume = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			resume++
			i, j = star+1, resume
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func anyGlob(patterns []string, s string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		if Glob(p, s) {
			return true
		}
	}
	return false
}

// anyLocale compares language tags: a tag also stands for its regions, and it
// does not matter whether they are written with "-" or "_".
func anyLocale(patterns []string, locale string) bool {
	if len(patterns) == 0 {
		return true
	}
	locale = tag(locale)
	for _, p := range patterns {
		p = tag(p)
		if Glob(p, locale) || Glob(p+"-*", locale) {
			return true
		}
	}
	return false
}

func tag(locale string) string {
	return strings.ReplaceAll(strings.ToLower(locale), "_", "-")
}

func lower(list []string) []string {
	low := make([]string, len(list))
	for i, s := range list {
		low[i] = strings.ToLower(s)
	}
	return low
}
