package collector

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// customers computes who buys, who stays, and what they are worth.
type customers struct{}

func (customers) Name() string    { return "customers" }
func (customers) Subject() string { return "who buys, who stays, what they are worth" }

func customersMetrics() []Metric {
	return complete("customers", []Metric{
		{
			Name: "b2b_customers", Labels: []string{"state"},
			Help: "Customers now: active (ordered within inactive_after, or a live subscription), churned, prospect (known, never ordered).",
		}, {
			Name: "b2b_customers_new", Headline: true, Worse: -1, Labels: []string{"window", "channel"},
			Help:        "Customers whose first order (or won deal, as configured) falls in the window, by acquisition channel.",
			Formula:     "customers whose first order over the whole history lies in the window, over all channels",
			OfCustomers: true, Settings: []string{"customers.basis", "orders.count", "attribution"},
		}, {
			Name: "b2b_customers_at_start", Labels: []string{"window"},
			Help: "Customers active at the window's start, the denominator of churn.",
		}, {
			Name: "b2b_customers_lost", Labels: []string{"window"},
			Help: "Customers active at the window's start and not at its end.",
		}, {
			Name: "b2b_customers_reactivated", Labels: []string{"window"},
			Help: "Customers not active at the window's start and active at its end, whose first order was before it.",
		}, {
			Name: "b2b_customer_churn_ratio", Unit: "ratio", Free: true, Headline: true, Worse: 1, Labels: []string{"window"},
			Help:        "Customers lost / customers active at the window's start (with churn_denominator remaining: / those still active).",
			Formula:     "customers lost / customers active at the window's start (or, as configured, / those of them still active at its end)",
			Ratio:       &Ratio{Part{Name: "customers active at the window's start and not at its end"}, Part{Name: "customers active at its start (as configured, those still active at its end)"}},
			OfCustomers: true, Settings: []string{"customers.basis", "customers.inactive_after", "customers.churn_denominator"},
		}, {
			Name: "b2b_customer_retention_ratio", Unit: "ratio", Labels: []string{"window"},
			Help: "1 - customers lost / customers active at the window's start.",
		}, {
			Name: "b2b_returning_customer_ratio", Unit: "ratio", Headline: true, Worse: -1, Labels: []string{"window"},
			Help:        "Customers that ordered in the window and also before it / customers that ordered in the window.",
			Formula:     "customers that ordered in the window and also before it / customers that ordered in it",
			Ratio:       &Ratio{Part{Name: "customers that ordered in the window and also before it"}, Part{Name: "customers that ordered in the window"}},
			OfCustomers: true, Settings: []string{"customers.basis", "orders.count"},
		}, {
			Name: "b2b_repeat_purchase_ratio", Unit: "ratio", Labels: []string{"window"},
			Help: "Customers with two or more orders in the window / customers with at least one.",
		}, {
			Name: "b2b_order_interval_seconds", Unit: "seconds", Labels: []string{"q"},
			Help: "Quantiles of the time between consecutive orders of a customer, over those whose later order lies in the last 365 days.",
		}, {
			Name: "b2b_customer_lifetime_value", Money: true, Headline: true, Worse: -1, Labels: []string{"method"},
			Help:    "Lifetime value of a customer: historic (mean of what each has brought), predicted (monthly value of the active / monthly churn).",
			Formula: "method predicted: what an active customer brings in 30 days / share of the customers lost in 30 days (at least 1/60)",
			Ratio:   lifetimeRatio(), OfCustomers: true,
			Settings: []string{"customers.basis", "customers.inactive_after", "customers.lifetime_minimum"},
		}, {
			Name: "b2b_customer_lifetime_value_by_channel", Money: true, Labels: []string{"method", "channel"},
			Help: "Lifetime value of a customer, by acquisition channel.",
		}, {
			Name: "b2b_cohort_retention_ratio", Unit: "ratio", Labels: []string{"cohort", "month"},
			Help: "Share of the customers first seen in the calendar month cohort that ordered in their month number 0 to 12.",
		}, {
			Name: "b2b_customers_at_risk", Labels: []string{},
			Help: "Active customers with three or more orders whose last is longer ago than 1.5 times the median of their own intervals.",
		}, {
			Name: "b2b_customers_at_risk_revenue", Money: true, Headline: true, Worse: 1, Labels: []string{},
			Help:        "Net revenue of the customers at risk over the last 365 days.",
			Formula:     "net revenue of the last 365 days of the active customers with three or more orders whose last is longer ago than 1.5 x the median of their own intervals",
			OfCustomers: true, Settings: []string{"customers.basis", "customers.inactive_after"},
		},
	})
}

