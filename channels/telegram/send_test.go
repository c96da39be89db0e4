package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tidings/core"
)

func TestSentIDNamesChatAndMessage(t *testing.T) {
	sent, err := open(t, yes).Send(t.Context(), ines, hello)
	if err != nil {
		t.Fatalf("Send() = %v", err)
	}
	if want := (core.Sent{ID: "42/9"}); sent != want {
		t.Errorf("got %+v, want %+v", sent, want)
	}
}

func TestRequestsGoToTheConfiguredURL(t *testing.T) {
	for _, c := range []struct{ api, want string }{
		{"https://api.telegram.org", "https://api.telegram.org/bot" + testToken + "/sendMessage"},
		{"http://127.0.0.1:8081/tg/", "http://127.0.0.1:8081/tg/bot" + testToken + "/sendMessage"},
		{"http://127.0.0.1:8081/a%20b", "http://127.0.0.1:8081/a%20b/bot" + testToken + "/sendMessage"},
	} {
		var got, method string
		platform := roundTrip(func(r *http.Request) (*http.Response, error) {
			got, method = r.URL.String(), r.Method
			return yes(r)
		})
		conf := config()
		conf.APIURL = c.api
		if _, err := openWith(t, conf, platform).Send(t.Context(), ines, hello); err != nil {
			t.Fatalf("Send() = %v", err)
		}
		if got != c.want || method != http.MethodPost {
			t.Errorf("got %s %s, want POST %s", method, got, c.want)
		}
	}
}

func TestOpenMakesNoRequest(t *testing.T) {
	open(t, roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return nil, io.EOF
	}))
}

func TestOneSendIsOneRequestEvenWhenRedirected(t *testing.T) {
	requests := 0
	e := failed(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		requests++
		return answer(307, "", "Location", "https://elsewhere.example/")(r)
	}))
	if requests != 1 || e.Class != core.Misconfigured {
		t.Errorf("got %d requests and %s, want 1 and Misconfigured", requests, e.Class)
	}
}

func TestSendsDoNotMix(t *testing.T) {
	channel := open(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		return answer(200, fmt.Sprintf(`{"ok":true,"result":{"message_id":%s,"chat":{"id":%s}}}`,
			r.PostForm.Get("text"), r.PostForm.Get("chat_id")))(r)
	}))
	var all sync.WaitGroup
	for i := 1; i <= 100; i++ {
		all.Go(func() {
			to := core.Address{Value: fmt.Sprint(1000 + i)}
			sent, err := channel.Send(t.Context(), to, core.Part{Text: core.PlainText(fmt.Sprint(i))})
			if want := fmt.Sprintf("%d/%d", 1000+i, i); err != nil || sent.ID != want {
				t.Errorf("got %q, %v, want %q", sent.ID, err, want)
			}
		})
	}
	all.Wait()
}

func TestAnEndedContextSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked := false
	channel := open(t, roundTrip(func(r *http.Request) (*http.Response, error) { asked = true; return yes(r) }))
	_, err := channel.Send(ctx, ines, hello)
	if asked || core.ClassOf(err) != core.Temporary || !errors.Is(err, context.Canceled) {
		t.Errorf("got asked %v, %v, want no request and Temporary by context.Canceled", asked, err)
	}
}

// pipe is a real transport whose connections end at serve.
func pipe(serve func(server net.Conn)) *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go serve(server)
			return client, nil
		},
	}
}

// readRequest takes the whole request off a connection.
func readRequest(server net.Conn) {
	var got strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(got.String(), "text=Hello") {
		n, err := server.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			return
		}
	}
}

// A "yes" that names the message and not the chat is a "yes": a doubt would send
// the message twice.
func TestAYesWithoutItsChatIsTheChatsThatWasWrittenTo(t *testing.T) {
	sent, err := open(t, answer(200, `{"ok":true,"result":{"message_id":9}}`)).Send(t.Context(), ines, hello)
	if err != nil || sent.ID != ines.Value+"/9" {
		t.Errorf("got %q, %v; want %s/9", sent.ID, err, ines.Value)
	}
}

// The fate of a request decides the class: what never had a connection cannot
// have arrived, anything later may have.
func TestTheFateOfARequestDecidesTheClass(t *testing.T) {
	refuse := errors.New("connection refused by " + testToken)
	for _, c := range []struct {
		name     string
		platform func(giveUp func()) http.RoundTripper
		want     core.Class
	}{
		{"dial refused", func(func()) http.RoundTripper {
			return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, refuse }}
		}, core.Temporary},
		{"dial refused in memory", func(func()) http.RoundTripper {
			return roundTrip(func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: refuse}
			})
		}, core.Temporary},
		{"given up while dialing", func(giveUp func()) http.RoundTripper {
			return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				giveUp()
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		}, core.Temporary},
		{"broken in memory", func(func()) http.RoundTripper {
			return roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
		}, core.Uncertain},
		{"broken after writing", func(func()) http.RoundTripper {
			return pipe(func(s net.Conn) { readRequest(s); s.Close() })
		}, core.Uncertain},
		{"broken in the answer", func(func()) http.RoundTripper {
			return pipe(func(s net.Conn) {
				readRequest(s)
				_, _ = io.WriteString(s, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"ok\":true,\"resu")
				s.Close()
			})
		}, core.Uncertain},
		{"given up while waiting", func(giveUp func()) http.RoundTripper {
			return pipe(func(s net.Conn) { readRequest(s); giveUp() })
		}, core.Uncertain},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			conf := config()
			conf.APIURL = "http://telegram.example" // no TLS on a pipe
			_, err := openWith(t, conf, c.platform(giveUp)).Send(ctx, ines, hello)
			if err == nil || core.ClassOf(err) != c.want {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if strings.HasPrefix(c.name, "given up") && !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled in it", err)
			}
			if strings.Contains(err.Error(), testToken) {
				t.Errorf("the error holds the token: %v", err)
			}
		})
	}
}

func TestADeadlineBeforeAConnectionIsTemporary(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	platform := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	_, err := open(t, platform).Send(ctx, ines, hello)
	if core.ClassOf(err) != core.Temporary || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want Temporary by context.DeadlineExceeded", err)
	}
}

// No error says the token: neither as text, nor when it is unwrapped.
func TestTheTokenIsInNoError(t *testing.T) {
	_, half, _ := strings.Cut(testToken, ":")
	for name, platform := range map[string]http.RoundTripper{
		"transport error": roundTrip(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("cannot reach %s", r.URL)
		}),
		"deadline": roundTrip(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("%s: %w", r.URL, context.DeadlineExceeded)
		}),
		"HTML":        answer(502, "<html>"+testToken),
		"description": answer(400, `{"ok":false,"error_code":400,"description":"Bad Request: no bot `+testToken+` here"}`),
		"secret half": answer(400, `{"ok":false,"error_code":400,"description":"Bad Request: `+half+`"}`),
		"redirect":    answer(302, "", "Location", "https://api.telegram.org/bot"+testToken+"/x"),
	} {
		t.Run(name, func(t *testing.T) {
			var err error = failed(t, platform)
			for ; err != nil; err = errors.Unwrap(err) {
				for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err)} {
					if strings.Contains(text, half) {
						t.Errorf("the token is in %q", text)
					}
				}
			}
		})
	}
}
