package messengersim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"tidings/channels/emulator"
)

// Limits of the templates (their reference pages, read 2026-11-22).
const (
	maxButtonText = 640
	maxButtons    = 3
	maxElements   = 10
	maxSubtitle   = 80
	maxImages     = 30
	longText      = 10000 // no documented limit
)

var media = []string{"audio", "file", "image", "video"}

// parseAttachment checks message.attachment.
func (s *Sim) parseAttachment(c *content, raw json.RawMessage) *graphError {
	const param = "message[attachment]"
	fields, err := object(param, raw, "type", "payload")
	if err != nil {
		return err
	}
	kind, err := need(fields, param, "type", longText)
	if err != nil {
		return err
	}
	if fields["payload"] == nil {
		return errorf(100, 0, "The parameter %s[payload] is required", param)
	}
	if kind == "template" {
		return s.parseTemplate(c, fields["payload"])
	}
	if slices.Contains(media, kind) {
		return parseMedia(c, param+"[payload]", kind, fields["payload"])
	}
	return errorf(100, 0, "Param %s[type] must be one of {AUDIO, FILE, IMAGE, VIDEO, TEMPLATE}", param)
}

func parseMedia(c *content, param, kind string, raw json.RawMessage) *graphError {
	fields, err := object(param, raw, "url", "is_reusable", "attachment_id")
	if err != nil {
		return err
	}
	link, err := text(fields, param, "url", longText)
	if err != nil {
		return err
	}
	id, err := text(fields, param, "attachment_id", longText)
	if err != nil {
		return err
	}
	if (link == "") == (id == "") {
		return errorf(100, 0, "Invalid parameter: %s must have url or attachment_id", param)
	}
	if link != "" && !isWeb(link) {
		return errorf(100, 2018008, "Failed to fetch the file from the url")
	}
	c.shown.Kind = kind
	c.shown.Fields = map[string]any{"url": link}
	c.echo, _ = json.Marshal([]any{map[string]any{"type": kind, "payload": map[string]string{"url": link}}})
	return nil
}

// parseImages checks message.attachments, a set of images.
func parseImages(c *content, raw json.RawMessage) *graphError {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil || len(all) == 0 {
		return errorf(100, 0, "Param message[attachments] must be an array.")
	}
	if len(all) > maxImages {
		return errorf(105, 0, "param message[attachments] has too many elements.")
	}
	var urls []any
	for i, one := range all {
		param := fmt.Sprintf("message[attachments][%d]", i)
		fields, err := object(param, one, "type", "payload")
		if err != nil {
			return err
		}
		if string(fields["type"]) != `"image"` {
			return errorf(100, 0, "Param %s[type] must be one of {IMAGE}", param)
		}
		if err := parseMedia(c, param+"[payload]", "image", fields["payload"]); err != nil {
			return err
		}
		urls = append(urls, c.shown.Fields["url"])
	}
	c.shown.Fields = map[string]any{"urls": urls}
	return nil
}

// parseTemplate checks the payload of a structured message.
func (s *Sim) parseTemplate(c *content, raw json.RawMessage) *graphError {
	var payload struct {
		Type string `json:"template_type"`
	}
	if json.Unmarshal(raw, &payload) != nil {
		return errorf(100, 0, "Param message[attachment][payload] must be a JSON object.")
	}
	var err *graphError
	switch payload.Type {
	case "button":
		err = parseButtonTemplate(c, raw)
	case "generic":
		err = parseGeneric(c, raw)
	case "receipt":
		err = s.parseReceipt(c, raw)
	default:
		return errorf(100, 0, "Invalid parameter: template_type %q is not available", payload.Type)
	}
	c.echo, _ = json.Marshal([]any{map[string]any{"type": "template", "payload": raw}})
	return err
}

