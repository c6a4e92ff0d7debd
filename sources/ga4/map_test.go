package ga4

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	fakega4 "github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// TestGroups classifies the vendor's default channel groups as docs/sources/ga4.md says.
func TestGroups(t *testing.T) {
	for group, want := range map[string]string{
		"Direct": "direct", "Organic Search": "organic_search", "Paid Search": "paid_search", "Organic Social": "organic_social",
		"Paid Social": "paid_social", "Email": "email", "Affiliates": "affiliate", "Referral": "referral", "Display": "display",
		"Organic Video": "video", "Paid Video": "video", "Organic Shopping": "organic_search", "Paid Shopping": "paid_search",
		"Cross-network": "paid_search", "Audio": "other", "SMS": "sms", "Mobile Push Notifications": "other", "AI Assistants": "referral",
		"(other)": "unknown", "Something New": "other", "Unassigned": "", "(not set)": "", "": "",
	} {
		got := groupChannel(group)
		if got != want || got != "" && !record.IsChannel(got) {
			t.Errorf("%q is %q, want %q", group, got, want)
		}
	}
}

func TestTouch(t *testing.T) {
	for _, tc := range []struct {
		row  [4]string
		want record.Touch
	}{
		{[4]string{"(direct)", "(none)", "(direct)", "Direct"}, record.Touch{Source: "(direct)", Medium: "(none)", Channel: "direct"}},
		{[4]string{"google", "organic", "(organic)", "Organic Search"}, record.Touch{Source: "google", Medium: "organic", Channel: "organic_search"}},
		{[4]string{"google", "cpc", "spring", "Paid Search"}, record.Touch{Source: "google", Medium: "cpc", Campaign: "spring", Channel: "paid_search"}},
		// The vendor's groups know no webinars and partners: the exporter's own table does, by the medium.
		{[4]string{"zoom", "webinar", "(not set)", "Unassigned"}, record.Touch{Source: "zoom", Medium: "webinar"}},
		{[4]string{"(not set)", "(not set)", "(not set)", "Unassigned"}, record.Touch{}},
		{[4]string{"(other)", "(other)", "(other)", "(other)"}, record.Touch{Source: "(other)", Medium: "(other)", Campaign: "(other)", Channel: "unknown"}},
		{[4]string{"ann@b.example", "email", "to bob@c.example", "Email"}, record.Touch{Medium: "email", Channel: "email"}},
	} {
		got := touch(tc.row[0], tc.row[1], tc.row[2], tc.row[3])
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tc.row, diff)
		}
	}
}

