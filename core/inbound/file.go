package inbound

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// FileLimits bounds which files of customers reach the desk. What is beyond them
// stays a line in the ticket.
type FileLimits struct {
	MaxBytes int64    // of one file; 0: none are fetched
	Types    []string // media types, or families such as image/*
}

// What comes after a file in the conversation waits for it. So its ticket has to
// do with the line when the platform or the desk does not come round.
const (
	fetchTries   = 6              // when the platform fails
	attachWithin = 24 * time.Hour // of the first failure, when the desk does
)

// attachable are the media of an update that the desk is to have as files.
func (in *Inbound) attachable(u core.StoredUpdate) []core.Media {
	if _, takes := in.Desk.(core.Attacher); !takes || in.Files.MaxBytes <= 0 || in.Fetcher == nil {
		return nil
	}
	if _, ok := in.Fetcher(u.Channel); !ok {
		return nil
	}
	var all []core.Media
	for _, m := range u.Update.Media {
		if slices.Contains([]string{"image", "audio", "video", "file"}, m.Kind) && (m.ID != "" || m.URL != "") {
			all = append(all, m)
		}
	}
	return all
}

// bringFile fetches a file and has the desk attach it to the entry before it.
func (in *Inbound) bringFile(ctx context.Context, e entry) lane.Result {
	if e.conv.TicketID == "" {
		return in.withoutFile(e, errors.New("there is no ticket to attach it to"))
	}
	f, err := in.fetch(ctx, e)
	if err != nil {
		if class := core.ClassOf(err); class == core.Temporary && e.it.Tries < fetchTries || class == core.Throttled {
			return in.callFailed(e, err)
		}
		return in.withoutFile(e, err)
	}
	desk, ok := in.Desk.(core.Attacher)
	if !ok {
		return in.withoutFile(e, errors.New("the desk takes no files"))
	}
	a := core.Attachment{EntryID: e.conv.LastEntry, Key: e.key(), File: f, Again: e.call.Uncertain}
	err = in.inNameOf(ctx, e.conv, func(v core.Conversation) error {
		return in.Guard(ctx, func() error { return desk.Attach(ctx, ticketAt(v, time.Time{}), a) })
	})
	switch {
	case err == nil:
		call := e.call
		call.State, call.Uncertain, call.Why = done, false, ""
		in.Count("files_attached", 1)
		return lane.Result{Done: true, Commit: func(tx *lane.Tx) error { return tx.SaveTicketCall(call) }}
	case core.ClassOf(err) == core.Rejected && !noCustomer(err), core.ClassOf(err) == core.Misconfigured && !personal(err), e.failsFor() >= attachWithin:
		return in.withoutFile(e, err)
	}
	return in.callFailed(e, err)
}

// failsFor is for how long the call has been tried.
func (e entry) failsFor() time.Duration {
	if e.call.TriedAt.IsZero() {
		return 0
	}
	return time.Since(e.call.TriedAt)
}

// fetch reads the file from its platform and looks at what it is. Its name tells
// it from any other in the ticket.
func (in *Inbound) fetch(ctx context.Context, e entry) (core.File, error) {
	var u core.StoredUpdate
	err := in.Engine.View(ctx, func(tx core.Tx) (err error) {
		u, err = tx.Update(e.call.UpdateID)
		return err
	})
	if err != nil {
		return core.File{}, refusedFile("what came with it is not known any more")
	}
	channel, ok := in.Fetcher(u.Channel)
	if !ok {
		return core.File{}, refusedFile("its channel is not there any more")
	}
	f, err := channel.Fetch(ctx, *e.call.Media, in.Files.MaxBytes)
	if err != nil {
		return core.File{}, fmt.Errorf("fetch a file: %w", err)
	}
	// What it says it is counts for nothing: a page that calls itself a picture
	// would be opened by an agent.
	f.Type, _, _ = strings.Cut(http.DetectContentType(f.Data), ";")
	switch {
	case len(f.Data) == 0:
		return f, refusedFile("it is empty")
	case int64(len(f.Data)) > in.Files.MaxBytes:
		return f, refusedFile("it is larger than the limit")
	case !slices.ContainsFunc(in.Files.Types, func(t string) bool { return typeFits(f.Type, t) }):
		return f, refusedFile("its type is not wanted: " + f.Type)
	}
	f.Name = fileName(e, f)
	return f, nil
}

func typeFits(typ, pattern string) bool {
	if family, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(typ, family+"/")
	}
	return strings.EqualFold(typ, pattern)
}

// fileName keeps of the customer's name for it what no desk stumbles over.
func fileName(e entry, f core.File) string {
	name := path.Base(strings.ReplaceAll(e.call.Media.Name, `\`, "/"))
	if name == "." || name == "/" {
		name = e.call.Media.Kind
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`<>:"|?*`, r) || r == 0x7f {
			return '_'
		}
		return r
	}, name)
	ext := path.Ext(name)
	base := []rune(strings.TrimSuffix(name, ext))
	if known := extensions[f.Type]; len(known) > 0 && !slices.Contains(known, strings.ToLower(ext)) {
		base, ext = []rune(name), known[0]
	}
	return fmt.Sprintf("%s (%d)%s", string(base[:min(len(base), 100)]), e.call.ID, ext)
}

// extensions are how files of a type are named; the first is given to one that is not.
// https://www.iana.org/assignments/media-types, read 2026-11-22.
var extensions = map[string][]string{
	"image/jpeg":      {".jpg", ".jpeg", ".jpe", ".jfif"},
	"image/png":       {".png"},
	"image/gif":       {".gif"},
	"image/webp":      {".webp"},
	"application/pdf": {".pdf"},
	"video/mp4":       {".mp4", ".m4v", ".mov"},
	"audio/mpeg":      {".mp3"},
	"application/ogg": {".ogg", ".oga", ".opus"},
}

func refusedFile(why string) error {
	return &core.SendError{Class: core.Rejected, Code: "file", Err: errors.New(why)}
}

// withoutFile gives a file up: the entry before it has a line that tells of it.
func (in *Inbound) withoutFile(e entry, err error) lane.Result {
	in.Log.Warn("a customer's file does not reach the desk; its ticket has a line instead", "conversation", e.conv.ID, "err", err)
	in.Count("files_left_out", 1, "class", string(core.ClassOf(err)))
	call := e.call
	call.State, call.Why = "failed", err.Error()
	return lane.Result{Done: true, Commit: func(tx *lane.Tx) error { return tx.SaveTicketCall(call) }}
}
