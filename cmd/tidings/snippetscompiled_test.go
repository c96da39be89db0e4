package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestStorefrontTag: the accelerator's tag escapes all that it shows, runs no
// script, and shows what an answer has.
func TestStorefrontTag(t *testing.T) {
	tag := readFile(t, storefrontDocs+"/accelerator/orderNews.tag")
	shown := regexp.MustCompile(`\$\{[^}]*\}`).FindAllString(tag, -1)
	escaped := regexp.MustCompile(`<c:out value="\$\{[^}"]*\}"/>|href="\$\{fn:escapeXml\([\w.]+\)\}"|(?:test|items)="\$\{[^}"]*\}"`).FindAllString(tag, -1)
	if len(shown) < 8 || len(escaped) != len(shown) {
		t.Errorf("got %d expressions and %d of them escaped: %q", len(shown), len(escaped), shown)
	}
	for _, bad := range []string{"<script", "javascript:", " style=", " onclick"} {
		if strings.Contains(tag, bad) {
			t.Errorf("the tag holds %q", bad)
		}
	}
	var open []string
	for _, found := range regexp.MustCompile(`<(/?)([a-z0-9:]+)(?:\s[^<>]*)?>`).FindAllStringSubmatch(regexp.MustCompile(`(?s)<%.*?%>`).ReplaceAllString(tag, ""), -1) {
		switch {
		case strings.HasSuffix(found[0], "/>"):
		case found[1] == "":
			open = append(open, found[2])
		case len(open) == 0 || open[len(open)-1] != found[2]:
			t.Fatalf("%s closes nothing; open: %q", found[0], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %q", open)
	}
	for _, field := range []string{"offer.links", "offer.page", "link.url", "link.channel", "link.how"} {
		if !strings.Contains(tag, field) {
			t.Errorf("the tag does not show %s", field)
		}
	}
}

// TestStorefrontTagOnAServer: the tag is compiled and shown by the servlet container
// and the tag library that the platform has.
func TestStorefrontTagOnAServer(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		needs(t, "default-jdk-headless")
	}
	var jars []string
	for _, pattern := range []string{"tomcat9-*[a-z].jar", "taglibs-standard-*[a-z].jar", "eclipse-jdt-core.jar"} {
		found, err := filepath.Glob("/usr/share/java/" + pattern)
		if err != nil || len(found) == 0 {
			needs(t, "libtomcat9-java libtaglibs-standard-impl-java")
		}
		jars = append(jars, found...)
	}
	shop, work := t.TempDir(), t.TempDir()
	for from, to := range map[string]string{
		storefrontDocs + "/accelerator/orderNews.tag": "WEB-INF/tags/responsive/order/orderNews.tag",
		"testdata/storefront/confirmation.jsp":        "confirmation.jsp",
	} {
		to = filepath.Join(shop, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(readFile(t, from)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, java, "-Dfile.encoding=UTF-8", "-Djava.util.logging.config.file=none", "-cp", strings.Join(jars, ":"),
		"testdata/storefront/Confirmation.java", shop, work)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the page: %v\n%s", err, said.String())
	}
	page, without, _ := strings.Cut(string(out), "\f")
	if without != "" {
		t.Errorf("where the gateway does not answer: got %q, want nothing", without)
	}
	want := []string{`https://t.me/my_shop_bot?start=T"><script>alert(1)</script>`, `https://notify.example.com/link/T?a=1&b="<b>`}
	if got := hrefs(page); !slices.Equal(got, want) {
		t.Errorf("got the links %q, want %q", got, want)
	}
	for _, text := range []string{"I &lt;agree&gt; &amp; more", "Slack: /link &lt;C&gt;", ">Telegram</a>", ">All messengers</a>"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not show %s:\n%s", text, page)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "<b>") {
		t.Errorf("the page holds what came as text:\n%s", page)
	}
}

// TestStorefrontTypeScript: the component, its service and module are compiled
// against the types of what they use, and name what an answer has.
func TestStorefrontTypeScript(t *testing.T) {
	files, err := filepath.Glob(storefrontDocs + "/spartacus/*.ts")
	if err != nil || len(files) != 3 {
		t.Fatalf("got %q, %v, want three files", files, err)
	}
	all := ""
	for _, f := range files {
		all += readFile(t, f)
	}
	for _, want := range []string{"OrderConfirmationThankMessageComponent", "orderGuid", "orderCode", "consent", "/v1/opt-ins", `rel="noopener noreferrer"`} {
		if !strings.Contains(all, want) {
			t.Errorf("the component does not hold %q", want)
		}
	}
	tsc, err := exec.LookPath("tsc")
	if err != nil {
		needs(t, "node-typescript")
	}
	args := []string{"--noEmit", "--strict", "--experimentalDecorators", "--target", "es2022", "--useDefineForClassFields", "false", "--lib", "es2022,dom", "testdata/storefront/platform.d.ts"}
	if out, err := exec.CommandContext(t.Context(), tsc, append(args, files...)...).CombinedOutput(); err != nil {
		t.Errorf("tsc: %v\n%s", err, out)
	}
}
