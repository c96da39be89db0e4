module tidings/channels/clients

go 1.26.0

require (
	github.com/go-telegram/bot v1.19.0
	github.com/slack-go/slack v0.35.0
	tidings v0.0.0
)

require github.com/gorilla/websocket v1.5.3 // indirect

replace tidings => ../..
