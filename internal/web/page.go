package web

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
)

//go:embed page.html
var pageTemplate string

//go:embed page.css
var pageStyle string

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
	Docs          string
	HasConfig     bool
	NotReady      error
	// Refresh: the browser loads the page again every minute.
	Refresh bool
	Status  Status
}

// Window returns the window that is shown; the zero Window where there is none.
func (d pageData) Window() Window {
	for _, w := range d.Status.Windows {
		if w.Shown {
			return w
		}
	}
	return Window{}
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
