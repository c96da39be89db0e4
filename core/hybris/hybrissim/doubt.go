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
	{"token-type", "how a token's type is written", []string{"bearer", "Bearer"}},
	{"invalid-token-words", "the message of an InvalidTokenError", []string{"token", "jwt"}},
	{"wrong-path", "the body of a 404 for a path that is no resource", []string{"json", "page"}},
	{"order-key", "by what /orders/{code} finds an order", []string{"both", "code", "guid"}},
	{"dates", "the form of dates in answers: +0000, or RFC 3339", []string{"offset", "rfc3339"}},
	{"parcel-display", "what statusDisplay says of a parcel that has left", []string{"words", "processing", "none"}},
	{"parcel-unknown", "the status of an answer about a parcel that there is not", []string{"404", "400"}},
	{"tracking-roles", "who may read a parcel's tracking", []string{"both", "customers"}},
	{"return-roles", "who may read returns", []string{"both", "customers"}},
	{"consent-roles", "who may read, give and withdraw consents", []string{"both", "customers"}},
	{"consent-given", "the status of the answer to a consent that is given", []string{"200", "201"}},
	{"ticket-sorts", "what the sorts of tickets are called", []string{"byDate,byTicketId", "byChangedDate,byId"}},
	{"new-ticket", "whether a new ticket has an agent, and so is in process", []string{"open", "inprocess"}},
	{"closed-ticket", "whether a closed ticket takes a message that does not reopen it", []string{"takes", "refuses"}},
	{"kyma-form", "how Kyma names an event: by the application's prefix, or clean as its newer subscriptions do", []string{"prefixed", "clean"}},
	{"webhook-dates", "the form of dates in webhooks", []string{"odata", "rfc3339", "millis"}},
	{"webhook-ids", "whether each try of a webhook has an id of its own", []string{"each", "same"}},
	{"webhook-tries", "which failures of a webhook are worth a second try", []string{"5xx", "never", "any"}},
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
