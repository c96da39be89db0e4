package main_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tidings/core/hybris/hybrissim"
)

const storefrontDocs = "../../docs/storefront"

// storefront serves a shop's page with the plain snippet on it, as it is in the
// docs, for one order.
func storefront(t *testing.T) (origin string, show func(gateway, token, key, code string)) {
	t.Helper()
	page := ""
	mux := http.NewServeMux()
	mux.HandleFunc("GET /confirmation", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	})
	mux.HandleFunc("GET /order-news.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, storefrontDocs+"/plain/order-news.js")
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	snippet := readFile(t, storefrontDocs+"/plain/order-news.html")
	return s.URL, func(gateway, token, key, code string) {
		filled := snippet
		for was, is := range map[string]string{
			"https://notify.example.com/v1/opt-ins":              gateway + "/v1/opt-ins",
			`orderCode: "00417003"`:                              key + `: "` + code + `"`,
			`async () => sessionStorage.getItem("access_token")`: `async () => "` + token + `"`,
		} {
			if !strings.Contains(snippet, was) {
				t.Fatalf("the snippet does not hold %s", was)
			}
			filled = strings.ReplaceAll(filled, was, is)
		}
		page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Thank you</title></head><body>` + filled +
			`<script type="module">document.querySelector(".order-news button").click();</script></body></html>`
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// browse opens a page in a real browser and returns what it has become, and what
// the browser complained of. Nothing but loopback can be reached.
func browse(t *testing.T, page string) (dom, console string) {
	t.Helper()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		needs(t, "chromium")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
		"--disable-component-update", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--user-data-dir="+t.TempDir(), "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom", page)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the browser: %v\n%s", err, tail(stderr.String(), 2000))
	}
	var said []string
	for line := range strings.Lines(stderr.String()) {
		if strings.Contains(line, "CONSOLE") {
			said = append(said, line)
		}
	}
	return string(out), strings.Join(said, "")
}

// needs skips a test for want of a program; not in CI.
func needs(t *testing.T, program string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not here", program)
	}
	t.Skipf("SKIPPED, this proves nothing: %s is not here; on Debian: apt-get install %s", program, program)
}

// hrefs are the links of a page.
func hrefs(dom string) []string {
	var all []string
	for _, found := range regexp.MustCompile(`<a [^>]*href="([^"]*)"`).FindAllStringSubmatch(dom, -1) {
		all = append(all, html.UnescapeString(found[1]))
	}
	return all
}

// telegramRef is the reference in the page's link to Telegram.
func telegramRef(t *testing.T, dom string) string {
	t.Helper()
	for _, href := range hrefs(dom) {
		if ref, ok := strings.CutPrefix(href, "https://t.me/my_shop_bot?start="); ok {
			return ref
		}
	}
	t.Fatalf("the page does not lead to Telegram: %q in\n%s", hrefs(dom), dom)
	return ""
}

// TestStorefrontInABrowser: the plain snippet in a real browser, from the button
// to the thank-you in the chat, for a customer and for a guest.
func TestStorefrontInABrowser(t *testing.T) {
	origin, show := storefront(t)
	w := start(t, atFullSpeed, func(c *conf) { c.Origins = `"` + origin + `"` })
	p, guest := w.customer(1), w.customer(2)
	guest.uid = "5b2d9c1e-77d0-4c58-9a2e-0f6d3a8e4c11|" + guest.uid
	o := hybrissim.SampleOrder("00419999", guest.uid, site)
	o.Guest, o.GUID = true, "5b2d9c1e-77d0-4c58-9a2e-0f6d3a8e4c11"
	guest.order = w.shop.AddOrder(o).Code
	for _, test := range []struct {
		name, token, key, code string
		who                    person
		evidence               string
	}{
		{"customer", w.shop.CustomerToken(p.uid), "orderCode", p.order, p, "the customer's own access token"},
		{"guest", w.shop.ApplicationToken(), "orderGuid", o.GUID, guest, "by its GUID"},
	} {
		w.private = append(w.private, test.token)
		show(w.hook(""), test.token, test.key, test.code)
		dom, console := browse(t, origin+"/confirmation")
		if console != "" {
			t.Errorf("%s: the browser complains: %s", test.name, console)
		}
		w.optIn(telegramName, test.who.chats[telegramName], telegramRef(t, dom), "")
		w.awaitText(telegramName, test.who, test.who.order)
		var got struct {
			Links []struct {
				Evidence string
				Consent  struct{ Text, Version, At string }
			}
		}
		w.want(http.StatusOK, http.MethodGet, "/v1/customers/"+url.PathEscape(test.who.uid), nil, &got)
		if len(got.Links) != 1 || !strings.Contains(got.Links[0].Evidence, test.evidence) ||
			!strings.HasPrefix(got.Links[0].Consent.Text, "I want to be told about this") || got.Links[0].Consent.Version != "2026-1" || got.Links[0].Consent.At == "" {
			t.Errorf("%s: got %+v, want the link with what was agreed to and how it was shown", test.name, got)
		}
		if strings.Contains(readDatabase(t, w), test.token) {
			t.Errorf("%s: the database holds the access token", test.name)
		}
	}
	// Somebody else's order: nothing is shown, and nothing told.
	show(w.hook(""), w.shop.CustomerToken(p.uid), "orderCode", w.customer(3).order)
	if dom, _ := browse(t, origin+"/confirmation"); len(hrefs(dom)) > 0 || !strings.Contains(dom, "That did not work") {
		t.Errorf("somebody else's order: got %q in\n%s", hrefs(dom), dom)
	}
}

