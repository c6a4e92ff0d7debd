package oracle

import (
	"math/big"
	"slices"
	"strconv"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// headline is a KPI that has change and undefined series.
type headline struct {
	name     string
	windowed bool
	// daily: a part of it is known by day only, so that it is compared over complete days.
	daily bool
	// sources are the names of those that contribute.
	sources []string
	// value returns the total over the labels other than window in s at asOf.
	value func(s span, asOf int64) value
}

// headlineList returns the headlines of the collectors that are computed.
func (w *world) headlineList() []headline {
	var list []headline
	for _, c := range w.collectors() {
		switch c {
		case Orders:
			list = append(list, w.orderHeadlines()...)
		case Customers:
			list = append(list, w.customerHeadlines()...)
		case Acquisition:
			list = append(list, w.acquisitionHeadlines()...)
		case Funnel:
			list = append(list, w.funnelHeadlines()...)
		case Web:
			list = append(list, w.webHeadlines()...)
		case Ads:
			list = append(list, w.adHeadlines()...)
		case Recurring:
			list = append(list, w.recurringHeadlines()...)
		}
	}
	return list
}

// needed makes headlines undefined that no source contributes to.
func needed(list []headline) []headline {
	for i, h := range list {
		if len(h.sources) == 0 {
			list[i].value = func(span, int64) value { return value{reason: sourceMissing} }
		}
	}
	return list
}

func (w *world) orderHeadlines() []headline {
	stores, checkoutStores := w.stores(), w.stores(record.KindCheckout)
	return needed([]headline{
		{"b2b_orders", true, false, stores, func(s span, _ int64) value {
			return value{number: count(w.storeSums(stores, s).orders)}
		}},
		{"b2b_revenue_net", true, false, stores, func(s span, _ int64) value { return w.storeSums(stores, s).net.value() }},
		{"b2b_profit_margin_ratio", true, false, stores, func(s span, _ int64) value { return w.storeSums(stores, s).margin() }},
		{"b2b_average_order_value", true, false, stores, func(s span, _ int64) value {
			return w.storeSums(stores, s).averageOrderValue()
		}},
		{"b2b_checkout_abandonment_ratio", true, false, checkoutStores, func(s span, asOf int64) value {
			return w.abandonment(checkoutStores, s, asOf)
		}},
	})
}

func (w *world) customerHeadlines() []headline {
	buyers := w.sources(w.basisKinds()...)
	return needed([]headline{
		{"b2b_customers_new", true, false, buyers, func(s span, _ int64) value {
			if w.unread() {
				return value{reason: immature}
			}
			return value{number: count(len(w.newIn(s)))}
		}},
		{"b2b_customer_churn_ratio", true, false, buyers, func(s span, _ int64) value {
			return w.churnRatio(w.churn(w.customers, s))
		}},
		{"b2b_returning_customer_ratio", true, false, buyers, func(s span, _ int64) value {
			ratio, _ := w.returning(s)
			return ratio
		}},
		{"b2b_customer_lifetime_value", false, false, buyers, func(_ span, asOf int64) value {
			return w.lifetimePredicted(w.customers, asOf)
		}},
		{"b2b_customers_at_risk_revenue", false, false, buyers, func(_ span, asOf int64) value {
			_, revenue := w.atRisk(asOf)
			return revenue.value()
		}},
	})
}

func (w *world) acquisitionHeadlines() []headline {
	buyers := w.sources(w.basisKinds()...)
	marketing := w.costSources(record.CostMarketing)
	all := w.costSources(record.CostMarketing, record.CostSales)
	return []headline{
		{"b2b_marketing_cost", true, true, marketing, func(s span, _ int64) value {
			if r := w.marketingReason(); r != "" {
				return value{reason: r}
			}
			return w.costsIn(w.calendar.daysOf(s, 0)).marketing.value()
		}},
		{"b2b_customer_acquisition_cost", true, true, slices.Concat(all, buyers), w.headlineAcquisitionCost},
		{"b2b_cac_marketing_ratio", true, true, all, func(s span, _ int64) value { return w.marketingShare(s) }},
		{"b2b_marketing_originated_customer_ratio", true, false, buyers, w.originatedRatio},
		{"b2b_marketing_roi_ratio", true, true, slices.Concat(marketing, buyers), w.returnOnMarketing},
		{"b2b_cost_per_lead", true, true, slices.Concat(marketing, w.sources(record.KindLead)), func(s span, _ int64) value {
			return w.costPerLead(s)
		}},
		{"b2b_ltv_cac_ratio", true, true, slices.Concat(all, buyers), w.lifetimePerCost},
	}
}

func (w *world) funnelHeadlines() []headline {
	leads := w.sources(record.KindLead)
	return needed([]headline{
		{"b2b_lead_to_close_ratio", true, false, leads, func(s span, asOf int64) value {
			return w.conversion(w.funnel, stageLead, stageCustomer, methodCohort, s, asOf)
		}},
		{"b2b_lead_response_seconds", true, false, leads, func(s span, asOf int64) value { return w.response(s, asOf, 1, 2) }},
		{"b2b_lead_contact_ratio", true, false, leads, w.contactRatio},
	})
}

func (w *world) recurringHeadlines() []headline {
	billing := w.sources(record.KindSubscription)
	return needed([]headline{
		{"b2b_mrr", false, false, billing, func(_ span, asOf int64) value { return w.mrr(asOf).value() }},
		{"b2b_net_revenue_retention_ratio", true, false, billing, func(s span, _ int64) value {
			net, _ := w.mrrRetention(s)
			return net
		}},
		{"b2b_mrr_churn_ratio", true, false, billing, func(s span, _ int64) value { return w.mrrChurn(s) }},
	})
}

// headlines exports b2b_kpi_change_ratio and b2b_kpi_undefined.
func (e *evaluation) headlines() {
	for _, h := range e.headlineList() {
		if !h.windowed {
			now := e.headline(h, "", h.value(span{}, e.asOf))
			for _, days := range []int{30, 90, 365} {
				window := strconv.Itoa(days) + "d"
				e.changeSince(h, window, "previous", now, e.calendar.daysBack(e.asOf, days))
				e.changeSince(h, window, "year_ago", now, e.calendar.yearBack(e.asOf))
			}
			continue
		}
		for _, w := range e.windows {
			now := e.headline(h, w.name, h.value(w.span, e.asOf))
			previous, yearAgo := e.calendar.previous(w.name, e.asOf), e.calendar.yearAgo(w.name, e.asOf)
			if _, isDays := wholeDays(w.name); h.daily && !isDays {
				complete := e.calendar.completeDays(w.span)
				now = h.value(complete, complete.end)
				previous, yearAgo = e.calendar.completeDays(previous), e.calendar.completeDays(yearAgo)
			}
			e.changeFrom(h, w.name, "previous", now, previous)
			e.changeFrom(h, w.name, "year_ago", now, yearAgo)
		}
	}
}

// headline notes why a headline has no value, and returns it.
func (e *evaluation) headline(h headline, window string, v value) value {
	if v.reason != "" {
		e.result.Undefined[h.name+"|"+window] = v.reason
		e.export("b2b_kpi_undefined", count(1), "kpi", h.name, "window", window, "reason", v.reason)
	}
	return v
}

// firstCommonRecord returns the latest of the first records of sources; ok is false
// where one has none.
func (w *world) firstCommonRecord(sources []string) (latest int64, ok bool) {
	latest = always
	for _, s := range sources {
		first, seen := w.firstRecord[s]
		if !seen {
			return 0, false
		}
		latest = max(latest, first)
	}
	return latest, true
}

// changeFrom exports the change of a headline with a window against the window base.
func (e *evaluation) changeFrom(h headline, window, versus string, now value, base span) {
	if first, ok := e.firstCommonRecord(h.sources); ok && base.start >= first {
		e.exportChange(h.name, window, versus, now, func() value { return h.value(base, base.end) })
	}
}

// changeSince exports the change of a headline without a window since the moment base.
func (e *evaluation) changeSince(h headline, window, versus string, now value, base int64) {
	if first, ok := e.firstCommonRecord(h.sources); ok && base > first {
		e.exportChange(h.name, window, versus, now, func() value { return h.value(span{}, base) })
	}
}

func (e *evaluation) exportChange(kpi, window, versus string, now value, base func() value) {
	if now.reason != "" {
		return
	}
	was := base()
	if was.reason != "" || was.number.Sign() <= 0 {
		return
	}
	change := new(big.Rat).Quo(now.number, was.number)
	e.export("b2b_kpi_change_ratio", change.Sub(change, big.NewRat(1, 1)), "kpi", kpi, "window", window, "versus", versus)
}
