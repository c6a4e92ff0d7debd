package main

import (
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/b2bexporter/b2b_exporter/collector"
)

func rat(t *testing.T, text string) *big.Rat {
	t.Helper()
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return n
}

func TestTitle(t *testing.T) {
	for name, want := range map[string]string{
		"b2b_orders":                     "Orders",
		"b2b_revenue_net":                "Net revenue",
		"b2b_customers_new":              "New customers",
		"b2b_profit_margin_ratio":        "Profit margin",
		"b2b_customer_churn_ratio":       "Customer churn rate",
		"b2b_checkout_abandonment_ratio": "Checkout abandonment rate",
		"b2b_customers_at_risk_revenue":  "Revenue of customers at risk",
		"b2b_mrr":                        "MRR",
		"b2b_mrr_churn_ratio":            "MRR churn rate",
		"b2b_ltv_cac_ratio":              "LTV:CAC ratio",
		"b2b_cac_marketing_ratio":        "CAC marketing ratio",
		"b2b_marketing_roi_ratio":        "Marketing ROI",
		"b2b_lead_response_seconds":      "Lead response time",
		"b2b_net_promoter_score":         "Net promoter score",
		"customers":                      "Customers",
	} {
		if got := title(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Titles are what tells one KPI on the page from another.
func TestTitlesOfHeadlines(t *testing.T) {
	seen := map[string]string{}
	for _, m := range collector.Headlines() {
		text := title(m.Name)
		if other, ok := seen[text]; ok {
			t.Errorf("%s and %s are both called %q", m.Name, other, text)
		}
		seen[text] = m.Name
		if strings.ContainsAny(text, "_") || strings.Contains(text, "  ") || !unicode.IsUpper(rune(text[0])) {
			t.Errorf("%s is called %q", m.Name, text)
		}
	}
}

func TestWritten(t *testing.T) {
	money := collector.Metric{Name: "b2b_revenue_net", Unit: "currency", Money: true}
	share := collector.Metric{Name: "b2b_customer_churn_ratio", Unit: "ratio", Free: true}
	marketing := collector.Metric{Name: "b2b_cac_marketing_ratio", Unit: "ratio"}
	times := collector.Metric{Name: "b2b_ltv_cac_ratio", Unit: "ratio", Free: true}
	span := collector.Metric{Name: "b2b_lead_response_seconds", Unit: "seconds"}
	things := collector.Metric{Name: "b2b_orders"}
	for _, test := range []struct {
		metric             collector.Metric
		number, code, want string
	}{
		{money, "0", "EUR", "0.00 EUR"},
		{money, "999.994", "EUR", "999.99 EUR"},
		{money, "-0.001", "EUR", "0.00 EUR"},
		{money, "-12.5", "EUR", "−12.50 EUR"},
		{money, "1000", "EUR", "1,000 EUR"},
		{money, "-1234567.5", "EUR", "−1,234,568 EUR"},
		{money, "500", "JPY", "500 JPY"},
		{money, "1.5", "KWD", "1.500 KWD"},
		{money, "1234567890", "JPY", "1,234.6 million JPY"},
		{share, "0.12345", "EUR", "12.3 %"},
		{share, "1/3", "EUR", "33.3 %"},
		{share, "-0.5", "EUR", "−50.0 %"},
		{share, "12.5", "EUR", "1,250.0 %"},
		{marketing, "0.25", "EUR", "25.0 %"},
		{times, "3.146", "EUR", "3.15 "},
		{span, "4354", "EUR", "1 h 13 min "},
		{things, "1024", "EUR", "1,024 "},
		{things, "2.5", "EUR", "2.5 "},
		{things, "250000000", "EUR", "250.0 million"},
	} {
		value, unit := written(test.metric, rat(t, test.number), test.code)
		if got := value + " " + unit; got != test.want {
			t.Errorf("%s %s: %q, want %q", test.metric.Name, test.number, got, test.want)
		}
	}
}

func TestGrowth(t *testing.T) {
	money := collector.Metric{Name: "b2b_revenue_net", Unit: "currency", Money: true}
	share := collector.Metric{Name: "b2b_customer_churn_ratio", Unit: "ratio", Free: true}
	times := collector.Metric{Name: "b2b_marketing_roi_ratio", Unit: "ratio", Free: true}
	for _, test := range []struct {
		metric            collector.Metric
		now, before, want string
		moved             bool
	}{
		{money, "110", "100", "10.0 %", true},
		{money, "90", "100", "10.0 %", true},
		{money, "100", "100", "", false},
		{money, "100.01", "100", "0.0 %", false},
		{money, "5", "0", "", true},
		{money, "5", "-1", "", true},
		{money, "0", "0", "", false},
		{money, "3000", "100", "2,900 %", true},
		{share, "0.06", "0.05", "1.0 points", true},
		{share, "0.05", "0", "5.0 points", true},
		{share, "-0.1", "-0.2", "10.0 points", true},
		{share, "0.0500001", "0.05", "0.0 points", false},
		{times, "3", "2", "50.0 %", true},
	} {
		got, moved := growth(test.metric, rat(t, test.now), rat(t, test.before))
		if got != test.want || moved != test.moved {
			t.Errorf("%s from %s to %s: %q, %t; want %q, %t", test.metric.Name, test.before, test.now, got, moved, test.want, test.moved)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                              "0 s",
		1400 * time.Millisecond:        "1 s",
		59500 * time.Millisecond:       "1 min",
		90 * time.Second:               "1 min 30 s",
		time.Hour - time.Millisecond:   "1 h",
		73 * time.Minute:               "1 h 13 min",
		24*time.Hour - time.Second:     "1 d",
		76 * time.Hour:                 "3 d 4 h",
		-2 * time.Minute:               "−2 min",
		400*24*time.Hour + time.Second: "400 d",
	} {
		if got := duration(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestMoment(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                 "just now",
		-59 * time.Second: "just now",
		-90 * time.Second: "1 min ago",
		-26 * time.Hour:   "1 d 2 h ago",
		time.Second:       "in 1 min",
		61 * time.Second:  "in 2 min",
		time.Hour:         "in 1 h",
	} {
		if got := moment(noon().Add(d), noon()); got.Relative != want || !got.At.Equal(noon().Add(d)) {
			t.Errorf("%s: %+v, want %q", d, got, want)
		}
	}
	if got := moment(time.Time{}, noon()); !got.At.IsZero() || got.Relative != "" {
		t.Errorf("no time: %+v", got)
	}
}

// Every reason has words of its own, also one that this page does not know.
func TestReason(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range []collector.Reason{
		collector.SourceMissing, collector.Stale, collector.Truncated, collector.NoRate, collector.Immature,
		collector.TooFew, collector.NoData, collector.ZeroDenominator, "some_other", "",
	} {
		text := reason(r)
		if text == "" || seen[text] || strings.Contains(text, "_") {
			t.Errorf("%s: %q", r, text)
		}
		seen[text] = true
	}
}
