package messengersim

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const approved = "APPROVED"

// Template is a utility template (messenger-platform, utility messages; read
// 2026-11-22).
type Template struct {
	ID         string              `json:"id"`
	Name       string              `json:"name"`
	Language   string              `json:"language"`
	Category   string              `json:"category"`
	Status     string              `json:"status"`
	Format     string              `json:"parameter_format,omitempty"` // NAMED or POSITIONAL
	Components []TemplateComponent `json:"components"`
}

// TemplateComponent is a part of a template: HEADER, BODY or BUTTONS. A
// placeholder in its text is {{1}} or {{name}}.
type TemplateComponent struct {
	Type    string            `json:"type"`
	Text    string            `json:"text,omitempty"`
	Format  string            `json:"format,omitempty"`
	Buttons []json.RawMessage `json:"buttons,omitempty"`
	Example json.RawMessage   `json:"example,omitempty"`
}

var (
	placeholder  = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_]+)\s*\}\}`)
	templateName = regexp.MustCompile(`^[a-z0-9_]+$`)
)

// approvedMessage is message.template of a request.
type approvedMessage struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []struct {
		Type       string `json:"type"`
		Parameters []struct {
			Type string `json:"type"`
			Name string `json:"parameter_name"`
			Text string `json:"text"`
		} `json:"parameters"`
	} `json:"components"`
}

// parseApproved checks a message made from an approved template.
func (s *Sim) parseApproved(c *content, raw json.RawMessage) *graphError {
	var m approvedMessage
	if json.Unmarshal(raw, &m) != nil {
		return errorf(100, 0, "Param message[template] must be a template message.")
	}
	t := s.template(m.Name, m.Language.Code)
	if t == nil || t.Status != approved {
		return errorf(100, 0, "Invalid parameter: no approved template of this name and language")
	}
	values := map[string][]string{}
	for _, comp := range m.Components {
		kind := strings.ToUpper(comp.Type)
		for _, p := range comp.Parameters {
			if p.Type != "text" || p.Text == "" {
				return errorf(100, 0, "Invalid parameter: a template's parameter must be a text")
			}
			values[kind] = append(values[kind], p.Text)
			if p.Name != "" {
				values[kind+" "+p.Name] = []string{p.Text}
			}
		}
	}
	var lines []string
	for _, comp := range t.Components {
		if comp.Text == "" {
			continue
		}
		line, err := fill(comp, values)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	c.template = true
	c.shown.Kind, c.shown.Text = "template", strings.Join(lines, "\n")
	c.shown.Fields = map[string]any{"name": m.Name, "language": m.Language.Code, "params": values["BODY"]}
	return nil
}

// fill puts values in the place of a component's placeholders, which must be
// exactly as many.
func fill(comp TemplateComponent, values map[string][]string) (string, *graphError) {
	kind := strings.ToUpper(comp.Type)
	given := values[kind]
	names := placeholders(comp.Text)
	if len(given) != len(names) {
		return "", errorf(100, 0, "Invalid parameter: the template's %s takes %d parameters, got %d", strings.ToLower(kind), len(names), len(given))
	}
	missing := ""
	out := placeholder.ReplaceAllStringFunc(comp.Text, func(found string) string {
		name := placeholder.FindStringSubmatch(found)[1]
		if named := values[kind+" "+name]; named != nil {
			return named[0]
		}
		n, err := strconv.Atoi(name)
		if err != nil || n < 1 || n > len(given) {
			missing = name
			return found
		}
		return given[n-1]
	})
	if missing != "" {
		return "", errorf(100, 0, "Invalid parameter: the template's parameter %s is missing", missing)
	}
	return out, nil
}

// placeholders returns the different placeholders of a text.
func placeholders(text string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

func (s *Sim) template(name, language string) *Template {
	for i := range s.templates {
		if t := &s.templates[i]; t.Name == name && t.Language == language {
			return t
		}
	}
	return nil
}

// messageTemplates is the edge on which templates are listed and made. A good
// one is approved at once.
func (s *Sim) messageTemplates(method, node string, p params) (any, *graphError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if node != "me" && node != s.opt.PageID {
		return nil, errorf(100, 33, "Unsupported request. Object with ID '%s' does not exist.", node)
	}
	if method == http.MethodGet {
		return s.listTemplates(p.text("name")), nil
	}
	if method != http.MethodPost {
		return nil, errorf(100, 0, "Unsupported %s request.", strings.ToLower(method))
	}
	t := Template{Name: p.text("name"), Language: p.text("language"), Category: p.text("category"), Format: p.text("parameter_format"), Status: approved}
	if err := json.Unmarshal(p["components"], &t.Components); err != nil {
		return nil, errorf(100, 0, "Param components must be an array.")
	}
	if err := checkTemplate(t); err != nil {
		return nil, err
	}
	if s.template(t.Name, t.Language) != nil {
		return nil, errorf(100, 0, "Invalid parameter: there is already a template of this name and language")
	}
	t.ID = s.nextID("77")
	s.templates = append(s.templates, t)
	return map[string]string{"id": t.ID, "status": t.Status, "category": t.Category}, nil
}

func checkTemplate(t Template) *graphError {
	if !templateName.MatchString(t.Name) || len(t.Name) > 512 {
		return errorf(100, 0, "Param name must be lower-case letters, digits and underscores.")
	}
	if t.Language == "" {
		return errorf(100, 0, "The parameter language is required")
	}
	if t.Category != "UTILITY" {
		return errorf(100, 0, "Param category must be one of {UTILITY}")
	}
	hasBody := false
	for _, c := range t.Components {
		switch strings.ToUpper(c.Type) {
		case "BODY":
			hasBody = c.Text != ""
		case "HEADER", "BUTTONS", "FOOTER":
		default:
			return errorf(100, 0, "Param components[type] must be one of {HEADER, BODY, BUTTONS}")
		}
	}
	if !hasBody {
		return errorf(100, 0, "The parameter components[BODY] is required")
	}
	return nil
}

func (s *Sim) listTemplates(name string) any {
	found := []Template{}
	for _, t := range s.templates {
		if name == "" || t.Name == name {
			found = append(found, t)
		}
	}
	return map[string]any{"data": found, "paging": map[string]any{}}
}
