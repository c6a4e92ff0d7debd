package main

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	shopifyfake "github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
)

// watched is a shop that has lost a third of its customers.
type watched struct {
	*exporter
	shop   *shopifyfake.Server
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
	w := &watched{now: newClock(time.Now()).now}
	w.shop = shopifyfake.New(shopifyfake.Options{Now: w.now, AccessToken: "shop-token", BucketSize: 20000, Restore: 10000})
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
	// New customers of this quarter and of the one before.
	for id := range int64(30) {
		daysAgo := 5 + int(id)*6
		at := w.now().AddDate(0, 0, -daysAgo)
		w.shop.PutCustomer(shopifyfake.Customer{ID: 1000 + id, Created: at, Updated: at, Email: fmt.Sprintf("buyer@new-%d.example", id), Country: "DE"})
		w.order(1000+id, daysAgo)
	}
	shop := httptest.NewServer(w.shop)
	t.Cleanup(shop.Close)
	dir := t.TempDir()
	write(t, dir, "b2b.yml", `timezone: Europe/Berlin
currency: EUR
ledger: {path: b2b.db}
sources:
  - {name: shop, type: shopify, interval: 1s, url: "`+shop.URL+`", access_token: shop-token}
`)
	w.exporter = serve(t, w.now, dir)
	return w
}

// TestAlerts follows an alert on a KPI from the shop to who is to be told: it fires, and ends when
// the customers have come back.
func TestAlerts(t *testing.T) {
	t.Parallel()
	const churn, kpi = "B2BCustomerChurnHigh", "b2b_customer_churn_ratio"
	w := newWatched(t)
	w.await(t, kpi+`{window="90d"}`, "0.3333333333333333")
	m := newMonitoring(t, strings.TrimPrefix(w.url, "http://"))

	description := m.inbox.await(t, "pager", "firing", churn, "kpi="+kpi)
	for _, want := range []string{"33.33% of the customers", "window 90d", "threshold is 30%", "above that of the window before", "have sales call"} {
		if !strings.Contains(description, want) {
			t.Errorf("the alert does not say %q: %s", want, description)
		}
	}
	m.awaitState(t, "suppressed", churn, "severity=warning")
	for id := range int64(lost) {
		w.order(loyal+id+1, 3)
	}
	m.inbox.await(t, "pager", "resolved", churn, "kpi="+kpi)
}
