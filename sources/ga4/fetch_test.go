package ga4

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	fakega4 "github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
)

func TestFirstRead(t *testing.T) {
	p := newPoller(t, nil)
	p.sessions(p.day(95), 9)
	p.sessions(p.day(150), 9) // before the history
	p.sessions(p.day(40), 3, "a", "b")
	p.Poll(streamTraffic)
	// The newest days come first, 30 at once, back to the first day with visits.
	if len(p.Pages) != 4 || p.total(p.day(95)) != 9 || p.total(p.day(96)) != -1 || p.total(p.day(40)) != 3 {
		t.Errorf("%d pages, totals %d, %d, %d", len(p.Pages), p.total(p.day(95)), p.total(p.day(96)), p.total(p.day(40)))
	}
	// A day without visits is zero.
	if p.total(p.day(0)) != 0 || p.total(p.day(94)) != 0 {
		t.Errorf("days without visits are %d and %d", p.total(p.day(0)), p.total(p.day(94)))
	}
	if got := len(p.Held[streamTraffic]); got != 96+2 {
		t.Errorf("%d records", got)
	}
	// More history is wanted than before.
	p.history = window.Span{Days: 200}
	p.Poll(streamTraffic)
	if p.total(p.day(150)) != 9 || p.total(p.day(151)) != -1 {
		t.Errorf("after more history: %d, %d", p.total(p.day(150)), p.total(p.day(151)))
	}
	before := p.server.Requests()["reports"]
	p.Poll(streamTraffic)
	if got := p.server.Requests()["reports"] - before; got != 6 {
		t.Errorf("a poll without changes ran %d reports, want 6", got)
	}
	if cut := len(p.Cursors[streamTraffic]); cut > 600 {
		t.Errorf("the cursor has %d characters", cut)
	}
}

func TestFirstReadIsResumed(t *testing.T) {
	p := newPoller(t, nil)
	for ago := range 100 {
		p.sessions(p.day(ago), int64(ago+1))
	}
	crash := errors.New("crash")
	p.OnPage = func(page sources.Page) error {
		if page.Progress > 0.5 {
			return crash
		}
		return nil
	}
	if err := p.TryPoll(streamTraffic); !errors.Is(err, crash) {
		t.Fatal(err)
	}
	p.OnPage = nil
	p.now = p.now.Add(3 * 24 * time.Hour)
	p.bodies = nil
	p.Poll(streamTraffic)
	for ago := 3; ago < 100; ago++ {
		if got := p.total(p.day(ago)); got != int64(ago-2) {
			t.Fatalf("%d days ago: %d", ago, got)
		}
	}
	for _, body := range p.bodies {
		if strings.Contains(body, `"startDate":"2026-02-0`) {
			t.Errorf("what was read is read again: %.120s", body)
		}
	}
}

func TestNothingYet(t *testing.T) {
	p := newPoller(t, nil)
	p.Poll(streamTraffic)
	if len(p.Held[streamTraffic]) != 0 {
		t.Errorf("a property without visits has %v", p.Held[streamTraffic])
	}
	p.sessions(p.day(1), 4)
	p.Poll(streamTraffic)
	if p.total(p.day(2)) != -1 || p.total(p.day(1)) != 4 || p.total(p.day(0)) != 0 {
		t.Errorf("totals %d, %d, %d", p.total(p.day(2)), p.total(p.day(1)), p.total(p.day(0)))
	}
}

