// Package dashboards holds the Grafana dashboards, which tools/dashgen generates and the
// tests here hold against the exporter's metrics, the alerts and a real Prometheus.
package dashboards

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector"
)

// board is what the tests look at of a dashboard.
type board struct {
	file         string
	UID          string
	Title        string
	Description  string
	Tags         []string
	Editable     bool
	Refresh      string
	GraphTooltip int
	Templating   struct{ List []variable }
	Annotations  struct {
		List []struct {
			Expr, Placement string
			Datasource      datasource
		}
	}
	Links  []link
	Panels []panel
}

type variable struct {
	Name, Type, Label string
	Datasource        datasource
}

type datasource struct{ Type, UID string }

type link struct {
	Type, URL, Placement string
	Tags                 []string
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               datasource
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []target
	Links                    []link
	Options                  struct {
		Orientation   string
		ReduceOptions struct{ Calcs []string }
		Content       string
	}
	FieldConfig struct {
		Defaults struct {
			Unit, NoValue string
			Thresholds    struct{ Steps []step }
			Custom        struct{ SpanNulls any }
		}
		Overrides []struct {
			Matcher    struct{ Options string }
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
}

type target struct {
	RefID, Expr, LegendFormat string
	Instant, Range            bool
	Datasource                datasource
}

type step struct {
	Color string
	Value *float64
}

func boards(t *testing.T) []board {
	t.Helper()
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 9 {
		t.Fatalf("only %d dashboards: %q", len(files), files)
	}
	var list []board
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b := board{file: file}
		if err := json.Unmarshal(data, &b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = append(list, b)
	}
	return list
}

// queries yields the queries of a dashboard's panels.
func (b board) queries() func(yield func(panel, target) bool) {
	return func(yield func(panel, target) bool) {
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				if !yield(p, q) {
					return
				}
			}
		}
	}
}

func (b board) at(p panel) string { return fmt.Sprintf("%s, panel %d %q", b.file, p.ID, p.Title) }

// chosen is the data source that the reader chooses. One by name would not be found
// where the dashboards are provisioned as files.
func chosen() datasource { return datasource{"prometheus", "${datasource}"} }

func TestBoards(t *testing.T) {
	t.Parallel()
	titles := map[string]string{}
	for _, b := range boards(t) {
		if b.UID+".json" != b.file {
			t.Errorf("%s has the uid %s", b.file, b.UID)
		}
		if !strings.HasPrefix(b.Title, "B2B / ") || titles[b.Title] != "" {
			t.Errorf("%s: title %q", b.file, b.Title)
		}
		titles[b.Title] = b.file
		if b.Description == "" || b.Editable || b.Refresh != "5m" || b.GraphTooltip != 1 || !slices.Contains(b.Tags, "b2b_exporter") {
			t.Errorf("%s: description %q, editable %t, refresh %s, crosshair %d, tags %q",
				b.file, b.Description, b.Editable, b.Refresh, b.GraphTooltip, b.Tags)
		}
		var names []string
		for _, v := range b.Templating.List {
			names = append(names, v.Name)
			if v.Label == "" || v.Type == "query" && v.Datasource != chosen() {
				t.Errorf("%s: variable %s: label %q, data source %v", b.file, v.Name, v.Label, v.Datasource)
			}
		}
		if want := []string{"datasource", "job", "window"}; !slices.Equal(names, want) && !slices.Equal(names, want[:2]) {
			t.Errorf("%s: variables %q, want %q, the window where it depends on one", b.file, names, want)
		}
		for _, l := range b.Links {
			// With a placement they are hidden in a menu.
			if l.Type != "dashboards" || !slices.Contains(l.Tags, "b2b_exporter") || l.Placement != "" {
				t.Errorf("%s: link %+v, want one to all dashboards of the tag", b.file, l)
			}
		}
		if len(b.Links) != 1 || len(b.Annotations.List) != 1 {
			t.Fatalf("%s: %d links and %d annotations, want one of each", b.file, len(b.Links), len(b.Annotations.List))
		}
		if a := b.Annotations.List[0]; !strings.Contains(a.Expr, `ALERTS{job="$job", alertname=~"B2B.+"`) || a.Datasource != chosen() || a.Placement != "" {
			t.Errorf("%s: annotation %+v", b.file, a)
		}
	}
}

func TestPanels(t *testing.T) {
	t.Parallel()
	for _, b := range boards(t) {
		taken := map[[2]int]int{}
		for i, p := range b.Panels {
			if p.ID != i+1 {
				t.Errorf("%s: id %d, want %d", b.at(p), p.ID, i+1)
			}
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if x >= 24 || taken[[2]int{x, y}] != 0 {
						t.Fatalf("%s: lies outside, or on panel %d", b.at(p), taken[[2]int{x, y}])
					}
					taken[[2]int{x, y}] = p.ID
				}
			}
			if p.Type == "text" {
				if i != 0 || !strings.Contains(p.Options.Content, "?") {
					t.Errorf("%s: want the question that the dashboard answers, at its top", b.at(p))
				}
				continue
			}
			checkPanel(t, b, p)
		}
	}
}

