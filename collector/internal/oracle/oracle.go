// Package oracle recomputes every metric of the collectors that Settings name from
// all records at once, slowly and in the plainest way, so that tests can hold the
// incremental computation against it. Only tests import it.
//
// It shares nothing with what it checks but the types of package record and the
// channel rules: it has its own calendar, its own grouping of customers and exact
// rational numbers throughout.
package oracle

import (
	"math/big"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Source is a configured source: what it delivers, and whether its history has been
// read completely.
type Source struct {
	Name  string
	Kinds []record.Kind
	Read  bool
}

func (s Source) delivers(k record.Kind) bool { return slices.Contains(s.Kinds, k) }

// The settings of customers.basis.
const (
	BasisOrders = "orders"
	BasisDeals  = "deals"
	BasisBoth   = "both"
)

// Settings are the settings that the metrics depend on.
type Settings struct {
	Zone         *time.Location
	Currency     string   // the reporting currency
	Windows      []string // such as today, 30d, mtd
	Basis        string   // BasisOrders, BasisDeals or BasisBoth
	CountPaid    bool     // orders.count: paid
	InactiveDays int      // customers.inactive_after in calendar days
	InactiveFor  time.Duration
	// ChurnRemaining is customers.churn_denominator: remaining.
	ChurnRemaining bool
	LastTouch      bool // attribution: last_touch
	Channels       record.ChannelRules
	Territories    map[string]string // by country
	FreeMail       map[record.Hash]bool
	// LifetimeMinimum is the number of active customers below which the predicted
	// lifetime value is undefined.
	LifetimeMinimum int
	LabelMax        int // values that a bounded label keeps
	Sources         []Source
	// MarketingChannels are all but direct, sales_outbound, offline, other and unknown
	// where there are none.
	MarketingChannels []string
	CACLagDays        int    // cac.lag
	FunnelSite        string // funnel.site
	// Tiers are the bounds between tiers of recurring revenue; 100 and 1000 where there are none.
	Tiers []record.Amount
	// Past: as_of lies in the past, for which nothing is scheduled.
	Past bool
	// Collectors are those to compute; Orders and Customers where there are none.
	Collectors []string
}

// The collectors that can be computed.
const (
	Orders      = "orders"
	Customers   = "customers"
	Acquisition = "acquisition"
	Funnel      = "funnel"
	Web         = "web"
	Ads         = "ads"
	Recurring   = "recurring"
)

func (s Settings) collectors() []string {
	if len(s.Collectors) == 0 {
		return []string{Orders, Customers}
	}
	return s.Collectors
}

// Record is the present version of a record, sealed, under the ID that the ledger
// keeps it by.
type Record struct {
	Source string
	Record record.Record
}

// Result holds the samples. The keys of Series are those that Key makes; money is in
// units. Undefined has the reason of each headline without a value under kpi|window;
// the window is empty where the KPI has none.
type Result struct {
	Series    map[string]*big.Rat
	Undefined map[string]string
}

// Compute returns what the collectors of the settings export at asOf, and the change
// and undefined series of their headlines. Deleted records are left out, and those
// that no source of the settings delivers.
func Compute(records []Record, s Settings, asOf time.Time) Result {
	w := newWorld(records, s)
	e := evaluation{world: w, asOf: asOf.UnixMicro(), result: Result{Series: map[string]*big.Rat{}, Undefined: map[string]string{}}}
	for _, name := range s.Windows {
		e.windows = append(e.windows, namedSpan{name, w.calendar.window(name, e.asOf)})
	}
	e.classes = map[*customer]record.Class{}
	for _, c := range w.customers {
		e.classes[c] = c.classAt(e.asOf, s.LastTouch)
	}
	for _, c := range w.collectors() {
		switch c {
		case Orders:
			e.orders()
		case Customers:
			e.customers()
		case Acquisition:
			e.acquisition()
		case Funnel:
			e.funnelStages()
		case Web:
			e.web()
		case Ads:
			e.ads()
		case Recurring:
			e.recurring()
		}
	}
	e.headlines()
	return e.result
}

// Key returns the key of a sample: name{label="value",...} with labels in the order of
// their names, and the bare name where there are none.
func Key(name string, labels map[string]string) string {
	if len(labels) == 0 {
		return name
	}
	names := make([]string, 0, len(labels))
	for l := range labels {
		names = append(names, l)
	}
	sort.Strings(names)
	pairs := make([]string, 0, len(names))
	for _, l := range names {
		value := labels[l]
		if strings.ContainsAny(value, "\\\"\n") { // seldom, and making a replacer takes its time
			value = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value)
		}
		pairs = append(pairs, l+`="`+value+`"`)
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// evaluation is one computation at one moment.
type evaluation struct {
	*world
	asOf    int64
	windows []namedSpan
	classes map[*customer]record.Class
	result  Result
}

type namedSpan struct {
	name string
	span
}

// export adds a sample; pairs are label names and values in turn.
func (e *evaluation) export(name string, value *big.Rat, pairs ...string) {
	labels := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		labels[pairs[i]] = pairs[i+1]
	}
	e.result.Series[Key(name, labels)] = value
}

// exportIf adds a sample where the value is defined.
func (e *evaluation) exportIf(name string, v value, pairs ...string) {
	if v.reason == "" {
		e.export(name, v.number, pairs...)
	}
}

func (e *evaluation) channel(c *customer) string {
	if c == nil {
		return record.ChannelUnknown
	}
	return e.classes[c].Channel
}
