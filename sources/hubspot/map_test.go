package hubspot

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

var exact = cmpopts.EquateComparable(record.Amount{}, record.Instant{})

// newTestMapper returns a mapper with two owners and one pipeline.
func newTestMapper(t *testing.T, kind record.Kind, change func(*Options)) *mapper {
	t.Helper()
	i := slices.IndexFunc(streams(), func(st stream) bool { return st.kind == kind })
	no := false
	return &mapper{
		source: &Source{name: "crm", options: testOptions("http://hubspot.test", change)}, stream: streams()[i], renewed: true,
		environment: sources.Environment{Zone: time.UTC, Currency: "EUR"},
		directory: &directory{
			owners: map[string]string{"71": "Ann Seller", "72": "72"},
			pipelines: map[string]pipeline{"default": {label: "Sales", stages: map[string]stage{
				"qualified": {label: "Qualified", probability: record.Micros(400_000), closed: &no},
				"won":       {label: "Won", probability: record.Micros(1_000_000), closed: new(true)},
				"lost":      {label: "Lost", probability: record.Micros(0), closed: new(true)},
				"parked":    {label: "Parked", probability: record.Micros(200_000), closed: new(true)},
				"bare":      {label: "Bare"},
			}}},
		},
	}
}

// decodeObject reads a record as an answer has it, with the properties of text.
func decodeObject(t *testing.T, properties, history string) object {
	t.Helper()
	if history == "" {
		history = "{}"
	}
	var o object
	text := `{"id":"512","createdAt":"2026-01-05T08:00:00.000Z","updatedAt":"2026-01-05T08:00:00.000Z","archived":false,"properties":` +
		properties + `,"propertiesWithHistory":` + history + `}`
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func at(text string) record.Instant {
	i, ok := parseInstant(text)
	if !ok {
		panic("no time: " + text)
	}
	return i
}

func TestLead(t *testing.T) {
	created := "2026-01-05T08:00:00.123Z"
	for name, test := range map[string]struct {
		properties, history string
		change              func(*Options)
		want                record.Lead
	}{
		"null dates": {
			properties: `{"createdate":null,"email":null,"hs_v2_date_entered_customer":null,"hubspot_owner_id":null,"hs_analytics_source":null}`,
		},
		"nothing at all": {properties: `{}`},
		"everything": {
			properties: `{"createdate":"` + created + `","email":"buyer@firm.example","hubspot_owner_id":"71","associatedcompanyid":"900",
				"hs_v2_date_entered_marketingqualifiedlead":"2026-01-06T08:00:00Z","hs_v2_date_entered_salesqualifiedlead":"2026-01-07T08:00:00Z",
				"hs_v2_date_entered_opportunity":"2026-01-08T08:00:00Z","hs_v2_date_entered_customer":"2026-01-09T08:00:00Z",
				"hs_first_outreach_date":"2026-01-05T09:30:00Z","hs_analytics_source":"DIRECT_TRAFFIC","hs_analytics_source_data_1":"www.firm.example/"}`,
			want: record.Lead{
				Keys: record.Keys{Email: "buyer@firm.example"}, CreatedAt: at(created), Owner: "Ann Seller", Account: record.RefTo("900"),
				MQLAt: at("2026-01-06T08:00:00Z"), SQLAt: at("2026-01-07T08:00:00Z"), OpportunityAt: at("2026-01-08T08:00:00Z"),
				CustomerAt: at("2026-01-09T08:00:00Z"), FirstResponseAt: at("2026-01-05T09:30:00Z"),
				Touch: record.Touch{Source: "direct", Channel: "direct"},
			},
		},
		"the older properties": {
			properties: `{"hs_lifecyclestage_marketingqualifiedlead_date":"2026-01-06T08:00:00Z","hs_lifecyclestage_customer_date":"1767945600000"}`,
			want:       record.Lead{MQLAt: at("2026-01-06T08:00:00Z"), CustomerAt: at("2026-01-09T08:00:00Z")},
		},
		"a skipped stage": {
			properties: `{"lifecyclestage":"customer","hs_v2_date_entered_customer":"2026-01-09T08:00:00Z"}`,
			want:       record.Lead{CustomerAt: at("2026-01-09T08:00:00Z")},
		},
		"a recycled lead keeps its first times": {
			properties: `{"lifecyclestage":"lead","hs_v2_date_entered_marketingqualifiedlead":null,"hs_lifecyclestage_marketingqualifiedlead_date":null}`,
			history: `{"lifecyclestage":[{"value":"lead","timestamp":"2026-02-01T08:00:00.000Z"},
				{"value":"salesqualifiedlead","timestamp":"2026-01-20T08:00:00.000Z"},{"value":"marketingqualifiedlead","timestamp":"2026-01-10T08:00:00.000Z"},
				{"value":"lead","timestamp":"2026-01-05T08:00:00.000Z"}]}`,
			want: record.Lead{MQLAt: at("2026-01-10T08:00:00Z"), SQLAt: at("2026-01-20T08:00:00Z")},
		},
		"a second round does not move the first": {
			properties: `{"lifecyclestage":"marketingqualifiedlead","hs_v2_date_entered_marketingqualifiedlead":"2026-03-01T08:00:00Z"}`,
			history: `{"lifecyclestage":[{"value":"marketingqualifiedlead","timestamp":"2026-03-01T08:00:00Z"},{"value":"lead","timestamp":"2026-02-01T08:00:00Z"},
				{"value":"marketingqualifiedlead","timestamp":"2026-01-10T08:00:00Z"}]}`,
			want: record.Lead{MQLAt: at("2026-01-10T08:00:00Z")},
		},
		"stages of one's own": {
			properties: `{"hs_v2_date_entered_188":"2026-01-11T08:00:00Z","hs_v2_date_entered_marketingqualifiedlead":"2026-01-10T08:00:00Z"}`,
			change:     func(o *Options) { o.Lifecycle.MQL, o.Lifecycle.SQL = nil, []string{"187", "188"} },
			want:       record.Lead{SQLAt: at("2026-01-11T08:00:00Z")},
		},
		"disqualified since the last time": {
			properties: `{"createdate":"` + created + `","hs_lead_status":"UNQUALIFIED"}`,
			history: `{"hs_lead_status":[{"value":"UNQUALIFIED","timestamp":"2026-03-02T08:00:00Z"},{"value":"OPEN","timestamp":"2026-02-02T08:00:00Z"},
				{"value":"UNQUALIFIED","timestamp":"2026-01-07T08:00:00Z"}]}`,
			want: record.Lead{CreatedAt: at(created), DisqualifiedAt: at("2026-03-02T08:00:00Z")},
		},
		"disqualified, then open again": {
			properties: `{"hs_lead_status":"OPEN"}`,
			history:    `{"hs_lead_status":[{"value":"OPEN","timestamp":"2026-02-02T08:00:00Z"},{"value":"UNQUALIFIED","timestamp":"2026-01-07T08:00:00Z"}]}`,
		},
		"disqualified without a history": {
			properties: `{"createdate":"` + created + `","hs_lead_status":"UNQUALIFIED"}`,
			want:       record.Lead{CreatedAt: at(created), DisqualifiedAt: at(created)},
		},
		"disqualified by stage": {
			properties: `{"lifecyclestage":"other"}`, history: `{"lifecyclestage":[{"value":"other","timestamp":"2026-02-02T08:00:00Z"}]}`,
			change: func(o *Options) { o.Lifecycle.Disqualified = []string{"other"} },
			want:   record.Lead{DisqualifiedAt: at("2026-02-02T08:00:00Z")},
		},
		"an owner without a name, referred by": {
			properties: `{"hubspot_owner_id":"72","friend":"boss@other.example","answered":"2026-01-06"}`,
			change:     func(o *Options) { o.ReferredByProperty, o.FirstResponseProperty = "friend", "answered" },
			want:       record.Lead{Owner: "72", ReferredBy: record.RefTo("boss@other.example"), FirstResponseAt: at("2026-01-06")},
		},
		"an owner that is gone": {
			properties: `{"hubspot_owner_id":"73"}`, want: record.Lead{Owner: "73"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTestMapper(t, record.KindLead, test.change)
			got, _, err := m.record(decodeObject(t, test.properties, test.history), dealLinks{})
			if err != nil {
				t.Fatal(err)
			}
			test.want.ID = "512"
			if diff := cmp.Diff(&test.want, got, exact); diff != "" {
				t.Errorf("lead differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTouch(t *testing.T) {
	for _, test := range []struct {
		source, first, second, url string
		want                       record.Touch
		channel                    string // by the default rules
	}{
		{"", "", "", "", record.Touch{}, "unknown"},
		{"ORGANIC_SEARCH", "Unknown keywords (SSL)", "google", "", record.Touch{Source: "google", Medium: "organic", Channel: "organic_search"}, "organic_search"},
		{"PAID_SEARCH", "spring", "pumps", "", record.Touch{Medium: "cpc", Campaign: "spring", Channel: "paid_search"}, "paid_search"},
		{"EMAIL_MARKETING", "news", "may", "", record.Touch{Medium: "email", Campaign: "news", Channel: "email"}, "email"},
		{"SOCIAL_MEDIA", "LinkedIn", "posts", "", record.Touch{Source: "LinkedIn", Medium: "social", Campaign: "posts", Channel: "organic_social"}, "organic_social"},
		{"PAID_SOCIAL", "Facebook", "spring", "", record.Touch{Source: "Facebook", Medium: "paid_social", Campaign: "spring", Channel: "paid_social"}, "paid_social"},
		{"REFERRALS", "blog.example", "blog.example/?q=secret", "", record.Touch{Source: "blog.example", Medium: "referral", Channel: "referral"}, "referral"},
		{"AI_REFERRALS", "chat.example", "", "", record.Touch{Source: "chat.example", Medium: "referral", Channel: "referral"}, "referral"},
		{"DIRECT_TRAFFIC", "firm.example/page", "", "", record.Touch{Source: "direct", Channel: "direct"}, "direct"},
		{"OFFLINE", "IMPORT", "4711", "", record.Touch{Source: "IMPORT", Medium: "offline", Channel: "offline"}, "offline"},
		{"OTHER_CAMPAIGNS", "spring", "display", "", record.Touch{Source: "other_campaigns", Medium: "display", Campaign: "spring"}, "display"},
		{"OTHER_CAMPAIGNS", "spring", "", "", record.Touch{Source: "other_campaigns", Campaign: "spring"}, "other"},
		{"SOMETHING_NEW", "a", "b", "", record.Touch{Source: "something_new", Channel: "other"}, "other"},
		{
			"PAID_SEARCH", "4711", "", "https://shop.example/p?utm_source=google&utm_medium=ppc&utm_campaign=spring&email=a@b.example",
			record.Touch{Source: "google", Medium: "ppc", Campaign: "spring", Channel: "paid_search"},
			"paid_search",
		},
		{"EMAIL_MARKETING", "to a@b.example", "", "https://shop.example/%zz?utm_source=x", record.Touch{Medium: "email", Channel: "email"}, "email"},
	} {
		properties, err := json.Marshal(map[string]string{
			"hs_analytics_source": test.source, "hs_analytics_source_data_1": test.first, "hs_analytics_source_data_2": test.second,
			"hs_analytics_first_url": test.url,
		})
		if err != nil {
			t.Fatal(err)
		}
		got := touch(decodeObject(t, string(properties), ""))
		if got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.source, got, test.want)
		}
		if channel := record.ChannelRules(nil).Classify(got).Channel; channel != test.channel {
			t.Errorf("%s: channel %s, want %s", test.source, channel, test.channel)
		}
	}
}

func TestAccount(t *testing.T) {
	for name, test := range map[string]struct {
		properties string
		change     func(*Options)
		want       record.Account
	}{
		"nothing": {properties: `{"createdate":null,"domain":null,"hs_is_target_account":null,"hs_parent_company_id":null}`},
		"everything": {
			properties: `{"createdate":"2026-01-05T08:00:00Z","domain":"firm.example","hs_is_target_account":"true","hs_ideal_customer_profile":"tier_1",
				"hs_parent_company_id":"900","hubspot_owner_id":"71"}`,
			want: record.Account{
				Keys: record.Keys{Domain: "firm.example"}, Parent: record.RefTo("900"), CreatedAt: at("2026-01-05T08:00:00Z"),
				Target: true, Tier: "tier_1", Owner: "Ann Seller",
			},
		},
		"no target": {properties: `{"hs_is_target_account":"false"}`},
		"properties of one's own": {
			properties: `{"abm":"Yes","abm_since":"2026-02-01","abm_tier":"A","erp":"4711","shop":null,"hs_is_target_account":"false"}`,
			change: func(o *Options) {
				o.TargetProperty, o.TargetValues, o.TargetSinceProperty, o.TierProperty = "abm", []string{"yes", "maybe"}, "abm_since", "abm_tier"
				o.ExternalIDs = []ExternalID{{"erp", "sap"}, {"shop", "eu-shop"}}
			},
			want: record.Account{
				Keys: record.Keys{ExternalIDs: []string{"sap:4711"}}, Target: true, TargetSince: at("2026-02-01"), Tier: "A",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := newTestMapper(t, record.KindAccount, test.change).record(decodeObject(t, test.properties, ""), dealLinks{})
			if err != nil {
				t.Fatal(err)
			}
			test.want.ID = "512"
			if diff := cmp.Diff(&test.want, got, exact); diff != "" {
				t.Errorf("account differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeal(t *testing.T) {
	links := dealLinks{companies: map[string]string{"512": "900"}, contacts: map[string]string{"512": "100"}}
	for name, test := range map[string]struct {
		properties string
		links      dealLinks
		change     func(*Options)
		want       record.Deal
	}{
		"without amount and company": {
			properties: `{"amount":null,"pipeline":"default","dealstage":"qualified","closedate":"2027-01-01T00:00:00Z"}`,
			want: record.Deal{
				Pipeline: "Sales", Stage: "Qualified", Probability: record.Micros(400_000), State: record.DealOpen, Currency: "EUR",
			},
		},
		"open": {
			properties: `{"amount":"12500.00","deal_currency_code":"usd","pipeline":"default","dealstage":"qualified","createdate":"2026-01-05T08:00:00Z",
				"hubspot_owner_id":"71","hs_deal_stage_probability":"0.9"}`,
			links: links,
			want: record.Deal{
				Account: record.RefTo("900"), Lead: "100", Pipeline: "Sales", Stage: "Qualified", Probability: record.Micros(400_000),
				CreatedAt: at("2026-01-05T08:00:00Z"), State: record.DealOpen, Currency: "USD", Amount: record.Micros(12_500_000_000), Owner: "Ann Seller",
			},
		},
		"won": {
			properties: `{"pipeline":"default","dealstage":"won","closedate":"2026-02-01T00:00:00Z","hs_v2_date_entered_won":"2026-02-03T08:00:00Z"}`,
			want: record.Deal{
				Pipeline: "Sales", Stage: "Won", Probability: record.Micros(1_000_000), State: record.DealWon, Currency: "EUR", ClosedAt: at("2026-02-01T00:00:00Z"),
			},
		},
		"won before the planned date": {
			properties: `{"pipeline":"default","dealstage":"won","closedate":"2026-12-31T00:00:00Z","hs_v2_date_entered_won":"2026-02-03T08:00:00Z"}`,
			want: record.Deal{
				Pipeline: "Sales", Stage: "Won", Probability: record.Micros(1_000_000), State: record.DealWon, Currency: "EUR", ClosedAt: at("2026-02-03T08:00:00Z"),
			},
		},
		"lost without a date": {
			properties: `{"pipeline":"default","dealstage":"lost","hs_is_closed_won":"true"}`,
			want:       record.Deal{Pipeline: "Sales", Stage: "Lost", Probability: record.Micros(0), State: record.DealLost, Currency: "EUR"},
		},
		"closed at another probability": {
			properties: `{"pipeline":"default","dealstage":"parked"}`,
			want:       record.Deal{Pipeline: "Sales", Stage: "Parked", Probability: record.Micros(200_000), State: record.DealLost, Currency: "EUR"},
		},
		"a stage that says nothing": {
			properties: `{"pipeline":"default","dealstage":"bare","hs_is_closed":"true","hs_is_closed_won":"true","hs_deal_stage_probability":"1.0"}`,
			want:       record.Deal{Pipeline: "Sales", Stage: "Bare", State: record.DealWon, Currency: "EUR"},
		},
		"an unknown stage": {
			properties: `{"pipeline":"default","dealstage":"9911","hs_deal_stage_probability":"0.25"}`,
			want:       record.Deal{Pipeline: "Sales", Stage: "9911", Probability: record.Micros(250_000), State: record.DealOpen, Currency: "EUR"},
		},
		"an unknown pipeline": {
			properties: `{"pipeline":"old","dealstage":"gone","hs_is_closed":"true","hs_is_closed_won":"false","hs_deal_stage_probability":"7",
				"closedate":"2026-02-01T00:00:00Z"}`,
			want: record.Deal{Pipeline: "old", Stage: "gone", State: record.DealLost, Currency: "EUR", ClosedAt: at("2026-02-01T00:00:00Z")},
		},
		"no stage at all": {properties: `{}`, want: record.Deal{State: record.DealOpen, Currency: "EUR"}},
		"N/A is null":     {properties: `{"amount":"N/A"}`, want: record.Deal{State: record.DealOpen, Currency: "EUR"}},
		"properties of one's own": {
			properties: `{"amount":"90","rebate":"10","gain":"-5.5","order_no":"eu-shop:77","deal_currency_code":null}`,
			change: func(o *Options) {
				o.DiscountProperty, o.MarginProperty, o.OrderProperty, o.Currency = "rebate", "gain", "order_no", "CHF"
			},
			want: record.Deal{
				State: record.DealOpen, Currency: "CHF", Amount: record.Micros(90_000_000), Discount: record.Micros(10_000_000),
				Margin: record.Micros(-5_500_000), Order: "eu-shop:77",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := newTestMapper(t, record.KindDeal, test.change).record(decodeObject(t, test.properties, ""), test.links)
			if err != nil {
				t.Fatal(err)
			}
			test.want.ID = "512"
			if diff := cmp.Diff(&test.want, got, exact); diff != "" {
				t.Errorf("deal differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPageRejectsDeletesAndMerges(t *testing.T) {
	m := newTestMapper(t, record.KindLead, nil)
	archived := decodeObject(t, `{"createdate":"no date"}`, "")
	archived.Archived = true
	winner := decodeObject(t, `{"hs_merged_object_ids":"7;8;512","hs_calculated_merged_vids":"8:1700000000000;9:1700000000001;512:1700000000002"}`, "")
	bad := decodeObject(t, `{"createdate":"jane@firm.example","email":"jane@firm.example"}`, "")
	badHistory := decodeObject(t, `{"hs_lead_status":"UNQUALIFIED"}`, `{"hs_lead_status":[{"value":"UNQUALIFIED","timestamp":"jane"}]}`)
	page, err := m.page(t.Context(), []object{archived, winner, bad, badHistory, {}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range page.Records {
		text := r.RecordMeta().ID
		if r.RecordMeta().Deleted {
			text += " deleted"
		}
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{"512 deleted", "7 deleted", "8 deleted", "9 deleted", "512"}, got); diff != "" {
		t.Errorf("records differ (-want +got):\n%s", diff)
	}
	var rejected []string
	for _, r := range page.Rejected {
		rejected = append(rejected, r.ID+" "+r.Reason)
		if text := r.Detail + r.Where + r.Reason; strings.Contains(text, "jane") {
			t.Errorf("a rejection holds what was entered: %s", text)
		}
	}
	if diff := cmp.Diff([]string{"512 bad time", "512 bad time", " no id"}, rejected); diff != "" {
		t.Errorf("rejections differ (-want +got):\n%s", diff)
	}
}

func TestBadAmounts(t *testing.T) {
	m := newTestMapper(t, record.KindDeal, nil)
	for _, text := range []string{"twelve", "1,000.00", "99999999999999"} {
		_, _, err := m.record(decodeObject(t, `{"amount":"`+text+`"}`, ""), dealLinks{})
		if field, ok := errors.AsType[*fieldError](err); !ok || field.reason != "bad amount" || strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want a bad amount, not quoted", text, err)
		}
	}
	r, rounded, err := m.record(decodeObject(t, `{"amount":"0.0000015"}`, ""), dealLinks{})
	if err != nil || rounded != 1 || r.(*record.Deal).Amount != record.Micros(2) {
		t.Errorf("got %+v, %d, %v; want 2 micros, rounded", r, rounded, err)
	}
}

func TestEarliestOfADateAndAMoment(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	date, moment := at("2026-02-02"), at("2026-02-01T23:30:00Z") // 0:30 of the 2nd in Berlin
	if got := earliest(moment, date, berlin); got != date {
		t.Errorf("in Berlin: got %v, want the date", got)
	}
	if got := earliest(date, moment, time.UTC); got != moment {
		t.Errorf("in UTC: got %v, want the moment", got)
	}
}

func TestOwnersAndPipelines(t *testing.T) {
	var answer results[pipelineAnswer]
	if err := json.Unmarshal([]byte(`{"results":[{"id":"p","label":"P","stages":[
		{"id":"a","label":"A","metadata":{"isClosed":"true","probability":"1.0"}},
		{"id":"b","label":"B","metadata":{"isClosed":"false","probability":"0.1"}},
		{"id":"c","label":"C","metadata":{"probability":"110"}},{"id":"d","label":"D"}]}]}`), &answer); err != nil {
		t.Fatal(err)
	}
	d := &directory{pipelines: readPipelines(answer.Results)}
	if diff := cmp.Diff([]string{"hs_v2_date_entered_a", "hs_v2_date_entered_c", "hs_v2_date_entered_d"}, d.entered()); diff != "" {
		t.Errorf("entry properties differ (-want +got):\n%s", diff)
	}
	stages := d.pipelines["p"].stages
	if stages["a"].probability != record.Micros(1_000_000) || !stages["c"].probability.IsNull() || !stages["d"].probability.IsNull() {
		t.Errorf("probabilities: %+v", stages)
	}
}
