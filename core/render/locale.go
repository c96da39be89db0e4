package render

import "strings"

// canonical brings the name of a locale into the form under which its texts
// are kept: "de", "de_AT", "zh_Hant_TW". It takes "-" for "_", any case, and
// drops an encoding or a variant after "." or "@".
func canonical(name string) (string, bool) {
	if i := strings.IndexAny(name, ".@"); i >= 0 {
		name = name[:i]
	}
	parts := strings.Split(strings.ReplaceAll(name, "-", "_"), "_")
	if n := len(parts[0]); n < 2 || n > 3 || !isLetters(parts[0]) {
		return "", false
	}
	parts[0] = strings.ToLower(parts[0])
	for i, part := range parts[1:] {
		if len(part) < 2 || len(part) > 8 || !isAlphanumeric(part) {
			return "", false
		}
		parts[i+1] = subtag(part)
	}
	return strings.Join(parts, "_"), true
}

// subtag writes a script as "Hant" and anything else, a region above all, as "TW".
func subtag(s string) string {
	if len(s) == 4 && isLetters(s) {
		return strings.ToUpper(s[:1]) + strings.ToLower(s[1:])
	}
	return strings.ToUpper(s)
}

// lineage lists a canonical locale and what it descends from: de_AT, de.
func lineage(locale string) []string {
	var list []string
	for {
		list = append(list, locale)
		i := strings.LastIndexByte(locale, '_')
		if i < 0 {
			return list
		}
		locale = locale[:i]
	}
}

// language is the last of the lineage: de for de_AT.
func language(locale string) string {
	lang, _, _ := strings.Cut(locale, "_")
	return lang
}

func isLetters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

func isAlphanumeric(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && !isLetters(s[i:i+1]) {
			return false
		}
	}
	return s != ""
}
