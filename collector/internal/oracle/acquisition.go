package oracle

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// The bases of the customer acquisition cost.
const (
	basisMarketing   = "marketing"
	basisFullyLoaded = "fully_loaded"
	basisPaid        = "paid"
)

const secondsOfMonth = int64(30 * 86400)

// isMarketing reports whether a channel counts as marketing.
func (s Settings) isMarketing(channel string) bool {
	if len(s.MarketingChannels) > 0 {
		return slices.Contains(s.MarketingChannels, channel)
	}
	return !slices.Contains([]string{"direct", "sales_outbound", "offline", record.ChannelOther, record.ChannelUnknown}, channel)
}

// when returns reason where it holds, and the empty string otherwise.
func when(holds bool, reason string) string {
	if holds {
		return reason
	}
	return ""
}

func (w *world) marketingReason() string {
	return when(len(w.costs.sources[record.CostMarketing]) == 0 && !w.costs.deliversSpend, sourceMissing)
}

func (w *world) salesReason() string {
	return when(len(w.costs.sources[record.CostSales]) == 0, sourceMissing)
}

// buyersReason says why new customers are undefined.
func (w *world) buyersReason() string {
	return firstReason(when(len(w.sources(w.basisKinds()...)) == 0, sourceMissing), w.unreadReason())
}

func (w *world) leadsReason() string {
	return when(len(w.sources(record.KindLead)) == 0, sourceMissing)
}

// costSources returns the sources of the costs of categories.
func (w *world) costSources(categories ...string) []string {
	var list []string
	for _, c := range categories {
		list = append(list, w.costs.sources[c]...)
	}
	return list
}

// costsOf returns the costs that acquisition costs in s are made of.
func (w *world) costsOf(s span) *costSums { return w.costsIn(w.calendar.daysOf(s, w.CACLagDays)) }

// acquisitionCost returns the costs of a basis per new customer.
func (w *world) acquisitionCost(basis string, s span, asOf int64) value {
	costs, customers := w.costsOf(s), w.newIn(s)
	reasons := []string{w.buyersReason()}
	var cost *total
	switch basis {
	case basisMarketing:
		cost = &costs.marketing
		reasons = append(reasons, w.marketingReason())
	case basisFullyLoaded:
		cost = costs.all()
		reasons = append(reasons, w.marketingReason(), w.salesReason())
	case basisPaid:
		cost = &costs.spend
		reasons = append(reasons, when(!w.costs.deliversSpend, sourceMissing))
		customers = slices.DeleteFunc(customers, func(c *customer) bool {
			return !costs.channel(c.classAt(asOf, w.LastTouch).Channel).spent
		})
	}
	return divide(&cost.sum, count(len(customers)), append(reasons, cost.reason())...)
}

// headlineAcquisitionCost is fully loaded where there are sales costs.
func (w *world) headlineAcquisitionCost(s span, asOf int64) value {
	if w.salesReason() != "" {
		return w.acquisitionCost(basisMarketing, s, asOf)
	}
	return w.acquisitionCost(basisFullyLoaded, s, asOf)
}

// marketingShare returns marketing's share of the costs.
func (w *world) marketingShare(s span) value {
	costs := w.costsOf(s)
	all := costs.all()
	return divide(&costs.marketing.sum, &all.sum, w.marketingReason(), w.salesReason(), costs.marketing.reason(), all.reason())
}

// originated returns how many new customers came first through a marketing channel.
func (w *world) originated(s span, asOf int64) int {
	n := 0
	for _, c := range w.newIn(s) {
		if w.isMarketing(c.classAt(asOf, false).Channel) {
			n++
		}
	}
	return n
}

func (w *world) originatedRatio(s span, asOf int64) value {
	return divide(count(w.originated(s, asOf)), count(len(w.newIn(s))), w.buyersReason())
}

// unpaidRatio returns the share of new customers from channels without marketing cost.
func (w *world) unpaidRatio(s span, asOf int64) value {
	costs, customers := w.costsIn(w.calendar.daysOf(s, 0)), w.newIn(s)
	n := 0
	for _, c := range customers {
		if !costs.channel(c.classAt(asOf, w.LastTouch).Channel).paid {
			n++
		}
	}
	return divide(count(n), count(len(customers)), w.marketingReason(), w.buyersReason())
}

