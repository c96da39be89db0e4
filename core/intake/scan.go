package intake

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// The functions of this file take JSON apart that is known to be valid, and so
// need only see where each value ends. A batch would else be read once by the
// decoder for the list, again for each event, and again for each of its fields.

// elements returns the values of an array; nil for anything else.
func elements(raw []byte) []json.RawMessage {
	i := space(raw, 0)
	if i == len(raw) || raw[i] != '[' {
		return nil
	}
	all := []json.RawMessage{}
	for i = space(raw, i+1); raw[i] != ']'; {
		end := valueEnd(raw, i)
		all = append(all, raw[i:end])
		i = next(raw, end)
	}
	return all
}

// eachField calls fn for the fields of an object in their order, and reports
// whether it is one.
func eachField(raw []byte, fn func(name string, value json.RawMessage)) bool {
	i := space(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return false
	}
	for i = space(raw, i+1); raw[i] != '}'; {
		end := valueEnd(raw, i)
		name, _ := text(raw[i:end])
		i = space(raw, space(raw, end)+1) // behind the colon
		end = valueEnd(raw, i)
		fn(name, raw[i:end])
		i = next(raw, end)
	}
	return true
}

// text returns what a string says, and whether it is one.
func text(value json.RawMessage) (s string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if inner := value[1 : len(value)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	return s, json.Unmarshal(value, &s) == nil
}

// space returns where the white space that may begin at i ends.
func space(raw []byte, i int) int {
	for i < len(raw) && isSpace(raw[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// next returns where the value after the one that ended at i begins, or the
// bracket that closes the list.
func next(raw []byte, i int) int {
	if i = space(raw, i); raw[i] == ',' {
		i = space(raw, i+1)
	}
	return i
}

// valueEnd returns where the value that begins at i ends.
func valueEnd(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			i++
			continue
		default:
			i = wordEnd(raw, i)
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// stringEnd returns where the string that begins at i ends.
func stringEnd(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// wordEnd returns where a number, true, false or null ends.
func wordEnd(raw []byte, i int) int {
	if n := bytes.IndexAny(raw[i:], ",]} \t\n\r"); n >= 0 {
		return i + n
	}
	return len(raw)
}

// uniform writes a value so that two that say the same are written the same:
// without white space, its fields sorted, of two with one name the last, and its
// texts with their length in front instead of quotation marks and escapes.
func uniform(to, raw []byte) []byte {
	i := space(raw, 0)
	if i == len(raw) {
		return to
	}
	switch raw[i] {
	case '{':
		return uniformObject(to, raw)
	case '[':
		to = append(to, '[')
		for _, value := range elements(raw) {
			to = append(uniform(to, value), ',')
		}
		return append(to, ']')
	case '"':
		s, _ := text(raw[i:valueEnd(raw, i)])
		return uniformText(to, s)
	}
	return append(to, raw[i:valueEnd(raw, i)]...)
}

func uniformObject(to, raw []byte) []byte {
	type field struct {
		name  string
		value json.RawMessage
	}
	var fields []field
	eachField(raw, func(name string, value json.RawMessage) { fields = append(fields, field{name, value}) })
	slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	to = append(to, '{')
	for i, f := range fields {
		if i+1 < len(fields) && fields[i+1].name == f.name {
			continue
		}
		to = append(uniform(uniformText(to, f.name), f.value), ',')
	}
	return append(to, '}')
}

func uniformText(to []byte, s string) []byte {
	to = strconv.AppendInt(to, int64(len(s)), 10)
	return append(append(to, ':'), s...)
}
