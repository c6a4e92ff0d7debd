package rows

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// kindTest is a row with a value for each field of a kind, and its record.
type kindTest struct {
	pairs []string
	want  record.Record
}

// testKinds converts the rows, which must fill every field of the table.
func testKinds(t *testing.T, tests ...kindTest) {
	t.Helper()
	for _, test := range tests {
		kind := test.want.RecordKind()
		t.Run(string(kind), func(t *testing.T) {
			given := map[string]bool{"deleted": true, "id": true}
			for _, p := range test.pairs {
				name, _, _ := strings.Cut(p, "=")
				given[name] = true
			}
			for _, f := range Fields(kind) {
				if !given[f.Name] {
					t.Errorf("field %s is not tested", f.Name)
				}
			}
			got, rounded, rejected := convert(t, Config{Record: kind}, test.pairs...)
			if rejected != nil || rounded != 0 {
				t.Fatalf("rounded %d, rejected %+v", rounded, rejected)
			}
			if diff := cmp.Diff(test.want, got, sameRecord); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
		})
	}
}

// sampleCell returns a cell that a field takes.
func sampleCell(f Field) string {
	switch f.Type {
	case TypeTime, TypeDate:
		return "2026-03-01"
	case TypeAmount, TypeNumber:
		return "1"
	case TypeCurrency:
		return "EUR"
	case TypeBoolean:
		return "yes"
	case TypeChannel, TypeChoice:
		return f.Choices[0]
	}
	return "text"
}

// TestEveryKindIsCovered: a field of a record that no column fills would be null for
// every user of a spreadsheet, whatever stands in it.
func TestEveryKindIsCovered(t *testing.T) {
	// What is not a column: filled by sealing.
	sealed := []string{"Self", "Sealed", "LeadRef"}
	for _, k := range record.Kinds() {
		table, ok := kindOf(k)
		if !ok {
			t.Errorf("%s has no table", k)
			continue
		}
		r, filled := record.New(k), map[string]bool{}
		p, bad := Config{}.parser(nil)
		if bad != nil {
			t.Fatal(bad)
		}
		p.time.zone = berlin(t)
		var note func(v reflect.Value, path string)
		note = func(v reflect.Value, path string) {
			for f, value := range v.Fields() {
				if slices.Contains(sealed, f.Name) || !f.IsExported() {
					continue
				}
				switch value.Interface().(type) {
				case record.Meta, record.Touch, record.Keys:
					note(value, path+f.Name+".")
				default:
					filled[path+f.Name] = !value.IsZero()
				}
			}
		}
		for _, f := range table.fields {
			// A boolean that is true where it is null shows only by its opposite.
			text := sampleCell(f)
			if f.Name == "outgoing" || f.Name == "done" {
				text = "no"
			}
			if bad := f.set(p, r, cell{text: text}); bad != nil {
				t.Errorf("%s: %s does not take %q: %s", k, f.Name, text, bad.detail)
			}
		}
		note(reflect.ValueOf(r).Elem(), "")
		for name := range filled {
			if !filled[name] {
				t.Errorf("no column fills %s of %s", name, k)
			}
		}
	}
}

