package collector

import (
	"maps"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// ads computes how paid campaigns do, as their platforms report them.
type ads struct{}

func (ads) Name() string    { return "ads" }
func (ads) Subject() string { return "paid campaigns, as the platforms report them" }

func adsMetrics() []Metric {
	byCampaign := []string{"window", "platform", "channel", "campaign"}
	byPlatform := []string{"window", "platform"}
	return complete("ads", []Metric{
		{
			Name: "b2b_ad_cost", Money: true, Headline: true, Worse: 1, Labels: byCampaign, Bounded: []string{"campaign"},
			Help:    "Ad spend of the window's days.",
			Formula: "ad spend of the window's days, over all platforms, channels and campaigns",
			ByDay:   true, Kinds: []record.Kind{record.KindSpend},
		}, {
			Name: "b2b_ad_impressions", Labels: byCampaign, Bounded: []string{"campaign"},
			Help: "Impressions of ads on the window's days.",
		}, {
			Name: "b2b_ad_clicks", Labels: byCampaign, Bounded: []string{"campaign"},
			Help: "Clicks on ads on the window's days.",
		}, {
			Name: "b2b_ad_conversions", Labels: byCampaign, Bounded: []string{"campaign"},
			Help: "Conversions that the platform itself attributes to ads, on the days that it books them on; fractions are kept.",
		}, {
			Name: "b2b_ad_click_through_ratio", Unit: "ratio", Free: true, Headline: true, Worse: -1, Labels: byPlatform,
			Help:    "Clicks / impressions.",
			Formula: "clicks / impressions, over all platforms",
			Ratio:   &Ratio{Part{Name: "clicks"}, Part{Name: "impressions"}},
			ByDay:   true, Kinds: []record.Kind{record.KindSpend},
		}, {
			Name: "b2b_ad_cost_per_click", Money: true, Labels: byPlatform,
			Help: "Ad spend / clicks.",
		}, {
			Name: "b2b_ad_cost_per_acquisition", Money: true, Headline: true, Worse: 1, Labels: byPlatform,
			Help:    "Ad spend / conversions that the platform itself attributes.",
			Formula: "ad spend / conversions that the platforms attribute, over all platforms",
			Ratio:   &Ratio{Part{Name: "ad spend", Unit: "currency"}, Part{Name: "conversions that the platforms attribute"}},
			ByDay:   true, Kinds: []record.Kind{record.KindSpend},
		}, {
			Name: "b2b_ad_conversion_ratio", Unit: "ratio", Free: true, Labels: byPlatform,
			Help: "Conversions that the platform itself attributes / clicks.",
		}, {
			Name: "b2b_ad_return_on_spend_ratio", Unit: "ratio", Free: true, Labels: byPlatform,
			Help: "Value of the conversions that the platform itself attributes / ad spend.",
		}, {
			Name: "b2b_ad_quality_score", Labels: []string{"platform"},
			Help: "Keyword quality score of the last 30 days, 1 to 10, weighted by impressions.",
		}, {
			Name: "b2b_ad_relevance_score", Labels: []string{"platform", "dimension"},
			Help: "Relevance of the last 30 days on a scale of 1 to 10 made from the platform's rankings, weighted by impressions.",
		}, {
			Name: "b2b_ad_variant_conversion_ratio", Unit: "ratio", Free: true, Labels: []string{"window", "platform", "campaign", "variant"}, Bounded: []string{"campaign", "variant"},
			Help: "Conversions / clicks of the variants of an A/B test of the platform.",
		},
	})
}

// qualityScore is the dimension of the judgements that are no relevance ranking.
const qualityScore = "quality_score"

func (ads) Collect(in *Input, out *Output) {
	out.Headlines = append(out.Headlines, adsHeadlines(in)...)
	platforms := in.trusted(in.View.Held.Platforms, record.KindSpend)
	byCampaign(in, out, platforms)
	for _, w := range in.current() {
		for _, platform := range platforms {
			a, name, p := adsOf(w, platform), string(w.Name), named(label(platform))
			out.add("b2b_ad_click_through_ratio", clickThrough(a), name, p)
			out.add("b2b_ad_cost_per_click", money(a.Cost).over(amount(a.Clicks)), name, p)
			out.add("b2b_ad_cost_per_acquisition", perAcquisition(a), name, p)
			out.add("b2b_ad_conversion_ratio", amount(a.Conversions).over(amount(a.Clicks)), name, p)
			out.add("b2b_ad_return_on_spend_ratio", money(a.ConversionValue).over(money(a.Cost)), name, p)
		}
		variants(in, out, w, platforms)
	}
	quality(in, out)
}

func clickThrough(a rollup.Ads) Value   { return amount(a.Clicks).over(amount(a.Impressions)) }
func perAcquisition(a rollup.Ads) Value { return money(a.Cost).over(amount(a.Conversions)) }

// adsOf sums the figures of platforms, of all where none is given.
func adsOf(w *rollup.WindowView, platforms ...string) rollup.Ads {
	var sum rollup.Ads
	for k, a := range w.Ads {
		if len(platforms) == 0 || slices.Contains(platforms, k.Platform) {
			sum = sum.Add(a)
		}
	}
	return sum
}

func byCampaign(in *Input, out *Output, platforms []string) {
	for metric, of := range map[string]func(rollup.Ads) Value{
		"b2b_ad_cost":        func(a rollup.Ads) Value { return money(a.Cost) },
		"b2b_ad_impressions": func(a rollup.Ads) Value { return amount(a.Impressions) },
		"b2b_ad_clicks":      func(a rollup.Ads) Value { return amount(a.Clicks) },
		"b2b_ad_conversions": func(a rollup.Ads) Value { return amount(a.Conversions) },
	} {
		s := newSeries(in).bounded()
		for _, w := range in.current() {
			for k, a := range w.Ads {
				if slices.Contains(platforms, k.Platform) {
					s.set(w.Name, in.campaign(k.Campaign), of(a), named(label(k.Platform)), k.Channel)
				}
			}
		}
		s.emit(out, metric)
	}
}

// variants puts out the arms of experiments. The bound holds for campaigns and for
// variants, each over all of the other, by clicks.
func variants(in *Input, out *Output, w *rollup.WindowView, platforms []string) {
	arms := map[rollup.AdKey]rollup.Ads{}
	campaigns, names := map[labels]Value{}, map[labels]Value{}
	add := func(to map[labels]Value, l labels, v Value) {
		if other, ok := to[l]; ok {
			v = other.plus(v)
		}
		to[l] = v
	}
	for k, a := range w.Ads {
		if k.Variant == "" || !slices.Contains(platforms, k.Platform) {
			continue
		}
		arm := rollup.AdKey{Platform: named(label(k.Platform)), Campaign: label(in.campaign(k.Campaign)), Variant: label(k.Variant)}
		arms[arm] = arms[arm].Add(a)
		add(campaigns, labels{value: arm.Campaign}, amount(a.Clicks))
		add(names, labels{value: arm.Variant}, amount(a.Clicks))
	}
	const metric = "b2b_ad_variant_conversion_ratio"
	keptCampaigns, left := largest(campaigns, in.LabelMax)
	keptNames, dropped := largest(names, in.LabelMax)
	if left+dropped > 0 {
		out.Dropped[metric] = max(out.Dropped[metric], left, dropped)
	}
	sums := map[rollup.AdKey]rollup.Ads{}
	for arm, a := range arms {
		if !keptCampaigns[arm.Campaign] {
			arm.Campaign = otherLabel
		}
		if !keptNames[arm.Variant] {
			arm.Variant = otherLabel
		}
		sums[arm] = sums[arm].Add(a)
	}
	for arm, a := range sums {
		out.add(metric, amount(a.Conversions).over(amount(a.Clicks)), string(w.Name), arm.Platform, arm.Campaign, arm.Variant)
	}
}

func quality(in *Input, out *Output) {
	platforms := in.trusted(in.View.Held.Judged, record.KindAdQuality)
	for k, q := range in.View.Quality {
		if !slices.Contains(platforms, k.Platform) {
			continue
		}
		score := Value{Number: q.Weighted}.over(Value{Number: q.Impressions})
		if k.Dimension == qualityScore {
			out.add("b2b_ad_quality_score", score, named(label(k.Platform)))
		} else {
			out.add("b2b_ad_relevance_score", score, named(label(k.Platform)), named(label(k.Dimension)))
		}
	}
}

func adsHeadlines(in *Input) []Headline {
	from, gate := in.sourcesOf(record.KindSpend), in.gateAll(record.KindSpend)
	if len(from) == 0 {
		gate = SourceMissing
	}
	kpis := map[string]func(rollup.Ads) Value{
		"b2b_ad_cost":                 func(a rollup.Ads) Value { return money(a.Cost) },
		"b2b_ad_click_through_ratio":  clickThrough,
		"b2b_ad_cost_per_acquisition": perAcquisition,
	}
	var list []Headline
	for _, kpi := range slices.Sorted(maps.Keys(kpis)) {
		list = append(list, in.byDays(kpi, from, gate, func(w *rollup.WindowView) Value { return kpis[kpi](adsOf(w)) }))
	}
	return list
}
