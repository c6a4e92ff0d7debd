package collector_test

import (
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// rich returns the exposition of a company that has samples of every metric of a
// snapshot, and undefined ones: years of orders, some without a rate, more territories
// than labels.max, texts that need quoting.
func rich(t *testing.T) *collector.Output {
	t.Helper()
	c := newCompany(t, withShops("outlet"), func(s *oracle.Settings) {
		s.LabelMax, s.LifetimeMinimum, s.InactiveDays = 3, 1, 60
	})
	c.rate("USD", "2022-01-01", 125)
	countries := []string{"DE", "", "a \"quoted\\ \n one", "AT", "CH", "Österreich", "\xff", "jane@acme.example.com"}
	channels := []string{"email", "paid_search", "event", ""}
	for i := range 120 {
		placed := c.moment("2022-06-01 12:00").Add(time.Duration(i*i) * 76 * time.Minute)
		customer := numbered("c", i%17)
		if i%5 == 0 {
			customer = ""
		}
		o := record.Order{
			Gross: units(int64(100 + i)), Discount: units(int64(i % 30)), Country: countries[i%len(countries)],
			Touch: record.Touch{Channel: channels[i%len(channels)]},
		}
		switch i % 4 {
		case 0:
			o.Cost = units(int64(i))
		case 1:
			o.Currency = "USD"
		case 2:
			o.Cost, o.CostedNet = units(150), units(50)
		}
		store := "shop"
		if i%3 == 0 {
			store = "outlet"
		}
		c.orderOf(store, numbered("o", i), customer, placed.Format(time.RFC3339Nano), o)
		if i%7 == 0 {
			c.add(store, numbered("r", i), &record.Refund{Order: numbered("o", i), At: record.At(placed.Add(40 * 24 * time.Hour)), Amount: units(90)})
		}
	}
	for i := range 9 {
		at := c.at("2024-06-25 12:00")
		c.add("shop", numbered("c", i), &record.Checkout{StartedAt: at})
		c.add("shop", numbered("q", i), &record.Quote{State: record.QuoteAccepted, SentAt: at, DecidedAt: at})
		c.add("crm", numbered("l", i), &record.Lead{CreatedAt: at, Keys: record.Keys{Email: "jane@lead.example.com"}})
	}
	c.add("shop", "prospect", &record.Customer{Keys: record.Keys{Domain: "prospect.example.com"}})
	// A guest's that cannot be converted leaves revenue undefined, and not what customers bring.
	c.order("yen", "", "2024-06-30 12:00", record.Order{Gross: units(1), Currency: "JPY"})
	for source, records := range c.pending {
		c.commit(t, source, records...)
	}
	view, err := c.engine.View(t.Context(), c.moment("2024-07-01 12:00").UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
	var sources []collector.Source
	for _, s := range c.settings.Sources {
		src := collector.Source{Name: s.Name}
		for _, k := range s.Kinds {
			src.Streams = append(src.Streams, collector.Stream{Name: string(k), Kinds: []record.Kind{k}})
		}
		sources = append(sources, src)
	}
	out := collector.Run(&collector.Input{
		View: view, Sources: sources,
		Ledger: collector.LedgerInfo{Records: map[record.Kind]int64{record.KindOrder: 120}, Bytes: 1 << 20},
		Options: collector.Options{
			Currency: "EUR", Basis: "orders", LifetimeMinimum: 1, LabelMax: 3, Thresholds: collector.DefaultThresholds(),
		},
	}, collector.Collectors(), asOfClock(time.Unix(0, 0)))
	for _, err := range out.Failures {
		t.Error(err)
	}
	return out
}
