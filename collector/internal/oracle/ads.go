package oracle

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// qualityScore is the dimension of AdQuality that is not a relevance ranking.
const qualityScore = "quality_score"

// number returns an amount that is no money.
func number(a record.Amount) money {
	return money{known: a.Known, number: big.NewRat(a.Micros, record.MicrosPerUnit)}
}

// adSums is what the ads of a platform, or of all, did in a period.
type adSums struct {
	cost, value, impressions, clicks, conversions total
}

func (s *adSums) add(x adSpend) {
	s.cost.add(x.cost)
	s.value.add(x.value)
	s.impressions.add(number(x.Impressions))
	s.clicks.add(number(x.Clicks))
	s.conversions.add(number(x.Conversions))
}

// over returns a / b.
func (t *total) over(b *total) value { return divide(&t.sum, &b.sum, t.reason(), b.reason()) }

// adsIn returns what the ads of a platform, or of all where it is empty, did in s.
func (w *world) adsIn(platform string, s span) *adSums {
	sums, period := &adSums{}, w.calendar.daysOf(s, 0)
	for _, x := range w.costs.spend {
		if period.holds(x.Day) && (platform == "" || platformOf(x.Platform) == platform) {
			sums.add(x)
		}
	}
	return sums
}

func platformOf(name string) string { return cmp.Or(name, unknown) }

// ads exports the collector ads; nothing where no source delivers spend.
func (e *evaluation) ads() {
	e.adQuality()
	if !e.costs.deliversSpend {
		return
	}
	cost, impressions, clicks, conversions := e.makeCells(), e.makeCells(), e.makeCells(), e.makeCells()
	var platforms []string
	for _, x := range e.costs.spend {
		if !slices.Contains(platforms, platformOf(x.Platform)) {
			platforms = append(platforms, platformOf(x.Platform))
		}
		for i, w := range e.windows {
			if e.calendar.daysOf(w.span, 0).holds(x.Day) {
				l := labelled(e.campaigns.labelOfSpend(x), platformOf(x.Platform), x.class.Channel)
				cost[i].add(l, x.cost)
				impressions[i].add(l, number(x.Impressions))
				clicks[i].add(l, number(x.Clicks))
				conversions[i].add(l, number(x.Conversions))
			}
		}
	}
	f := family{name: "b2b_ad_cost", label: "campaign", others: []string{"platform", "channel"}, currency: e.Currency, bounded: true}
	e.exportFamily(f, cost)
	f.currency = ""
	for name, byWindow := range map[string][]cells{
		"b2b_ad_impressions": impressions, "b2b_ad_clicks": clicks, "b2b_ad_conversions": conversions,
	} {
		f.name = name
		e.exportFamily(f, byWindow)
	}
	for _, w := range e.windows {
		for _, platform := range platforms {
			s := e.adsIn(platform, w.span)
			e.exportIf("b2b_ad_click_through_ratio", s.clicks.over(&s.impressions), "window", w.name, "platform", platform)
			e.exportIf("b2b_ad_cost_per_click", s.cost.over(&s.clicks), "window", w.name, "platform", platform, "currency", e.Currency)
			e.exportIf("b2b_ad_cost_per_acquisition", s.cost.over(&s.conversions), "window", w.name, "platform", platform, "currency", e.Currency)
			e.exportIf("b2b_ad_conversion_ratio", s.conversions.over(&s.clicks), "window", w.name, "platform", platform)
			e.exportIf("b2b_ad_return_on_spend_ratio", s.value.over(&s.cost), "window", w.name, "platform", platform)
		}
		e.adVariants(w)
	}
}

// adVariants exports the conversion ratio of the variants of campaigns. The bound is
// drawn for campaigns and for variants, each over all of the other.
func (e *evaluation) adVariants(w namedSpan) {
	period := e.calendar.daysOf(w.span, 0)
	byCampaign, byVariant := cells{}, cells{}
	for _, x := range e.costs.spend {
		if x.Variant != "" && period.holds(x.Day) {
			byCampaign.add(labelled(e.campaigns.labelOfSpend(x)), number(x.Clicks))
			byVariant.add(labelled(x.Variant), number(x.Clicks))
		}
	}
	folded := func(c cells, v string) string {
		if kept, folds := e.keptValues(c); folds && !slices.Contains(kept, v) {
			return "other"
		}
		return v
	}
	ratios := ratioCells{}
	for _, x := range e.costs.spend {
		if x.Variant != "" && period.holds(x.Day) {
			campaign, variant := folded(byCampaign, e.campaigns.labelOfSpend(x)), folded(byVariant, x.Variant)
			cell := ratios.at(labelled(variant, campaign, platformOf(x.Platform)))
			cell.above.add(number(x.Conversions))
			cell.below.add(number(x.Clicks))
		}
	}
	e.exportRatios(family{name: "b2b_ad_variant_conversion_ratio", label: "variant", others: []string{"campaign", "platform"}}, w.name, ratios)
}

// adQuality exports the scores of 30 days, weighted by impressions.
func (e *evaluation) adQuality() {
	type of struct{ platform, dimension string }
	weighted, weights := map[of]*big.Rat{}, map[of]*big.Rat{}
	period := e.calendar.daysOf(e.calendar.window("30d", e.asOf), 0)
	for _, r := range e.records {
		q, ok := r.Record.(*record.AdQuality)
		if !ok || !period.holds(q.Day) || !q.Score.Known || !q.Impressions.Known {
			continue
		}
		k := of{platformOf(q.Platform), cmp.Or(q.Dimension, unknown)}
		if weights[k] == nil {
			weighted[k], weights[k] = new(big.Rat), new(big.Rat)
		}
		weight := number(q.Impressions).number
		weights[k].Add(weights[k], weight)
		weighted[k].Add(weighted[k], new(big.Rat).Mul(weight, number(q.Score).number))
	}
	for k, weight := range weights {
		score := divide(weighted[k], weight)
		if k.dimension == qualityScore {
			e.exportIf("b2b_ad_quality_score", score, "platform", k.platform)
			continue
		}
		e.exportIf("b2b_ad_relevance_score", score, "platform", k.platform, "dimension", k.dimension)
	}
}

func (w *world) adHeadlines() []headline {
	sources := w.sources(record.KindSpend)
	return needed([]headline{
		{"b2b_ad_cost", true, true, sources, func(s span, _ int64) value { return w.adsIn("", s).cost.value() }},
		{"b2b_ad_click_through_ratio", true, true, sources, func(s span, _ int64) value {
			sums := w.adsIn("", s)
			return sums.clicks.over(&sums.impressions)
		}},
		{"b2b_ad_cost_per_acquisition", true, true, sources, func(s span, _ int64) value {
			sums := w.adsIn("", s)
			return sums.cost.over(&sums.conversions)
		}},
	})
}
