package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func entered(stage, channel, w string) string {
	return series("b2b_funnel_entries", "stage="+stage, "channel="+channel, "window="+w)
}

func converted(from, to, method, w string) string {
	return series("b2b_funnel_conversion_ratio", "from="+from, "to="+to, "method="+method, "window="+w)
}

func closed(method, w string) string {
	return series("b2b_lead_to_close_ratio", "method="+method, "window="+w)
}

func closedOf(channel, method, w string) string {
	return series("b2b_lead_to_close_ratio_by_channel", "channel="+channel, "method="+method, "window="+w)
}

func stageAge(stage, q string) string {
	return series("b2b_lead_stage_age_seconds", "stage="+stage, "q="+q)
}

// A stage without its own time is entered at the time of the earliest later stage, and
// none is entered twice.
func TestStages(t *testing.T) {
	c := newMarketer(t)
	c.lead("skips", "2024-05-01 00:00", record.Lead{ // an opportunity before it was an sql
		SQLAt: c.at("2024-05-09 00:00"), OpportunityAt: c.at("2024-05-08 00:00"), Touch: record.Touch{Channel: "event"},
	})
	c.lead("undated", "", record.Lead{MQLAt: c.at("2024-05-09 12:00"), CustomerAt: c.at("2024-05-10 12:00")})
	c.lead("whole", "2024-05-02 00:00", record.Lead{
		MQLAt: c.at("2024-05-03 00:00"), SQLAt: c.at("2024-05-04 00:00"), OpportunityAt: c.at("2024-05-05 00:00"), CustomerAt: c.at("2024-05-06 00:00"),
	})
	c.lead("nothing known", "", record.Lead{})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		entered("lead", "event", "30d"):         "1",
		entered("lead", "event", "1d"):          "0",
		entered("mql", "event", "7d"):           "1", // on 8 May, with the opportunity
		entered("mql", "event", "1d"):           "0",
		entered("sql", "event", "1d"):           "1",
		entered("opportunity", "event", "7d"):   "1",
		entered("opportunity", "event", "1d"):   "0",
		entered("customer", "event", "30d"):     none, // of no channel that has any
		entered("lead", "unknown", "1d"):        "1",  // with the mql
		entered("lead", "unknown", "30d"):       "2",
		entered("mql", "unknown", "7d"):         "2",
		entered("sql", "unknown", "7d"):         "1",
		entered("customer", "unknown", "7d"):    "1",
		entered("customer", "unknown", "today"): "0",
		// Of 3 to 9 May: leads are undated's, mqls all, sqls skips and whole.
		converted("lead", "mql", "cohort", "7d"):             "1",
		converted("lead", "mql", "period", "7d"):             "3",
		converted("lead", "customer", "period", "7d"):        "1",
		converted("lead", "customer", "cohort", "7d"):        "0",
		converted("mql", "sql", "cohort", "7d"):              "2/3",
		converted("mql", "sql", "period", "7d"):              "2/3",
		converted("sql", "customer", "cohort", "7d"):         "1/2",
		converted("opportunity", "customer", "cohort", "7d"): "1/2",
		converted("lead", "mql", "cohort", "today"):          none,
		converted("mql", "lead", "cohort", "7d"):             none, // only onwards
		// Skips has been an opportunity for two days, undated an mql for half a day.
		stageAge("opportunity", "0.5"): "172800",
		stageAge("mql", "0.9"):         "43200",
		stageAge("lead", "0.5"):        none,
		stageAge("sql", "0.5"):         none,
	})
	check(t, c.compute("2024-05-11 00:00"), map[string]string{
		entered("customer", "unknown", "1d"):          "1",
		converted("mql", "customer", "cohort", "30d"): "2/3",
		stageAge("mql", "0.9"):                        none,
	})
}

