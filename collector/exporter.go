package collector

import (
	"maps"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// exporter computes what the exporter says about itself from the ledger. What it
// counts while polling is exposed by the packages that count.
type exporter struct{}

func (exporter) Name() string    { return "exporter" }
func (exporter) Subject() string { return "the exporter itself and the state of its sources" }

func exporterMetrics() []Metric {
	stream := []string{"source", "vendor", "stream"}
	return complete("exporter", []Metric{
		{
			Name: "b2b_exporter_build_info", Labels: []string{"branch", "goarch", "goos", "goversion", "revision", "tags", "version"},
			Help: "Always 1.", Own: true,
		},
		{Name: "b2b_source_up", Labels: stream, Help: "Whether the last poll of the stream succeeded (1) or not (0, also until the first has ended).", Own: true},
		{
			Name: "b2b_source_last_success_timestamp_seconds", Unit: "seconds", Labels: stream,
			Help: "When the stream was last read to its end, in unix time; absent before the first time.", Own: true,
		},
		{
			Name: "b2b_source_last_attempt_timestamp_seconds", Unit: "seconds", Labels: stream,
			Help: "When the last poll of the stream began, in unix time.", Own: true,
		},
		{
			Name: "b2b_source_poll_interval_seconds", Unit: "seconds", Labels: []string{"source", "vendor"},
			Help: "Configured time from one poll of the source to the next.", Own: true,
		},
		{
			Name: "b2b_source_data_timestamp_seconds", Unit: "seconds", Labels: stream,
			Help: "Newest business time of the records that the stream has delivered, such as an order's, in unix time; dates in the future do not count.", Own: true,
		},
		{
			Name: "b2b_source_backfill_ratio", Unit: "ratio", Labels: stream,
			Help: "Share of the stream's configured history that has been read; absent while it is not known.", Own: true,
		},
		{
			Name: "b2b_source_poll_duration_seconds", Unit: "seconds", Type: "histogram", Labels: []string{"source", "vendor"},
			Help: "Durations of the polls of the source, failed ones included and interrupted ones not.", Own: true,
		},
		{
			Name: "b2b_source_records_total", Type: "counter", Labels: []string{"source", "vendor", "record", "outcome"},
			Help: "Records read from the source, by kind (record) and by what became of them in the ledger (outcome: inserted, updated, unchanged, deleted or rejected).", Own: true,
		},
		{
			Name: "b2b_source_truncated", Labels: stream,
			Help: "Whether the vendor cut its last answer short (1), so that KPIs on it are not published, or not (0).", Own: true,
		},
		{
			Name: "b2b_api_requests_total", Type: "counter", Labels: []string{"source", "vendor", "code"},
			Help: "Requests sent to the vendor's API, token requests included, by the class of the answer's status (code: 2xx, 3xx, 4xx, 5xx, or none where no answer came).", Own: true,
		},
		{
			Name: "b2b_api_retries_total", Type: "counter", Labels: []string{"source", "vendor", "reason"},
			Help: "Requests that were sent again, by reason: throttled, server_error or network.", Own: true,
		},
		{
			Name: "b2b_api_request_duration_seconds", Unit: "seconds", Type: "histogram", Labels: []string{"vendor"},
			Help: "Time from sending a request to the vendor's API to the headers of its answer, or to the failure.", Own: true,
		},
		{
			Name: "b2b_api_quota_remaining_ratio", Unit: "ratio", Labels: []string{"source", "vendor", "quota"},
			Help: "What is left of a limit of the vendor's API by its last answer, as a share of the limit.", Own: true,
		},
		{
			Name: "b2b_identity_unmatched", Labels: []string{"source", "record"},
			Help: "Customers, accounts and leads that no record of another source is known to be the same as; only where several sources deliver such records.",
		},
		{
			Name: "b2b_source_disagreement_ratio", Unit: "ratio", Labels: []string{"check", "window"},
			Help: "Difference of two sources that should agree / the larger of both (check ads_crm: conversions by the ad platforms, leads by the CRM from channels with ad spend).",
		},
		{Name: "b2b_ledger_records", Labels: []string{"record"}, Help: "Records held, by kind."},
		{Name: "b2b_ledger_size_bytes", Unit: "bytes", Labels: []string{}, Help: "Size of the ledger on disk, its write-ahead log included."},
		{
			Name: "b2b_collector_duration_seconds", Unit: "seconds", Labels: []string{"collector"},
			Help: "Duration of the collector's last computation.",
		},
		{Name: "b2b_collector_success", Labels: []string{"collector"}, Help: "1 if the collector's last computation succeeded, else 0."},
		{
			Name: "b2b_series_dropped", Labels: []string{"metric"},
			Help: "Label values folded into other by the bound, in the window in which most were.",
		},
		{
			Name: "b2b_config_last_reload_successful", Labels: []string{},
			Help: "1 if the last reload of the configuration succeeded, else 0.", Own: true,
		},
		{
			Name: "b2b_config_last_reload_success_timestamp_seconds", Unit: "seconds", Labels: []string{},
			Help: "Unix time of the last successful reload of the configuration.", Own: true,
		},
	})
}

// LedgerInfo says how large the ledger is.
type LedgerInfo struct {
	Records map[record.Kind]int64
	Bytes   int64
}

func (exporter) Collect(in *Input, out *Output) {
	for _, k := range slices.Sorted(maps.Keys(in.Ledger.Records)) {
		out.add("b2b_ledger_records", number(in.Ledger.Records[k]), string(k))
	}
	out.add("b2b_ledger_size_bytes", number(in.Ledger.Bytes))
	for _, m := range Metrics() {
		if len(m.Bounded) > 0 {
			out.add("b2b_series_dropped", number(int64(out.Dropped[m.Name])), m.Name)
		}
	}
	unmatched(in, out)
	disagreement(in, out)
}

// disagreement holds the conversions that ad platforms attribute to themselves against the
// leads that CRMs know from the channels with ad spend.
func disagreement(in *Input, out *Output) {
	if len(in.sourcesOf(record.KindSpend)) == 0 || len(in.sourcesOf(record.KindLead)) == 0 ||
		in.gateAll(record.KindSpend, record.KindLead) != "" {
		return
	}
	for _, w := range in.current() {
		leads, bought := leadsCreated(w), int64(0)
		for channel := range w.Costs.Bought {
			bought += leads[channel]
		}
		a, b := amount(adsOf(w).Conversions), number(bought)
		if !a.Defined() {
			continue
		}
		larger := a
		if b.Number.Cmp(a.Number) > 0 {
			larger = b
		}
		difference := a.minus(b)
		difference.Number.Abs(difference.Number)
		out.add("b2b_source_disagreement_ratio", difference.over(larger), "ads_crm", string(w.Name))
	}
}

// unmatched needs two sources that know customers: with one there is nothing to match.
func unmatched(in *Input, out *Output) {
	kinds := []record.Kind{record.KindCustomer, record.KindAccount, record.KindLead}
	if len(in.sourcesOf(kinds...)) < 2 {
		return
	}
	for _, s := range in.Sources {
		for _, k := range kinds {
			if s.delivers(k) && s.gate(k) == "" {
				out.add("b2b_identity_unmatched", number(in.View.Unmatched[salesKey(s.Name, string(k))]), s.Name, string(k))
			}
		}
	}
}

// timed notes how a collector's computation went.
type timed struct {
	name    string
	took    time.Duration
	success bool
}

func (out *Output) addTimed(list []timed) {
	for _, t := range list {
		out.add("b2b_collector_duration_seconds", Value{Number: seconds(t.took)}, t.name)
		success := int64(0)
		if t.success {
			success = 1
		}
		out.add("b2b_collector_success", number(success), t.name)
	}
}
