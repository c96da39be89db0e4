package web

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tidings/core"
	"tidings/core/dispatch"
	"tidings/core/lane"
)

// namespace begins every name of a figure.
const namespace = "tidings"

// totalsFor is how long the two sums are good for: counting them reads much.
const totalsFor = 10 * time.Second

// Metrics are figures for operators. Its zero value is not of use.
type Metrics struct {
	registry *prometheus.Registry
	handler  http.Handler

	mu         sync.Mutex
	counters   map[string]*prometheus.CounterVec
	histograms map[string]*prometheus.HistogramVec
}

// NewMetrics returns figures that are all at their beginning.
func NewMetrics() *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &Metrics{
		registry: r, handler: promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}),
		counters: map[string]*prometheus.CounterVec{}, histograms: map[string]*prometheus.HistogramVec{},
	}
}

// helps say what the known figures mean.
var helps = map[string]string{
	"events":              "Events taken at the door, by canonical type and what became of them there.",
	"events_settled":      "Events by the state in which they ended.",
	"requests":            "Requests to platforms by the class of their answer.",
	"latency_seconds":     "Time from the making of a message to the platform's yes to a part of it.",
	"messages_ended":      "Messages by the state in which they ended.",
	"updates":             "Updates from platforms.",
	"opt_ins_refused":     "References that did not count.",
	"logins":              "Logins on platforms by how they ended.",
	"links_revoked":       "Links that ended because the platform says that their login was taken back.",
	"questions":           "Questions of customers.",
	"reconciled":          "Readings of the shop for what it has not reported.",
	"reconciled_found":    "Events found by reading the shop, told or not.",
	"ticket_calls_failed": "Calls for a ticket that failed, by class.",
	"tickets_unlinked":    "Tickets that the desk made without their order.",
	"files_attached":      "Files of customers that the desk has.",
	"files_left_out":      "Files of customers that stayed a line in the ticket, by class.",
	"http_requests":       "Requests to this gateway.",
	"webhooks":            "Callbacks of platforms by what they were answered.",
}

func help(name string) string { return cmp.Or(helps[name], "A figure of the gateway.") }

var _ core.Count = (*Metrics)(nil).Count

// Count adds n to a figure; "latency_seconds" takes it as one observation. The
// labels of a figure are always the same ones. Where they are not, nothing is counted.
func (m *Metrics) Count(name string, n float64, labels ...string) {
	names, values := make([]string, 0, len(labels)/2), make([]string, 0, len(labels)/2)
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	if name == "latency_seconds" {
		if h, err := m.histogram(name, names).GetMetricWithLabelValues(values...); err == nil {
			h.Observe(n)
		}
		return
	}
	if c, err := m.counter(name, names).GetMetricWithLabelValues(values...); err == nil && n >= 0 {
		c.Add(n)
	}
}

func (m *Metrics) counter(name string, labels []string) *prometheus.CounterVec {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.counters[name]; c != nil {
		return c
	}
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name + "_total", Help: help(name)}, labels)
	m.counters[name] = c
	_ = m.registry.Register(c) // a name that cannot be registered is counted unseen
	return c
}

func (m *Metrics) histogram(name string, labels []string) *prometheus.HistogramVec {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h := m.histograms[name]; h != nil {
		return h
	}
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help(name),
		Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600},
	}, labels)
	m.histograms[name] = h
	_ = m.registry.Register(h)
	return h
}

// watch adds figures that are read when somebody asks for them.
func (m *Metrics) watch(e *lane.Engine, d *dispatch.Dispatcher, now func() time.Time) {
	_ = m.registry.Register(&state{engine: e, dispatcher: d, now: now, descs: newStateDescs()})
}

// state collects figures of the present state.
type state struct {
	engine     *lane.Engine
	dispatcher *dispatch.Dispatcher
	now        func() time.Time
	descs      stateDescs

	mu     sync.Mutex
	read   time.Time // when totals were read; zero: never
	totals core.Totals
}

type stateDescs struct{ difference, events, messages, lanes, busy, works *prometheus.Desc }

func newStateDescs() stateDescs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
	}
	return stateDescs{
		difference: desc("conservation_difference", "What is missing from the two sums of events and messages; 0."),
		events:     desc("events", "Events by state, purged ones included.", "state"),
		messages:   desc("messages", "Messages by state, purged ones included.", "state"),
		lanes:      desc("lanes", "Lanes with work that memory knows."),
		busy:       desc("workers_busy", "Workers at work.", "pool"),
		works:      desc("channel_works", "1 for a channel whose platform accepts our account, else 0.", "channel"),
	}
}

// Describe implements prometheus.Collector.
func (s *state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		s.descs.difference, s.descs.events, s.descs.messages, s.descs.lanes, s.descs.busy, s.descs.works,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if t, ok := s.sums(); ok {
		gauge(s.descs.difference, float64(t.Difference()))
		for st, n := range t.Events {
			gauge(s.descs.events, float64(n), string(st))
		}
		for st, n := range t.Messages {
			gauge(s.descs.messages, float64(n), string(st))
		}
	}
	stats := s.engine.Stats()
	gauge(s.descs.lanes, float64(stats.Lanes))
	for pool, n := range stats.Running {
		gauge(s.descs.busy, float64(n), pool)
	}
	outlets := s.dispatcher.Outlets()
	for _, name := range slices.Sorted(maps.Keys(outlets)) {
		works := 0.0
		if outlets[name].Healthy() {
			works = 1
		}
		gauge(s.descs.works, works, name)
	}
}

// sums returns the two sums, not older than totalsFor. ok is false when they
// cannot be read: an old figure would look like a good one.
func (s *state) sums() (core.Totals, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if !s.read.IsZero() && now.Sub(s.read) < totalsFor {
		return s.totals, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	var t core.Totals
	err := s.engine.View(ctx, func(tx core.Tx) error {
		var err error
		t, err = tx.Totals()
		return err
	})
	if err != nil {
		return core.Totals{}, false
	}
	s.read, s.totals = now, t
	return t, true
}
