package all_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

// page returns what is documented of a type.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "sources", name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// options are the keys of options: whether they are a type's own or, as those of rows and connections,
// of several.
type options map[string]bool

// add adds the keys of a struct, and of those in it.
func (o options) add(s reflect.Type, own bool) {
	for s.Kind() == reflect.Pointer || s.Kind() == reflect.Slice {
		s = s.Elem()
	}
	if s.Kind() != reflect.Struct {
		return
	}
	for f := range s.Fields() {
		key, inline := strings.CutSuffix(f.Tag.Get("yaml"), ",inline")
		switch {
		case inline:
			o.add(f.Type, false)
		case key != "":
			o[key] = own
			o.add(f.Type, own)
		}
	}
}

var (
	code = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	word = regexp.MustCompile(`[a-z][a-z0-9_]*`)
	// head is the first cell of a table's row.
	head   = regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|")
	secret = regexp.MustCompile(`/run/secrets/[\w.-]+`)
)

func TestOptionsAreDocumented(t *testing.T) {
	for _, typ := range all.Types() {
		text := page(t, typ.Name)
		words := map[string]bool{}
		for _, quoted := range code.FindAllString(text, -1) {
			for _, w := range word.FindAllString(quoted, -1) {
				words[strings.TrimSuffix(w, "_file")], words[w] = true, true
			}
		}
		keys := options{}
		keys.add(reflect.TypeOf(typ.Options()), true)
		for key, own := range keys {
			if own && !words[key] {
				t.Errorf("docs/sources/%s.md lacks the option %s", typ.Name, key)
			}
		}
		_, section, _ := strings.Cut(text, "\n## Options\n")
		section, _, _ = strings.Cut(section, "\n## ")
		section, _, _ = strings.Cut(section, "\n### ")
		rows := head.FindAllStringSubmatch(section, -1)
		if len(rows) == 0 {
			t.Errorf("docs/sources/%s.md has no table of options", typ.Name)
		}
		for _, row := range rows {
			for _, key := range word.FindAllString(row[1], -1) {
				_, plain := keys[key]
				_, file := keys[strings.TrimSuffix(key, "_file")]
				if key != "or" && !plain && !file {
					t.Errorf("docs/sources/%s.md has %s, which is no option", typ.Name, key)
				}
			}
		}
	}
}

// The first example of a page is a source that can be opened.
func TestExamplesOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, typ := range all.Types() {
		_, example, _ := strings.Cut(page(t, typ.Name), "```yaml\nsources:\n")
		example, _, _ = strings.Cut(example, "```")
		text := "timezone: Europe/Berlin\ncurrency: EUR\nledger: {path: b2b.db}\nsources:\n" + secret.ReplaceAllString(example, file)
		c, err := config.Parse("b2b.yml", []byte(text), config.Schema{Sources: all.Options()})
		if err != nil {
			t.Errorf("docs/sources/%s.md: %v", typ.Name, err)
			continue
		}
		src, _, err := all.Open(c.Sources[0], all.Deps{})
		if err != nil || src.Type() != typ.Name {
			t.Errorf("docs/sources/%s.md: %v, %v", typ.Name, src, err)
		}
	}
}