// lifetimeRatio names what the predicted lifetime value is made of.
func lifetimeRatio() *Ratio {
	brought := Part{Name: "what they brought in 90 days / 3: gross profit, else net revenue", Unit: "currency"}
	return &Ratio{
		Part{Name: "what an active customer brings in 30 days", Unit: "currency", Ratio: &Ratio{brought, Part{Name: "active customers"}}},
		Part{Name: "share of the customers lost in 30 days", Unit: "ratio", Ratio: &Ratio{
			Part{Name: "customers lost, summed over the last six windows of 30 days"}, Part{Name: "customers active at their starts, summed"},
		}},
	}
}

// orderKind returns the kinds of record that count as orders of a customer.
func (o *Options) orderKinds() []record.Kind {
	switch o.Basis {
	case "deals":
		return []record.Kind{record.KindDeal}
	case "both":
		return []record.Kind{record.KindOrder, record.KindDeal}
	}
	return []record.Kind{record.KindOrder}
}

// buyers returns the names of the sources whose records count as orders of a customer.
func (in *Input) buyers() []string { return in.sourcesOf(in.orderKinds()...) }

// customerKinds returns the kinds of record that say who bought and who is who.
func (o *Options) customerKinds() []record.Kind {
	kinds := append(o.orderKinds(), record.KindCustomer, record.KindSubscription, record.KindLead, record.KindAccount)
	if slices.Contains(kinds, record.KindOrder) {
		kinds = append(kinds, record.KindRefund)
	}
	return kinds
}

// customersGate returns why what counts customers cannot be trusted: all sources of
// these kinds contribute.
func customersGate(in *Input) Reason {
	if len(in.buyers()) == 0 {
		return SourceMissing
	}
	return in.gateAll(in.customerKinds()...)
}

func (customers) Collect(in *Input, out *Output) {
	gate := customersGate(in)
	out.Headlines = append(out.Headlines, customersHeadlines(in, gate)...)
	if gate != "" {
		return
	}
	v := in.View
	out.add("b2b_customers", number(v.Active), "active")
	out.add("b2b_customers", number(v.Churned), "churned")
	out.add("b2b_customers", number(v.Prospects), "prospect")
	byNewChannel := newSeries(in)
	for _, w := range in.current() {
		name := string(w.Name)
		for channel, n := range w.NewByChannel {
			byNewChannel.set(w.Name, channel, number(n))
		}
		out.add("b2b_customers_at_start", number(w.AtStart), name)
		out.add("b2b_customers_lost", number(w.Lost), name)
		out.add("b2b_customers_reactivated", number(w.Reactivated), name)
		out.add("b2b_customer_churn_ratio", in.churn(w), name)
		out.add("b2b_customer_retention_ratio", number(1).minus(in.lostShare(w)), name)
		out.add("b2b_returning_customer_ratio", number(w.Returning).over(number(w.Orderers)), name)
		out.add("b2b_repeat_purchase_ratio", number(w.Repeat).over(number(w.Orderers)), name)
	}
	byNewChannel.emit(out, "b2b_customers_new")
	for _, q := range slices.Sorted(maps.Keys(v.Intervals)) {
		out.add("b2b_order_interval_seconds", Value{Number: big.NewRat(v.Intervals[q], 1_000_000)}, q)
	}
	lifetimes(in, out)
	for _, cohort := range v.Cohorts {
		year, month, _ := cohort.Month.Date()
		for n, ordered := range cohort.Ordered {
			out.add("b2b_cohort_retention_ratio", number(ordered).over(number(cohort.Size)),
				fmt.Sprintf("%04d-%02d", year, month), strconv.Itoa(n))
		}
	}
	now := &v.Moments[rollup.Now]
	out.add("b2b_customers_at_risk", number(now.AtRisk))
	out.add("b2b_customers_at_risk_revenue", money(now.AtRiskRevenue))
}

