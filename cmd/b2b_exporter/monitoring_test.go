package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

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

// freeAddress returns an address of this machine at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// daemon runs a program until the test ends and waits until it is ready.
func daemon(t *testing.T, address, program string, args ...string) {
	t.Helper()
	said := &logs{}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // it is killed at the end of the test
		if t.Failed() {
			t.Logf("%s:\n%s", program, said)
		}
	})
	eventually(t, program+" is ready", func() bool {
		_, err := get(t, "http://"+address+"/-/ready")
		return err == nil
	})
}

// get returns the body of an answer with status 200.
func get(t *testing.T, address string) ([]byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", address, resp.Status, body)
	}
	return body, err
}

// getJSON decodes the answer of an API.
func getJSON(t *testing.T, address string, into any) {
	t.Helper()
	body, err := get(t, address)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("GET %s: %v", address, err)
	}
}

// message is what Alertmanager sends to a webhook.
type message struct {
	Alerts []struct {
		Status              string
		Labels, Annotations map[string]string
	}
}

// inbox keeps what webhooks receive, by the last part of their path.
type inbox struct {
	mu       sync.Mutex
	messages map[string][]message
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages[r.URL.Path] = append(b.messages[r.URL.Path], m)
}

// find returns the descriptions of an alert that a receiver got in a status, in the order in which they
// came. A label is given as name=value.
func (b *inbox) find(receiver, status, alert, label string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	name, value, _ := strings.Cut(label, "=")
	var list []string
	for _, m := range b.messages["/"+receiver] {
		for _, a := range m.Alerts {
			if a.Status == status && a.Labels["alertname"] == alert && a.Labels[name] == value {
				list = append(list, a.Annotations["description"])
			}
		}
	}
	return list
}

// await waits until a receiver gets an alert and returns its description.
func (b *inbox) await(t *testing.T, receiver, status, alert, label string) string {
	t.Helper()
	var found []string
	eventually(t, fmt.Sprintf("%s gets that %s{%s} is %s", receiver, alert, label, status), func() bool {
		found = b.find(receiver, status, alert, label)
		return len(found) > 0
	})
	return found[0]
}

// monitoring is a Prometheus and an Alertmanager with the shipped rules and the shipped
// example, which send to the inbox.
type monitoring struct {
	prometheus, alertmanager string
	inbox                    *inbox
	began                    time.Time
}

// newMonitoring scrapes a target every second. Of the rules only the waiting times are
// changed, of Alertmanager's configuration these and the receivers' addresses.
func newMonitoring(t *testing.T, target string) *monitoring {
	t.Helper()
	prometheus, alertmanager := tool(t, "prometheus"), tool(t, "prometheus-alertmanager")
	m := &monitoring{freeAddress(t), freeAddress(t), &inbox{messages: map[string][]message{}}, time.Now()}
	hooks := httptest.NewServer(m.inbox)
	t.Cleanup(hooks.Close)
	dir := t.TempDir()
	shipped := func(name string, changes map[string]string) {
		data, err := os.ReadFile(filepath.Join("..", "..", "alerts", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for pattern, with := range changes {
			changed := regexp.MustCompile(pattern).ReplaceAllString(text, with)
			if changed == text {
				t.Fatalf("%s: nothing is like %s", name, pattern)
			}
			text = changed
		}
		write(t, dir, name, text)
	}
	shipped("b2b.rules.yml", map[string]string{`(?m)( for|keep_firing_for): \w+$`: "$1: 2s"})
	shipped("alertmanager.example.yml", map[string]string{
		`group_wait: \w+`: "group_wait: 1s", `group_interval: \w+`: "group_interval: 1s", `http://127\.0\.0\.1:8080`: hooks.URL,
	})
	write(t, dir, "prometheus.yml", fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [b2b.rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ["%s"]}]}]}
scrape_configs: [{job_name: b2b_exporter, static_configs: [{targets: ["%s"]}]}]
`, m.alertmanager, target))
	daemon(t, m.alertmanager, alertmanager, "--config.file="+filepath.Join(dir, "alertmanager.example.yml"),
		"--storage.path="+filepath.Join(dir, "alertmanager"), "--web.listen-address="+m.alertmanager, "--cluster.listen-address=")
	daemon(t, m.prometheus, prometheus, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "prometheus"), "--web.listen-address="+m.prometheus)
	return m
}

// awaitState waits until Alertmanager treats an alert so. Labels are given as name=value.
func (m *monitoring) awaitState(t *testing.T, want, alert string, labels ...string) {
	t.Helper()
	filter := url.Values{"filter": append([]string{"alertname=" + alert}, labels...)}
	eventually(t, fmt.Sprintf("%s%v is %s", alert, labels, want), func() bool {
		var found []struct{ Status struct{ State string } }
		getJSON(t, "http://"+m.alertmanager+"/api/v2/alerts?"+filter.Encode(), &found)
		return len(found) == 1 && found[0].Status.State == want
	})
}

// point is a series of an answer.
type point struct {
	labels map[string]string
	value  float64
}

// results returns what an expression gives now.
func (m *monitoring) results(t *testing.T, expression string) []point {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	getJSON(t, "http://"+m.prometheus+"/api/v1/query?"+url.Values{"query": {expression}}.Encode(), &answer)
	var list []point
	for _, r := range answer.Data.Result {
		value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			t.Fatalf("%s: %v", expression, err)
		}
		list = append(list, point{r.Metric, value})
	}
	return list
}

// query returns the value of an expression that has one series; empty where it has not.
func (m *monitoring) query(t *testing.T, expression string) string {
	t.Helper()
	found := m.results(t, expression)
	if len(found) != 1 {
		return ""
	}
	return strconv.FormatFloat(found[0].value, 'f', -1, 64)
}

// series returns how many series a selector has had since the beginning.
func (m *monitoring) series(t *testing.T, selector string) int {
	t.Helper()
	var answer struct{ Data []any }
	query := url.Values{"match[]": {selector}, "start": {m.began.Format(time.RFC3339)}}
	getJSON(t, "http://"+m.prometheus+"/api/v1/series?"+query.Encode(), &answer)
	return len(answer.Data)
}

// selectors returns those of the rules that Prometheus has loaded, each once.
func (m *monitoring) selectors(t *testing.T) []string {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Query, Health, LastError string }
			}
		}
	}
	getJSON(t, "http://"+m.prometheus+"/api/v1/rules", &answer)
	var list []string
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			list = append(list, selectors(r.Query)...)
			if r.Health != "ok" {
				t.Errorf("rule %s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// What follows picks the vector selectors out of an expression that Prometheus has
// formatted: names that are neither functions nor keywords nor in a list of labels.
var (
	labelList = regexp.MustCompile(`\b(by|without|on|ignoring|group_left|group_right) \([^)]*\)`)
	timeRange = regexp.MustCompile(`\[\w+\]`)
	nameInUse = regexp.MustCompile(`([a-zA-Z_:][\w:]*)(\{[^}]*\}|\s*\()?`)
)

func selectors(expression string) []string {
	var list []string
	text := timeRange.ReplaceAllString(labelList.ReplaceAllString(expression, " "), "")
	for _, m := range nameInUse.FindAllStringSubmatch(text, -1) {
		if name, rest := m[1], m[2]; !strings.HasSuffix(rest, "(") && !slices.Contains([]string{"and", "or", "unless", "bool"}, name) {
			list = append(list, name+rest)
		}
	}
	return list
}
