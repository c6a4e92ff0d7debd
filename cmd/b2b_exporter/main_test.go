package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// result is what a command left behind.
type result struct {
	code        int
	out, errors string
}

// noon is what the clock shows where a test does not set it.
func noon() time.Time { return time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC) }

// at returns a clock that stands still.
func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// runAt runs a command at a moment with the configuration b2b.yml in dir.
func runAt(t *testing.T, now func() time.Time, dir string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	c := &command{stdout: &out, stderr: &errs, now: now}
	code := c.run(t.Context(), append([]string{"--config.file=" + filepath.Join(dir, "b2b.yml")}, args...))
	return result{code, out.String(), errs.String()}
}

func runIn(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return runAt(t, noon, dir, args...)
}

// ok stops the test unless the command did what was asked.
func (r result) ok(t *testing.T) result {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit code %d, want 0\n%s%s", r.code, r.out, r.errors)
	}
	return r
}

// fails checks the exit code of a command that cannot do what was asked, and that it
// says why.
func (r result) fails(t *testing.T, code int, why ...string) result {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, text := range why {
		if !strings.Contains(r.errors, text) {
			t.Errorf("the message does not say %q:\n%s", text, r.errors)
		}
	}
	return r
}

// shopConfig reads orders.csv and refunds.csv of a shop.
const shopConfig = `timezone: Europe/Berlin
currency: EUR
ledger: {path: b2b.db}
sources:
  - name: shop
    type: csv
    files:
      - {path: orders.csv, record: order}
      - {path: refunds.csv, record: refund}
`

const shopOrders = `id,customer,placed_at,currency,gross
1,c1,2026-06-29T10:00:00Z,EUR,100.00
2,c1,2026-06-30T10:00:00Z,EUR,50.00
3,c2,2026-06-30T11:00:00Z,EUR,25.50
`

const shopRefunds = `id,order,at,amount
r1,1,2026-06-30T09:00:00Z,10.00
`

// newShop returns a directory with the shop's configuration and files; changes replace
// or add files by name.
func newShop(t *testing.T, changes map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"b2b.yml": shopConfig, "orders.csv": shopOrders, "refunds.csv": shopRefunds}
	maps.Copy(files, changes)
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}

// write replaces a file as a program would that readers must not disturb.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// row returns the row of a printed table that begins with these cells.
func row(t *testing.T, table string, cells ...string) []string {
	t.Helper()
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) >= len(cells) && strings.Join(fields[:len(cells)], " ") == strings.Join(cells, " ") {
			return fields
		}
	}
	t.Fatalf("no row %v in\n%s", cells, table)
	return nil
}

// synced checks the row of a stream: inserted, updated, unchanged, deleted, rejected and
// rounded, and the result.
func synced(t *testing.T, table, source, stream, want string) {
	t.Helper()
	fields := row(t, table, source, stream)
	if got := strings.Join(fields[2:8], " ") + " " + last(fields); got != want {
		t.Errorf("%s/%s: %s, want %s", source, stream, got, want)
	}
}

func TestExitCodes(t *testing.T) {
	dir := newShop(t, nil)
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--help"}, 0, ""},
		{[]string{"--version"}, 0, ""},
		{[]string{"metrics"}, 0, ""},
		{[]string{"check"}, 0, ""},
		{[]string{"sync"}, 0, ""},
		{[]string{"kpis"}, 0, ""},
		{[]string{"kpis", "--sync"}, 0, ""},
		{[]string{"synchronise"}, 2, "synchronise"},
		{[]string{"kpis", "--as-off=2026-01-01"}, 2, "as-off"},
		{[]string{"kpis", "--output=xml"}, 2, "xml"},
		{[]string{"kpis", "--match=("}, 2, "--match"},
		{[]string{"kpis", "--as-of=yesterday"}, 2, "--as-of"},
		{[]string{"--log.level=loud", "sync"}, 2, "loud"},
	} {
		r := runIn(t, dir, test.args...)
		if r.code != test.code {
			t.Errorf("%v: exit code %d, want %d: %s", test.args, r.code, test.code, r.errors)
		}
		if !strings.Contains(r.errors, test.says) {
			t.Errorf("%v: %q does not say %q", test.args, r.errors, test.says)
		}
		if test.code == 2 && r.out != "" {
			t.Errorf("%v: a wrong command line prints to standard output:\n%s", test.args, r.out)
		}
	}
}

func TestConfigurationErrors(t *testing.T) {
	for name, test := range map[string]struct {
		config string
		says   []string
	}{
		"wrong YAML":      {"timezone: [Europe/Berlin\n", []string{"b2b.yml:"}},
		"unknown key":     {shopConfig + "stalenes: 1h\n", []string{"b2b.yml:10: stalenes", "staleness"}},
		"two errors":      {"timezone: Europe/Nowhere\ncurrency: euro\n", []string{"b2b.yml:1: timezone", "b2b.yml:2: currency"}},
		"no secret file":  {strings.Replace(shopConfig, "b2b.db", "b2b.db, key_file: no-such-key", 1), []string{"b2b.yml:3: ledger.key_file", "no-such-key"}},
		"reserved source": {strings.Replace(shopConfig, "name: shop", "name: configuration", 1), []string{"line 5", "configuration", "another name"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newShop(t, map[string]string{"b2b.yml": test.config})
			for _, command := range []string{"sync", "kpis", "check"} {
				runIn(t, dir, command).fails(t, 1, test.says...)
			}
			if _, err := os.Stat(filepath.Join(dir, "b2b.db")); err == nil {
				t.Error("a ledger was made for a wrong configuration")
			}
		})
	}
	runIn(t, t.TempDir(), "sync").fails(t, 1, "b2b.yml", "no such file")
}

func TestMetricsCommand(t *testing.T) {
	out := runIn(t, t.TempDir(), "metrics").ok(t).out
	for _, text := range []string{"## Collector `orders`", "| `b2b_revenue_net` | gauge | currency |"} {
		if !strings.Contains(out, text) {
			t.Errorf("the reference does not hold %q", text)
		}
	}
}
