package messenger

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/core"
)

func TestSendPostsToMeMessages(t *testing.T) {
	var requests []*http.Request
	var body []byte
	c := open(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		requests = append(requests, r)
		body, _ = io.ReadAll(r.Body)
		return respond(200, `{"recipient_id":"7001","message_id":"m_abc"}`)(r)
	}))
	sent, err := sendText(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(core.Sent{ID: "m_abc"}, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if len(requests) != 1 {
		t.Fatalf("got %d requests, want one", len(requests))
	}
	r := requests[0]
	if got := r.Method + " " + r.URL.Host + r.URL.Path; got != "POST graph.facebook.com/v25.0/me/messages" {
		t.Errorf("got %s", got)
	}
	if got := r.URL.Query().Get("access_token"); got != testToken {
		t.Errorf("token: got %q, want %q", got, testToken)
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type: got %q", got)
	}
	if r.Header.Get("Idempotency-Key") != "" || r.Header.Get("X-Idempotency-Key") != "" {
		t.Error("the request is marked as safe to repeat, and it is not")
	}
	if !json.Valid(body) {
		t.Errorf("body: got %s", body)
	}
}

func TestSendTellsTheNewAddressOfAUserRef(t *testing.T) {
	tests := map[string]struct {
		to   core.Address
		body string
		want *core.Address
	}{
		"user_ref, told":        {core.Address{Value: "ref-1", Kind: "user_ref", Locale: "de"}, `{"recipient_id":"7001","message_id":"m"}`, &core.Address{Value: "7001", Locale: "de"}},
		"user_ref, a number":    {core.Address{Value: "ref-1", Kind: "user_ref"}, `{"recipient_id":7001,"message_id":"m"}`, &core.Address{Value: "7001"}},
		"user_ref, not told":    {core.Address{Value: "ref-1", Kind: "user_ref"}, `{"message_id":"m"}`, nil},
		"user_ref, itself":      {core.Address{Value: "ref-1", Kind: "user_ref"}, `{"recipient_id":"ref-1","message_id":"m"}`, nil},
		"PSID, the same":        {core.Address{Value: "7001"}, `{"recipient_id":"7001","message_id":"m"}`, nil},
		"PSID, another is told": {core.Address{Value: "7001"}, `{"recipient_id":"7002","message_id":"m"}`, nil},
	}
	for name, tt := range tests {
		c := open(t, respond(200, tt.body))
		sent, err := c.Send(context.Background(), tt.to, core.Part{Key: "k", Text: core.PlainText("hi")})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, sent.Moved); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSendSlowsDownNearTheLimit(t *testing.T) {
	app := func(n int) []string {
		return []string{"X-App-Usage", fmt.Sprintf(`{"call_count":%d,"total_time":1,"total_cputime":1}`, n)}
	}
	page := func(cpu, regain int) []string {
		return []string{"X-Business-Use-Case-Usage", fmt.Sprintf(
			`{"1234567890":[{"type":"pages","call_count":100},{"type":"messenger","call_count":1,"total_cputime":%d,"total_time":1,"estimated_time_to_regain_access":%d}]}`, cpu, regain)}
	}
	tests := map[string]struct {
		header []string
		want   time.Duration
	}{
		"no headers":          {nil, 0},
		"app at 94":           {app(94), 0},
		"app at 95":           {app(95), waitNearlyUsed},
		"app at 100":          {app(100), waitUsedUp},
		"page at 94":          {page(94, 0), 0},
		"page at 99":          {page(99, 0), waitNearlyUsed},
		"page must wait":      {page(100, 3), 3 * time.Minute},
		"both, the worse":     {append(app(96), page(100, 0)...), waitUsedUp},
		"something else said": {[]string{"X-App-Usage", "often", "X-Business-Use-Case-Usage", `{"1":{}}`}, 0},
	}
	for name, tt := range tests {
		sent, err := sendText(t, open(t, respond(200, `{"recipient_id":"7001","message_id":"m"}`, tt.header...)))
		if err != nil || sent.SlowDown != tt.want {
			t.Errorf("%s: got %s, %v; want %s", name, sent.SlowDown, err, tt.want)
		}
	}
}

func TestSendRefusesWithoutARequestWhatCannotBeEncoded(t *testing.T) {
	c := open(t, roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return nil, errors.New("no")
	}))
	_, err := c.Send(context.Background(), core.Address{Value: "7001"}, core.Part{Key: "k"})
	if e := sendError(t, err); e.Class != core.Rejected {
		t.Errorf("got %v, want Rejected", e)
	}
}

