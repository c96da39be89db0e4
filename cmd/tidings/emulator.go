package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"tidings/channels/emulator"
	"tidings/channels/messenger/messengersim"
	"tidings/channels/slack/slacksim"
	"tidings/channels/telegram/telegramsim"
)

// controlPath is where an emulator alone can be told what its customer does.
const controlPath = "/_control"

// emulatorCommands run one emulated platform, or the emulated shop, alone.
func emulatorCommands() []*cobra.Command {
	return []*cobra.Command{messengerCommand(), telegramCommand(), slackCommand(), hybrisCommand()}
}

// emulatorCommand is the frame of them all: it listens and says how to use it.
func emulatorCommand(name, short string, flags func(*cobra.Command), open func(base string) (api string, h http.Handler)) *cobra.Command {
	return guidedCommand(name, short, flags, func(base string) (string, http.Handler, string, error) {
		api, h := open(base)
		return api, h, "", nil
	})
}

// guidedCommand is an emulatorCommand that has more to say, and may be wished for wrongly.
func guidedCommand(name, short string, flags func(*cobra.Command), open func(base string) (api string, h http.Handler, guide string, err error)) *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := listenOn(listen)
			if err != nil {
				return err
			}
			base := baseURL(l)
			api, h, guide, err := open(base)
			if err != nil {
				return errors.Join(usageError{err}, l.Close())
			}
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s is emulated at %s\n%sIts people are moved at %s%s\n", name, api, guide, base, controlPath)
			return serveAlone(cmd.Context(), l, h)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8081", "where to listen; port 0 takes a free one")
	flags(cmd)
	return cmd
}

// withControl serves an emulator and beside it its control surface.
func withControl(h, control http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.Handle(controlPath+"/", http.StripPrefix(controlPath, control))
	return mux
}

func messengerCommand() *cobra.Command {
	var o messengersim.Options
	return emulatorCommand("messenger", "Emulate Messenger's Graph API alone", func(c *cobra.Command) {
		f := c.Flags()
		f.StringVar(&o.WebhookURL, "webhook", "", "where callbacks go, e.g. http://127.0.0.1:8080/webhooks/messenger")
		f.StringVar(&o.PageID, "page-id", "104729", "the Page")
		f.StringVar(&o.PageToken, "page-token", "page-token", "the token that is accepted")
		f.StringVar(&o.AppID, "app-id", "99", "the app")
		f.StringVar(&o.AppSecret, "app-secret", "app-secret", "signs callbacks")
		f.StringVar(&o.VerifyToken, "verify-token", "verify-token", "for the handshake")
		f.BoolVar(&o.NoRates, "no-rates", false, "count requests over the rate, do not refuse them")
	}, func(base string) (string, http.Handler) {
		o.FilesURL = base
		sim := messengersim.New(o)
		return base + "/v25.0", withControl(sim, emulator.Control(sim))
	})
}

func telegramCommand() *cobra.Command {
	o := telegramsim.Options{Local: true}
	return emulatorCommand("telegram", "Emulate Telegram's Bot API alone", func(c *cobra.Command) {
		f := c.Flags()
		f.StringVar(&o.WebhookURL, "webhook", "", "where updates go, e.g. http://127.0.0.1:8080/webhooks/telegram")
		f.StringVar(&o.Token, "token", "7000000001:token", "the bot's token")
		f.StringVar(&o.Username, "username", "sandbox_shop_bot", "the bot's name")
		f.StringVar(&o.SecretToken, "secret-token", "secret-token", "goes with each update")
		f.StringSliceVar(&o.Users, "user", nil, "chat ids of people who have pressed Start")
		f.BoolVar(&o.NoRates, "no-rates", false, "count requests over the rate, do not refuse them")
	}, func(base string) (string, http.Handler) {
		sim := telegramsim.New(o)
		return base, withControl(sim, emulator.Control(sim))
	})
}

func slackCommand() *cobra.Command {
	var o slacksim.Options
	return emulatorCommand("slack", "Emulate Slack's Web API alone", func(c *cobra.Command) {
		f := c.Flags()
		f.StringVar(&o.WebhookURL, "webhook", "", "where events go, e.g. http://127.0.0.1:8080/webhooks/slack")
		f.StringVar(&o.BotToken, "bot-token", "xoxb-token", "the bot's token")
		f.StringVar(&o.SigningSecret, "signing-secret", "signing-secret", "signs events")
		f.BoolVar(&o.NoRates, "no-rates", false, "count requests over the rate, do not refuse them")
	}, func(base string) (string, http.Handler) {
		o.BaseURL = base
		sim := slacksim.New(o)
		return base + "/api", withControl(sim, emulator.Control(sim))
	})
}
