package googleads

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	fakegoogleads "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

var errStop = errors.New("stop")

func cost(units int64) fakegoogleads.Metrics {
	return fakegoogleads.Metrics{CostMicros: units * 1e6, Impressions: 10 * units, Clicks: units}
}

func TestDaysLeftOutAreZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Name: "Runs", Start: today - 10})
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 2, Name: "Ended", Start: today - 10, End: today - 5})
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 3, Name: "Paused", Start: today - 10, Status: "PAUSED"})
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 4, Name: "Removed", Start: today - 10, Status: "REMOVED"})
		for id := range int64(4) {
			p.server.SetDay(id+1, today-7, cost(5))
		}
		p.Poll("spend")
		for id, want := range map[int64]map[record.Day]int64{
			1: {today - 11: -1, today - 10: 0, today - 7: 5e6, today - 5: 0, today: 0},
			2: {today - 11: -1, today - 10: 0, today - 7: 5e6, today - 5: 0, today - 4: -1, today: -1},
			3: {today - 10: -1, today - 7: 5e6, today: -1},
			4: {today - 10: -1, today - 7: 5e6, today: -1},
		} {
			for day, cost := range want {
				if got := p.cost(id, day); got != cost {
					t.Errorf("campaign %d, %d days ago: cost %d, want %d", id, today-day, got, cost)
				}
			}
		}
		none := record.Micros(0)
		want := &record.Spend{
			Meta: record.Meta{ID: dayKey{1, today}.String()}, Day: today, Platform: "google", CampaignID: "1", Currency: "USD",
			Touch: record.Touch{Source: "google", Medium: "cpc", Campaign: "Runs", Channel: "paid_search"},
			Cost:  none, Impressions: none, Clicks: none, Conversions: none, ConversionValue: none,
		}
		if diff := cmp.Diff(want, p.spend(1, today), cmp.AllowUnexported(record.Amount{})); diff != "" {
			t.Errorf("the record of zeros differs (-want +got):\n%s", diff)
		}
		if name := p.spend(4, today-7).Touch.Campaign; name != "Removed" {
			t.Errorf("a removed campaign is called %q", name)
		}
	})
}

func TestRestatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Start: today - 60})
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 2, Start: today - 60, Status: "PAUSED"})
		for _, back := range []record.Day{0, 2, 20, 40} {
			p.server.SetDay(1, today-back, cost(8))
			p.server.SetDay(2, today-back, cost(8))
		}
		p.Poll("spend")
		// Up, down and away: of the newest days at once, of the look-back within a day, of what lies
		// behind it never.
		for _, back := range []record.Day{2, 20, 40} {
			p.server.SetDay(1, today-back, cost(3))
			p.server.ClearDay(2, today-back)
			if err := p.server.Convert(1, today-back, "1.5", "120.25"); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(when string, costs map[record.Day][2]int64) {
			for back, want := range costs {
				if got := [2]int64{p.cost(1, today-back), p.cost(2, today-back)}; got != want {
					t.Errorf("%s, %d days ago: costs %v, want %v", when, back, got, want)
				}
			}
		}
		time.Sleep(time.Hour)
		p.Poll("spend")
		expect("at the next poll", map[record.Day][2]int64{2: {3e6, -1}, 20: {8e6, 8e6}, 40: {8e6, 8e6}})
		if got := p.spend(1, today-2).Conversions; got != record.Micros(1_500_000) {
			t.Errorf("conversions %v of two days ago, want 1.5", got)
		}
		time.Sleep(23 * time.Hour)
		p.Poll("spend")
		expect("after a day", map[record.Day][2]int64{2: {3e6, -1}, 20: {3e6, -1}, 40: {8e6, 8e6}})
		if got := p.spend(1, today-20).ConversionValue; got != record.Micros(120_250_000) {
			t.Errorf("value %v of 20 days ago, want 120.25", got)
		}
		// A campaign that is deleted with all its days leaves nothing in the look-back.
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Start: today - 60, Status: "REMOVED"})
		for _, back := range []record.Day{0, 2, 20} {
			p.server.ClearDay(1, today-back)
		}
		time.Sleep(24 * time.Hour)
		p.Poll("spend")
		expect("after the removal", map[record.Day][2]int64{0: {-1, 8e6}, 2: {-1, -1}, 20: {-1, -1}, 10: {-1, -1}})
	})
}

