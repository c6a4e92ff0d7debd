package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// exporter is for whoever runs the exporter.
func exporter() board {
	b := board{
		uid: "b2b-exporter", title: "Exporter health", from: "now-6h",
		question: "Are the figures complete and up to date?",
		answer:   "The exporter, its sources and their APIs, and the KPIs that have no value.",
	}
	state01 := map[string]dashboard.ValueMappingResult{"0": state("down", "red"), "1": state("up", "green")}
	good := []step{{color: "red"}, {1, "green"}}
	bad := []step{{color: "green"}, {1, "red"}}
	lamp := func(p panel, texts map[string]dashboard.ValueMappingResult, steps []step) panel {
		p.texts, p.steps = texts, steps
		return p.current()
	}
	b.panels = append(
		[]panel{
			lamp(figure("Exporters up", number, "Replicas of the exporter that answer Prometheus.", "Prometheus's scrapes.", `sum(up{job="$job"})`), nil, good),
			lamp(figure("Configuration", number, "Whether the last reload of the configuration succeeded.", fromItself, "min("+vector("b2b_config_last_reload_successful")+")"),
				map[string]dashboard.ValueMappingResult{"0": state("refused", "red"), "1": state("loaded", "green")}, good),
			lamp(figure("Collectors failing", number, "Collectors whose last computation failed.", fromItself, "count("+vector("b2b_collector_success")+" == 0) or vector(0)"), nil, bad),
		}, trust()...)
	b.panels = append(b.panels,
		lamp(figure("KPIs without a value", number, "Headline KPIs that have no value in the window 30d although what they need is configured; the table below says why.", fromItself,
			"count("+vector("b2b_kpi_undefined", `window="30d"`, `reason!="source_missing"`)+") or vector(0)"), nil, []step{{color: "green"}, {1, "orange"}}),
		lamp(figure("Answers cut short", number, "Streams whose vendor cut its last answer short, so that KPIs on them are withheld.", fromPolls,
			"count("+vector("b2b_source_truncated")+" == 1) or vector(0)"), nil, bad),
		lamp(figure("History read", percent, "Share of the configured history that has been read, of the stream that is furthest behind.", fromPolls,
			"min("+vector("b2b_source_backfill_ratio")+")"), nil, []step{{color: "orange"}, {1, "green"}}),
		lamp(figure("Least API quota left", percent, "What is left of the limit of a vendor's API that is closest to used up, by its last answer.", "the vendors' answers.",
			"min("+vector("b2b_api_quota_remaining_ratio")+")").precise(1), nil, []step{{color: "red"}, {0.1, "orange"}, {0.25, "green"}}),
		lamp(figure("Records held", number, "Records in the ledger, of all kinds.", "the ledger.", "sum("+vector("b2b_ledger_records")+")"), nil, nil),
		lamp(figure("Ledger", "bytes", "Size of the ledger on disk, its write-ahead log included.", "the ledger.", vector("b2b_ledger_size_bytes")), nil, nil),

		listing("Sources", "Every stream of every source: whether its last poll succeeded, how long ago it was last read to its end, how old the newest record is, and how much of its history has been read.",
			fromPolls, []key{{"source", "Source"}, {"vendor", "Vendor"}, {"stream", "Stream"}},
			column{"Last read", age("b2b_source_last_success_timestamp_seconds"), look{unit: seconds, cell: "color-text", steps: []step{{color: "green"}, {2 * 3600, "orange"}, {26 * 3600, "red"}}}},
			column{"State", vector("b2b_source_up"), look{texts: state01, cell: "color-text", steps: good}},
			column{"Newest record", age("b2b_source_data_timestamp_seconds"), look{unit: seconds}},
			column{"Cut short", vector("b2b_source_truncated"), look{cell: "color-text", steps: bad, texts: map[string]dashboard.ValueMappingResult{"0": state("no", "green"), "1": state("yes", "red")}}},
			column{"History", vector("b2b_source_backfill_ratio"), look{unit: percent, digits: digits(0), cell: "gauge", max: digits(1), steps: []step{{color: "orange"}, {1, "green"}}}},
		).current().size(24, 12),
		trend("Requests", "reqps", "Requests to the vendors' APIs per second, by the class of the answer.", fromItself,
			query{expr: rate("b2b_api_requests_total", "source", "code") + " > 0", legend: "{{source}} {{code}}"}).current().size(8, 9),
		trend("Requests sent again", "reqps", "Requests per second that were sent again, and why.", fromItself,
			query{expr: rate("b2b_api_retries_total", "source", "reason"), legend: "{{source}} {{reason}}"}).current().size(8, 9),
		trend("Answers of the APIs", seconds, "What 9 of 10 requests stay below, from sending a request to the headers of its answer.", fromItself,
			query{expr: "histogram_quantile(0.9, " + rate("b2b_api_request_duration_seconds_bucket", "vendor", "le") + ")", legend: "{{vendor}}"}).current().size(8, 9),
		trend("Quota left", percent, "What is left of the limits of the vendors' APIs.", "the vendors' answers.",
			query{expr: vector("b2b_api_quota_remaining_ratio"), legend: "{{source}} {{quota}}"}).current().share().size(8, 9),
		trend("Records read", "short", "Records read per second, by what became of them in the ledger.", fromPolls,
			query{expr: rate("b2b_source_records_total", "outcome"), legend: "{{outcome}}"}).current().size(8, 9),
		trend("Duration of polls", seconds, "Mean duration of the polls of a source.", fromPolls,
			query{expr: rate("b2b_source_poll_duration_seconds_sum", "source") + " / " + rate("b2b_source_poll_duration_seconds_count", "source"), legend: "{{source}}"}).current().size(8, 9),
		trend("Duration of computations", seconds, "The last computation of each collector's metrics, apart from scrapes.", fromItself,
			query{expr: vector("b2b_collector_duration_seconds"), legend: "{{collector}}"}).current().size(8, 9),
		trend("Ledger", "bytes", "Size of the ledger on disk, its write-ahead log included.", "the ledger.",
			query{expr: vector("b2b_ledger_size_bytes"), legend: "on disk"}).current().size(8, 9),
		compare("Records held", number, "Records in the ledger, by kind.", "the ledger.", sum(vector("b2b_ledger_records"), "record"), "{{record}}").current().size(8, 9),
		listing("KPIs without a value", "Headline KPIs that have no value, in how many windows, and why: docs/metrics.md explains the reasons.", fromItself,
			[]key{{"kpi", "KPI"}, {"reason", "Reason"}},
			column{"Windows", "count by (kpi, reason) (" + vector("b2b_kpi_undefined", `window=~".*"`) + ")", look{unit: number}},
		).current().size(12, 9),
		listing("Records that match no other source", "Customers, accounts and leads that no record of another source is known to be the same as; and metrics that folded label values into other.",
			"the ledger.", []key{{"source", "Source"}, {"record", "Record"}},
			column{"Unmatched", vector("b2b_identity_unmatched"), look{unit: number}},
		).current().size(12, 9),
	)
	return b
}
