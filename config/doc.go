// Package config reads the gateway's YAML file. It is the only place that knows
// viper, and the only one that reads TIDINGS_… from the environment.
//
// It promises:
//
//   - A configuration has one life: defaults, strict decode, validation. Load
//     returns either a Config that can be run as it stands or all faults at once,
//     each with its key, its line, what is wrong and what would be right.
//   - Nothing in the file is ignored. An unknown key is a fault that names the
//     nearest known one; what this version cannot do yet is refused.
//   - The value of a key is in no fault and in no error: it could be a secret,
//     or come from a variable that holds one.
//   - Load reads the file and the files that _file keys name; it opens nothing
//     else and connects to nobody.
//
// It leaves to others: opening what it describes, swapping a running gateway to
// a new Config (Watch only says that the file changed), and whether an account
// really works (tidings doctor).
//
// # The steps of Load
//
//	bytes ─tree.go─> nodes with lines ─layers.go─> environment over file over default (viper)
//	      ─decode.go─> structs, strictly ─check*.go─> faults, or the Config
package config
