package collector_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's time zones

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// company is a made-up company, small enough for its samples to be worked out by hand:
// a shop, a CRM and a source of rates.
type company struct {
	*testing.T
	*world
	pending map[string][]record.Record // by source
	held    map[[3]string]oracle.Record
}

// newCompany opens a company that reports in EUR and UTC, changed by change.
func newCompany(t *testing.T, change ...func(*oracle.Settings)) *company {
	t.Helper()
	s := oracle.Settings{
		Zone: time.UTC, Currency: "EUR", Basis: oracle.BasisOrders, InactiveDays: 180, LifetimeMinimum: 30, LabelMax: 50,
		Sources: []oracle.Source{
			{Name: "shop", Kinds: []record.Kind{
				record.KindOrder, record.KindRefund, record.KindCheckout, record.KindQuote, record.KindCustomer, record.KindSubscription,
			}},
			{Name: "crm", Kinds: []record.Kind{record.KindCustomer, record.KindAccount, record.KindLead, record.KindDeal}},
			{Name: "ecb", Kinds: []record.Kind{record.KindRate}},
		},
	}
	for _, n := range window.Names() {
		s.Windows = append(s.Windows, string(n))
	}
	for _, f := range change {
		f(&s)
	}
	for i := range s.Sources {
		s.Sources[i].Read = true
	}
	c := &company{T: t, world: newWorld(t, t.TempDir(), s, nil), pending: map[string][]record.Record{}, held: map[[3]string]oracle.Record{}}
	t.Cleanup(func() {
		if err := c.ledger.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// inZone lets a company report in a time zone.
func inZone(name string) func(*oracle.Settings) {
	return func(s *oracle.Settings) {
		var err error
		if s.Zone, err = time.LoadLocation(name); err != nil {
			panic(err)
		}
	}
}

// withShops gives a company more shops.
func withShops(names ...string) func(*oracle.Settings) {
	return func(s *oracle.Settings) {
		for _, name := range names {
			s.Sources = append(s.Sources, oracle.Source{Name: name, Kinds: []record.Kind{record.KindOrder, record.KindRefund, record.KindCustomer}})
		}
	}
}

// moment reads a wall clock of the report zone, to the second or finer, or a moment
// with an offset.
func (c *company) moment(text string) time.Time {
	c.Helper()
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05.999999", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, c.settings.Zone); err == nil {
			return at
		}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		c.Fatalf("moment: %v", err)
	}
	return at
}

func (c *company) at(text string) record.Instant { return record.At(c.moment(text)) }

// add puts a record of source under id.
func (c *company) add(source, id string, r record.Record) {
	c.Helper()
	r.RecordMeta().ID = id
	c.pending[source] = append(c.pending[source], r)
	sealed := oracle.Step{Source: source, Record: r}.Seal(c.sealer)
	key := [3]string{source, string(r.RecordKind()), sealed.Record.RecordMeta().ID}
	if r.RecordMeta().Deleted {
		delete(c.held, key)
		return
	}
	c.held[key] = sealed
}

// remove deletes a record of source.
func (c *company) remove(source, id string, r record.Record) {
	c.Helper()
	r.RecordMeta().Deleted = true
	c.add(source, id, r)
}

// order puts an order of the shop, in EUR where it names no currency; without a customer it
// is a guest's.
func (c *company) order(id, customer, placed string, o record.Order) {
	c.Helper()
	c.orderOf("shop", id, customer, placed, o)
}

func (c *company) orderOf(store, id, customer, placed string, o record.Order) {
	c.Helper()
	o.Customer, o.PlacedAt = record.RefTo(customer), c.at(placed)
	if o.Currency == "" {
		o.Currency = "EUR"
	}
	c.add(store, id, &o)
}

// refund puts a refund of the shop, in EUR where it names neither a currency nor an order.
func (c *company) refund(id, at string, r record.Refund) {
	c.Helper()
	r.At = c.at(at)
	if r.Currency == "" && r.Order == "" {
		r.Currency = "EUR"
	}
	c.add("shop", id, &r)
}

// rate puts how many units of currency a EUR was worth on a day, in hundredths.
func (c *company) rate(currency, day string, hundredths int64) {
	c.Helper()
	c.add("ecb", currency+day, &record.Rate{
		Day: record.DayOf(c.moment(day)), Currency: currency, Reference: "EUR",
		PerReference: record.Decimal{Coefficient: hundredths, Scale: 2, Known: true},
	})
}

// compute commits what was added and returns the samples at asOf, which are those of a
// recomputation as well.
func (c *company) compute(asOf string) *collector.Output {
	c.Helper()
	for source, records := range c.pending {
		c.commit(c.T, source, records...)
	}
	clear(c.pending)
	at := c.moment(asOf)
	out := c.output(c.T, c.engine, at)
	held := make([]oracle.Record, 0, len(c.held))
	for _, r := range c.held {
		held = append(held, r)
	}
	compare(c.T, out, oracle.Compute(held, c.settings, at), "against a recomputation at "+asOf)
	return out
}

// none stands for no sample.
const none = "none"

// check compares samples, given as name{label="value",...} with labels in byte order.
func check(t *testing.T, out *collector.Output, want map[string]string) {
	t.Helper()
	series := keyedSeries(out)
	for key, text := range want {
		got, ok := series[key]
		if text == none {
			if ok {
				t.Errorf("%s = %s, want no sample", key, got.RatString())
			}
			continue
		}
		value, valid := new(big.Rat).SetString(text)
		switch {
		case !valid:
			t.Fatalf("%s: %q is no number", key, text)
		case !ok:
			t.Errorf("no %s, want %s", key, text)
		case got.Cmp(value) != 0:
			t.Errorf("%s = %s, want %s", key, got.RatString(), text)
		}
	}
}

// checkReasons compares why headlines, given as kpi|window, have no value; none stands for
// one that has.
func checkReasons(t *testing.T, out *collector.Output, want map[string]string) {
	t.Helper()
	_, undefined := keyed(out)
	for key, reason := range want {
		got, ok := undefined[key]
		if !ok {
			got = none
		}
		if got != reason {
			t.Errorf("%s is undefined because of %s, want %s", key, got, reason)
		}
	}
}

// in returns metrics as check takes them: each with labels, written as label=value,
// and the given values.
func in(values map[string]string, labels ...string) map[string]string {
	m := map[string]string{}
	for name, value := range values {
		m[series(name, labels...)] = value
	}
	return m
}

// series returns the key of a sample with labels, written as label=value.
func series(name string, labels ...string) string {
	set := map[string]string{}
	for _, l := range labels {
		label, value, _ := strings.Cut(l, "=")
		set[label] = value
	}
	all := collector.Metrics()
	i := slices.IndexFunc(all, func(m collector.Metric) bool { return m.Name == name })
	if i < 0 {
		panic("no metric is named " + name)
	}
	if all[i].Money && set["currency"] == "" {
		set["currency"] = "EUR"
	}
	return oracle.Key(name, set)
}

// values returns the values that a label has among a metric's samples of a window, in
// byte order.
func values(out *collector.Output, metric, label, in string) []string {
	var list []string
	for _, m := range collector.Metrics() {
		if m.Name != metric {
			continue
		}
		at, w := slices.Index(m.AllLabels(), label), slices.Index(m.AllLabels(), "window")
		for _, s := range out.Samples {
			if s.Metric == metric && s.Labels[w] == in {
				list = append(list, s.Labels[at])
			}
		}
	}
	slices.Sort(list)
	return list
}

func units(n int64) record.Amount { return record.Micros(n * record.MicrosPerUnit) }

func numbered(prefix string, n int) string { return fmt.Sprintf("%s%03d", prefix, n) }
