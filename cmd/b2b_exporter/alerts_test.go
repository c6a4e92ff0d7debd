package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
	hubspotfake "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	shopifyfake "github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
)

// watched is a shop that has lost a third of its customers and a CRM with their leads. The clock
// is almost an hour slow, and the rules allow an hour: as soon as polls fail, what was
// read last is stale 12 seconds later.
type watched struct {
	*exporter
	shop   *shopifyfake.Server
	crm    *hubspotfake.Server
	faults *fake.Faults
	now    func() time.Time
	orders int64
}

func (w *watched) order(customer int64, daysAgo int) {
	w.orders++
	now := w.now()
	placed := now.AddDate(0, 0, -daysAgo)
	w.shop.PutOrder(shopifyfake.Order{
		ID: w.orders, Created: placed, Updated: now, Customer: customer, Country: "DE",
		Lines: []shopifyfake.Line{{ID: w.orders, Quantity: 2, Price: "50.00"}},
	})
}

const (
	loyal = 25 // customers that order every 60 days, for more than a year
	lost  = 20 // those after them, whose last order was 250 days ago
	gone  = 5  // and those, 350 days ago: they were lost in the window before
)

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{now: newClock(time.Now().Add(-3590 * time.Second)).now}
	w.shop = shopifyfake.New(shopifyfake.Options{Now: w.now, AccessToken: "shop-token", BucketSize: 20000, Restore: 10000})
	w.crm = hubspotfake.New(w.now)
	w.crm.Token = "crm-token"
	for id := range int64(loyal + lost + gone) {
		began := w.now().AddDate(0, 0, -420)
		w.shop.PutCustomer(shopifyfake.Customer{ID: id + 1, Created: began, Updated: began, Email: fmt.Sprintf("buyer@company-%d.example", id+1), Country: "DE"})
		last := map[bool]int{true: 250, false: 350}[id < loyal+lost]
		if id < loyal {
			last = 5
		}
		for daysAgo := last + 60*((420-last)/60); daysAgo >= last; daysAgo -= 60 {
			w.order(id+1, daysAgo)
		}
	}
	// New customers of this quarter and of the one before, and the leads that they were.
	for id := range int64(30) {
		daysAgo := 5 + int(id)*6
		company := fmt.Sprintf("new-%d.example", id)
		w.crm.Put(hubspotfake.Contacts, uint64(id+1), w.now().AddDate(0, 0, -daysAgo-2), map[string]string{
			"email": "sales@" + company, "lifecyclestage": "lead", "hs_analytics_source": "PAID_SEARCH",
		})
		at := w.now().AddDate(0, 0, -daysAgo)
		w.shop.PutCustomer(shopifyfake.Customer{ID: 1000 + id, Created: at, Updated: at, Email: "buyer@" + company, Country: "DE"})
		w.order(1000+id, daysAgo)
	}
	// The first lead, before the windows that are compared with. Nothing became of it.
	w.crm.Put(hubspotfake.Contacts, 1000, w.now().AddDate(0, 0, -420), map[string]string{
		"email": "lead@nobody.example", "lifecyclestage": "lead",
	})
	w.faults = fake.NewFaults(w.shop)
	shop, crm := httptest.NewServer(w.faults), httptest.NewServer(w.crm)
	t.Cleanup(shop.Close)
	t.Cleanup(crm.Close)
	dir := t.TempDir()
	write(t, dir, "b2b.yml", `timezone: Europe/Berlin
currency: EUR
ledger: {path: b2b.db}
staleness: 10s
sources:
  - {name: shop, type: shopify, interval: 1s, url: "`+shop.URL+`", access_token: shop-token}
  - {name: crm, type: hubspot, interval: 1s, url: "`+crm.URL+`", access_token: crm-token}
costs:
  - {name: ads, category: marketing, amount: 5000, period: month, from: 2020-01-01, channel: paid_search}
  - {name: team, category: sales, amount: 9000, period: month, from: 2020-01-01}
thresholds:
  - {kpi: b2b_customer_acquisition_cost, window: 90d, warning: 100000}
`)
	w.exporter = serve(t, w.now, dir, "--web.enable-lifecycle")
	return w
}

