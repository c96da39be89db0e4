package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tidings/core/web"
)

// document is openapi.json with its schemas compiled.
type document struct {
	raw      map[string]any
	paths    []documentedPath
	compiler *jsonschema.Compiler
}

type documentedPath struct {
	path    string
	match   *regexp.Regexp
	methods map[string]any
}

const documentURL = "https://tidings.example/openapi.json"

func readDocument(t *testing.T) *document {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(web.OpenAPI()))
	if err != nil {
		t.Fatalf("openapi.json: %v", err)
	}
	d := &document{raw: v.(map[string]any), compiler: jsonschema.NewCompiler()}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentURL, v); err != nil {
		t.Fatalf("openapi.json: %v", err)
	}
	for path, methods := range d.raw["paths"].(map[string]any) {
		pattern := "^" + regexp.MustCompile(`\\\{[a-zA-Z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$"
		d.paths = append(d.paths, documentedPath{path, regexp.MustCompile(pattern), methods.(map[string]any)})
	}
	// The path with the fewest variables matches first, as in the router.
	slices.SortFunc(d.paths, func(a, b documentedPath) int {
		if n := strings.Count(a.path, "{") - strings.Count(b.path, "{"); n != 0 {
			return n
		}
		return strings.Compare(a.path, b.path)
	})
	return d
}

// get follows names into the document, through references.
func (d *document) get(v any, names ...string) (any, bool) {
	for _, name := range names {
		m, ok := d.deref(v).(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[name]; !ok {
			return nil, false
		}
	}
	return d.deref(v), true
}

func (d *document) deref(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	ref, ok := m["$ref"].(string)
	if !ok {
		return v
	}
	to, _ := d.get(d.raw, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	return to
}

// schemaAt compiles the schema at a pointer of the document.
func (d *document) schemaAt(names ...string) (*jsonschema.Schema, error) {
	pointer := ""
	for _, n := range names {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(n)
	}
	return d.compiler.Compile(documentURL + "#" + fragment(pointer))
}

// fragment escapes what a URL's fragment cannot hold.
func fragment(pointer string) string {
	return strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D", "*", "%2A").Replace(pointer)
}

// check fails a test whose answer is not as the document says.
func (d *document) check(t *testing.T, req *http.Request, a answer) {
	t.Helper()
	method := strings.ToLower(req.Method)
	if req.Method == http.MethodHead {
		method = "get" // which it goes without saying; here, nobody drops the body
	}
	i := slices.IndexFunc(d.paths, func(p documentedPath) bool {
		return p.match.MatchString(req.URL.EscapedPath()) && p.methods[method] != nil
	})
	if i < 0 {
		if a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed && a.status != http.StatusNotImplemented {
			t.Errorf("%s %s is not documented and answers %d", req.Method, req.URL.EscapedPath(), a.status)
		}
		return
	}
	p := d.paths[i]
	where := []string{"paths", p.path, method, "responses", fmt.Sprint(a.status)}
	response, ok := d.get(d.raw, where...)
	if !ok && a.status/100 == 2 {
		where[4] = "2XX"
		response, ok = d.get(d.raw, where...)
	}
	if !ok {
		t.Errorf("%s %s: status %d is not documented; body: %s", req.Method, p.path, a.status, a.body)
		return
	}
	d.checkBody(t, req.Method+" "+p.path+" "+where[4], response, a)
}

func (d *document) checkBody(t *testing.T, what string, response any, a answer) {
	t.Helper()
	content, ok := d.get(response, "content")
	if !ok {
		if len(a.body) > 0 {
			t.Errorf("%s: a body that is not documented: %s", what, a.body)
		}
		return
	}
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	one, ok := d.get(content, media)
	if !ok {
		if _, anything := d.get(content, "*/*"); !anything {
			t.Errorf("%s: Content-Type %q is not documented", what, media)
		}
		return
	}
	if !strings.HasSuffix(media, "json") || media == "application/json" && strings.Contains(what, "/openapi.json") {
		return
	}
	if err := d.validate(one, a.body); err != nil {
		t.Errorf("%s: the body is not as documented: %v\n%s", what, err, a.body)
	}
}

// validate checks JSON against the schema of a media type of the document.
func (d *document) validate(media any, body []byte) error {
	m := media.(map[string]any)
	schema, err := d.compile(m["schema"])
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// compile compiles a schema of the document: a reference by its name, another one
// as a resource of its own.
func (d *document) compile(schema any) (*jsonschema.Schema, error) {
	m := schema.(map[string]any)
	if ref, ok := m["$ref"].(string); ok {
		return d.schemaAt(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	raw = bytes.ReplaceAll(raw, []byte(`"#/`), []byte(`"`+documentURL+`#/`))
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(documentURL, any(d.raw)); err != nil {
		return nil, err
	}
	if err := c.AddResource("inline.json", v); err != nil {
		return nil, err
	}
	return c.Compile("inline.json")
}
