package intake

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/core"
)

// MaxBatch is how many events one batch may hold.
const MaxBatch = 1000

// Fault is one thing wrong with a request, by JSON pointer (RFC 6901). It never
// holds the offending value.
type Fault struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// BadRequestError says that a request could not be read at all.
type BadRequestError struct {
	Status int // 400 or 415
	Detail string
}

func (e *BadRequestError) Error() string { return e.Detail }

// envelope is a CloudEvent (https://github.com/cloudevents/spec, version 1.0.2)
// before its data is understood.
type envelope struct {
	id, source, typ, subject string
	time                     time.Time
	data                     json.RawMessage
	pointer                  string // of this event in the request
	faults                   []Fault
	warnings                 []string
	flat                     bool // the data stands beside the envelope, not below it
	unread                   bool // the data could not be had: there is nothing to say of it
}

// envelopes reads a request in any of the three modes of CloudEvents.
func envelopes(h http.Header, body []byte, now time.Time) ([]envelope, error) {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return nil, unsupported("the Content-Type is missing or not readable")
	}
	if err := checkText(body); err != nil {
		return nil, err
	}
	switch media {
	case "application/cloudevents-batch+json":
		return batch(body, now)
	case "application/cloudevents+json":
		return single(body, now)
	case "application/json":
		if h.Get("Ce-Specversion")+h.Get("Ce-Id")+h.Get("Ce-Source")+h.Get("Ce-Type") != "" {
			return binary(h, body, now)
		}
		return plain(body, now)
	}
	return nil, unsupported("this media type is not supported")
}

func unsupported(problem string) error {
	const remedy = "; send application/cloudevents+json, application/cloudevents-batch+json, or application/json"
	return &BadRequestError{http.StatusUnsupportedMediaType, problem + remedy}
}

// checkText refuses what no text of ours may hold: bytes that are not UTF-8,
// and NUL, which JSON permits as an escape and databases refuse.
func checkText(body []byte) error {
	if !utf8.Valid(body) {
		return &BadRequestError{http.StatusBadRequest, "the body is not valid UTF-8"}
	}
	if bytes.IndexByte(body, 0) >= 0 || escapesNUL(body) {
		return &BadRequestError{http.StatusBadRequest, "the body holds a NUL character"}
	}
	return nil
}

// escapesNUL reports whether a NUL is written as an escape, which "\\u0000" is not.
func escapesNUL(body []byte) bool {
	nul := []byte(`\u0000`)
	return bytes.Contains(body, nul) && bytes.Contains(bytes.ReplaceAll(body, []byte(`\\`), nil), nul)
}

func batch(body []byte, now time.Time) ([]envelope, error) {
	const want = "a JSON array of events"
	if !json.Valid(body) {
		return nil, unreadable(json.Unmarshal(body, new(any)), want)
	}
	raw := elements(body)
	if raw == nil {
		return nil, unreadable(nil, want)
	}
	if len(raw) > MaxBatch {
		e := envelope{pointer: fmt.Sprintf("/%d", MaxBatch), unread: true}
		e.fault("", fmt.Sprintf("a batch may hold at most %d events", MaxBatch))
		return []envelope{e}, nil
	}
	all := make([]envelope, 0, len(raw))
	for i, r := range raw {
		all = append(all, structured(r, "/"+strconv.Itoa(i), now))
	}
	return all, nil
}

func single(body []byte, now time.Time) ([]envelope, error) {
	if !json.Valid(body) {
		return nil, unreadable(nil, "one JSON object")
	}
	return []envelope{structured(body, "", now)}, nil
}

// plain is application/json without ce-* headers: a structured event, a list of
// them, or one of the bodies of foreign.go.
func plain(body []byte, now time.Time) ([]envelope, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 0 && trimmed[0] == '[' {
		return batch(body, now)
	}
	var probe map[string]json.RawMessage
	if err := json.Unmarshal(body, &probe); err != nil || probe == nil {
		return nil, unreadable(err, "one JSON object")
	}
	switch {
	case said(probe, "specversion"):
		return single(body, now)
	case isLegacy(probe):
		return []envelope{legacy(body, probe, now)}, nil
	case said(probe, "type") && said(probe, "source") && said(probe, "data"):
		return []envelope{unversioned(body, now)}, nil
	case said(probe, "type"), said(probe, "orderCode"):
		return []envelope{flat(body, probe, now)}, nil
	}
	return nil, &BadRequestError{http.StatusBadRequest, "this is no event: it has neither specversion, type nor orderCode in the body, nor ce-* headers"}
}

// unversioned reads a structured event that does not say that it is one.
func unversioned(body []byte, now time.Time) envelope {
	e := structured(body, "", now)
	e.faults = slices.DeleteFunc(e.faults, func(f Fault) bool { return f.Pointer == "/specversion" })
	e.warn(`specversion is missing: "1.0" is taken for it`)
	return e
}