// What was in the look-back when polls stopped is read again, however long the pause.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Start: today - 60})
		p.server.SetDay(1, today-25, cost(8))
		p.Poll("spend")
		time.Sleep(60 * 24 * time.Hour)
		p.server.SetDay(1, today-25, cost(9))
		p.server.SetDay(1, today+10, cost(4))
		p.Poll("spend")
		if p.cost(1, today-25) != 9e6 || p.cost(1, today+10) != 4e6 {
			t.Errorf("costs %d and %d, want the restated and the new one", p.cost(1, today-25), p.cost(1, today+10))
		}
	})
}

func TestFirstReadGoesBackToTheHistory(t *testing.T) {
	for name, c := range map[string]struct {
		history  window.Span
		earliest record.Day // days ago
		want     record.Day
		requests int // for days of campaigns
	}{
		"all":           {window.Span{}, 400, 400, 13},
		"days":          {window.Span{Days: 100}, 400, 100, 4},
		"elapsed":       {window.Span{Elapsed: 100 * 24 * time.Hour}, 400, 100, 4},
		"young account": {window.Span{Days: 1100}, 50, 50, 2},
		"short":         {window.Span{Days: 7}, 400, 29, 1}, // the look-back is read anyway
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPoller(t, nil)
				p.history = c.history
				today := p.today()
				p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Start: today - 1000, Status: "PAUSED"})
				for back := range c.earliest + 1 {
					p.server.SetDay(1, today-back, cost(1))
				}
				progress := 0.0
				p.OnPage = func(page sources.Page) error {
					if page.Progress < progress || page.Progress > 1 {
						t.Errorf("progress %v after %v", page.Progress, progress)
					}
					progress = page.Progress
					return nil
				}
				p.Poll("spend")
				if len(p.Held["spend"]) != int(c.want)+1 || p.cost(1, today-c.want) != 1e6 {
					t.Errorf("%d days are held, want those back to %d days ago", len(p.Held["spend"]), c.want)
				}
				if got := p.server.Requests()["campaign"] - 1; got != c.requests { // without the list
					t.Errorf("%d requests for days, want %d", got, c.requests)
				}
				if progress != 1 {
					t.Errorf("the progress ends at %v", progress)
				}
			})
		})
	}
}

func TestAnInterruptedFirstReadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Start: today - 1000, Status: "PAUSED"})
		for back := range record.Day(310) {
			p.server.SetDay(1, today-back, cost(1))
		}
		pages := 0
		p.OnPage = func(sources.Page) error {
			if pages++; pages > 4 {
				return errStop
			}
			return nil
		}
		if err := p.TryPoll("spend"); !errors.Is(err, errStop) {
			t.Fatalf("got %v, want the error of emit", err)
		}
		if n := len(p.Held["spend"]); n != 4*31 {
			t.Fatalf("%d days are held, want 124", n)
		}
		asked := p.server.Requests()["campaign"]
		p.OnPage = nil
		p.open(nil)
		time.Sleep(2 * 24 * time.Hour)
		p.server.SetDay(1, today+1, cost(2))
		p.server.SetDay(1, today-1, cost(3))
		p.Poll("spend")
		if n := len(p.Held["spend"]); n != 311 || p.cost(1, today+1) != 2e6 || p.cost(1, today-1) != 3e6 {
			t.Errorf("%d days are held (%d, %d), want 311 with what came in between", n, p.cost(1, today+1), p.cost(1, today-1))
		}
		// The list, what is left of ten chunks, and the newest days.
		if got := p.server.Requests()["campaign"] - asked; got != 1+6+1 {
			t.Errorf("%d requests to go on, want 8", got)
		}
	})
}

