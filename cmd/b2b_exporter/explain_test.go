package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

// sampleEnd is when the files of the sample company end.
func sampleEnd() time.Time { return time.Date(2026, time.October, 31, 12, 0, 0, 0, time.UTC) }

func TestSampleCompanyExplained(t *testing.T) {
	dir := sampleCompany(t)
	runAt(t, at(sampleEnd()), dir, "sync").ok(t)
	var texts []string
	for _, args := range [][]string{
		{"b2b_customer_churn_ratio", "--window=90d"},
		{"b2b_customer_lifetime_value"},
		{"b2b_revenue_net"},
		{"b2b_lead_response_seconds", "--window=ytd"},
		{"b2b_orders", "--window=today"},
		{"b2b_ltv_cac_ratio", "--window=mtd"},
	} {
		texts = append(texts, runAt(t, at(sampleEnd()), dir, append([]string{"explain"}, args...)...).ok(t).out)
	}
	golden(t, "explain.txt", strings.Join(texts, "\n"))
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "explain.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(docs), "```text\n"+texts[0]+"```\n") {
		t.Errorf("docs/explain.md does not show what the command prints:\n%s", texts[0])
	}
}

// What the table says of headlines, and only of them.
func TestHeadlinesSayHowTheyComeAbout(t *testing.T) {
	cfg := loaded(t, sampleCompany(t)).config
	var check func(m collector.Metric, r *collector.Ratio)
	check = func(m collector.Metric, r *collector.Ratio) {
		for _, p := range []collector.Part{r.Numerator, r.Denominator} {
			if p.Name == "" || !slices.Contains([]string{"", "currency", "ratio", "seconds"}, p.Unit) {
				t.Errorf("%s has a part %q in units of %q", m.Name, p.Name, p.Unit)
			}
			if p.Ratio != nil {
				check(m, p.Ratio)
			}
		}
	}
	for _, m := range collector.Metrics() {
		if !m.Headline {
			if m.Formula != "" || m.Ratio != nil || m.ByDay || m.OfCustomers || m.Kinds != nil || m.Settings != nil {
				t.Errorf("%s is no headline, and is explained", m.Name)
			}
			continue
		}
		if m.Formula == "" || strings.ContainsAny(m.Formula, "\n\t") {
			t.Errorf("the formula of %s: %q", m.Name, m.Formula)
		}
		if m.Ratio != nil {
			check(m, m.Ratio)
		}
		if m.Unit == "ratio" && m.Ratio == nil {
			t.Errorf("%s does not say what it is a ratio of", m.Name)
		}
		if len(m.Inputs(string(cfg.Customers.Basis))) == 0 {
			t.Errorf("%s does not say what it is computed from", m.Name)
		}
		for _, key := range m.Settings {
			if settingOf(cfg, key) == "" {
				t.Errorf("%s depends on %s, of which nothing is known", m.Name, key)
			}
		}
	}
}