// TestAlerts follows an alert on a KPI from the shop to who is to be told: it fires, is held
// back while the shop cannot be read, and ends when the customers have come back.
func TestAlerts(t *testing.T) {
	t.Parallel()
	const churn, churnRatio = "B2BCustomerChurnHigh", `b2b_customer_churn_ratio{window="90d"}`
	w := newWatched(t)
	w.await(t, churnRatio, "0.3333333333333333")
	m := newMonitoring(t, strings.TrimPrefix(w.url, "http://"))

	description := m.inbox.await(t, "pager", "firing", churn, "critical")
	for _, want := range []string{"33.33% of the customers", "window 90d", "threshold is 30%", "above that of the window before", "have sales call"} {
		if !strings.Contains(description, want) {
			t.Errorf("the alert does not say %q: %s", want, description)
		}
	}
	m.awaitState(t, churn, "warning", "suppressed")

	w.faults.Set(fake.Fault{Status: http.StatusForbidden, Body: `{"errors":"revoked"}`}, 0, -1)
	if d := m.inbox.await(t, "tickets", "firing", "B2BSourceDown", "warning"); !strings.Contains(d, "source shop (shopify)") {
		t.Errorf("the alert does not say which source is down: %s", d)
	}
	m.awaitState(t, churn, "critical", "suppressed")
	eventually(t, "churn is not fresh any more", func() bool {
		return m.query(t, `kpi:b2b_kpi_fresh:bool{kpi="b2b_customer_churn_ratio"}`) == "0"
	})
	// KPIs are computed again every 5 minutes, and at a reload.
	w.reload(t, http.StatusOK)
	w.await(t, churnRatio, "")
	if d := m.inbox.await(t, "pager", "firing", "B2BSourceStale", "critical"); !strings.Contains(d, "KPIs that need it have been withdrawn") {
		t.Errorf("the alert does not say what stale data mean: %s", d)
	}

	w.faults.Clear()
	w.reload(t, http.StatusOK) // and poll at once
	m.inbox.await(t, "tickets", "resolved", "B2BSourceDown", "warning")
	m.inbox.await(t, "pager", "resolved", "B2BSourceStale", "critical")
	m.awaitState(t, churn, "critical", "active")
	if m.inbox.find("pager", "resolved", churn, "critical") != "" {
		t.Error("the alert on churn was said to have ended because the shop could not be read")
	}

	for id := range int64(lost) {
		w.order(loyal+id+1, 3)
	}
	m.inbox.await(t, "pager", "resolved", churn, "critical")

	// All that the rules look at has been there.
	used := m.selectors(t)
	if len(used) < 25 {
		t.Errorf("only %d selectors found in the rules: %q", len(used), used)
	}
	for _, selector := range used {
		if !ofRecurring(selector) && m.series(t, selector) == 0 {
			t.Errorf("%s has no series", selector)
		}
	}
	for _, query := range runbookQueries(t) {
		if _, err := get(t, "http://"+m.prometheus+"/api/v1/query?"+url.Values{"query": {query}}.Encode()); err != nil {
			t.Errorf("Prometheus does not understand a query of a runbook: %v", err)
		}
	}
}

// runbookQueries returns what stands in the code blocks of the runbooks.
func runbookQueries(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "alerts", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if query, code := strings.CutPrefix(line, "      "); code {
				list = append(list, strings.TrimSpace(query))
			}
		}
	}
	if len(list) < 20 {
		t.Fatalf("only %d queries found in %d runbooks", len(list), len(files))
	}
	return list
}

// The demo shows an alert on a KPI, too.
func TestDemoAlerts(t *testing.T) {
	t.Parallel()
	tool(t, "prometheus") // before the demo is made up
	// How many of a small company's customers leave differs from day to day, so the day is fixed.
	// It is later than Prometheus's, for which the sources are fresh then.
	e := newDemo(t, newClock(time.Date(2100, 7, 1, 12, 0, 0, 0, time.UTC)).now, "--demo.scale=0.05")
	m := newMonitoring(t, strings.TrimPrefix(e.url, "http://"))
	const churn = "B2BCustomerChurnHigh"
	description := ""
	eventually(t, "somebody is told of the demo's churn", func() bool {
		description = m.inbox.find("pager", "firing", churn, "critical") + m.inbox.find("tickets", "firing", churn, "warning")
		return description != ""
	})
	if !strings.Contains(description, "window 90d are lost") {
		t.Errorf("the alert does not say what has happened: %s", description)
	}
	// The shop and the CRM of TestAlerts have no subscriptions.
	eventually(t, "all that the rules on recurring revenue look at is there", func() bool {
		return !slices.ContainsFunc(m.selectors(t), func(s string) bool { return ofRecurring(s) && m.series(t, s) == 0 })
	})
}

// ofRecurring reports whether a selector is for figures of subscriptions.
func ofRecurring(selector string) bool {
	return strings.Contains(selector, "b2b_mrr") || strings.Contains(selector, "b2b_subscribers") || strings.Contains(selector, "net_revenue_retention")
}
