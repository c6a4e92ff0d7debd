package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// branched gives a copy of the widened sample company a branch: a third store, which reports checkouts
// and knows no discounts, a second site, whose total is not the sum over its channels, and
// a second platform of ads.
func branched(t *testing.T) string {
	t.Helper()
	dir := widened(t)
	config, err := os.ReadFile(filepath.Join(dir, "b2b.yml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "b2b.yml", strings.Replace(string(config), "\nsources:\n", `
sources:
  - name: branch
    type: csv
    files:
      - {path: data/branch-orders.csv, record: order}
      - {path: data/branch-checkouts.csv, record: checkout}
      - {path: data/branch-spend.csv, record: spend}
      - {path: data/branch-traffic.csv, record: traffic}
`, 1))
	orders, checkouts := "id,customer,placed_at,currency,gross,cost\n", "id,customer,started_at\n"
	spend := "day,platform,campaign_id,channel,currency,cost,impressions,clicks,conversions\n"
	traffic := "day,site,by,channel,sessions,views,conversions\n"
	for day := time.Date(2025, time.August, 1, 0, 0, 0, 0, time.UTC); !day.After(sampleEnd()); day = day.AddDate(0, 0, 1) {
		date, n := day.Format(time.DateOnly), day.YearDay()
		orders += fmt.Sprintf("b%s,b%d,%sT09:00:00Z,EUR,%d.37,%d\n", date, n%40, date, 300+n, 150+n/2)
		checkouts += fmt.Sprintf("c%s,b%d,%sT08:00:00Z\nd%s,b%d,%sT08:30:00Z\n", date, n%30, date, date, n%30, date)
		spend += fmt.Sprintf("%s,meta,m1,paid_social,EUR,%d.11,%d,%d,%d\n", date, 9+n%5, 900+n, 7+n%4, n%2)
		traffic += fmt.Sprintf("%s,branch,total,,%d,%d,%d\n%s,branch,channel,email,%d,%d,%d\n", date, 90+n, 300+n, 4+n%2, date, 50+n, 200+n, 2)
	}
	for name, text := range map[string]string{"orders": orders, "checkouts": checkouts, "spend": spend, "traffic": traffic} {
		write(t, dir, filepath.Join("data", "branch-"+name+".csv"), text)
	}
	return dir
}

// values returns what the exporter itself takes as the values of the headlines at a moment, where they
// are defined, by KPI and window.
func values(t *testing.T, dir string, at time.Time) map[string]float64 {
	t.Helper()
	x := &explainer{app: loaded(t, dir), at: at, now: at}
	if err := x.read(t.Context(), openLedgerOf(t, dir)); err != nil {
		t.Fatal(err)
	}
	list := map[string]float64{}
	add := func(kpi string, w window.Name, v collector.Value) {
		if v.Defined() {
			list[kpi+" "+string(w)], _ = v.Number.Float64()
		}
	}
	out := x.app.compute(x.view, x.stalenessAt(), collector.Collectors(), collector.LedgerInfo{})
	for _, h := range out.Headlines {
		for w, c := range h.Windows {
			if h.HasWindow {
				add(h.KPI, w, c.Value)
			}
		}
		if !h.HasWindow {
			add(h.KPI, "", h.At.Value)
		}
	}
	return list
}

// What alerts compare with thresholds is what the exporter itself compares with them.
func TestAlertValues(t *testing.T) {
	t.Parallel()
	tool(t, "prometheus")
	dir := branched(t)
	runAt(t, at(sampleEnd()), dir, "sync").ok(t)
	want := values(t, dir, sampleEnd())
	for _, m := range collector.Headlines() {
		known := 0
		for key := range want {
			if strings.HasPrefix(key, m.Name+" ") {
				known++
			}
		}
		if enough := map[bool]int{true: 5, false: 1}[m.HasWindow()]; known < enough {
			t.Errorf("%s has a value in %d windows, which proves little", m.Name, known)
		}
	}
	e := serve(t, newClock(sampleEnd()).now, branched(t)) // a ledger can be open once
	m := newMonitoring(t, strings.TrimPrefix(e.url, "http://"))
	diff := ""
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("values of the exporter (-) and of the rules (+):\n%s", diff)
		}
	})
	eventually(t, "the rules give the exporter's values", func() bool {
		got := map[string]float64{}
		for _, r := range m.results(t, "kpi:b2b_kpi_value:total") {
			// Where there is no value there may be parts.
			key := r.labels["kpi"] + " " + r.labels["window"]
			if _, defined := want[key]; defined {
				got[key] = r.value
			}
			for _, l := range []string{"store", "channel", "currency", "site", "platform", "campaign", "tier", "method", "basis", "q"} {
				if r.labels[l] != "" {
					t.Fatalf("a value has the label %s: %v", l, r.labels)
				}
			}
		}
		diff = cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0))
		return diff == ""
	})
	// No total is that of one of the stores, sites or platforms.
	for kpi, by := range map[string]string{
		"b2b_checkout_abandonment_ratio": "store", "b2b_average_order_value": "store", "b2b_profit_margin_ratio": "store",
		"b2b_web_sessions": "site", "b2b_web_conversion_ratio": "site",
		"b2b_ad_cost": "platform", "b2b_ad_click_through_ratio": "platform", "b2b_ad_cost_per_acquisition": "platform",
	} {
		parts, total := m.results(t, fmt.Sprintf(`sum by (%s) (%s{window="90d"})`, by, kpi)), want[kpi+" 90d"]
		if len(parts) < 2 || slices.ContainsFunc(parts, func(p point) bool { return p.value == total }) {
			t.Errorf("%s is %v, and of its parts there are %v", kpi, total, parts)
		}
	}
	// The total of a site that the tool gives is not the sum over channels.
	if got := m.query(t, `sum(b2b_web_sessions{window="90d"})`); got == fmt.Sprint(want["b2b_web_sessions 90d"]) {
		t.Errorf("all channels have %s visits, as the sites have in total", got)
	}
}
