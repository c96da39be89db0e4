package telegram

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"tidings/core"
)

// refusal is one row of the table of what the Bot API answers instead of "ok".
type refusal struct {
	code  int    // error_code
	says  string // part of the description, in lower case; "" for any
	class core.Class
	tries int // core.SendError.Tries
}

// refusals is searched from the top; the first row that fits decides. The Bot
// API has no error codes beyond the HTTP status, so its words have to do.
//
// Read in https://github.com/tdlib/telegram-bot-api (Client.cpp at 01a3679c) and
// https://github.com/tdlib/td (at 022d6020) on 2026-11-22.
var refusals = []refusal{
	// The recipient: nobody there, or nobody who let us in.
	{code: 400, says: "chat not found", class: core.Unreachable},                               // "private chat not found" too
	{code: 400, says: "group chat was upgraded to a supergroup chat", class: core.Unreachable}, // without the new address; with it see refused
	{code: 403, says: "bot was blocked by the user", class: core.Unreachable},
	{code: 403, says: "user is deactivated", class: core.Unreachable},
	{code: 403, says: "bot can't initiate conversation with a user", class: core.Unreachable},
	{code: 403, says: "the bot can't send messages to the bot", class: core.Unreachable},
	{code: 403, says: "bot was kicked from the", class: core.Unreachable},
	{code: 403, says: "bot is not a member of the", class: core.Unreachable},
	{code: 403, says: "the group chat was deleted", class: core.Unreachable},

	// The content.
	{code: 400, says: "failed to get http url content", class: core.Temporary, tries: 1},
	{code: 400, says: "wrong http url specified", class: core.Rejected},
	{code: 400, says: "wrong file identifier/http url specified", class: core.Rejected},
	{code: 400, says: "message text is empty", class: core.Rejected},
	{code: 400, says: "chat_id is empty", class: core.Rejected},
	{code: 400, says: "chat identifier must be a valid integer", class: core.Rejected},
	{code: 400, says: "message is too long", class: core.Rejected},
	{code: 400, says: "message caption is too long", class: core.Rejected},
	{code: 400, says: "text is too long", class: core.Rejected},
	{code: 400, says: "can't parse entities", class: core.Rejected},
	{code: 400, says: "reply markup is too long", class: core.Rejected},
	{code: 400, says: "button_data_invalid", class: core.Rejected},

	// What only answers to edits and button presses say; here for completeness.
	{code: 400, says: "message is not modified", class: core.Rejected},
	{code: 400, says: "query is too old and response timeout expired", class: core.Rejected},
	{code: 400, says: "message can't be edited", class: core.Rejected},
	{code: 400, says: "message can't be deleted", class: core.Rejected},
	{code: 400, says: "message to edit not found", class: core.Rejected},

	// The channel.
	{code: 401, class: core.Misconfigured},
	{code: 404, says: "method not found", class: core.Rejected},
	{code: 404, class: core.Misconfigured}, // a token of the wrong form is a path that does not exist
	{code: 409, class: core.Misconfigured}, // a second program works with this bot

	// The moment.
	{code: 421, class: core.Temporary},
	{code: 429, class: core.Throttled}, // never says whether it means the chat or the bot
}

// classify finds the row for an answer of the Bot API. What is not in the table
// is Rejected when the server blames us, else Temporary.
func classify(code int, description string) refusal {
	lower := strings.ToLower(description)
	for _, row := range refusals {
		if row.code == code && strings.Contains(lower, row.says) {
			return row
		}
	}
	if code >= 400 && code < 500 {
		return refusal{code: code, class: core.Rejected}
	}
	return refusal{code: code, class: core.Temporary}
}

// failure turns what the client library returned into the one error of a Send.
func (c *Channel) failure(method string, p core.Part, x *exchange, err error) *core.SendError {
	var api *tgbotapi.Error
	if errors.As(err, &api) && (api.Code != 0 || api.Message != "") {
		return c.refused(method, p, x, api)
	}
	if x.status != 0 {
		return strange(method, x)
	}
	class := core.Temporary
	if x.mayHaveArrived(err) {
		class = core.Uncertain
	}
	e := sendError(class, 0, method, fmt.Errorf("no answer: %w", redact(err, c.token)))
	e.Code = "no_answer"
	return e
}

