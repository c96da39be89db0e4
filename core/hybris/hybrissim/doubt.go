package hybrissim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Doubt is something that the public documents leave open. Whoever talks to
// shops has to live with each of its answers; the first is this emulator's own.
type Doubt struct {
	Name    string
	About   string
	Answers []string
}

var doubts = []Doubt{
	{"grant-not-allowed", "what a client is told that asks for a grant it does not have", []string{"invalid_grant", "unauthorized_client", "invalid_client"}},
}

// Doubts lists what Options.Answers can settle.
func Doubts() []Doubt { return slices.Clone(doubts) }

// CheckAnswers refuses names and answers that are in no doubt.
func CheckAnswers(answers map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		i := slices.IndexFunc(doubts, func(d Doubt) bool { return d.Name == name })
		if i < 0 {
			return fmt.Errorf("%s: nothing of this name is in doubt", name)
		}
		if !slices.Contains(doubts[i].Answers, answers[name]) {
			return fmt.Errorf("%s: the answers are %s", name, strings.Join(doubts[i].Answers, ", "))
		}
	}
	return nil
}

// Answer settles doubts from now on; an error changes nothing.
func (s *Sim) Answer(answers map[string]string) error {
	if err := CheckAnswers(answers); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(*s.answers.Load())
	maps.Copy(next, answers)
	s.answers.Store(&next)
	return nil
}

// answer is what this shop does where the documents are silent.
func (s *Sim) answer(doubt string) string { return (*s.answers.Load())[doubt] }

// settled returns the answers of an installation: those given and the first
// of each other doubt.
func settled(given map[string]string) *map[string]string {
	out := map[string]string{}
	for _, d := range doubts {
		out[d.Name] = d.Answers[0]
	}
	maps.Copy(out, given)
	return &out
}
