package main

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/web"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// compared is a value and the one before; a reason stands for neither.
func compared(t *testing.T, now, before string) collector.Compared {
	t.Helper()
	value := func(text string) collector.Value {
		if strings.Trim(text, "0123456789.-") != "" {
			return collector.Value{Reason: collector.Reason(text)}
		}
		return collector.Value{Number: rat(t, text)}
	}
	return collector.Compared{Value: value(now), Complete: value(now), Base: map[string]collector.Value{"previous": value(before)}}
}

func threshold(kpi, window, severity string, percent int64) collector.Threshold {
	return collector.Threshold{KPI: kpi, Window: window, Severity: severity, Value: record.Decimal{Coefficient: percent, Scale: 2, Known: true}}
}

func TestScorecard(t *testing.T) {
	metrics := []collector.Metric{
		{Name: "b2b_revenue_net", Collector: "orders", Help: "What was sold.", Unit: "currency", Money: true, Worse: -1, Labels: []string{"window"}},
		{Name: "b2b_profit_margin_ratio", Collector: "orders", Unit: "ratio", Worse: -1, Labels: []string{"window"}},
		{Name: "b2b_mrr", Collector: "recurring", Unit: "currency", Money: true, Worse: -1},
		{Name: "b2b_mrr_churn_ratio", Collector: "recurring", Unit: "ratio", Worse: 1, Labels: []string{"window"}},
		{Name: "b2b_customer_churn_ratio", Collector: "customers", Unit: "ratio", Worse: 1, Labels: []string{"window"}},
		{Name: "b2b_visits", Collector: "customers", Labels: []string{"window"}},
		{Name: "b2b_customers_at_risk_revenue", Collector: "customers", Unit: "currency", Money: true, Worse: 1},
		{Name: "b2b_broken", Collector: "customers"},
	}
	out := collector.NewOutput(collector.Options{Currency: "EUR"})
	out.Failures = []error{errors.New("collector broken")}
	at := func(kpi, now, before string) collector.Headline {
		return collector.Headline{KPI: kpi, At: compared(t, now, before), Windows: map[window.Name]collector.Compared{window.Days30: compared(t, now, before)}}
	}
	over := func(kpi, now, before string) collector.Headline {
		return collector.Headline{KPI: kpi, HasWindow: true, Windows: map[window.Name]collector.Compared{
			window.MTD: compared(t, now, before), window.Days90: compared(t, "0.5", "0.25"),
		}}
	}
	// The order of what was computed is not that of the page.
	out.Headlines = []collector.Headline{
		at("b2b_customers_at_risk_revenue", "1500", "0"),
		over("b2b_visits", "10", "20"),
		over("b2b_customer_churn_ratio", "0.3", "0.3"),
		over("b2b_profit_margin_ratio", "zero_denominator", "0.4"),
		over("b2b_revenue_net", "1234567", "1000000"),
		at("b2b_mrr", "source_missing", "source_missing"),
		over("b2b_mrr_churn_ratio", "source_missing", "source_missing"),
	}
	b := scorecard{window: window.MTD, out: out, thresholds: []collector.Threshold{
		threshold("b2b_customer_churn_ratio", "mtd", "critical", 30), // is reached, not crossed
		threshold("b2b_customer_churn_ratio", "mtd", "warning", 20),
		threshold("b2b_customer_churn_ratio", "90d", "critical", 49),
		threshold("b2b_profit_margin_ratio", "mtd", "warning", 20),
		threshold("b2b_mrr", "", "warning", 100_00),
		threshold("b2b_revenue_net", "mtd", "critical", 1000_00),
		threshold("b2b_revenue_net", "mtd", "warning", 2000_00),
		threshold("b2b_customers_at_risk_revenue", "", "warning", 1000_00),
	}}
	want := web.Status{
		Checked: true, Unchecked: 1,
		Crossed: []web.Crossing{
			{KPI: "Customer churn rate", Level: web.Critical, Window: choice(window.Days90, false), Value: "50.0 %", Limit: "above 49.0 %"},
			{KPI: "Customer churn rate", Level: web.Warning, Window: choice(window.MTD, false), Value: "30.0 %", Limit: "above 20.0 %"},
			{KPI: "Revenue of customers at risk", Level: web.Warning, Value: "1,500 EUR", Limit: "above 1,000 EUR"},
		},
		Groups: []web.Group{
			{Title: "Orders", Cards: []web.Card{
				{
					Title: "Net revenue", Help: "What was sold.", Value: "1,234,567", Unit: "EUR", Level: web.OK, Limit: "warning below 2,000 EUR",
					Change: web.Change{Direction: web.Up, By: "23.5 %", Verdict: web.Better, Before: "1,000,000 EUR"},
				},
				{Title: "Profit margin", Reason: "nothing to divide by"},
			}},
			{Title: "Customers", Cards: []web.Card{
				{
					Title: "Customer churn rate", Value: "30.0", Unit: "%", Level: web.Warning, Limit: "above 20.0 %",
					Change: web.Change{Direction: web.Same, Before: "30.0 %"},
				},
				{Title: "Visits", Value: "10", Change: web.Change{Direction: web.Down, By: "50.0 %", Before: "20"}},
				{
					Title: "Revenue of customers at risk", Now: true, Value: "1,500", Unit: "EUR", Level: web.Warning, Limit: "above 1,000 EUR",
					Change: web.Change{Direction: web.Up, Verdict: web.Worse, Before: "0.00 EUR"},
				},
				{Title: "Broken", Now: true, Reason: "could not be computed; the log says why"},
			}},
		},
		Missing: []web.Missing{{Group: "Recurring", Titles: []string{"MRR", "MRR churn rate"}}},
	}
	var got web.Status
	b.fill(&got, metrics)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}

	// Before anything is computed, the same KPIs are where they will be.
	var empty web.Status
	b.out = nil
	b.fill(&empty, metrics)
	n := 0
	for _, g := range empty.Groups {
		for _, c := range g.Cards {
			n++
			if c.Value != "" || c.Reason != "not computed yet" || c.Level != web.Unset {
				t.Errorf("before anything is computed: %+v", c)
			}
		}
	}
	if n != len(metrics) || empty.Checked || len(empty.Crossed) > 0 {
		t.Errorf("before anything is computed: %d cards, want %d: %+v", n, len(metrics), empty)
	}
}