func unreadable(err error, want string) error {
	detail := "the body is not " + want
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		detail += fmt.Sprintf(" (at byte %d)", syntax.Offset)
	}
	return &BadRequestError{http.StatusBadRequest, detail}
}

// attributeNames are the attributes of a structured event that are texts.
var attributeNames = []string{"specversion", "id", "source", "type", "subject", "time", "data_base64"}

// structured reads an event whose envelope and data are one JSON object, in
// JSON that is known to be valid.
func structured(raw json.RawMessage, pointer string, now time.Time) envelope {
	e := envelope{pointer: pointer}
	attributes := make([]json.RawMessage, len(attributeNames))
	isObject := eachField(raw, func(name string, value json.RawMessage) {
		switch i := slices.Index(attributeNames, name); {
		case name == "data":
			e.data = value
		case i >= 0:
			attributes[i] = value
		}
	})
	if !isObject {
		e.fault("", "must be a JSON object")
		e.unread = true
		return e
	}
	said := func(name string) string {
		v := attributes[slices.Index(attributeNames, name)]
		if v == nil || string(v) == "null" {
			return ""
		}
		s, ok := text(v)
		if !ok {
			e.fault("/"+name, "must be a string")
		}
		return s
	}
	version := said("specversion")
	e.id, e.source, e.typ, e.subject = said("id"), said("source"), said("type"), said("subject")
	when := said("time")
	if b64 := said("data_base64"); b64 != "" {
		e.decode(b64)
	}
	e.check(version, when, now)
	return e
}

// decode takes the data of data_base64.
func (e *envelope) decode(b64 string) {
	if e.data != nil {
		e.fault("/data_base64", "and data are both given; one of them is enough")
		return
	}
	data, err := base64.StdEncoding.DecodeString(b64)
	if err == nil {
		err = checkText(data)
	}
	if err != nil || !json.Valid(data) {
		e.fault("/data_base64", "must be base64 of JSON")
		e.unread = true
		return
	}
	e.data = data
}

// binary reads an event whose envelope is in the headers.
func binary(h http.Header, body []byte, now time.Time) ([]envelope, error) {
	if len(bytes.TrimSpace(body)) > 0 && !json.Valid(body) {
		return nil, unreadable(nil, "JSON")
	}
	e := envelope{
		id: header(h, "Ce-Id"), source: header(h, "Ce-Source"), typ: header(h, "Ce-Type"), subject: header(h, "Ce-Subject"),
		data: body,
	}
	e.check(header(h, "Ce-Specversion"), header(h, "Ce-Time"), now)
	return []envelope{e}, nil
}

// header returns a header's value; CloudEvents percent-encodes what HTTP cannot carry.
func header(h http.Header, name string) string {
	v := h.Get(name)
	if !strings.Contains(v, "%") {
		return v
	}
	var b []byte
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) {
			if n, ok := unhex(v[i+1], v[i+2]); ok {
				b, i = append(b, n), i+2
				continue
			}
		}
		b = append(b, v[i])
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return v
	}
	return string(b)
}

func unhex(a, b byte) (byte, bool) {
	const digits = "0123456789abcdef"
	hi := strings.IndexByte(digits, a|0x20)
	lo := strings.IndexByte(digits, b|0x20)
	if hi < 0 || lo < 0 {
		return 0, false
	}
	return byte(hi<<4 | lo), true
}

// fault notes what is wrong; of one place, the first thing only. The letter case
// of a field's name does not matter.
func (e *envelope) fault(pointer, detail string) {
	if slices.ContainsFunc(e.faults, func(f Fault) bool { return strings.EqualFold(f.Pointer, e.pointer+pointer) }) {
		return
	}
	e.faults = append(e.faults, Fault{Pointer: e.pointer + pointer, Detail: detail})
}

func (e *envelope) check(version, when string, now time.Time) {
	if version != "1.0" && !strings.HasPrefix(version, "1.0.") {
		e.fault("/specversion", `must be "1.0"`)
	}
	for _, f := range []struct{ name, value string }{{"id", e.id}, {"source", e.source}, {"type", e.typ}} {
		switch {
		case f.value == "":
			e.fault("/"+f.name, "is required")
		case len(f.value) > maxText:
			e.fault("/"+f.name, tooLong)
		}
	}
	if _, ours := core.LookupType(core.EventType(e.typ)); !ours {
		e.happened("time", when, now) // the shop's own events are sent once
		return
	}
	e.time = now
	if when == "" {
		return
	}
	t, err := parseTime(when)
	if err != nil {
		e.fault("/time", wantTime)
		return
	}
	e.time = t
}
