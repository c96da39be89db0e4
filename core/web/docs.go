package web

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// docsData is the document as the readable page shows it.
type docsData struct {
	Nonce, Title, Version, Program string
	Intro                          []string
	Groups                         []docsGroup
	Schemas                        []docsSchema
}

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	Method, Path, Summary, Scope, ID string
	Text                             []string
	Parameters                       []docsParameter
	Bodies                           []docsBody
	Answers                          []docsAnswer
}

type docsParameter struct {
	Name, In, Text string
	Required       bool
}

type docsBody struct{ Media, Schema, Example string }

type docsAnswer struct {
	Status, Text string
	Bodies       []docsBody
}

type docsSchema struct{ Name, JSON string }

// The document as far as the readable page needs it.
type (
	openAPI struct {
		Info struct {
			Title       string `json:"title"`
			Version     string `json:"version"`
			Description string `json:"description"`
		} `json:"info"`
		Tags []struct {
			Name string `json:"name"`
		} `json:"tags"`
		Paths      map[string]map[string]openAPIOperation `json:"paths"` // by path and method
		Components struct {
			Schemas    map[string]json.RawMessage  `json:"schemas"`
			Responses  map[string]openAPIAnswer    `json:"responses"`
			Parameters map[string]openAPIParameter `json:"parameters"`
		} `json:"components"`
	}
	openAPIOperation struct {
		ID          string             `json:"operationId"`
		Summary     string             `json:"summary"`
		Description string             `json:"description"`
		Tags        []string           `json:"tags"`
		Scope       string             `json:"x-scope"`
		Parameters  []openAPIParameter `json:"parameters"`
		RequestBody struct {
			Content map[string]openAPIMedia `json:"content"`
		} `json:"requestBody"`
		Responses map[string]openAPIAnswer `json:"responses"`
	}
	openAPIParameter struct {
		Ref         string `json:"$ref"`
		Name        string `json:"name"`
		In          string `json:"in"`
		Description string `json:"description"`
		Required    bool   `json:"required"`
	}
	openAPIAnswer struct {
		Ref         string                  `json:"$ref"`
		Description string                  `json:"description"`
		Content     map[string]openAPIMedia `json:"content"`
	}
	openAPIMedia struct {
		Schema struct {
			Ref string `json:"$ref"`
		} `json:"schema"`
		Example json.RawMessage `json:"example"`
	}
)

// docsOf makes the page of the document. The document is part of the program:
// that it can be read is a matter of its tests.
func docsOf(raw []byte, program string) (docsData, error) {
	var doc openAPI
	if err := json.Unmarshal(raw, &doc); err != nil {
		return docsData{}, err
	}
	data := docsData{
		Title: doc.Info.Title, Version: doc.Info.Version, Program: program, Intro: paragraphs(doc.Info.Description),
	}
	byTag := map[string][]docsOperation{}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			for _, tag := range o.Tags {
				byTag[tag] = append(byTag[tag], doc.operation(strings.ToUpper(method), path, o))
			}
		}
	}
	for _, tag := range doc.Tags {
		all := byTag[tag.Name]
		slices.SortFunc(all, func(a, b docsOperation) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
		data.Groups = append(data.Groups, docsGroup{Name: tag.Name, Operations: all})
	}
	for name, schema := range doc.Components.Schemas {
		data.Schemas = append(data.Schemas, docsSchema{Name: name, JSON: indent(schema)})
	}
	slices.SortFunc(data.Schemas, func(a, b docsSchema) int { return strings.Compare(a.Name, b.Name) })
	return data, nil
}

func (doc openAPI) operation(method, path string, o openAPIOperation) docsOperation {
	op := docsOperation{
		Method: method, Path: path, Summary: o.Summary, Scope: o.Scope, ID: o.ID, Text: paragraphs(o.Description),
		Bodies: bodies(o.RequestBody.Content),
	}
	for _, p := range o.Parameters {
		if p.Ref != "" {
			p = doc.Components.Parameters[lastOf(p.Ref)]
		}
		op.Parameters = append(op.Parameters, docsParameter{Name: p.Name, In: p.In, Text: p.Description, Required: p.Required})
	}
	for status, a := range o.Responses {
		if a.Ref != "" {
			a = doc.Components.Responses[lastOf(a.Ref)]
		}
		op.Answers = append(op.Answers, docsAnswer{Status: status, Text: a.Description, Bodies: bodies(a.Content)})
	}
	slices.SortFunc(op.Answers, func(a, b docsAnswer) int { return strings.Compare(a.Status, b.Status) })
	return op
}

func bodies(content map[string]openAPIMedia) []docsBody {
	var all []docsBody
	for media, m := range content {
		all = append(all, docsBody{Media: media, Schema: lastOf(m.Schema.Ref), Example: indent(m.Example)})
	}
	slices.SortFunc(all, func(a, b docsBody) int { return strings.Compare(a.Media, b.Media) })
	return all
}

func lastOf(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func paragraphs(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n\n")
}

func indent(raw json.RawMessage) string {
	var b bytes.Buffer
	if len(raw) == 0 || json.Indent(&b, raw, "", "  ") != nil {
		return ""
	}
	return b.String()
}

// getDocs shows the document for people.
func (s *Server) getDocs(c *gin.Context) {
	data, err := docsOf(document, s.Version)
	if err != nil {
		s.failWith(c, err, 0)
		return
	}
	data.Nonce = rand.Text()
	s.showPage(c, http.StatusOK, "docs.html", data.Nonce, data)
}
