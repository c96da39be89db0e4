package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Secrets are what the gateway, the emulated platforms and the emulated shop
// know of each other. Nobody else has to know them.
type Secrets struct {
	APIKey         string `json:"api_key"`
	OptInKey       string `json:"opt_in_key"` // base64 of 32 bytes
	PageToken      string `json:"page_token"`
	AppSecret      string `json:"app_secret"`
	VerifyToken    string `json:"verify_token"`
	TelegramToken  string `json:"telegram_token"`
	TelegramSecret string `json:"telegram_secret"`
	SlackToken     string `json:"slack_token"`
	SlackSecret    string `json:"slack_secret"`
	ShopSecret     string `json:"shop_secret"`
}

// NewSecrets returns fresh random secrets.
func NewSecrets() Secrets {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return Secrets{
		APIKey:         rand.Text(),
		OptInKey:       base64.StdEncoding.EncodeToString(key),
		PageToken:      rand.Text(),
		AppSecret:      rand.Text(),
		VerifyToken:    rand.Text(),
		TelegramToken:  botID + ":" + rand.Text(),
		TelegramSecret: rand.Text(),
		SlackToken:     "xoxb-" + rand.Text(),
		SlackSecret:    rand.Text(),
		ShopSecret:     rand.Text(),
	}
}

// OpenSecrets reads the secrets in a file, which it makes with fresh ones when
// there is none. Only the owner can read it.
func OpenSecrets(path string) (Secrets, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return writeSecrets(path)
	}
	if err != nil {
		return Secrets{}, fmt.Errorf("sandbox: secrets: %w", err)
	}
	var s Secrets
	if err := json.Unmarshal(raw, &s); err != nil {
		return Secrets{}, fmt.Errorf("sandbox: secrets: %s is not what this program wrote; delete it for new ones", path)
	}
	return s, nil
}

func writeSecrets(path string) (Secrets, error) {
	s := NewSecrets()
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return s, err
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		return s, fmt.Errorf("sandbox: secrets: %w", err)
	}
	return s, nil
}
