package collector_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// gated runs the collectors over a company's ledger with streams that stand as change
// leaves them.
func (c *company) gated(asOf string, change func(streamsOf)) *collector.Output {
	c.Helper()
	for source, records := range c.pending {
		c.commit(c.T, source, records...)
	}
	clear(c.pending)
	view, err := c.engine.View(c.Context(), c.moment(asOf).UnixMicro())
	if err != nil {
		c.Fatalf("view: %v", err)
	}
	var sources []collector.Source
	streams := streamsOf{}
	for _, s := range c.settings.Sources {
		src := collector.Source{Name: s.Name}
		for _, k := range s.Kinds {
			src.Streams = append(src.Streams, collector.Stream{Name: string(k), Kinds: []record.Kind{k}})
		}
		for i := range src.Streams {
			streams[s.Name+"/"+src.Streams[i].Name] = &src.Streams[i]
		}
		sources = append(sources, src)
	}
	change(streams)
	return collector.Run(&collector.Input{
		View: view, Sources: sources,
		Options: collector.Options{
			Currency: "EUR", Basis: c.settings.Basis, LifetimeMinimum: 1, LabelMax: 50, Marketing: marketing(c.settings.MarketingChannels),
		},
	}, collectors(), asOfClock(c.moment(asOf)))
}

type streamsOf map[string]*collector.Stream

// collectors are those of KPIs.
func collectors() []collector.Collector {
	return slices.DeleteFunc(collector.Collectors(), func(c collector.Collector) bool { return c.Name() == "exporter" })
}

func stale(s *collector.Stream)     { s.Stale = true }
func truncated(s *collector.Stream) { s.Truncated = true }
func unread(s *collector.Stream)    { s.Unread = true }

// twoShops are two shops with a sale each, checkouts, quotes and costs.
func twoShops(t *testing.T) *company {
	c := newCompany(t, withShops("outlet"))
	for i, placed := range []string{"2023-01-01 12:00", "2024-06-01 12:00", "2024-07-09 12:00"} {
		c.orderOf("shop", numbered("s", i), "acme", placed, record.Order{Gross: units(100), Discount: units(1), Cost: units(50)})
		c.orderOf("outlet", numbered("o", i), "bolt", placed, record.Order{Gross: units(10), Discount: units(1), Cost: units(5)})
	}
	c.orderOf("shop", "s9", "crest", "2024-06-15 12:00", record.Order{Gross: units(100), Cost: units(50)})
	c.add("shop", "c1", &record.Checkout{StartedAt: c.at("2024-07-09 12:00")})
	c.add("shop", "q1", &record.Quote{State: record.QuoteSent, SentAt: c.at("2024-07-09 12:00")})
	return c
}

// gone returns which of the metrics that a company has samples of have none, as
// metric or, where another store still has some, metric/store.
func gone(before, after *collector.Output) []string {
	metrics := map[string]collector.Metric{}
	for _, m := range collector.Metrics() {
		metrics[m.Name] = m
	}
	name := func(s collector.Sample) string {
		m := metrics[s.Metric]
		if i := slices.Index(m.Labels, "store"); i >= 0 {
			return s.Metric + "/" + s.Labels[i]
		}
		return s.Metric
	}
	still := map[string]bool{}
	for _, s := range after.Samples {
		still[name(s)] = true
	}
	lost := map[string]bool{}
	for _, s := range before.Samples {
		if n := name(s); !still[n] && !strings.HasPrefix(n, "b2b_kpi_") {
			lost[n] = true
		}
	}
	return slices.Sorted(maps.Keys(lost))
}

func ofStore(store string, metrics ...string) []string {
	var list []string
	for _, m := range metrics {
		list = append(list, m+"/"+store)
	}
	return list
}

// gateTest says what a stream takes down: metrics, and headlines as kpi|window.
type gateTest struct {
	stream    string
	gone      []string
	undefined []string
}

