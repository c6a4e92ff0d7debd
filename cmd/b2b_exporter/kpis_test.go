package main

import (
	"strings"
	"testing"
	"time"
)

func last(cells []string) string { return cells[len(cells)-1] }

// yesterday returns how many orders kpis shows for the day before.
func yesterday(t *testing.T, dir string) string {
	t.Helper()
	return last(row(t, runIn(t, dir, "kpis", "--match=b2b_orders").ok(t).out, "b2b_orders", "window=1d"))
}

func TestAsOf(t *testing.T) {
	dir := newShop(t, nil)
	runIn(t, dir, "sync").ok(t)
	// The orders of 30 June were placed at 12:00 and 13:00 in Berlin.
	for _, test := range []struct{ asOf, today, yesterday string }{
		{"2026-06-30T10:30:00Z", "1", "1"},
		{"2026-06-30T12:30:00+02:00", "1", "1"},
		{"2026-06-30T12:30", "1", "1"},
		{"2026-06-30 12:30", "1", "1"},
		{"2026-06-30T12:00:00", "0", "1"},
		{"2026-06-30 12:00:01", "1", "1"},
		{"2026-06-30T13:00:00.5+02:00", "2", "1"},
		{"2026-07-01", "0", "2"},
		{"2026-06-30", "0", "1"},
		// Still 30 June in Berlin, and already 1 July there.
		{"2026-06-30T21:59:59Z", "2", "1"},
		{"2026-06-30T22:00:00Z", "0", "2"},
	} {
		out := runIn(t, dir, "kpis", "--match=b2b_orders", "--as-of="+test.asOf).ok(t).out
		today, yesterday := last(row(t, out, "b2b_orders", "window=today")), last(row(t, out, "b2b_orders", "window=1d"))
		if today != test.today || yesterday != test.yesterday {
			t.Errorf("%s: %s orders today and %s yesterday, want %s and %s", test.asOf, today, yesterday, test.today, test.yesterday)
		}
	}
	for _, wrong := range []string{"yesterday", "2026-06-31", "2026-06-30T25:00", "30.06.2026", "12:00"} {
		runIn(t, dir, "kpis", "--as-of="+wrong).fails(t, 2, "--as-of", `"`+wrong+`"`, "2026-01-31T12:00:00Z")
	}
}

// A wall clock that the change to summer time leaves out is moved on; of one that occurs
// twice the first is meant.
func TestParseMoment(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2026-03-29T02:30":          "2026-03-29T01:30:00Z",
		"2026-10-25T02:30":          "2026-10-25T00:30:00Z",
		"2026-10-25T02:30:00+01:00": "2026-10-25T01:30:00Z",
		"2026-01-31":                "2026-01-30T23:00:00Z",
	} {
		got, err := parseMoment(text, berlin)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s is %s (%v), want %s", text, got.UTC().Format(time.RFC3339), err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	dir := newShop(t, nil)
	runIn(t, dir, "sync").ok(t)
	metrics := func(match string) map[string]bool {
		names := map[string]bool{}
		out := runIn(t, dir, "kpis", "--match="+match).ok(t).out
		for line := range strings.Lines(out) {
			names[strings.Fields(line)[0]] = true
		}
		delete(names, "METRIC")
		return names
	}
	if got := metrics("b2b_orders"); len(got) != 1 || !got["b2b_orders"] {
		t.Errorf("b2b_orders matches %v, want only itself", got)
	}
	if got := metrics("b2b_revenue_(net|gross)"); len(got) != 2 || !got["b2b_revenue_net"] || !got["b2b_revenue_gross"] {
		t.Errorf("b2b_revenue_(net|gross) matches %v", got)
	}
	if got := metrics("orders"); len(got) != 0 {
		t.Errorf("orders matches %v: the whole name has to match", got)
	}
}

func TestKPIsWithoutALedger(t *testing.T) {
	dir := newShop(t, nil)
	r := runIn(t, dir, "kpis").fails(t, 1, "b2b.db", `run "b2b_exporter sync" first`)
	if r.out != "" {
		t.Errorf("something is printed: %s", r.out)
	}
	// Reading must not make what the next command takes for a ledger.
	runIn(t, dir, "kpis").fails(t, 1, "b2b.db", `run "b2b_exporter sync" first`)
	runIn(t, dir, "sync").ok(t)
	runIn(t, dir, "kpis").ok(t)
}

func TestClockSetBack(t *testing.T) {
	dir := newShop(t, nil)
	runAt(t, at(noon()), dir, "sync").ok(t)
	late := runAt(t, at(noon().Add(-time.Hour)), dir, "kpis")
	late.fails(t, 1, "2026-07-01T11:00:00Z", "2026-07-01T12:00:00Z", "set the clock right")
	if late.out != "" {
		t.Errorf("figures are printed:\n%s", late.out)
	}
	// Clocks of machines differ by some seconds, and a question about the past is none.
	runAt(t, at(noon().Add(-30*time.Second)), dir, "kpis").ok(t)
	runAt(t, at(noon().Add(-time.Hour)), dir, "kpis", "--as-of=2026-06-30").ok(t)
	runAt(t, at(noon().Add(time.Hour)), dir, "kpis").ok(t)
}

