package oracle

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// newFunnel returns a fixture whose CRM also delivers activities.
func newFunnel(t *testing.T) *fixture {
	f := newFixture(t)
	f.settings.Collectors = []string{Funnel}
	f.settings.Sources[1].Kinds = append(f.settings.Sources[1].Kinds, record.KindActivity)
	return f
}

// call puts a call to a lead.
func (f *fixture) call(id, lead, at string, a record.Activity) {
	if a.Type == "" {
		a.Type = record.ActivityCall
	}
	a.Lead, a.At = lead, f.at(at)
	f.add("crm", id, &a)
}

// Worked examples 6 and 15.
func TestLeadToCloseOfWorkedExamples(t *testing.T) {
	f := newFunnel(t)
	for i := range 500 {
		l := &record.Lead{CreatedAt: f.at("2024-05-01 12:00:00")}
		if i < 40 {
			l.CustomerAt = f.at("2024-05-20 12:00:00")
		}
		f.add("crm", numbered("l", i), l)
	}
	f.check(f.compute("2024-05-31 00:00:00"), map[string]string{
		`b2b_lead_to_close_ratio{method="cohort",window="30d"}`:                              "2/25",
		`b2b_lead_to_close_ratio{method="period",window="30d"}`:                              "2/25",
		`b2b_lead_to_close_ratio_by_channel{channel="unknown",method="cohort",window="30d"}`: "2/25",
	})
	f.check(f.compute("2024-05-20 12:00:00"), map[string]string{ // what happens now is not known yet
		`b2b_lead_to_close_ratio{method="cohort",window="30d"}`: "0",
	})

	f = newFunnel(t)
	for i := range 120 {
		l := &record.Lead{CreatedAt: f.at("2024-05-15 12:00:00")}
		if i < 20 { // those that close in May came in April
			l.CreatedAt, l.CustomerAt = f.at("2024-04-01 12:00:00"), f.at("2024-05-20 12:00:00")
		}
		f.add("crm", numbered("l", i), l)
	}
	f.check(f.compute("2024-05-31 00:00:00"), map[string]string{
		`b2b_lead_to_close_ratio{method="period",window="30d"}`: "1/5",
		`b2b_lead_to_close_ratio{method="cohort",window="30d"}`: "0",
	})
}

func TestStagesAreEnteredOnce(t *testing.T) {
	f := newFunnel(t)
	f.add("crm", "skips", &record.Lead{ // never an mql, an opportunity before an sql
		CreatedAt: f.at("2024-05-01 00:00:00"), SQLAt: f.at("2024-05-09 00:00:00"), OpportunityAt: f.at("2024-05-08 00:00:00"),
		Touch: record.Touch{Channel: "event"},
	})
	f.add("crm", "undated", &record.Lead{MQLAt: f.at("2024-05-09 12:00:00"), CustomerAt: f.at("2024-05-10 12:00:00")})
	f.add("crm", "no date", &record.Lead{})
	entries := func(stage, channel, window string) string {
		return Key("b2b_funnel_entries", map[string]string{"stage": stage, "channel": channel, "window": window})
	}
	conversion := func(from, to, method string) string {
		return Key("b2b_funnel_conversion_ratio", map[string]string{"from": from, "to": to, "method": method, "window": "7d"})
	}
	f.check(f.compute("2024-05-10 00:00:00"), map[string]string{
		entries("lead", "event", "30d"):                                            "1",
		entries("lead", "event", "1d"):                                             "0",
		entries("mql", "event", "7d"):                                              "1", // on 8 May
		entries("mql", "event", "1d"):                                              "0",
		entries("sql", "event", "1d"):                                              "1",
		entries("opportunity", "event", "1d"):                                      "0",
		entries("opportunity", "event", "7d"):                                      "1",
		entries("lead", "unknown", "1d"):                                           "1",
		entries("mql", "unknown", "1d"):                                            "1",
		entries("sql", "unknown", "1d"):                                            none,
		entries("customer", "event", "30d"):                                        none,
		conversion("lead", "mql", methodCohort):                                    "1",
		conversion("lead", "mql", methodPeriod):                                    "2",
		conversion("mql", "sql", methodCohort):                                     "1/2",
		conversion("sql", "customer", methodCohort):                                "0",
		`b2b_lead_stage_age_seconds{q="0.5",stage="opportunity"}`:                  "172800",
		`b2b_lead_stage_age_seconds{q="0.9",stage="mql"}`:                          "43200",
		`b2b_lead_stage_age_seconds{q="0.5",stage="lead"}`:                         none,
		`b2b_leads_by_campaign{campaign="unknown",channel="event",window="30d"}`:   "1",
		`b2b_leads_by_campaign{campaign="unknown",channel="unknown",window="30d"}`: none,
	})
	f.check(f.compute("2024-05-11 00:00:00"), map[string]string{
		entries("customer", "unknown", "1d"):              "1",
		conversion("mql", "customer", methodCohort):       "1/2",
		`b2b_lead_stage_age_seconds{q="0.9",stage="mql"}`: none,
	})
}