// checkGate marks a stream as stale, truncated and unread: what the test lists is gone for
// that reason, the other headlines are there, and nothing else has moved.
func (c *company) checkGate(t *testing.T, asOf string, before *collector.Output, headlines []string, test gateTest) {
	t.Helper()
	was := keyedSeries(before)
	for reason, mark := range map[string]func(*collector.Stream){"stale": stale, "truncated": truncated, "immature": unread} {
		after := c.gated(asOf, func(s streamsOf) { mark(s[test.stream]) })
		want := slices.Sorted(slices.Values(test.gone))
		if diff := cmp.Diff(want, gone(before, after)); diff != "" {
			t.Errorf("%s: what is gone (-want +got):\n%s", reason, diff)
		}
		reasons := map[string]string{}
		for _, kpi := range headlines {
			reasons[kpi] = none
			if slices.Contains(test.undefined, kpi) {
				reasons[kpi] = reason
			}
		}
		checkReasons(t, after, reasons)
		for _, s := range after.Samples {
			if s.Metric == "b2b_kpi_change_ratio" && slices.Contains(test.undefined, s.Labels[0]+"|30d") {
				t.Errorf("%s: there is still a change of %s", reason, s.Labels[0])
			}
		}
		for key, v := range keyedSeries(after) {
			if strings.HasPrefix(key, "b2b_kpi_undefined") {
				continue
			}
			if was[key] == nil || was[key].Cmp(v) != 0 {
				t.Errorf("%s: %s is %s, was %v", reason, key, v, was[key])
			}
		}
	}
}

// A stream takes down what is made of it: its store's series and what joins stores.
func TestGates(t *testing.T) {
	counted := []string{"b2b_orders", "b2b_orders_by_territory", "b2b_revenue_gross", "b2b_revenue_discounts", "b2b_average_order_value"}
	refunded := []string{
		"b2b_revenue_net", "b2b_revenue_net_by_territory", "b2b_revenue_refunds", "b2b_gross_profit",
		"b2b_gross_profit_by_territory", "b2b_profit_margin_ratio",
	}
	checkouts := []string{"b2b_abandoned_checkouts", "b2b_checkout_abandonment_ratio"}
	joined := []string{
		"b2b_customers", "b2b_customers_new", "b2b_customers_at_start", "b2b_customers_lost", "b2b_customers_reactivated",
		"b2b_customer_churn_ratio", "b2b_customer_retention_ratio", "b2b_returning_customer_ratio", "b2b_repeat_purchase_ratio",
		"b2b_order_interval_seconds", "b2b_customer_lifetime_value", "b2b_customer_lifetime_value_by_channel",
		"b2b_cohort_retention_ratio", "b2b_customers_at_risk", "b2b_customers_at_risk_revenue",
		"b2b_revenue_top_customer_ratio", "b2b_revenue_per_customer",
		"b2b_marketing_originated_customers", "b2b_marketing_originated_customer_ratio",
	}
	customers := []string{
		"b2b_customers_new|30d", "b2b_customer_churn_ratio|30d", "b2b_returning_customer_ratio|30d",
		"b2b_customer_lifetime_value|", "b2b_customers_at_risk_revenue|", "b2b_marketing_originated_customer_ratio|30d",
	}
	orders := []string{"b2b_orders|30d", "b2b_average_order_value|30d"}
	revenue := []string{"b2b_revenue_net|30d", "b2b_profit_margin_ratio|30d"}
	abandonment := []string{"b2b_checkout_abandonment_ratio|30d"}
	// What nobody brings is 0, and no ratio.
	subscribed := []string{"b2b_mrr", "b2b_arr", "b2b_mrr_movement", "b2b_subscribers", "b2b_mrr_forecast"}
	c := twoShops(t)
	const asOf = "2024-07-10 12:00"
	before := c.gated(asOf, func(streamsOf) {})
	for _, test := range []gateTest{
		{
			"shop/order",
			slices.Concat(ofStore("shop", slices.Concat(counted, refunded, checkouts, []string{"b2b_quotes"})...), joined),
			slices.Concat(orders, revenue, abandonment, customers),
		},
		{"outlet/order", slices.Concat(ofStore("outlet", slices.Concat(counted, refunded)...), joined), slices.Concat(orders, revenue, customers)},
		{"shop/refund", slices.Concat(ofStore("shop", refunded...), joined), slices.Concat(revenue, customers)},
		{"shop/checkout", ofStore("shop", checkouts...), abandonment},
		{"shop/quote", ofStore("shop", "b2b_quotes"), nil},
		{"shop/customer", joined, customers},
		{"shop/subscription", slices.Concat(joined, subscribed), append(slices.Clone(customers), "b2b_mrr|")},
		{"crm/lead", joined, customers},
		{"crm/account", joined, customers},
		{"crm/deal", nil, nil}, // deals are no orders here
		{"ecb/rate", nil, nil},
	} {
		t.Run(test.stream, func(t *testing.T) {
			c.checkGate(t, asOf, before, slices.Concat(orders, revenue, abandonment, customers, []string{"b2b_mrr|"}), test)
		})
	}
}

