package collector

import (
	"maps"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// web computes visits, as the analytics tool counts them.
type web struct{}

func (web) Name() string    { return "web" }
func (web) Subject() string { return "visits, as the analytics tool counts them" }

func webMetrics() []Metric {
	bySite := []string{"window", "site"}
	byChannel := []string{"window", "site", "channel"}
	return complete("web", []Metric{
		{
			Name: "b2b_web_sessions", Headline: true, Worse: -1, Labels: byChannel,
			Help:    "Visits, by the channel that the channel rules give them.",
			Formula: "visits on the window's days, over all sites and channels",
			ByDay:   true, Kinds: []record.Kind{record.KindTraffic},
		}, {
			Name: "b2b_web_sessions_by_device", Labels: []string{"window", "site", "device"},
			Help: "Visits by device: desktop, mobile, tablet, other.",
		}, {
			Name: "b2b_web_sessions_by_country", Labels: []string{"window", "site", "country"}, Bounded: []string{"country"},
			Help: "Visits by country.",
		}, {
			Name: "b2b_web_sessions_by_age", Labels: []string{"window", "site", "age"},
			Help: "Visits by age bracket, where the tool reports demographics.",
		}, {
			Name: "b2b_web_users", Labels: bySite,
			Help: "Unique visitors of exactly this window, as the tool was asked for it.",
		}, {
			Name: "b2b_web_users_new", Labels: bySite,
			Help: "Unique visitors of exactly this window who had never visited before.",
		}, {
			Name: "b2b_web_users_returning", Labels: bySite,
			Help: "Unique visitors of exactly this window who had visited before.",
		}, {
			Name: "b2b_web_new_users_by_channel", Labels: byChannel,
			Help: "New visitors, by the channel that brought them.",
		}, {
			Name: "b2b_web_repeat_visitor_ratio", Unit: "ratio", Labels: bySite,
			Help: "Returning visitors / all unique visitors.",
		}, {
			Name: "b2b_web_page_views", Labels: bySite,
			Help: "Page views.",
		}, {
			Name: "b2b_web_pages_per_session", Labels: bySite,
			Help: "Page views / visits.",
		}, {
			Name: "b2b_web_session_duration_seconds", Unit: "seconds", Labels: bySite,
			Help: "Mean duration of a visit.",
		}, {
			Name: "b2b_web_bounce_ratio", Unit: "ratio", Labels: []string{"window", "site", "definition"},
			Help: "Visits that bounced / visits (definition: not_engaged as Google Analytics counts, single_page as others do).",
		}, {
			Name: "b2b_web_conversions", Labels: byChannel,
			Help: "Key events or goals, by channel.",
		}, {
			Name: "b2b_web_conversion_ratio", Unit: "ratio", Free: true, Headline: true, Worse: -1, Labels: bySite,
			Help:    "Key events or goals / visits.",
			Formula: "key events or goals / visits, over all sites",
			Ratio:   &Ratio{Part{Name: "key events or goals"}, Part{Name: "visits"}},
			ByDay:   true, Kinds: []record.Kind{record.KindTraffic},
		}, {
			Name: "b2b_web_conversion_ratio_by_channel", Unit: "ratio", Free: true, Labels: byChannel,
			Help: "Key events or goals / visits, by channel.",
		}, {
			Name: "b2b_web_downloads", Labels: bySite,
			Help: "File downloads.",
		}, {
			Name: "b2b_web_download_ratio", Unit: "ratio", Free: true, Labels: bySite,
			Help: "Visits with a download / visits (downloads / visits where only these are known).",
		}, {
			Name: "b2b_web_referring_domains", Labels: bySite,
			Help: "Domains that sent at least one visit by a link.",
		},
	})
}

func (web) Collect(in *Input, out *Output) {
	out.Headlines = append(out.Headlines, webHeadlines(in)...)
	sites := in.trusted(in.View.Held.Traffic, record.KindTraffic)
	breakdowns(in, out, sites)
	visitorSites := in.trusted(in.View.Held.Users, record.KindUsers)
	referred := in.trusted(in.View.Held.Referrers, record.KindReferrer)
	for _, w := range in.current() {
		for _, site := range sites {
			if len(in.View.Held.Totals[site])+len(in.View.Held.Channels[site]) == 0 {
				continue
			}
			visits(out, string(w.Name), label(site), in.trafficOf(w, site))
		}
		for _, site := range visitorSites {
			visitors(out, w, site)
		}
		for _, site := range referred {
			out.add("b2b_web_referring_domains", number(w.Referrers[site]), string(w.Name), label(site))
		}
	}
}

// trafficOf is the total of a site: what the tool gives as that, else the sum over channels.
func (in *Input) trafficOf(w *rollup.WindowView, site string) rollup.Traffic {
	if len(in.View.Held.Totals[site]) > 0 {
		return w.Traffic[rollup.TrafficKey{Site: site, By: record.ByTotal}]
	}
	var sum rollup.Traffic
	for k, t := range w.Traffic {
		if k.Site == site && k.By == record.ByChannel {
			sum = sum.Add(t)
		}
	}
	return sum
}

func visits(out *Output, window, site string, t rollup.Traffic) {
	sessions := amount(t.Sessions)
	out.add("b2b_web_page_views", amount(t.Views), window, site)
	out.add("b2b_web_pages_per_session", amount(t.Views).over(sessions), window, site)
	out.add("b2b_web_session_duration_seconds", amount(t.Seconds).over(sessions), window, site)
	out.add("b2b_web_bounce_ratio", amount(t.IfEngaged).minus(amount(t.Engaged)).over(amount(t.IfEngaged)), window, site, "not_engaged")
	out.add("b2b_web_bounce_ratio", amount(t.SinglePage).over(amount(t.IfSinglePage)), window, site, "single_page")
	out.add("b2b_web_conversion_ratio", converted(t), window, site)
	out.add("b2b_web_downloads", amount(t.Downloads), window, site)
	downloads := t.DownloadSessions
	if downloads.Known == 0 {
		downloads = t.Downloads
	}
	out.add("b2b_web_download_ratio", amount(downloads).over(sessions), window, site)
}

func converted(t rollup.Traffic) Value { return amount(t.Conversions).over(amount(t.Sessions)) }

// visitors puts out the unique visitors of a site where they were asked for: those that
// came back are all but the new ones.
func visitors(out *Output, w *rollup.WindowView, site string) {
	users := func(kind string) Value {
		if n := w.Users[rollup.UsersKey{Site: site, Kind: kind}]; n != nil {
			return Value{Number: n}
		}
		return undefined(NoData)
	}
	all, fresh, back := users(record.UsersTotal), users(record.UsersNew), users(record.UsersReturning)
	switch {
	case all.Defined() && fresh.Defined():
		back = all.minus(fresh)
	case all.Defined() && back.Defined():
		fresh = all.minus(back)
	}
	window, name := string(w.Name), label(site)
	out.add("b2b_web_users", all, window, name)
	out.add("b2b_web_users_new", fresh, window, name)
	out.add("b2b_web_users_returning", back, window, name)
	out.add("b2b_web_repeat_visitor_ratio", back.over(all), window, name)
}

// breakdowns puts out what the tool breaks down, each breakdown by itself.
func breakdowns(in *Input, out *Output, sites []string) {
	sessions := map[string]*series{}
	metrics := map[string]string{
		record.ByChannel: "b2b_web_sessions", record.ByDevice: "b2b_web_sessions_by_device",
		record.ByCountry: "b2b_web_sessions_by_country", record.ByAge: "b2b_web_sessions_by_age",
	}
	for by := range metrics {
		sessions[by] = newSeries(in)
	}
	sessions[record.ByCountry].bounded()
	fresh, conversions, ratio := newSeries(in), newSeries(in), newRatios(in)
	for _, w := range in.current() {
		for k, t := range w.Traffic {
			s := sessions[k.By]
			if s == nil || !slices.Contains(sites, k.Site) {
				continue
			}
			value, site := named(k.Value), label(k.Site)
			if k.By == record.ByDevice {
				value = device(k.Value)
			}
			s.set(w.Name, value, amount(t.Sessions), site)
			if k.By == record.ByChannel {
				fresh.set(w.Name, value, amount(t.NewUsers), site)
				conversions.set(w.Name, value, amount(t.Conversions), site)
				ratio.numerators.set(w.Name, value, amount(t.Conversions), site)
				ratio.denominators.set(w.Name, value, amount(t.Sessions), site)
			}
		}
	}
	for _, by := range slices.Sorted(maps.Keys(metrics)) {
		sessions[by].emit(out, metrics[by])
	}
	fresh.emit(out, "b2b_web_new_users_by_channel")
	conversions.emit(out, "b2b_web_conversions")
	ratio.emit(out, "b2b_web_conversion_ratio_by_channel", false)
}

// device returns the label of a kind of device.
func device(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if slices.Contains([]string{"desktop", "mobile", "tablet"}, name) {
		return name
	}
	return "other"
}

func webHeadlines(in *Input) []Headline {
	from, gate := in.sourcesOf(record.KindTraffic), in.gateAll(record.KindTraffic)
	if len(from) == 0 {
		gate = SourceMissing
	}
	total := func(w *rollup.WindowView) rollup.Traffic {
		var sum rollup.Traffic
		for site := range in.View.Held.Traffic {
			sum = sum.Add(in.trafficOf(w, site))
		}
		return sum
	}
	return []Headline{
		in.byDays("b2b_web_sessions", from, gate, func(w *rollup.WindowView) Value { return amount(total(w).Sessions) }),
		in.byDays("b2b_web_conversion_ratio", from, gate, func(w *rollup.WindowView) Value { return converted(total(w)) }),
	}
}
