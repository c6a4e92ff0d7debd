package googleads

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	fakegoogleads "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// readBody returns a request's body and leaves it to be read again.
func readBody(t *testing.T, r *http.Request) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return string(text)
}

// answerSpend answers the query for days of campaigns by rows.
func (p *poller) answerSpend(rows ...string) {
	p.intercept = func(r *http.Request) (int, string) {
		if strings.Contains(readBody(p.t, r), "metrics.clicks") {
			return 200, `[{"results":[` + strings.Join(rows, ",") + `],"fieldMask":"campaign.id","requestId":"x"}]`
		}
		return 0, ""
	}
}

func spendRow(day record.Day, kind, metrics string) string {
	return `{"campaign":{"resourceName":"customers/1112223333/campaigns/7","advertisingChannelType":"` + kind + `","name":" DE | Search ","id":"7"},
		"metrics":` + metrics + `,"segments":{"date":"` + day.String() + `"}}`
}

func TestSpendNumbers(t *testing.T) {
	null := record.Amount{}
	for metrics, want := range map[string][5]record.Amount{
		`{"clicks":"84","conversionsValue":1250.5,"conversions":3.33,"costMicros":"152340001","impressions":"2310"}`: {
			record.Micros(152_340_001), record.Micros(2310e6), record.Micros(84e6), record.Micros(3_330_000), record.Micros(1250_500_000),
		},
		// Exact beyond what a float64 holds.
		`{"costMicros":"9007199254740993","conversionsValue":9007199254.740993,"conversions":0}`: {
			record.Micros(9_007_199_254_740_993), record.Micros(0), record.Micros(0), record.Micros(0), record.Micros(9_007_199_254_740_993),
		},
		`{"costMicros":"-120000","conversions":1.5E-4,"conversionsValue":-3e2}`: {
			record.Micros(-120_000), record.Micros(0), record.Micros(0), record.Micros(150), record.Micros(-300e6),
		},
		`{}`:                  {null, record.Micros(0), record.Micros(0), null, null},
		`{"costMicros":null}`: {null, record.Micros(0), record.Micros(0), null, null},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPoller(t, nil)
			p.answerSpend(spendRow(p.today(), "SEARCH", metrics))
			p.Poll("spend")
			r := p.spend(7, p.today())
			if r == nil {
				t.Fatalf("%s: no record", metrics)
			}
			if got := [5]record.Amount{r.Cost, r.Impressions, r.Clicks, r.Conversions, r.ConversionValue}; got != want {
				t.Errorf("%s: got %v, want %v", metrics, got, want)
			}
			if r.Touch.Campaign != "DE | Search" || r.Currency != "USD" {
				t.Errorf("campaign %q, currency %q", r.Touch.Campaign, r.Currency)
			}
		})
	}
}

func TestSpendRejections(t *testing.T) {
	for metrics, field := range map[string]string{
		`{"costMicros":"1.5"}`:                  "metrics.cost_micros",
		`{"costMicros":"92233720368547758080"}`: "metrics.cost_micros",
		`{"conversions":1e300}`:                 "metrics.conversions",
		`{"conversionsValue":1e25}`:             "metrics.conversions_value",
		`{"impressions":"99999999999999"}`:      "metrics.impressions",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPoller(t, nil)
			today := p.today()
			p.server.AddCampaign(fakegoogleads.Campaign{ID: 7, Start: today - 3})
			p.server.SetDay(7, today, cost(4))
			p.Poll("spend")
			time.Sleep(time.Hour)
			p.answerSpend(spendRow(today, "SEARCH", metrics), spendRow(today-1, "SEARCH", `{"costMicros":"5"}`))
			p.Poll("spend")
			if len(p.Rejected) != 1 || !strings.HasPrefix(p.Rejected[0].Detail, field+": ") || p.Rejected[0].ID != (dayKey{7, today}).String() {
				t.Fatalf("%s: rejected %+v, want one for %s", metrics, p.Rejected, field)
			}
			if p.cost(7, today) != 4e6 || p.cost(7, today-1) != 5 {
				t.Errorf("%s: costs %d and %d: what is held must stay, and the other row be kept", metrics, p.cost(7, today), p.cost(7, today-1))
			}
		})
	}
}

