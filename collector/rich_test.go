package collector_test

import (
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// richAsOf is the moment at which a rich company is looked at.
const richAsOf = "2024-07-01 12:00"

// newRich opens a company that has samples of every metric of a snapshot, and undefined
// ones: years of orders, some without a rate, more territories and campaigns than
// labels.max, texts that need quoting.
func newRich(t *testing.T) *company {
	t.Helper()
	c := newMarketer(t, withShops("outlet"), func(s *oracle.Settings) {
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
	c.market()
	c.subscribers()
	return c
}

// subscribers puts subscriptions, and more owners of their accounts than labels.max.
func (c *company) subscribers() {
	owners := []string{"Ada", "a \"quoted\\ \n one", "", "jane@acme.example.com", "Zoë"}
	states := []string{record.SubscriptionActive, record.SubscriptionPastDue, record.SubscriptionTrialing}
	for i := range 15 {
		id := numbered("u", i)
		c.add("shop", id, &record.Customer{CreatedAt: c.at("2023-01-01 00:00"), Owner: owners[i%5]})
		c.add("shop", id, &record.Subscription{
			Customer: record.RefTo(id), State: states[i%3], StartedAt: c.at("2023-01-01 00:00"), Currency: []string{"EUR", "USD"}[i%2],
			History: []record.MRRChange{{At: c.at("2023-01-01 00:00"), MRR: units(int64(90 * i))}, {At: c.at("2024-06-20 12:00"), MRR: units(100)}},
		})
	}
}

// market puts what the marketing of a company is measured by, in the days before richAsOf.
func (c *company) market() {
	c.monthly("agency", "2022-01-01", "", record.Cost{Amount: units(310), Channel: "event", Program: "fairs", Campaign: "Fair"})
	c.monthly("salaries", "2022-01-01", "", record.Cost{Amount: units(620), Category: record.CostSales})
	campaigns := []string{"Spring Sale", "a \"quoted\\ \n one", "", "jane@acme.example.com", "\xff"}
	channels := []string{"paid_search", "email", "paid_social", "display", "sms"}
	stages := []string{"2024-06-26 12:00", "2024-06-27 12:00", "2024-06-28 12:00", "2024-06-29 12:00"}
	for i := range 10 {
		touch := record.Touch{Channel: channels[i%5], Campaign: campaigns[i%5]}
		c.spend(numbered("s", i), "2024-06-25", channels[i%5], int64(10+i), record.Spend{
			Touch: touch, Platform: "google", CampaignID: numbered("", i), Program: numbered("program", i), Variant: numbered("v", i%2),
			Impressions: units(1000), Clicks: units(int64(50 + i)), Conversions: units(5), ConversionValue: units(200),
		})
		l := record.Lead{Touch: touch}
		for k, at := range []*record.Instant{&l.MQLAt, &l.SQLAt, &l.OpportunityAt, &l.CustomerAt} {
			if i%5 > k {
				*at = c.at(stages[k])
			}
		}
		c.lead(numbered("m", i), "2024-06-25 12:00", l)
		for k := range i % 3 {
			c.activity(numbered(numbered("a", i), k), numbered("m", i), "2024-06-25 13:00", record.Activity{})
		}
		// More new customers than in the days before, so that there is a marginal cost.
		id := numbered("n", i)
		c.order(id, id, "2024-06-25 12:00", record.Order{Gross: units(100), Cost: units(40), Touch: touch})
	}
	c.spend("first", "2022-01-01", "display", 0, record.Spend{Platform: "google"})
	for _, dimension := range []string{"quality_score", "engagement"} {
		c.add("ads", dimension, &record.AdQuality{Day: c.day("2024-06-25"), Platform: "google", Dimension: dimension, Score: units(7), Impressions: units(100)})
	}
	for first, end := range map[string]string{"2024-07-01": "2024-07-02", "2024-06-30": "2024-07-01", "2024-06-24": "2024-07-01", "2024-06-01": "2024-07-01"} {
		c.users("shop.example.com", first, end, 1000)
		c.usersOf(record.UsersNew, "shop.example.com", first, end, 700)
	}
	for _, by := range []string{record.ByTotal, record.ByChannel, record.ByDevice, record.ByCountry, record.ByAge} {
		for i, value := range []string{"mobile", "", "a \"quoted\\ \n one", "jane@acme.example.com", "\xff"} {
			c.traffic(numbered(by, i), "2024-06-25", record.Traffic{
				Site: "shop.example.com", By: by, Value: value, Touch: record.Touch{Channel: channels[i]},
				Sessions: units(100), Engaged: units(90), SinglePage: units(10), Views: units(300), Seconds: units(6000),
				Conversions: units(5), Downloads: units(4), DownloadSessions: units(3), NewUsers: units(60),
			})
		}
	}
	c.add("web", "r", &record.Referrer{Day: c.day("2024-06-25"), Site: "shop.example.com", Domain: "example.org", Sessions: units(3)})
}

// rich returns the exposition of a rich company.
func rich(t *testing.T) *collector.Output {
	t.Helper()
	c := newRich(t)
	for source, records := range c.pending {
		c.commit(t, source, records...)
	}
	view, err := c.engine.View(t.Context(), c.moment(richAsOf).UnixMicro())
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
			Marketing: marketing(nil),
		},
	}, collector.Collectors(), asOfClock(time.Unix(0, 0)))
	for _, err := range out.Failures {
		t.Error(err)
	}
	return out
}