// With deals as orders, deals take customers down, and the shop's refunds do not.
func TestGatesOfDeals(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.Basis = oracle.BasisDeals })
	c.add("crm", "d1", &record.Deal{
		Account: record.RefTo("acme"), State: record.DealWon, ClosedAt: c.at("2024-07-09 12:00"), Currency: "EUR", Amount: units(1),
	})
	const asOf = "2024-07-10 12:00"
	state := series("b2b_customers", "state=active")
	for stream, want := range map[string]string{"crm/deal": none, "crm/customer": none, "shop/refund": "1", "shop/order": "1"} {
		check(t, c.gated(asOf, func(s streamsOf) { stale(s[stream]) }), map[string]string{state: want})
	}
}

// Where several reasons hold, the first of the documented order is given.
func TestReasonsInOrder(t *testing.T) {
	c := twoShops(t)
	c.orderOf("outlet", "yen", "bolt", "2024-07-09 13:00", record.Order{Gross: units(1), Cost: units(1), Currency: "JPY"})
	for _, test := range []struct {
		name   string
		change func(streamsOf)
		want   map[string]string
	}{
		{"nothing but the rate", func(streamsOf) {}, map[string]string{"b2b_revenue_net|1d": "no_rate", "b2b_revenue_net|today": none}},
		{"unread comes after no rate", func(s streamsOf) { unread(s["shop/refund"]) }, map[string]string{
			"b2b_revenue_net|1d": "no_rate", "b2b_revenue_net|today": "immature", "b2b_profit_margin_ratio|today": "immature",
		}},
		{"truncated comes before no rate", func(s streamsOf) { truncated(s["shop/refund"]) }, map[string]string{
			"b2b_revenue_net|1d": "truncated", "b2b_revenue_net|today": "truncated",
		}},
		{"stale comes before truncated, of another store", func(s streamsOf) {
			unread(s["shop/order"])
			truncated(s["shop/refund"])
			stale(s["outlet/refund"])
		}, map[string]string{"b2b_revenue_net|1d": "stale", "b2b_revenue_net|today": "stale", "b2b_orders|today": "immature"}},
		{"stale comes before truncated, of one stream", func(s streamsOf) {
			truncated(s["shop/order"])
			stale(s["shop/order"])
			unread(s["shop/order"])
		}, map[string]string{"b2b_orders|1d": "stale", "b2b_customers_new|1d": "stale", "b2b_customer_lifetime_value|": "stale"}},
		{"zero denominator comes last", func(s streamsOf) { unread(s["shop/order"]) }, map[string]string{
			"b2b_average_order_value|today": "immature",
		}},
	} {
		t.Run(test.name, func(t *testing.T) { checkReasons(t, c.gated("2024-07-10 12:00", test.change), test.want) })
	}
}

func TestMissingSources(t *testing.T) {
	without := func(gone ...string) func(*oracle.Settings) {
		return func(s *oracle.Settings) {
			s.Sources = slices.DeleteFunc(s.Sources, func(src oracle.Source) bool { return slices.Contains(gone, src.Name) })
		}
	}
	all := []string{}
	for _, h := range collector.Headlines() {
		all = append(all, h.Name)
	}
	reasons := func(out *collector.Output) map[string]string {
		got := map[string]string{}
		_, undefined := keyed(out)
		for key, reason := range undefined {
			kpi, w, _ := strings.Cut(key, "|")
			if w == "1d" || w == "" {
				got[kpi] = reason
			}
		}
		return got
	}
	t.Run("no source at all", func(t *testing.T) {
		out := newCompany(t, without("shop", "crm", "ecb")).compute("2024-07-10 12:00")
		got := reasons(out)
		for _, kpi := range all {
			if got[kpi] != "source_missing" {
				t.Errorf("%s is undefined because of %q", kpi, got[kpi])
			}
		}
		for _, s := range out.Samples {
			if s.Metric != "b2b_kpi_undefined" {
				t.Errorf("there is a sample of %s", s.Metric)
			}
		}
	})
	t.Run("a shop without checkouts", func(t *testing.T) {
		out := newCompany(t, without("shop"), withShops("outlet")).compute("2024-07-10 12:00")
		got := reasons(out)
		if got["b2b_checkout_abandonment_ratio"] != "source_missing" || got["b2b_orders"] != "" {
			t.Errorf("reasons are %v", got)
		}
		if list := values(out, "b2b_abandoned_checkouts", "store", "1d"); len(list) > 0 {
			t.Errorf("checkouts of %v", list)
		}
	})
	t.Run("deals count, and there is no CRM", func(t *testing.T) {
		got := reasons(newCompany(t, without("crm"), func(s *oracle.Settings) { s.Basis = oracle.BasisDeals }).compute("2024-07-10 12:00"))
		if got["b2b_customers_new"] != "source_missing" || got["b2b_orders"] != "" {
			t.Errorf("reasons are %v", got)
		}
	})
}

