package sourcetest

import (
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/config"
)

// Options returns the options of a source of the type typ, as a configuration gives them. Text stands
// in the source's mapping behind its name and type, such as ", url: http://vendor.test".
func Options[O config.Options](typ string, defaults func() O, text string) (O, error) {
	text = "timezone: Europe/Berlin\ncurrency: EUR\nledger: {path: b2b.db}\nsources:\n  - {name: tested, type: " + typ + text + "}\n"
	c, err := config.Parse("b2b.yml", []byte(text), config.Schema{
		Sources: map[string]func() config.Options{typ: func() config.Options { return defaults() }},
	})
	if err != nil {
		var none O
		return none, err
	}
	return c.Sources[0].Options.(O), nil
}

// BadOptions parses texts as Options does. Each must be refused with an error that holds what the
// map has for it, such as the path of the option.
func BadOptions[O config.Options](t *testing.T, typ string, defaults func() O, texts map[string]string) {
	t.Helper()
	for text, part := range texts {
		if _, err := Options(typ, defaults, text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: got %v, want an error with %q", text, err, part)
		}
	}
}
