package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// ownMetrics returns what the collector exporter says of a company.
func (c *company) ownMetrics(asOf string, change func(streamsOf)) *collector.Output {
	c.Helper()
	for source, records := range c.pending {
		c.commit(c.T, source, records...)
	}
	clear(c.pending)
	view, err := c.engine.View(c.Context(), c.moment(asOf).UnixMicro())
	if err != nil {
		c.Fatalf("view: %v", err)
	}
	sources, streams := []collector.Source{}, streamsOf{}
	for _, s := range c.settings.Sources {
		src := collector.Source{Name: s.Name, Streams: make([]collector.Stream, len(s.Kinds))}
		for i, k := range s.Kinds {
			src.Streams[i] = collector.Stream{Name: string(k), Kinds: []record.Kind{k}}
			streams[s.Name+"/"+string(k)] = &src.Streams[i]
		}
		sources = append(sources, src)
	}
	change(streams)
	own := collector.Collectors()
	return collector.Run(&collector.Input{
		View: view, Sources: sources, Options: collector.Options{Currency: "EUR", Basis: c.settings.Basis, LabelMax: 50},
	}, own[len(own)-1:], asOfClock(c.moment(asOf)))
}

// Conversions of the platforms against the CRM's leads from the channels with ad spend.
func TestDisagreementOfAdsAndCRM(t *testing.T) {
	disagreement := func(w string) string {
		return series("b2b_source_disagreement_ratio", "check=ads_crm", "window="+w)
	}
	c := newMarketer(t)
	c.spend("s1", "2024-05-09", "paid_search", 100, record.Spend{Conversions: units(6)})
	c.spend("s2", "2024-05-09", "paid_social", 100, record.Spend{Conversions: units(2)})
	c.spend("s3", "2024-05-09", "email", 0, record.Spend{Conversions: units(0)}) // nothing was spent
	for channel, n := range map[string]int{"paid_search": 7, "paid_social": 3, "email": 50} {
		for i := range n {
			c.lead(numbered(channel, i), "2024-05-09 12:00", record.Lead{Touch: record.Touch{Channel: channel}})
		}
	}
	same := func(streamsOf) {}
	check(t, c.ownMetrics("2024-05-10 12:00", same), map[string]string{disagreement("1d"): "0.2", disagreement("today"): none}) // 8 and 10
	c.spend("s1", "2024-05-09", "paid_search", 100, record.Spend{Conversions: units(18)})
	check(t, c.ownMetrics("2024-05-10 12:00", same), map[string]string{disagreement("1d"): "0.5"}) // 20 and 10
	for _, stream := range []string{"ads/spend", "crm/lead"} {
		for _, mark := range []func(*collector.Stream){stale, truncated, unread} {
			out := c.ownMetrics("2024-05-10 12:00", func(s streamsOf) { mark(s[stream]) })
			check(t, out, map[string]string{disagreement("1d"): none})
		}
	}
}

// Customers, accounts and leads that no other source knows.
func TestUnmatchedRecords(t *testing.T) {
	unmatched := func(source, kind string) string {
		return series("b2b_identity_unmatched", "source="+source, "record="+kind)
	}
	c := newMarketer(t)
	c.add("shop", "1", &record.Customer{Keys: record.Keys{Domain: "acme.example.com"}})
	c.add("shop", "2", &record.Customer{Keys: record.Keys{Domain: "bolt.example.net"}})
	c.lead("l1", "2024-05-09 12:00", record.Lead{Keys: record.Keys{Email: "jane@acme.example.com"}})
	c.lead("l2", "2024-05-09 12:00", record.Lead{})
	c.lead("l3", "2024-05-09 12:00", record.Lead{})
	out := c.ownMetrics("2024-05-10 12:00", func(streamsOf) {})
	check(t, out, map[string]string{
		unmatched("shop", "customer"): "1", unmatched("crm", "lead"): "2", // bolt, and the leads without a key
		unmatched("crm", "account"): "0",
	})
	out = c.ownMetrics("2024-05-10 12:00", func(s streamsOf) { unread(s["crm/lead"]) })
	check(t, out, map[string]string{unmatched("crm", "lead"): none, unmatched("shop", "customer"): "1"})
	alone := newCompany(t, func(s *oracle.Settings) { s.Sources = s.Sources[:1] })
	check(t, alone.ownMetrics("2024-05-10 12:00", func(streamsOf) {}), map[string]string{unmatched("shop", "customer"): none})
}