func TestCustomerStage(t *testing.T) {
	const at = "2024-05-09 12:00:00"
	for _, test := range []struct {
		name  string
		basis string
		lead  record.Lead
		put   func(f *fixture)
		want  string
	}{
		{"the first order", BasisOrders, record.Lead{}, func(f *fixture) { f.order("o", "c1", at, record.Order{}) }, "1"},
		{"an order at the lead's creation", BasisOrders, record.Lead{}, func(f *fixture) { f.order("o", "c1", "2024-05-01 00:00:00", record.Order{}) }, "1"},
		{"an order with the basis deals", BasisDeals, record.Lead{}, func(f *fixture) { f.order("o", "c1", at, record.Order{}) }, "0"},
		{"an order before the lead", BasisDeals, record.Lead{}, func(f *fixture) {
			f.order("o", "c1", "2024-04-01 00:00:00", record.Order{})
			f.add("crm", "d", &record.Deal{State: record.DealWon, ClosedAt: f.at(at), Lead: "l"})
		}, "0"},
		{"a cancelled order before the lead", BasisOrders, record.Lead{}, func(f *fixture) {
			f.order("o", "c1", "2024-04-01 00:00:00", record.Order{State: record.StateCancelled})
			f.order("o2", "c1", at, record.Order{})
		}, "1"},
		{"a won deal of the lead", BasisOrders, record.Lead{}, func(f *fixture) {
			f.add("crm", "d", &record.Deal{State: record.DealWon, ClosedAt: f.at(at), Lead: "l", Account: record.RefTo("elsewhere")})
		}, "1"},
		{"a won deal of the lead before its creation", BasisOrders, record.Lead{}, func(f *fixture) {
			f.add("crm", "d", &record.Deal{State: record.DealWon, ClosedAt: f.at("2024-04-30 23:59:59"), Lead: "l"})
			f.order("o", "c1", at, record.Order{})
		}, "0"},
		{"a subscription before the lead", BasisOrders, record.Lead{}, func(f *fixture) {
			f.add("shop", "s", &record.Subscription{Customer: record.RefTo("c1"), StartedAt: f.at("2024-04-01 00:00:00"), State: record.SubscriptionActive})
			f.order("o", "c1", at, record.Order{})
		}, "0"},
		{"the CRM's time before the order", BasisOrders, record.Lead{CustomerAt: record.At(newFixture(t).moment("2024-05-02 00:00:00"))}, func(f *fixture) {
			f.order("o", "c1", "2024-08-01 00:00:00", record.Order{})
		}, "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFunnel(t)
			f.settings.Basis = test.basis
			l := test.lead
			l.CreatedAt, l.Keys = f.at("2024-05-01 00:00:00"), record.Keys{ExternalIDs: []string{"shop:c1"}}
			f.add("crm", "l", &l)
			test.put(f)
			f.check(f.compute("2024-05-10 00:00:00"), map[string]string{`b2b_lead_to_close_ratio{method="cohort",window="30d"}`: test.want})
		})
	}
	t.Run("an order of a lead without a date", func(t *testing.T) {
		f := newFunnel(t)
		f.add("crm", "l", &record.Lead{MQLAt: f.at("2024-05-02 00:00:00"), Keys: record.Keys{ExternalIDs: []string{"shop:c1"}}})
		f.order("o", "c1", at, record.Order{})
		f.check(f.compute("2024-05-10 00:00:00"), map[string]string{`b2b_lead_to_close_ratio{method="cohort",window="30d"}`: "0"})
	})
}

