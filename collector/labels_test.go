package collector_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func byTerritory(metric, store, territory, w string) string {
	return series(metric, "store="+store, "territory="+territory, "window="+w)
}

// A bounded label keeps the values with the largest sums over all stores, ties by byte
// order, and folds the rest.
func TestBoundedLabels(t *testing.T) {
	c := newCompany(t, withShops("outlet"), func(s *oracle.Settings) { s.LabelMax = 2 })
	n := 0
	sell := func(store, country, placed string, gross int64) {
		n++
		c.orderOf(store, numbered("o", n), "", placed, record.Order{Gross: units(gross), Cost: units(gross - 1), Country: country})
	}
	// Yesterday: 3 orders to DE, 2 each to AT, CH and FR. AT comes first of these three.
	sell("shop", "DE", "2024-07-09 12:00", 1)
	sell("outlet", "DE", "2024-07-09 12:00", 1)
	sell("outlet", "DE", "2024-07-09 12:00", 1)
	sell("shop", "AT", "2024-07-09 12:00", 10)
	sell("outlet", "AT", "2024-07-09 12:00", 10)
	sell("shop", "CH", "2024-07-09 12:00", 30)
	sell("shop", "CH", "2024-07-09 12:00", 30)
	sell("outlet", "FR", "2024-07-09 12:00", 20)
	sell("outlet", "FR", "2024-07-09 12:00", 20)
	// Today: two territories, which need no folding.
	sell("shop", "DE", "2024-07-10 10:00", 1)
	sell("shop", "IT", "2024-07-10 10:00", 1)
	out := c.compute("2024-07-10 12:00")
	const orders, revenue, profit = "b2b_orders_by_territory", "b2b_revenue_net_by_territory", "b2b_gross_profit_by_territory"
	check(t, out, map[string]string{
		byTerritory(orders, "shop", "DE", "1d"): "1", byTerritory(orders, "outlet", "DE", "1d"): "2",
		byTerritory(orders, "shop", "AT", "1d"): "1", byTerritory(orders, "outlet", "AT", "1d"): "1",
		byTerritory(orders, "shop", "other", "1d"): "2", byTerritory(orders, "outlet", "other", "1d"): "2",
		// By revenue others are the largest: CH with 60, FR with 40.
		byTerritory(revenue, "shop", "CH", "1d"): "60", byTerritory(revenue, "outlet", "FR", "1d"): "40",
		byTerritory(revenue, "shop", "other", "1d"): "11", byTerritory(revenue, "outlet", "other", "1d"): "12",
		// By profit they are DE with 3 and, with 2 as CH and FR have, AT.
		byTerritory(profit, "outlet", "DE", "1d"): "2", byTerritory(profit, "shop", "AT", "1d"): "1",
		byTerritory(profit, "shop", "other", "1d"): "2", byTerritory(profit, "outlet", "other", "1d"): "2",
		// Where nothing is folded, all that occurs in any window is there.
		byTerritory(orders, "shop", "DE", "today"): "1", byTerritory(orders, "shop", "IT", "today"): "1",
		byTerritory(orders, "shop", "CH", "today"): "0", byTerritory(orders, "outlet", "FR", "today"): "0",
	})
	for w, want := range map[string][]string{
		"1d":    {"AT", "AT", "DE", "DE", "other", "other"}, // and no zeros
		"today": {"AT", "AT", "CH", "DE", "DE", "FR", "IT"},
		"mtd":   {"AT", "AT", "DE", "DE", "other", "other"},
	} {
		if got := values(out, orders, "territory", w); !slices.Equal(got, want) {
			t.Errorf("territories of %s are %v, want %v", w, got, want)
		}
	}
	// In mtd DE and AT stay, CH, FR and IT go.
	if got := out.Dropped[orders]; got != 3 {
		t.Errorf("%d values of %s were folded, want 3", got, orders)
	}
	if got, ok := out.Dropped["b2b_orders"]; ok {
		t.Errorf("%d values of b2b_orders were folded, which has no bound", got)
	}
}

// A territory that is called other is not lost among what is folded into other.
func TestTerritoryOther(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.LabelMax = 1 })
	for i, country := range []string{"other", "other", "DE", "FR"} {
		c.order(numbered("o", i), "", "2024-07-09 12:00", record.Order{Gross: units(1), Country: country})
	}
	check(t, c.compute("2024-07-10 00:00"), map[string]string{
		byTerritory("b2b_orders_by_territory", "shop", "other", "1d"):      "4",
		byTerritory("b2b_revenue_net_by_territory", "shop", "other", "1d"): "4",
	})
}

// What cannot be converted has no size, is folded, and leaves what it is folded into undefined.
func TestFoldingWithoutRate(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.LabelMax = 1 })
	c.order("o1", "", "2024-07-09 12:00", record.Order{Gross: units(1), Country: "DE"})
	c.order("o2", "", "2024-07-09 12:00", record.Order{Gross: units(9), Country: "JP", Currency: "JPY"})
	c.order("o3", "", "2024-07-09 12:00", record.Order{Country: "AT"}) // without an amount
	check(t, c.compute("2024-07-10 00:00"), map[string]string{
		byTerritory("b2b_revenue_net_by_territory", "shop", "DE", "1d"):    "1",
		byTerritory("b2b_revenue_net_by_territory", "shop", "other", "1d"): none,
	})
}

// No e-mail address becomes a label, whatever field a vendor delivers it in.
func TestAddressesAreNoLabels(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.Territories = map[string]string{"XX": "rep@acme.example.com"} })
	for i, country := range []string{"jane@acme.example.com", "XX", "Jane <jane@acme.example.com>", ""} {
		c.order(numbered("o", i), "", "2024-07-09 12:00", record.Order{Gross: units(1), Country: country})
	}
	c.order("o9", "", "2024-07-09 12:00", record.Order{Gross: units(1), Country: "D\xfcsseldorf"})
	for source, records := range c.pending {
		c.commit(t, source, records...)
	}
	out := c.output(t, c.engine, c.moment("2024-07-10 00:00"))
	check(t, out, map[string]string{
		byTerritory("b2b_orders_by_territory", "shop", "unknown", "1d"):         "4",
		byTerritory("b2b_revenue_net_by_territory", "shop", "unknown", "1d"):    "4",
		byTerritory("b2b_orders_by_territory", "shop", "D\uFFFDsseldorf", "1d"): "1",
	})
	for _, s := range out.Samples {
		if i := slices.IndexFunc(s.Labels, func(l string) bool { return strings.Contains(l, "@") }); i >= 0 {
			t.Errorf("%s has the label %q", s.Metric, s.Labels[i])
		}
	}
	if _, err := collector.NewSnapshot(out); err != nil {
		t.Errorf("a vendor's text that is no UTF-8 keeps everything from being published: %v", err)
	}
}