func TestConvertKindsOfPeople(t *testing.T) {
	at := instantOf(t, "2026-03-01T09:00:00Z")
	const text = "2026-03-01T10:00:00+01:00"
	one := func(n int64) record.Amount { return record.Micros(n * record.MicrosPerUnit) }
	testKinds(t,
		kindTest{
			[]string{
				"id=V1", "type=Call", "at=" + text, "owner=eva", "lead=L1", "account=A1", "deal=D1", "outgoing=no", "automated=yes",
				"connected=1", "done=false",
			},
			&record.Activity{
				Meta: record.Meta{ID: "V1"}, Type: record.ActivityCall, At: at, Owner: "eva", Lead: "L1", Account: record.RefTo("A1"), Deal: "D1",
				Incoming: true, Automated: true, Connected: true, Planned: true,
			},
		},
		kindTest{
			[]string{"id=E1", "account=A1", "at=" + text, "kind=download", "contact=jane@example.com"},
			&record.Engagement{
				Meta: record.Meta{ID: "E1"}, Account: record.RefTo("A1"), At: at, Type: record.EngagementDownload, Contact: record.RefTo("jane@example.com"),
			},
		},
		kindTest{
			[]string{
				"id=W1", "webinar=Intro", "held_at=2026-03-05", "lead=L1", "registered_at=" + text, "attended=yes",
				"attended_at=" + text, "seconds=90.5", "questions=2",
			},
			&record.Attendance{
				Meta: record.Meta{ID: "W1"}, Webinar: "Intro", HeldAt: record.OnDate(record.DateDay(2026, 3, 5)), Lead: record.RefTo("L1"),
				RegisteredAt: at, AttendedAt: at, Seconds: record.Micros(90_500_000), Questions: one(2),
			},
		},
		kindTest{
			[]string{"id=N1", "customer=C1", "at=" + text, "score=10"},
			&record.Survey{Meta: record.Meta{ID: "N1"}, Customer: record.RefTo("C1"), At: at, Score: one(10)},
		},
		kindTest{
			[]string{"id=F1", "referrer=C1", "referred=C2", "at=" + text},
			&record.Referral{Meta: record.Meta{ID: "F1"}, Referrer: record.RefTo("C1"), Referred: record.RefTo("C2"), At: at},
		},
		kindTest{
			[]string{"id=T1", "customer_a=C1", "customer_b=C2", "kind=reply", "day=2026-03-01", "interactions=3"},
			&record.Tie{
				Meta: record.Meta{ID: "T1"}, A: record.RefTo("C1"), B: record.RefTo("C2"), Type: "reply", Day: record.DateDay(2026, 3, 1), Interactions: one(3),
			},
		},
		kindTest{
			[]string{"id=M1", "customer=C1", "active_at=" + text},
			&record.Member{Meta: record.Meta{ID: "M1"}, Customer: record.RefTo("C1"), ActiveAt: at},
		},
	)
}

