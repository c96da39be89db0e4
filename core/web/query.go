package web

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"tidings/core"
)

// param returns a segment of the path, decoded. What cannot name anything
// answers core.ErrNotFound.
func param(c *gin.Context, name string) (string, error) {
	s, err := url.PathUnescape(c.Param(name))
	if err != nil || s == "" || len(s) > maxText || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", core.ErrNotFound
	}
	return s, nil
}

// messageID returns the id of a message in the path.
func messageID(c *gin.Context) (int64, error) {
	s := c.Param("id")
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != s {
		return 0, core.ErrNotFound
	}
	return id, nil
}

// query are the parameters of a request, read one by one. A parameter that
// nobody asked for is a fault: a misspelt filter would choose everything.
type query struct {
	values url.Values
	known  []string
	faults []fault
}

// readQuery reads the parameters of a request.
func readQuery(c *gin.Context) (*query, error) {
	values, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, refuse(400, "the query cannot be read")
	}
	return &query{values: values}, nil
}

func (q *query) text(name string) string {
	q.known = append(q.known, name)
	all := q.values[name]
	if len(all) == 0 {
		return ""
	}
	switch s := all[0]; {
	case len(all) > 1:
		q.faults = append(q.faults, inQuery(name, "must be given once"))
	case len(s) > maxText || !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		q.faults = append(q.faults, inQuery(name, "must be a text of at most 1024 bytes"))
	default:
		return s
	}
	return ""
}

// oneOf reads one of some words.
func (q *query) oneOf(name string, words []string) string {
	s := q.text(name)
	if s != "" && !slices.Contains(words, s) {
		q.faults = append(q.faults, inQuery(name, "must be one of "+strings.Join(words, ", ")))
		return ""
	}
	return s
}

func (q *query) time(name string) time.Time {
	s := q.text(name)
	if s == "" {
		return time.Time{}
	}
	// A + that was not encoded has become a space.
	t, err := time.Parse(time.RFC3339, strings.ReplaceAll(s, " ", "+"))
	if err != nil {
		q.faults = append(q.faults, inQuery(name, "must be a time as in RFC 3339, such as 2026-11-22T10:00:00Z"))
	}
	return t
}

// The sizes of a page of a list.
const (
	pageDefault = 50
	pageMax     = 200
)

func (q *query) limit() int {
	s := q.text("limit")
	if s == "" {
		return pageDefault
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > pageMax {
		q.faults = append(q.faults, inQuery("limit", "must be a number from 1 to 200"))
		return pageDefault
	}
	return n
}

// cursor reads where a page begins, by either of its names.
func (q *query) cursor() int64 {
	for _, name := range []string{"cursor", "next"} {
		s := q.text(name)
		if s == "" {
			continue
		}
		id, err := openCursor(s)
		if err != nil {
			q.faults = append(q.faults, inQuery(name, "must be the next of an earlier answer"))
		}
		return id
	}
	return 0
}

// done reports parameters that nobody asked for, and returns all faults as an error.
func (q *query) done() error {
	var unknown []string
	for name := range q.values {
		if !slices.Contains(q.known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		q.faults = append(q.faults, inQuery(pointerToken(strings.ToValidUTF8(name, "�")), "is not known here"))
	}
	if len(q.faults) == 0 {
		return nil
	}
	return refuseFaults(q.faults...)
}

const cursorPrefix = "before "

// newCursor is where the page after a message begins.
func newCursor(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + strconv.FormatInt(id, 10)))
}

func openCursor(s string) (int64, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, err
	}
	rest, ok := strings.CutPrefix(string(raw), cursorPrefix)
	if !ok {
		return 0, errors.New("not a cursor")
	}
	id, err := strconv.ParseInt(rest, 10, 64)
	if err == nil && id <= 0 {
		return 0, errors.New("not a cursor")
	}
	return id, err
}