func TestTraffic(t *testing.T) {
	p := newPoller(t, nil)
	day := p.day(0)
	n := func(sessions int64) fakega4.Counts { return fakega4.Counts{Sessions: sessions} }
	p.server.SetDay(day, fakega4.Figures{
		Total: fakega4.Counts{Sessions: 300, Engaged: 200, Views: 900, NewUsers: 70, Seconds: 1000, KeyEvents: record.Micros(12_500_000)},
		Channels: []fakega4.Visits{
			{Source: "google", Medium: "cpc", Campaign: "b", Group: "Paid Search", Counts: fakega4.Counts{Sessions: 7, Seconds: 10, KeyEvents: record.Micros(333_333)}},
			{Source: "google", Medium: "cpc", Campaign: "(not set)", Group: "Paid Search", Counts: n(2)},
			{Source: "google", Medium: "cpc", Campaign: "(organic)", Group: "Paid Search", Counts: n(3)},
		},
		Devices:   map[string]fakega4.Counts{"desktop": n(5), "smart tv": n(1), "(not set)": n(2)},
		Countries: map[string]fakega4.Counts{"DE": n(5), "(not set)": n(1), "(other)": n(2)},
		Ages:      map[string]fakega4.Counts{"25-34": n(5), "65+": n(1), "unknown": n(2), "(not set)": n(4)},
		Downloads: 9, DownloadSessions: 4,
	})
	p.Poll(streamTraffic)
	got := map[string]int64{}
	for _, r := range p.Held[streamTraffic] {
		x := r.(*record.Traffic)
		if x.Site != "web" || x.Day != day || !x.SinglePage.IsNull() {
			t.Errorf("%+v", x)
		}
		if x.By != record.ByTotal && (!x.Downloads.IsNull() || !x.DownloadSessions.IsNull()) {
			t.Errorf("downloads of a part: %+v", x)
		}
		got[strings.Join([]string{x.By, x.Value, x.Touch.Campaign}, " ")] = x.Sessions.Micros / 1_000_000
	}
	want := map[string]int64{
		"total  ": 300, "channel  b": 7, "channel  ": 5, "device desktop ": 5, "device other ": 3,
		"country DE ": 5, "country unknown ": 1, "country other ": 2, "age 25-34 ": 5, "age 65+ ": 1, "age unknown ": 6,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
	m := func(n int64) record.Amount { return record.Micros(n * 1_000_000) }
	total := &record.Traffic{
		Meta: record.Meta{ID: "2026-03-02/total"}, Day: day, Site: "web", By: record.ByTotal,
		Sessions: m(300), Engaged: m(200), Views: m(900), NewUsers: m(70), Conversions: record.Micros(12_500_000),
		// 3.333... seconds each.
		Seconds: m(1000), Downloads: m(9), DownloadSessions: m(4),
	}
	if diff := cmp.Diff(total, p.Held[streamTraffic]["2026-03-02/total"].(*record.Traffic)); diff != "" {
		t.Errorf("the total (-want +got):\n%s", diff)
	}
}

// TestBadRows rejects what cannot be read, and that alone.
func TestBadRows(t *testing.T) {
	p := newPoller(t, func(o *Options) { o.Breakdowns = nil })
	p.sessions(p.day(1), 5)
	p.sessions(p.day(0), 6)
	p.Poll(streamTraffic)
	report := func(metrics string, rows ...string) string {
		text := `{"kind":"analyticsData#runReport","dimensionHeaders":[{"name":"date"}],"metricHeaders":[` + metrics + `],"rowCount":` + string(rune('0'+len(rows))) + `,"rows":[`
		return text + strings.Join(rows, ",") + `]}`
	}
	row := func(date string, metrics ...string) string {
		return `{"dimensionValues":[{"value":"` + date + `"}],"metricValues":[{"value":"` + strings.Join(metrics, `"},{"value":"`) + `"}]}`
	}
	total := `{"name":"newUsers"},{"name":"keyEvents"},{"name":"averageSessionDuration"},{"name":"screenPageViews"},{"name":"engagedSessions"},{"name":"sessions"}`
	p.intercept = func([]byte) (int, string) {
		return 200, `{"reports":[` + report(total,
			row("20260302", "1", "-2", "3", "4", "5", "66"), row("20260301", "1", "2", "3e0", "4", "5", "77"),
			row("2026-03-01", "1", "2", "3", "4", "5", "6"), row("20250101", "1", "2", "3", "4", "5", "6"),
		) + `,` + report(`{"name":"eventCount"},{"name":"sessions"}`, row("20260301", "many", "1")) + `]}`
	}
	if err := p.TryPoll(streamTraffic); err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, r := range p.Rejected {
		reasons = append(reasons, r.ID+": "+r.Reason+" "+r.Where)
		if strings.Contains(r.Detail, "many") {
			t.Errorf("the detail quotes the vendor: %s", r.Detail)
		}
	}
	want := []string{
		": bad number report downloads, date \"20260301\", row 0", "2026-03-02/total: bad number report total, date \"20260302\", row 0",
		": bad date report total, date \"2026-03-01\", row 2", ": bad date report total, date \"20250101\", row 3",
	}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
	// Columns come in any order; the record of the bad row stays.
	if p.total(p.day(1)) != 77 || p.total(p.day(0)) != 6 {
		t.Errorf("totals %d and %d", p.total(p.day(1)), p.total(p.day(0)))
	}
	if r := p.Held[streamTraffic]["2026-03-01/total"].(*record.Traffic); r.Seconds != record.Micros(231_000_000) || !r.Downloads.IsNull() {
		t.Errorf("%+v", r)
	}
}

func TestDomainOf(t *testing.T) {
	for source, want := range map[string]string{
		"example.com": "example.com", " WWW.Example.COM. ": "example.com", "a.b-c.example.co.uk": "a.b-c.example.co.uk", "xn--bcher-kva.example": "xn--bcher-kva.example",
		"": "", "erp": "", "(direct)": "", "ann@b.example": "", "https://a.example/x": "", "a.example?q=1": "", "192.0.2.1": "", ".example": "", "two words.example": "",
	} {
		if got := domainOf(source); got != want {
			t.Errorf("domainOf(%q) = %q, want %q", source, got, want)
		}
	}
}