// For a past as_of a lead is what its dates said by then: the later stage that stood in
// for an earlier one is cut, too.
func TestStagesAreCut(t *testing.T) {
	c := newMarketer(t)
	c.lead("l", "2024-05-01 00:00", record.Lead{SQLAt: c.at("2024-05-06 00:00"), OpportunityAt: c.at("2024-05-03 00:00")})
	for _, test := range []struct{ at, lead, mql, sql, age string }{
		{"2024-05-03 00:00", "1", none, none, none}, // what happens now is not known yet
		{"2024-05-03 00:00:01", "1", "1", "1", "1"},
		{"2024-05-06 00:00", "1", "1", "1", "259200"},
		{"2024-05-06 00:00:01", "1", "1", "1", "259201"},
	} {
		check(t, c.compute(test.at), map[string]string{
			entered("lead", "unknown", "mtd"): test.lead, entered("mql", "unknown", "mtd"): test.mql,
			entered("sql", "unknown", "mtd"): test.sql, stageAge("opportunity", "0.5"): test.age,
		})
	}
}

// Ages: the ceil(q n)-th smallest of the leads that are open.
func TestStageAges(t *testing.T) {
	c := newMarketer(t)
	for i, created := range []string{"2024-05-09 23:00", "2024-05-09 22:00", "2024-05-09 21:00", "2024-05-09 20:00", "2024-05-09 19:00"} {
		c.lead(numbered("l", i), created, record.Lead{})
	}
	c.lead("gone", "2024-01-01 00:00", record.Lead{DisqualifiedAt: c.at("2024-05-09 00:00")})
	c.lead("bought", "2024-01-01 00:00", record.Lead{CustomerAt: c.at("2024-05-09 00:00")})
	c.lead("goes", "2024-05-09 19:00", record.Lead{DisqualifiedAt: c.at("2024-05-10 00:00")}) // not yet
	check(t, c.compute("2024-05-10 00:00"), map[string]string{stageAge("lead", "0.5"): "10800", stageAge("lead", "0.9"): "18000"})
	check(t, c.compute("2024-05-10 00:00:01"), map[string]string{
		stageAge("lead", "0.5"): "10801", // three of five
		// A disqualified lead keeps its first times.
		entered("lead", "unknown", "ytd"): "8",
	})
}