func TestSendWithADeadContextSendsNothing(t *testing.T) {
	c := open(t, roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return nil, errors.New("no")
	}))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.Send(ctx, core.Address{Value: "7001"}, core.Part{Key: "k", Text: core.PlainText("hi")})
	if e := sendError(t, err); e.Class != core.Temporary || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Temporary because of the context", e)
	}
}

func TestAPlatformThatNeverAnswersIsUncertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.Send(ctx, core.Address{Value: "7001"}, core.Part{Key: "k", Text: core.PlainText("hi")})
		if e := sendError(t, err); e.Class != core.Uncertain || time.Since(start) != 30*time.Second {
			t.Errorf("got %v after %s, want Uncertain after 30s", e, time.Since(start))
		}
	})
}

// What failed before a connection existed did not arrive; what failed after may have.
func TestTransportErrors(t *testing.T) {
	tests := map[string]struct {
		err  error
		want core.Class
	}{
		"connection refused":       {&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, core.Temporary},
		"refused, bare":            {syscall.ECONNREFUSED, core.Temporary},
		"no such host":             {&net.DNSError{Err: "no such host", Name: "graph.facebook.com", IsNotFound: true}, core.Temporary},
		"dial timed out":           {&net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}, core.Temporary},
		"reset":                    {&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, core.Uncertain},
		"broken pipe":              {&net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}, core.Uncertain},
		"end of file":              {io.EOF, core.Uncertain},
		"end in the answer's head": {io.ErrUnexpectedEOF, core.Uncertain},
		"out of time":              {context.DeadlineExceeded, core.Uncertain},
		"something else":           {errors.New("http2: client connection lost"), core.Uncertain},
	}
	for name, tt := range tests {
		c := open(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, tt.err }))
		_, err := sendText(t, c)
		if e := sendError(t, err); e.Class != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: got %v, want %s", name, e, tt.want)
		}
	}
}

// sendTo sends over a real transport to a loopback address.
func sendTo(ctx context.Context, t *testing.T, transport *http.Transport, apiURL string) (core.Sent, *core.SendError) {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	cfg := testConfig()
	cfg.APIURL = apiURL + "/v25.0/"
	c, err := cfg.Open(core.Env{HTTP: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := c.Send(ctx, core.Address{Value: "7001"}, core.Part{Key: "k", Text: core.PlainText("hi")})
	if err == nil {
		return sent, nil
	}
	return sent, sendError(t, err)
}

func TestOverARealTransport(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if _, e := sendTo(t.Context(), t, &http.Transport{}, "http://"+l.Addr().String()); e == nil || e.Class != core.Temporary {
			t.Errorf("got %v, want Temporary", e)
		}
	})
	t.Run("given up while connecting", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if _, e := sendTo(ctx, t, &http.Transport{DialContext: dial}, "http://127.0.0.1:1"); e == nil || e.Class != core.Temporary {
			t.Errorf("got %v, want Temporary", e)
		}
	})
	t.Run("given up while waiting for the answer", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		}))
		defer server.Close()
		if _, e := sendTo(ctx, t, &http.Transport{}, server.URL); e == nil || e.Class != core.Uncertain {
			t.Errorf("got %v, want Uncertain", e)
		}
	})
	t.Run("taken, then the connection drops, and nothing is sent twice", func(t *testing.T) {
		var taken atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			taken.Add(1)
			panic(http.ErrAbortHandler)
		}))
		defer server.Close()
		if _, e := sendTo(t.Context(), t, &http.Transport{}, server.URL); e == nil || e.Class != core.Uncertain || taken.Load() != 1 {
			t.Errorf("got %v after %d requests, want Uncertain after one", e, taken.Load())
		}
	})
	t.Run("a redirect is not followed", func(t *testing.T) {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}))
		defer server.Close()
		if _, e := sendTo(t.Context(), t, &http.Transport{}, server.URL); e == nil || e.Class != core.Misconfigured || asked.Load() != 1 {
			t.Errorf("got %v after %d requests, want Misconfigured after one", e, asked.Load())
		}
	})
	t.Run("the path is the configured one", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v25.0/me/messages" || r.URL.Query().Get("access_token") != testToken {
				t.Errorf("got %s", r.URL.Path)
			}
			_, _ = io.WriteString(w, `{"recipient_id":"7001","message_id":"m_1"}`)
		}))
		defer server.Close()
		if sent, e := sendTo(t.Context(), t, &http.Transport{}, server.URL); e != nil || sent.ID != "m_1" {
			t.Errorf("got %+v, %v; want m_1", sent, e)
		}
	})
}

