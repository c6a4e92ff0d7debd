package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func reference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// keysOf returns the paths of all settings below a struct: costs[].name.
func keysOf(v reflect.Value, path string) []string {
	var keys []string
	for _, f := range fields(v) {
		value, p := f.value, join(path, f.key)
		if value.Kind() == reflect.Slice && nodeKind(reflect.New(value.Type().Elem()).Elem()) == nodeKind(v) {
			value, p = reflect.New(value.Type().Elem()).Elem(), p+"[]"
		}
		if nodeKind(value) == nodeKind(v) && value.Kind() == reflect.Struct {
			keys = append(keys, keysOf(value, p)...)
			continue
		}
		keys = append(keys, p)
	}
	return keys
}

func TestEveryKeyIsDocumented(t *testing.T) {
	keys := keysOf(reflect.ValueOf(defaultFile()).Elem(), "")
	var documented []string
	for _, table := range strings.Split(reference(t), "| key |")[1:] {
		table, _, _ = strings.Cut(table, "\n\n")
		for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
			documented = append(documented, m[1])
		}
	}
	for _, key := range keys {
		if !slices.Contains(documented, key) {
			t.Errorf("docs/configuration.md has no row for %s", key)
		}
	}
	for _, key := range documented {
		if !slices.Contains(keys, key) {
			t.Errorf("docs/configuration.md describes %s, which is no key", key)
		}
	}
}

func TestDocumentedExamplesLoad(t *testing.T) {
	schema := testSchema()
	schema.Sources["shopify"] = schema.Sources["shop"]
	token, err := filepath.Abs("testdata/secrets/token")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(reference(t), -1)
	if len(examples) < 10 {
		t.Fatalf("found %d examples", len(examples))
	}
	for _, m := range examples {
		text := strings.ReplaceAll(m[1], "/run/secrets/shopify", token)
		if !strings.Contains(text, "timezone:") {
			text = "timezone: Europe/Berlin\ncurrency: EUR\n" + text
		}
		if _, err := Parse("b2b.yml", []byte(text), schema); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

func namesIn(text string) []string {
	var names []string
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

func TestDocumentedChannels(t *testing.T) {
	text := reference(t)
	_, social, _ := strings.Cut(text, "A social network is a source whose name contains ")
	social, _, _ = strings.Cut(social, ".\n\n")
	_, table, found := strings.Cut(text, "| medium | source | channel |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if !found {
		t.Fatal("docs/configuration.md has no table of channels")
	}
	var rules record.ChannelRules
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 3 {
			t.Fatalf("row %q has %d cells", row, len(cells))
		}
		media := namesIn(cells[0])
		switch cells[0] {
		case "none":
			media = []string{""}
		case "any other":
			media = []string{"carrier pigeon"}
		}
		sources := namesIn(cells[1])
		switch cells[1] {
		case "none":
			sources = []string{""}
		case "social network":
			sources = namesIn(social)
		case "any other":
			sources = []string{"example"}
		case "any":
			sources = append(namesIn(social), "", "direct", "example")
		}
		want := namesIn(cells[2])[0]
		if len(media) == 0 || len(sources) == 0 {
			t.Fatalf("row %q names no medium or no source", row)
		}
		for _, medium := range media {
			for _, source := range sources {
				got := rules.Classify(record.Touch{Source: source, Medium: strings.ToUpper(medium)}).Channel
				if got != want {
					t.Errorf("source %q, medium %q: channel is %s, documented is %s", source, medium, got, want)
				}
			}
		}
	}
	code, err := os.ReadFile("../record/channel.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ = strings.Cut(string(code), "func defaultChannel")
	for _, m := range regexp.MustCompile(`"([^" ]+)"`).FindAllStringSubmatch(table, -1) {
		if !strings.Contains(text, "`"+m[1]+"`") {
			t.Errorf("docs/configuration.md does not name %s, which internal/record/channel.go does", m[1])
		}
	}
	for _, name := range record.Channels() {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/configuration.md does not name the channel %s", name)
		}
	}
}