func TestResponses(t *testing.T) {
	f := newFunnel(t)
	for i, created := range []string{
		"2024-05-09 10:00:00", "2024-05-09 11:00:00", "2024-05-09 11:30:00", "2024-05-09 12:00:00", "2024-05-01 00:00:00", "2024-05-08 12:00:00",
	} {
		f.add("crm", numbered("l", i), &record.Lead{CreatedAt: f.at(created)})
	}
	f.add("crm", "early", &record.Lead{CreatedAt: f.at("2024-05-09 09:00:00"), FirstResponseAt: f.at("2024-05-09 08:00:00")})
	f.add("crm", "gone", &record.Lead{CreatedAt: f.at("2024-05-08 11:00:00"), DisqualifiedAt: f.at("2024-05-09 00:00:00")})
	f.add("crm", "undated", &record.Lead{MQLAt: f.at("2024-05-09 09:00:00")})
	f.records[2].Record.(*record.Lead).FirstResponseAt = f.at("2024-05-09 11:30:50") // the CRM's own note of a7
	f.call("a1", "l0", "2024-05-09 10:10:00", record.Activity{})
	f.call("a2", "l0", "2024-05-09 10:20:00", record.Activity{})
	f.call("a3", "l1", "2024-05-09 11:00:30", record.Activity{Incoming: true})
	f.call("a4", "l1", "2024-05-09 11:00:31", record.Activity{Type: record.ActivityEmail, Automated: true})
	f.call("a5", "l1", "2024-05-09 11:00:32", record.Activity{Planned: true})
	f.call("a6", "l1", "2024-05-09 11:00:33", record.Activity{Type: "note"})
	f.call("a7", "l2", "2024-05-09 11:30:50", record.Activity{})
	f.call("a8", "l3", "2024-05-09 12:30:00", record.Activity{}) // at as_of
	f.call("a9", "undated", "2024-05-09 12:00:00", record.Activity{})
	r := f.compute("2024-05-09 12:30:00")
	f.check(r, map[string]string{
		// Created today: l0 (600 s), l1, l2 (50 s), l3, early (0 s).
		`b2b_lead_response_seconds{q="0.5",window="today"}`:                                        "50",
		`b2b_lead_response_seconds{q="0.9",window="today"}`:                                        "600",
		`b2b_lead_response_seconds{q="0.95",window="today"}`:                                       "600",
		`b2b_lead_response_seconds{q="0.5",window="1d"}`:                                           none,
		`b2b_lead_contact_ratio{window="today"}`:                                                   "3/5",
		`b2b_lead_follow_up_ratio{window="today"}`:                                                 "1/3",
		`b2b_leads_unanswered{age="lt_1h"}`:                                                        "1", // l3
		`b2b_leads_unanswered{age="1h_1d"}`:                                                        "1", // l1
		`b2b_leads_unanswered{age="1d_7d"}`:                                                        "1", // l5
		`b2b_leads_unanswered{age="ge_7d"}`:                                                        "1", // l4
		`b2b_kpi_undefined{kpi="b2b_lead_response_seconds",reason="zero_denominator",window="1d"}`: "1",
	})

	f.settings.Sources[1].Kinds = []record.Kind{record.KindLead}
	f.check(f.compute("2024-05-09 12:30:00"), map[string]string{
		`b2b_lead_response_seconds{q="0.5",window="today"}`:  "0", // the CRM's own
		`b2b_lead_response_seconds{q="0.95",window="today"}`: "50",
		`b2b_lead_follow_up_ratio{window="today"}`:           none,
		`b2b_leads_unanswered{age="lt_1h"}`:                  "1",
		`b2b_lead_contact_ratio{window="today"}`:             "2/5",
	})
	for i := range f.records {
		if l, ok := f.records[i].Record.(*record.Lead); ok {
			l.FirstResponseAt = record.Instant{}
		}
	}
	f.check(f.compute("2024-05-09 12:30:00"), map[string]string{
		`b2b_leads_unanswered{age="lt_1h"}`:                                               none,
		`b2b_kpi_undefined{kpi="b2b_lead_contact_ratio",reason="no_data",window="today"}`: "1",
	})
}

func TestVisitorsToCustomers(t *testing.T) {
	f := newFunnel(t)
	f.settings.Sources = append(f.settings.Sources, Source{Name: "web", Kinds: []record.Kind{record.KindUsers}, Read: true})
	users := func(id, site string, start, end record.Day, n float64) {
		f.add("web", id, &record.Users{Site: site, Start: start, End: end, Kind: record.UsersTotal, Users: units(n)})
	}
	users("month", "", date(2024, 5, 1), date(2024, 5, 31), 200)
	users("other days", "", date(2024, 5, 2), date(2024, 5, 31), 1)
	users("today", "", date(2024, 5, 31), date(2024, 6, 1), 0)
	f.firstOrders(4, "c", "2024-05-20 00:00:00", "", 1)
	f.check(f.compute("2024-05-31 12:00:00"), map[string]string{
		`b2b_visitor_to_customer_ratio{window="30d"}`:   "1/50",
		`b2b_visitor_to_customer_ratio{window="7d"}`:    none,
		`b2b_visitor_to_customer_ratio{window="today"}`: none,
	})
	users("of another", "shop.example", date(2024, 5, 1), date(2024, 5, 31), 400)
	f.check(f.compute("2024-05-31 12:00:00"), map[string]string{`b2b_visitor_to_customer_ratio{window="30d"}`: none})
	f.settings.FunnelSite = "shop.example"
	f.check(f.compute("2024-05-31 12:00:00"), map[string]string{`b2b_visitor_to_customer_ratio{window="30d"}`: "1/100"})
}
