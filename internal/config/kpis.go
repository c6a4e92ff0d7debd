package config

import (
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// marketingChannels are the channels that count as marketing where nothing is configured.
func marketingChannels() []string {
	return slices.DeleteFunc(record.Channels(), func(c string) bool {
		return slices.Contains([]string{"direct", "sales_outbound", "offline", record.ChannelOther, record.ChannelUnknown}, c)
	})
}

func (b builder) marketing() []string {
	for i, c := range b.file.Marketing {
		path := element("marketing_channels", i)
		b.channel(path, c)
		if slices.Index(b.file.Marketing, c) < i {
			b.Errorf(path, "%s is listed twice; remove it", c)
		}
	}
	return b.file.Marketing
}

func (b builder) cac() CAC {
	if b.file.CAC.Lag.Elapsed != 0 {
		b.Errorf("cac.lag", "must be whole days, such as 30d: costs are known by day")
	}
	return b.file.CAC
}

func (b builder) funnel() Funnel {
	site := b.file.Funnel.Site
	if site != "" && !slices.ContainsFunc(b.file.Sources, func(s sourceBlock) bool { return s.Name == site }) {
		b.Errorf("funnel.site", "no source is named %q; give the name of the source that counts the visits of the site", shorten(site))
	}
	return b.file.Funnel
}

func (b builder) recurring() Recurring {
	var r Recurring
	for i, text := range b.file.Recurring.Tiers {
		path := element("recurring.tiers", i)
		a := b.amount(path, text)
		if i > 0 && a.Micros <= r.Tiers[i-1].Micros {
			b.Errorf(path, "%s is not above the tier before it; list them in ascending order", text)
		}
		if a.Micros == 0 && !b.report.isFailed(path) {
			b.Errorf(path, "must be above 0")
		}
		r.Tiers = append(r.Tiers, a)
	}
	if len(r.Tiers) == 0 {
		b.Errorf("recurring.tiers", "must not be empty; give bounds such as [100, 1000], or remove the key")
	}
	return r
}
