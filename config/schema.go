package config

import _ "embed" // for Schema

// Schema is the JSON Schema (draft 2020-12) of the configuration, for editors.
// Load is stricter: it also knows how keys depend on each other.
//
//go:embed schema.json
var Schema string