// gains returns what the new customers of s brought in it, by channel.
func (w *world) gains(s span, asOf int64) map[string]*total {
	byChannel := map[string]*total{}
	for _, c := range w.newIn(s) {
		channel := c.classAt(asOf, w.LastTouch).Channel
		if byChannel[channel] == nil {
			byChannel[channel] = &total{}
		}
		byChannel[channel].join(c.worth(s))
	}
	return byChannel
}

// returnOn returns (gain - cost) / cost.
func (w *world) returnOn(gain, cost *total) value {
	return divide(new(big.Rat).Sub(&gain.sum, &cost.sum), &cost.sum, w.marketingReason(), w.buyersReason(), gain.reason(), cost.reason())
}

// returnOnMarketing is over the channels with cost.
func (w *world) returnOnMarketing(s span, asOf int64) value {
	costs, gains := w.costsIn(w.calendar.daysOf(s, 0)), w.gains(s, asOf)
	var gain total
	for channel, g := range gains {
		if costs.channel(channel).paid {
			gain.join(g)
		}
	}
	return w.returnOn(&gain, &costs.marketing)
}

func (w *world) costPerLead(s span) value {
	costs := w.costsIn(w.calendar.daysOf(s, 0))
	n := 0
	for _, l := range w.funnel {
		if s.holds(l.own[0]) {
			n++
		}
	}
	return divide(&costs.marketing.sum, count(n), w.marketingReason(), w.leadsReason(), costs.marketing.reason())
}

func (w *world) lifetimePerCost(s span, asOf int64) value {
	cost := w.acquisitionCost(basisFullyLoaded, s, asOf)
	predicted, ok := w.predicted[asOf]
	if !ok {
		predicted = w.lifetimePredicted(w.customers, asOf)
		w.predicted[asOf] = predicted
	}
	if r := firstReason(cost.reason, predicted.reason); r != "" {
		return value{reason: r}
	}
	return divide(predicted.number, cost.number)
}

// payback returns how long a customer takes to bring in what it cost, in seconds.
func (w *world) payback(s span, asOf int64) value {
	cost, monthly := w.acquisitionCost(basisFullyLoaded, s, asOf), w.monthlyWorth(w.customers, asOf)
	if r := firstReason(cost.reason, monthly.reason); r != "" {
		return value{reason: r}
	}
	return divide(new(big.Rat).Mul(cost.number, big.NewRat(secondsOfMonth, 1)), monthly.number)
}

// marginalCost returns what more each customer more than in the window before cost.
func (w *world) marginalCost(now, before span) value {
	from := append(w.costSources(record.CostMarketing, record.CostSales), w.sources(w.basisKinds()...)...)
	first, ok := w.firstCommonRecord(from)
	costs, costsBefore := w.costsOf(now).all(), w.costsOf(before).all()
	more := len(w.newIn(now)) - len(w.newIn(before))
	return divide(new(big.Rat).Sub(&costs.sum, &costsBefore.sum), count(max(more, 0)),
		w.marketingReason(), w.salesReason(), w.buyersReason(), costs.reason(), costsBefore.reason(),
		when(!ok || before.start < first, immature))
}

