package collector

import (
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// acquisition computes what a customer costs, and what that brings.
type acquisition struct{}

func (acquisition) Name() string    { return "acquisition" }
func (acquisition) Subject() string { return "what a customer costs, and what that brings" }

func acquisitionMetrics() []Metric {
	return complete("acquisition", []Metric{
		{
			Name: "b2b_marketing_cost", Money: true, Headline: true, Worse: 1, Labels: []string{"window", "channel"},
			Help:    "Ad spend and configured marketing costs of the window's days.",
			Formula: "ad spend + configured marketing costs of the window's days, over all channels",
			ByDay:   true, Kinds: []record.Kind{record.KindCost, record.KindSpend},
		}, {
			Name: "b2b_sales_cost", Money: true, Labels: []string{"window"},
			Help: "Configured sales costs (salaries, commissions, tools) of the window's days.",
		}, {
			Name: "b2b_customer_acquisition_cost", Money: true, Headline: true, Worse: 1, Labels: []string{"window", "basis"},
			Help:    "Cost / new customers (basis: marketing, fully_loaded with sales costs, paid: ad spend / new customers of channels with spend).",
			Formula: "basis fully_loaded: (marketing + sales cost) / new customers; where no sales cost is known at all, basis marketing: marketing cost / new customers",
			Ratio:   acquisitionRatio(), ByDay: true, OfCustomers: true,
			Kinds: []record.Kind{record.KindCost, record.KindSpend}, Settings: []string{"customers.basis", "cac.lag"},
		}, {
			Name: "b2b_customer_acquisition_cost_by_channel", Money: true, Labels: []string{"window", "channel"},
			Help: "Marketing cost of the channel / new customers attributed to it.",
		}, {
			Name: "b2b_customer_acquisition_cost_by_campaign", Money: true, Labels: []string{"window", "channel", "campaign"}, Bounded: []string{"campaign"},
			Help: "Marketing cost of the campaign / new customers attributed to it.",
		}, {
			Name: "b2b_customer_acquisition_cost_by_program", Money: true, Labels: []string{"window", "program"}, Bounded: []string{"program"},
			Help: "Marketing cost of the program / new customers attributed to it, as cost entries and channel rules name programs.",
		}, {
			Name: "b2b_cac_marketing_ratio", Unit: "ratio", Headline: true, Worse: 1, Labels: []string{"window"},
			Help:    "Marketing's share of customer acquisition cost: marketing cost / (marketing + sales cost).",
			Formula: "marketing cost / (marketing + sales cost)",
			Ratio:   &Ratio{Part{Name: "marketing cost", Unit: "currency"}, Part{Name: "marketing + sales cost", Unit: "currency"}},
			ByDay:   true, Kinds: []record.Kind{record.KindCost, record.KindSpend}, Settings: []string{"cac.lag"},
		}, {
			Name: "b2b_marketing_originated_customers", Labels: []string{"window"},
			Help: "New customers whose first touch was a marketing channel.",
		}, {
			Name: "b2b_marketing_originated_customer_ratio", Unit: "ratio", Headline: true, Worse: -1, Labels: []string{"window"},
			Help:        "New customers whose first touch was a marketing channel / new customers.",
			Formula:     "new customers whose first touch was a marketing channel / new customers",
			Ratio:       &Ratio{Part{Name: "new customers whose first touch was a marketing channel"}, Part{Name: "new customers"}},
			OfCustomers: true, Settings: []string{"customers.basis", "marketing_channels"},
		}, {
			Name: "b2b_marketing_roi_ratio", Unit: "ratio", Free: true, Headline: true, Worse: -1, Labels: []string{"window"},
			Help:    "(Gain - cost) / cost over the channels with cost; gain is what the window's new customers brought in it.",
			Formula: "(gain - cost) / cost; gain is the gross profit, else net revenue, in the window of its new customers of channels with cost",
			Ratio:   &Ratio{Part{Name: "gain - marketing cost", Unit: "currency"}, Part{Name: "marketing cost", Unit: "currency"}},
			ByDay:   true, OfCustomers: true,
			Kinds: []record.Kind{record.KindCost, record.KindSpend}, Settings: []string{"customers.basis", "attribution"},
		}, {
			Name: "b2b_marketing_roi_ratio_by_channel", Unit: "ratio", Free: true, Labels: []string{"window", "channel"},
			Help: "(Gain - cost) / cost of the channel.",
		}, {
			Name: "b2b_cost_per_lead", Money: true, Headline: true, Worse: 1, Labels: []string{"window"},
			Help:    "Marketing cost / CRM leads created.",
			Formula: "marketing cost / leads created in the window",
			Ratio:   &Ratio{Part{Name: "marketing cost", Unit: "currency"}, Part{Name: "leads created in the window"}},
			ByDay:   true, Kinds: []record.Kind{record.KindCost, record.KindSpend, record.KindLead},
		}, {
			Name: "b2b_cost_per_lead_by_channel", Money: true, Labels: []string{"window", "channel"},
			Help: "Marketing cost of the channel / CRM leads created in it.",
		}, {
			Name: "b2b_ltv_cac_ratio", Unit: "ratio", Free: true, Headline: true, Worse: -1, Labels: []string{"window"},
			Help:    "Predicted lifetime value / fully loaded customer acquisition cost.",
			Formula: "predicted lifetime value / fully loaded acquisition cost of a customer",
			Ratio: &Ratio{
				Part{Name: "predicted lifetime value", Unit: "currency", Ratio: lifetimeRatio()},
				Part{Name: "fully loaded acquisition cost", Unit: "currency", Ratio: acquisitionRatio()},
			},
			ByDay: true, OfCustomers: true, Kinds: []record.Kind{record.KindCost, record.KindSpend},
			Settings: []string{"customers.basis", "customers.inactive_after", "customers.lifetime_minimum", "cac.lag"},
		}, {
			Name: "b2b_cac_payback_seconds", Unit: "seconds", Labels: []string{"window"},
			Help: "Fully loaded customer acquisition cost / monthly gross profit (else net revenue) of an active customer, a month being 30 days.",
		}, {
			Name: "b2b_marginal_customer_acquisition_cost", Money: true, Labels: []string{"window"},
			Help: "Change in fully loaded cost / change in new customers against the previous window, where new customers rose.",
		}, {
			Name: "b2b_unpaid_new_customer_ratio", Unit: "ratio", Labels: []string{"window"},
			Help: "New customers from channels without marketing cost in the window / new customers.",
		},
	})
}

// acquisitionRatio names what the acquisition cost of a customer is made of.
func acquisitionRatio() *Ratio {
	return &Ratio{Part{Name: "marketing and, where known, sales cost", Unit: "currency"}, Part{Name: "new customers"}}
}

// market answers what marketing and sales cost, and whom they won.
type market struct {
	*Input
	costGate     Reason // why costs cannot be trusted
	customerGate Reason // ... new customers
	leadGate     Reason // ... leads created
	spends       bool   // some source delivers ad spend
}

func newMarket(in *Input) *market {
	m := &market{
		Input: in, costGate: in.gateAll(record.KindCost, record.KindSpend), customerGate: customersGate(in),
		leadGate: in.gateAll(record.KindLead), spends: len(in.sourcesOf(record.KindSpend)) > 0,
	}
	if len(in.sourcesOf(record.KindLead)) == 0 {
		m.leadGate = SourceMissing
	}
	return m
}

// joined returns why what joins costs and new customers cannot be trusted.
func (m *market) joined() Reason {
	return number(0).unless(m.costGate).unless(m.customerGate).Reason
}

// sum adds money by what a part of its class is.
func sum[K comparable](list map[record.Class]rollup.Money, part func(record.Class) K) map[K]rollup.Money {
	sums := map[K]rollup.Money{}
	for class, m := range list {
		sums[part(class)] = rollup.AddMoney(sums[part(class)], m)
	}
	return sums
}

func channelOf(c record.Class) string { return c.Channel }

func all(record.Class) struct{} { return struct{}{} }

// known reports whether there is any cost of a category.
func (m *market) known(category string) bool { return len(m.View.CostSources[category]) > 0 }

// marketing is the marketing cost, source_missing where nothing says what it is.
func (m *market) marketing(c rollup.Costs) Value {
	if !m.known(record.CostMarketing) && !m.spends {
		return undefined(SourceMissing)
	}
	return money(sum(c.Marketing, all)[struct{}{}])
}

// sales is the sales cost, source_missing where none is known at all.
func (m *market) sales(c rollup.Costs) Value {
	if !m.known(record.CostSales) {
		return undefined(SourceMissing)
	}
	return money(c.Sales)
}

// spend is the ad spend, source_missing where no source delivers it.
func (m *market) spend(c rollup.Costs) Value {
	if !m.spends {
		return undefined(SourceMissing)
	}
	return money(sum(c.Spend, all)[struct{}{}])
}

// marketingShare is marketing's share of the cost of new customers.
func (m *market) marketingShare(w *rollup.WindowView) Value {
	return m.marketing(w.LaggedCosts).over(m.fullyLoaded(w.LaggedCosts))
}

// fullyLoaded is all that marketing and sales cost.
func (m *market) fullyLoaded(c rollup.Costs) Value {
	if v := m.marketing(c); v.Reason == SourceMissing {
		return v
	}
	if v := m.sales(c); v.Reason == SourceMissing {
		return v
	}
	return money(rollup.AddMoney(sum(c.Marketing, all)[struct{}{}], c.Sales))
}

// acquisitionCost is the fully loaded cost of a new customer, or that of marketing where
// no sales costs are known at all.
func (m *market) acquisitionCost(w *rollup.WindowView) Value {
	if !m.known(record.CostSales) {
		return m.marketing(w.LaggedCosts).over(number(w.New))
	}
	return m.fullyLoaded(w.LaggedCosts).over(number(w.New))
}

// paid counts new customers of the channels with ad spend.
func paid(w *rollup.WindowView) int64 {
	n := int64(0)
	for channel := range w.LaggedCosts.Bought {
		n += w.NewByChannel[channel]
	}
	return n
}

// unpaid counts new customers of the channels without marketing cost.
func unpaid(w *rollup.WindowView) int64 {
	n := w.New
	for channel := range w.Costs.Paid {
		n -= w.NewByChannel[channel]
	}
	return n
}

func (m *market) originated(w *rollup.WindowView) int64 {
	n := int64(0)
	for channel, customers := range w.NewFrom {
		if slices.Contains(m.Marketing, channel) {
			n += customers
		}
	}
	return n
}

// returned is the gain of the channels with cost less all marketing cost, over that.
func (m *market) returned(w *rollup.WindowView) Value {
	cost := m.marketing(w.Costs)
	var gain rollup.Money
	for channel := range w.Costs.Paid {
		gain = rollup.AddMoney(gain, w.Gain[channel])
	}
	return money(gain).minus(cost).over(cost)
}

func leadsCreated(w *rollup.WindowView) map[string]int64 {
	created := map[string]int64{}
	for class, n := range w.Leads.By {
		created[class.Channel] += n.Created
	}
	return created
}

func (m *market) costPerLead(w *rollup.WindowView) Value {
	total := int64(0)
	for _, n := range leadsCreated(w) {
		total += n
	}
	return m.marketing(w.Costs).over(number(total))
}

// valueOverCost is the predicted lifetime value at the window's as_of over the cost of a
// customer.
func (m *market) valueOverCost(w *rollup.WindowView) Value {
	now := &m.View.Moments[rollup.Now]
	value := m.predicted(now, now.Value)
	if w.Role != rollup.Current {
		value = m.predicted(&rollup.MomentView{Since: w.ValueSince}, w.Value)
	}
	return value.over(m.fullyLoaded(w.LaggedCosts).over(number(w.New)))
}

func (acquisition) Collect(in *Input, out *Output) {
	m := newMarket(in)
	out.Headlines = append(out.Headlines, m.headlines()...)
	if m.costGate == "" {
		m.costs(out)
	}
	if m.customerGate == "" {
		m.origins(out)
	}
	if m.joined() == "" {
		m.acquired(out)
		m.attributed(out)
	}
	if m.costGate == "" && m.leadGate == "" {
		m.leads(out)
	}
}

func (m *market) costs(out *Output) {
	byChannel := newSeries(m.Input)
	for _, w := range m.current() {
		name := string(w.Name)
		for channel, cost := range sum(w.Costs.Marketing, channelOf) {
			byChannel.set(w.Name, channel, money(cost))
		}
		out.add("b2b_sales_cost", m.sales(w.Costs), name)
		out.add("b2b_cac_marketing_ratio", m.marketingShare(w), name)
	}
	byChannel.emit(out, "b2b_marketing_cost")
}

func (m *market) origins(out *Output) {
	for _, w := range m.current() {
		originated := number(m.originated(w))
		out.add("b2b_marketing_originated_customers", originated, string(w.Name))
		out.add("b2b_marketing_originated_customer_ratio", originated.over(number(w.New)), string(w.Name))
	}
}

// acquired puts out what joins costs and new customers.
func (m *market) acquired(out *Output) {
	now := m.View.Moments[rollup.Now].Value
	monthly := money(now.Quarter).over(number(3)).over(number(now.Active))
	for _, w := range m.current() {
		name, acquired := string(w.Name), number(w.New)
		loaded := m.fullyLoaded(w.LaggedCosts).over(acquired)
		out.add("b2b_customer_acquisition_cost", m.marketing(w.LaggedCosts).over(acquired), name, "marketing")
		out.add("b2b_customer_acquisition_cost", loaded, name, "fully_loaded")
		out.add("b2b_customer_acquisition_cost", m.spend(w.LaggedCosts).over(number(paid(w))), name, "paid")
		out.add("b2b_marketing_roi_ratio", m.returned(w), name)
		out.add("b2b_ltv_cac_ratio", m.valueOverCost(w), name)
		out.add("b2b_cac_payback_seconds", loaded.over(monthly).times(big.NewRat(30*24*3600, 1)), name)
		out.add("b2b_marginal_customer_acquisition_cost", m.marginal(w), name)
		if m.marketing(w.Costs).Reason != SourceMissing {
			out.add("b2b_unpaid_new_customer_ratio", number(unpaid(w)).over(acquired), name)
		}
	}
}

// marginal is the change in cost over the change in new customers against the previous
// window, over complete days.
func (m *market) marginal(w *rollup.WindowView) Value {
	now, before := m.window(w.Name, ofDays(w.Name, rollup.Current)), m.window(w.Name, ofDays(w.Name, rollup.Previous))
	if now.New <= before.New {
		return undefined(ZeroDenominator)
	}
	v := m.fullyLoaded(now.LaggedCosts).minus(m.fullyLoaded(before.LaggedCosts)).over(number(now.New - before.New))
	return v.unless(m.before(before, m.from(m.orderKinds(), record.CostMarketing, record.CostSales)))
}

// attributed puts out costs by channel, campaign and program.
func (m *market) attributed(out *Output) {
	byChannel, byCampaign, byProgram, roi := newRatios(m.Input), newRatios(m.Input), newRatios(m.Input), newRatios(m.Input)
	for _, w := range m.current() {
		if m.marketing(w.LaggedCosts).Reason == SourceMissing {
			return
		}
		for class, cost := range w.LaggedCosts.Marketing {
			byChannel.numerators.set(w.Name, class.Channel, money(cost))
			byCampaign.numerators.set(w.Name, m.campaign(class.Campaign), money(cost), class.Channel)
			byProgram.numerators.set(w.Name, named(class.Program), money(cost))
		}
		for class, n := range w.NewBy {
			byChannel.denominators.set(w.Name, class.Channel, number(n))
			byCampaign.denominators.set(w.Name, m.campaign(class.Campaign), number(n), class.Channel)
			byProgram.denominators.set(w.Name, named(class.Program), number(n))
		}
		for channel, cost := range sum(w.Costs.Marketing, channelOf) {
			if w.Costs.Paid[channel] {
				roi.numerators.set(w.Name, channel, money(w.Gain[channel]).minus(money(cost)))
				roi.denominators.set(w.Name, channel, money(cost))
			}
		}
	}
	byChannel.emit(out, "b2b_customer_acquisition_cost_by_channel", false)
	byCampaign.emit(out, "b2b_customer_acquisition_cost_by_campaign", true)
	byProgram.emit(out, "b2b_customer_acquisition_cost_by_program", true)
	roi.emit(out, "b2b_marketing_roi_ratio_by_channel", false)
}

func (m *market) leads(out *Output) {
	byChannel := newRatios(m.Input)
	for _, w := range m.current() {
		out.add("b2b_cost_per_lead", m.costPerLead(w), string(w.Name))
		if m.marketing(w.Costs).Reason == SourceMissing {
			continue
		}
		for channel, cost := range sum(w.Costs.Marketing, channelOf) {
			byChannel.numerators.set(w.Name, channel, money(cost))
		}
		for channel, n := range leadsCreated(w) {
			byChannel.denominators.set(w.Name, channel, number(n))
		}
	}
	byChannel.emit(out, "b2b_cost_per_lead_by_channel", false)
}

// campaign returns a campaign's label: how it is spelled everywhere.
func (in *Input) campaign(name string) string {
	if spelled := in.View.Campaigns[rollup.FoldCampaign(name)]; spelled != "" {
		name = spelled
	}
	return named(name)
}

// named returns the label of a name that may be missing.
func named(name string) string {
	if name == "" {
		return "unknown"
	}
	return name
}

// from returns the sources without whose first records costs cannot be compared: those
// that have any cost of the categories, and the ones that deliver kinds.
func (m *market) from(kinds []record.Kind, categories ...string) []string {
	list := m.sourcesOf(kinds...)
	for _, category := range categories {
		for _, source := range m.View.CostSources[category] {
			if !slices.Contains(list, source) {
				list = append(list, source)
			}
		}
	}
	return list
}

func (m *market) headlines() []Headline {
	const marketing, sales = record.CostMarketing, record.CostSales
	costs, buyers := m.from(nil, marketing, sales), m.from(m.orderKinds(), marketing, sales)
	list := []Headline{
		m.byDays("b2b_marketing_cost", m.from(nil, marketing), m.costGate, func(w *rollup.WindowView) Value { return m.marketing(w.Costs) }),
		m.byDays("b2b_customer_acquisition_cost", buyers, m.joined(), m.acquisitionCost),
		m.byDays("b2b_cac_marketing_ratio", costs, m.costGate, m.marketingShare),
		m.byWindow("b2b_marketing_originated_customer_ratio", m.buyers(), m.customerGate, func(w *rollup.WindowView) Value {
			return number(m.originated(w)).over(number(w.New))
		}),
		m.byDays("b2b_marketing_roi_ratio", m.from(m.orderKinds(), marketing), m.joined(), m.returned),
		m.byDays("b2b_cost_per_lead", m.from([]record.Kind{record.KindLead}, marketing),
			number(0).unless(m.costGate).unless(m.leadGate).Reason, m.costPerLead),
		m.byDays("b2b_ltv_cac_ratio", buyers, m.joined(), m.valueOverCost),
	}
	costKinds := []record.Kind{record.KindCost, record.KindSpend}
	for i := range list {
		switch list[i].KPI {
		case "b2b_marketing_cost", "b2b_cac_marketing_ratio":
			list[i].Sources = m.sourcesOf(costKinds...)
		case "b2b_cost_per_lead":
			list[i].Sources = m.sourcesOf(append(costKinds, record.KindLead)...)
		case "b2b_marketing_originated_customer_ratio":
			list[i].Sources = m.sourcesOf(m.customerKinds()...)
		default:
			list[i].Sources = m.sourcesOf(append(m.customerKinds(), costKinds...)...)
		}
	}
	return list
}