func TestWithStreams(t *testing.T) {
	now := time.Date(2024, 7, 10, 12, 0, 0, 0, time.UTC)
	const staleness = 26 * time.Hour
	stream := func(name string, ago time.Duration) ledger.Stream {
		return ledger.Stream{Source: "shop", Name: name, Complete: true, LastSuccess: now.Add(-ago)}
	}
	cut := stream("truncated", time.Hour)
	cut.Truncated = true
	begun := stream("begun", 100*time.Hour)
	begun.Complete = false
	view := &rollup.View{Streams: []ledger.Stream{
		stream("fresh", 0), stream("at the limit", staleness), stream("past it", staleness+time.Nanosecond), stream("in the future", -time.Hour),
		cut, begun,
		{Source: "other", Name: "never", Complete: true, LastSuccess: now},
	}}
	var names []collector.Stream
	for _, n := range []string{"fresh", "at the limit", "past it", "in the future", "truncated", "begun", "never"} {
		names = append(names, collector.Stream{Name: n, Kinds: []record.Kind{record.KindOrder}})
	}
	sources := []collector.Source{{Name: "shop", Streams: names}}
	for _, test := range []struct {
		now  time.Time
		want map[string]collector.Stream
	}{
		{now, map[string]collector.Stream{
			"past it": {Stale: true}, "truncated": {Truncated: true}, "begun": {Unread: true}, "never": {Unread: true},
		}},
		{now.Add(time.Hour), map[string]collector.Stream{
			"at the limit": {Stale: true}, "past it": {Stale: true}, "truncated": {Truncated: true}, "begun": {Unread: true}, "never": {Unread: true},
		}},
		// A past as_of knows no staleness.
		{time.Time{}, map[string]collector.Stream{"truncated": {Truncated: true}, "begun": {Unread: true}, "never": {Unread: true}}},
	} {
		marked := collector.WithStreams(view, sources, test.now, staleness)
		if len(marked) != 1 || marked[0].Name != "shop" || len(marked[0].Streams) != len(names) {
			t.Fatalf("marked are %+v", marked)
		}
		for _, s := range marked[0].Streams {
			want := test.want[s.Name]
			if s.Stale != want.Stale || s.Truncated != want.Truncated || s.Unread != want.Unread || len(s.Kinds) != 1 {
				t.Errorf("at %v: stream %s is %+v, want %+v", test.now, s.Name, s, want)
			}
		}
	}
	for _, s := range sources[0].Streams {
		if s.Stale || s.Truncated || s.Unread {
			t.Errorf("what was given has changed: %+v", s)
		}
	}
}

// What the ledger knows of its streams arrives at the gates.
func TestStreamsOfTheLedger(t *testing.T) {
	c := newCompany(t)
	asOf := c.moment("2024-07-10 12:00")
	view := func() []collector.Source {
		t.Helper()
		v, err := c.engine.View(t.Context(), asOf.UnixMicro())
		if err != nil {
			t.Fatal(err)
		}
		return collector.WithStreams(v, []collector.Source{{Name: "shop", Streams: []collector.Stream{{Name: "order"}, {Name: "parcel"}}}}, asOf, 26*time.Hour)
	}
	end := func(at time.Time, failure error, cut bool) {
		t.Helper()
		session, err := c.ledger.Begin(t.Context(), "shop", "order", []record.Kind{record.KindOrder}, false, at)
		if err != nil {
			t.Fatal(err)
		}
		if err := session.End(t.Context(), at, failure, cut); err != nil {
			t.Fatal(err)
		}
	}
	// Read to its end at the beginning of 1970, when the company was founded.
	if s := view()[0].Streams; !s[0].Stale || s[0].Unread || s[0].Truncated || !s[1].Unread || s[1].Stale {
		t.Errorf("at first: %+v", s)
	}
	end(asOf, nil, true)
	if s := view()[0].Streams[0]; s.Stale || !s.Truncated {
		t.Errorf("after a truncated answer: %+v", s)
	}
	end(asOf, context.DeadlineExceeded, false)
	if s := view()[0].Streams[0]; s.Stale || !s.Truncated || s.Unread {
		t.Errorf("a failure changes nothing: %+v", s)
	}
	end(asOf, nil, false)
	if s := view()[0].Streams[0]; s.Stale || s.Truncated {
		t.Errorf("after a whole answer: %+v", s)
	}
}