// answerRaw is a server that reads one request and writes these bytes.
func answerRaw(t *testing.T, raw string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_, _ = io.WriteString(conn, raw)
	}()
	return "http://" + l.Addr().String()
}

func TestAnAnswerThatBreaksOff(t *testing.T) {
	tests := map[string]struct {
		raw  string
		want core.Class
	}{
		"a yes":     {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + `{"recipient_id":"7001","mess`, core.Uncertain},
		"a no":      {"HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n" + `{"error":{"mess`, core.Temporary},
		"a failure": {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\n" + `<html>`, core.Uncertain},
		"a head":    {"HTTP/1.1 200 OK\r\nContent-Le", core.Uncertain},
		"nothing":   {"", core.Uncertain},
	}
	for name, tt := range tests {
		_, e := sendTo(t.Context(), t, &http.Transport{}, answerRaw(t, tt.raw))
		if e == nil || e.Class != tt.want {
			t.Errorf("%s: got %v, want %s", name, e, tt.want)
		}
	}
}

func TestTheTokenIsInNoError(t *testing.T) {
	escaped := url.QueryEscape(testToken)
	full := "https://graph.facebook.com/v25.0/me/messages?access_token=" + escaped
	failures := map[string]roundTripper{
		"refused":       func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED },
		"quoting a URL": func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("cannot reach %s", r.URL) },
		"a nested URL": func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: full, Err: io.EOF}
		},
		"a wrapped URL": func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("proxy: %w", &url.Error{Op: "Post", URL: full, Err: io.EOF})
		},
		"the bare token": func(*http.Request) (*http.Response, error) { return nil, errors.New("bad token " + testToken) },
		"Meta quotes it": respond(400, `{"error":{"message":"Malformed access token `+testToken+`","code":190}}`),
		"HTML quotes it": respond(502, "<html>"+full+"</html>"),
		"a redirect":     respond(302, "", "Location", full),
	}
	for name, platform := range failures {
		_, err := sendText(t, open(t, platform))
		if err == nil {
			t.Errorf("%s: got no error", name)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			for _, text := range []string{e.Error(), fmt.Sprintf("%+v", e), fmt.Sprintf("%#v", e)} {
				if strings.Contains(text, testToken) || strings.Contains(text, escaped) {
					t.Errorf("%s: the token is in %q", name, text)
				}
			}
		}
	}
	_, e := sendTo(t.Context(), t, &http.Transport{}, "http://127.0.0.1:1")
	if text := e.Error(); strings.Contains(text, testToken) || strings.Contains(text, escaped) {
		t.Errorf("the token is in %q", text)
	}
}
