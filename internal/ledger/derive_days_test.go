package ledger_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// rowTexts returns the rows that a ledger holds, as texts: source, days, labels and the
// values, of which those that are not known are a dash.
func rowTexts(t *testing.T, l *ledger.Ledger) []string {
	t.Helper()
	s, err := l.Snapshot(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var texts []string
	if err := s.Each(t.Context(), func(u ledger.Unit) error {
		for _, h := range u.Histories {
			_, rows, err := history.Decode(h, nil, nil)
			if err != nil {
				return err
			}
			if len(rows) > 0 && u.ID >= 0 {
				t.Errorf("a customer has rows: %v", rows)
			}
			for _, r := range rows {
				texts = append(texts, rowText(s.Text, r))
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(texts)
	return texts
}

func rowText(text func(history.Dict) string, r history.Row) string {
	values := make([]string, history.Measures)
	for i := range values {
		values[i] = "-"
		if r.Has(i) {
			values[i] = fmt.Sprint(r.Values[i])
		}
	}
	line := fmt.Sprintf("%s of %s %s", []string{"spend", "quality", "traffic", "users", "referrer"}[r.Kind-history.Spend], text(r.Source), record.Day(r.Day))
	if r.Kind == history.Users {
		line += " to " + record.Day(r.End).String()
	}
	return fmt.Sprintf("%s %s %s%s", line, strings.ReplaceAll(text(r.Labels), history.Separator, "/"), strings.TrimRight(strings.Join(values, " "), " -"), text(r.Currency))
}

func wantRows(t *testing.T, l *ledger.Ledger, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, rowTexts(t, l)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestRows(t *testing.T) {
	const day = record.Day(19844) // 2024-05-01
	rules := settings(func(s *ledger.Settings) {
		s.Channels = record.ChannelRules{{Campaign: regexp.MustCompile("^Spring"), Class: record.Class{Program: "launch"}}}
	})
	paid := record.Touch{Source: "google", Medium: "cpc", Campaign: "Brand"}
	spring := paid
	spring.Campaign = "Spring "
	for _, test := range []struct {
		name string
		rec  record.Record
		want []string
	}{
		{
			"spend", &record.Spend{
				Day: day, Platform: "google", Touch: paid, CampaignID: "77", Program: " always on", Variant: "A", Currency: "USD",
				Cost: record.Micros(5), Impressions: record.Micros(4), Clicks: record.Micros(3), Conversions: record.Micros(2), ConversionValue: record.Micros(1),
			}, []string{"spend of ads 2024-05-01 google/paid_search/always on/Brand/77/A 5 4 3 2 1USD"},
		},
		{
			"spend, of a program by rule", &record.Spend{Day: day, Touch: spring, Program: "ignored", Cost: record.Micros(0)},
			[]string{"spend of ads 2024-05-01 /paid_search/launch/Spring// 0EUR"},
		},
		{
			"spend, known by its ID only", &record.Spend{Day: day, CampaignID: " 77 ", Clicks: record.Micros(1)},
			[]string{"spend of ads 2024-05-01 /unknown//77/ 77 / - - 1EUR"},
		},
		{
			"quality", &record.AdQuality{
				Day: day, Platform: "google", Dimension: "quality_score", Score: record.Micros(7_500_000), Impressions: record.Micros(2_000_000),
			}, []string{"quality of ads 2024-05-01 google/quality_score 15000000 2000000"},
		},
		{"quality without a score", &record.AdQuality{Day: day, Platform: "google", Impressions: record.Micros(1)}, nil},
		{"quality without impressions", &record.AdQuality{Day: day, Platform: "google", Score: record.Micros(1)}, nil},
		{
			"traffic", &record.Traffic{
				Day: day, Site: "shop.example.com", By: record.ByDevice, Value: "mobile", Sessions: record.Micros(9), Engaged: record.Micros(8),
				SinglePage: record.Micros(7), Views: record.Micros(6), Seconds: record.Micros(5), Conversions: record.Micros(4), Downloads: record.Micros(3),
				DownloadSessions: record.Micros(2), NewUsers: record.Micros(1),
			}, []string{"traffic of ads 2024-05-01 shop.example.com/device/mobile 9 8 7 6 5 4 3 2 1"},
		},
		{
			"traffic by channel, of the only site", &record.Traffic{Day: day, By: record.ByChannel, Value: "Paid Search", Touch: paid, NewUsers: record.Micros(1)},
			[]string{"traffic of ads 2024-05-01 ads/channel/paid_search - - - - - - - - 1"},
		},
		{
			"users", &record.Users{Site: "shop.example.com", Start: day, End: day + 30, Kind: record.UsersNew, Users: record.Micros(3)},
			[]string{"users of ads 2024-05-01 to 2024-05-31 shop.example.com/new 3"},
		},
		{
			"users that nobody counted", &record.Users{Start: day, End: day + 1, Kind: record.UsersTotal},
			[]string{"users of ads 2024-05-01 to 2024-05-02 ads/total "},
		},
		{
			"referrer", &record.Referrer{Day: day, Domain: "example.org", Sessions: record.Micros(2)},
			[]string{"referrer of ads 2024-05-01 ads/example.org 2"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := openReady(t, newPath(t), rules)
			test.rec.RecordMeta().ID = "1"
			put(t, l, "ads", test.rec)
			wantRows(t, l, test.want...)
			gone := record.New(test.rec.RecordKind())
			gone.RecordMeta().ID = "1"
			put(t, l, "ads", deleted(gone))
			wantRows(t, l)
		})
	}
}

// A day that is restated replaces what was there, also where only what is known changes.
func TestRowsAreReplaced(t *testing.T) {
	l := openReady(t, newPath(t))
	const day = record.Day(19844)
	spend := func(id string, d record.Day, cost record.Amount) *record.Spend {
		return &record.Spend{Meta: meta(id), Day: d, Platform: "google", Cost: cost}
	}
	put(t, l, "ads", spend("1", day, record.Micros(5)), spend("2", day, record.Micros(5)))
	put(t, l, "ads", spend("1", day, record.Micros(3)))
	wantRows(t, l, "spend of ads 2024-05-01 google/unknown//// 3EUR", "spend of ads 2024-05-01 google/unknown//// 5EUR")
	put(t, l, "ads", spend("2", day+1, record.Micros(0)))
	wantRows(t, l, "spend of ads 2024-05-01 google/unknown//// 3EUR", "spend of ads 2024-05-02 google/unknown//// 0EUR")
	put(t, l, "ads", spend("2", day+1, record.Amount{}), deleted(spend("1", 0, record.Amount{})))
	wantRows(t, l, "spend of ads 2024-05-02 google/unknown//// EUR")
	put(t, l, "other", spend("2", day, record.Micros(9)))
	wantRows(t, l, "spend of ads 2024-05-02 google/unknown//// EUR", "spend of other 2024-05-01 google/unknown//// 9EUR")
}