// refused judges an answer of the Bot API itself.
func (c *Channel) refused(method string, p core.Part, x *exchange, api *tgbotapi.Error) *core.SendError {
	code := api.Code
	if code == 0 {
		code = x.status
	}
	row := classify(code, api.Message)
	words := row.says
	if words == "" {
		words = harmless(redact(api, c.token).Error(), p)
	}
	e := sendError(row.class, code, method, errors.New(words))
	e.Tries = row.tries
	if row.class == core.Throttled || row.class == core.Temporary {
		e.RetryAfter = firstOf(seconds(api.RetryAfter), retryAfter(x.header), retryAfterWords(api.Message))
	}
	if api.MigrateToChatID != 0 {
		e.Class = core.Temporary
		e.Moved = &core.Address{Value: strconv.FormatInt(api.MigrateToChatID, 10)}
	}
	return e
}

// strange judges an answer that is not the Bot API's: a proxy's page, or JSON
// that broke off. Only its status can be trusted, and whether Telegram saw the
// request is known only where the status says that it was turned away.
func strange(method string, x *exchange) *core.SendError {
	e := sendError(strangeClass(x.status), x.status, method,
		fmt.Errorf("HTTP %d without an answer of the Bot API", x.status))
	if e.Class == core.Throttled || e.Class == core.Temporary {
		e.RetryAfter = retryAfter(x.header)
	}
	return e
}

func strangeClass(status int) core.Class {
	switch status {
	case http.StatusTooManyRequests:
		return core.Throttled
	case http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusServiceUnavailable:
		return core.Temporary
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusProxyAuthRequired:
		return core.Misconfigured // of a proxy, or of api_url
	}
	if status >= 300 && status < 400 {
		return core.Misconfigured // the Bot API does not redirect
	}
	if status >= 400 && status < 500 {
		return core.Rejected
	}
	return core.Uncertain
}

func sendError(class core.Class, code int, method string, err error) *core.SendError {
	e := &core.SendError{Class: class, Err: fmt.Errorf("telegram: %s: %w", method, err)}
	if code != 0 {
		e.Code = strconv.Itoa(code)
	}
	return e
}

// retryAfter reads the header: seconds, or a date that is measured against the
// answer's own. 0: it does not say.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if n, err := strconv.Atoi(value); err == nil {
		return seconds(n)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return max(0, until.Sub(now))
}

// retryAfterWords reads "Too Many Requests: retry after 30", for a server
// that does not say it again in a field.
func retryAfterWords(description string) time.Duration {
	_, number, _ := strings.Cut(strings.ToLower(description), "retry after ")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		return 0
	}
	return seconds(n)
}

// firstOf returns the first duration that says something.
func firstOf(all ...time.Duration) time.Duration {
	for _, d := range all {
		if d > 0 {
			return d
		}
	}
	return 0
}

// seconds does not overflow.
func seconds(n int) time.Duration {
	const year = 365 * 24 * 60 * 60
	return time.Duration(min(max(n, 0), year)) * time.Second
}

// maxWords bounds how much of an unknown description gets into an error.
const maxWords = 24

// harmless returns what an unknown description says, without what might be the
// customer's: words that were sent, and words with anything but ASCII letters
// and plain punctuation in them, such as numbers, addresses and quotations,
// become an ellipsis.
func harmless(description string, p core.Part) string {
	words := strings.Fields(description)
	if len(words) == 0 {
		return "no reason given"
	}
	words = words[:min(len(words), maxWords)]
	sent := map[string]bool{}
	for _, word := range lettersOf(dataOf(p)) {
		sent[word] = true
	}
	for i, word := range words {
		repeats := slices.ContainsFunc(lettersOf(word), func(w string) bool { return sent[w] })
		if repeats || strings.ContainsFunc(word, isTelling) {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

// dataOf is all of a part that comes from a shop or a person.
func dataOf(p core.Part) string {
	data := []string{p.Plain()}
	text := p.Text
	if p.Order != nil {
		text = p.Order.Text
	}
	if p.Picture != nil {
		text = p.Picture.Caption
		data = append(data, p.Picture.URL, p.Picture.Alt)
	}
	for _, run := range text {
		data = append(data, run.Link)
	}
	for _, b := range p.Buttons {
		data = append(data, b.Title, b.URL, b.Value)
	}
	return strings.Join(data, " ")
}

// lettersOf returns the stretches of letters in s, in lower case.
func lettersOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) })
}

func isTelling(r rune) bool {
	letter := (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
	return !letter && !strings.ContainsRune("_-'.,:;()/[]", r)
}
