// Package alerts holds the rules for Prometheus, an example for Alertmanager and the
// runbooks, which its tests hold against each other.
package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/b2bexporter/b2b_exporter/collector"
)

// rule is an alerting or a recording rule.
type rule struct {
	Alert, Record, Expr string
	For                 string
	KeepFiringFor       string `yaml:"keep_firing_for"`
	Labels, Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	data, err := os.ReadFile("b2b.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	decoder.KnownFields(true)
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 {
		t.Fatalf("%d groups, want 1: the alerts read what the recording rules before them have just computed", len(file.Groups))
	}
	return file.Groups[0].Rules
}

// alerts returns the alerting rules.
func alerts(t *testing.T) []rule {
	t.Helper()
	return slices.DeleteFunc(rules(t), func(r rule) bool { return r.Alert == "" })
}

// names returns the names of the alerts, sorted.
func names(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, r := range alerts(t) {
		list = append(list, r.Alert)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	summaries := map[string]string{}
	for _, r := range alerts(t) {
		ofKPI := strings.Contains(r.Expr, "kpi:b2b_kpi_fresh:bool == 1")
		// The severity of an alert with thresholds is that of the threshold.
		if severity, found := r.Labels["severity"]; !found && !strings.Contains(r.Expr, "(b2b_kpi_threshold") {
			t.Errorf("%s has no severity", r.Alert)
		} else if found && !slices.Contains([]string{"critical", "warning", "info"}, severity) {
			t.Errorf("%s has the severity %s", r.Alert, severity)
		}
		if r.Labels["severity"] != "info" && r.For == "" {
			t.Errorf("%s fires at once, also for a moment's trouble", r.Alert)
		}
		if ofKPI && (r.For != "6h" || r.KeepFiringFor != "30h" || !strings.Contains(r.Expr, "(b2b_kpi_undefined)")) {
			t.Errorf("%s does not wait, stay or keep quiet as the others on KPIs do", r.Alert)
		}
		if s := r.Annotations["summary"]; !regexp.MustCompile(`^[A-Z][^{]+\.$`).MatchString(s) {
			t.Errorf("%s: summary %q is not a sentence that always stays the same", r.Alert, s)
		} else if was := summaries[r.Alert]; was != "" && was != s {
			t.Errorf("%s has two summaries", r.Alert)
		} else {
			summaries[r.Alert] = s
		}
		if d := r.Annotations["description"]; !strings.Contains(d, "{{ $") {
			t.Errorf("%s: the description does not name what it is about: %q", r.Alert, d)
		}
		const runbooks = "https://github.com/b2bexporter/b2b_exporter/blob/main/alerts/runbooks/"
		if got, want := r.Annotations["runbook_url"], runbooks+r.Alert+".md"; got != want {
			t.Errorf("%s: runbook_url %s, want %s", r.Alert, got, want)
		}
		if d := r.Annotations["dashboard_url"]; !regexp.MustCompile(`^/d/b2b-[a-z]+$`).MatchString(d) {
			t.Errorf("%s: dashboard_url %q", r.Alert, d)
		}
	}
}

// ownThreshold matches how an alert compares one KPI with its thresholds.
var ownThreshold = regexp.MustCompile(`([<>]) ignoring \([^)]*\) group_right \([^)]*\)\s+max without \(instance, pod\) \(b2b_kpi_threshold\{kpi="(\w+)"\}\)`)

// Every headline has a value to compare with its thresholds, and exactly one alert that does so, on
// the side on which trouble lies.
func TestThresholds(t *testing.T) {
	t.Parallel()
	side := func(m collector.Metric) string {
		if m.Worse > 0 {
			return "above"
		}
		return "below"
	}
	recorded, documented, want := map[string]string{}, map[string]string{}, map[string]string{}
	docs, err := os.ReadFile(filepath.Join("..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range regexp.MustCompile(`(?m)^\| (above|below) its threshold \| (.*) \|$`).FindAllStringSubmatch(string(docs), -1) {
		for _, kpi := range metricName.FindAllString(row[2], -1) {
			documented[kpi] = row[1]
		}
	}
	for _, r := range rules(t) {
		if kpi := r.Labels["kpi"]; r.Record == "kpi:b2b_kpi_value:total" {
			if recorded[kpi] != "" {
				t.Errorf("two rules give the value of %s", kpi)
			}
			recorded[kpi] = r.Labels["worse"]
		}
	}
	for _, m := range collector.Headlines() {
		want[m.Name] = side(m)
	}
	if diff := cmp.Diff(want, recorded); diff != "" {
		t.Errorf("sides of the headlines on which trouble lies (-) and of their rules (+):\n%s", diff)
	}

	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("sides of the headlines on which trouble lies (-) and what docs/configuration.md says (+):\n%s", diff)
	}

	own, left := map[string]string{}, map[string]string{}
	for _, r := range alerts(t) {
		for _, m := range ownThreshold.FindAllStringSubmatch(r.Expr, -1) {
			own[m[2]] = map[string]string{">": "above", "<": "below"}[m[1]]
		}
		if r.Alert != "B2BKPIBeyondThreshold" {
			continue
		}
		for _, m := range regexp.MustCompile(`\{worse="(\w+)", kpi![=~]"([^"]*)"\}\s+([<>]) `).FindAllStringSubmatch(r.Expr, -1) {
			if m[3] != map[string]string{"above": ">", "below": "<"}[m[1]] {
				t.Errorf("%s compares the KPIs that are worse %s by %s", r.Alert, m[1], m[3])
			}
			for kpi := range strings.SplitSeq(m[2], "|") {
				left[kpi] = m[1]
			}
		}
	}
	if diff := cmp.Diff(own, left); diff != "" || len(own) == 0 {
		t.Errorf("KPIs with an alert of their own (-) and those that B2BKPIBeyondThreshold leaves to them (+):\n%s", diff)
	}
	for kpi, s := range own {
		if m, _ := collector.Find(kpi); side(m) != s {
			t.Errorf("the alert on %s fires %s its thresholds", kpi, s)
		}
	}
}

// Every alert has a runbook of its name and every runbook an alert.
func TestRunbooks(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("runbooks/*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		found = append(found, name)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var headings []string
		for _, m := range regexp.MustCompile(`(?m)^#+ .*$`).FindAllString(string(data), -1) {
			headings = append(headings, strings.TrimLeft(m, "# "))
		}
		if want := []string{name, "Meaning", "Impact", "Diagnosis", "Mitigation"}; !slices.Equal(headings, want) {
			t.Errorf("%s: headings %q, want %q", file, headings, want)
		}
	}
	if want := names(t); !slices.Equal(found, want) {
		t.Errorf("runbooks %q, want one for each alert: %q", found, want)
	}
}

// metricName matches the exporter's metrics, without the suffixes of histograms.
var metricName = regexp.MustCompile(`\bb2b_[a-z_]+?(?:_(?:sum|count|bucket)\b|\b)`)

// Rules and texts name only metrics that the exporter has.
func TestMetrics(t *testing.T) {
	t.Parallel()
	files := []string{"b2b.rules.yml", filepath.Join("..", "docs", "alerts.md")}
	runbooks, err := filepath.Glob("runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range append(files, runbooks...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The program, Prometheus's job and the recorded series are no metrics of it.
		text := regexp.MustCompile(`\bb2b_exporter\b|\b[a-z_]+:b2b_[a-z_]+:[a-z]+\b`).ReplaceAllString(string(data), "")
		for _, name := range metricName.FindAllString(text, -1) {
			found++
			for _, suffix := range []string{"_sum", "_count", "_bucket"} {
				name = strings.TrimSuffix(name, suffix)
			}
			if _, known := collector.Find(name); !known {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d metrics found", found)
	}
}

// tool returns the path of a program of Prometheus or Alertmanager. Where it is missing, the test
// is skipped, but fails where REQUIRE_PROMETHEUS is set, as it is in CI.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("REQUIRE_PROMETHEUS") != "":
		t.Fatalf("%v; on Debian: apt-get install prometheus prometheus-alertmanager", err)
	default:
		t.Skipf("%v; on Debian: apt-get install prometheus prometheus-alertmanager", err)
	}
	return ""
}

// run runs a program and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	run(t, promtool, "check", "rules", "--lint=all", "--lint-fatal", "b2b.rules.yml")
	files, err := filepath.Glob("tests/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no tests of rules (%v)", err)
	}
	tests := ""
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests += string(data)
	}
	for _, r := range alerts(t) {
		if !strings.Contains(tests, "alertname: "+r.Alert+"\n") {
			t.Errorf("no test sees %s fire", r.Alert)
		}
		if !strings.Contains(tests, "{alertname: "+r.Alert+", ") && r.Alert != "B2BKPIHeldBack" {
			t.Errorf("no test sees %s quiet", r.Alert)
		}
	}
	run(t, promtool, append([]string{"test", "rules"}, files...)...)
}

func TestAlertmanager(t *testing.T) {
	t.Parallel()
	amtool := tool(t, "amtool")
	const config = "alertmanager.example.yml"
	run(t, amtool, "check-config", config)
	for severity, want := range map[string]string{"info": "nobody", "warning": "tickets", "critical": "pager"} {
		run(t, amtool, "config", "routes", "test", "--config.file="+config, "--verify.receivers="+want, "severity="+severity)
	}
}
