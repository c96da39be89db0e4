//go:build race

package intake_test

// underRace says that the race detector is watching, which takes ten times as long.
const underRace = true
