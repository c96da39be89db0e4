//go:build race

package main_test

// raceEnabled says that these tests look for races; so must the binary that they run.
const raceEnabled = true
