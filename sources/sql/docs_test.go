package sql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/config"
)

func documented(t *testing.T) []*config.Config {
	t.Helper()
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "sources", "sql.md"))
	if err != nil {
		t.Fatal(err)
	}
	secret := secretFile(t, "postgres://exporter@db.example.com/erp")
	var list []*config.Config
	for _, part := range strings.Split(string(document), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(part, "```")
		for _, name := range []string{"erp", "warehouse"} {
			text = strings.ReplaceAll(text, "/run/secrets/"+name, secret)
		}
		text = "timezone: Europe/Berlin\ncurrency: EUR\nledger: {path: b2b.db}\n" + text
		c, err := config.Parse("b2b.yml", []byte(text), config.Schema{Sources: map[string]func() config.Options{
			Type: func() config.Options { return &Options{} },
		}})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func TestDocumentedConfigurations(t *testing.T) {
	queries := 0
	for _, c := range documented(t) {
		for _, s := range c.Sources {
			src, err := New(s.Name, *s.Options.(*Options))
			if err != nil {
				t.Fatal(err)
			}
			queries += len(src.queries)
		}
	}
	if queries != 5 {
		t.Errorf("%d queries are documented, want 5", queries)
	}
}

// checkDocumented runs the documented queries of an engine; want is how many records
// they give, by source and stream.
func checkDocumented(t *testing.T, s *server, want map[string]int) {
	t.Helper()
	for _, c := range documented(t) {
		o := *c.Sources[0].Options.(*Options)
		if o.Driver != s.driver {
			continue
		}
		o.DSN = config.FileSecret(secretFile(t, s.dsn(s.address)))
		src, err := New(c.Sources[0].Name, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, stream := range src.Streams() {
			got, err := fetchAll(t, src, stream.Name, "", nil)
			name := src.Name() + " " + stream.Name
			if n, ok := want[name]; !ok || err != nil || len(got.records) != n || len(got.rejected) > 0 {
				t.Errorf("%s: %d records, want %d; rejected %q, %v", name, len(got.records), n, got.rejected, err)
			}
			delete(want, name)
		}
	}
	if len(want) > 0 {
		t.Errorf("not documented: %v", want)
	}
}
