package main

import (
	"bytes"
	"fmt"
	"os"
	"text/template"
)

// stageSettings are those of a gateway that is to do all it can.
type stageSettings struct {
	settings
	Telegram  string // what that channel is called
	Was       string // what it was called before
	Retention string
	Every     string // how often orders are read again
}

// A customer of the route "careful" has told us to rather lose than repeat.
var stageTemplate = template.Must(template.New("").Parse(`
server:
  listen: "{{.Listen}}"
  internal_listen: "{{.Internal}}"
  public_url: "https://notify.example.com"
  api_keys:
    - {name: shop, key: "` + apiKey + `"}
store:
  url: "{{.Store}}"
commerce:
  type: hybris
  base_url: "{{.URLs.shop}}/occ/v2"
  token_url: "{{.URLs.shop}}/authorizationserver/oauth/token"
  site: ` + site + `
  client_id: tidings
  client_secret: "` + clientSecret + `"
  timeout: 2s
  wait: 10s
  poll: 100ms
  reconcile: {every: "{{.Every}}", per_second: 100}
channels:
  - name: messenger
    type: messenger
    page_id: "` + pageID + `"
    page_token: "` + pageToken + `"
    app_id: "` + appID + `"
    app_secret: "` + appSecret + `"
    verify_token: "` + verifyToken + `"
    api_url: "{{.URLs.messenger}}/v25.0"
    pace: {off: true}
    templates: [{event: order.shipped, name: order_shipped, languages: [en_US], params: [order.code]}]
  - name: {{.Telegram}}
    type: telegram
    {{with .Was}}was: {{.}}{{end}}
    token: "` + telegramToken + `"
    bot_username: my_shop_bot
    secret_token: "` + secretToken + `"
    api_url: "{{.URLs.telegram}}"
    pace: {off: true}
    limits: {text: ` + fmt.Sprint(partRunes) + `}
  - name: slack
    type: slack
    bot_token: "` + botToken + `"
    signing_secret: "` + signingSecret + `"
    api_url: "{{.URLs.slack}}/api"
    pace: {off: true}
    misconfigured_after: 1s
opt_in:
  keys: ["aHVzaC1odXNoLWh1c2gtaHVzaC1odXNoLWh1c2gtaHU="]
  expires: 24h
texts: {default_locale: en}
retention: {messages: {{.Retention}}, updates: {{.Retention}}, dedupe: {{.Retention}}}
routes:
  - name: careful
    match: {customer: ["careful*"]}
    channels: [messenger, {{.Telegram}}, slack]
    uncertain: park
  - name: everyone
    channels: [slack, {{.Telegram}}, messenger]
    deliver: fallback
log: {level: info, format: json}
`))

func writeStageConfig(path string, s stageSettings) error {
	var b bytes.Buffer
	if err := stageTemplate.Execute(&b, s); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}