// A cost that is known by day is compared over the complete days of both windows: the running
// day would turn a fall into a rise.
func TestScorecardComparesCompleteDays(t *testing.T) {
	m := collector.Metric{Name: "b2b_marketing_cost", Collector: "acquisition", Unit: "currency", Money: true, Worse: 1, Labels: []string{"window"}}
	for _, test := range []struct {
		complete string
		want     web.Change
	}{
		{"1780", web.Change{Direction: web.Down, By: "26.5 %", Verdict: web.Better, Before: "2,422 EUR", Complete: "1,780 EUR"}},
		{"2422", web.Change{Direction: web.Same, Before: "2,422 EUR", Complete: "2,422 EUR"}},
		{"4661", web.Change{Direction: web.Up, By: "92.4 %", Verdict: web.Worse, Before: "2,422 EUR"}},
		{"no_data", web.Change{Reason: "no day is complete yet"}},
		{"zero_denominator", web.Change{Reason: "nothing to divide by"}},
	} {
		c := compared(t, "4661", "2422")
		c.Complete = compared(t, test.complete, "0").Value
		out := collector.NewOutput(collector.Options{Currency: "EUR"})
		out.Headlines = []collector.Headline{{KPI: m.Name, HasWindow: true, Windows: map[window.Name]collector.Compared{window.MTD: c}}}
		card, _ := (&scorecard{window: window.MTD, out: out}).card(m)
		if d := cmp.Diff(test.want, card.Change); d != "" || card.Value != "4,661" {
			t.Errorf("complete days of %s: %s; change (want -, got +):\n%s", test.complete, card.Value, d)
		}
	}
}

func TestChoose(t *testing.T) {
	all := window.Names()
	for _, test := range []struct {
		asked      string
		configured []window.Name
		want       window.Name
		known      bool
	}{
		{"", all, window.Days30, true},
		{"7d", all, window.Days7, true},
		{"5d", all, window.Days30, false},
		{"<script>", all, window.Days30, false},
		{"30d", []window.Name{window.YTD, window.MTD}, window.YTD, false},
		{"", []window.Name{window.YTD, window.MTD}, window.YTD, true},
	} {
		got, known := choose(test.asked, test.configured)
		if got != test.want || known != test.known {
			t.Errorf("%q of %v: %s, %t; want %s, %t", test.asked, test.configured, got, known, test.want, test.known)
		}
	}
}

func TestLateFigures(t *testing.T) {
	if got := late(lateAfter); got != "" {
		t.Errorf("figures of %s: %q", lateAfter, got)
	}
	if got := late(42 * time.Minute); !strings.Contains(got, "42 min old") {
		t.Errorf("figures of 42 minutes: %q", got)
	}
}