// The customer stage is entered at the earliest of the CRM's time, a won deal of the lead
// and its customer's first order; never by leads of those that bought before.
func TestLeadsBecomeCustomers(t *testing.T) {
	const created, bought = "2024-05-02 00:00", "2024-05-09 12:00"
	deal := func(c *company, closed string, change func(*record.Deal)) {
		d := &record.Deal{State: record.DealWon, ClosedAt: c.at(closed), Lead: "l", Currency: "EUR", Amount: units(1)}
		change(d)
		c.add("crm", "d", d)
	}
	same := func(*record.Deal) {}
	event := record.Touch{Channel: "event"}
	for _, test := range []struct {
		name  string
		basis string
		given func(c *company)
		want  string // new customers of yesterday, another one being 1 of them
	}{
		{"its first order", oracle.BasisOrders, func(c *company) { c.order("o", "c1", bought, record.Order{}) }, "2"},
		{"an order at its creation, and again", oracle.BasisOrders, func(c *company) {
			c.order("o", "c1", created, record.Order{})
			c.order("o2", "c1", bought, record.Order{})
		}, "1"},
		{"an order that does not count before it", oracle.BasisOrders, func(c *company) {
			c.order("o", "c1", "2024-04-01 00:00", record.Order{State: record.StateCancelled})
			c.order("o2", "c1", bought, record.Order{})
		}, "2"},
		{"an order just before it", oracle.BasisOrders, func(c *company) {
			c.order("o", "c1", "2024-05-01 23:59:59.999999", record.Order{})
			deal(c, bought, same)
		}, "1"},
		{"an order before it, where deals count", oracle.BasisDeals, func(c *company) {
			c.order("o", "c1", "2024-04-01 00:00", record.Order{})
			deal(c, bought, same)
		}, "1"},
		{"an order, where deals count", oracle.BasisDeals, func(c *company) { c.order("o", "c1", bought, record.Order{}) }, "1"},
		{"a won deal of it", oracle.BasisOrders, func(c *company) { deal(c, bought, same) }, "2"},
		{"a won deal of it, of somebody else's account", oracle.BasisOrders, func(c *company) {
			deal(c, bought, func(d *record.Deal) { d.Account = record.RefTo("elsewhere") })
		}, "2"},
		{"a lost deal of it", oracle.BasisOrders, func(c *company) { deal(c, bought, func(d *record.Deal) { d.State = record.DealLost }) }, "1"},
		{"a won deal of it before it", oracle.BasisOrders, func(c *company) {
			deal(c, "2024-05-01 00:00", same)
			c.order("o", "c1", bought, record.Order{})
		}, "1"},
		{"a won deal of its customer before it", oracle.BasisOrders, func(c *company) {
			deal(c, "2024-05-01 00:00", func(d *record.Deal) { d.Lead, d.Account = "", record.RefTo("acc") })
			c.add("crm", "acc", &record.Account{Keys: record.Keys{ExternalIDs: []string{"shop:c1"}}})
			c.order("o", "c1", bought, record.Order{})
		}, "1"},
		{"a paid subscription before it", oracle.BasisOrders, func(c *company) {
			c.add("shop", "s", &record.Subscription{Customer: record.RefTo("c1"), StartedAt: c.at("2024-04-01 00:00"), State: record.SubscriptionActive})
			c.order("o", "c1", bought, record.Order{})
		}, "1"},
		{"a trial before it", oracle.BasisOrders, func(c *company) {
			c.add("shop", "s", &record.Subscription{Customer: record.RefTo("c1"), StartedAt: c.at("2024-04-01 00:00"), State: record.SubscriptionTrialing})
			c.order("o", "c1", bought, record.Order{})
		}, "2"},
		{"the CRM says so earlier", oracle.BasisOrders, func(c *company) {
			c.lead("l", created, record.Lead{CustomerAt: c.at("2024-05-03 00:00"), Keys: record.Keys{ExternalIDs: []string{"shop:c1"}}, Touch: event})
			c.order("o", "c1", bought, record.Order{})
		}, "1"},
		{"the CRM says so later", oracle.BasisOrders, func(c *company) {
			c.lead("l", created, record.Lead{CustomerAt: c.at("2024-06-03 00:00"), Keys: record.Keys{ExternalIDs: []string{"shop:c1"}}, Touch: event})
			c.order("o", "c1", bought, record.Order{})
		}, "2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newMarketer(t, func(s *oracle.Settings) { s.Basis = test.basis })
			c.add("shop", "c1", &record.Customer{})
			c.lead("l", created, record.Lead{Keys: record.Keys{ExternalIDs: []string{"shop:c1"}}, Touch: event})
			c.lead("other", created, record.Lead{CustomerAt: c.at(bought), Touch: event}) // one becomes a customer in any case
			test.given(c)
			check(t, c.compute("2024-05-10 00:00"), map[string]string{entered("customer", "event", "1d"): test.want})
		})
	}
}

// Who bought before stays out of the later stages that the customer stage stands for.
func TestLeadsOfCustomers(t *testing.T) {
	c := newMarketer(t)
	c.order("o", "c1", "2024-04-01 00:00", record.Order{})
	c.lead("l", "2024-05-02 00:00", record.Lead{
		SQLAt: c.at("2024-05-03 00:00"), CustomerAt: c.at("2024-05-09 00:00"), Keys: record.Keys{ExternalIDs: []string{"shop:c1"}},
	})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		entered("sql", "unknown", "30d"):         "1",
		entered("opportunity", "unknown", "30d"): none,
		closed("cohort", "30d"):                  "0",
		stageAge("sql", "0.5"):                   "604800", // it is still open
	})
	c.remove("shop", "o", &record.Order{}) // it was not a customer after all
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		entered("opportunity", "unknown", "30d"): "1", closed("cohort", "30d"): "1", stageAge("sql", "0.5"): none,
	})
}

