package collector

import (
	"maps"
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// recurring computes what subscriptions bring.
type recurring struct{}

func (recurring) Name() string    { return "recurring" }
func (recurring) Subject() string { return "monthly recurring revenue, its movements and retention" }

func recurringMetrics() []Metric {
	start := Part{Name: "MRR at the window's start", Unit: "currency"}
	kinds := []record.Kind{record.KindSubscription}
	return complete("recurring", []Metric{
		{
			Name: "b2b_mrr", Money: true, Headline: true, Worse: -1, Labels: []string{"tier"},
			Help:    "Monthly recurring revenue (MRR) of live subscriptions now, by tier of the customer's total.",
			Formula: "monthly recurring revenue of the subscriptions that are active or past due, at the day's rates, over all tiers",
			Kinds:   kinds,
		}, {
			Name: "b2b_arr", Money: true, Labels: []string{},
			Help: "Annual recurring revenue: 12 x MRR.",
		}, {
			Name: "b2b_mrr_by_rep", Money: true, Labels: []string{"rep"}, Bounded: []string{"rep"},
			Help: "MRR of the customers whose account the sales representative owns, unassigned where nobody does.",
		}, {
			Name: "b2b_mrr_movement", Money: true, Labels: []string{"window", "movement"},
			Help: "Changes of customers' MRR in the window (movement: new, expansion, contraction, churn, reactivation, never negative) and what changes of exchange rates did to it (fx, signed).",
		}, {
			Name: "b2b_subscribers", Labels: []string{"state"},
			Help: "Customers with a subscription now (state: active, past_due or trialing, the first that one of its subscriptions is in).",
		}, {
			Name: "b2b_net_revenue_retention_ratio", Unit: "ratio", Free: true, Headline: true, Worse: -1, Labels: []string{"window"},
			Help:    "MRR at the window's end of the customers with MRR at its start / their MRR then, at the rates of the end.",
			Formula: "MRR at the window's end of the customers with MRR at its start / their MRR then, both at the rates of the end",
			Ratio: &Ratio{
				Part{Name: "their MRR at the window's end", Unit: "currency"},
				Part{Name: "MRR at its start of the customers that had any, at the rates of the end", Unit: "currency"},
			},
			Kinds: kinds,
		}, {
			Name: "b2b_gross_revenue_retention_ratio", Unit: "ratio", Labels: []string{"window"},
			Help: "The same with no customer's MRR above what it was at the window's start.",
		}, {
			Name: "b2b_mrr_churn_ratio", Unit: "ratio", Free: true, Headline: true, Worse: 1, Labels: []string{"window"},
			Help:    "MRR lost by churn and contraction in the window / MRR at its start.",
			Formula: "(churn + contraction) / MRR at the window's start",
			Ratio:   &Ratio{Part{Name: "churn + contraction", Unit: "currency"}, start},
			Kinds:   kinds,
		}, {
			Name: "b2b_mrr_forecast", Money: true, Labels: []string{"horizon"},
			Help: "MRR now + changes scheduled before the horizon (month_end, 90d) + days left x mean daily net movement of the last 90 days (all movements but fx).",
		},
	})
}

func (recurring) Collect(in *Input, out *Output) {
	gate := in.gateAll(record.KindSubscription)
	if len(in.sourcesOf(record.KindSubscription)) == 0 {
		gate = SourceMissing
	}
	out.Headlines = append(out.Headlines, in.recurringHeadlines(gate)...)
	if gate != "" {
		return
	}
	v := &in.View.Recurring
	for _, t := range v.ByTier {
		out.add("b2b_mrr", money(t.Revenue), t.Name)
	}
	out.add("b2b_arr", in.mrr().times(big.NewRat(12, 1)))
	if in.gateAll(record.KindAccount, record.KindCustomer) == "" {
		in.byOwner(out)
	}
	out.add("b2b_subscribers", number(v.Active), "active")
	out.add("b2b_subscribers", number(v.PastDue), "past_due")
	out.add("b2b_subscribers", number(v.Trialing), "trialing")
	for _, w := range in.current() {
		name, r := string(w.Name), &w.Recurring
		for m, moved := range r.Moved {
			out.add("b2b_mrr_movement", money(moved), name, rollup.Movement(m).String())
		}
		out.add("b2b_mrr_movement", money(r.FX), name, "fx")
		out.add("b2b_net_revenue_retention_ratio", netRetention(w), name)
		out.add("b2b_gross_revenue_retention_ratio", money(r.Kept).over(money(r.Then)), name)
		out.add("b2b_mrr_churn_ratio", revenueChurn(w), name)
	}
	for i := range v.Horizons {
		out.add("b2b_mrr_forecast", in.revenueForecast(&v.Horizons[i]), v.Horizons[i].Name)
	}
}

// mrr is the monthly recurring revenue at as_of.
func (in *Input) mrr() Value { return money(in.View.Moments[rollup.Now].MRR) }

// byOwner puts out the revenue by sales representative.
func (in *Input) byOwner(out *Output) {
	const metric = "b2b_mrr_by_rep"
	values := map[labels]Value{}
	for owner, brought := range in.View.Recurring.ByRep {
		if owner == "" {
			owner = "unassigned"
		}
		l, v := labelled(owner), money(brought)
		if other, ok := values[l]; ok {
			v = other.plus(v)
		}
		values[l] = v
	}
	kept, dropped := largest(values, in.LabelMax)
	out.Dropped[metric] = dropped
	values = folded(values, kept)
	for _, l := range slices.SortedFunc(maps.Keys(values), compareLabels) {
		out.add(metric, values[l], l.value)
	}
}

// netRetention is what the customers with revenue at the window's start bring at its end.
func netRetention(w *rollup.WindowView) Value {
	return money(w.Recurring.Now).over(money(w.Recurring.Then))
}

func revenueChurn(w *rollup.WindowView) Value {
	r := &w.Recurring
	return money(r.Moved[rollup.MovementChurn]).add(money(r.Moved[rollup.MovementContraction])).over(money(r.Start))
}

// revenueForecast goes on from as_of with what is scheduled, of which nothing is known at a
// past as_of, and with the mean of the last 90 days.
func (in *Input) revenueForecast(h *rollup.Horizon) Value {
	const dayMicros = 86_400_000_000
	v := in.mrr().add(money(in.View.Recurring.Net).times(big.NewRat(h.Until-in.View.AsOf, 90*dayMicros)))
	if in.Past {
		return v
	}
	return v.add(money(h.Scheduled))
}

func (in *Input) recurringHeadlines(gate Reason) []Headline {
	from := in.sourcesOf(record.KindSubscription)
	return []Headline{
		in.atMoment("b2b_mrr", from, gate, func(m *rollup.MomentView) Value { return money(m.MRR) }),
		in.byWindow("b2b_net_revenue_retention_ratio", from, gate, netRetention),
		in.byWindow("b2b_mrr_churn_ratio", from, gate, revenueChurn),
	}
}