func checkPanel(t *testing.T, b board, p panel) {
	t.Helper()
	f := p.FieldConfig.Defaults
	if p.Title == "" || !strings.Contains(p.Description, "\n\nWindow: ") || !strings.Contains(p.Description, "\n\nSource: ") {
		t.Errorf("%s: description %q, want the formula, the window and the source", b.at(p), p.Description)
	}
	if f.Unit == "" || f.NoValue == "" || len(f.Thresholds.Steps) == 0 || p.Datasource != chosen() {
		t.Errorf("%s: unit %q, without a value %q, %d steps, data source %v", b.at(p), f.Unit, f.NoValue, len(f.Thresholds.Steps), p.Datasource)
	}
	switch p.Type {
	case "stat", "bargauge":
		if !slices.Equal(p.Options.ReduceOptions.Calcs, []string{"lastNotNull"}) || p.Options.Orientation == "" {
			t.Errorf("%s: calcs %q, orientation %q", b.at(p), p.Options.ReduceOptions.Calcs, p.Options.Orientation)
		}
	case "timeseries":
		if f.Custom.SpanNulls != true {
			t.Errorf("%s: gaps between points that are slow to come", b.at(p))
		}
	case "table":
	default:
		t.Errorf("%s: unexpected type %s", b.at(p), p.Type)
	}
	// Which window a description or caption names is the reader's choice: it must be asked for.
	dependent := strings.Contains(p.Description, "Window: $window")
	if p.Title != "" && dependent != slices.ContainsFunc(p.Targets, func(q target) bool { return strings.Contains(q.Expr, `window="$window"`) }) &&
		!slices.ContainsFunc(p.Targets, func(q target) bool { return strings.Contains(q.Expr, "b2b_kpi_change_ratio") }) {
		t.Errorf("%s: the description says %q, and the queries do not", b.at(p), p.Description)
	}
	var refs []string
	for _, q := range p.Targets {
		if q.Datasource != chosen() || q.Instant == q.Range || slices.Contains(refs, q.RefID) {
			t.Errorf("%s, query %s: data source %v, instant %t, range %t", b.at(p), q.RefID, q.Datasource, q.Instant, q.Range)
		}
		refs = append(refs, q.RefID)
	}
	if len(refs) == 0 {
		t.Errorf("%s has no query", b.at(p))
	}
}

