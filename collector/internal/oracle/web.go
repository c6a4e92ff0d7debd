package oracle

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// site returns the site that a record is about: its source where it names none.
func site(source, name string) string {
	if name == "" {
		return source
	}
	return name
}

// usersOf returns the users of a site in a window; ok is false where they were not asked for.
func (e *evaluation) usersOf(of, kind string, w namedSpan) (n *big.Rat, ok bool) {
	asked := e.calendar.daysOf(w.span, 0)
	for _, r := range e.records {
		u, isUsers := r.Record.(*record.Users)
		if isUsers && site(r.Source, u.Site) == of && u.Kind == kind && (days{u.Start, u.End}) == asked && u.Users.Known {
			return big.NewRat(u.Users.Micros, record.MicrosPerUnit), true
		}
	}
	return nil, false
}

// userSites returns the sites whose users are known.
func (e *evaluation) userSites() []string {
	var list []string
	for _, r := range e.records {
		if u, ok := r.Record.(*record.Users); ok && !slices.Contains(list, site(r.Source, u.Site)) {
			list = append(list, site(r.Source, u.Site))
		}
	}
	slices.Sort(list)
	return list
}

// traffic is a record.Traffic with its site.
type traffic struct {
	*record.Traffic
	site string
}

// traffic returns all traffic under a breakdown.
func (w *world) traffic(by string) []traffic {
	var list []traffic
	for _, r := range w.records {
		if t, ok := r.Record.(*record.Traffic); ok && t.By == by {
			list = append(list, traffic{t, site(r.Source, t.Site)})
		}
	}
	return list
}

// totals returns the traffic that sums to the total of each site: that by channel where
// the tool gives no total.
func (w *world) totals() map[string][]traffic {
	bySite := map[string][]traffic{}
	for _, t := range w.traffic(record.ByTotal) {
		bySite[t.site] = append(bySite[t.site], t)
	}
	byChannel := map[string][]traffic{}
	for _, t := range w.traffic(record.ByChannel) {
		if bySite[t.site] == nil {
			byChannel[t.site] = append(byChannel[t.site], t)
		}
	}
	maps.Copy(bySite, byChannel)
	return bySite
}

// webSums is what sites did in a period.
type webSums struct {
	sessions, views, seconds, conversions, downloads, downloadSessions total
	engaged, sessionsIfEngaged, singlePage, sessionsIfSinglePage       total
}

func (w *world) sumTraffic(list []traffic, s span) *webSums {
	sums, period := &webSums{}, w.calendar.daysOf(s, 0)
	for _, t := range list {
		if !period.holds(t.Day) {
			continue
		}
		sums.sessions.add(number(t.Sessions))
		sums.views.add(number(t.Views))
		sums.seconds.add(number(t.Seconds))
		sums.conversions.add(number(t.Conversions))
		sums.downloads.add(number(t.Downloads))
		sums.downloadSessions.add(number(t.DownloadSessions))
		sums.engaged.add(number(t.Engaged))
		if t.Engaged.Known {
			sums.sessionsIfEngaged.add(number(t.Sessions))
		}
		sums.singlePage.add(number(t.SinglePage))
		if t.SinglePage.Known {
			sums.sessionsIfSinglePage.add(number(t.Sessions))
		}
	}
	return sums
}

// notEngaged returns the share of sessions that were not engaged.
func (s *webSums) notEngaged() value {
	bounced := new(big.Rat).Sub(&s.sessionsIfEngaged.sum, &s.engaged.sum)
	return divide(bounced, &s.sessionsIfEngaged.sum, s.engaged.reason(), s.sessionsIfEngaged.reason())
}

// downloaded returns the share of sessions with a download, or the downloads per
// session where only these are known.
func (s *webSums) downloaded() value {
	if s.downloadSessions.known > 0 {
		return s.downloadSessions.over(&s.sessions)
	}
	return s.downloads.over(&s.sessions)
}

// everywhere returns the traffic of all sites.
func everywhere(bySite map[string][]traffic) []traffic {
	var all []traffic
	for _, list := range bySite {
		all = append(all, list...)
	}
	return all
}

// web exports the collector web.
func (e *evaluation) web() {
	e.trafficByLabel()
	totals := e.totals()
	for _, w := range e.windows {
		for site, list := range totals {
			s, labels := e.sumTraffic(list, w.span), []string{"window", w.name, "site", site}
			e.exportIf("b2b_web_page_views", s.views.value(), labels...)
			e.exportIf("b2b_web_pages_per_session", s.views.over(&s.sessions), labels...)
			e.exportIf("b2b_web_session_duration_seconds", s.seconds.over(&s.sessions), labels...)
			e.exportIf("b2b_web_conversion_ratio", s.conversions.over(&s.sessions), labels...)
			e.exportIf("b2b_web_downloads", s.downloads.value(), labels...)
			e.exportIf("b2b_web_download_ratio", s.downloaded(), labels...)
			e.exportIf("b2b_web_bounce_ratio", s.notEngaged(), append(labels, "definition", "not_engaged")...)
			e.exportIf("b2b_web_bounce_ratio", s.singlePage.over(&s.sessionsIfSinglePage), append(labels, "definition", "single_page")...)
		}
		for _, site := range e.userSites() {
			e.webUsers(w, site)
		}
		e.exitRatios(w)
	}
	e.searches()
	e.referringDomains()
	e.backlinks()
}

// device returns the label of a kind of device.
func device(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if slices.Contains([]string{"desktop", "mobile", "tablet"}, name) {
		return name
	}
	return "other"
}

// trafficByLabel exports what is broken down.
func (e *evaluation) trafficByLabel() {
	sites := []string{"site"}
	sessions := func(name, by, label string, bounded bool, of func(traffic) string) {
		byWindow := e.makeCells()
		for _, t := range e.traffic(by) {
			for i, w := range e.windows {
				if e.calendar.daysOf(w.span, 0).holds(t.Day) {
					byWindow[i].add(labelled(of(t), t.site), number(t.Sessions))
				}
			}
		}
		e.exportFamily(family{name: name, label: label, others: sites, bounded: bounded}, byWindow)
	}
	channelOf := func(t traffic) string { return e.Channels.Classify(t.Touch).Channel }
	valueOf := func(t traffic) string { return cmp.Or(t.Value, unknown) }
	sessions("b2b_web_sessions", record.ByChannel, "channel", false, channelOf)
	sessions("b2b_web_sessions_by_device", record.ByDevice, "device", false, func(t traffic) string { return device(t.Value) })
	sessions("b2b_web_sessions_by_country", record.ByCountry, "country", true, valueOf)
	sessions("b2b_web_sessions_by_age", record.ByAge, "age", false, valueOf)

	newUsers, conversions := e.makeCells(), e.makeCells()
	for i, w := range e.windows {
		ratios := ratioCells{}
		for _, t := range e.traffic(record.ByChannel) {
			if !e.calendar.daysOf(w.span, 0).holds(t.Day) {
				continue
			}
			l := labelled(channelOf(t), t.site)
			newUsers[i].add(l, number(t.NewUsers))
			conversions[i].add(l, number(t.Conversions))
			ratios.at(l).above.add(number(t.Conversions))
			ratios.at(l).below.add(number(t.Sessions))
		}
		e.exportRatios(family{name: "b2b_web_conversion_ratio_by_channel", label: "channel", others: sites}, w.name, ratios)
	}
	e.exportFamily(family{name: "b2b_web_new_users_by_channel", label: "channel", others: sites}, newUsers)
	e.exportFamily(family{name: "b2b_web_conversions", label: "channel", others: sites}, conversions)
}

// webUsers exports the visitors of a site in a window: returning ones are all but the new.
func (e *evaluation) webUsers(w namedSpan, site string) {
	users, hasUsers := e.usersOf(site, record.UsersTotal, w)
	fresh, hasFresh := e.usersOf(site, record.UsersNew, w)
	back, hasBack := e.usersOf(site, record.UsersReturning, w)
	switch {
	case hasUsers && hasFresh:
		back, hasBack = new(big.Rat).Sub(users, fresh), true
	case hasUsers && hasBack:
		fresh, hasFresh = new(big.Rat).Sub(users, back), true
	}
	labels := []string{"window", w.name, "site", site}
	if hasUsers {
		e.export("b2b_web_users", users, labels...)
	}
	if hasFresh {
		e.export("b2b_web_users_new", fresh, labels...)
	}
	if hasBack {
		e.export("b2b_web_users_returning", back, labels...)
	}
	if hasUsers && hasBack {
		e.exportIf("b2b_web_repeat_visitor_ratio", divide(back, users), labels...)
	}
}

func (e *evaluation) exitRatios(w namedSpan) {
	ratios := ratioCells{}
	for _, r := range e.records {
		p, ok := r.Record.(*record.Page)
		if !ok || !e.calendar.daysOf(w.span, 0).holds(p.Day) {
			continue
		}
		cell := ratios.at(labelled(cmp.Or(p.Page, unknown), site(r.Source, p.Site)))
		cell.above.add(number(p.Exits))
		cell.below.add(number(p.Sessions))
	}
	e.exportRatios(family{name: "b2b_web_exit_ratio", label: "page", others: []string{"site"}, bounded: true}, w.name, ratios)
}

// searches exports how sites did in organic search.
func (e *evaluation) searches() {
	bySite := map[string][]*record.Search{}
	for _, r := range e.records {
		if s, ok := r.Record.(*record.Search); ok {
			bySite[site(r.Source, s.Site)] = append(bySite[site(r.Source, s.Site)], s)
		}
	}
	for _, w := range e.windows {
		for site, list := range bySite {
			var clicks, impressions, weighted, weights total
			for _, s := range list {
				if !e.calendar.daysOf(w.span, 0).holds(s.Day) {
					continue
				}
				clicks.add(number(s.Clicks))
				impressions.add(number(s.Impressions))
				if s.Impressions.Known && s.Position.Known {
					weights.add(number(s.Impressions))
					weighted.add(money{true, new(big.Rat).Mul(number(s.Impressions).number, number(s.Position).number)})
				}
			}
			e.exportIf("b2b_web_search_clicks", clicks.value(), "window", w.name, "site", site)
			e.exportIf("b2b_web_search_impressions", impressions.value(), "window", w.name, "site", site)
			e.exportIf("b2b_web_search_position", weighted.over(&weights), "window", w.name, "site", site)
		}
	}
}

func (e *evaluation) referringDomains() {
	for _, w := range e.windows {
		bySite := map[string]map[string]bool{}
		for _, r := range e.records {
			ref, ok := r.Record.(*record.Referrer)
			if !ok {
				continue
			}
			of := site(r.Source, ref.Site)
			if bySite[of] == nil {
				bySite[of] = map[string]bool{}
			}
			if e.calendar.daysOf(w.span, 0).holds(ref.Day) && ref.Sessions.Micros > 0 {
				bySite[of][ref.Domain] = true
			}
		}
		for site, domains := range bySite {
			e.export("b2b_web_referring_domains", count(len(domains)), "window", w.name, "site", site)
		}
	}
}

// backlinks exports the newest number of inbound links of each site.
func (e *evaluation) backlinks() {
	newest := map[string]*record.Backlink{}
	for _, r := range e.records {
		b, ok := r.Record.(*record.Backlink)
		if !ok || !b.Links.Known || e.calendar.firstInstant(b.Day) >= e.asOf {
			continue
		}
		of := site(r.Source, b.Site)
		if newest[of] == nil || newest[of].Day < b.Day {
			newest[of] = b
		}
	}
	for site, b := range newest {
		e.export("b2b_web_backlinks", number(b.Links).number, "site", site)
	}
}

func (w *world) webHeadlines() []headline {
	sources := w.sources(record.KindTraffic)
	return needed([]headline{
		{"b2b_web_sessions", true, true, sources, func(s span, _ int64) value {
			return w.sumTraffic(everywhere(w.totals()), s).sessions.value()
		}},
		{"b2b_web_conversion_ratio", true, true, sources, func(s span, _ int64) value {
			sums := w.sumTraffic(everywhere(w.totals()), s)
			return sums.conversions.over(&sums.sessions)
		}},
	})
}