func TestConvertKindsOfDays(t *testing.T) {
	one := func(n int64) record.Amount { return record.Micros(n * record.MicrosPerUnit) }
	day := record.DateDay(2026, 3, 1)
	touch := record.Touch{Source: "google", Medium: "cpc", Campaign: "spring/summer", Channel: "paid_search"}
	touchColumns := []string{"source=google", "medium=cpc", "campaign=spring/summer", "channel=paid_search"}
	testKinds(t,
		kindTest{
			append([]string{
				"day=2026-03-01", "platform=google", "campaign_id=7", "program=p", "variant=b", "currency=EUR", "cost=12.34", "impressions=1000",
				"clicks=50", "conversions=1.5", "conversion_value=99",
			}, touchColumns...),
			&record.Spend{
				Meta: record.Meta{ID: "2026-03-01/google/7//b/p/google/cpc/paid_search"}, Day: day, Platform: "google", Touch: touch, CampaignID: "7",
				Program: "p", Variant: "b", Currency: "EUR", Cost: record.Micros(12_340_000), Impressions: one(1000), Clicks: one(50),
				Conversions: record.Micros(1_500_000), ConversionValue: one(99),
			},
		},
		kindTest{
			[]string{"day=2026-03-01", "platform=google", "campaign=spring", "dimension=landing_page", "score=7", "impressions=100"},
			&record.AdQuality{
				Meta: record.Meta{ID: "2026-03-01/google/spring/landing_page"}, Day: day, Platform: "google", Campaign: "spring",
				Dimension: "landing_page", Score: one(7), Impressions: one(100),
			},
		},
		kindTest{
			append([]string{
				"day=2026-03-01", "site=www", "by=channel", "value=Google Ads", "sessions=1", "engaged=2", "single_page=3", "views=4", "seconds=5",
				"conversions=6", "downloads=7", "download_sessions=8", "new_users=9",
			}, touchColumns...),
			&record.Traffic{
				Meta: record.Meta{ID: "2026-03-01/www/channel/Google%20Ads/google/cpc/spring%2Fsummer/paid_search"}, Day: day, Site: "www",
				By: record.ByChannel, Value: "Google Ads", Touch: touch, Sessions: one(1), Engaged: one(2), SinglePage: one(3), Views: one(4),
				Seconds: one(5), Conversions: one(6), Downloads: one(7), DownloadSessions: one(8), NewUsers: one(9),
			},
		},
		kindTest{
			[]string{"site=www", "start=2026-02-01", "end=2026-03-01", "kind=new", "users=50000"},
			&record.Users{
				Meta: record.Meta{ID: "2026-02-01/2026-03-01/www/new"}, Site: "www", Start: record.DateDay(2026, 2, 1), End: day,
				Kind: record.UsersNew, Users: one(50_000),
			},
		},
		kindTest{
			[]string{"day=2026-03-01", "site=www", "page=/pricing", "sessions=3", "exits=1"},
			&record.Page{Meta: record.Meta{ID: "2026-03-01/www/%2Fpricing"}, Day: day, Site: "www", Page: "/pricing", Sessions: one(3), Exits: one(1)},
		},
		kindTest{
			[]string{"day=2026-03-01", "site=www", "domain=example.com", "sessions=3"},
			&record.Referrer{Meta: record.Meta{ID: "2026-03-01/www/example.com"}, Day: day, Site: "www", Domain: "example.com", Sessions: one(3)},
		},
		kindTest{
			[]string{"day=2026-03-01", "site=www", "clicks=3", "impressions=90", "position=4.25"},
			&record.Search{Meta: record.Meta{ID: "2026-03-01/www"}, Day: day, Site: "www", Clicks: one(3), Impressions: one(90), Position: record.Micros(4_250_000)},
		},
		kindTest{
			[]string{"day=2026-03-01", "site=www", "links=120"},
			&record.Backlink{Meta: record.Meta{ID: "2026-03-01/www"}, Day: day, Site: "www", Links: one(120)},
		},
		kindTest{
			[]string{
				"day=2026-03-01", "provider=mailer", "campaign=news", "audience=customers", "sent=6", "delivered=5", "opens=4", "clicks=3", "conversions=2",
				"unsubscribes=0",
			},
			&record.Email{
				Meta: record.Meta{ID: "2026-03-01/mailer/news/customers"}, Provider: "mailer", Campaign: "news", Day: day, Audience: record.AudienceCustomers,
				Sent: one(6), Delivered: one(5), Opens: one(4), Clicks: one(3), Conversions: one(2), Unsubscribes: record.Micros(0),
			},
		},
		kindTest{
			[]string{"day=2026-03-01", "network=linkedin", "followers=900", "impressions=80", "engagements=7"},
			&record.Social{Meta: record.Meta{ID: "2026-03-01/linkedin"}, Network: "linkedin", Day: day, Followers: one(900), Impressions: one(80), Engagements: one(7)},
		},
		kindTest{
			[]string{"day=2026-03-01", "task=reporting", "seconds=3600"},
			&record.TimeEntry{Meta: record.Meta{ID: "2026-03-01/reporting"}, Task: "reporting", Day: day, Seconds: one(3600)},
		},
	)
}

func TestDefaultsOfKinds(t *testing.T) {
	tests := []struct {
		kind  record.Kind
		pairs string
		want  func(record.Record) (got, want any)
	}{
		{record.KindActivity, "id=1,type=call,at=2026-03-01", func(r record.Record) (any, any) {
			a := r.(*record.Activity)
			return []bool{a.Incoming, a.Planned}, []bool{false, false}
		}},
		{record.KindAttendance, "id=1,webinar=w,held_at=2026-03-01,attended=yes,attended_at=", func(r record.Record) (any, any) {
			return r.(*record.Attendance).AttendedAt.N, int64(record.DateDay(2026, 3, 1))
		}},
		{record.KindAttendance, "id=1,webinar=w,held_at=2026-03-01,attended=no", func(r record.Record) (any, any) {
			return r.(*record.Attendance).AttendedAt.IsNull(), true
		}},
		{record.KindTraffic, "day=2026-03-01,sessions=1", func(r record.Record) (any, any) { return r.(*record.Traffic).By, record.ByTotal }},
		{record.KindTraffic, "day=2026-03-01,by=channel,value=Paid_Search", func(r record.Record) (any, any) {
			return r.(*record.Traffic).Touch, record.Touch{Channel: "paid_search"}
		}},
		{record.KindTraffic, "day=2026-03-01,by=device,value=mobile,source=x", func(r record.Record) (any, any) {
			return r.(*record.Traffic).Touch, record.Touch{}
		}},
		{record.KindUsers, "start=2026-03-01,end=2026-03-02,users=1", func(r record.Record) (any, any) { return r.(*record.Users).Kind, record.UsersTotal }},
		{record.KindEmail, "day=2026-03-01,sent=1", func(r record.Record) (any, any) { return r.(*record.Email).Audience, record.AudienceAll }},
		{record.KindAdQuality, "day=2026-03-01,score=1,impressions=1", func(r record.Record) (any, any) {
			return r.(*record.AdQuality).Dimension, "quality_score"
		}},
		{record.KindSpend, "day=2026-03-01,clicks=1", func(r record.Record) (any, any) { return r.(*record.Spend).Cost.IsNull(), true }},
	}
	for _, test := range tests {
		r, _, rejected := convert(t, Config{Record: test.kind}, strings.Split(test.pairs, ",")...)
		if rejected != nil {
			t.Errorf("%s %s: %+v", test.kind, test.pairs, rejected)
			continue
		}
		if got, want := test.want(r); !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s: %v, want %v", test.kind, test.pairs, got, want)
		}
	}
}