// selector matches a selector with its matchers. All have some: at least the job.
var selector = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_:]*)\{([^}]*)\}`)

// enclosing returns what stands before each parenthesis that is open at an offset, the
// innermost first: the function or aggregation that takes what is there.
func enclosing(expr string, offset int) []string {
	var list []string
	for i, depth := offset-1, 0; i >= 0; i-- {
		switch expr[i] {
		case ')':
			depth++
		case '(':
			if depth > 0 {
				depth--
				continue
			}
			before := regexp.MustCompile(`[a-z_]+( (by|without) \([^)]*\))? ?$`).FindString(expr[:i])
			list = append(list, strings.TrimSpace(before))
		}
	}
	return list
}

// aggregation matches an aggregation and the labels that it keeps or drops.
var aggregation = regexp.MustCompile(`^(sum|min|max|avg|count)(?: (by|without) \(([^)]*)\))?$`)

// keeps says whether all aggregations around an offset of an expression keep a label.
func keeps(expr string, offset int, label string) bool {
	for _, outer := range enclosing(expr, offset) {
		m := aggregation.FindStringSubmatch(outer)
		if m == nil {
			continue
		}
		if named := slices.Contains(strings.Split(m[3], ", "), label); m[2] == "" || named != (m[2] == "by") {
			return false
		}
	}
	return true
}

func TestEnclosing(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]bool{
		`x{}`:                          true,
		`sum by (a, currency) (x{})`:   true,
		`sum by (a) (x{})`:             false,
		`sum(x{})`:                     false,
		`max without (job) (x{})`:      true,
		`max without (currency) (x{})`: false,
		`sum by (a) (y{}) + x{}`:       true,
		`topk(8, sum by (currency) (max without (pod) (x{})))`: true,
		`sum by (a) (sum by (currency) (x{}))`:                 false,
	} {
		if got := keeps(expr, strings.Index(expr, "x{"), "currency"); got != want {
			t.Errorf("%s keeps the currency: %t, want %t", expr, got, want)
		}
	}
}

// find returns the metric that a series belongs to, also one of a histogram.
func find(series string) (collector.Metric, bool) {
	for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
		if name, ok := strings.CutSuffix(series, suffix); ok {
			if m, ok := collector.Find(name); ok && (suffix == "" || m.Kind() == "histogram") {
				return m, true
			}
		}
	}
	return collector.Metric{}, false
}

func TestQueries(t *testing.T) {
	t.Parallel()
	for _, b := range boards(t) {
		for p, q := range b.queries() {
			where := b.at(p) + ", query " + q.RefID
			if len(selector.FindAllString(q.Expr, -1)) == 0 {
				t.Errorf("%s asks for no metric: %s", where, q.Expr)
			}
			for _, at := range selector.FindAllStringSubmatchIndex(q.Expr, -1) {
				name, matchers := q.Expr[at[2]:at[3]], q.Expr[at[4]:at[5]]
				if !strings.Contains(matchers, `job="$job"`) {
					t.Errorf("%s: %s of all companies: no job", where, name)
				}
				if name == "up" || name == "ALERTS" {
					continue
				}
				m, ok := find(name)
				if !ok {
					t.Errorf("%s: there is no metric %s", where, name)
					continue
				}
				checkSelector(t, where, q.Expr, at[0], m, matchers)
			}
		}
	}
}

func checkSelector(t *testing.T, where, expr string, offset int, m collector.Metric, matchers string) {
	t.Helper()
	outer := enclosing(expr, offset)
	if m.Kind() == "gauge" && outer[0] != "max without (instance, pod, job)" {
		t.Errorf("%s: %s is within %q first: replicas serve the same values", where, m.Name, outer[0])
	}
	if m.Kind() != "gauge" && outer[0] != "rate" {
		t.Errorf("%s: %s is a %s and not within rate", where, m.Name, m.Kind())
	}
	if m.Money && !keeps(expr, offset, "currency") {
		t.Errorf("%s: %s adds up amounts of several currencies", where, m.Name)
	}
	if m.HasWindow() {
		counted := slices.ContainsFunc(outer, func(o string) bool { return strings.HasPrefix(o, "count") })
		pinned := regexp.MustCompile(`window="(\$window|\d+d)?"`).MatchString(matchers)
		kept := strings.Contains(matchers, "window=~") && keeps(expr, offset, "window")
		if !pinned && !counted && !kept {
			t.Errorf("%s: %s mixes windows", where, m.Name)
		}
	}
	for _, matcher := range regexp.MustCompile(`kpi=~?"([^"]*)"`).FindAllStringSubmatch(matchers, -1) {
		for kpi := range strings.SplitSeq(matcher[1], "|") {
			if found, ok := collector.Find(kpi); !ok || !found.Headline {
				t.Errorf("%s: %s is no headline KPI", where, kpi)
			}
		}
	}
	for _, matcher := range regexp.MustCompile(`([a-z_]+)(?:=|!=|=~|!~)"`).FindAllStringSubmatch(matchers, -1) {
		if label := matcher[1]; label != "job" && !slices.Contains(m.AllLabels(), label) {
			t.Errorf("%s: %s has no label %s", where, m.Name, label)
		}
	}
}

// A change is green in the direction that is good for the KPI.
func TestColors(t *testing.T) {
	t.Parallel()
	found := 0
	for _, b := range boards(t) {
		for p, q := range b.queries() {
			kpi := regexp.MustCompile(`b2b_kpi_change_ratio\{[^}]*kpi=~?"([^"|]*)`).FindStringSubmatch(q.Expr)
			if kpi == nil {
				continue
			}
			m, _ := collector.Find(kpi[1])
			want := map[int]string{-1: "red", 1: "green"}[m.Worse]
			colored := false
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					if property.ID != "thresholds" || !strings.Contains(o.Matcher.Options, "vs ") {
						continue
					}
					var value struct{ Steps []step }
					if err := json.Unmarshal(property.Value, &value); err != nil {
						t.Fatal(err)
					}
					colored = true
					found++
					if value.Steps[0].Color != want {
						t.Errorf("%s: a fall of %s is %s, want %s", b.at(p), m.Name, value.Steps[0].Color, want)
					}
				}
			}
			if !colored {
				t.Errorf("%s: the change has no colour", b.at(p))
			}
		}
	}
	if found == 0 {
		t.Error("no change of a KPI found")
	}
}

// Links and alerts lead to dashboards that there are.
func TestLinks(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, b := range boards(t) {
		known[b.UID] = true
	}
	check := func(where, text string) {
		for _, m := range regexp.MustCompile(`/d/([\w-]+)`).FindAllStringSubmatch(text, -1) {
			if !known[m[1]] {
				t.Errorf("%s: there is no dashboard %s", where, m[1])
			}
		}
	}
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			for _, l := range p.Links {
				if l.Placement != "" {
					t.Errorf("%s: a link with a placement is hidden", b.at(p))
				}
				check(b.at(p), l.URL)
			}
		}
	}
	for _, file := range []string{filepath.Join("..", "alerts", "b2b.rules.yml"), filepath.Join("..", "docs", "dashboards.md")} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		check(file, string(data))
	}
}
