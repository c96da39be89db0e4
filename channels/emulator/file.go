package emulator

import (
	"context"
	"strings"
)

// File is a file that a customer sends. Its bytes lie with the platform.
type File struct {
	Name string `json:"name"`
	Type string `json:"type"` // as the customer's device tells it
	Data []byte `json:"data"` // base64
}

// Kind is what platforms call such a file: image, audio, video or file.
func (f File) Kind() string {
	switch family, _, _ := strings.Cut(f.Type, "/"); family {
	case "image", "audio", "video":
		return family
	}
	return "file"
}

// Filer is a platform through which customers send files.
type Filer interface {
	// SendFile sends a file and, with it or after it, a text where there is one.
	SendFile(ctx context.Context, user string, f File, text string) (id string, err error)
}
