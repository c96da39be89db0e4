package telegram

import (
	"strconv"
	"strings"

	"tidings/core"
)

// file is what all files have in common. Only its id goes on: the URL to fetch
// it from would hold the bot's token.
type file struct {
	ID    string `json:"file_id"`
	Name  string `json:"file_name"`
	Emoji string `json:"emoji"` // of a sticker
}

type photoSize struct {
	ID     string `json:"file_id"`
	Width  int64  `json:"width"`
	Height int64  `json:"height"`
}

type location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

type venue struct {
	Location location `json:"location"`
	Title    string   `json:"title"`
	Address  string   `json:"address"`
}

type contact struct {
	Phone     string `json:"phone_number"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

type poll struct {
	Question string `json:"question"`
	Options  []item `json:"options"`
}

type dice struct {
	Emoji string `json:"emoji"`
	Value int64  `json:"value"`
}

type checklist struct {
	Title string `json:"title"`
	Tasks []item `json:"tasks"`
}

// item is an option of a poll or a task of a checklist.
type item struct {
	Text string `json:"text"`
}

// media returns what came with a message besides words, one entry per thing:
// for old clients Telegram repeats an animation as a document, a live photo as
// a photo and a venue as a location, and the repetition is left out.
func (m message) media() []core.Media {
	var all []core.Media
	add := func(kind string, f *file) {
		if f != nil {
			all = append(all, core.Media{Kind: kind, ID: f.ID, Name: f.Name, Text: f.Emoji})
		}
	}
	say := func(kind, text string) {
		all = append(all, core.Media{Kind: kind, Text: text})
	}

	add("image", m.picture())
	add("video", m.Video)
	add("video", m.VideoNote)
	add("video", m.Animation)
	add("audio", m.Voice)
	add("audio", m.Audio)
	if m.Animation == nil {
		add("file", m.Document)
	}
	add("sticker", m.Sticker)
	if m.Venue != nil {
		say("location", m.Venue.words())
	}
	if m.Location != nil && m.Venue == nil {
		say("location", m.Location.words())
	}
	if m.Contact != nil {
		say("contact", m.Contact.words())
	}
	for _, text := range m.otherThings() {
		say("other", text)
	}
	return all
}

// picture is the photo in its largest size, or a live photo.
func (m message) picture() *file {
	if m.LivePhoto != nil {
		return m.LivePhoto
	}
	if len(m.Photo) == 0 {
		return nil
	}
	largest := m.Photo[0]
	for _, size := range m.Photo[1:] {
		if size.area() > largest.area() {
			largest = size
		}
	}
	return &file{ID: largest.ID}
}

// area is compared only; a float does not overflow.
func (p photoSize) area() float64 { return float64(p.Width) * float64(p.Height) }

// otherThings says in words what has no kind of its own.
func (m message) otherThings() []string {
	var things []string
	if m.Poll != nil {
		things = append(things, listing("poll", m.Poll.Question, m.Poll.Options))
	}
	if m.Dice != nil {
		things = append(things, strings.TrimSpace(m.Dice.Emoji+" "+strconv.FormatInt(m.Dice.Value, 10)))
	}
	if m.Checklist != nil {
		things = append(things, listing("checklist", m.Checklist.Title, m.Checklist.Tasks))
	}
	if present(m.Story) {
		things = append(things, "story")
	}
	if present(m.PaidMedia) {
		things = append(things, "paid media")
	}
	if present(m.Game) {
		things = append(things, "game")
	}
	if len(things) == 0 && m.words() == "" && present(m.Rich) {
		things = append(things, "formatted message")
	}
	return things
}

func listing(what, title string, items []item) string {
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = it.Text
	}
	return what + ": " + title + " (" + strings.Join(texts, " / ") + ")"
}

func (l location) words() string {
	return coordinate(l.Latitude) + ", " + coordinate(l.Longitude)
}

func coordinate(degrees float64) string {
	return strconv.FormatFloat(degrees, 'f', -1, 64)
}

func (v venue) words() string {
	return joined(v.Title, v.Address) + " (" + v.Location.words() + ")"
}

func (c contact) words() string {
	return joined(joinedBy(" ", c.FirstName, c.LastName), c.Phone)
}

func joined(parts ...string) string { return joinedBy(", ", parts...) }

func joinedBy(sep string, parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, sep)
}
