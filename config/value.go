package config

import (
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces ${NAME} by the environment's value, once: what comes in is
// not looked at again. $${ is a literal ${, any other $ stands for itself.
func expand(s string, getenv func(string) (string, bool)) (expanded, problem string) {
	var out strings.Builder
	var unset []string
	for {
		before, after, found := strings.Cut(s, "${")
		if !found {
			break
		}
		if literal, ok := strings.CutSuffix(before, "$"); ok {
			out.WriteString(literal + "${")
			s = after
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !variableName.MatchString(name) {
			return "", "has a ${ that is no ${NAME} of an environment variable; write $${ for the two characters themselves"
		}
		value, ok := getenv(name)
		if !ok {
			unset = append(unset, name)
		}
		out.WriteString(before + value)
		s = rest
	}
	if len(unset) > 0 {
		return "", "needs an environment variable that is not set: " + strings.Join(unset, ", ")
	}
	return out.String() + s, ""
}

// maxSecretBytes is far above any secret; a larger file is another file.
const maxSecretBytes = 64 << 10

// readSecretFile reads what a _file key names.
func readSecretFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err == nil && len(raw) > maxSecretBytes {
		return nil, errors.New("larger than any secret")
	}
	return raw, err
}

var days = regexp.MustCompile(`^([0-9]+)d(.*)$`)

const (
	day     = 24 * time.Hour
	maxDays = int64(math.MaxInt64 / day)
)

// parseDuration is time.ParseDuration with days: 180d, 1d12h. Nothing in a
// configuration lasts less than no time.
func parseDuration(s string) (time.Duration, bool) {
	var whole time.Duration
	if m := days.FindStringSubmatch(s); m != nil {
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || n > maxDays {
			return 0, false
		}
		whole, s = time.Duration(n)*day, m[2]
		if s == "" {
			return whole, true
		}
	}
	rest, err := time.ParseDuration(s)
	if err != nil || rest < 0 || whole > math.MaxInt64-rest {
		return 0, false
	}
	return whole + rest, true
}

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

func parseFloat(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}
