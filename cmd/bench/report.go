package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is something that was measured, several times.
type figure struct {
	Part   string    `json:"part"`
	Name   string    `json:"name"`
	Unit   string    `json:"unit,omitempty"`
	Values []float64 `json:"values"`
	Min    float64   `json:"min"`
	Median float64   `json:"median"`
	Max    float64   `json:"max"`
	Bar    *bar      `json:"bar,omitempty"`
	OK     *bool     `json:"ok,omitempty"` // the median reaches the bar
}

// bar is what a figure is to reach.
type bar struct {
	AtLeast bool    `json:"atLeast"` // else: at most
	Value   float64 `json:"value"`
}

func atLeast(v float64) *bar { return &bar{AtLeast: true, Value: v} }

func atMost(v float64) *bar { return &bar{Value: v} }

func (b *bar) String() string {
	if b == nil {
		return ""
	}
	if b.AtLeast {
		return "≥ " + number(b.Value)
	}
	return "≤ " + number(b.Value)
}

func (b *bar) reached(v float64) bool { return v == b.Value || (v > b.Value) == b.AtLeast }

// skipped is a part that could not be measured.
type skipped struct {
	Part string `json:"part"`
	Why  string `json:"why"`
}

// report is what a run has found.
type report struct {
	At      time.Time `json:"at"`
	Machine string    `json:"machine"`
	Go      string    `json:"go"`
	Quick   bool      `json:"quick"`
	Figures []figure  `json:"figures"`
	Skipped []skipped `json:"skipped"`
}

func newReport(o options) report {
	return report{
		At: time.Now().UTC(), Machine: fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH),
		Go: runtime.Version(), Quick: o.quick, Figures: []figure{}, Skipped: []skipped{},
	}
}

// add keeps a figure with what follows from its values, and says it at once.
func (r *report) add(f figure) {
	sorted := slices.Sorted(slices.Values(f.Values))
	if len(sorted) == 0 {
		return
	}
	f.Min, f.Median, f.Max = sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1]
	if f.Bar != nil {
		ok := f.Bar.reached(f.Median)
		f.OK = &ok
	}
	r.Figures = append(r.Figures, f)
	r.sayf("  %s: %s %s", f.Name, number(f.Median), f.Unit)
}

func (r *report) skip(part, why string) {
	r.Skipped = append(r.Skipped, skipped{part, why})
	r.sayf("%s is skipped: %s", part, why)
}

// sayf tells whoever waits how far it is.
func (r *report) sayf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// write writes the report as JSON or as a table.
func (r *report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return r.table(w)
}

func (r *report) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "\n%s, %s\n\n", r.Machine, r.Go)
	_, _ = fmt.Fprintln(t, "part\tfigure\tunit\tmin\tmedian\tmax\tbar\t")
	for _, f := range r.Figures {
		verdict := ""
		if f.OK != nil {
			verdict = map[bool]string{true: "ok", false: "MISSED"}[*f.OK]
		}
		_, _ = fmt.Fprintln(t, strings.Join([]string{
			f.Part, f.Name, f.Unit, number(f.Min), number(f.Median), number(f.Max), f.Bar.String(), verdict,
		}, "\t"))
	}
	for _, s := range r.Skipped {
		_, _ = fmt.Fprintf(t, "%s\tskipped: %s\n", s.Part, s.Why)
	}
	return t.Flush()
}

// number writes a value with as many digits as say something.
func number(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// quantile is the value below which a share of the sorted values lies.
func quantile(sorted []float64, share float64) float64 {
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// millis, mega and micros turn what is measured into what is told.
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }
