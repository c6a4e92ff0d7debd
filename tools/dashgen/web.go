package main

const fromTraffic = "the web analytics tool, as it counts."

// web is for whoever runs the site.
func web() board {
	b := board{
		uid: "b2b-web", title: "Web", windowed: true, from: "now-30d",
		question: "Who visits, how do they come, and do they do what the site is for?",
		answer:   "Visits as the analytics tool counts them; unique visitors are those of exactly the window and are never added up.",
	}
	bySite := func(title, unit, formula, metric string) panel {
		p := figure(title, unit, formula+" By site.", fromTraffic, sum(ratio(metric), "site"))
		p.queries[0].legend = "{{site}}"
		return p
	}
	b.panels = append(
		[]panel{
			headline("b2b_web_sessions", "Visits", number, "Visits; all sites.", fromTraffic, total("b2b_web_sessions")),
			bySite("Visitors", number, "Unique visitors of exactly the window.", "b2b_web_users"),
			bySite("Returning visitors", percent, "Unique visitors that had visited before / all of the window.", "b2b_web_repeat_visitor_ratio").precise(1),
			headline("b2b_web_conversion_ratio", "Conversions per visit", percent, "Key events or goals / visits; all sites.", fromTraffic,
				total("b2b_web_conversions")+" / "+total("b2b_web_sessions")).precise(1),
			figure("Visitors to customers", percent, "New customers / unique visitors, where there is one site or the configuration names it.",
				"the web analytics tool; orders of the stores.", ratio("b2b_visitor_to_customer_ratio")).precise(2),
			bySite("Referring domains", number, "Domains that sent at least one visit by a link.", "b2b_web_referring_domains"),

			verdicts("b2b_web_sessions", "b2b_web_conversion_ratio"),
		}, trust()...)
	b.panels = append(b.panels,
		trend("Visits by site", number, "Visits of the window as they stood at each moment, by site.", fromTraffic,
			query{expr: total("b2b_web_sessions", "site"), legend: "{{site}}"},
			query{expr: total("b2b_web_sessions"), legend: "all"}).limits("b2b_web_sessions"),
		trend("New and returning visitors", number, "Unique visitors of exactly the window that had never visited before, and those that had, by site.", fromTraffic,
			query{expr: sum(ratio("b2b_web_users_new"), "site"), legend: "{{site}} new"}, query{expr: sum(ratio("b2b_web_users_returning"), "site"), legend: "{{site}} returning"}),
		compare("Visits by channel", number, "Visits by the channel that the channel rules give them.", fromTraffic, total("b2b_web_sessions", "channel"), "{{channel}}"),
		compare("Visits by country", number, "Visits by country.", fromTraffic, total("b2b_web_sessions_by_country", "country"), "{{country}}"),
		compare("Visits by device", number, "Visits by device.", fromTraffic, total("b2b_web_sessions_by_device", "device"), "{{device}}"),
		trend("Conversions per visit", percent, "Key events or goals / visits, by site.", fromTraffic,
			query{expr: sum(ratio("b2b_web_conversion_ratio"), "site"), legend: "{{site}}"}).limits("b2b_web_conversion_ratio"),
		trend("Bounces", percent, "Visits that bounced / visits, by site. What a bounce is depends on the tool: not_engaged in Google Analytics, single_page in others.", fromTraffic,
			query{expr: sum(ratio("b2b_web_bounce_ratio"), "site", "definition"), legend: "{{site}} {{definition}}"}),
		listing("Channels", "What came through each channel.", fromTraffic, []key{{"channel", "Channel"}},
			column{"Visits", total("b2b_web_sessions", "channel"), look{unit: number, cell: "gauge", color: "blue"}},
			column{"New visitors", total("b2b_web_new_users_by_channel", "channel"), look{unit: number}},
			column{"Conversions", total("b2b_web_conversions", "channel"), look{unit: number}},
			column{"Per visit", total("b2b_web_conversions", "channel") + " / " + total("b2b_web_sessions", "channel"), look{unit: percent, digits: digits(1)}},
		).size(24, 10),
		listing("Sites", "How each site is used.", fromTraffic, []key{{"site", "Site"}},
			column{"Page views", total("b2b_web_page_views", "site"), look{unit: number, cell: "gauge", color: "blue"}},
			column{"Pages per visit", sum(ratio("b2b_web_pages_per_session"), "site"), look{unit: number, digits: digits(1)}},
			column{"Duration of a visit", sum(ratio("b2b_web_session_duration_seconds"), "site"), look{unit: seconds}},
			column{"Downloads", total("b2b_web_downloads", "site"), look{unit: number}},
			column{"Downloads per visit", sum(ratio("b2b_web_download_ratio"), "site"), look{unit: percent, digits: digits(1)}},
		).size(24, 5),
	)
	return b
}
