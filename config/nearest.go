package config

import (
	"fmt"
	"slices"
	"strings"
)

// unknown says that a word is none of the known ones, and names the nearest of
// them. The word itself is not repeated.
func unknown(what, word string, known []string) string {
	if len(known) == 0 {
		return "is an unknown " + what
	}
	return fmt.Sprintf("is an unknown %s; did you mean %s?", what, nearest(word, known))
}

// oneOf says which words would be right.
func oneOf(word string, known ...string) string {
	if slices.Contains(known, word) {
		return ""
	}
	return "must be one of " + strings.Join(known, ", ")
}

// nearest returns the known word with the fewest typing errors between, the
// first of several.
func nearest(word string, known []string) string {
	best, fewest := "", -1
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); fewest < 0 || d < fewest {
			best, fewest = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before, last []int
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, last, row = last, row, make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(y)]
}