// lostShare is churn on the basis of those active at the start.
func (in *Input) lostShare(w *rollup.WindowView) Value {
	if !in.mature(w.Since) {
		return undefined(Immature)
	}
	return number(w.Lost).over(number(w.AtStart))
}

func (in *Input) churn(w *rollup.WindowView) Value {
	if in.ChurnRemaining && in.mature(w.Since) {
		return number(w.Lost).over(number(w.AtStart - w.Lost))
	}
	return in.lostShare(w)
}

// mature reports whether the ledger's first order is not later than a moment.
func (in *Input) mature(since int64) bool {
	return in.View.HasFirst && in.View.FirstOrder <= since
}

func lifetimes(in *Input, out *Output) {
	const metric, by = "b2b_customer_lifetime_value", "b2b_customer_lifetime_value_by_channel"
	now := &in.View.Moments[rollup.Now]
	out.add(metric, in.predicted(now, now.Value), "predicted")
	for _, channel := range slices.Sorted(maps.Keys(now.ByChannel)) {
		out.add(by, in.predicted(now, now.ByChannel[channel]), "predicted", channel)
	}
	var all rollup.Historic
	for _, channel := range slices.Sorted(maps.Keys(in.View.Historic)) {
		h := in.View.Historic[channel]
		all.Customers += h.Customers
		all.Value = rollup.AddMoney(all.Value, h.Value)
		out.add(by, money(h.Value).over(number(h.Customers)), "historic", channel)
	}
	out.add(metric, money(all.Value).over(number(all.Customers)), "historic")
}

// predicted is the value of an active customer in a month of 30 days / the share of
// customers lost in one, or 60 months of it where that share is below 1/60.
func (in *Input) predicted(m *rollup.MomentView, l rollup.Lifetime) Value {
	v := money(l.Quarter)
	if !in.mature(m.Since) {
		v = v.unless(Immature)
	}
	if l.Active < int64(in.LifetimeMinimum) {
		v = v.unless(TooFew)
	}
	monthly := v.over(number(3)).over(number(l.Active))
	churn := number(l.Lost).over(number(l.AtStart))
	if churn.Defined() && churn.Number.Cmp(big.NewRat(1, 60)) < 0 {
		return monthly.over(Value{Number: big.NewRat(1, 60)})
	}
	return monthly.over(churn)
}

func customersHeadlines(in *Input, gate Reason) []Headline {
	from := in.buyers()
	list := []Headline{
		in.byWindow("b2b_customers_new", from, gate, func(w *rollup.WindowView) Value { return number(w.New) }),
		in.byWindow("b2b_customer_churn_ratio", from, gate, in.churn),
		in.byWindow("b2b_returning_customer_ratio", from, gate, func(w *rollup.WindowView) Value {
			return number(w.Returning).over(number(w.Orderers))
		}),
		in.atMoment("b2b_customer_lifetime_value", from, gate, func(m *rollup.MomentView) Value { return in.predicted(m, m.Value) }),
		in.atMoment("b2b_customers_at_risk_revenue", from, gate, func(m *rollup.MomentView) Value { return money(m.AtRiskRevenue) }),
	}
	for i := range list {
		list[i].Sources = in.sourcesOf(in.customerKinds()...)
	}
	return list
}
