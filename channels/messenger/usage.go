package messenger

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Meta names no wait for an allowance that is nearly used up; these are ours.
const (
	nearlyUsed     = 95 // per cent
	waitNearlyUsed = 5 * time.Second
	waitUsedUp     = 30 * time.Second
	longestWait    = 24 * time.Hour // the length of Meta's rolling window
)

// usage is one entry of a usage header, in per cent of what is allowed (fromRates).
type usage struct {
	Type       string  `json:"type"`
	CallCount  float64 `json:"call_count"`
	TotalTime  float64 `json:"total_time"`
	TotalCPU   float64 `json:"total_cputime"`
	RegainMins float64 `json:"estimated_time_to_regain_access"`
}

// readUsage returns the highest use and the longest wait that the headers name.
// What cannot be read says nothing.
func readUsage(h http.Header) (percent float64, regain time.Duration) {
	for _, u := range usages(h) {
		percent = max(percent, u.CallCount, u.TotalTime, u.TotalCPU)
		minutes := min(max(u.RegainMins, 0), longestWait.Minutes())
		regain = max(regain, time.Duration(minutes*float64(time.Minute)))
	}
	return percent, regain
}

func usages(h http.Header) []usage {
	var all []usage
	var app usage
	if json.Unmarshal([]byte(h.Get("X-App-Usage")), &app) == nil {
		all = append(all, app)
	}
	var perAccount map[string][]usage
	if json.Unmarshal([]byte(h.Get("X-Business-Use-Case-Usage")), &perAccount) != nil {
		return all
	}
	for _, entries := range perAccount {
		for _, u := range entries {
			if u.Type == "messenger" || u.Type == "" { // other types have allowances of their own
				all = append(all, u)
			}
		}
	}
	return all
}

// slowDown says how long to leave the channel alone after an accepted request.
func slowDown(h http.Header) time.Duration {
	percent, regain := readUsage(h)
	switch {
	case regain > 0:
		return regain
	case percent >= 100:
		return waitUsedUp
	case percent >= nearlyUsed:
		return waitNearlyUsed
	}
	return 0
}

// wait says how long an answer told us to wait: the longer of what Meta estimates
// and of a Retry-After, which Meta does not document but a proxy may set.
func wait(h http.Header) time.Duration {
	_, regain := readUsage(h)
	return max(regain, retryAfter(h))
}

func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), int(longestWait.Seconds()))) * time.Second
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	// The date is in the server's time, and so is the Date beside it.
	from, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(from), 0), longestWait)
}
