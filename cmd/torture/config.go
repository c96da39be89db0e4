package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"text/template"
)

// settings is what differs between the configurations of replicas.
type settings struct {
	Listen, Internal, Store string
	URLs                    map[string]string // of the platforms
}

// A part is short, so that a message of several parts need not be long.
const partRunes = 200

var configTemplate = template.Must(template.New("").Parse(`
server:
  listen: "{{.Listen}}"
  internal_listen: "{{.Internal}}"
  public_url: "https://notify.example.com"
  api_keys:
    - {name: shop, key: "` + apiKey + `"}
store:
  url: "{{.Store}}"
commerce:
  type: none
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
    limits: {text: ` + fmt.Sprint(partRunes) + `}
  - name: telegram
    type: telegram
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
    limits: {text: ` + fmt.Sprint(partRunes) + `}
routes:
  - name: everyone
    channels: [messenger, telegram, slack]
    deliver: fallback
log: {level: info, format: json}
`))

func writeConfig(path string, s settings) error {
	var b bytes.Buffer
	if err := configTemplate.Execute(&b, s); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// Ports are below those that outgoing connections take, so that a replica's is
// still free when it is started again.
const firstPort, countPorts = 12000, 20000

// portsGiven is how many ports have been given out: each once, to whoever asks.
var portsGiven atomic.Int64

// freeAddress returns an address on loopback that nobody listens on.
func freeAddress() (string, error) {
	for range countPorts {
		// Processes side by side begin at different places.
		n := int64(os.Getpid())*619 + portsGiven.Add(1)
		addr := fmt.Sprintf("127.0.0.1:%d", firstPort+n%countPorts)
		l, err := net.Listen("tcp", addr)
		if err == nil {
			return addr, l.Close()
		}
	}
	return "", fmt.Errorf("there is no free port from %d to %d", firstPort, firstPort+countPorts)
}
