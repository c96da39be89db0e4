package render

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"time"

	"tidings/core"
)

// guardName is the function that every printing action ends with.
const guardName = "_guard"

// functions are what templates can call (docs/texts.md).
func functions(f *format) template.FuncMap {
	return template.FuncMap{
		guardName: f.guard,

		"money":    f.money,
		"date":     f.day,
		"datetime": f.moment,
		"quantity": f.quantity,
		"minus":    minus,
		"nonzero":  nonzero,

		"firstName": firstName,
		"progress":  progress,

		"join":  f.join,
		"limit": limit,
		"more":  more,
		"names": names,

		"summary": func() markup { return objectMarkup(objectSummary) },
		"button":  button,
		"picture": picture,
	}
}

// guard marks what an action prints as data, unless it is an object of ours.
// Amounts and dates are written as the locale writes them.
func (f *format) guard(v any) (markup, error) {
	if m, ok := v.(markup); ok {
		return m, nil
	}
	s, err := f.text(v)
	if err != nil {
		return "", err
	}
	return dataMarkup(s), nil
}

// text writes a value out. What has no words of its own is an error: a
// customer must not see how a program prints a structure.
func (f *format) text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case core.Money:
		return f.money(v), nil
	case time.Time:
		return f.day(v), nil
	case fmt.Stringer: // a core.Secret among others, which stays one
		return v.String(), nil
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.String:
		return rv.String(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(rv.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(rv.Uint(), 10), nil
	}
	return "", fmt.Errorf("a value of type %T cannot be shown; choose one of its fields", v)
}

// join writes the elements of a list with sep between them.
func (f *format) join(sep string, list any) (string, error) {
	rv, err := listOf(list)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range length(rv) {
		s, err := f.text(rv.Index(i).Interface())
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// limit returns the first n elements of a list.
func limit(n int, list any) (any, error) {
	rv, err := listOf(list)
	if err != nil || length(rv) <= max(n, 0) {
		return list, err
	}
	return rv.Slice(0, max(n, 0)).Interface(), nil
}

// more returns how many elements of a list limit leaves out.
func more(n int, list any) (int, error) {
	rv, err := listOf(list)
	if err != nil {
		return 0, err
	}
	return max(length(rv)-max(n, 0), 0), nil
}

// listOf takes any slice. Nothing is an empty list.
func listOf(list any) (reflect.Value, error) {
	rv := reflect.ValueOf(list)
	if rv.IsValid() && rv.Kind() != reflect.Slice {
		return reflect.Value{}, fmt.Errorf("a value of type %T is not a list", list)
	}
	return rv, nil
}

func length(rv reflect.Value) int {
	if !rv.IsValid() {
		return 0
	}
	return rv.Len()
}

// names returns the products' names of order lines, or their codes.
func names(lines []core.OrderLine) []string {
	list := make([]string, 0, len(lines))
	for _, line := range lines {
		if name := first(line.Name, line.Code); name != "" {
			list = append(list, name)
		}
	}
	return list
}

// minus returns the amount below zero: shops state discounts without a sign.
func minus(m core.Money) core.Money {
	if nonzero(m) && !strings.HasPrefix(m.Amount, "-") {
		m.Amount = "-" + m.Amount
	}
	return m
}

// nonzero reports whether there is an amount, and one that is not 0.
func nonzero(m core.Money) bool {
	return strings.Trim(m.Amount, "-0.") != ""
}

// button puts a link below the message. Without a title, or a URL that a
// messenger could open, there is none.
func button(title, link string) markup {
	target, ok := webURL(link)
	if !ok || strings.TrimSpace(title) == "" {
		return ""
	}
	return objectMarkup(objectButton, title, target)
}

var errPicture = errors.New("picture: the text for those who cannot see it is missing")

// picture puts a picture between the texts. Platforms take https only.
func picture(link, alt string) (markup, error) {
	if strings.TrimSpace(alt) == "" {
		return "", errPicture
	}
	target, ok := webURL(link)
	if !ok || !strings.HasPrefix(target, "https:") {
		return "", nil
	}
	return objectMarkup(objectPicture, target, alt), nil
}
