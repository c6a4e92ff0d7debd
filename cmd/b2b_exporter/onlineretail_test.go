package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/collector"
)

// onlineRetailAsOf is the moment of the expected samples.
const onlineRetailAsOf = "--as-of=2011-12-10T12:00:00Z"

// onlineRetail returns a directory with the configuration and the public data set of
// examples/online-retail.yml (Online Retail, UCI, CC BY 4.0), which is not part of the
// repository, and the directory of its expected samples. Where it is not beside the
// repository the test is skipped.
func onlineRetail(t *testing.T) (dir, expected string) {
	t.Helper()
	expected, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "data", "online-retail"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(expected); errors.Is(err, os.ErrNotExist) {
		t.Skip("the data set is not there")
	}
	config, err := os.ReadFile(filepath.Join("..", "..", "examples", "online-retail.yml"))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	write(t, dir, "b2b.yml", string(config))
	if err := os.Mkdir(filepath.Join(dir, "online-retail"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"orders.csv", "refunds.csv"} {
		if err := os.Symlink(filepath.Join(expected, name), filepath.Join(dir, "online-retail", name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, expected
}

// The binary reads the data set, also when it is killed at random moments, and the
// figures are the expected ones.
func TestOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a year of invoices several times")
	}
	dir, expected := onlineRetail(t)
	binary := build(t)
	began := time.Now()
	if !binary.sync(t, dir, time.Hour) {
		t.Fatal("sync was killed, though nobody did")
	}
	took := time.Since(began)
	t.Run("kill", func(t *testing.T) { testKill(t, binary, dir, took) })
	config, err := os.ReadFile(filepath.Join(dir, "b2b.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for file, more := range map[string]string{
		"expected-2011-12-10.prom":             "",
		"expected-2011-12-10-inactive90d.prom": "customers: {inactive_after: 90d}\n",
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(expected, file))
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "b2b.yml", string(config)+"\n"+more)
			args := []string{"kpis", onlineRetailAsOf, "--output=prometheus"}
			for _, c := range collector.Collectors() {
				// The files are about what a shop alone tells.
				if !slices.Contains([]string{"orders", "customers", "goals", "exporter"}, c.Name()) {
					args = append(args, "--no-collector."+c.Name())
				}
			}
			out := runIn(t, dir, args...).ok(t).out
			newExpectation(t, string(text)).compare(t, parse(t, out))
		})
	}
}

// expectation is a file of expected samples with what its comments say.
type expectation struct {
	samples   map[string]float64
	metrics   map[string]bool     // that the file is about
	undefined map[string]bool     // samples that must not be
	none      map[string][]string // by metric, labels that no sample may have together
	derived   map[string]bool     // metrics of which there are no other samples
}

func newExpectation(t *testing.T, text string) expectation {
	t.Helper()
	e := expectation{
		samples: parse(t, text), metrics: map[string]bool{}, undefined: map[string]bool{}, none: map[string][]string{}, derived: map[string]bool{},
	}
	for k := range e.samples {
		e.metrics[metric(k)] = true
	}
	comment := regexp.MustCompile(`^# (undefined|none|derived) (\w+)(\{.*\})?`)
	label := regexp.MustCompile(`\w+="[^"]*"`)
	for line := range strings.Lines(text) {
		m := comment.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		e.metrics[m[2]] = true
		switch m[1] {
		case "undefined":
			for k := range parse(t, m[2]+m[3]+" 0\n") {
				e.undefined[k] = true
			}
		case "none":
			e.none[m[2]] = label.FindAllString(m[3], -1)
		case "derived":
			e.derived[m[2]] = true
		}
	}
	if len(e.samples) == 0 || len(e.undefined) == 0 || len(e.none) == 0 || len(e.derived) == 0 {
		t.Fatalf("the file holds %d samples, %d undefined, %d none and %d derived ones", len(e.samples), len(e.undefined), len(e.none), len(e.derived))
	}
	return e
}

func (e expectation) compare(t *testing.T, got map[string]float64) {
	t.Helper()
	for k, want := range e.samples {
		if value, ok := got[k]; !ok {
			t.Errorf("%s: no sample, want %v", k, want)
		} else if !near(k, value, want) {
			t.Errorf("%s is %v, want %v", k, value, want)
		}
	}
	for k, value := range got {
		name := metric(k)
		if _, ok := e.samples[k]; ok || !e.metrics[name] {
			continue
		}
		why := "the file does not have it"
		switch labels, none := e.none[name]; {
		case e.undefined[k]:
			why = "the file says that it is undefined"
		case none && containsAll(k, labels):
			why = "the file says that there is none of these"
		case e.derived[name]:
			why = "the file says that it has all of this metric"
		}
		t.Errorf("%s is %v: %s", k, value, why)
	}
}

func containsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}