func TestStaleSource(t *testing.T) {
	dir := newShop(t, nil)
	runIn(t, dir, "sync").ok(t)
	stale := `b2b_kpi_undefined{kpi="b2b_orders",reason="stale",window="30d"} 1`
	for hours, want := range map[int]bool{25: false, 27: true} {
		r := runAt(t, at(noon().Add(time.Duration(hours)*time.Hour)), dir, "kpis", "--output=prometheus").ok(t)
		if got := strings.Contains(r.out, stale); got != want {
			t.Errorf("%d hours after the last success stale is %t, want %t", hours, got, want)
		}
		if got := strings.Contains(r.out, "b2b_orders{"); got == want {
			t.Errorf("%d hours after the last success the orders are shown: %t", hours, got)
		}
	}
	r := runAt(t, at(noon().AddDate(1, 0, 0)), dir, "kpis", "--output=prometheus", "--as-of=2026-07-01").ok(t)
	if strings.Contains(r.out, `reason="stale"`) {
		t.Error("a past moment's figures are stale")
	}
}

func TestNoRate(t *testing.T) {
	dir := newShop(t, map[string]string{"orders.csv": shopOrders + "4,c2,2026-06-20T10:00:00Z,SEK,500.00\n"})
	runIn(t, dir, "sync").ok(t)
	out := runIn(t, dir, "kpis", "--output=prometheus").ok(t).out
	for sample, want := range map[string]bool{
		`b2b_orders{channel="unknown",store="shop",window="30d"} 4`:                                  true,
		`b2b_orders{channel="unknown",store="shop",window="7d"} 3`:                                   true,
		`b2b_revenue_net{channel="unknown",currency="EUR",store="shop",window="7d"} 165.5`:           true,
		`b2b_revenue_net{channel="unknown",currency="EUR",store="shop",window="30d"}`:                false,
		`b2b_revenue_gross{channel="unknown",currency="EUR",store="shop",window="30d"}`:              false,
		`b2b_revenue_net_by_territory{currency="EUR",store="shop",territory="unknown",window="30d"}`: false,
		`b2b_average_order_value{currency="EUR",store="shop",window="30d"}`:                          false,
		`b2b_kpi_undefined{kpi="b2b_revenue_net",reason="no_rate",window="30d"} 1`:                   true,
		`b2b_kpi_undefined{kpi="b2b_average_order_value",reason="no_rate",window="30d"} 1`:           true,
		`b2b_kpi_undefined{kpi="b2b_revenue_net",reason="no_rate",window="7d"}`:                      false,
		`b2b_kpi_undefined{kpi="b2b_orders",reason="no_rate"`:                                        false,
	} {
		if got := strings.Contains(out, "\n"+sample); got != want {
			t.Errorf("%s: there is %t, want %t", sample, got, want)
		}
	}
	// With a rate the money is there: 500 SEK at 10 for 1 EUR.
	write(t, dir, "b2b.yml", shopConfig+"rates: [{currency: SEK, per_reference: 10}]\n")
	runIn(t, dir, "sync").ok(t)
	out = runIn(t, dir, "kpis", "--output=prometheus").ok(t).out
	if want := `b2b_revenue_net{channel="unknown",currency="EUR",store="shop",window="30d"} 215.5`; !strings.Contains(out, want) {
		t.Errorf("no %s in\n%s", want, out)
	}
}

// A changed configuration changes the past; the next command derives it again.
func TestChangedConfiguration(t *testing.T) {
	// 23:30 on 30 June in Berlin is 17:30 in New York, and 1:30 is still 30 June there.
	dir := newShop(t, map[string]string{"orders.csv": shopOrders + "4,c1,2026-06-30T23:30:00Z,EUR,1.00\n"})
	runIn(t, dir, "sync").ok(t)
	if got := yesterday(t, dir); got != "2" {
		t.Errorf("in Berlin yesterday had %s orders, want 2", got)
	}
	write(t, dir, "b2b.yml", strings.Replace(shopConfig, "Europe/Berlin", "America/New_York", 1))
	if got := yesterday(t, dir); got != "3" {
		t.Errorf("in New York yesterday had %s orders, want 3", got)
	}
	r := runIn(t, dir, "sync").ok(t)
	synced(t, r.out, "shop", "order", "0 0 4 0 0 0 ok")

	// Beside a process that holds the ledger nobody can derive it again.
	write(t, dir, "b2b.yml", shopConfig)
	l := openLedgerOf(t, dir)
	write(t, dir, "b2b.yml", strings.Replace(shopConfig, "Europe/Berlin", "Asia/Tokyo", 1))
	runIn(t, dir, "kpis").fails(t, 1, "b2b.db", "has it open")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	runIn(t, dir, "kpis").ok(t)
}
