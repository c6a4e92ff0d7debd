package web

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"time"
)

//go:embed page.html
var pageTemplate string

//go:embed page.css
var pageStyle string

// Status is what the page shows. All text is shown as it is.
type Status struct {
	// AsOf is the moment of the values that are exposed; zero before there are any.
	AsOf      Moment
	Headlines []Headline
	Streams   []Stream // in the order of their rows
}

// Moment is a time and how far it is from now, such as "3 minutes ago".
type Moment struct {
	At       time.Time // zero where there is none
	Relative string
}

// RFC3339 returns the time in UTC, to the second.
func (m Moment) RFC3339() string { return m.At.UTC().Format(time.RFC3339) }

// Headline is a number at the top of the page, formatted with its unit.
type Headline struct {
	Label, Value string
	Detail       string // such as its window; may be empty
}

// Stream is a stream of a source.
type Stream struct {
	Source, Vendor, Stream string
	// Up: the last poll succeeded.
	Up bool
	// Stale: the last success is so long ago that the KPIs that need the stream are absent.
	Stale bool
	// Error is why the last poll failed; empty where it did not.
	Error       string
	LastSuccess Moment // zero before the first
	NextPoll    Moment // zero where none is planned
}

// State returns the stream's state in words, of which the page also takes the colour.
func (s Stream) State() string {
	switch {
	case s.Stale && s.Up:
		return "stale"
	case s.Stale:
		return "down, stale"
	case s.Up:
		return "up"
	case s.Error == "" && s.LastSuccess.At.IsZero():
		return "waiting"
	}
	return "down"
}

// Class returns the stream's CSS class.
func (s Stream) Class() string {
	switch s.State() {
	case "up":
		return "good"
	case "waiting":
		return "waiting"
	case "stale":
		return "warning"
	}
	return "bad"
}

// page is the parsed page and the policy under which a browser shows it.
type page struct {
	template *template.Template
	style    template.CSS
	policy   string // Content-Security-Policy
}

type pageData struct {
	Style         template.CSS
	Version       string
	TelemetryPath string
	HasConfig     bool
	NotReady      error
	Status        Status
}

func newPage() (*page, error) {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse the page: %w", err)
	}
	hash := sha256.Sum256([]byte(pageStyle))
	return &page{
		template: t,
		style:    template.CSS(pageStyle),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}, nil
}
