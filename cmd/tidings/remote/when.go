package remote

import (
	"regexp"
	"strconv"
	"time"
)

// whenHelp says how times are written on the command line.
const whenHelp = "2026-11-22, \"2026-11-22 15:04\", 2026-11-22T15:04:05Z, or how long ago: 90m, 2h, 3d"

// when is a time given on the command line, in this machine's zone unless it
// names another.
func when(flag, text string, now time.Time) (time.Time, error) {
	if m := regexp.MustCompile(`^(\d{1,4})d$`).FindStringSubmatch(text); m != nil {
		days, _ := strconv.Atoi(m[1])
		return now.AddDate(0, 0, -days), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02 15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, wrongUsage("%s must be a time: %s", flag, whenHelp)
}

// stamp is a time as the API takes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func number(n int64) string { return strconv.FormatInt(n, 10) }