// An answer that breaks off in an error changes nothing, however much came before.
func TestBrokenStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.ChunkRows = 3
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Start: today - 20})
		for back := range record.Day(10) {
			p.server.SetDay(1, today-back, cost(1))
		}
		p.Poll("spend")
		before := fmt.Sprint(p.Cursors, len(p.Held["spend"]))
		p.server.SetDay(1, today, cost(7))
		time.Sleep(30 * time.Minute)
		p.intercept = func(r *http.Request) (int, string) {
			if body := readBody(t, r); strings.Contains(body, "metrics.cost_micros") {
				p.server.BreakStreams(1)
			}
			return 0, ""
		}
		err := p.TryPoll("spend")
		if api, ok := errors.AsType[*apiclient.APIError](err); !ok || api.Code != "internalError.TRANSIENT_ERROR" || api.RequestID == "" {
			t.Errorf("got %v, want the vendor's error", err)
		}
		if after := fmt.Sprint(p.Cursors, len(p.Held["spend"])); after != before || p.cost(1, today) != 1e6 {
			t.Errorf("a broken answer changed %s into %s", before, after)
		}
		p.intercept = nil
		p.Poll("spend")
		if p.cost(1, today) != 7e6 {
			t.Errorf("cost %d after the next poll", p.cost(1, today))
		}
	})
}

// A day of polls stays far within what the lowest access level allows.
func TestOperationsOfADay(t *testing.T) {
	for interval, want := range map[time.Duration]int{30 * time.Minute: 156, 5 * time.Minute: 876} {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPoller(t, nil)
				today := p.today()
				for id := range int64(3) {
					p.server.AddCampaign(fakegoogleads.Campaign{ID: id + 1, Start: today - 1200})
					for back := range record.Day(9) {
						p.server.SetDay(id+1, today-back, cost(1))
					}
				}
				p.Poll("spend")
				p.Poll("ad_quality")
				first := p.operations()
				for range 24 * time.Hour / interval {
					time.Sleep(interval)
					p.Poll("spend")
					p.Poll("ad_quality")
				}
				if got := p.operations() - first; got != want {
					t.Errorf("%d operations in a day, want %d", got, want)
				}
			})
		})
	}
}

// The exporter stops at its share, says until when, and goes on where it was.
func TestDailyShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, func(o *Options) { o.DailyOperations, o.DailyShare = 20, 0.5 })
		p.server.Daily = 20
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Start: today - 600, Status: "PAUSED"})
		for back := range record.Day(400) {
			p.server.SetDay(1, today-back, cost(1))
		}
		err := p.TryPoll("spend")
		limited, ok := errors.AsType[*apiclient.RateLimitedError](err)
		if !ok || limited.Quota != quotaOperations || p.operations() != 10 {
			t.Fatalf("got %v after %d operations, want a limit after 10", err, p.operations())
		}
		time.Sleep(time.Until(limited.Until))
		p.open(nil)
		p.Poll("spend")
		if n := len(p.Held["spend"]); n != 400 {
			t.Errorf("%d days are held, want 400", n)
		}
	})
}

func TestRowsThatWereNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		today := p.today().String()
		for name, result := range map[string]string{
			"no campaign":   `{"segments":{"date":"` + today + `"},"metrics":{}}`,
			"no day":        `{"campaign":{"id":"1"},"metrics":{}}`,
			"another day":   `{"campaign":{"id":"1"},"segments":{"date":"1999-01-01"}}`,
			"an odd number": `{"campaign":{"id":"one"},"segments":{"date":"` + today + `"}}`,
		} {
			p.intercept = func(r *http.Request) (int, string) {
				if strings.Contains(readBody(t, r), "metrics.clicks") {
					return 200, `[{"results":[` + result + `]}]`
				}
				return 0, ""
			}
			if _, ok := errors.AsType[*apiclient.FormatError](p.TryPoll("spend")); !ok || len(p.Held["spend"]) > 0 {
				t.Errorf("%s: no FormatError, or %d records were kept", name, len(p.Held["spend"]))
			}
		}
	})
}