func TestChannels(t *testing.T) {
	for kind, want := range map[string]string{
		"SEARCH": "paid_search", "SHOPPING": "paid_search", "PERFORMANCE_MAX": "paid_search", "DISPLAY": "display",
		"DEMAND_GEN": "display", "VIDEO": "video", "UNKNOWN": "other", "SOMETHING_NEW": "other", "": "other",
	} {
		if got := channel(kind); got != want || !record.IsChannel(got) {
			t.Errorf("%s: channel %s, want %s", kind, got, want)
		}
	}
}

func TestExperiments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Name: "Valves", Start: today - 29})
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 2, Name: "Valves bids", Start: today - 29})
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 3, Name: "Pipes", Start: today - 29})
		for _, a := range []fakegoogleads.Arm{
			{Experiment: "10", Name: "control", Control: true, Campaign: 1, Start: today - 20, End: today - 10},
			{Experiment: "10", Name: "bids", Campaign: 2, Start: today - 20, End: today - 10},
			{Experiment: "11", Name: "base", Control: true, Campaign: 1, Start: today - 5},
			{Experiment: "12", Name: "planned", Control: true, Campaign: 3, Start: today - 5, Status: "SETUP"},
		} {
			p.server.AddArm(a)
		}
		p.Poll("spend")
		type labels struct{ campaign, variant string }
		for key, want := range map[dayKey]labels{
			{1, today - 21}: {"Valves", ""}, {2, today - 21}: {"Valves bids", ""},
			{1, today - 20}: {"Valves", "control"}, {2, today - 20}: {"Valves", "bids"},
			{1, today - 10}: {"Valves", "control"}, {2, today - 9}: {"Valves bids", ""},
			{1, today}: {"Valves", "base"}, {3, today}: {"Pipes", ""},
		} {
			r := p.spend(key.campaign, key.day)
			if got := (labels{r.Touch.Campaign, r.Variant}); got != want {
				t.Errorf("campaign %d, %d days ago: %v, want %v", key.campaign, today-key.day, got, want)
			}
		}
		p.open(func(o *Options) { o.Experiments = false })
		time.Sleep(24 * time.Hour)
		asked := p.server.Requests()["experiment_arm"]
		p.Poll("spend")
		if got := p.spend(1, today).Variant; got != "" || p.server.Requests()["experiment_arm"] != asked {
			t.Errorf("variant %q with experiments switched off", got)
		}
	})
}

func TestQuality(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		today := p.today()
		p.server.AddCampaign(fakegoogleads.Campaign{ID: 1, Name: "Valves"})
		for id := range int64(4) {
			p.server.AddKeyword(fakegoogleads.Keyword{ID: 100 + id, Campaign: 1, AdGroup: 5, Text: "secret plan"})
		}
		p.server.SetQuality(100, today, 10, 100)
		p.server.SetQuality(101, today, 3, 200)
		p.server.SetQuality(102, today, 0, 5000) // too little data
		p.server.SetQuality(103, today, 9, 0)    // not shown
		p.server.SetQuality(102, today-1, 0, 10)
		p.server.SetDay(1, today, cost(1))
		p.Poll("ad_quality")
		want := map[string]record.Record{(dayKey{1, today}).String(): &record.AdQuality{
			Meta: record.Meta{ID: dayKey{1, today}.String()}, Day: today, Platform: "google", Campaign: "Valves",
			Dimension: "quality_score", Score: record.Micros(5_333_333), Impressions: record.Micros(300e6),
		}}
		if diff := cmp.Diff(want, p.Held["ad_quality"], cmp.AllowUnexported(record.Amount{})); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
	})
}
