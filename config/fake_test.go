package config

import (
	"context"
	"errors"
	"strings"
	"time"

	"tidings/core"
)

// fake is the stanza of a platform that takes texts of 100.
type fake struct {
	Token   core.Secret   `yaml:"token"`
	Account string        `yaml:"account"`
	APIURL  string        `yaml:"api_url"`
	Loud    bool          `yaml:"loud"`
	Retries int           `yaml:"retries"`
	Ratio   float64       `yaml:"ratio"`
	Pause   time.Duration `yaml:"pause"`
	Tags    []string      `yaml:"tags"`
	Old     []core.Secret `yaml:"old"`
	hidden  string
}

func (f *fake) Validate() []core.Fault {
	if f.Token == "" {
		return []core.Fault{{Key: "token", Problem: "is missing: the token"}}
	}
	return nil
}

func (f *fake) Open(env core.Env) (core.Channel, error) {
	if f.Account == "unopenable" {
		return nil, errors.New("the account is of no use")
	}
	if f.Account == "impatient" {
		_, err := env.HTTP.Post("http://127.0.0.1:1/", "text/plain", strings.NewReader("x"))
		return nil, err
	}
	if env.HTTP == nil || env.Log == nil || env.Name == "" {
		return nil, errors.New("opened without its surroundings")
	}
	return fakeChannel{}, nil
}

type fakeChannel struct{ core.Channel }

func (fakeChannel) Limits() core.Limits { return core.Limits{Text: core.Limit{Max: 100}} }
func (fakeChannel) Close() error        { return nil }
func (fakeChannel) Send(context.Context, core.Address, core.Part) (core.Sent, error) {
	return core.Sent{}, errors.New("not to be called")
}

func fakeTypes() map[string]func() core.Config {
	return map[string]func() core.Config{
		"fake":  func() core.Config { return &fake{APIURL: "https://fake.example", hidden: "x"} },
		"other": func() core.Config { return &fake{} },
	}
}

// environment is a getenv of its pairs.
func environment(pairs ...string) func(string) (string, bool) {
	vars := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}
