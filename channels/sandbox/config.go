package sandbox

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"text/template"
)

// The accounts of the emulated world. They are no secrets.
const (
	site        = "electronics"
	pageID      = "104729"
	appID       = "99"
	botID       = "7000000001"
	botUsername = "sandbox_shop_bot"
	teamID      = "T1"
	slackClient = "104.729"
	shopClient  = "tidings"
	keyName     = "shop"
)

//go:embed config.tmpl
var configText string

// Config returns the YAML configuration of a gateway that serves a sandbox. base
// is where both are reached, such as http://127.0.0.1:8080, store the file of
// the gateway's database.
func Config(base, store string, s Secrets) ([]byte, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("sandbox: configuration: base is not an absolute URL")
	}
	t, err := template.New("config").Funcs(template.FuncMap{"text": scalar}).Parse(configText)
	if err != nil {
		return nil, fmt.Errorf("sandbox: configuration: %w", err)
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]any{
		"Base": strings.TrimRight(base, "/"), "Listen": listen(u), "Store": "sqlite:" + store, "Secrets": s,
		"Site": site, "PageID": pageID, "AppID": appID, "BotUsername": botUsername,
		"TeamID": teamID, "SlackClient": slackClient,
		"ShopClient": shopClient, "KeyName": keyName,
	})
	if err != nil {
		return nil, fmt.Errorf("sandbox: configuration: %w", err)
	}
	return out.Bytes(), nil
}

// scalar writes a value as a quoted YAML scalar, of which JSON's strings are a
// subset, and keeps the configuration from looking for ${NAME} in it.
func scalar(parts ...string) (string, error) {
	raw, err := json.Marshal(strings.ReplaceAll(strings.Join(parts, ""), "${", "$${"))
	return string(raw), err
}

// listen is the address that a URL leads to.
func listen(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}