func TestEveryWindowIsDescribed(t *testing.T) {
	labels := map[string]bool{}
	for _, w := range window.Names() {
		c := choice(w, true)
		if c.Label == "" || c.Before == "" || labels[c.Label] || strings.HasPrefix(c.Label, "0") || !c.Shown {
			t.Errorf("%s: %+v", w, c)
		}
		labels[c.Label] = true
	}
	if got := choice(window.Days365, false); got.Back != "365 days ago" || got.Before != "the 365 days before" {
		t.Errorf("365d: %+v", got)
	}
	if got := choice(window.Today, false); got.Back != "30 days ago" {
		t.Errorf("today: %+v", got)
	}
}

func TestStreamsOfThePage(t *testing.T) {
	i := &instance{app: &app{config: &config.Config{Staleness: time.Hour, Timezone: time.UTC}}}
	now := noon()
	for _, test := range []struct {
		state poll.State
		want  string
	}{
		{poll.State{}, "waiting"},
		{poll.State{Backfill: -1}, "waiting"},
		{poll.State{Backfill: 0.5}, "reading"},
		{poll.State{Up: true, Backfill: 1, LastSuccess: now}, "up"},
		{poll.State{Up: true, LastSuccess: now.Add(-2 * time.Hour)}, "stale"},
		{poll.State{Up: true, Truncated: true, LastSuccess: now}, "cut short"},
		{poll.State{Error: "no such file"}, "down"},
		{poll.State{Error: "no such file", LastSuccess: now.Add(-2 * time.Hour)}, "down, stale"},
	} {
		if got := i.stream(test.state, now); got.State() != test.want {
			t.Errorf("%+v: %s, want %s", test.state, got.State(), test.want)
		}
	}
	got := i.stream(poll.State{Backfill: 0.429, NextPoll: now, Error: strings.Repeat("ä", errorLength+1)}, now)
	if got.Backfill != 42 || got.NextPoll.Relative != "due" || got.Error != strings.Repeat("ä", errorLength)+"… (the log has the rest)" {
		t.Errorf("got %+v", got)
	}
}

var (
	cards = regexp.MustCompile(`(?s)<div class="card.*?</div>`)
	names = regexp.MustCompile(`<dt[^>]*>([^<]*?) ?<`)
)

// The page of the sample company, by window.
func TestPageOfTheSampleCompany(t *testing.T) {
	t.Parallel()
	moment, err := time.Parse(time.RFC3339, strings.TrimPrefix(sampleAsOf, "--as-of="))
	if err != nil {
		t.Fatal(err)
	}
	e := serve(t, newClock(moment).now, sampleCompany(t))
	eventually(t, "everything has been read and computed", func() bool { return strings.Contains(e.get(t, "/"), ">68,126<") })
	var titles []string
	for _, w := range window.Names() {
		page := e.get(t, "/?window="+string(w))
		for _, unwanted := range []string{"NaN", "Inf", "b2b_revenue", "zero_denominator", "ERROR"} {
			if strings.Contains(page, unwanted) {
				t.Errorf("%s: the page has %s", w, unwanted)
			}
		}
		var list []string
		for _, m := range names.FindAllStringSubmatch(page, -1) {
			list = append(list, m[1])
		}
		if titles == nil {
			titles = list
		}
		if !slices.Equal(list, titles) || len(list) < 10 {
			t.Errorf("%s: cards %q, in another window %q", w, list, titles)
		}
	}
	for query, want := range map[string][]string{
		"":             {">68,126<span class=\"unit\"> EUR<", "28.6 %, better<", "from 52,965 EUR<", "warning below 50,000 EUR<"},
		"?window=365d": {">546,583<span class=\"unit\"> EUR<", "from 361,795 EUR<"},
	} {
		page := e.get(t, "/"+query)
		i := slices.IndexFunc(cards.FindAllString(page, -1), func(c string) bool { return strings.Contains(c, "Net revenue") })
		if i < 0 {
			t.Fatalf("%q: no card of net revenue:\n%s", query, page)
		}
		card := cards.FindAllString(page, -1)[i]
		for _, text := range want {
			if !strings.Contains(card, text) {
				t.Errorf("%q: the card lacks %q:\n%s", query, text, card)
			}
		}
	}
	if page := e.get(t, "/?window=5d"); !strings.Contains(page, "The window that was asked for is not configured.") || !strings.Contains(page, "30 days, compared") {
		t.Error("a window that is not configured is not told from the default")
	}
}