func TestRejectsOfKinds(t *testing.T) {
	tests := []struct {
		kind               record.Kind
		pairs, id, details string
	}{
		{record.KindSurvey, "id=jane@example.com,at=2026-03-01,score=9", "", "id is an e-mail address, which is not kept; map a column with a number or code of the row's own"},
		{record.KindSurvey, "id=1,at=2026-03-01,score=11", "1", `score "11" is not within 0 and 10`},
		{record.KindSurvey, "id=1,at=2026-03-01,score=-0.1", "1", `score "-0.1" is not within 0 and 10`},
		{record.KindEmail, "day=2026-03-01,provider=m,sent=-1", "2026-03-01/m//all", `sent "-1" is below 0`},
		{record.KindPage, "day=2026-03-01,page=/a?b=c", "2026-03-01//%2Fa%3Fb=c", "page has a query or a fragment; sum the figures of the page without it"},
		{record.KindUsers, "start=2026-03-02,end=2026-03-02,users=1", "2026-03-02/2026-03-02//total", "end is not after start"},
		{record.KindTraffic, "day=2026-03-01,value=mobile", "2026-03-01//total/mobile", "value is given, but the row is of the total; map by"},
		{record.KindTraffic, "day=2026-03-01,by=channel,value=tv", "2026-03-01//channel/tv", "value is no channel, and channel, source and medium are empty"},
		// The ID of a row whose label cannot be read is not that of another row.
		{record.KindTraffic, "day=2026-03-01,by=dvice,sessions=1", "", `by "dvice" is none of total, channel, device, country, age`},
		{record.KindTraffic, "day=1.3.26,sessions=1", "", `day "1.3.26" is not a time as RFC 3339, 2006-01-02 15:04:05 or 2006-01-02; set time_format`},
		{record.KindSpend, "day=2026-03-01,currency=,cost=5", "2026-03-01", "currency is empty, but there is an amount"},
		{record.KindSubscription, "id=S1,customer=C1,state=ended,started_at=2026-03-01,ended_at=,currency=EUR,mrr=5", "S1", "ended_at is empty, but the state is ended"},
		{record.KindSubscription, "id=S1,customer=C1,state=Ended,started_at=2026-03-01", "S1", "ended_at is empty, but the state is ended"},
		{record.KindSubscription, "id=S1,customer=C1,state=active,started_at=2026-03-01,currency=EUR,mrr=-0.01", "S1", "mrr is below 0"},
	}
	for _, test := range tests {
		_, _, rejected := convert(t, Config{Record: test.kind}, strings.Split(test.pairs, ",")...)
		if rejected == nil || rejected.Detail != test.details || rejected.ID != test.id {
			t.Errorf("%s %s: %+v, want the ID %q and: %s", test.kind, test.pairs, rejected, test.id, test.details)
		}
	}
}

func TestComposedNamesDiffer(t *testing.T) {
	seen := map[string]string{}
	labels := []string{"", "/", "//", "a", "a/b", "%2F", "a b", " "}
	for _, a := range labels {
		for _, b := range labels {
			name, of := compose(1, a, b), fmt.Sprintf("%q %q", a, b)
			if other, ok := seen[name]; ok {
				t.Errorf("%s and %s have the name %s", other, of, name)
			}
			seen[name] = of
		}
	}
}