// A record that the CRM has merged into another is deleted there, and counts once.
func TestMergedLeads(t *testing.T) {
	c := newMarketer(t)
	keys := record.Keys{Email: "jane@example.com"}
	c.lead("1", "2024-05-09 09:00", record.Lead{Keys: keys, Touch: record.Touch{Channel: "event", Campaign: "Fair"}})
	c.lead("2", "2024-05-09 10:00", record.Lead{Keys: keys, MQLAt: c.at("2024-05-09 12:00"), Touch: record.Touch{Channel: "event"}})
	c.activity("a", "2", "2024-05-09 11:00", record.Activity{})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		entered("lead", "event", "1d"): "2", leadsBy("event", "Fair", "1d"): "1", leadsBy("event", "unknown", "1d"): "1",
		inWindow("b2b_lead_contact_ratio", "1d"): "1/2",
	})
	c.remove("crm", "2", &record.Lead{})
	c.lead("1", "2024-05-09 09:00", record.Lead{Keys: keys, MQLAt: c.at("2024-05-09 12:00"), Touch: record.Touch{Channel: "event", Campaign: "Fair"}})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		entered("lead", "event", "1d"): "1", entered("mql", "event", "1d"): "1",
		leadsBy("event", "Fair", "1d"): "1", leadsBy("event", "unknown", "1d"): none,
		inWindow("b2b_lead_contact_ratio", "1d"): "0", // the answer was to a lead that there is no more
	})
	c.activity("a", "1", "2024-05-09 11:00", record.Activity{})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{inWindow("b2b_lead_contact_ratio", "1d"): "1"})
	c.remove("crm", "1", &record.Lead{})
	out := c.compute("2024-05-10 00:00")
	check(t, out, map[string]string{
		entered("lead", "event", "1d"): none, closed("cohort", "1d"): none, inWindow("b2b_lead_contact_ratio", "1d"): none,
	})
	checkReasons(t, out, map[string]string{"b2b_lead_to_close_ratio|1d": "zero_denominator", "b2b_lead_contact_ratio|1d": "zero_denominator"})
}

// A cohort is held against one that had the same time to close.
func TestChangeOfLeadToClose(t *testing.T) {
	c := newMarketer(t)
	c.lead("first", "2024-01-01 00:00", record.Lead{})
	for i, l := range [][2]string{ // created, closed
		{"2024-05-08 12:00", "2024-05-08 18:00"}, // by the end of its day
		{"2024-05-08 12:00", "2024-05-09 00:00"}, // after it
		{"2024-05-08 12:00", "2024-05-20 00:00"},
		{"2024-05-09 12:00", "2024-05-09 13:00"},
		{"2024-05-09 12:00", "2024-05-09 13:00"},
		{"2024-05-09 12:00", "2024-05-10 00:00"},
	} {
		c.lead(numbered("l", i), l[0], record.Lead{CustomerAt: c.at(l[1])})
	}
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		closed("cohort", "1d"):                                "2/3", // what closes at midnight is not known yet
		closed("period", "1d"):                                "1",   // 3 of 3: one of the day before is among them
		changeOf("b2b_lead_to_close_ratio", "1d", "previous"): "1",   // 2/3 against 1/3
		closedOf("unknown", "cohort", "7d"):                   "2/3", // 4 of 6: all but two
		closedOf("unknown", "cohort", "today"):                none,
	})
}

// Leads by channel are those of the lead's own channel, not its customer's.
func TestLeadToCloseByChannel(t *testing.T) {
	c := newMarketer(t)
	keys := record.Keys{ExternalIDs: []string{"shop:c1"}}
	c.add("shop", "c1", &record.Customer{})
	c.lead("l1", "2024-05-01 00:00", record.Lead{Keys: keys, Touch: record.Touch{Channel: "event"}})
	c.lead("l2", "2024-05-08 00:00", record.Lead{Keys: keys, Touch: record.Touch{Channel: "email"}})
	c.lead("l3", "2024-05-08 00:00", record.Lead{Touch: record.Touch{Channel: "email"}})
	c.order("o", "c1", "2024-05-09 12:00", record.Order{})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{
		closedOf("event", "cohort", "30d"): "1",
		closedOf("event", "cohort", "7d"):  none, // none entered, one closed
		closedOf("event", "period", "7d"):  none,
		closedOf("email", "cohort", "7d"):  "1/2",
		closedOf("email", "period", "30d"): "1/2",
		closed("cohort", "30d"):            "2/3",
		closed("period", "7d"):             "1", // two of two
	})
}