// TestRestatement lets days fall, vanish and grow, and says after which poll that shows.
func TestRestatement(t *testing.T) {
	for name, tc := range map[string]struct {
		ago       int
		late      time.Duration // until the days are read again
		campaigns bool          // only these
	}{
		"yesterday":       {ago: 1, late: time.Hour},
		"three days":      {ago: 2, late: 25 * time.Hour},
		"fourteen days":   {ago: 11, late: 25 * time.Hour, campaigns: true},
		"thirty days":     {ago: 0, late: 29 * 24 * time.Hour},
		"the deep review": {ago: 0, late: 30 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPoller(t, nil)
			for ago := range 60 {
				p.sessions(p.day(ago), 10, "a", "b", "c")
			}
			p.Poll(streamTraffic)
			day := p.day(tc.ago)
			until := p.now.Add(tc.late)
			if tc.late > 48*time.Hour {
				// Everything settles; then an old day is restated.
				for p.now.Before(until.Add(-24 * time.Hour)) {
					p.now = p.now.Add(12 * time.Hour)
					p.Poll(streamTraffic)
				}
			}
			p.sessions(day, 0, "b")
			p.now = until
			p.Poll(streamTraffic)
			gone := name != "thirty days"
			if got := p.total(day); (got == 0) != (gone && !tc.campaigns) {
				t.Errorf("the total is %d", got)
			}
			want := map[string]bool{"a": true, "b": true, "c": true}
			if gone {
				want = map[string]bool{"b": true}
			}
			if diff := cmp.Diff(want, p.campaigns(day)); diff != "" {
				t.Errorf("campaigns (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPause(t *testing.T) {
	p := newPoller(t, nil)
	p.history = window.Span{Days: 400}
	p.sessions(p.day(50), 1, "a")
	p.sessions(p.day(1), 1, "a", "b")
	p.Poll(streamTraffic)
	day := p.day(1)
	p.now = p.now.Add(200 * 24 * time.Hour)
	p.sessions(day, 5, "b")
	p.sessions(p.day(100), 7)
	p.Poll(streamTraffic)
	if p.total(day) != 5 || p.total(p.day(100)) != 7 || len(p.campaigns(day)) != 1 {
		t.Errorf("after a pause: %d, %d, %v", p.total(day), p.total(p.day(100)), p.campaigns(day))
	}
}

func TestAnotherShape(t *testing.T) {
	p := newPoller(t, nil)
	p.sessions(p.day(80), 3, "a", "b", "c")
	p.sessions(p.day(1), 3, "a", "b", "c")
	p.Poll(streamTraffic)
	p.open(func(o *Options) { o.ChannelBy = byGroup })
	crash := errors.New("crash")
	n := 0
	p.OnPage = func(sources.Page) error {
		if n++; n == 2 {
			return crash
		}
		return nil
	}
	if err := p.TryPoll(streamTraffic); !errors.Is(err, crash) {
		t.Fatal(err)
	}
	p.OnPage = nil
	p.Poll(streamTraffic)
	for _, ago := range []int{80, 1} {
		if diff := cmp.Diff(map[string]bool{"": true}, p.campaigns(p.day(ago))); diff != "" {
			t.Errorf("%d days ago (-want +got):\n%s", ago, diff)
		}
	}
	p.open(func(o *Options) { o.Breakdowns = nil })
	p.Poll(streamTraffic)
	if got := len(p.Held[streamTraffic]); got != 81 {
		t.Errorf("%d records without breakdowns, want a total for each day", got)
	}
	p.open(nil)
	p.Poll(streamTraffic)
	if got := len(p.campaigns(p.day(80))); got != 3 {
		t.Errorf("%d campaigns with the breakdowns again", got)
	}
	// Another property that has nothing.
	p.open(func(o *Options) { o.Property = "42" })
	p.server.Property = "42"
	for ago := range 100 {
		p.server.SetDay(p.day(ago), fakega4.Figures{})
	}
	p.Poll(streamTraffic)
	if len(p.Held[streamTraffic]) != 0 {
		t.Errorf("%d records of another property are left", len(p.Held[streamTraffic]))
	}
}

// TestWithheld has days that the vendor keeps to itself: they are not zero.
func TestWithheld(t *testing.T) {
	p := newPoller(t, nil)
	p.server.Threshold = 10
	p.sessions(p.day(5), 50)
	p.sessions(p.day(1), 3)
	for ago := range 5 {
		if ago != 1 {
			p.sessions(p.day(ago), 20, "a")
		}
	}
	p.Poll(streamTraffic)
	if !p.truncated() || p.total(p.day(1)) != -1 || p.total(p.day(0)) != 20 {
		t.Errorf("truncated %v, totals %d, %d", p.truncated(), p.total(p.day(1)), p.total(p.day(0)))
	}
	if r := p.Held[streamTraffic][totalID(p.day(0))].(*record.Traffic); !r.Downloads.IsNull() {
		t.Errorf("downloads that may be withheld are %v", r.Downloads)
	}
	// It stays so while the day is not read again.
	day := p.day(1)
	p.now = p.now.Add(24 * time.Hour)
	p.sessions(p.day(0), 20)
	p.Poll(streamTraffic)
	p.now = p.now.Add(time.Hour)
	if p.Poll(streamTraffic); !p.truncated() {
		t.Error("the withheld day was forgotten")
	}
	for range 40 {
		p.now = p.now.Add(24 * time.Hour)
		p.sessions(p.day(0), 20)
		p.Poll(streamTraffic)
	}
	if !p.truncated() || p.total(day) != -1 {
		t.Errorf("the withheld day was forgotten: %d", p.total(day))
	}
	for range 13 { // until it is part of no window any more
		p.now = p.now.Add(30 * 24 * time.Hour)
		for ago := range 31 {
			p.sessions(p.day(ago), 20)
		}
		p.Poll(streamTraffic)
	}
	if p.truncated() {
		t.Errorf("a withheld day counts after more than a year: %s", p.Cursors[streamTraffic])
	}
}

func TestLostDates(t *testing.T) {
	p := newPoller(t, nil)
	p.sessions(p.day(0), 5, "a")
	p.Poll(streamTraffic)
	p.server.LostDates = true
	p.now = p.now.Add(time.Hour)
	if p.Poll(streamTraffic); !p.truncated() || p.total(p.day(0)) != 5 || len(p.campaigns(p.day(0))) != 1 {
		t.Errorf("truncated %v, total %d: what is held stays", p.truncated(), p.total(p.day(0)))
	}
	p.server.LostDates = false
	p.sessions(p.day(0), 2)
	if p.Poll(streamTraffic); p.truncated() || p.total(p.day(0)) != 2 || len(p.campaigns(p.day(0))) != 0 {
		t.Error("the days were read again, and are still missing")
	}
}

// TestTruncated has answers that the vendor says are cut.
func TestTruncated(t *testing.T) {
	p := newPoller(t, nil)
	p.sessions(p.day(0), 5, "a")
	f := fakega4.Figures{Total: fakega4.Counts{Sessions: 1}}
	f.Channels = []fakega4.Visits{{Source: "a.example", Group: "Referral", Counts: fakega4.Counts{Sessions: 1}}}
	p.server.SetDay(p.day(1), f)
	p.intercept = func(body []byte) (int, string) {
		const report = `{"kind":"analyticsData#runReport","metadata":{"dataTruncationReasons":[{"dataTruncationType":"CONVERSIONS"}]}}`
		if n := strings.Count(string(body), "dateRanges"); n > 1 {
			return 200, `{"reports":[` + strings.Repeat(report+",", n-1) + report + `]}`
		}
		return 200, report
	}
	for _, stream := range []string{streamTraffic, streamReferrer} {
		cut := p.intercept
		p.intercept = nil
		p.Poll(stream)
		before := maps.Clone(p.Held[stream])
		p.intercept = cut
		if p.Poll(stream); !p.truncated() {
			t.Errorf("%s is not truncated", stream)
		}
		if diff := cmp.Diff(before, p.Held[stream]); diff != "" {
			t.Errorf("%s (-before +after):\n%s", stream, diff)
		}
	}
	if p.Poll(streamUsers); !p.truncated() || len(p.Held[streamUsers]) != 0 {
		t.Errorf("users: truncated %v, %d records", p.truncated(), len(p.Held[streamUsers]))
	}
}

func TestOtherReferrers(t *testing.T) {
	p := newPoller(t, nil)
	f := fakega4.Figures{Total: fakega4.Counts{Sessions: 6}}
	for _, source := range []string{"www.A.example", "a.example", "news.a.example", "erp", "ann@b.example", "bücher.example"} {
		f.Channels = append(f.Channels, fakega4.Visits{Source: source, Medium: "referral", Group: "Referral", Counts: fakega4.Counts{Sessions: 2}})
	}
	f.Channels = append(f.Channels, fakega4.Visits{Source: "google.example", Group: "Organic Search", Counts: fakega4.Counts{Sessions: 1}})
	p.server.SetDay(p.day(1), f)
	p.Poll(streamReferrer)
	got := map[string]int64{}
	for _, r := range p.Held[streamReferrer] {
		got[r.(*record.Referrer).Domain] = r.(*record.Referrer).Sessions.Micros / 1_000_000
	}
	if diff := cmp.Diff(map[string]int64{"a.example": 4, "news.a.example": 2, "bücher.example": 2}, got); diff != "" || p.truncated() {
		t.Errorf("truncated %v, domains (-want +got):\n%s", p.truncated(), diff)
	}
	p.server.Rows = 2
	if p.Poll(streamReferrer); !p.truncated() {
		t.Error("domains were folded together, and the page does not say so")
	}
	if !strings.Contains(p.logs.String(), "(other)") {
		t.Errorf("nor does the log: %s", p.logs.String())
	}
}

func TestUsers(t *testing.T) {
	p := newPoller(t, nil)
	asked := map[string]int{}
	p.server.Users = func(start, end record.Day) fakega4.Users {
		asked[start.String()+" "+end.String()]++
		return fakega4.Users{Total: int64(end - start + 10), New: 4}
	}
	p.Poll(streamUsers)
	// On 2 March qtd and ytd are the same.
	want := map[string]int{
		"2026-03-02 2026-03-02": 1, "2026-03-01 2026-03-01": 1, "2026-02-23 2026-03-01": 1, "2026-01-31 2026-03-01": 1,
		"2025-12-02 2026-03-01": 1, "2025-03-02 2026-03-01": 1, "2026-03-01 2026-03-02": 1, "2026-01-01 2026-03-02": 1,
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	week := p.Held[streamUsers]["2026-02-23/2026-03-02/returning"].(*record.Users)
	if diff := cmp.Diff(&record.Users{
		Meta: record.Meta{ID: "2026-02-23/2026-03-02/returning"}, Site: "web", Kind: record.UsersReturning,
		Start: record.DateDay(2026, 2, 23), End: record.DateDay(2026, 3, 2), Users: record.Micros(12_000_000),
	}, week); diff != "" {
		t.Errorf("the week (-want +got):\n%s", diff)
	}
	if got := len(p.Held[streamUsers]); got != 3*8 {
		t.Errorf("%d records", got)
	}
	// The windows of the next day do not replace these.
	p.now = p.now.Add(24 * time.Hour)
	before := maps.Clone(p.Held[streamUsers])
	p.Poll(streamUsers)
	for id := range before {
		if p.Held[streamUsers][id] == nil {
			t.Errorf("%s is gone", id)
		}
	}
	// Without visits there are no users, unless they are withheld.
	p.server.Users = func(_, _ record.Day) fakega4.Users { return fakega4.Users{} }
	if p.Poll(streamUsers); p.truncated() || p.Held[streamUsers]["2026-03-03/2026-03-04/total"].(*record.Users).Users != record.Micros(0) {
		t.Errorf("no users: truncated %v", p.truncated())
	}
	p.server.Users = func(_, _ record.Day) fakega4.Users { return fakega4.Users{Total: 3, New: 4} }
	p.Poll(streamUsers)
	if got := p.Held[streamUsers]["2026-03-03/2026-03-04/new"].(*record.Users).Users; got != record.Micros(3_000_000) {
		t.Errorf("more new users than users: %v", got)
	}
	p.server.Threshold = 50
	p.server.Users = func(_, _ record.Day) fakega4.Users { return fakega4.Users{Total: 49, New: 1} }
	if p.Poll(streamUsers); !p.truncated() || p.Held[streamUsers]["2026-03-03/2026-03-04/total"].(*record.Users).Users != record.Micros(3_000_000) {
		t.Errorf("withheld users: truncated %v", p.truncated())
	}
}

// TestZone takes the report's day, whatever the property's zone.
func TestZone(t *testing.T) {
	p := newPoller(t, nil)
	var err error
	if p.zone, err = time.LoadLocation("Pacific/Auckland"); err != nil {
		t.Fatal(err)
	}
	p.now = time.Date(2026, 3, 2, 20, 0, 0, 0, time.UTC)
	p.sessions(record.DateDay(2026, 3, 3), 5)
	p.Poll(streamTraffic)
	if p.total(record.DateDay(2026, 3, 3)) != 5 || !strings.Contains(p.logs.String(), "property_zone=UTC report_zone=Pacific/Auckland") {
		t.Errorf("total %d, log: %s", p.total(record.DateDay(2026, 3, 3)), p.logs.String())
	}
	p.Poll(streamTraffic)
	if n := strings.Count(p.logs.String(), "report_zone"); n != 1 {
		t.Errorf("it was logged %d times", n)
	}
}