// readDatabase is everything the gateway has on disk.
func readDatabase(t *testing.T, w *world) string {
	t.Helper()
	var all strings.Builder
	files, err := filepath.Glob(w.conf.Store + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("got the files %q, %v", files, err)
	}
	for _, f := range files {
		all.WriteString(readFile(t, f))
	}
	return all.String()
}

// TestStorefrontOfAnother: a browser keeps the answer from a page that is not named.
func TestStorefrontOfAnother(t *testing.T) {
	origin, show := storefront(t)
	w := start(t, func(c *conf) { c.Origins = `"https://shop.example.com"` })
	p := w.customer(1)
	show(w.hook(""), w.shop.CustomerToken(p.uid), "orderCode", p.order)
	dom, console := browse(t, origin+"/confirmation")
	if len(hrefs(dom)) > 0 || !strings.Contains(console, "CORS") {
		t.Errorf("got %q, want none, and the browser say why: %s", hrefs(dom), console)
	}
}

// TestLinkPageInABrowser: the page of the link works as it is, with nothing from elsewhere.
func TestLinkPageInABrowser(t *testing.T) {
	w := start(t)
	o := w.offer(w.customer(1))
	dom, console := browse(t, w.hook(strings.TrimPrefix(o.Page, "https://notify.example.com")))
	if console != "" {
		t.Errorf("the browser complains: %s", console)
	}
	if telegramRef(t, dom) != o.ref(telegramName) || strings.Count(dom, "<svg") != 2 || !strings.Contains(dom, o.ref(slackName)) {
		t.Errorf("the page lacks a way:\n%s", dom)
	}
	for _, found := range regexp.MustCompile(`(?i)<script|<link |<img|<iframe|\son\w+=|src=`).FindAllString(dom, -1) {
		t.Errorf("the page holds %s", found)
	}
}

// TestStorefrontOnTheServer: the client for the shop's own server is compiled and asks.
func TestStorefrontOnTheServer(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		needs(t, "default-jdk-headless")
	}
	w := start(t, atFullSpeed)
	p := w.customer(1)
	consent := "Send me \"news\"\nof <my> orders, élève \\"
	source := readFile(t, storefrontDocs+"/accelerator/OrderNewsClient.java") + `
class Ask {
  public static void main(String[] a) {
    System.out.print(new OrderNewsClient(a[0], a[1]).offer("electronics", a[2], a[3], "en", a[4], "2026-1"));
  }
}`
	// The class with main comes first where a single file is run.
	i := strings.Index(source, "class Ask")
	head, body, _ := strings.Cut(source[:i], "/**\n * Asks")
	file := filepath.Join(t.TempDir(), "Ask.java")
	one := head + source[i:] + "\n/**\n * Asks" + strings.Replace(body, "public class", "class", 1)
	if err := os.WriteFile(file, []byte(one), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), java, "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8", file, w.api(""), apiKey, p.uid, p.order, consent).CombinedOutput()
	if err != nil {
		t.Fatalf("java: %v\n%s", err, out)
	}
	var o offer
	if err := json.Unmarshal(out, &o); err != nil || o.ref(telegramName) == "" {
		t.Fatalf("got %s, want an offer", out)
	}
	w.optIn(telegramName, p.chats[telegramName], o.ref(telegramName), "")
	w.quiet()
	var got struct {
		Links []struct{ Consent struct{ Text string } }
	}
	w.want(http.StatusOK, http.MethodGet, "/v1/customers/"+url.PathEscape(p.uid), nil, &got)
	if len(got.Links) != 1 || got.Links[0].Consent.Text != consent {
		t.Errorf("got %+v, want the consent %q", got, consent)
	}
}
