package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/channels/telegram"
	"tidings/core"
)

// TestAsAdapter: the bare client does the same work as the adapter, byte for byte.
func TestAsAdapter(t *testing.T) {
	type request struct{ method, path, kind, body string }
	var got request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = request{r.Method, r.URL.Path, r.Header.Get("Content-Type"), string(body)}
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":1,"chat":{"id":1000000}}}`)
	}))
	defer s.Close()
	c := &telegram.Config{Token: botToken, BotUsername: "bench_bot", SecretToken: "bench-secret", APIURL: s.URL}
	ch, err := c.Open(core.Env{Name: "telegram", HTTP: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Send(t.Context(), core.Address{Value: "1000000"}, core.Part{N: 1, Of: 1, Text: core.PlainText(words(7))}); err != nil {
		t.Fatal(err)
	}
	want := request{http.MethodPost, "/bot" + botToken + "/sendMessage", "application/x-www-form-urlencoded", asAdapter(firstChat, words(7))}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(request{})); diff != "" {
		t.Errorf("the adapter's request (-want +got):\n%s", diff)
	}
}

// TestPlatformCounts: a request is checked, answered and counted; a rate holds in
// any second, not only on average.
func TestPlatformCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform()
		tell(t, p, `{"rate": 3, "answer": 200, "retry": 2}`)
		var got []int
		for _, after := range []time.Duration{0, 0, 0, 0, 999 * time.Millisecond, time.Millisecond, 0} {
			time.Sleep(after)
			got = append(got, send(p, "/bot"+botToken+"/sendMessage"))
		}
		// Each answer takes 200 ms: the first three begin at 0, 200 and 400 ms.
		want := []int{200, 200, 200, 429, 200, 200, 200}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
		if p.sums.Accepted != 6 || p.sums.Refused != 1 {
			t.Errorf("got %d accepted and %d refused, want 6 and 1", p.sums.Accepted, p.sums.Refused)
		}
		time.Sleep(time.Second)
		if got := send(p, "/botwrong:token/sendMessage"); got != http.StatusUnauthorized {
			t.Errorf("a wrong token: got status %d, want 401", got)
		}
		tell(t, p, `{"away": true, "retry": 3, "keep": true}`)
		if got := send(p, "/bot"+botToken+"/sendMessage"); got != http.StatusTooManyRequests {
			t.Errorf("away: got status %d, want 429", got)
		}
	})
}

func tell(t *testing.T, p *platform, how string) {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/bench/behave", strings.NewReader(how)))
	if w.Code != http.StatusOK {
		t.Fatalf("got status %d: %s", w.Code, w.Body)
	}
}

func send(p *platform, path string) int {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(asAdapter(firstChat, words(1))))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Code
}

// TestSteady: the beginning and the end do not count.
func TestSteady(t *testing.T) {
	ticks := make([]int, 50)
	for i := range ticks {
		ticks[i] = 25
	}
	for i := range 20 {
		ticks[i] = 900
	}
	if got := steady(ticks); got != 250 {
		t.Errorf("got %v, want 250", got)
	}
	if got := steady(ticks[:30]); got != 0 {
		t.Errorf("too short to tell: got %v, want 0", got)
	}
}

// TestReport: the median decides, and a bar has a direction.
func TestReport(t *testing.T) {
	r := newReport(options{})
	r.add(figure{Part: "sqlite", Name: "ratio", Values: []float64{0.5, 0.3, 0.4}, Bar: atLeast(0.4)})
	r.add(figure{Part: "sqlite", Name: "start", Unit: "ms", Values: []float64{90, 151, 160}, Bar: atMost(150)})
	r.skip("postgres", "no server")
	var w strings.Builder
	if err := r.write(&w, false); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(w.String()), "\n")[2:] {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"part figure unit min median max bar",
		"sqlite ratio 0.300 0.400 0.500 ≥ 0.400 ok",
		"sqlite start ms 90 151 160 ≤ 150 MISSED",
		"postgres skipped: no server",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestOptions: what is not said depends on --quick, and a part must be known.
func TestOptions(t *testing.T) {
	full, err := readOptions(nil)
	if err != nil || full.backlog != 1_000_000 || !full.wants("pace") {
		t.Errorf("got %+v and %v, want everything at full length", full, err)
	}
	quick, err := readOptions([]string{"--quick", "--backlog", "7", "--only", "sqlite,pace"})
	if err != nil || quick.backlog != 7 || quick.wants("bare") || quick.messages >= full.messages {
		t.Errorf("got %+v and %v, want less, and a backlog of 7", quick, err)
	}
	for _, args := range [][]string{{"--only", "sqlite,speed"}, {"--fast"}, {"all"}} {
		if _, err := readOptions(args); !errors.As(err, new(usageError)) {
			t.Errorf("%v: got error %v, want wrong usage", args, err)
		}
	}
}