// loaded opens the configuration of a directory.
func loaded(t *testing.T, dir string) *app {
	t.Helper()
	c := &command{configFile: filepath.Join(dir, "b2b.yml")}
	cfg, err := c.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(cfg, all.Deps{Metrics: all.NewMetrics()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// widened gives a copy of the sample company costs, ads, a site and subscriptions.
func widened(t *testing.T) string {
	t.Helper()
	dir := sampleCompany(t)
	config, err := os.ReadFile(filepath.Join(dir, "b2b.yml"))
	if err != nil {
		t.Fatal(err)
	}
	const before = "# Where a customer came from"
	text := strings.Replace(string(config), before, `  - name: other
    type: csv
    files:
      - {path: data/spend.csv, record: spend}
      - {path: data/traffic.csv, record: traffic}
      - {path: data/subscriptions.csv, record: subscription}
`+before, 1) + `costs:
  - {name: fairs, category: marketing, amount: 900, period: month, from: 2025-01-01, channel: event}
  - {name: reps, category: sales, amount: 8000, period: month, from: 2025-01-01}
`
	write(t, dir, "b2b.yml", text)
	spend, traffic := "day,platform,campaign_id,channel,currency,cost,impressions,clicks,conversions\n", "day,site,by,channel,sessions,conversions\n"
	for day := time.Date(2025, time.August, 1, 0, 0, 0, 0, time.UTC); !day.After(sampleEnd()); day = day.AddDate(0, 0, 1) {
		date, n := day.Format(time.DateOnly), day.YearDay()
		for campaign := range 13 {
			spend += fmt.Sprintf("%s,google,c%d,paid_search,EUR,%d.%02d,%d,%d,%d\n", date, campaign, 3+n%7, campaign, 100+n, 10+n%5, 1+n%3)
		}
		traffic += fmt.Sprintf("%s,shop,channel,direct,%d,%d\n%s,shop,channel,email,%d,%d\n", date, 40+n, 2+n%3, date, 10+n%9, 1)
	}
	write(t, dir, filepath.Join("data", "spend.csv"), spend)
	write(t, dir, filepath.Join("data", "traffic.csv"), traffic)
	write(t, dir, filepath.Join("data", "subscriptions.csv"), `id,customer,state,started_at,ended_at,currency,mrr
s1,c1,active,2025-02-01,,EUR,120
s2,c2,ended,2025-02-01,2026-10-10,EUR,1500
s3,c2,active,2026-10-10,,EUR,1400
s4,c3,ended,2025-02-01,2026-10-31,PLN,90
`)
	return dir
}

// Every headline, in every window: what is told agrees with itself.
func TestExplainEveryHeadline(t *testing.T) {
	dir := widened(t)
	runAt(t, at(sampleEnd()), dir, "sync").ok(t)
	shared := &explainer{app: loaded(t, dir), at: sampleEnd(), now: sampleEnd()}
	if err := shared.read(t.Context(), openLedgerOf(t, dir)); err != nil {
		t.Fatal(err)
	}
	for _, m := range collector.Headlines() {
		names := []window.Name{""}
		if m.HasWindow() {
			names = window.Names()
		}
		defined, parted := 0, false
		for _, w := range names {
			x := *shared
			x.metric, x.window = m, w
			e, err := x.explain()
			if err != nil {
				t.Fatal(err)
			}
			if e.Value.Rat != nil {
				defined++
			}
			checkExplanation(t, &x, e)
			parted = parted || e.Complete != nil && !cmp.Equal(e.Complete.Value.Rat, e.Value.Rat, cmp.Comparer(same))
		}
		if defined == 0 {
			t.Errorf("%s has no value in any window: nothing is explained of it", m.Name)
		}
		// Costs, visits and ads of the running day count in running windows.
		if m.ByDay && !parted {
			t.Errorf("%s is never compared over complete days", m.Name)
		}
	}
}

func same(a, b *big.Rat) bool { return (a == nil) == (b == nil) && (a == nil || a.Cmp(b) == 0) }

func checkExplanation(t *testing.T, x *explainer, e *explanation) {
	t.Helper()
	where := e.KPI + " " + string(x.window)
	checkParts(t, where, e.figure, e.Numerator, e.Denominator)
	c := x.headline.Windows[x.window]
	switch {
	case x.metric.Ratio != nil && e.Value.Rat != nil && e.Numerator == nil:
		t.Errorf("%s: nothing is known of its parts", where)
	case x.metric.HasWindow() && e.Complete == nil && !same(c.Complete.Number, c.Value.Number):
		t.Errorf("%s is compared over complete days, which is not said", where)
	case (e.Value.Rat == nil) != (e.Advice != ""):
		t.Errorf("%s: value %v and advice %q", where, e.Value, e.Advice)
	}
	if additive(x.metric) && len(e.Breakdown) > 0 && e.Value.Rat != nil {
		sum := new(big.Rat)
		for _, s := range e.Breakdown {
			sum.Add(sum, s.Value.Rat)
		}
		if e.Rest != nil {
			sum.Add(sum, e.Rest.Value.Rat)
		}
		if !same(sum, e.Value.Rat) {
			t.Errorf("%s is %v, its series sum up to %v", where, e.Value, sum)
		}
	}
	if !slices.IsSortedFunc(e.Breakdown, func(a, b series) int { return b.Value.Cmp(a.Value.Rat) }) {
		t.Errorf("%s: the largest series do not come first: %v", where, e.Breakdown)
	}
	sources := map[string]bool{}
	for _, in := range e.Inputs {
		if !slices.Contains(in.Kinds, record.KindRate) {
			sources[in.Source] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(x.headline.Sources)), slices.Sorted(maps.Keys(sources))); diff != "" {
		t.Errorf("%s depends on other sources than its inputs (-sources +inputs):\n%s", where, diff)
	}
	for _, c := range e.Comparisons {
		if c.Value.Rat == nil || c.Change.Rat == nil {
			continue
		}
		value := e.Value.Rat
		if e.Complete != nil {
			value = e.Complete.Value.Rat
		}
		back := new(big.Rat).Mul(c.Value.Rat, new(big.Rat).Add(c.Change.Rat, big.NewRat(1, 1)))
		if !same(back, value) {
			t.Errorf("%s: a change of %v on %v is not %v", where, c.Change, c.Value, value)
		}
	}
}

// checkParts: a ratio is its numerator over its denominator, and so are its parts.
func checkParts(t *testing.T, where string, f figure, numerator, denominator *part) {
	t.Helper()
	if numerator == nil {
		return
	}
	if n, d := numerator.Value.Rat, denominator.Value.Rat; f.Value.Rat != nil && !same(new(big.Rat).Quo(n, d), f.Value.Rat) {
		t.Errorf("%s: %v / %v is not %v", where, n, d, f.Value)
	}
	for _, p := range []*part{numerator, denominator} {
		checkParts(t, where+": "+p.Name, p.figure, p.Numerator, p.Denominator)
	}
}

// A KPI without a value says why and what to do about it.
func TestExplainUndefined(t *testing.T) {
	const foreign = "4,c2,2026-06-20T10:00:00Z,SEK,500.00\n"
	leads := shopConfig + "      - {path: leads.csv, record: lead}\n"
	for name, test := range map[string]struct {
		changes map[string]string
		asOf    time.Duration
		args    []string
		says    []string
	}{
		"no source":          {nil, 0, []string{"b2b_marketing_cost"}, []string{"source_missing", "cost, spend", "to costs in the configuration", "No source delivers"}},
		"no source of leads": {nil, 0, []string{"b2b_lead_contact_ratio"}, []string{"source_missing", "(lead, activity)"}},
		"stale":              {nil, 27 * time.Hour, []string{"b2b_orders"}, []string{"(stale)", "more than 1 d 2 h ago", "1 d 3 h ago", "stale\n"}},
		"no rate":            {map[string]string{"orders.csv": shopOrders + foreign}, 0, []string{"b2b_revenue_net"}, []string{"(no_rate)", "other currencies than EUR", "ecb"}},
		"too young":          {nil, 0, []string{"b2b_customer_churn_ratio"}, []string{"(immature)", "2025-12-03 00:00", "2026-06-29 12:00"}},
		"too young a value":  {nil, 0, []string{"b2b_customer_lifetime_value"}, []string{"(immature)", "2025-07-06 00:00", "deliver older ones\n"}},
		"too few":            {map[string]string{"orders.csv": shopOrders + "9,c3,2024-01-01T10:00:00Z,EUR,1.00\n"}, 0, []string{"b2b_customer_lifetime_value"}, []string{"(too_few)", "30 active customers", "lifetime_minimum", "active customers"}},
		"nothing":            {nil, 0, []string{"b2b_average_order_value", "--window=today"}, []string{"(zero_denominator)", "--window", "DENOMINATOR  0"}},
		"unknown": {
			map[string]string{"b2b.yml": leads, "leads.csv": "id,created_at\nl1,2026-06-20T10:00:00Z\n"},
			0,
			[]string{"b2b_lead_contact_ratio"},
			[]string{"(no_data)", "none holds"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newShop(t, test.changes)
			runIn(t, dir, "sync").ok(t)
			out := runAt(t, at(noon().Add(test.asOf)), dir, append([]string{"explain"}, test.args...)...).ok(t).out
			for _, text := range append(test.says, "VALUE", "none: ", "TO DO") {
				if !strings.Contains(out, text) {
					t.Errorf("it does not say %q:\n%s", text, out)
				}
			}
			for line := range strings.Lines(out) {
				if strings.HasSuffix(line, " \n") {
					t.Errorf("a line ends with a space: %q", line)
				}
			}
		})
	}
}

// A stream that has never been read to its end is named, and so is why.
func TestExplainUnread(t *testing.T) {
	dir := newShop(t, map[string]string{"refunds.csv": "nothing\nuseful\n"})
	if r := runIn(t, dir, "sync"); r.code != 1 {
		t.Fatalf("sync ended with %d, want 1:\n%s", r.code, r.errors)
	}
	out := runIn(t, dir, "explain", "b2b_revenue_net").ok(t).out
	for _, text := range []string{"(immature)", "run sync", "not read to its end yet, the last attempt failed: "} {
		if !strings.Contains(out, text) {
			t.Errorf("it does not say %q:\n%s", text, out)
		}
	}
	if out := runIn(t, dir, "explain", "b2b_orders").ok(t).out; strings.Contains(out, "refund") {
		t.Errorf("orders are not counted from refunds:\n%s", out)
	}
}

func TestExplainThresholds(t *testing.T) {
	dir := newShop(t, map[string]string{"b2b.yml": shopConfig + "thresholds: [{kpi: b2b_orders, window: 30d, warning: 4, critical: 3}]\n"})
	runIn(t, dir, "sync").ok(t)
	out := runIn(t, dir, "explain", "b2b_orders").ok(t).out
	for want, cells := range map[string][]string{"CROSSED": {"warning", "below", "4"}, "not crossed": {"critical", "below", "3"}} {
		if got := strings.Join(row(t, out, cells...)[3:], " "); got != want {
			t.Errorf("%v: %s, want %s", cells, got, want)
		}
	}
}

func TestExplainRefuses(t *testing.T) {
	dir := newShop(t, nil)
	runIn(t, dir, "explain", "b2b_orders").fails(t, 1, "b2b.db", `run "b2b_exporter sync" first`)
	runIn(t, dir, "sync").ok(t)
	for _, test := range []struct {
		args []string
		says []string
	}{
		{[]string{"b2b_order"}, []string{`"b2b_order"`, "did you mean b2b_orders?"}},
		{[]string{"churn"}, []string{"did you mean ", "b2b_customer_churn_ratio?"}},
		{[]string{"customers_new"}, []string{"did you mean b2b_customers_new?"}},
		{[]string{"profits"}, []string{"use one of: b2b_orders, ", "b2b_profit_margin_ratio"}},
		{[]string{"b2b_customers_lost"}, []string{"no headline"}},
		{[]string{"b2b_customer_lifetime_value", "--window=30d"}, []string{"--window", "has no window", "--as-of"}},
		{[]string{"b2b_orders", "--window=31d"}, []string{"--window", `"31d"`, "365d"}},
		{[]string{"b2b_orders", "--as-of=yesterday"}, []string{"--as-of", `"yesterday"`}},
		{[]string{"b2b_orders", "--output=table"}, []string{"table"}},
		{nil, []string{"kpi"}},
	} {
		r := runIn(t, dir, append([]string{"explain"}, test.args...)...).fails(t, 2, test.says...)
		if r.out != "" {
			t.Errorf("%v prints to standard output:\n%s", test.args, r.out)
		}
	}
	write(t, dir, "b2b.yml", shopConfig+"windows: [7d, mtd]\n")
	runIn(t, dir, "explain", "b2b_orders", "--window=30d").fails(t, 2, "not among the configured windows [7d mtd]")
	if out := runIn(t, dir, "explain", "b2b_orders").ok(t).out; row(t, out, "WINDOW")[1] != "7d:" {
		t.Errorf("without 30d the first configured window is not the default:\n%s", out)
	}
}

// The ledger is only read: a process that holds it does not keep the command from it.
func TestExplainBesideAnExporter(t *testing.T) {
	dir := newShop(t, nil)
	runIn(t, dir, "sync").ok(t)
	openLedgerOf(t, dir)
	out := runIn(t, dir, "explain", "b2b_orders", "--as-of=2026-06-30", "--window=1d").ok(t).out
	for _, line := range []string{"WINDOW   1d: 2026-06-29\n", "AS OF    2026-06-30 00:00 in Europe/Berlin\n", "VALUE    1\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("there is no line %q:\n%s", line, out)
		}
	}
}

// figures and explained are what TestExplainJSON reads.
type figures struct {
	Value       *float64
	Reason      string
	Numerator   *figures
	Denominator *figures
}

type explained struct {
	figures
	Currency string
	Window   struct {
		LastDay string `json:"last_day"`
	}
	Breakdown   []struct{ Labels map[string]string }
	Rest        struct{ Series int }
	Comparisons []struct{ Change *float64 }
	Thresholds  []struct{ Crossed *bool }
	Inputs      []struct {
		Age *float64 `json:"age_seconds"`
	}
}

func TestExplainJSON(t *testing.T) {
	dir := sampleCompany(t)
	runAt(t, at(sampleEnd()), dir, "sync").ok(t)
	read := func(args ...string) (got explained) {
		t.Helper()
		out := runAt(t, at(sampleEnd().Add(time.Minute)), dir, append([]string{"explain", "--output=json"}, args...)...).ok(t).out
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		return got
	}
	got := read("b2b_customer_churn_ratio", "--window=90d")
	if got.Value == nil || *got.Value != *got.Numerator.Value / *got.Denominator.Value || got.Window.LastDay != "2026-10-30" {
		t.Errorf("churn: %+v", got)
	}
	if len(got.Thresholds) != 2 || got.Thresholds[0].Crossed == nil || *got.Thresholds[0].Crossed {
		t.Errorf("thresholds: %+v", got.Thresholds)
	}
	if len(got.Inputs) == 0 || got.Inputs[0].Age == nil || *got.Inputs[0].Age != 60 {
		t.Errorf("inputs: %+v", got.Inputs)
	}
	got = read("b2b_revenue_net")
	if got.Currency != "EUR" || len(got.Breakdown) != breakdownLength || got.Rest.Series == 0 || got.Breakdown[0].Labels["store"] == "" || got.Comparisons[0].Change == nil {
		t.Errorf("net revenue: %+v", got)
	}
	got = read("b2b_marketing_cost")
	if got.Value != nil || got.Reason != "source_missing" || got.Comparisons[0].Change != nil {
		t.Errorf("marketing cost: %+v", got)
	}
}