// acquisition exports the collector acquisition.
func (e *evaluation) acquisition() {
	e.costsByChannel()
	for _, w := range e.windows {
		if e.salesReason() == "" {
			e.exportIf("b2b_sales_cost", e.costsIn(e.calendar.daysOf(w.span, 0)).sales.value(), "window", w.name, "currency", e.Currency)
		}
		for _, basis := range []string{basisMarketing, basisFullyLoaded, basisPaid} {
			e.exportIf("b2b_customer_acquisition_cost", e.acquisitionCost(basis, w.span, e.asOf), "window", w.name, "basis", basis, "currency", e.Currency)
		}
		e.exportIf("b2b_cac_marketing_ratio", e.marketingShare(w.span), "window", w.name)
		if e.buyersReason() == "" {
			e.export("b2b_marketing_originated_customers", count(e.originated(w.span, e.asOf)), "window", w.name)
		}
		e.exportIf("b2b_marketing_originated_customer_ratio", e.originatedRatio(w.span, e.asOf), "window", w.name)
		e.exportIf("b2b_marketing_roi_ratio", e.returnOnMarketing(w.span, e.asOf), "window", w.name)
		e.exportIf("b2b_cost_per_lead", e.costPerLead(w.span), "window", w.name, "currency", e.Currency)
		e.exportIf("b2b_ltv_cac_ratio", e.lifetimePerCost(w.span, e.asOf), "window", w.name)
		e.exportIf("b2b_cac_payback_seconds", e.payback(w.span, e.asOf), "window", w.name)
		before := e.calendar.previous(w.name, e.asOf)
		e.exportIf("b2b_marginal_customer_acquisition_cost",
			e.marginalCost(e.calendar.completeDays(w.span), e.calendar.completeDays(before)), "window", w.name, "currency", e.Currency)
		e.exportIf("b2b_unpaid_new_customer_ratio", e.unpaidRatio(w.span, e.asOf), "window", w.name)
		e.labelledAcquisitionCosts(w)
		e.labelledLeadCosts(w)
	}
}

func (e *evaluation) costsByChannel() {
	if e.marketingReason() != "" {
		return
	}
	byWindow := e.makeCells()
	for i, w := range e.windows {
		for channel, cell := range e.costsIn(e.calendar.daysOf(w.span, 0)).byChannel {
			if cell.records == 0 {
				continue // asked for, and nothing there
			}
			x := byWindow[i].at(labelled(channel))
			x.own++
			x.join(&cell.total)
		}
	}
	e.exportFamily(family{name: "b2b_marketing_cost", label: "channel", currency: e.Currency}, byWindow)
}

// labelledAcquisitionCosts exports what new customers cost by channel, campaign and
// program, and what each channel returned.
func (e *evaluation) labelledAcquisitionCosts(w namedSpan) {
	if firstReason(e.marketingReason(), e.buyersReason()) != "" {
		return
	}
	costs := e.costsOf(w.span)
	byChannel, byCampaign, byProgram := ratioCells{}, ratioCells{}, ratioCells{}
	for channel, cell := range costs.byChannel {
		byChannel.at(labelled(channel)).above.join(&cell.total)
	}
	for l, cost := range costs.byCampaign {
		byCampaign.at(l).above.join(cost)
	}
	for l, cost := range costs.byProgram {
		byProgram.at(l).above.join(cost)
	}
	for _, c := range e.newIn(w.span) {
		class := e.classes[c]
		byChannel.at(labelled(class.Channel)).below.add(one)
		byCampaign.at(labelled(e.campaigns.label(class.Campaign), class.Channel)).below.add(one)
		byProgram.at(labelled(cmp.Or(class.Program, unknown))).below.add(one)
	}
	name := "b2b_customer_acquisition_cost_by_"
	e.exportRatios(family{name: name + "channel", label: "channel", currency: e.Currency}, w.name, byChannel)
	e.exportRatios(family{name: name + "campaign", label: "campaign", others: []string{"channel"}, currency: e.Currency, bounded: true}, w.name, byCampaign)
	e.exportRatios(family{name: name + "program", label: "program", currency: e.Currency, bounded: true}, w.name, byProgram)

	gains := e.gains(w.span, e.asOf)
	for channel, cell := range e.costsIn(e.calendar.daysOf(w.span, 0)).byChannel {
		gain := gains[channel]
		if gain == nil {
			gain = &total{}
		}
		e.exportIf("b2b_marketing_roi_ratio_by_channel", e.returnOn(gain, &cell.total), "window", w.name, "channel", channel)
	}
}

func (e *evaluation) labelledLeadCosts(w namedSpan) {
	if firstReason(e.marketingReason(), e.leadsReason()) != "" {
		return
	}
	byChannel := ratioCells{}
	for channel, cell := range e.costsIn(e.calendar.daysOf(w.span, 0)).byChannel {
		byChannel.at(labelled(channel)).above.join(&cell.total)
	}
	for _, l := range e.funnel {
		if w.holds(l.own[0]) {
			byChannel.at(labelled(l.class.Channel)).below.add(one)
		}
	}
	e.exportRatios(family{name: "b2b_cost_per_lead_by_channel", label: "channel", currency: e.Currency}, w.name, byChannel)
}
