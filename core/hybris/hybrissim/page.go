package hybrissim

import (
	"net/http"
	"strconv"
)

// page is a list's window.
type page struct{ number, size int }

const (
	defaultPageSize = 20
	largestPage     = 100_000
)

// page reads currentPage and pageSize.
func (c *call) page() (page, *failure) {
	q := c.r.URL.Query()
	out := page{size: defaultPageSize}
	for name, target := range map[string]*int{"currentPage": &out.number, "pageSize": &out.size} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > largestPage {
			return page{}, fail(http.StatusBadRequest, "MethodArgumentTypeMismatchError", "Invalid value for parameter "+name)
		}
		*target = n
	}
	return out, nil
}

// cut returns the items on the page.
func cut[T any](items []T, p page) []T {
	from := min(p.number*p.size, len(items))
	return items[from:min(from+p.size, len(items))]
}

// sorting returns the sort asked for; an unknown one is the first.
func (c *call) sorting(codes ...string) string {
	for _, code := range codes {
		if c.r.URL.Query().Get("sort") == code {
			return code
		}
	}
	return codes[0]
}

// paged is a list's answer: the rows under their name, where we are, and how
// it can be sorted.
func paged(name string, rows []object, p page, total int, sort string, codes ...string) object {
	sorts := make([]object, 0, len(codes))
	for _, code := range codes {
		sorts = append(sorts, object{"code": code, "selected": code == sort})
	}
	pages := 0
	if p.size > 0 {
		pages = (total + p.size - 1) / p.size
	}
	return object{
		name: rows, "sorts": sorts,
		"pagination": object{
			"currentPage": p.number, "pageSize": p.size, "sort": sort, "totalPages": pages, "totalResults": total,
		},
	}
}
