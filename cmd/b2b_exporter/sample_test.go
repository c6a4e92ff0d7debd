package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

var update = flag.Bool("update", false, "write testdata/sample.* anew")

// sampleAsOf is the moment for which the README shows the sample company.
const sampleAsOf = "--as-of=2026-10-31T12:00:00Z"

// sampleCompany returns a copy of the sample company, whose ledger is then not written
// beside it.
func sampleCompany(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "examples", "sample"))); err != nil {
		t.Fatal(err)
	}
	for _, ledger := range []string{"b2b.db", "b2b.db-wal", "b2b.db-shm"} {
		if err := os.RemoveAll(filepath.Join(dir, ledger)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The README's first command and the whole exposition.
func TestSampleCompany(t *testing.T) {
	dir := sampleCompany(t)
	table := runIn(t, dir, "kpis", "--sync", sampleAsOf).ok(t)
	if strings.Contains(table.errors, "level=WARN") || strings.Contains(table.errors, "level=ERROR") {
		t.Errorf("reading the sample company warns:\n%s", table.errors)
	}
	exposition := runIn(t, dir, "kpis", "--output=prometheus", sampleAsOf).ok(t).out
	golden(t, "sample.txt", table.out)
	golden(t, "sample.prom", exposition)
	// The poll's table must not come between.
	printed := runIn(t, dir, "kpis", "--sync", "--output=json", sampleAsOf).ok(t).out
	t.Run("JSON", func(t *testing.T) { testJSON(t, printed, exposition) })

	problems, err := promlint.New(strings.NewReader(exposition)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got); where that is right, run go test ./cmd/b2b_exporter -run TestSampleCompany -update:\n%s", path, diff)
	}
}

// The README's excerpt is what its command prints.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	printed, err := os.ReadFile(filepath.Join("testdata", "sample.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(string(printed)) {
		lines[strings.Join(strings.Fields(line), " ")] = true
	}
	shown := 0
	for line := range strings.Lines(string(readme)) {
		if !strings.HasPrefix(line, "b2b_") || strings.HasPrefix(line, "b2b_exporter") {
			continue
		}
		shown++
		if !lines[strings.Join(strings.Fields(line), " ")] {
			t.Errorf("the README shows a line that the command does not print: %s", line)
		}
	}
	if shown == 0 {
		t.Error("the README shows none of the command's lines")
	}
}

// The README's configuration is valid.
func TestReadmeConfiguration(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "\n```yaml\n")
	config, _, ends := strings.Cut(rest, "\n```\n")
	if !found || !ends {
		t.Fatal("the README has no block of YAML")
	}
	dir := t.TempDir()
	write(t, dir, "b2b.yml", config)
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`secrets/(\S+?)[,}]`).FindAllStringSubmatch(config, -1) {
		write(t, filepath.Join(dir, "secrets"), m[1], "secret")
	}
	c := &command{configFile: filepath.Join(dir, "b2b.yml")}
	cfg, err := c.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Sources) == 0 {
		t.Error("it has no sources")
	}
}

func testJSON(t *testing.T, out, exposition string) {
	var list []struct {
		Metric string            `json:"metric"`
		Labels map[string]string `json:"labels"`
		Value  float64           `json:"value"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, s := range list {
		got[key(s.Metric, s.Labels)] = s.Value
	}
	if len(got) != len(list) {
		t.Errorf("%d samples have %d label sets", len(list), len(got))
	}
	if diff := cmp.Diff(parse(t, exposition), got); diff != "" {
		t.Errorf("JSON differs from the exposition (-exposition +JSON):\n%s", diff)
	}
}
