package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	hubspotfake "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	shopifyfake "github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
)

// TestShopAndCRM reads a shop and a CRM that know the same buyer by its domain, through
// the configuration and the real clients: one customer, under the channel of its lead.
func TestShopAndCRM(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	shop := shopifyfake.New(shopifyfake.Options{Now: clock, AccessToken: "shop-token"})
	shop.PutCustomer(shopifyfake.Customer{ID: 7, Created: now.AddDate(0, -3, 0), Updated: now.AddDate(0, -3, 0), Email: "ann@acme.example", Country: "DE"})
	for id, placed := range map[int64]time.Time{1: now.AddDate(0, 0, -40), 2: now.AddDate(0, 0, -5)} {
		shop.PutOrder(shopifyfake.Order{
			ID: id, Created: placed, Updated: placed, Customer: 7, Country: "DE",
			Lines: []shopifyfake.Line{{ID: id * 10, Quantity: 2, Price: "50.00", Discounts: []string{"10.00"}}},
		})
	}
	crm := hubspotfake.New(clock)
	crm.Token = "crm-token"
	crm.Put(hubspotfake.Contacts, 99, now.AddDate(0, -4, 0), map[string]string{
		"email": "bob@acme.example", "lifecyclestage": "lead", "hs_analytics_source": "PAID_SEARCH",
	})
	shopURL, crmURL := httptest.NewServer(shop), httptest.NewServer(crm)
	t.Cleanup(shopURL.Close)
	t.Cleanup(crmURL.Close)
	dir := t.TempDir()
	write(t, dir, "b2b.yml", `timezone: Europe/Berlin
currency: EUR
ledger: {path: b2b.db}
sources:
  - {name: shop, type: shopify, url: "`+shopURL.URL+`", access_token: shop-token}
  - {name: crm, type: hubspot, url: "`+crmURL.URL+`", access_token: crm-token}
`)
	out := runIn(t, dir, "kpis", "--sync", "--output=prometheus").ok(t).out
	for _, want := range []string{
		`b2b_orders{channel="paid_search",store="shop",window="90d"} 2`,
		`b2b_revenue_net{channel="paid_search",currency="EUR",store="shop",window="90d"} 180`,
		`b2b_customers{state="active"} 1`,
		`b2b_customers{state="prospect"} 0`,
		`b2b_kpi_source_info{kpi="b2b_customers_new",source="crm"} 1`,
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("no sample %s", want)
		}
	}
	if strings.Contains(out, "acme") {
		t.Error("the exposition names a customer")
	}
}