func parseButtonTemplate(c *content, raw json.RawMessage) *graphError {
	const param = "message[attachment][payload]"
	fields, err := object(param, raw, "template_type", "text", "buttons", "sharable")
	if err != nil {
		return err
	}
	t, err := need(fields, param, "text", maxButtonText)
	if err != nil {
		return err
	}
	c.shown.Kind, c.shown.Text = "text", t
	c.shown.Buttons, err = parseButtons(fields["buttons"])
	if err == nil && len(c.shown.Buttons) == 0 {
		return errorf(100, 0, "The parameter name_placeholder[buttons] is required")
	}
	return err
}

func parseButtons(raw json.RawMessage) ([]emulator.Button, *graphError) {
	if raw == nil {
		return nil, nil
	}
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil, errorf(100, 0, "Param name_placeholder[buttons] must be an array.")
	}
	if len(all) > maxButtons {
		return nil, errorf(105, 0, "param name_placeholder[buttons] has too many elements.")
	}
	var out []emulator.Button
	for i, one := range all {
		b, err := parseButton(fmt.Sprintf("name_placeholder[buttons][%d]", i), one)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func parseButton(param string, raw json.RawMessage) (emulator.Button, *graphError) {
	var b emulator.Button
	fields, err := object(param, raw, "type", "title", "url", "payload", "webview_height_ratio",
		"messenger_extensions", "fallback_url", "webview_share_button")
	if err != nil {
		return b, err
	}
	kind, err := need(fields, param, "type", longText)
	if err != nil {
		return b, err
	}
	if kind != "account_link" {
		if b.Title, err = need(fields, param, "title", maxTitle); err != nil {
			return b, err
		}
	}
	switch kind {
	case "web_url", "account_link":
		if b.URL, err = need(fields, param, "url", longText); err == nil && !isWeb(b.URL) {
			err = errorf(100, 0, "%s[url] should represent a valid URL", param)
		}
	case "postback", "phone_number":
		b.Value, err = need(fields, param, "payload", maxPayload)
	default:
		err = errorf(100, 0, "Param %s[type] must be one of {WEB_URL, POSTBACK, PHONE_NUMBER, ACCOUNT_LINK}", param)
	}
	return b, err
}

// parseGeneric checks a carousel.
func parseGeneric(c *content, raw json.RawMessage) *graphError {
	const param = "message[attachment][payload]"
	fields, err := object(param, raw, "template_type", "elements", "image_aspect_ratio", "sharable")
	if err != nil {
		return err
	}
	var all []json.RawMessage
	if json.Unmarshal(fields["elements"], &all) != nil || len(all) == 0 {
		return errorf(100, 0, "The parameter %s[elements] is required", param)
	}
	if len(all) > maxElements {
		return errorf(105, 0, "param %s[elements] has too many elements.", param)
	}
	var lines []string
	for i, one := range all {
		line, buttons, err := parseCard(fmt.Sprintf("%s[elements][%d]", param, i), one)
		if err != nil {
			return err
		}
		lines = append(lines, line)
		c.shown.Buttons = append(c.shown.Buttons, buttons...)
	}
	c.shown.Kind, c.shown.Text = "generic", strings.Join(lines, "\n\n")
	return nil
}

func parseCard(param string, raw json.RawMessage) (string, []emulator.Button, *graphError) {
	fields, err := object(param, raw, "title", "subtitle", "image_url", "default_action", "buttons")
	if err != nil {
		return "", nil, err
	}
	title, err := need(fields, param, "title", maxSubtitle)
	if err != nil {
		return "", nil, err
	}
	if len(fields) < 2 {
		return "", nil, errorf(100, 0, "Invalid parameter: %s needs one property besides title", param)
	}
	subtitle, err := text(fields, param, "subtitle", maxSubtitle)
	if err != nil {
		return "", nil, err
	}
	buttons, err := parseButtons(fields["buttons"])
	return strings.TrimSuffix(title+"\n"+subtitle, "\n"), buttons, err
}

// isWeb reports whether s is an absolute http(s) URL.
func isWeb(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
